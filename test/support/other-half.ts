/** Two true statements that V has the same half of: what is different is a secret from V. */
import { difference, groupSize } from '../../src/compute/index-group.ts';
import { type Words, wordAt, wordsFrom } from '../../src/compute/ring.ts';
import type { ChoiceOfV, ChoiceOfW, MatrixHalf, TableHalf } from '../../src/mpc/proof/relations.ts';
import { type Source, type Statement, packTables, tableWord } from './proofs.ts';

const listed = (words: unknown): bigint[] =>
  Array.from({ length: (words as Words).data.length }, (_, i) => wordAt(words as Words, i));

/** The same shape and half of V, with other secrets of W. Of tables without factors, and choices with a basis. */
export async function otherHalf({ shape, whole }: Statement, source: Source): Promise<Statement> {
  if (shape.kind === 'matrix') {
    const [v, w] = [whole.v as MatrixHalf, whole.w as MatrixHalf];
    const fresh = shape.terms.map(({ inner, left }) => {
      const length = inner * (left === 'V' ? shape.columns : shape.rows);
      return Array.from({ length }, () => source.word(shape.k));
    });
    const linear = listed(v.linear).map((word, place) => {
      const [i, g] = [Math.floor(place / shape.columns), place % shape.columns];
      let rest = -word;
      for (const [t, { left, negative, inner }] of shape.terms.entries()) {
        const own = listed(v.factors[t]);
        const [l, r] = left === 'V' ? [own, fresh[t]] : [fresh[t], own];
        for (let j = 0; j < inner; j++) {
          const product = l[i * inner + j] * r[j * shape.columns + g];
          rest += negative ? product : -product;
        }
      }
      return rest;
    });
    const factors = fresh.map((words) => wordsFrom(words, shape.k));
    return { shape, whole: { v, w: { ...w, linear: wordsFrom(linear, shape.k), factors } } };
  }
  if (shape.kind === 'table') {
    const [v, w] = [whole.v as TableHalf, whole.w as TableHalf];
    const { group, layout } = shape.table;
    const columns = layout.n * layout.widths.length;
    const nu = Array.from({ length: shape.elements }, () => source.below(groupSize(group)));
    const at = Uint32Array.from(nu, (other, i) => difference(group, Number(listed(v.index)[i]), other));
    const looked = await shape.table.words(0, at);
    const sent = (v.entries as { readonly bytes: Uint8Array }).bytes;
    const pads = Array.from({ length: shape.elements * columns }, (_, place) => {
      const [i, c] = [Math.floor(place / columns), place % columns];
      return tableWord(layout, sent, i, c) - tableWord(layout, looked, i, c);
    });
    const entries = { kind: 'packed', bytes: packTables(layout, shape.elements, pads) } as const;
    return { shape, whole: { v, w: { ...w, entries, index: wordsFrom(nu, group.bits + group.xorBits) } } };
  }
  const [v, w] = [whole.v as ChoiceOfV, whole.w as ChoiceOfW];
  const { n, k, widths } = shape.layout;
  const choice = Array.from({ length: shape.elements }, () => source.below(n));
  const basis = choice.flatMap(() => widths.map((width) => source.word(width) << BigInt(k - width)));
  const bytes = (v.entries as { readonly bytes: Uint8Array }).bytes;
  const linear = listed(v.linear).map((word, i) =>
    widths.reduce(
      (rest, _, p) =>
        rest - tableWord(shape.layout, bytes, i, choice[i] * widths.length + p) * basis[i * widths.length + p],
      -word,
    ),
  );
  return {
    shape,
    whole: {
      v,
      w: { ...w, choice: wordsFrom(choice, 32), basis: wordsFrom(basis, k), linear: wordsFrom(linear, k) },
    },
  };
}
