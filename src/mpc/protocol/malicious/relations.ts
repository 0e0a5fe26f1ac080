/** The relations of complete sharing's messages (PROTOCOL §14.9), by the shapes of the proof engine. */
import { leadingWords } from '../../../compute/kernels/cosine-sum.ts';
import type { ProductShape } from '../../../compute/kernels/types.ts';
import type { TableLayout } from '../../../compute/kernels/table-layout.ts';
import { toHex } from '../../../core/bytes.ts';
import type { PartyId } from '../../../net/wire/types.ts';
import type { ChoiceShape, MatrixTerm, PublicFunction } from '../../proof/relations.ts';
import type { Wire } from '../../share/wire.ts';
import type { Selection } from '../frame/dealing.ts';
import type { Proved, TableRelation } from '../frame/gate.ts';
import { traitHash } from '../frame/traits.ts';

/** Σ ±L·R + a + b ≡ 0 in the rows and columns of a result; `batch` of them where it is batched. */
export function matrixRelation(
  prover: PartyId,
  message: string,
  out: Pick<Wire, 'shape' | 'k' | 'count'>,
  terms: readonly MatrixTerm[],
): Proved {
  const columns = out.shape[out.shape.length - 1];
  return { prover, shapes: [{ kind: 'matrix', message, k: out.k, rows: out.count / columns, columns, terms }] };
}

/** Σ of `words` elementwise products: of rows, more than a table has that travels. */
export function elementwise(prover: PartyId, message: string, { k, count }: Wire, words: number): Proved {
  const layout: TableLayout = { n: 1, k, widths: new Array<number>(words).fill(k) };
  return { prover, shapes: [{ kind: 'choice', message, elements: count, layout }] };
}

/**
 * Words of a factor behind a word of the result, where that is a sum of elementwise products: one where the whole
 * product is elementwise, a row where rows are multiplied by rows. All of them are one relation then.
 */
export function wordsOfRow(shape: ProductShape | undefined): number | undefined {
  if (shape === undefined) return 1;
  return shape.m === 1 && shape.n === 1 ? shape.inner : undefined;
}

/** The messages of a selection: P1's tables one by one, P0's word and P2's answer for the sum. */
export function selectionRelations(gate: string, terms: readonly Selection[], secret: boolean): readonly Proved[] {
  const choices = (message: string): readonly ChoiceShape[] =>
    terms.map(({ n, k, widths, count }, t) => {
      const shape: ChoiceShape = { kind: 'choice', message, elements: count, layout: { n, k, widths } };
      return t === 0 ? shape : { ...shape, joined: true };
    });
  return [
    ...terms.map((term): Proved => ({ prover: 1, shapes: [tableRelation(`${gate}.table`, term)] })),
    { prover: 2, shapes: choices(`${gate}.m`) },
    ...(secret ? [{ prover: 0 as const, shapes: choices(`${gate}.word`) }] : []),
  ];
}

function tableRelation(message: string, selection: Selection): TableRelation {
  const { k, count, index, traits, functions = [0], n } = selection;
  const { layout, narrower, ofEach } = publicForm(selection);
  const name = [layout.n, layout.widths, { ...index }, traits];
  const id = toHex(traitHash(name));
  return {
    kind: 'table',
    message,
    elements: (count * n) / layout.n,
    table: { id, group: index, layout, functions: ofEach },
    narrower,
    terms: functions,
    factorBits: selection.functions === undefined ? 0 : k,
  };
}

/**
 * The table of a selection over the integers. Where all entries are one function, each is an element of its own: X
 * keeps them apart. Where words are the same integers in every ring, they are those of Z_2^64. So the windows of a law
 * in all rings are one table, which is folded once.
 */
function publicForm({ n, k, widths, form }: Selection): {
  readonly layout: TableLayout;
  readonly narrower: number;
  readonly ofEach: readonly PublicFunction[];
} {
  const own: TableLayout = { n, k, widths };
  if (form === undefined) return { layout: own, narrower: 0, ofEach: [{ first: 0, layout: own }] };
  if (form.kind === 'cosines') {
    const leading = leadingWords(form.sum);
    const ofEach = form.functions.map((kind): PublicFunction => {
      const [from, to] = kind === 'angle' ? [leading, widths.length] : [0, kind === 'argument' ? 1 : leading];
      const part = { first: from, layout: { n: 1, k, widths: widths.slice(from, to) } };
      return kind === 'angle' ? part : { ...part, constant: true };
    });
    return { layout: { ...own, n: 1 }, narrower: 0, ofEach };
  }
  const turning = form.kind === 'turning';
  const layout: TableLayout = { n: turning ? 1 : n, k: 64, widths: widths.map(() => 64) };
  const narrower = 64 - widths[0];
  if (turning) return { layout, narrower, ofEach: [{ first: 0, layout }] };
  // Of every value where it is picked, and which one is: ones and zeros.
  return { layout, narrower, ofEach: widths.map(() => ({ first: 0, layout, wordBits: 1 })) };
}
