/** Puts a matrix into the order of panels (`panels.ts`). A page has no matrices, and loads none of this. */
import { TercetError, invariant } from '../../core/errors.ts';
import { type PanelOrder, layerLength, panelLength } from './panels.ts';

/** The largest entry that two layers hold. */
export const LARGEST_ENTRY = 2 ** 31 - 2 ** 15 - 1;

/** Whether two layers hold every entry. */
export function fitsPanels(entries: Int32Array): boolean {
  return entries.every((entry) => entry <= LARGEST_ENTRY);
}

/** What is left of an entry, without its second layer, as 16 signed bits. */
const low = (entry: number): number => (entry << 16) >> 16;
const pair = (first: number, second: number): number => (first & 0xffff) | (second << 16);

/**
 * A row-major matrix in this order. A pass over memory: half a second for 100 million
 * entries.
 * @throws {TercetError} ERR_RANGE for an entry above `LARGEST_ENTRY`
 */
export function panelsOf(order: PanelOrder, entries: Int32Array, rows: number, cols: number): Int32Array {
  invariant(entries.length === rows * cols, 'matrix entries do not match rows × cols');
  if (!fitsPanels(entries))
    throw new TercetError(
      'ERR_RANGE',
      'a weight does not fit two layers of 16 bits',
      'the checkpoint has weights far beyond any trained model; check the file',
    );
  const out = new Int32Array(panelLength(order, rows, cols));
  let at = 0;
  for (let first = 0; first < rows; first += order.rows) {
    const end = Math.min(rows, first + order.rows);
    const layer = layerLength(order, rows - first);
    for (let column = 0; column < cols; column += order.columns, at += layer) {
      const live = Math.min(order.columns, cols - column);
      for (let r = first; r < end; r += 2, at += order.columns) {
        for (let c = 0; c < live; c++) {
          const a = entries[r * cols + column + c];
          const b = r + 1 < end ? entries[(r + 1) * cols + column + c] : 0;
          out[at + c] = pair(a, b);
          out[at + layer + c] = pair((a - low(a)) >> 16, (b - low(b)) >> 16);
        }
      }
    }
  }
  return out;
}
