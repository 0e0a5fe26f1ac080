/**
 * Matrices in the order in which a backend multiplies by them: blocks of rows; in a block, panels of columns; in a
 * panel two layers, W = W0 + 2^16 · W1 with signed 16-bit entries. A layer has its rows in pairs, so that an element
 * holds the entries of two rows in one column, the first of them in its low half. Who keeps a matrix so saves the
 * backend all work on it but a copy, and most second layers are zero.
 */
import { TercetError, invariant } from '../../core/errors.ts';

export interface PanelOrder {
  /** Rows of a block, an even number; the last block may have fewer. */
  readonly rows: number;
  /** Columns of a panel. The last one is filled up with zeros. */
  readonly columns: number;
}

/** The largest entry that two layers hold. */
export const LARGEST_ENTRY = 2 ** 31 - 2 ** 15 - 1;

/** Elements of a layer of one panel: of a whole block, or of the last one, whose odd row has a pair of zeros. */
export function layerLength({ rows: most, columns }: PanelOrder, rows: number): number {
  return Math.ceil(Math.min(most, rows) / 2) * columns;
}

/** Elements of a matrix in this order, with the zeros. */
export function panelLength({ columns }: PanelOrder, rows: number, cols: number): number {
  return 2 * Math.ceil(rows / 2) * Math.ceil(cols / columns) * columns;
}

/** What is left of an entry, without its second layer, as 16 signed bits. */
const low = (entry: number): number => (entry << 16) >> 16;
const pair = (first: number, second: number): number => (first & 0xffff) | (second << 16);

/**
 * The columns [from, to) of a row-major matrix in this order. A pass over memory: half a second for 100 million
 * entries.
 * @throws {TercetError} ERR_RANGE for an entry above `LARGEST_ENTRY`
 */
export function panelsOf(
  order: PanelOrder,
  entries: Int32Array,
  rows: number,
  cols: number,
  [from, to]: readonly [number, number] = [0, cols],
): Int32Array {
  invariant(entries.length === rows * cols, 'matrix entries do not match rows × cols');
  const out = new Int32Array(panelLength(order, rows, to - from));
  let largest = 0;
  let at = 0;
  for (let first = 0; first < rows; first += order.rows) {
    const end = Math.min(rows, first + order.rows);
    const layer = layerLength(order, rows - first);
    for (let column = from; column < to; column += order.columns, at += layer) {
      const live = Math.min(order.columns, to - column);
      for (let r = first; r < end; r += 2, at += order.columns) {
        for (let c = 0; c < live; c++) {
          const a = entries[r * cols + column + c];
          const b = r + 1 < end ? entries[(r + 1) * cols + column + c] : 0;
          largest = Math.max(largest, a, b);
          out[at + c] = pair(a, b);
          out[at + layer + c] = pair((a - low(a)) >> 16, (b - low(b)) >> 16);
        }
      }
    }
  }
  if (largest > LARGEST_ENTRY)
    throw new TercetError(
      'ERR_RANGE',
      'a weight does not fit two layers of 16 bits',
      'the checkpoint has weights far beyond any trained model; check the file',
    );
  return out;
}

/** Where the panels of columns [from, to) lie: one range of elements for each block of rows. `from` begins a panel. */
export function* panelRanges(
  order: PanelOrder,
  rows: number,
  cols: number,
  [from, to]: readonly [number, number],
): Generator<readonly [number, number]> {
  const width = panelLength(order, 2, cols) / 2;
  for (let first = 0; first < rows; first += order.rows) {
    const block = 2 * Math.ceil(Math.min(order.rows, rows - first) / 2);
    const start = first * width + from * block;
    yield [start, start + panelLength(order, block, to - from)];
  }
}
