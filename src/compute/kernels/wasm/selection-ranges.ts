/** Selection, its bases and corrections, by ranges of elements (`selection.ts` has what one instance computes). */
import { invariant } from '../../../core/errors.ts';
import type { ExpWidth } from '../../exp-tables.ts';
import { type Words, checkRing, viewWords } from '../../ring.ts';
import { basisWords } from '../cosine-sum.ts';
import { checkChoice, checkTable } from '../selection-shape.ts';
import { type TableLayout, elementBits, tableBytes } from '../table-layout.ts';
import type { Choice, CosineSum, Degree, SelectionTable, Stream } from '../types.ts';
import { type Dispatch, INLINE_WORDS } from './dispatch.ts';
import type { OperationArguments } from './messages.ts';
import { sliceTable } from './selection.ts';
import { detached, ranges } from './workers.ts';

/**
 * Bytes of a table in one task: long tables are cut so that other calls get their turn, and short ones are not cut
 * at all.
 */
const TABLE_TASK = 1 << 20;
/** Bytes of a table that stays in the calling thread: a message to a worker and back costs more than to make it. */
const INLINE_TABLE = 1 << 15;
/** Bits of key stream from which on corrections are worth a message to a worker, also where there is one worker. */
const TOGETHER_BITS = 1 << 23;
/** Bits that are made for an element at most: those of the chosen entry, in whole blocks. */
const CHOSEN_BITS = 1 << 10;
/** Bytes of a public table that is worth a place in shared memory. */
const SHARED_TABLE = 1 << 12;

/** What of a layout goes to workers: a caller's own may be more than one. */
function bare({ n, k, widths }: TableLayout): TableLayout {
  return { n, k, widths };
}

/** The choice of elements [from, to). Views, no copies. */
function sliceChoice({ index, basis, cosines }: Choice<Words>, P: number, from: number, to: number): Choice<Words> {
  return {
    index: viewWords(index, from, to),
    basis: basis === undefined ? undefined : viewWords(basis, from * P, to * P),
    cosines: cosines && { l: viewWords(cosines.l, from, to), sum: cosines.sum },
  };
}

/** Copies of public tables in shared memory. Tables are constants of the gadgets, so they are few, and stay. */
const SHARED = new WeakMap<object, Words>();

/** The same table, its public part where workers see it: it is not copied for every task then. */
function withShared(on: Dispatch, table: SelectionTable<Words>): SelectionTable<Words> {
  if (table.kind !== 'rows' || on.pool?.shared === undefined || table.table.data.byteLength < SHARED_TABLE)
    return table;
  const { k, data } = table.table;
  let shared = SHARED.get(data);
  if (shared === undefined) {
    const buffer = new SharedArrayBuffer(data.byteLength);
    new Uint8Array(buffer).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    shared = { k, data: k <= 32 ? new Uint32Array(buffer) : new BigUint64Array(buffer) };
    SHARED.set(data, shared);
  }
  return { ...table, table: shared };
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
  const bytes = tableBytes(layout, to - from);
  if (on.threads === 0 || bytes <= INLINE_TABLE)
    return on.here((instance) => instance.selectionTable(sliceTable(table, from, to), layout, pads, from, to - from));
  const sent = withShared(on, table);
  // Eight elements are whole bytes.
  const cuts = ranges(to - from, Math.max(1, Math.ceil(bytes / TABLE_TASK)), 8);
  let out: Uint8Array | undefined;
  await on.submit((add) => {
    for (const [start, end] of cuts) {
      const [first, last] = [from + start, from + end];
      add(
        'selectionTable',
        () => detached([sliceTable(sent, first, last), bare(layout), pads, first, last - first]),
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
  const args = (from: number, to: number): OperationArguments<'dealSelection'> => [
    sliceChoice(choice, P, from, to),
    bare(layout),
    pads,
    viewWords(r0, from, to),
    from,
  ];
  if (on.threads > 0 && count * Math.min(elementBits(layout), CHOSEN_BITS) >= TOGETHER_BITS)
    return on.together('dealSelection', layout.k, count, args);
  // About a block of key stream per element.
  return on.ranged('dealSelection', layout.k, count, 1, on.staysHere(16 * count), args);
}

export async function evaluateSelection(
  on: Dispatch,
  choice: Choice<Words>,
  layout: TableLayout,
  table: Uint8Array,
  word: Words,
  [from, to]: readonly [number, number],
  given?: 'given',
): Promise<Words> {
  checkChoice(choice, layout, word);
  invariant(table.length === tableBytes(layout, to - from), 'evaluateSelection: table bytes do not match the range');
  const P = layout.widths.length;
  // Eight elements are whole bytes.
  const cut = (start: number, end: number) =>
    end - start === to - from ? table : table.subarray(tableBytes(layout, start), tableBytes(layout, end));
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
    given && table,
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
  const P = basisWords(sum);
  return on.ranged('cosineBasis', k, count, P, on.staysHere(P * count), (from, to) => [viewWords(l, from, to), sum, k]);
}
