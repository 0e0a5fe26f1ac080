/** Tables without pads, where a kernel can only make padded ones: a stream that everybody knows is taken off again. */
import { bytesOf } from '../ring.ts';
import { type TableLayout, tableBytes } from './table-layout.ts';
import type { RingKernels, SelectionTable, Stream } from './types.ts';
import { tableShape } from './selection-shape.ts';

const KNOWN: Stream = { key: new Uint8Array(32), nonce: new Uint8Array(12) };

/** `RingKernels.clearTable` by `selectionTable`. */
export async function withoutPads(
  kernels: Pick<RingKernels, 'selectionTable' | 'draw' | 'read'>,
  table: SelectionTable,
  layout: TableLayout,
): Promise<Uint8Array> {
  const elements = tableShape(table).count;
  const padded = await kernels.selectionTable(table, layout, KNOWN, 0, elements);
  const length = tableBytes(layout, elements);
  const pads = bytesOf(await kernels.read(await kernels.draw(KNOWN, 32, Math.ceil(length / 4))));
  return difference(padded, pads, layout.widths, elements * layout.n, length);
}

/** Most bits of a part: with seven below it, it is in four bytes, and numbers are exact. */
const PART = 24;

/**
 * a − b of packed words, each modulo two to its width. In numbers, part by part with a borrow: a function of a proof
 * has some hundred thousand words, and with integers of any length a word took four times as long.
 */
function difference(
  a: Uint8Array,
  b: Uint8Array,
  widths: readonly number[],
  entries: number,
  length: number,
): Uint8Array {
  const out = new Uint8Array(length);
  let byte = 0;
  let bit = 0;
  for (let entry = 0; entry < entries; entry++)
    for (const width of widths) {
      let borrow = 0;
      for (let left = width; left > 0; left -= PART) {
        const bits = Math.min(left, PART);
        const mask = 2 ** bits - 1;
        const word = ((fourBytes(a, byte) >>> bit) & mask) - ((fourBytes(b, byte) >>> bit) & mask) - borrow;
        borrow = word < 0 ? 1 : 0;
        for (let rest = (word & mask) << bit, at = byte; rest > 0; rest >>>= 8, at++) out[at] |= rest;
        byte += (bit + bits) >> 3;
        bit = (bit + bits) & 7;
      }
    }
  return out;
}

/** Zeros behind the end. */
function fourBytes(bytes: Uint8Array, at: number): number {
  if (at + 3 < bytes.length) return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
  let value = 0;
  for (let i = bytes.length - 1; i >= at; i--) value = (value << 8) | bytes[i];
  return value;
}
