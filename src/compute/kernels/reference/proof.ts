/**
 * The reference kernels of the proofs: bigint, one formula each. They define every operation; the fast ones are
 * compared with them to the bit (test/compute/proof.suite.ts).
 */
import { residue } from '../../field.ts';
import {
  type DigitStep,
  type IndexGroup,
  difference,
  digitAt,
  groupSize,
  stepped,
  unfolded,
} from '../../index-group.ts';
import { type Words, lengthOf, wordAt, zeros } from '../../ring.ts';
import { invariant } from '../../../core/errors.ts';
import { CLAIM_LIMBS, type FoldedTable, type ProofKernels, RADIX, type Signed, type Term } from '../proof-types.ts';
import { termsBy, termsDotBy } from '../proof-terms.ts';
import { type TableLayout, elementBits, entryBits } from '../table-layout.ts';
import type { Stream } from '../types.ts';
import { readBits } from './bits.ts';
import { drawWords } from './draw.ts';

const bit = (word: bigint, t: number): bigint => (word >> BigInt(t)) & 1n;

function field(values: readonly bigint[], q: bigint): BigUint64Array {
  return BigUint64Array.from(values, (value) => residue(value, q));
}

function sum(count: number, term: (i: number) => bigint): bigint {
  let total = 0n;
  for (let i = 0; i < count; i++) total += term(i);
  return total;
}

function grid(rows: number, columns: number, value: (r: number, c: number) => bigint): bigint[] {
  return Array.from({ length: rows * columns }, (_, i) => value(Math.floor(i / columns), i % columns));
}

/** Word p of entry j of element i. */
function entry(bytes: Uint8Array, layout: TableLayout, i: number, j: number, p: number): bigint {
  const before = layout.widths.slice(0, p).reduce((total, width) => total + width, 0);
  return readBits(bytes, elementBits(layout) * i + entryBits(layout) * j + before, layout.widths[p]);
}

/** The same with one number for the word: c = j·P + p. */
function word(bytes: Uint8Array, layout: TableLayout, i: number, c: number): bigint {
  const P = layout.widths.length;
  return entry(bytes, layout, i, Math.floor(c / P), c % P);
}

function stored(values: readonly bigint[], k: number): Words {
  const out = zeros(values.length, k);
  for (const [i, value] of values.entries()) {
    const rest = BigInt.asUintN(k, value);
    if (out.data instanceof Uint32Array) out.data[i] = Number(rest);
    else out.data[i] = rest;
  }
  return out;
}

export class ReferenceProofKernels implements ProofKernels {
  readonly name = 'reference' as const;
  readonly #tables = new WeakMap<FoldedTable, BigUint64Array>();

  async draw(stream: Stream, k: number, count: number, first = 0): Promise<Words> {
    return drawWords(stream, k, count, first);
  }

  async digest(rows: Words, width: number, x: BigUint64Array, sigma: number): Promise<Words> {
    const cell = (t: number, c: number) => sum(x.length, (i) => bit(x[i], t) * wordAt(rows, i * width + c));
    return stored(grid(sigma, width, cell), rows.k);
  }

  async digestEntries(
    bytes: Uint8Array,
    layout: TableLayout,
    x: BigUint64Array,
    v: BigUint64Array,
    sigma: number,
  ): Promise<BigUint64Array> {
    const P = layout.widths.length;
    const row = (i: number, kappa: number) =>
      sum(v.length, (c) => bit(v[c], kappa) * (word(bytes, layout, i, c) << BigInt(64 - layout.widths[c % P])));
    const cell = (t: number, kappa: number) => sum(x.length, (i) => bit(x[i], t) * row(i, kappa));
    return BigUint64Array.from(grid(sigma, sigma, cell), (value) => BigInt.asUintN(64, value));
  }

  async columns(rows: Words | Signed, width: number, v: BigUint64Array, sigma: number): Promise<Words> {
    const [word, count] =
      'signed' in rows
        ? [(i: number) => BigInt(rows.signed[i]), rows.signed.length]
        : [(i: number) => wordAt(rows, i), lengthOf(rows)];
    const cell = (i: number, t: number) => sum(width, (c) => word(i * width + c) * bit(v[c], t));
    return stored(grid(count / width, sigma, cell), rows.k);
  }

  async matrixClaims(left: Words, right: Words, inner: number, total: BigUint64Array): Promise<BigUint64Array> {
    const [rows, cols] = [lengthOf(left) / inner, lengthOf(right) / inner];
    const claims = grid(rows, cols, (t, c) =>
      sum(inner, (j) => wordAt(left, t * inner + j) * wordAt(right, j * cols + c)),
    );
    return limbsOf(
      claims.map((claim, i) => claim + integerAt(total, i, 64)),
      64,
    );
  }

