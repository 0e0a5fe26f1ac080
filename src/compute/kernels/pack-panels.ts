/** Puts a matrix into the order of panels (`panels.ts`). A page has no matrices, and loads none of this. */
import { TercetError, invariant } from '../../core/errors.ts';
import type { Words } from '../ring.ts';
import { addWords } from '../words64.ts';
import { type PanelOrder, panelBlocks, panelLength } from './panels.ts';
import type { Matrix } from './types.ts';
import type { Dispatch } from './wasm/dispatch.ts';
import type { Result } from './wasm/messages.ts';
import { detached } from './wasm/workers.ts';

/** The largest entry that two layers hold. */
export const LARGEST_ENTRY = 2 ** 31 - 2 ** 15 - 1;

/** Whether two layers hold every entry. A loop: `every` calls a function for each of 100 million. */
export function fitsPanels(entries: Int32Array): boolean {
  for (let i = 0; i < entries.length; i++) if (entries[i] > LARGEST_ENTRY) return false;
  return true;
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
  // A second layer is written behind all that is kept, and stays if it is not zero.
  const out = new Int32Array(panelLength(order, rows, cols, 2));
  let end = panelLength(order, rows, cols);
  let first = 0;
  for (const block of panelBlocks(order, rows, cols)) {
    const last = Math.min(rows, first + order.rows);
    for (let p = 0; p < block.count; p++) {
      const column = p * order.columns;
      const live = Math.min(order.columns, cols - column);
      let [at, high, some] = [block.low + p * block.layer, end, 0];
      for (let r = first; r < last; r += 2, at += order.columns, high += order.columns) {
        for (let c = 0; c < live; c++) {
          const a = entries[r * cols + column + c];
          const b = r + 1 < last ? entries[(r + 1) * cols + column + c] : 0;
          out[at + c] = pair(a, b);
          const second = pair((a - low(a)) >> 16, (b - low(b)) >> 16);
          out[high + c] = second;
          some |= second;
        }
      }
      if (some === 0) continue;
      out[block.place + p] = end;
      end += block.layer;
    }
    first = last;
  }
  return out.subarray(0, end);
}

/** The same of columns [from, to) alone. `from` begins a panel. */
export function columnsOf(
  order: PanelOrder,
  panels: Int32Array,
  rows: number,
  cols: number,
  [from, to]: readonly [number, number],
): Int32Array {
  const parts = [...panelBlocks(order, rows, cols, [from, to])];
  const places = parts.map(({ place, count }) => panels.subarray(place, place + count));
  let length = panelLength(order, rows, to - from);
  for (const [b, { layer }] of parts.entries()) length += layer * places[b].filter((place) => place !== 0).length;
  const out = new Int32Array(length);
  let end = panelLength(order, rows, to - from);
  let b = 0;
  for (const { place, low, count, layer } of panelBlocks(order, rows, to - from)) {
    out.set(panels.subarray(parts[b].low, parts[b].low + count * layer), low);
    for (const [p, from] of places[b++].entries()) {
      if (from === 0) continue;
      out.set(panels.subarray(from, from + layer), end);
      out[place + p] = end;
      end += layer;
    }
  }
  return out;
}

/** Columns [from, to) of a matrix, and the worker that holds them; undefined: the calling thread. */
interface Slice {
  readonly worker: number | undefined;
  readonly from: number;
  readonly to: number;
}

/** The entries of a matrix that instances hold by columns; undefined where they hold other words than panels. */
export async function entriesOf(
  on: Dispatch,
  order: PanelOrder,
  { rows, cols, id, slices }: Matrix & { readonly id: number; readonly slices: readonly Slice[] },
): Promise<Int32Array | undefined> {
  const out = new Int32Array(rows * cols);
  let all = true;
  const store = ({ from, to }: Slice) => {
    return (value: Result) => {
      if (value === undefined) all = false;
      else unpackPanels(order, (value as Words).data as Uint32Array, rows, to - from, out, cols, from);
    };
  };
  if (slices[0].worker === undefined) store(slices[0])(on.here((instance) => instance.heldPanels(id)));
  else
    await on.submit((add) => {
      for (const slice of slices) add('heldPanels', () => [id], store(slice), slice.worker);
    });
  return all ? out : undefined;
}

/** M·V of a matrix that instances hold by columns, each its part of the sums; undefined where these are other words. */
export async function columnsTimes(
  on: Dispatch,
  { rows, cols, id, slices }: Matrix & { readonly id: number; readonly slices: readonly Slice[] },
  v: BigUint64Array,
  sigma: number,
): Promise<Words | undefined> {
  invariant(v.length === cols && sigma >= 1 && sigma <= 64, 'columns: a challenge for every column expected');
  const out = new BigUint64Array(rows * sigma);
  let all = true;
  const add = (value: Result) => {
    if (value === undefined) all = false;
    else addWords(out, (value as Words).data as BigUint64Array);
  };
  if (slices[0].worker === undefined) add(on.here((instance) => instance.columns(id, v, sigma)));
  else
    await on.submit((task) => {
      for (const { worker, from, to } of slices)
        task('columns', () => detached([id, v.subarray(from, to), sigma]), add, worker);
    });
  return all ? { k: 64, data: out } : undefined;
}

/** Bits of a place that are no address: an address is a multiple of four. */
const FLAGS = 3;

/**
 * Writes the entries of panels, as an instance holds them, into columns [from, from + cols) of a row-major matrix.
 * First layers come first, then second ones, then a place for every panel. It is more than its flags where there is a
 * second layer.
 */
function unpackPanels(
  order: PanelOrder,
  held: Uint32Array,
  rows: number,
  cols: number,
  out: Int32Array,
  width: number,
  from: number,
): void {
  const blocks = [...panelBlocks(order, rows, cols)];
  const places = held.subarray(held.length - blocks.reduce((sum, { count }) => sum + count, 0));
  let high = blocks.reduce((sum, { count, layer }) => sum + count * layer, 0);
  let [at, place, first] = [0, 0, 0];
  for (const { count, layer } of blocks) {
    const last = Math.min(rows, first + order.rows);
    for (let p = 0; p < count; p++, at += layer) {
      const column = p * order.columns;
      const live = Math.min(order.columns, cols - column);
      const second = places[place++] > FLAGS;
      for (let r = first; r < last; r += 2) {
        const pairs = ((r - first) / 2) * order.columns;
        const to = r * width + from + column;
        const below = r + 1 < last ? to + width : -1;
        for (let c = 0; c < live; c++) {
          const word = held[at + pairs + c];
          out[to + c] = low(word);
          if (below >= 0) out[below + c] = word >> 16;
        }
        // Few panels have a second layer.
        for (let c = 0; second && c < live; c++) {
          const more = held[high + pairs + c];
          out[to + c] += low(more) << 16;
          if (below >= 0) out[below + c] += (more >> 16) << 16;
        }
      }
      if (second) high += layer;
    }
    first = last;
  }
}
