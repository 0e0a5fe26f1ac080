/**
 * The kernels of the proofs in WebAssembly (`wasm/src/proof.rs`), a module of its own, in the calling thread. What is
 * long goes in parts, so that the memory of the instance stays small; every part is wiped behind it.
 */
import { type DigitStep, type IndexGroup, groupSize } from '../../index-group.ts';
import { type Words, checkRing, laneBytes, lengthOf } from '../../ring.ts';
import { addWords, reducedWords } from '../../words64.ts';
import { invariant } from '../../../core/errors.ts';
import { blockOf } from '../key-stream.ts';
import { checkBytes, checkChoice } from '../proof-shape.ts';
import { CLAIM_LIMBS, type FoldedTable, type ProofKernels, RADIX, type Signed, type Term } from '../proof-types.ts';
import { checkTerms } from '../proof-terms.ts';
import type { TableLayout } from '../table-layout.ts';
import type { Stream } from '../types.ts';
import { kernelFailure } from './failure.ts';
import type { Linked } from './link.ts';
import { Memory, up } from './memory.ts';
import {
  PART,
  WasmTable,
  blocksAt,
  coefficientsOf,
  copyNarrow,
  copyWide,
  cut,
  factorAt,
  fieldAt,
  integers,
  layoutAt,
  parts,
  placeOf,
  stepAt,
  termsAt,
  words64,
} from './proof-memory.ts';

/** Places of a table for each element of a part that looks there: a line of the cache is read by several of them. */
const PLACES_EACH = 4;

export class WasmProofKernels implements ProofKernels {
  readonly name = 'wasm' as const;
  #memory: Memory | undefined;

  /** @param of the compiled `proof.wasm`, or the kernels of a library */
  constructor(of: WebAssembly.Module | Linked) {
    this.#memory = new Memory(of);
  }

  async close(): Promise<void> {
    this.#memory = undefined;
  }

  #held(): Memory {
    invariant(this.#memory !== undefined, 'kernels of proofs that were closed');
    return this.#memory;
  }

