/**
 * Matrices in the order in which a backend multiplies by them: blocks of rows; in a block, panels of columns; in a
 * panel two layers, W = W0 + 2^16 · W1 with signed 16-bit entries. A layer has its rows in pairs, so that an element
 * holds the entries of two rows in one column, the first of them in its low half. Who keeps a matrix so saves the
 * backend all work on it but a copy.
 *
 * In memory: a place for every panel of every block; then all first layers; then those second layers that are not
 * zero, which are few. The place says at which element the second layer begins, 0 where it is zero.
 */
export interface PanelOrder {
  /** Rows of a block, an even number; the last block may have fewer. */
  readonly rows: number;
  /** Columns of a panel. The last one is filled up with zeros. */
  readonly columns: number;
}

/** The panels of some columns in one block of rows: neighbours, as their first layers are. */
export interface PanelBlock {
  /** Of the first one: the element of its place, and where its first layer begins. */
  readonly place: number;
  readonly low: number;
  readonly count: number;
  /** Elements of a layer. An odd last row has a pair of zeros. */
  readonly layer: number;
}

/** The panels of columns [from, to), block by block. `from` begins a panel. */
export function* panelBlocks(
  { rows: most, columns }: PanelOrder,
  rows: number,
  cols: number,
  [from, to]: readonly [number, number] = [0, cols],
): Generator<PanelBlock> {
  const width = Math.ceil(cols / columns);
  const [skipped, count] = [from / columns, Math.ceil((to - from) / columns)];
  let [place, low] = [0, Math.ceil(rows / most) * width];
  for (let first = 0; first < rows; first += most) {
    const layer = Math.ceil(Math.min(most, rows - first) / 2) * columns;
    yield { place: place + skipped, low: low + skipped * layer, count, layer };
    place += width;
    low += width * layer;
  }
}

/** Elements of a matrix in this order: with no second layer, the least there can be, or with all of them. */
export function panelLength(order: PanelOrder, rows: number, cols: number, layers: 1 | 2 = 1): number {
  let length = 0;
  for (const { count, layer } of panelBlocks(order, rows, cols)) length += count * (1 + layers * layer);
  return length;
}

/** Whether these are a matrix of this shape in this order, whole and nothing more. */
export function arePanels(order: PanelOrder, panels: Int32Array, rows: number, cols: number): boolean {
  let end = panelLength(order, rows, cols);
  if (panels.length < end) return false;
  for (const { place, count, layer } of panelBlocks(order, rows, cols)) {
    for (let p = place; p < place + count; p++) {
      if (panels[p] === 0) continue;
      if (panels[p] !== end) return false;
      end += layer;
    }
  }
  return panels.length === end;
}
