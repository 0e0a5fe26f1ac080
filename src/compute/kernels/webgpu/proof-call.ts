/**
 * What calls of the proofs share: operands out of the host's memory, residues and words back into it, and sums that
 * are divided among workgroups. Operands come from messages, so each call brings its own.
 */
import { montgomery } from '../../field.ts';
import type { Words } from '../../ring.ts';
import { RADIX } from '../proof-types.ts';
import { type Call, groupsOf, limbs } from './call.ts';
import type { Binding } from './commands.ts';
import type { Block } from './pool.ts';

/** Bytes of a residue, and of a word of challenges. */
export const RESIDUE = 8;
/** A product of residues in multiply-adds of 64-bit words, by instructions. */
export const FIELD_WORK = 4;
/** Cells of a round, and their bytes: a workgroup has one invocation for each. */
export const CELLS = RADIX * RADIX;
const CELL_BYTES = RESIDUE * CELLS;
/** Chunks that a sum is divided into at most: the last step adds them up one by one. */
const MOST_CHUNKS = 1024;

/** q and what reduces modulo it, as `Field` of shaders/lib/proof-field.wgsl. */
export function fieldParams(q: bigint): number[] {
  const { inverse, square } = montgomery(q);
  return [q, inverse, square, (1n << 192n) % q].flatMap(limbs);
}

/** A vector of the host, for this call. */
export function bound(call: Call, x: Uint8Array | Uint32Array | Int32Array | BigUint64Array): Binding {
  const bytes = new Uint8Array(x.buffer, x.byteOffset, x.byteLength);
  return call.range(call.upload(bytes), 0, bytes.length);
}

/** Elements [from, to) of words, in the lanes that they have. */
export function boundWords(call: Call, { data }: Words, from = 0, to = data.length): Binding {
  return bound(call, data.subarray(from, to));
}

/** The same in 32-bit lanes: indices, whatever their ring. */
export function boundIndices(call: Call, { data }: Words, from: number, to: number): Binding {
  if (data instanceof Uint32Array) return bound(call, data.subarray(from, to));
  return bound(
    call,
    Uint32Array.from({ length: to - from }, (_, i) => Number(data[from + i])),
  );
}

/** All of a block that holds `count` residues. */
export function whole(call: Call, block: Block, count: number): Binding {
  return call.range(block, 0, RESIDUE * count);
}

/** Residues, or words of 64 bits, on their way back. */
export async function residues(call: Call, block: Block, count: number): Promise<BigUint64Array> {
  const bytes = await call.commands.read(block, 0, RESIDUE * count);
  return new BigUint64Array(bytes.buffer, bytes.byteOffset, count);
}

/** Elements that one dispatch may take, each of `terms` products. */
export function mostElements(call: Call, terms: number): number {
  return call.commands.limits.work / (FIELD_WORK * Math.max(1, terms));
}

/** What runs over elements [from, to) of a sum, and where its cells go. */
export interface Chunked {
  readonly from: number;
  readonly to: number;
  /** Elements of a workgroup. */
  readonly chunk: number;
  readonly out: Binding;
  readonly groups: number;
}

/**
 * The cells of a round over n elements: every workgroup sums a chunk of them, and the last step adds up the chunks.
 * @param bytes that an element takes in the longest binding
 */
export function cells(
  call: Call,
  q: bigint,
  n: number,
  bytes: number,
  run: (part: Chunked) => void,
): Promise<BigUint64Array> {
  const most = Math.min(MOST_CHUNKS, Math.floor(call.commands.limits.bindingBytes / CELL_BYTES));
  const chunk = 64 * Math.max(1, Math.ceil(n / (64 * most)));
  const chunks = Math.ceil(n / chunk);
  const partial = call.scratch(CELL_BYTES * chunks);
  for (const [from, to] of call.pieces(n, bytes, chunk, mostElements(call, CELLS))) {
    const [first, last] = [from / chunk, Math.ceil(to / chunk)];
    const out = call.range(partial, CELL_BYTES * first, CELL_BYTES * last);
    run({ from, to, chunk, out, groups: last - first });
  }
  return residues(call, summed(call, q, partial, chunks, CELLS), CELLS);
}

/** Σ_s parts_{s,c} mod q. */
export function summed(call: Call, q: bigint, parts: Block, slices: number, count: number): Block {
  const out = call.scratch(RESIDUE * count);
  call.run({
    shader: 'proof-sum',
    wide: false,
    constants: {},
    params: [...fieldParams(q), count, slices],
    bindings: [whole(call, parts, slices * count), whole(call, out, count)],
    groups: groupsOf(count),
  });
  return out;
}

/** Whether words have lanes of 64 bits. */
export function wideLanes(x: Words | undefined): boolean {
  return x !== undefined && x.data instanceof BigUint64Array;
}
