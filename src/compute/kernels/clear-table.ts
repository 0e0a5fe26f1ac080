/** Tables without pads, where a kernel can only make padded ones: a stream that everybody knows is taken off again. */
import { bytesOf } from '../ring.ts';
import { readBits, writeBits } from './reference/bits.ts';
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
  const pads = bytesOf(await kernels.read(await kernels.draw(KNOWN, 32, Math.ceil(length / 4)))).subarray(0, length);
  const out = new Uint8Array(length);
  let at = 0;
  for (let entry = 0; entry < elements * layout.n; entry++)
    for (const width of layout.widths) {
      writeBits(out, at, width, readBits(padded, at, width) - readBits(pads, at, width));
      at += width;
    }
  return out;
}
