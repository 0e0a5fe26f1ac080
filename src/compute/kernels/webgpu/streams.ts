/** draw, pack, unpack and read: words from key streams and on the wire. */
import { invariant } from '../../../core/errors.ts';
import { type Vector, type Words, checkRing, laneBytes, lengthOf, ringMask, wireLength } from '../../ring.ts';
import { BLOCK_BYTES, blockOf } from '../key-stream.ts';
import { MAX_WIDTHS, type TableLayout, entryBits } from '../table-layout.ts';
import type { Stream } from '../types.ts';
import { DeviceVector } from './arena.ts';
import { type Call, groupsOf, limbs, wide } from './call.ts';
import { BLOCK_WORK } from './limits.ts';

/** Key and last row of the state (block counter from `blockOf`, nonce), as the shaders' first twelve parameters. */
export function streamParams({ key, nonce }: Stream, block: number): number[] {
  invariant(key.length === 32 && nonce.length === 12, 'a stream needs a 32-byte key and a 12-byte nonce');
  const words = (bytes: Uint8Array) =>
    Array.from({ length: bytes.length / 4 }, (_, i) =>
      new DataView(bytes.buffer, bytes.byteOffset + 4 * i, 4).getUint32(0, true),
    );
  invariant(block < 2 ** 32, 'blocks are numbered with 32 bits');
  return [...words(key), block, ...words(nonce)];
}

/** A layout as the shaders' parameter `packing` (`shaders/lib/layout.wgsl`). */
export function layoutParams(layout: TableLayout): number[] {
  const widths = new Uint8Array(MAX_WIDTHS);
  widths.set(layout.widths);
  return [entryBits(layout), layout.widths.length, ...new Uint32Array(widths.buffer)];
}

export function draw(call: Call, stream: Stream, k: number, count: number, first: number): DeviceVector {
  const lane = laneBytes(checkRing(k));
  const { vector, out } = call.result(k, count);
  const perBlock = BLOCK_BYTES / lane;
  for (const [from, to] of call.pieces(count, lane, 64, call.blocks * perBlock)) {
    const block = blockOf((first + from) * lane, (first + to) * lane);
    const lead = first + from - block * perBlock;
    call.run({
      shader: 'draw',
      wide: wide(k),
      constants: {},
      params: [...streamParams(stream, block), to - from, lead, ...limbs(ringMask(k))],
      bindings: [call.part(out, from, to)],
      // One invocation a block.
      groups: groupsOf(Math.ceil((lead + to - from) / perBlock)),
      work: (BLOCK_WORK * (to - from)) / perBlock,
    });
  }
  return vector;
}

/** Elements of a piece whose wire form is a multiple of 256 bytes for every width. */
const WIRE_UNIT = 2048;
/** Bits of the wire form that one dispatch may address. */
const WIRE_BITS = 2 ** 32;

export function pack(call: Call, x: Vector): Promise<Uint8Array> {
  const source = call.operand(x);
  const bytes = wireLength(x.k, source.length);
  // Lanes that are wholly on the wire are the wire form (little-endian, as every device is).
  if (x.k === 8 * laneBytes(x.k)) return call.commands.read(source.block, 0, bytes);
  const packed = call.scratch(bytes);
  for (const [from, to] of call.pieces(source.length, laneBytes(x.k), WIRE_UNIT, WIRE_BITS / x.k - 1)) {
    const [start, end] = [wireLength(x.k, from), wireLength(x.k, to)];
    const length = Math.ceil((end - start) / 4);
    call.run({
      shader: 'pack',
      wide: wide(x.k),
      constants: {},
      params: [to - from, length, x.k],
      bindings: [call.part(source, from, to), call.range(packed, start, start + 4 * length)],
      groups: groupsOf(length),
    });
  }
  return call.commands.read(packed, 0, bytes);
}

export function unpack(call: Call, bytes: Uint8Array, k: number, count: number): DeviceVector {
  invariant(bytes.length === wireLength(checkRing(k), count), 'unpack: byte length does not match the count');
  const { vector, out } = call.result(k, count);
  if (k === 32 || k === 64) {
    call.commands.write(out.block, bytes);
    return vector;
  }
  const packed = call.upload(bytes);
  for (const [from, to] of call.pieces(count, laneBytes(k), WIRE_UNIT, WIRE_BITS / k - 1)) {
    call.run({
      shader: 'unpack',
      wide: wide(k),
      constants: {},
      params: [to - from, k, ...limbs(ringMask(k))],
      bindings: [call.range(packed, wireLength(k, from), wireLength(k, to)), call.part(out, from, to)],
      groups: groupsOf(to - from),
    });
  }
  return vector;
}

/** The words of a vector, by the same read-back as everything else that leaves the device. */
export async function read(call: Call, x: Vector): Promise<Words> {
  if ('data' in x) return x;
  invariant(x instanceof DeviceVector, 'a vector of another backend');
  const bytes = await call.commands.read(x.blockOf(call.commands), 0, laneBytes(x.k) * lengthOf(x));
  return { k: x.k, data: x.k <= 32 ? new Uint32Array(bytes.buffer) : new BigUint64Array(bytes.buffer) };
}
