/**
 * Matrices in the order in which a backend multiplies by them: blocks of rows; in a block, panels of columns; in a
 * panel two layers, W = W0 + 2^16 · W1 with signed 16-bit entries. A layer has its rows in pairs, so that an element
 * holds the entries of two rows in one column, the first of them in its low half. Who keeps a matrix so saves the
 * backend all work on it but a copy, and most second layers are zero.
 */
export interface PanelOrder {
  /** Rows of a block, an even number; the last block may have fewer. */
  readonly rows: number;
  /** Columns of a panel. The last one is filled up with zeros. */
  readonly columns: number;
}

/** Elements of a layer of one panel: of a whole block, or of the last one, whose odd row has a pair of zeros. */
export function layerLength({ rows: most, columns }: PanelOrder, rows: number): number {
  return Math.ceil(Math.min(most, rows) / 2) * columns;
}

/** Elements of a matrix in this order, with the zeros. */
export function panelLength({ columns }: PanelOrder, rows: number, cols: number): number {
  return 2 * Math.ceil(rows / 2) * Math.ceil(cols / columns) * columns;
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
