/**
 * The plaintext oracle: the same `Gates` computed at once on clear integers, in bigint. It is the meaning of every
 * gate, without masks, messages or the rounding coin (⌊·⌋ instead of ⌊· + ρ⌋), and the oracle of the conformance
 * suite.
 *
 * Insecure by construction: refuses to run outside tests.
 */
import type { PiecewisePolynomial } from '../compute/kernels/types.ts';
import { meanWeights } from '../compute/means.ts';
import { type Pattern, listOf } from '../compute/pattern.ts';
import { type Words, ringMask, wordAt, wordsFrom } from '../compute/ring.ts';
import { TercetError, invariant } from '../core/errors.ts';
import { SEMI_HONEST } from '../mpc/protocol/registry.ts';
import { AHEAD, type Wire, countOf } from '../mpc/share/wire.ts';
import type {
  AffineTerm,
  BorrowLeaf,
  Choosing,
  ExactTable,
  ExponentialOptions,
  Gated,
  GatedCosines,
  Gates,
  Inputs,
  Multiplied,
  Parameter,
  Rounded,
  Selected,
  TruncationModel,
} from '../mpc/protocol/types.ts';

function insideTestRunner(): boolean {
  const env = (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env;
  return env?.['VITEST'] !== undefined;
}

/** What gives up secrecy on purpose. @throws {TercetError} ERR_INSECURE outside the test runner. */
function insecure(path: string): void {
  if (insideTestRunner()) return;
  throw new TercetError('ERR_INSECURE', `${path} runs in tests only`, 'use the three-party protocol');
}

/** Clear values of a parameter, row-major, as signed integers at its scale. */
export type ClearParameters = (parameter: Parameter) => ArrayLike<number | bigint>;

export class PlaintextGates implements Gates {
  readonly weights = 'open' as const;
  readonly rounding: TruncationModel;
  /** Everything that `output` opened. */
  readonly outputs = new Map<string, Words>();
  readonly #inputs: Inputs;
  readonly #parameters: ClearParameters;
  readonly #values: bigint[][] = [];
  readonly #kept = new Map<string, Words>();
  readonly #before: ReadonlyMap<string, Words>;

  /**
   * @param before the oracle of the step before, whose kept wires this step takes up
   * @param rounding of the protocol whose gadgets are meant
   */
  constructor(
    inputs: Inputs,
    parameters: ClearParameters,
    before?: PlaintextGates,
    rounding: TruncationModel = SEMI_HONEST.truncation,
  ) {
    insecure('the plaintext oracle');
    this.rounding = rounding;
    this.#inputs = inputs;
    this.#parameters = parameters;
    this.#before = before === undefined ? new Map() : before.#kept;
  }

  keep(name: string, x: Wire): void {
    this.#kept.set(name, wordsFrom(this.#of(x), x.k));
  }

  kept(name: string, shape: readonly number[], k: number, scale: number): Wire {
    const words = this.#before.get(name);
    invariant(words !== undefined, `the step before kept no "${name}"`);
    return this.#wire(Array.from(words.data, BigInt), shape, k, scale);
  }

  lift(x: Wire): Wire {
    return x;
  }

  reshare(x: Wire): Wire {
    return x;
  }

  concat(parts: readonly Wire[]): Wire {
    const rows = parts.reduce((sum, { shape }) => sum + shape[0], 0);
    const [first] = parts;
    return this.#wire(
      parts.flatMap((part) => this.#of(part)),
      [rows, ...first.shape.slice(1)],
      first.k,
      first.scale,
    );
  }

  input(name: string, shape: readonly number[], k: number, scale: number): Wire {
    const words = this.#inputs.tensors[name];
    if (words?.data.length !== countOf(shape))
      throw new TercetError(
        'ERR_SHAPE',
        `input "${name}" is missing or of the wrong size`,
        'give the input that the circuit was built for',
      );
    return this.#wire(Array.from(words.data, BigInt), shape, k, scale);
  }

  lookup(name: string, table: Parameter, count: number): Wire {
    const indices = this.#inputs.indices[name] ?? [];
    invariant(indices.length === count, `input "${name}" has the wrong number of indices`);
    const rows = this.#parameters(table);
    const values = indices.flatMap((t) =>
      Array.from({ length: table.cols }, (_, c) => BigInt(rows[t * table.cols + c])),
    );
    return this.#wire(values, [count, table.cols], 64, table.scale);
  }

  output(name: string, x: Wire): void {
    this.outputs.set(name, wordsFrom(this.#of(x), x.k));
  }

  add(x: Wire, y: Wire): Wire {
    return this.#map(x, (v, i) => v + this.#of(y)[i]);
  }

  sub(x: Wire, y: Wire): Wire {
    return this.#map(x, (v, i) => v - this.#of(y)[i]);
  }

  scale(x: Wire, c: bigint, scale = x.scale): Wire {
    return this.#map(x, (v) => v * c, { scale });
  }

  offset(x: Wire, c: bigint): Wire {
    return this.#map(x, (v) => v + c);
  }

  reduce(x: Wire, k: number): Wire {
    return this.#map(x, (v) => v, { k });
  }

  raise(x: Wire, s: number, k: number): Wire {
    return this.#map(x, (v) => v << BigInt(s), { k, scale: x.scale + s });
  }

  sumRows(x: Wire): Wire {
    const cols = x.shape[x.shape.length - 1];
    const values = this.#of(x);
    const sums = Array.from({ length: x.count / cols }, (_, r) =>
      values.slice(r * cols, (r + 1) * cols).reduce((a, b) => a + b, 0n),
    );
    return this.#wire(sums, x.shape.slice(0, -1), x.k, x.scale);
  }

  repeat(x: Wire, cols: number): Wire {
    const values = this.#of(x).flatMap((v) => new Array<bigint>(cols).fill(v));
    return this.#wire(values, [...x.shape, cols], x.k, x.scale);
  }

  means(x: Wire, scale: number): Wire {
    const places = x.shape[x.shape.length - 1];
    const weights = meanWeights(places, scale, x.k);
    const rows = this.#of(x);
    const weighed = rows.map((_v, i) => {
      const [from, column] = [i - (i % places), i % places];
      return Array.from({ length: places }, (_, n) => rows[from + n] * wordAt(weights, n * places + column)).reduce(
        (sum, v) => sum + v,
      );
    });
    return this.#wire(weighed, x.shape, x.k, x.scale + scale);
  }

  gather(x: Wire, pattern: Pattern, shape: readonly number[]): Wire {
    const values = this.#of(x);
    return this.#wire(
      Array.from(listOf(pattern), (i) => values[i]),
      shape,
      x.k,
      x.scale,
    );
  }

  reshape(x: Wire, shape: readonly number[], scale = x.scale): Wire {
    return this.#wire(this.#of(x), shape, x.k, scale);
  }

  addParameter(x: Wire, parameter: Parameter): Wire {
    const row = this.#parameters(parameter);
    const length = parameter.rows * parameter.cols;
    return this.#map(x, (v, i) => v + BigInt(row[i % length]));
  }

  shift(x: Wire, s: number): Wire {
    return this.#map(x, (v) => v >> BigInt(s), { k: x.k - s, scale: x.scale - s });
  }

  coarsen(x: Wire, s: number): Wire {
    const half = (1n << BigInt(s)) >> 1n;
    return this.#map(x, (v) => (v + half) >> BigInt(s), { k: x.k - s, scale: x.scale - s });
  }

  widen(x: Wire, k2: number): Wire {
    return this.#map(x, (v) => BigInt.asIntN(x.k, v), { k: k2 });
  }

  truncate(x: Wire, s: number, k2 = x.k): Wire {
    return this.widen(this.shift(x, s), k2);
  }

  affine(terms: readonly AffineTerm[], bias?: Parameter): Wire {
    const [first] = terms;
    const cols = first.weight.cols;
    const rows = first.diagonal === true ? first.x.count / cols : first.x.count / first.weight.rows;
    const out = new Array<bigint>(rows * cols).fill(0n);
    for (const { x, weight, diagonal } of terms) {
      const [values, w] = [this.#of(x), this.#parameters(weight)];
      for (let i = 0; i < out.length; i++) {
        const [r, c] = [Math.floor(i / cols), i % cols];
        if (diagonal === true) out[i] += values[i] * BigInt(w[c]);
        else for (let j = 0; j < weight.rows; j++) out[i] += values[r * weight.rows + j] * BigInt(w[j * cols + c]);
      }
    }
    const sum = this.#wire(out, [rows, cols], 64, first.x.scale + first.weight.scale);
    return bias === undefined ? sum : this.addParameter(sum, bias);
  }

  matmul(x: Wire, y: Wire, { transposed = false, drop = 0 }: Multiplied = {}): Wire {
    const [batch, m, inner] = x.shape;
    const n = transposed ? y.shape[1] : y.shape[2];
    const [left, right] = [this.#of(x), this.#of(y)];
    const out: bigint[] = [];
    for (let b = 0; b < batch; b++) {
      for (let r = 0; r < m; r++) {
        for (let c = 0; c < n; c++) {
          let sum = 0n;
          for (let i = 0; i < inner; i++)
            sum +=
              left[(b * m + r) * inner + i] * right[transposed ? (b * n + c) * inner + i : (b * inner + i) * n + c];
          out.push(sum);
        }
      }
    }
    return this.shift(this.#wire(out, [batch, m, n], x.k, x.scale + y.scale), drop);
  }

  mul(x: Wire, y: Wire, { drop = 0 }: Rounded = {}): Wire {
    return this.shift(
      this.#map(x, (v, i) => v * this.#of(y)[i], { scale: x.scale + y.scale }),
      drop,
    );
  }

  gatedSum(terms: readonly Gated[]): Wire {
    const [{ value: first }] = terms;
    return this.#map(first, (_v, i) =>
      terms.reduce(
        (sum, { bits, value }) => sum + (bits.every((bit) => this.#of(bit)[i] === 1n) ? this.#of(value)[i] : 0n),
        0n,
      ),
    );
  }

  table(x: Wire, { entries }: ExactTable, k: number): Wire {
    return this.#map(x, (v) => entries[Number(v)], { k, scale: 0 });
  }

  jointTable(bits: readonly Wire[], entries: readonly bigint[], k: number): Wire {
    return this.#map(bits[0], (_v, i) => entries[this.#joint(bits, i)], { k, scale: 0 });
  }

  /** In the clear a = x and λ2 = 0: nothing is below zero, and a chunk equals it when it is zero. */
  /** P2's half is zero here, so P1's is the value. */
  borrow(x: Wire, from: number, bits: number, leaf: BorrowLeaf): Wire {
    const half = 1n << BigInt(bits - 1);
    const holds: Record<BorrowLeaf, (a: bigint) => boolean> = {
      less: () => false,
      equal: (a) => a === 0n,
      negative: (a) => a >= half,
      below: (a) => ((a - 1n) & ringMask(bits)) >= half,
    };
    const bit = (v: bigint) => (holds[leaf]((v >> BigInt(from)) & ringMask(bits)) ? 1n : 0n);
    return this.#map(x, bit, { k: 1, scale: 0 });
  }

  segment(x: Wire, t: number, table: ExactTable, k: number): Wire {
    return this.table(this.shift(x, t), table, k);
  }

  sign(x: Wire): Wire {
    return this.#map(x, (v) => (v >> BigInt(x.k - 1)) & 1n, { k: 1, scale: 0 });
  }

  polynomial(
    x: Wire,
    { segments, degree, t, s1, s2, guard, coefficients }: PiecewisePolynomial,
    k: number,
    how: Selected = {},
  ): Wire {
    const value = (v: bigint): bigint => {
      const i = Number(v >> BigInt(t)) % segments;
      const low = v & ringMask(t);
      let sum = 0n;
      for (let q = degree; q >= 0; q--) sum = ((sum * low) >> BigInt(t)) + coefficients[(degree + 1) * i + q];
      return (sum << BigInt(s2)) >> BigInt(guard);
    };
    return this.#selected(this.#map(x, value, { k, scale: s1 + s2 }), how);
  }

  exponential(x: Wire, gate: Wire, s1: number, s2: number, { k = 64, ...how }: ExponentialOptions = {}): Wire {
    const scale = 2 ** (s1 + s2);
    const value = (v: bigint, i: number) =>
      this.#of(gate)[i] === 0n ? 0n : BigInt(Math.round(scale * Math.exp(Number(BigInt.asIntN(25, v)) / 2 ** 20)));
    return this.#selected(this.#map(x, value, { k, scale: s1 + s2 }), how);
  }

  cosines(terms: readonly GatedCosines[], k: number, how: Selected = {}): Wire {
    const value = ({ x, sum, gate }: GatedCosines, i: number): bigint => {
      if (gate !== undefined && this.#of(gate)[i] === 0n) return 0n;
      const v = BigInt.asIntN(x.k, this.#of(x)[i]);
      const quarter = sum.odd ? 2 ** 18 : 0;
      return sum.terms.reduce(
        (total, { frequency, amplitude }) => {
          const turns = (((frequency * Number(BigInt.asUintN(20, v))) % 2 ** 20) - quarter) / 2 ** 20;
          return total + BigInt(Math.round(amplitude * 2 ** (sum.scale - 24) * Math.cos(2 * Math.PI * turns)));
        },
        (sum.constant + (sum.linear ? v : 0n)) << BigInt(sum.shift),
      );
    };
    const [{ x, sum }] = terms;
    const total = (_v: bigint, i: number) => terms.reduce((sum, term) => sum + value(term, i), 0n);
    return this.#selected(this.#map(x, total, { k, scale: sum.scale }), how);
  }

  choose(bits: readonly Wire[], values: readonly Wire[], pick: Uint8Array, how: Selected = {}): Wire {
    const chosen = this.#map(values[0], (_v, i) => {
      const name = pick[this.#joint(bits, i)];
      return name === 255 ? 0n : this.#of(values[name])[i];
    });
    return this.#selected(chosen, how);
  }

  chooseSum(choices: readonly Choosing[], how: Selected = {}): Wire {
    const sum = choices
      .map(({ bits, values, pick, raise = 0 }) =>
        this.raise(this.choose(bits, values, pick), raise, values[0].k + raise),
      )
      .reduce((all, x) => this.add(all, x));
    return this.#selected(sum, how);
  }

  #selected(x: Wire, { drop = 0, widen }: Selected): Wire {
    const rounded = this.shift(x, drop);
    return widen === undefined ? rounded : this.widen(rounded, widen);
  }

  section<T>(_name: string, body: () => T): T {
    return body();
  }

  block(_key: string, _operands: readonly Wire[], build: () => readonly Wire[]): readonly Wire[] {
    return build();
  }

  #joint(bits: readonly Wire[], i: number): number {
    return bits.reduce((joint, bit, b) => joint | (Number(this.#of(bit)[i]) << b), 0);
  }

  #of(x: Wire): bigint[] {
    return this.#values[x.id];
  }

  #map(x: Wire, f: (v: bigint, i: number) => bigint, change: { k?: number; scale?: number } = {}): Wire {
    return this.#wire(this.#of(x).map(f), x.shape, change.k ?? x.k, change.scale ?? x.scale);
  }

  #wire(values: readonly bigint[], shape: readonly number[], k: number, scale: number): Wire {
    invariant(values.length === countOf(shape), 'the oracle made a wrong number of values');
    this.#values.push(values.map((v) => BigInt.asUintN(k, v)));
    return {
      id: this.#values.length - 1,
      shape,
      count: values.length,
      k,
      scale,
      kind: 'masked',
      readyA: 0,
      readyL2: AHEAD,
      readyY: undefined,
    };
  }
}
