/** True statements of all kinds, and a proof among three parties in memory. */
import { createHash } from 'node:crypto';
import { type IndexGroup, difference, groupSize, indexGroup } from '../../src/compute/index-group.ts';
import type { ProofKernels } from '../../src/compute/kernels/proof-types.ts';
import { readBits, writeBits } from '../../src/compute/kernels/reference/bits.ts';
import { ReferenceProofKernels } from '../../src/compute/kernels/reference/proof.ts';
import {
  type TableLayout,
  elementBits,
  entryBits,
  tableBytes,
  tableLayout,
} from '../../src/compute/kernels/table-layout.ts';
import { wordAt, wordsFrom } from '../../src/compute/ring.ts';
import { Prover } from '../../src/mpc/proof/prover.ts';
import type {
  ChoiceOfV,
  ChoiceOfW,
  MatrixHalf,
  PublicTable,
  RelationShape,
  TableHalf,
  Whole,
} from '../../src/mpc/proof/relations.ts';
import { type ProofPlace, Segment } from '../../src/mpc/proof/segment.ts';
import type { ProofParameters } from '../../src/mpc/proof/soundness.ts';
import { Verifier } from '../../src/mpc/proof/verifier.ts';
import { Witness } from '../../src/mpc/proof/witness.ts';

/** A reproducible source of words. */
export interface Source {
  word(k?: number): bigint;
  below(n: number): number;
}

export interface Statement {
  readonly shape: RelationShape;
  readonly whole: Whole;
}

const bigs = (source: Source, count: number, k: number): bigint[] =>
  Array.from({ length: count }, () => source.word(k));

/** Bytes of tables from their words, element by element. */
export function packTables(layout: TableLayout, elements: number, words: readonly bigint[]): Uint8Array {
  const out = new Uint8Array(tableBytes(layout, elements));
  let at = 0;
  for (const [i, word] of words.entries()) {
    const width = layout.widths[i % layout.widths.length];
    writeBits(out, at, width, word);
    at += width;
  }
  return out;
}

/** Word c = j·P + p of element i. */
export function tableWord(layout: TableLayout, bytes: Uint8Array, i: number, c: number): bigint {
  const P = layout.widths.length;
  const before = layout.widths.slice(0, c % P).reduce((sum, width) => sum + width, 0);
  const at = elementBits(layout) * i + entryBits(layout) * Math.floor(c / P) + before;
  return readBits(bytes, at, layout.widths[c % P]);
}

/** A public table of listed words: functions × indices × n·P. */
function listedTable(group: IndexGroup, layout: TableLayout, words: readonly bigint[][][]): PublicTable {
  const text = JSON.stringify([group, layout, words], (_, value) => (typeof value === 'bigint' ? `${value}` : value));
  return {
    id: createHash('sha256').update(text).digest('hex'),
    group,
    layout,
    functions: words.map(() => ({ first: 0, layout })),
    words: async (term, indices) =>
      packTables(
        layout,
        indices.length,
        Array.from(indices).flatMap((index) => words[term][index]),
      ),
  };
}

export interface MatrixOptions {
  readonly k?: number;
  readonly rows?: number;
  readonly columns?: number;
  readonly inner?: readonly number[];
  /** Whether all terms are negative, and so the claims. */
  readonly negative?: boolean;
}

/** Σ ±L·R + a + b = 0 mod 2^k with random L, R, a. */
export function matrixStatement(source: Source, options: MatrixOptions = {}): Statement {
  const { k = 64, rows = 4, columns = 3, inner = [2], negative = false } = options;
  const terms = inner.map((width, t) => ({
    left: t % 2 === 0 ? ('V' as const) : ('W' as const),
    negative: negative || t % 3 === 1,
    inner: width,
  }));
  const lefts = terms.map((term) => bigs(source, rows * term.inner, k));
  const rights = terms.map((term) => bigs(source, term.inner * columns, k));
  const a = bigs(source, rows * columns, k);
  const b = a.map((word, place) => {
    const [i, g] = [Math.floor(place / columns), place % columns];
    let rest = -word;
    for (const [t, term] of terms.entries())
      for (let j = 0; j < term.inner; j++) {
        const product = lefts[t][i * term.inner + j] * rights[t][j * columns + g];
        rest += term.negative ? product : -product;
      }
    return rest;
  });
  const half = (side: 'V' | 'W', linear: readonly bigint[]): MatrixHalf => ({
    kind: 'matrix',
    linear: wordsFrom(linear, k),
    factors: terms.map((term, t) => wordsFrom(term.left === side ? lefts[t] : rights[t], k)),
  });
  return {
    shape: { kind: 'matrix', message: 'matrix', k, rows, columns, terms },
    whole: { v: half('V', a), w: half('W', b) },
  };
}