  async tableSums(
    bytes: Uint8Array,
    layout: TableLayout,
    factors: readonly (Words | undefined)[],
    x: BigUint64Array,
    sigma: number,
  ): Promise<BigUint64Array> {
    const words = layout.n * layout.widths.length;
    const factor = (i: number) =>
      factors.reduce((product, f) => (f === undefined ? product : product * wordAt(f, i)), 1n);
    const limb = (value: bigint, l: number) => (value >> BigInt(32 * l)) & 0xffff_ffffn;
    const rows = Array.from(x, (_, i) =>
      Array.from({ length: words }, (__, c) => factor(i) * word(bytes, layout, i, c)),
    );
    return BigUint64Array.from(
      grid(sigma, words * CLAIM_LIMBS, (t, at) =>
        sum(x.length, (i) => bit(x[i], t) * limb(rows[i][Math.floor(at / CLAIM_LIMBS)], at % CLAIM_LIMBS)),
      ),
    );
  }

  async tableClaims(sums: BigUint64Array, layout: TableLayout, v: BigUint64Array, sigma: number): Promise<bigint[]> {
    const P = layout.widths.length;
    return grid(sigma, sigma, (t, kappa) =>
      sum(
        v.length,
        (c) => bit(v[c], kappa) * (integerAt(sums, t * v.length + c, 32) << BigInt(64 - layout.widths[c % P])),
      ),
    );
  }

  async choiceClaims(
    bytes: Uint8Array,
    layout: TableLayout,
    choice: Words | undefined,
    basis: Words | undefined,
    x: BigUint64Array,
    sigma: number,
  ): Promise<bigint[]> {
    const P = layout.widths.length;
    const chosen = (i: number, p: number) =>
      entry(bytes, layout, i, choice === undefined ? 0 : Number(wordAt(choice, i)), p) *
      (basis === undefined ? 1n : wordAt(basis, i * P + p));
    return grid(1, sigma, (_, t) => sum(x.length, (i) => bit(x[i], t) * sum(P, (p) => chosen(i, p))));
  }

  async weights(x: BigUint64Array, coefficients: BigUint64Array, q: bigint): Promise<BigUint64Array> {
    return field(
      Array.from(x, (row) => sum(coefficients.length, (t) => bit(row, t) * coefficients[t])),
      q,
    );
  }

  async multiply(a: BigUint64Array, b: Words, q: bigint): Promise<BigUint64Array> {
    return field(
      Array.from(a, (value, i) => value * wordAt(b, i)),
      q,
    );
  }

  terms(bases: readonly BigUint64Array[], terms: readonly Term[], q: bigint): Promise<BigUint64Array> {
    return termsBy(this, bases, terms, q);
  }

  termsDot(
    bases: readonly BigUint64Array[],
    terms: readonly Term[],
    first: number,
    stride: number,
    coefficients: readonly BigUint64Array[],
    q: bigint,
  ): Promise<bigint> {
    return termsDotBy(this, bases, terms, first, stride, coefficients, q);
  }

  async combineRows(x: Words, width: number, coefficients: BigUint64Array, q: bigint): Promise<BigUint64Array> {
    return field(
      grid(1, width, (_, c) => sum(coefficients.length, (r) => coefficients[r] * wordAt(x, r * width + c))),
      q,
    );
  }

  async combineColumns(x: Words, coefficients: BigUint64Array, q: bigint): Promise<BigUint64Array> {
    const width = coefficients.length;
    return field(
      grid(lengthOf(x) / width, 1, (r) => sum(width, (c) => wordAt(x, r * width + c) * coefficients[c])),
      q,
    );
  }

  async foldEntries(
    bytes: Uint8Array,
    layout: TableLayout,
    weights: BigUint64Array,
    coefficients: BigUint64Array,
    q: bigint,
  ): Promise<BigUint64Array> {
    return field(
      grid(
        weights.length,
        layout.widths.length,
        (i, p) => weights[i] * sum(layout.n, (j) => coefficients[j] * entry(bytes, layout, i, j, p)),
      ),
      q,
    );
  }

  async publicTable(
    bytes: Uint8Array,
    layout: TableLayout,
    elements: number,
    coefficients: BigUint64Array,
    q: bigint,
  ): Promise<BigUint64Array> {
    return field(
      grid(elements, 1, (i) => sum(coefficients.length, (c) => coefficients[c] * word(bytes, layout, i, c))),
      q,
    );
  }

  async loadTable(words: BigUint64Array, group: IndexGroup): Promise<FoldedTable> {
    const table = { group };
    this.#tables.set(table, words.slice());
    return table;
  }

