/** Picking the chosen entries out of a selection table. */
import { invariant } from '../../../core/errors.ts';
import type { Words } from '../../ring.ts';
import { type TableLayout, entryBits } from '../table-layout.ts';

/** 32-bit words that an entry takes when it begins with one. */
export function entryStride(layout: TableLayout): number {
  return Math.ceil(entryBits(layout) / 32);
}

/** Bytes as 32-bit words, in place where they are aligned; zeros behind the last byte. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  if (bytes.byteOffset % 4 === 0 && bytes.length % 4 === 0)
    return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const copy = new Uint8Array(4 * Math.ceil(bytes.length / 4));
  copy.set(bytes);
  return new Uint32Array(copy.buffer);
}

/**
 * The chosen entry of each element, each at the begin of `entryStride` 32-bit words; what follows it there belongs to
 * its neighbours in the table and means nothing.
 */
export function chosen(index: Words, layout: TableLayout, table: Uint8Array, from: number, to: number): Uint32Array {
  const [bits, units, source] = [entryBits(layout), entryStride(layout), wordsOf(table)];
  const out = new Uint32Array((to - from) * units);
  for (let row = 0; row < to - from; row++) {
    const c = Number(index.data[from + row]);
    invariant(c < layout.n, 'selection index out of range');
    const at = (row * layout.n + c) * bits;
    const first = Math.floor(at / 32);
    const skip = at % 32;
    // Shifted left in two steps, which is right for skip = 0 too. Behind the table there is nothing: 0.
    for (let u = 0; u < units; u++)
      out[row * units + u] = (source[first + u] >>> skip) | ((source[first + u + 1] << 1) << (31 - skip));
  }
  return out;
}