export interface TableOptions {
  readonly layout?: TableLayout;
  readonly elements?: number;
  readonly group?: IndexGroup;
  /** Bits of the factors p and q of two terms; none for one term without factors. */
  readonly factors?: number;
}

/** e = Σ p q T[μ ⊖ ν] + w with random everything. */
export function tableStatement(source: Source, options: TableOptions = {}): Statement {
  const { layout = tableLayout(4, 8), elements = 4, group = indexGroup(2, 1), factors = 0 } = options;
  const columns = layout.n * layout.widths.length;
  const width = (c: number) => layout.widths[c % layout.widths.length];
  const functions = factors === 0 ? 1 : 2;
  const words = Array.from({ length: functions }, () =>
    Array.from({ length: groupSize(group) }, () => Array.from({ length: columns }, (_, c) => source.word(width(c)))),
  );
  const terms = factors === 0 ? [0] : [0, 1, 0];
  const [mu, nu] = [0, 1].map(() => Array.from({ length: elements }, () => source.below(groupSize(group))));
  const factor = () => (factors === 0 ? undefined : bigs(source, elements, factors));
  const [p, q] = [terms.map(factor), terms.map(factor)];
  const w = Array.from({ length: elements * columns }, (_, i) => source.word(width(i % columns)));
  const e = w.map((pad, place) => {
    const [i, c] = [Math.floor(place / columns), place % columns];
    const d = difference(group, mu[i], nu[i]);
    return terms.reduce((sum, f, t) => sum + (p[t]?.[i] ?? 1n) * (q[t]?.[i] ?? 1n) * words[f][d][c], pad);
  });
  const half = (entries: readonly bigint[], index: number[], own: (bigint[] | undefined)[]): TableHalf => ({
    kind: 'table',
    entries: { kind: 'packed', bytes: packTables(layout, elements, entries) },
    index: wordsFrom(index, group.bits + group.xorBits),
    factors: own.map((factorOf) => (factorOf === undefined ? undefined : wordsFrom(factorOf, factors))),
  });
  return {
    shape: {
      kind: 'table',
      message: 'table',
      elements,
      table: listedTable(group, layout, words),
      terms,
      factorBits: 2 * factors,
    },
    whole: { v: half(e, mu, p), w: half(w, nu, q) },
  };
}

export interface ChoiceOptions {
  readonly layout?: TableLayout;
  readonly elements?: number;
  /** Entries as columns, where there is one entry. */
  readonly columns?: boolean;
  readonly basis?: boolean;
}

/** Σ_p E[c][p] φ_p + a + b = 0 mod 2^k. */
export function choiceStatement(source: Source, options: ChoiceOptions = {}): Statement {
  const { layout = tableLayout(4, 16, 2), elements = 4, columns = false, basis = true } = options;
  const { n, k, widths } = layout;
  const P = widths.length;
  const E = Array.from({ length: elements * n * P }, (_, i) => source.word(widths[i % P]));
  const c = Array.from({ length: elements }, () => source.below(n));
  // φ_p is a multiple of 2^(k − width of p).
  const phi = Array.from({ length: elements * P }, (_, i) =>
    basis ? source.word(widths[i % P]) << BigInt(k - widths[i % P]) : 1n,
  );
  const a = bigs(source, elements, k);
  const b = a.map((word, i) => widths.reduce((rest, _, p) => rest - E[(i * n + c[i]) * P + p] * phi[i * P + p], -word));
  const v: ChoiceOfV = {
    kind: 'choice',
    entries: columns
      ? {
          kind: 'columns',
          columns: widths.map((width, p) =>
            wordsFrom(
              Array.from({ length: elements }, (_, i) => E[i * P + p]),
              width,
            ),
          ),
        }
      : { kind: 'packed', bytes: packTables(layout, elements, E) },
    linear: wordsFrom(a, k),
  };
  const w: ChoiceOfW = {
    kind: 'choice',
    choice: n === 1 ? undefined : wordsFrom(c, 32),
    basis: basis ? wordsFrom(phi, k) : undefined,
    linear: wordsFrom(b, k),
  };
  return { shape: { kind: 'choice', message: 'choice', elements, layout }, whole: { v, w } };
}

