/** Picking the chosen entries out of a selection table in wire form. */
import { invariant } from '../../../core/errors.ts';
import { type Words, wireLength } from '../../ring.ts';

/** The P words of the chosen entry of each element, in wire form. `stride` is the words of an element. */
export function chosen(
  index: Words,
  stride: number,
  P: number,
  k: number,
  table: Uint8Array,
  from: number,
  to: number,
): Uint8Array {
  const count = to - from;
  const entries = stride / P;
  const at = (row: number): number => {
    const c = Number(index.data[from + row]);
    invariant(c < entries, 'selection index out of range');
    return row * stride + c * P;
  };
  const out = new Uint8Array(wireLength(k, count * P));
  if (k === 1) {
    for (let row = 0; row < count; row++) {
      const first = at(row);
      for (let p = 0; p < P; p++) {
        const [source, target] = [first + p, row * P + p];
        out[target >> 3] |= ((table[source >> 3] >> (source & 7)) & 1) << (target & 7);
      }
    }
    return out;
  }
  const width = (k / 8) * P;
  if (width % 4 === 0 && table.byteOffset % 4 === 0) {
    const units = width / 4;
    const from32 = new Uint32Array(table.buffer, table.byteOffset, table.length / 4);
    const to32 = new Uint32Array(out.buffer);
    for (let row = 0; row < count; row++) {
      const source = (at(row) * (k / 8)) / 4;
      for (let u = 0; u < units; u++) to32[row * units + u] = from32[source + u];
    }
    return out;
  }
  for (let row = 0; row < count; row++) {
    const source = at(row) * (k / 8);
    for (let b = 0; b < width; b++) out[row * width + b] = table[source + b];
  }
  return out;
}