  /** Runs one operation and wipes its memory. A trap ends the instance. */
  #run<T>(operation: (memory: Memory) => T): T {
    const memory = this.#held();
    try {
      return memory.run(() => operation(memory));
    } catch (error) {
      const failure = kernelFailure(error);
      if (failure.code === 'ERR_KERNEL') this.#memory = undefined;
      throw failure;
    }
  }

  async draw(stream: Stream, k: number, count: number, first = 0): Promise<Words> {
    const lane = laneBytes(checkRing(k));
    const block = blockOf(first * lane, (first + count) * lane);
    const skip = (first * lane) % 64;
    const blocks = Math.ceil((skip + count * lane) / 64);
    return this.#run((memory) => {
      const [state, out] = [memory.state(stream), memory.take(64 * up(blocks, 4))];
      memory.exports.keystream(state, block, blocks, out);
      return cut(memory.read(out + skip, 8 * lane, count), k);
    });
  }

  // ── compression ───────────────────────────────────────────────────────────

  async digest(rows: Words, width: number, x: BigUint64Array, sigma: number): Promise<Words> {
    invariant(lengthOf(rows) === width * x.length, 'digest: a row of words for every row of challenges');
    const total = new BigUint64Array(x.length > 0 && x.length <= PART ? 0 : sigma * width);
    for (const [from, to] of parts(x.length)) {
      const sums = this.#run((memory) => {
        const [at, xs] = [copyWide(memory, rows, from * width, to * width), memory.copy(x.subarray(from, to))];
        const buckets = memory.take(8 * memory.exports.digest_scratch(width, to - from, sigma));
        const out = memory.take(8 * sigma * width);
        memory.exports.digest(at, width, xs, to - from, sigma, buckets, out);
        return words64(memory, out, sigma * width);
      });
      if (x.length <= PART) return reducedWords(sums, rows.k);
      addWords(total, sums);
    }
    return reducedWords(total, rows.k);
  }

  async digestEntries(
    bytes: Uint8Array,
    layout: TableLayout,
    x: BigUint64Array,
    v: BigUint64Array,
    sigma: number,
  ): Promise<BigUint64Array> {
    checkBytes(bytes, layout, x.length);
    const words = layout.n * layout.widths.length;
    invariant(v.length === words, 'digest: a challenge for every word of an element');
    return this.#run((memory) => {
      const [at, shape, xs, vs] = [memory.copy(bytes), layoutAt(memory, layout), memory.copy(x), memory.copy(v)];
      const scratch = memory.take(memory.exports.entries_scratch(x.length, words, sigma));
      const out = memory.take(8 * sigma * sigma);
      memory.exports.digest_entries(at, shape, xs, x.length, vs, sigma, scratch, out);
      return words64(memory, out, sigma * sigma);
    });
  }

  async columns(rows: Words | Signed, width: number, v: BigUint64Array, sigma: number): Promise<Words> {
    const short = 'signed' in rows;
    const n = (short ? rows.signed.length : lengthOf(rows)) / width;
    invariant(v.length === width && Number.isInteger(n), 'columns: whole rows expected');
    const all = new BigUint64Array(n * sigma);
    for (const [from, to] of parts(n, width))
      this.#run((memory) => {
        const [first, end] = [from * width, to * width];
        const at = short ? memory.copy(rows.signed.subarray(first, end)) : copyWide(memory, rows, first, end);
        const [vs, scratch] = [memory.copy(v), memory.take(memory.exports.columns_scratch(width, sigma))];
        const out = memory.take(8 * (to - from) * sigma);
        memory.exports[short ? 'columns_signed' : 'columns'](at, width, to - from, vs, sigma, scratch, out);
        all.set(memory.words(out, (to - from) * sigma), from * sigma);
      });
    return reducedWords(all, rows.k);
  }

  // ── claims ────────────────────────────────────────────────────────────────

  async matrixClaims(left: Words, right: Words, inner: number, total: BigUint64Array): Promise<BigUint64Array> {
    const [rows, cols] = [lengthOf(left) / inner, lengthOf(right) / inner];
    invariant(
      left.k === right.k && Number.isInteger(rows) && Number.isInteger(cols),
      'claims: factors over one ring, of one inner dimension',
    );
    invariant(total.length === CLAIM_LIMBS * rows * cols, 'claims: an integer for every row and column');
    return this.#run((memory) => {
      const [l, r, out] = [copyWide(memory, left), copyWide(memory, right), memory.copy(total)];
      const scratch = memory.take(8 * memory.exports.matrix_scratch(rows, inner, cols));
      memory.exports.matrix_claims(l, r, left.k, rows, inner, cols, scratch, out);
      return words64(memory, out, total.length);
    });
  }

  async tableSums(
    bytes: Uint8Array,
    layout: TableLayout,
    factors: readonly (Words | undefined)[],
    x: BigUint64Array,
    sigma: number,
  ): Promise<BigUint64Array> {
    checkBytes(bytes, layout, x.length);
    const words = layout.n * layout.widths.length;
    const present = factors.filter((f) => f !== undefined);
    const widest = Math.max(...layout.widths);
    // A bit times a factor has no more bits than the factor.
    const bits = present.reduce((sum, { k }) => sum + k, widest === 1 && present.length > 0 ? 0 : widest);
    const limbs = Math.min(CLAIM_LIMBS, Math.ceil(bits / 32));
    return this.#run((memory) => {
      const [at, shape, f] = [memory.copy(bytes), layoutAt(memory, layout), factorAt(memory, present)];
      const xs = memory.copy(x);
      const scratch = memory.take(memory.exports.table_scratch(x.length, words, sigma, limbs));
      const out = memory.take(8 * sigma * CLAIM_LIMBS * words);
      memory.exports.table_sums(at, shape, f, xs, x.length, sigma, limbs, scratch, out);
      return words64(memory, out, sigma * CLAIM_LIMBS * words);
    });
  }

  async tableClaims(sums: BigUint64Array, layout: TableLayout, v: BigUint64Array, sigma: number): Promise<bigint[]> {
    const words = layout.n * layout.widths.length;
    invariant(v.length === words && sums.length === sigma * words * CLAIM_LIMBS, 'claims: sums of every word');
    return this.#run((memory) => {
      const [at, shape, vs] = [memory.copy(sums), layoutAt(memory, layout), memory.copy(v)];
      const [scratch, out] = [memory.take(16 * sigma), memory.take(8 * CLAIM_LIMBS * sigma * sigma)];
      memory.exports.table_claims(at, shape, vs, sigma, scratch, out);
      return integers(memory, out, sigma * sigma);
    });
  }

  async choiceClaims(
    bytes: Uint8Array,
    layout: TableLayout,
    choice: Words | undefined,
    basis: Words | undefined,
    x: BigUint64Array,
    sigma: number,
  ): Promise<bigint[]> {
    checkBytes(bytes, layout, x.length);
    checkChoice(choice, layout, x.length);
    return this.#run((memory) => {
      const [at, shape, xs] = [memory.copy(bytes), layoutAt(memory, layout), memory.copy(x)];
      const c = choice === undefined ? memory.take(4 * x.length) : copyNarrow(memory, choice);
      const phi = basis === undefined ? 0 : copyWide(memory, basis);
      const buckets = memory.take(8 * memory.exports.digest_scratch(4, x.length, sigma));
      const [sums, out] = [memory.take(8 * 4 * sigma), memory.take(8 * CLAIM_LIMBS * sigma)];
      memory.exports.choice_claims(at, shape, c, phi, xs, x.length, sigma, buckets, sums, out);
      return integers(memory, out, sigma);
    });
  }

  // ── modulo q ──────────────────────────────────────────────────────────────

  async weights(x: BigUint64Array, coefficients: BigUint64Array, q: bigint): Promise<BigUint64Array> {
    return this.#parts(x.length, 1, (memory, from, to, out) => {
      const [xs, cs, tables] = [memory.copy(x.subarray(from, to)), memory.copy(coefficients), memory.take(8 * 8 * 256)];
      memory.exports.weights(fieldAt(memory, q), xs, to - from, cs, coefficients.length, tables, out);
    });
  }

  async multiply(a: BigUint64Array, b: Words, q: bigint): Promise<BigUint64Array> {
    invariant(lengthOf(b) === a.length, 'multiply: vectors of one length');
    return this.#parts(a.length, 1, (memory, from, to, out) => {
      const [left, right] = [memory.copy(a.subarray(from, to)), copyWide(memory, b, from, to)];
      memory.exports.multiply(fieldAt(memory, q), left, right, to - from, out);
    });
  }

  async terms(bases: readonly BigUint64Array[], terms: readonly Term[], q: bigint): Promise<BigUint64Array> {
    const n = checkTerms(bases, terms);
    const all = new BigUint64Array(terms.length * n);
    for (const [from, to] of parts(n))
      this.#run((memory) => {
        for (const [t, at] of termsAt(memory, bases, terms, from, to, q))
          all.set(memory.words(at, to - from), t * n + from);
      });
    return all;
  }

  async termsDot(
    bases: readonly BigUint64Array[],
    terms: readonly Term[],
    first: number,
    stride: number,
    coefficients: readonly BigUint64Array[],
    q: bigint,
  ): Promise<bigint> {
    const n = checkTerms(bases, terms);
    invariant(stride >= n && first + terms.length * stride < 2 ** 32, 'places of a tail have 32 bits');
    const digits = coefficientsOf(coefficients);
    let total = 0n;
    for (const [from, to] of parts(n))
      this.#run((memory) => {
        const [field, cs, out] = [fieldAt(memory, q), memory.take(digits.byteLength), memory.take(8)];
        const scratch = memory.take(memory.exports.dot_scratch(to - from, coefficients.length));
        for (const [t, at] of termsAt(memory, bases, terms, from, to, q)) {
          // The kernel writes over them.
          memory.write(cs, digits);
          const place = (first + t * stride + from) | 0;
          memory.exports.tail_dot(...[field, at, to - from, place, cs, coefficients.length, scratch, out]);
          total += memory.word64(out);
        }
      });
    return total % q;
  }

  async combineRows(x: Words, width: number, coefficients: BigUint64Array, q: bigint): Promise<BigUint64Array> {
    return this.#run((memory) => {
      const [at, cs, out] = [copyWide(memory, x), memory.copy(coefficients), memory.take(8 * width)];
      memory.exports.combine_rows(fieldAt(memory, q), at, coefficients.length, width, cs, out);
      return words64(memory, out, width);
    });
  }

  async combineColumns(x: Words, coefficients: BigUint64Array, q: bigint): Promise<BigUint64Array> {
    const width = coefficients.length;
    return this.#parts(lengthOf(x) / width, 1, (memory, from, to, out) => {
      const [at, cs] = [copyWide(memory, x, from * width, to * width), memory.copy(coefficients)];
      memory.exports.combine_columns(fieldAt(memory, q), at, to - from, width, cs, out);
    });
  }

  // ── selection tables ──────────────────────────────────────────────────────

  async foldEntries(
    bytes: Uint8Array,
    layout: TableLayout,
    weights: BigUint64Array,
    coefficients: BigUint64Array,
    q: bigint,
  ): Promise<BigUint64Array> {
    const [n, P] = [weights.length, layout.widths.length];
    checkBytes(bytes, layout, n);
    invariant(coefficients.length === layout.n, 'a coefficient for every entry');
    return this.#run((memory) => {
      const [at, shape, fs] = [memory.copy(bytes), layoutAt(memory, layout), memory.copy(weights)];
      const [cs, row] = [memory.copy(coefficients), memory.take(memory.exports.fold_scratch(layout.n * P))];
      const out = memory.take(8 * n * P);
      memory.exports.fold_entries(fieldAt(memory, q), at, shape, n, fs, cs, row, out);
      return words64(memory, out, n * P);
    });
  }

  async publicTable(
    bytes: Uint8Array,
    layout: TableLayout,
    elements: number,
    coefficients: BigUint64Array,
    q: bigint,
  ): Promise<BigUint64Array> {
    checkBytes(bytes, layout, elements);
    const words = layout.n * layout.widths.length;
    invariant(coefficients.length === words, 'a coefficient for every word');
    return this.#run((memory) => {
      const [at, shape, cs] = [memory.copy(bytes), layoutAt(memory, layout), memory.copy(coefficients)];
      const [row, out] = [memory.take(8 * words), memory.take(8 * elements)];
      memory.exports.public_table(fieldAt(memory, q), at, shape, elements, cs, row, out);
      return words64(memory, out, elements);
    });
  }

  // ── digit rounds ──────────────────────────────────────────────────────────

  async loadTable(words: BigUint64Array, group: IndexGroup): Promise<FoldedTable> {
    invariant(words.length === groupSize(group), 'a table over its whole group');
    const table = new WasmTable(group, this.#held().keep(8 * words.length));
    this.#run((memory) => memory.exports.load_table(memory.copy(words), words.length, table.at));
    return table;
  }

  async foldTable(table: FoldedTable, step: DigitStep, beta: BigUint64Array, q: bigint): Promise<void> {
    this.#run((memory) => {
      const [at, to, bs] = [placeOf(table), stepAt(memory, table.group, step), memory.copy(beta)];
      memory.exports.fold_table(fieldAt(memory, q), at, to, bs, memory.take(8 * groupSize(table.group)));
    });
  }

  freeTable(table: FoldedTable): void {
    const { at, freed } = table as WasmTable;
    (table as WasmTable).freed = true;
    if (!freed) this.#memory?.drop(at);
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
    const n = lengthOf(index);
    const whole = f.length === n * each;
    invariant(whole || f.length === n, 'a weight for every element or every word');
    invariant(factor === undefined || lengthOf(factor) === n * each, 'a factor for every word');
    const digits = Uint32Array.from(steps.flatMap(({ at, width }) => [at, 2 ** width - 1]));
    return this.#parts(n, each, (memory, from, to, out) => {
      const own = f.subarray(...(whole ? [from * each, to * each] : [from, to]));
      const [at, places, shape] = [memory.copy(own), copyNarrow(memory, index, from, to), memory.copy(digits)];
      const cs = memory.copy(coefficientsOf(coefficients));
      const more = factor === undefined ? 0 : copyWide(memory, factor, from * each, to * each);
      const scratch = memory.take(memory.exports.digit_scratch(to - from, steps.length));
      memory.exports.digit_weights(
        ...([fieldAt(memory, q), at, whole ? 1 : 0, each, places, to - from, shape, steps.length, cs, more] as const),
        ...[scratch, out],
      );
    });
  }

  async lookUp(table: FoldedTable, nu: Words): Promise<BigUint64Array> {
    return this.#parts(lengthOf(nu), 1, (memory, from, to, out) => {
      const [at, shape] = [placeOf(table), stepAt(memory, table.group, { at: 0, width: 0, xor: false })];
      memory.exports.look_up(at, shape, copyNarrow(memory, nu, from, to), to - from, out);
    });
  }

  async lookupRound(
    f: BigUint64Array,
    table: FoldedTable,
    step: DigitStep,
    mu: Words,
    nu: Words,
    q: bigint,
  ): Promise<BigUint64Array> {
    const total = new BigUint64Array(RADIX * RADIX);
    const part = Math.max(PART, groupSize(table.group) / PLACES_EACH);
    for (const [from, to] of parts(f.length, 1, part)) {
      const z = this.#run((memory) => {
        const [weights, shape] = [memory.copy(f.subarray(from, to)), stepAt(memory, table.group, step)];
        const [m, n] = [copyNarrow(memory, mu, from, to), copyNarrow(memory, nu, from, to)];
        const scratch = memory.take(memory.exports.lookup_scratch(groupSize(table.group), to - from));
        const [at, out] = [placeOf(table), memory.take(8 * RADIX * RADIX)];
        memory.exports.lookup_round(fieldAt(memory, q), weights, at, shape, m, n, to - from, scratch, out);
        return words64(memory, out, RADIX * RADIX);
      });
      for (const [i, value] of z.entries()) total[i] = (total[i] + value) % q;
    }
    return total;
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
    const n = lengthOf(choice);
    checkBytes(bytes, layout, n);
    checkChoice(choice, layout, n);
    invariant(f.length === n * layout.widths.length && low.length === 2 ** step.at, 'a weight for every word');
    return this.#run((memory) => {
      const [at, shape, c] = [memory.copy(bytes), layoutAt(memory, layout), copyNarrow(memory, choice)];
      const [weights, lows] = [memory.copy(f), memory.copy(low)];
      const digit = stepAt(memory, { bits: 20, xorBits: 0 }, step);
      const [scratch, out] = [
        memory.take(memory.exports.choice_scratch(low.length, n)),
        memory.take(8 * RADIX * RADIX),
      ];
      memory.exports.choice_round(fieldAt(memory, q), at, shape, c, weights, n, lows, digit, scratch, out);
      return words64(memory, out, RADIX * RADIX);
    });
  }

  // ── tail ──────────────────────────────────────────────────────────────────

  async tailRound(u: BigUint64Array, w: BigUint64Array, q: bigint): Promise<BigUint64Array> {
    invariant(u.length === w.length, 'a tail of two vectors of one length');
    const total = new BigUint64Array(RADIX * RADIX);
    for (const [from, to] of parts(u.length)) {
      const z = this.#run((memory) => {
        const [left, right] = [blocksAt(memory, u.subarray(from, to)), blocksAt(memory, w.subarray(from, to))];
        const out = memory.take(8 * total.length);
        memory.exports.tail_round(fieldAt(memory, q), left, right, Math.ceil((to - from) / RADIX), out);
        return words64(memory, out, total.length);
      });
      for (const [i, value] of z.entries()) total[i] = (total[i] + value) % q;
    }
    return total;
  }

  async tailFold(u: BigUint64Array, coefficients: BigUint64Array, q: bigint): Promise<BigUint64Array> {
    const all = new BigUint64Array(Math.ceil(u.length / RADIX));
    for (const [from, to] of parts(u.length)) {
      const blocks = Math.ceil((to - from) / RADIX);
      all.set(
        this.#run((memory) => {
          const [at, cs] = [blocksAt(memory, u.subarray(from, to)), memory.copy(coefficients)];
          const out = memory.take(8 * blocks);
          memory.exports.tail_fold(fieldAt(memory, q), at, blocks, cs, out);
          return words64(memory, out, blocks);
        }),
        from / RADIX,
      );
    }
    return all;
  }

  async tailDot(
    values: BigUint64Array,
    first: number,
    coefficients: readonly BigUint64Array[],
    q: bigint,
  ): Promise<bigint> {
    invariant(first + values.length < 2 ** 32, 'places of a tail have 32 bits');
    const digits = coefficientsOf(coefficients);
    let total = 0n;
    for (const [from, to] of parts(values.length))
      total += this.#run((memory) => {
        const [at, cs, out] = [memory.copy(values.subarray(from, to)), memory.copy(digits), memory.take(8)];
        const scratch = memory.take(memory.exports.dot_scratch(to - from, coefficients.length));
        memory.exports.tail_dot(
          ...[fieldAt(memory, q), at, to - from, (first + from) | 0, cs, coefficients.length, scratch, out],
        );
        return memory.word64(out);
      });
    return total % q;
  }

  /** Words made part by part. */
  #parts(
    n: number,
    scale: number,
    operation: (memory: Memory, from: number, to: number, out: number) => void,
  ): BigUint64Array {
    const all = new BigUint64Array(n * scale);
    for (const [from, to] of parts(n))
      this.#run((memory) => {
        const out = memory.take(8 * (to - from) * scale);
        operation(memory, from, to, out);
        all.set(memory.words(out, (to - from) * scale), from * scale);
      });
    return all;
  }
}
