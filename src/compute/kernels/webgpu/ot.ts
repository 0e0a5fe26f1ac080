/** otReceive and otSend: the leaves' streams into a matrix of bits, then message and hash of every OT. */
import { invariant } from '../../../core/errors.ts';
import { type Vector, checkRing, ringMask } from '../../ring.ts';
import { blockOf } from '../key-stream.ts';
import { OT_MOST, otParts } from '../ot-base.ts';
import type { OtReceived, OtSent } from '../types.ts';
import { type Call, type Operand, groupsOf, limbs, wide } from './call.ts';
import { BLOCK_WORK } from './limits.ts';
import type { Block } from './pool.ts';

/** OTs of one block of every leaf, and bytes of their matrix. */
const GROUP = 512;
const MATRIX = 160 * 64;

/** Little-endian words of bytes. */
function words(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i, true));
}

/** The OTs in pieces, each with its matrix. */
function* pieces(
  call: Call,
  keys: Block,
  nonce: Uint8Array,
  count: number,
  from: 0 | 1,
): Iterable<{ readonly from: number; readonly to: number; readonly matrix: Block; readonly size: number }> {
  const groups = Math.ceil(count / GROUP);
  // Of one OT: a bit of 512 streams is a block, and two hashes.
  for (const [first, end] of call.pieces(groups * GROUP, MATRIX / GROUP, GROUP, call.blocks / 3)) {
    const blocks = (end - first) / GROUP;
    const matrix = call.scratch(MATRIX * blocks);
    call.run({
      shader: 'ot-expand',
      wide: false,
      constants: { FROM: from },
      params: [blockOf(first / 8, end / 8), ...words(nonce), blocks],
      bindings: [call.range(keys, 0, keys.size), call.range(matrix, 0, MATRIX * blocks)],
      groups: groupsOf(32 * blocks),
      work: BLOCK_WORK * GROUP * blocks,
    });
    yield { from: first, to: Math.min(end, count), matrix, size: MATRIX * blocks };
  }
}

interface Side {
  readonly shader: 'ot-receive' | 'ot-send';
  /** The leaf to begin with. */
  readonly from: 0 | 1;
  readonly k: number;
  readonly operand: Operand;
  readonly first: Operand;
  readonly second: Operand;
}

function run(call: Call, base: Uint8Array, nonce: Uint8Array, side: Side): void {
  const { shader, operand, k } = side;
  invariant(nonce.length === 12 && operand.length <= OT_MOST, 'a nonce has 12 bytes, and a draw 2^32 OTs');
  const { keys, delta, tweak } = otParts(base);
  const uploaded = call.upload(keys);
  const part = (x: Operand, from: number, to: number) => call.part(x, from, to);
  for (const { from, to, matrix, size } of pieces(call, uploaded, nonce, operand.length, side.from))
    call.run({
      shader,
      wide: wide(k),
      constants: {},
      params: [
        ...[from, ...words(nonce), ...words(tweak)],
        ...(shader === 'ot-send' ? words(delta) : []),
        ...[...limbs(ringMask(k)), to - from],
      ],
      bindings: [
        call.range(matrix, 0, size),
        ...[part(operand, from, to), part(side.first, from, to), part(side.second, from, to)],
      ],
      groups: groupsOf(to - from),
      work: BLOCK_WORK * 2 * (to - from),
    });
}

export function otReceive(call: Call, base: Uint8Array, nonce: Uint8Array, choice: Vector, k: number): OtReceived {
  invariant(choice.k === 1, 'otReceive: choices are single bits');
  const operand = call.operand(choice);
  const [message, made] = [call.result(32, operand.length), call.result(checkRing(k), operand.length)];
  run(call, base, nonce, { shader: 'ot-receive', from: 0, k, operand, first: message.out, second: made.out });
  return { message: message.vector, words: made.vector };
}

export function otSend(call: Call, base: Uint8Array, nonce: Uint8Array, message: Vector, k: number): OtSent {
  invariant(message.k === 32, 'otSend: messages have 32 bits');
  const operand = call.operand(message);
  const [zero, one] = [call.result(checkRing(k), operand.length), call.result(k, operand.length)];
  run(call, base, nonce, { shader: 'ot-send', from: 1, k, operand, first: zero.out, second: one.out });
  return { zero: zero.vector, one: one.vector };
}
