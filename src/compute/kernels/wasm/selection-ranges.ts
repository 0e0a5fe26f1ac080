/** Selection, its bases and corrections, by ranges of elements (`selection.ts` has what one instance computes). */
import { invariant } from '../../../core/errors.ts';
import type { ExpWidth } from '../../exp-tables.ts';
import { type Words, checkRing, viewWords } from '../../ring.ts';
import { cosineExponents } from '../cosine-sum.ts';
import { checkChoice, checkTable } from '../selection-shape.ts';
import { type TableLayout, tableBytes } from '../table-layout.ts';
import type { Choice, CosineSum, Degree, SelectionTable, Stream } from '../types.ts';
import { type Dispatch, INLINE_WORDS } from './dispatch.ts';
import { sliceTable } from './selection.ts';
import { detached, ranges } from './workers.ts';

/**
 * Bytes of a table in one task: long tables are cut so that other calls get their turn, and short ones are not cut
 * at all.
 */
const TABLE_TASK = 1 << 20;

/** What of a layout goes to workers: a caller's own may be more than one. */
function bare({ n, k, widths }: TableLayout): TableLayout {
  return { n, k, widths };
}

/** The choice of elements [from, to). Views, no copies. */
function sliceChoice({ index, basis }: Choice<Words>, P: number, from: number, to: number): Choice<Words> {
  return {
    index: viewWords(index, from, to),
    basis: basis === undefined ? undefined : viewWords(basis, from * P, to * P),
  };
}

export async function selectionTable(
  on: Dispatch,
  table: SelectionTable<Words>,
  layout: TableLayout,
  pads: Stream | undefined,
  from: number,
  to: number,
): Promise<Uint8Array> {
  checkTable(table, layout);
  if (on.threads === 0)
    return on.here((instance) => instance.selectionTable(sliceTable(table, from, to), layout, pads, from, to - from));
  const bytes = tableBytes(layout, to - from);
  // Eight elements are whole bytes.
  const cuts = ranges(to - from, Math.max(1, Math.ceil(bytes / TABLE_TASK)), 8);
  let out: Uint8Array | undefined;
  await on.submit((add) => {
    for (const [start, end] of cuts) {
      const [first, last] = [from + start, from + end];
      add(
        'selectionTable',
        () => detached([sliceTable(table, first, last), bare(layout), pads, first, last - first]),
        (value) => {
          if (cuts.length === 1) {
            out = value as Uint8Array;
            return;
          }
          out ??= new Uint8Array(bytes);
          out.set(value as Uint8Array, tableBytes(layout, start));
        },
      );
    }
  });
  invariant(out !== undefined, 'a call without a result');
  return out;
}

export async function dealSelection(
  on: Dispatch,
  choice: Choice<Words>,
  layout: TableLayout,
  pads: Stream,
  r0: Words,
): Promise<Words> {
  checkChoice(choice, layout, r0);
  const count = choice.index.data.length;
  const P = layout.widths.length;
  // About a block of key stream per element.
  return on.ranged('dealSelection', layout.k, count, 1, on.staysHere(16 * count), (from, to) => [
    sliceChoice(choice, P, from, to),
    bare(layout),
    pads,
    viewWords(r0, from, to),
    from,
  ]);
}

export async function evaluateSelection(
  on: Dispatch,
  choice: Choice<Words>,
  layout: TableLayout,
  table: Uint8Array,
  word: Words,
  from: number,
  to: number,
): Promise<Words> {
  checkChoice(choice, layout, word);
  invariant(table.length === tableBytes(layout, to - from), 'evaluateSelection: table bytes do not match the range');
  const P = layout.widths.length;
  // Eight elements are whole bytes.
  const cut = (start: number, end: number) => table.subarray(tableBytes(layout, start), tableBytes(layout, end));
  return on.ranged(
    'evaluateSelection',
    layout.k,
    to - from,
    1,
    to - from <= INLINE_WORDS,
    (start, end) => [
      sliceChoice(choice, P, from + start, from + end),
      bare(layout),
      cut(start, end),
      viewWords(word, from + start, from + end),
    ],
    8,
  );
}

export async function powers(on: Dispatch, l: Words, t: number, s2: number, degree: Degree, k: number): Promise<Words> {
  checkRing(k);
  const count = l.data.length;
  const P = degree + 1;
  return on.ranged('powers', k, count, P, on.staysHere(P * count), (from, to) => [
    viewWords(l, from, to),
    t,
    s2,
    degree,
    k,
  ]);
}

export async function expBasis(on: Dispatch, l: Words, s2: number, width: ExpWidth, k: number): Promise<Words> {
  checkRing(k);
  const count = l.data.length;
  return on.ranged('expBasis', k, count, 1, on.staysHere(count), (from, to) => [viewWords(l, from, to), s2, width, k]);
}

export async function cosineBasis(on: Dispatch, l: Words, sum: CosineSum, k: number): Promise<Words> {
  checkRing(k);
  const count = l.data.length;
  const P = cosineExponents(sum).length;
  return on.ranged('cosineBasis', k, count, P, on.staysHere(P * count), (from, to) => [viewWords(l, from, to), sum, k]);
}