/** The same statement with `error` added to one word of what the prover sent to V. */
export function wrong({ shape, whole }: Statement, place: number, error: bigint): Statement {
  const { v, w } = whole;
  if (v.kind === 'table' && v.entries.kind === 'packed' && shape.kind === 'table') {
    const { layout } = shape.table;
    const columns = layout.n * layout.widths.length;
    const { bytes } = v.entries;
    const words = Array.from({ length: shape.elements * columns }, (_, i) =>
      tableWord(layout, bytes, Math.floor(i / columns), i % columns),
    );
    words[place] += error;
    return {
      shape,
      whole: { v: { ...v, entries: { kind: 'packed', bytes: packTables(layout, shape.elements, words) } }, w },
    };
  }
  if (v.kind === 'table' || v.linear === undefined || typeof v.linear === 'function')
    throw new Error('not to be spoilt');
  const { k } = v.linear;
  const words = Array.from({ length: v.linear.data.length }, (_, i) => wordAt(v.linear as never, i));
  words[place] += error;
  return { shape, whole: { v: { ...v, linear: wordsFrom(words, k) }, w } };
}

export const PLACE: ProofPlace = { session: new Uint8Array(32).fill(7), proof: 1, segment: 0 };
/** Keys of V and W, prover and V, prover and W. */
export const KEYS: Readonly<Record<'vw' | 'pv' | 'pw', Uint8Array>> = {
  vw: new Uint8Array(32).fill(1),
  pv: new Uint8Array(32).fill(2),
  pw: new Uint8Array(32).fill(3),
};

export interface Parties {
  readonly segment: Segment;
  readonly prover: Prover;
  readonly verifier: Verifier;
  readonly witness: Witness;
}

export interface PartyOptions {
  readonly parameters: ProofParameters;
  readonly place?: ProofPlace;
  readonly kernels?: ProofKernels;
  readonly keys?: typeof KEYS;
}

/** Three parties that hold their halves, before the first message. */
export async function parties(statements: readonly Statement[], options: PartyOptions): Promise<Parties> {
  const { parameters, place = PLACE, kernels = new ReferenceProofKernels(), keys = KEYS } = options;
  const segment = new Segment(
    place,
    statements.map(({ shape }) => shape),
    parameters,
  );
  const prover = new Prover(segment, kernels, { verifier: keys.pv, witness: keys.pw });
  const verifier = new Verifier(segment, kernels, { witness: keys.vw, prover: keys.pv });
  const witness = new Witness(segment, kernels, { verifier: keys.vw, prover: keys.pw });
  for (const [i, { whole }] of statements.entries()) {
    prover.record(i, whole);
    await verifier.absorb(i, whole.v);
    await witness.absorb(i, whole.w);
  }
  return { segment, prover, verifier, witness };
}

/** What the prover sends instead of its answer to a stage. */
export type Cheat = (stage: number, message: Uint8Array) => Uint8Array | Promise<Uint8Array>;

/** Runs a proof to its end. @throws what the party that refuses throws */
export async function prove({ segment, prover, verifier, witness }: Parties, cheat?: Cheat): Promise<void> {
  prover.anchor(witness.anchor());
  await verifier.witness(await witness.statement());
  let seed = verifier.begin();
  for (let stage = 1; stage < segment.stages; stage++) {
    const message = await prover.answer(seed);
    seed = await verifier.answer(cheat === undefined ? message : await cheat(stage, message));
  }
  prover.verdict(seed);
  witness.verdict(seed);
}