  async foldTable(table: FoldedTable, step: DigitStep, beta: BigUint64Array, q: bigint): Promise<void> {
    const { group } = table;
    const words = this.#words(table);
    const cell = (s: number) => sum(2 ** step.width, (h) => beta[h] * words[stepped(group, step, s, h)]);
    this.#tables.set(
      table,
      field(
        grid(1, groupSize(group), (_, s) => cell(s)),
        q,
      ),
    );
  }

  freeTable(table: FoldedTable): void {
    this.#tables.delete(table);
  }

  #words(table: FoldedTable): BigUint64Array {
    const words = this.#tables.get(table);
    invariant(words !== undefined, 'a table that was freed');
    return words;
  }

  async digitWeights(
    f: BigUint64Array,
    each: number,
    index: Words,
    steps: readonly DigitStep[],
    coefficients: readonly BigUint64Array[],
    factor: Words | undefined,
    q: bigint,
  ): Promise<BigUint64Array> {
    const elements = lengthOf(index);
    const digits = (i: number) =>
      steps.reduce((product, step, r) => (product * coefficients[r][digitAt(step, Number(wordAt(index, i)))]) % q, 1n);
    return field(
      grid(elements, each, (i, p) => {
        const own = f[f.length === elements ? i : i * each + p];
        return own * digits(i) * (factor === undefined ? 1n : wordAt(factor, i * each + p));
      }),
      q,
    );
  }

  async lookUp(table: FoldedTable, nu: Words): Promise<BigUint64Array> {
    const words = this.#words(table);
    const at = (i: number) => difference(table.group, 0, Number(nu.data[i]));
    return BigUint64Array.from({ length: lengthOf(nu) }, (_, i) => words[at(i)]);
  }

  async lookupRound(
    f: BigUint64Array,
    table: FoldedTable,
    step: DigitStep,
    mu: Words,
    nu: Words,
    q: bigint,
  ): Promise<BigUint64Array> {
    const z = new Array<bigint>(RADIX * RADIX).fill(0n);
    const [words, { group }] = [this.#words(table), table];
    const rest = unfolded(group, step);
    for (let i = 0; i < f.length; i++) {
      const index = Number(wordAt(mu, i));
      const from = difference(group, index & rest, Number(wordAt(nu, i)));
      for (let b = 0; b < 2 ** step.width; b++)
        z[RADIX * digitAt(step, index) + b] += f[i] * words[stepped(group, step, from, b)];
    }
    return field(z, q);
  }

  async choiceRound(
    bytes: Uint8Array,
    layout: TableLayout,
    choice: Words,
    f: BigUint64Array,
    low: BigUint64Array,
    step: DigitStep,
    q: bigint,
  ): Promise<BigUint64Array> {
    const z = new Array<bigint>(RADIX * RADIX).fill(0n);
    const P = layout.widths.length;
    for (let i = 0; i < f.length / P; i++) {
      const c = Number(wordAt(choice, i));
      const high = Math.floor(c / 2 ** (step.at + step.width)) * 2 ** step.width;
      for (let a = 0; a < 2 ** step.width; a++)
        for (let l = 0; l < low.length; l++) {
          const j = (high + a) * low.length + l;
          if (j >= layout.n) continue;
          for (let p = 0; p < P; p++)
            z[RADIX * a + digitAt(step, c)] += ((f[P * i + p] * low[l]) % q) * entry(bytes, layout, i, j, p);
        }
    }
    return field(z, q);
  }

  async tailRound(u: BigUint64Array, w: BigUint64Array, q: bigint): Promise<BigUint64Array> {
    const blocks = Math.ceil(u.length / RADIX);
    return field(
      grid(RADIX, RADIX, (a, b) => sum(blocks, (i) => (u[RADIX * i + a] ?? 0n) * (w[RADIX * i + b] ?? 0n))),
      q,
    );
  }

  async tailFold(u: BigUint64Array, coefficients: BigUint64Array, q: bigint): Promise<BigUint64Array> {
    return field(
      grid(1, Math.ceil(u.length / RADIX), (_, i) => sum(RADIX, (a) => coefficients[a] * (u[RADIX * i + a] ?? 0n))),
      q,
    );
  }

  async tailDot(
    values: BigUint64Array,
    first: number,
    coefficients: readonly BigUint64Array[],
    q: bigint,
  ): Promise<bigint> {
    const coefficient = (place: number) => {
      let [product, rest] = [1n, place];
      for (const digits of coefficients) {
        product = (product * digits[rest % RADIX]) % q;
        rest = Math.floor(rest / RADIX);
      }
      return product;
    };
    return residue(
      sum(values.length, (i) => values[i] * coefficient(first + i)),
      q,
    );
  }

  async close(): Promise<void> {
    // Nothing is held.
  }
}

/** Number i of several that are sums of limbs of `bits` bits each. */
function integerAt(limbs: BigUint64Array, i: number, bits: number): bigint {
  return sum(CLAIM_LIMBS, (l) => limbs[CLAIM_LIMBS * i + l] << BigInt(bits * l));
}

function limbsOf(values: readonly bigint[], bits: number): BigUint64Array {
  return BigUint64Array.from(
    values.flatMap((value) =>
      Array.from({ length: CLAIM_LIMBS }, (_, l) => BigInt.asUintN(bits, value >> BigInt(bits * l))),
    ),
  );
}
