/** Picking the chosen entries out of a selection table. */
import { invariant } from '../../../core/errors.ts';
import type { Words } from '../../ring.ts';
import { type TableLayout, elementBits, entryBits } from '../table-layout.ts';

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

/** Words as 32-bit halves: word i begins at `stride` · i, its upper half follows where it has one. */
function halvesOf({ data }: Words): { readonly halves: Uint32Array; readonly stride: 1 | 2 } {
  if (data instanceof Uint32Array) return { halves: data, stride: 1 };
  return { halves: new Uint32Array(data.buffer, data.byteOffset, 2 * data.length), stride: 2 };
}

/**
 * The chosen entry of each element, each at the begin of `entryStride` 32-bit words; what follows it there belongs to
 * its neighbours in the table and means nothing. A place is kept as a word and a bit in it: a table may have more bits
 * than 32-bit numbers count.
 */
export function chosen(index: Words, layout: TableLayout, table: Uint8Array, from: number, to: number): Uint32Array {
  const [bits, units, source] = [entryBits(layout), entryStride(layout), wordsOf(table)];
  const { n } = layout;
  const element = elementBits(layout);
  invariant(element < 2 ** 30, 'an element of a selection table has too many bits');
  const { halves, stride } = halvesOf(index);
  const out = new Uint32Array((to - from) * units);
  let word = 0;
  let bit = 0;
  let filled = 0;
  for (let row = 0; row < to - from; row++) {
    const at = stride * (from + row);
    const c = halves[at];
    invariant(c < n && (stride === 1 || halves[at + 1] === 0), 'selection index out of range');
    const place = bit + c * bits;
    const skip = place & 31;
    let next = word + (place >>> 5);
    let low = source[next];
    for (let u = 0; u < units; u++) {
      // Behind the table there is nothing: 0.
      const high = source[++next] | 0;
      // Shifted left in two steps, which is right for skip = 0 too.
      out[filled++] = (low >>> skip) | ((high << 1) << (31 - skip));
      low = high;
    }
    bit += element;
    word += bit >>> 5;
    bit &= 31;
  }
  return out;
}
