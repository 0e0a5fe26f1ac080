/** Halves of relations as the parties of a run have them, and a slow check of a relation over the integers. */
import { type Words, wordAt, ringMask } from '../../src/compute/ring.ts';
import { difference } from '../../src/compute/index-group.ts';
import type { Signed } from '../../src/compute/kernels/proof-types.ts';
import type { TableLayout } from '../../src/compute/kernels/table-layout.ts';
import {
  type ChoiceOfV,
  type ChoiceOfW,
  type Diagonal,
  type Entries,
  type HalfOfV,
  type HalfOfW,
  type MatrixHalf,
  type Operand,
  type RelationShape,
  type TableHalf,
  sentLayout,
  wordsOf,
} from '../../src/mpc/proof/relations.ts';
import { tableWord } from './proofs.ts';

/** A relation with every word in memory: entries too. */
export interface Statement {
  readonly shape: RelationShape;
  readonly v: HalfOfV;
  readonly w: HalfOfW;
}

/** Word p of entry j of element i. */
function entry(entries: Entries, layout: TableLayout, i: number, j: number, p: number): bigint {
  if (entries.kind === 'columns') {
    const { columns, each = 1 } = entries;
    return wordAt(columns[Math.floor(p / each)] as Words, i * each + (p % each));
  }
  if (entries.kind !== 'packed') throw new Error('entries that were not loaded');
  return tableWord(layout, entries.bytes, i, j * layout.widths.length + p);
}

const at = (words: Operand | undefined, i: number, missing: bigint): bigint =>
  words === undefined ? missing : wordAt(words as Words, i);

/** A diagonal with its zeros. */
export function squareOf({ diagonal: { k, data } }: Diagonal): Words {
  const n = data.length;
  const square = new BigUint64Array(n * n);
  for (let i = 0; i < n; i++) square[i * n + i] = BigInt(data[i]);
  return { k, data: square };
}

/** Factors as words, wherever they are held; undefined where a half has none. */
export const factorsOf = ({ factors }: MatrixHalf): Promise<Words[]> =>
  Promise.all(
    factors.map(async (factor) => {
      const words = (typeof factor === 'function' ? await factor() : factor) as Words | Signed | Diagonal | undefined;
      if (words !== undefined && 'diagonal' in words) return squareOf(words);
      if (words === undefined || !('signed' in words)) return words as Words;
      return { k: words.k, data: BigUint64Array.from(words.signed, (x) => BigInt.asUintN(64, BigInt(x))) };
    }),
  );

/** What the words of one relation, or of one sum of it, add up to. Zero everywhere for a true one. */
async function sums({ shape, v, w }: Statement): Promise<bigint[]> {
  if (shape.kind === 'matrix') {
    const [a, b] = [v as MatrixHalf, w as MatrixHalf];
    const { rows, columns, terms, k } = shape;
    const [ofA, ofB] = [await factorsOf(a), await factorsOf(b)];
    return Array.from({ length: rows * columns }, (_, place) => {
      const [i, g] = [Math.floor(place / columns), place % columns];
      let sum = at(a.linear, place, 0n) + at(b.linear, place, 0n);
      for (const [t, { left, inner, negative }] of terms.entries()) {
        const [l, r] = left === 'V' ? [ofA[t], ofB[t]] : [ofB[t], ofA[t]];
        for (let j = 0; j < inner; j++) {
          const product = wordAt(l, i * inner + j) * wordAt(r, j * columns + g);
          sum += negative ? -product : product;
        }
      }
      return sum & ringMask(k);
    });
  }
  if (shape.kind === 'choice') {
    const [a, b] = [v as ChoiceOfV, w as ChoiceOfW];
    const { elements, layout } = shape;
    const P = layout.widths.length;
    return Array.from({ length: elements }, (_, i) => {
      let sum = at(a.linear, i, 0n) + at(b.linear, i, 0n);
      for (let p = 0; p < P; p++)
        sum += entry(a.entries, layout, i, Number(at(b.choice, i, 0n)), p) * at(b.basis, i * P + p, 1n);
      return sum & ringMask(layout.k);
    });
  }
  const [a, b] = [v as TableHalf, w as TableHalf];
  const { group } = shape.table;
  const layout = sentLayout(shape);
  const P = layout.widths.length;
  const out: bigint[] = [];
  for (let i = 0; i < shape.elements; i++) {
    const d = difference(group, Number(at(a.index, i, 0n)), Number(at(b.index, i, 0n)));
    const words = await Promise.all(shape.terms.map((f) => shape.table.words(f, Uint32Array.of(d))));
    const places = shape.terms.map((f) => shape.table.functions[f]);
    for (let c = 0; c < layout.n * P; c++) {
      let sum =
        entry(b.entries, layout, i, Math.floor(c / P), c % P) - entry(a.entries, layout, i, Math.floor(c / P), c % P);
      for (const [t, bytes] of words.entries()) {
        const own = c - places[t].first;
        if (own < 0 || own >= wordsOf(places[t])) continue;
        sum += at(a.factors[t], i, 1n) * at(b.factors[t], i, 1n) * tableWord(places[t].layout, bytes, 0, own);
      }
      out.push(sum & ringMask(layout.widths[c % P]));
    }
  }
  return out;
}

/** Whether statements hold: those of one relation, joined sums behind the first, add up to zero. */
export async function untrue(statements: readonly Statement[]): Promise<string[]> {
  const wrong: string[] = [];
  for (let i = 0; i < statements.length; ) {
    const total = await sums(statements[i]);
    const { shape } = statements[i];
    for (i++; i < statements.length && (statements[i].shape as { joined?: true }).joined === true; i++)
      for (const [at, word] of (await sums(statements[i])).entries()) total[at] += word;
    const k = shape.kind === 'choice' ? shape.layout.k : 64;
    if (total.some((word) => (word & ringMask(k)) !== 0n)) wrong.push(shape.message);
  }
  return wrong;
}
