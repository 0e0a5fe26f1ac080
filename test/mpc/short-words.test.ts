/**
 * Gates that round their result to a shorter ring (PROTOCOL §5.5): their views, over every mask of a toy ring and
 * with the gates as they are; their rounding, exact on the toy ring and by its mean on the rings in use; and that no
 * mask is drawn over another ring than that of its message.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import { basisWord, tableEntry } from '../../src/compute/kernels/reference/selection.ts';
import type { TableLayout } from '../../src/compute/kernels/table-layout.ts';
import type {
  Choice,
  PiecewisePolynomial,
  RingKernels,
  SelectionTable,
  Stream,
} from '../../src/compute/kernels/types.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { expTables } from '../../src/compute/exp-tables.ts';
import { type Vector, type Words, signedAt, wordAt, wordsFrom } from '../../src/compute/ring.ts';
import { toHex } from '../../src/core/bytes.ts';
import { PURPOSES, type Purpose } from '../../src/mpc/prg/gate-id.ts';
import type { Circuit } from '../../src/mpc/protocol/frame/circuit.ts';
import { drawId, tagOf } from '../../src/mpc/protocol/frame/gate.ts';
import { prgOf } from '../../src/mpc/protocol/frame/party.ts';
import { ProductGate } from '../../src/mpc/protocol/semi-honest/product.ts';
import { SelectGate } from '../../src/mpc/protocol/semi-honest/select.ts';
import { SEMI_HONEST } from '../../src/mpc/protocol/registry.ts';
import type { Gates, Inputs } from '../../src/mpc/protocol/types.ts';
import { type OneTimeMask, Masked } from '../../src/mpc/share/masked.ts';
import { Random } from '../compute/kernels.suite.ts';
import { record, simulate } from '../support/simulate.ts';

const wasm = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });

// ── every mask of a toy ring ─────────────────────────────────────────────────

/** Ring of the toy. */
const K = 3;
const DROPS = [0, 1, 2] as const;

/** All combinations, as one column a name: elements of a vector are independent, so one run tries them all. */
function combinations<N extends string>(ranges: Readonly<Record<N, readonly number[]>>): Record<N, number[]> {
  const names = Object.keys(ranges) as N[];
  const total = names.reduce((product, name) => product * ranges[name].length, 1);
  const columns = Object.fromEntries(names.map((name) => [name, new Array<number>(total)])) as Record<N, number[]>;
  for (let i = 0; i < total; i++) {
    let rest = i;
    for (const name of names) {
      const range = ranges[name];
      columns[name][i] = range[rest % range.length];
      rest = Math.floor(rest / range.length);
    }
  }
  return columns;
}

const below = (n: number) => Array.from({ length: n }, (_, i) => i);

/** What a draw of a gate gives: one word for each element, or the pads of the chosen entry. */
type Draws = (gate: number, purpose: Purpose, index: number) => number;

/** Reference kernels whose masks and pads are told. */
class ToldKernels extends ReferenceKernels {
  readonly #draws: Draws;
  /** The entry that P2 chooses. The other entries have pads of their own, independent of all else: 0 here. */
  readonly #chosen: readonly number[];

  constructor(draws: Draws, chosen: readonly number[] = []) {
    super();
    this.#draws = draws;
    this.#chosen = chosen;
  }

  override async draw(stream: Stream, k: number, count: number): Promise<Words> {
    const { gate, purpose } = placeOf(stream);
    return wordsFrom(
      Array.from({ length: count }, (_, i) => this.#draws(gate, purpose, i)),
      k,
    );
  }

  #pad(stream: Stream, i: number, j: number, p: number): bigint {
    return this.#chosen[i] === j ? BigInt(this.#draws(placeOf(stream).gate, 'pad', 2 * i + p)) : 0n;
  }

  override async selectionTable(
    table: SelectionTable<Words>,
    { k, n, widths }: TableLayout,
    stream: Stream,
    from: number,
    to: number,
  ): Promise<Uint8Array> {
    const P = widths.length;
    const words: bigint[] = [];
    for (let i = from; i < to; i++)
      for (let j = 0; j < n; j++)
        for (let p = 0; p < P; p++) words.push(tableEntry(table, TABLES, i, j)[p] + this.#pad(stream, i, j, p));
    return this.pack(wordsFrom(words, k));
  }

  override async dealSelection(
    choice: Choice<Words>,
    { k, widths }: TableLayout,
    stream: Stream,
    r0: Words,
  ): Promise<Words> {
    const P = widths.length;
    return wordsFrom(
      Array.from(choice.index.data, Number).map((index, i) =>
        below(P).reduce((sum, p) => sum - this.#pad(stream, i, index, p) * basisWord(choice, i, P, p), -wordAt(r0, i)),
      ),
      k,
    );
  }
}

const TABLES = expTables();

function placeOf({ nonce }: Stream): { readonly gate: number; readonly purpose: Purpose } {
  const view = new DataView(nonce.buffer, nonce.byteOffset, nonce.byteLength);
  const purpose = (Object.keys(PURPOSES) as Purpose[]).find((name) => PURPOSES[name] === view.getUint8(10));
  return { gate: view.getUint32(4, true), purpose: purpose as Purpose };
}

interface Ran {
  readonly out: Words;
  /** Words of the message under a tag. */
  words(tag: string, k: number, count: number): Promise<readonly number[]>;
}

async function ran(build: (g: Gates) => void, inputs: Inputs, kernels: ReferenceKernels): Promise<Ran> {
  const { simulation, messages } = await record(build, inputs, { kernels: () => kernels, seed: 1 });
  return {
    out: simulation.outputs.get('out') as Words,
    words: async (tag, k, count) => {
      const bytes = messages.filter((message) => message.tag === tag).map((message) => message.bytes);
      return Array.from((await kernels.unpack(Buffer.concat(bytes), k, count)).data, Number);
    },
  };
}

/** Whether a view, the columns together, is distributed alike for every secret. */
function alike(secrets: readonly (readonly number[])[], view: readonly (readonly number[])[]): boolean {
  const bySecret = new Map<string, string[]>();
  for (let i = 0; i < secrets[0].length; i++) {
    const secret = secrets.map((column) => column[i]).join();
    const seen = bySecret.get(secret) ?? [];
    seen.push(view.map((column) => column[i]).join());
    bySecret.set(secret, seen);
  }
  expect(bySecret.size).toBeGreaterThan(7);
  return new Set([...bySecret.values()].map((seen) => seen.sort().join(' '))).size === 1;
}

/** Low bits that a mask lacks, beside what its gate drops. */
interface Sparse {
  readonly r0?: number;
  readonly l2?: number;
}

const cleared = (value: number, bits = 0) => (value >> bits) << bits;

/** Gates of the circuits below: two inputs, then the gate. */
const [FIRST, SECOND] = [0, 1];

/** bit ? 0 : x over Z_2^3, two entries of two words, with the masks in `columns`. */
async function selection(
  columns: Readonly<Record<'bit' | 'x' | 'lBit' | 'lX' | 'w0' | 'w1' | 'r0' | 'l2', readonly number[]>>,
  drop: number,
  sparse: Sparse,
): Promise<Ran> {
  const draws: Draws = (gate, purpose, i) => {
    if (gate === FIRST) return columns.lBit[i];
    if (gate === SECOND) return columns.lX[i];
    if (purpose === 'pad') return (i % 2 === 0 ? columns.w0 : columns.w1)[i >> 1];
    return purpose === 'zero' ? cleared(columns.r0[i], sparse.r0) : cleared(columns.l2[i], sparse.l2);
  };
  const N = columns.x.length;
  return ran(
    (g) => {
      const [bit, x] = [g.input('bit', [N], 1, 0), g.input('x', [N], K, 0)];
      g.output('out', g.choose([bit], [x], Uint8Array.of(0, 255), { drop }));
    },
    { tensors: { bit: wordsFrom(columns.bit, 1), x: wordsFrom(columns.x, K) }, indices: {} },
    new ToldKernels(draws, columns.lBit),
  );
}

const WORDS = below(1 << K);
/** Enough secrets to differ in every bit, and in which bits differ. */
const SECRETS = [0, 1, 3, 6];

async function selectionIsAlike(party: 1 | 2, drop: number, sparse: Sparse = {}): Promise<boolean> {
  const short = below(1 << (K - drop));
  const secret = { bit: below(2), x: SECRETS, lBit: below(2), lX: WORDS };
  if (party === 2) {
    const columns = combinations({ ...secret, w0: WORDS, w1: WORDS, r0: short, l2: [0] });
    const N = columns.x.length;
    const { words } = await selection(columns, drop, sparse);
    const table = await words('select-12/2', K, 4 * N);
    const chosen = (p: number) => columns.lBit.map((c, i) => table[4 * i + 2 * c + p]);
    const word = await words('select-deal/2', K - drop, N);
    return alike([columns.bit, columns.x], [columns.lBit, columns.lX, chosen(0), chosen(1), word]);
  }
  // P1's pads and r0 are its own: for each of some, over the masks that it does not know.
  const columns = combinations({ ...secret, w0: [0, 5], w1: [0, 3], r0: short, l2: short });
  const { bit, x, lBit, lX, w0, w1, r0 } = columns;
  const message = await (await selection(columns, drop, sparse)).words('select-21/2', K - drop, x.length);
  const a = [bit.map((b, i) => b ^ lBit[i]), x.map((v, i) => (v + lX[i]) % 8)];
  return alike([bit, x], [...a, w0, w1, r0, message]);
}

/** x·y over Z_2^3. */
async function product(
  columns: Readonly<Record<'x' | 'y' | 'l2x' | 'l2y' | 'l1x' | 'l1y' | 'cross' | 'l2', readonly number[]>>,
  drop: number,
  sparse: Sparse,
): Promise<Ran> {
  const N = columns.x.length;
  const draws: Draws = (gate, purpose, i) => {
    if (gate === FIRST) return columns.l2x[i];
    if (gate === SECOND) return columns.l2y[i];
    if (purpose === 'mask1') return (gate === 2 ? columns.l1x : columns.l1y)[i];
    return purpose === 'cross' ? cleared(columns.cross[i], sparse.r0) : cleared(columns.l2[i], sparse.l2);
  };
  return ran(
    (g) => g.output('out', g.mul(g.input('x', [N], K, 0), g.input('y', [N], K, 0), { drop })),
    { tensors: { x: wordsFrom(columns.x, K), y: wordsFrom(columns.y, K) }, indices: {} },
    new ToldKernels(draws),
  );
}

async function productIsAlike(party: 1 | 2, drop: number, sparse: Sparse = {}): Promise<boolean> {
  const short = below(1 << (K - drop));
  const secret = { x: SECRETS, y: [1, 2, 5] };
  if (party === 2) {
    const masks = { l2x: [0, 3], l2y: [1, 6], l1x: WORDS, l1y: WORDS, cross: short, l2: [0] };
    const columns = combinations({ ...secret, ...masks });
    const { x, y, l2x, l2y } = columns;
    const { words } = await product(columns, drop, sparse);
    const messages = [
      await words('lift-12/2', K, x.length),
      await words('lift-12/3', K, x.length),
      await words('product-deal/4', K - drop, x.length),
    ];
    return alike([x, y], [l2x, l2y, ...messages]);
  }
  const masks = { l2x: WORDS, l2y: WORDS, l1x: [0, 3, 6], l1y: [1, 4], cross: [0, 1], l2: short };
  const columns = combinations({ ...secret, ...masks });
  const { x, y, l2x, l2y, l1x, l1y, cross } = columns;
  const message = await (await product(columns, drop, sparse)).words('product-21/4', K - drop, x.length);
  const a = [x.map((v, i) => (v + l2x[i]) % 8), y.map((v, i) => (v + l2y[i]) % 8)];
  return alike([x, y], [...a, l1x, l1y, cross, message]);
}

describe('short gates on Z_2^3, over all masks', () => {
  it.each(DROPS)(
    'drop %i: P2 sees a selection alike for every secret; with an r0 that lacks a bit it does not',
    async (drop) => {
      expect(await selectionIsAlike(2, drop)).toBe(true);
      expect(await selectionIsAlike(2, drop, { r0: 1 })).toBe(false);
    },
  );

  it.each(DROPS)('drop %i: P1 sees a selection alike; with a λ2 that lacks a bit it does not', async (drop) => {
    expect(await selectionIsAlike(1, drop)).toBe(true);
    expect(await selectionIsAlike(1, drop, { l2: 1 })).toBe(false);
  });

  it.each(DROPS)('drop %i: P2 sees a product alike; with a Γ1 that lacks a bit it does not', async (drop) => {
    expect(await productIsAlike(2, drop)).toBe(true);
    expect(await productIsAlike(2, drop, { r0: 1 })).toBe(false);
  });

  it.each(DROPS)('drop %i: P1 sees a product alike; with a λ2 that lacks a bit it does not', async (drop) => {
    expect(await productIsAlike(1, drop)).toBe(true);
    expect(await productIsAlike(1, drop, { l2: 1 })).toBe(false);
  });

  it.each(DROPS)(
    'drop %i: a selection is ⌊(f + ρ)/2^d⌋ with ρ uniform: either neighbour, and right in the mean, exactly',
    async (drop) => {
      const masks = { lBit: below(2), lX: WORDS, w0: WORDS, w1: WORDS, r0: [1], l2: [0] };
      const columns = combinations({ bit: below(2), x: WORDS, ...masks });
      const { out } = await selection(columns, drop, {});
      const up = new Map<number, number>();
      const times = new Map<number, number>();
      for (let i = 0; i < columns.x.length; i++) {
        const f = columns.bit[i] === 1 ? 0 : columns.x[i];
        const above = (Number(wordAt(out, i)) - (f >> drop) + 8) % (8 >> drop);
        expect(above === 0 || (above === 1 && f % (1 << drop) > 0), `f ${f}: ${above}`).toBe(true);
        up.set(f, (up.get(f) ?? 0) + above);
        times.set(f, (times.get(f) ?? 0) + 1);
      }
      for (const [f, count] of times) expect(up.get(f), `f = ${f}`).toBe((count * (f % (1 << drop))) / (1 << drop));
    },
  );
});

// ── rounding on the rings in use ─────────────────────────────────────────────

const N = 20_000;
const { maxErrorUlp: ONCE, maxProductErrorUlp: THRICE } = SEMI_HONEST.truncation;
/** Means of N roundings: the standard deviation of one is at most half an ulp. */
const MEAN = 0.02;

/** Errors of a short gate in its ulps, against the exact value in units of the long ring. */
async function errors(
  build: (g: Gates) => ReturnType<Gates['mul']>,
  inputs: Readonly<Record<string, Words>>,
  exact: (i: number) => bigint,
  drop: number,
): Promise<number[]> {
  const { outputs } = await simulate(
    (g) => g.output('out', build(g)),
    { tensors: inputs, indices: {} },
    { kernels: () => wasm, seed: 3 },
  );
  const out = outputs.get('out') as Words;
  return Array.from(
    { length: out.data.length },
    (_, i) => Number((signedAt(out, i) << BigInt(drop)) - exact(i)) / 2 ** drop,
  );
}

const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
const deviation = (values: readonly number[]) => Math.sqrt(mean(values.map((v) => v * v)) - mean(values) ** 2);

function rounded(found: readonly number[], most: number): void {
  const [least, largest] = [Math.min(...found), Math.max(...found)];
  expect(Math.abs(mean(found)), `mean ${mean(found)}`).toBeLessThan(MEAN);
  expect(deviation(found)).toBeLessThan(0.51);
  expect([least > -most, largest < most], `${least} … ${largest}`).toEqual([true, true]);
}

/** N words below 2^bits in size, of both signs. */
function sized(seed: number, bits: number): bigint[] {
  const random = new Random(seed);
  return Array.from({ length: N }, () => random.word(bits + 1) - (1n << BigInt(bits)));
}

describe('the rounding of short gates', () => {
  it.each([
    [48, 24, 21],
    [64, 26, 29],
    [64, 38, 29],
    [16, 8, 6],
  ])('a product in Z_2^%i that drops %i: no bias, less than 1½ ulp, and no wrap', async (k, drop, bits) => {
    const [x, y] = [sized(k, bits), sized(k + drop, bits)];
    const found = await errors(
      (g) => g.mul(g.input('x', [N], k, 0), g.input('y', [N], k, 0), { drop }),
      { x: wordsFrom(x, k), y: wordsFrom(y, k) },
      (i) => x[i] * y[i],
      drop,
    );
    rounded(found, THRICE);
    // Three roundings: it does err by more than one.
    expect(Math.max(...found.map(Math.abs))).toBeGreaterThan(1);
  });

  it.each([
    [1, 63],
    [3, 3],
    [-5, 13],
  ])('a product has no bias at one and the same value, %i · %i', async (a, b) => {
    const found = await errors(
      (g) => g.mul(g.input('x', [N], 32, 0), g.input('y', [N], 32, 0), { drop: 7 }),
      { x: wordsFrom(new Array(N).fill(a), 32), y: wordsFrom(new Array(N).fill(b), 32) },
      () => BigInt(a * b),
      7,
    );
    rounded(found, THRICE);
  });

  it.each([8, 20])(
    'a choice that drops %i: no bias, less than 1 ulp, and it enters a product as it is',
    async (drop) => {
      const x = sized(drop, 30);
      const bits = Array.from({ length: N }, (_, i) => i % 2);
      const inputs = { x: wordsFrom(x, 32), bit: wordsFrom(bits, 1) };
      const chosen = (g: Gates) =>
        g.choose([g.input('bit', [N], 1, 0)], [g.input('x', [N], 32, 0)], Uint8Array.of(255, 0), { drop });
      const f = (i: number) => (bits[i] === 1 ? x[i] : 0n);
      rounded(await errors(chosen, inputs, f, drop), ONCE);
      const { outputs } = await simulate(
        (g) => {
          const value = chosen(g);
          g.output('value', value);
          g.output('square', g.mul(value, value));
        },
        { tensors: inputs, indices: {} },
        { kernels: () => wasm, seed: 4 },
      );
      const [value, square] = [outputs.get('value'), outputs.get('square')] as [Words, Words];
      for (let i = 0; i < N; i++)
        expect(wordAt(square, i)).toBe(BigInt.asUintN(32 - drop, wordAt(value, i) * wordAt(value, i)));
    },
  );

  it('a sum of choices is rounded once', async () => {
    const [x, y] = [sized(1, 28), sized(2, 28)];
    const one = wordsFrom(new Array(N).fill(1), 1);
    const found = await errors(
      (g) => {
        const bit = g.input('bit', [N], 1, 0);
        const pick = Uint8Array.of(255, 0);
        return g.chooseSum(
          ['x', 'y'].map((name) => ({ bits: [bit], values: [g.input(name, [N], 32, 0)], pick })),
          { drop: 12 },
        );
      },
      { bit: one, x: wordsFrom(x, 32), y: wordsFrom(y, 32) },
      (i) => x[i] + y[i],
      12,
    );
    rounded(found, ONCE);
  });

  it('a cubic has the mean of the long one', async () => {
    const cubic: PiecewisePolynomial = {
      segments: 16,
      degree: 3,
      t: 12,
      s1: 10,
      s2: 10,
      guard: 0,
      coefficients: BigInt64Array.from({ length: 64 }, (_, at) => (at % 4 === 0 ? BigInt(500 + at) : 0n)),
    };
    // In the middle of a segment, so that no neighbour is measured: constants, exact in the long ring.
    const found = await errors(
      (g) => g.polynomial(g.input('x', [N], 16, 0), cubic, 32, { drop: 13 }),
      { x: wordsFrom(new Array(N).fill(0), 16) },
      () => 500n << 10n,
      13,
    );
    rounded(found, ONCE);
  });

  it('an exponential is exactly 0 where its gate is, and has no bias where it is not: 127 of 128 gated, Z = e^-4', async () => {
    const [T, drop] = [128, 15];
    const rows = 200;
    const x = -4 * 2 ** 20;
    const { outputs } = await simulate(
      (g) => {
        const [argument, gate] = [g.input('x', [rows, T], 25, 20), g.input('gate', [rows, T], 1, 0)];
        const weights = g.exponential(argument, gate, 17, 17, { drop });
        g.output('weights', weights);
        g.output('total', g.sumRows(weights));
      },
      {
        tensors: {
          x: wordsFrom(new Array(rows * T).fill(x), 25),
          gate: wordsFrom(
            Array.from({ length: rows * T }, (_, i) => Number(i % T === 5)),
            1,
          ),
        },
        indices: {},
      },
      { kernels: () => wasm, seed: 5 },
    );
    const [weights, total] = [outputs.get('weights'), outputs.get('total')] as [Words, Words];
    expect([weights.k, total.k]).toEqual([64 - drop, 64 - drop]);
    expect([...weights.data].filter((word, i) => i % T !== 5 && BigInt(word) !== 0n)).toEqual([]);
    const z = Array.from({ length: rows }, (_, r) => Number(signedAt(total, r)) / 2 ** 19);
    // An ulp is 2^-19; the long exponential is within 3e-4 of a basis word.
    expect(Math.max(...z.map((v) => Math.abs(v / Math.exp(-4) - 1)))).toBeLessThan(1e-3);
    expect(Math.abs(mean(z) / Math.exp(-4) - 1)).toBeLessThan(1e-4);
  });
});

// ── masks are drawn over the ring of their message ───────────────────────────

afterEach(() => vi.restoreAllMocks());

const idOf = ({ key, nonce }: Stream) => `${toHex(key)}/${toHex(nonce)}`;

function everyShortGate(g: Gates): void {
  const [bit, x, y] = [g.input('bit', [4], 1, 0), g.input('x', [4], 32, 0), g.input('y', [4], 32, 0)];
  const chosen = g.choose([bit], [x], Uint8Array.of(255, 0), { drop: 5 });
  const product = g.mul(x, y, { drop: 9 });
  g.output('a', g.mul(g.reduce(chosen, 20), g.reduce(product, 20), { drop: 3 }));
  g.output('b', g.widen(product, 64));
  g.output('c', g.exponential(g.reduce(x, 25), bit, 17, 17, { drop: 15 }));
}

/** Gates whose messages are of another ring than the draw that masks them. */
async function misdrawn(alter: (circuit: Circuit) => Circuit = (circuit) => circuit): Promise<string[]> {
  const rings = new Map<string, Set<number>>();
  const watched: RingKernels<Words> = new Proxy(wasm, {
    get: (target, property) => {
      if (property === 'scope') return () => watched;
      const value: unknown = Reflect.get(target, property);
      if (property !== 'draw') return typeof value === 'function' ? value.bind(target) : value;
      return (stream: Stream, k: number, ...rest: [number]) => {
        rings.set(idOf(stream), (rings.get(idOf(stream)) ?? new Set()).add(k));
        return target.draw(stream, k, ...rest);
      };
    },
  });
  const sealed: [string, number][] = [];
  const { under } = Masked;
  vi.spyOn(Masked, 'under').mockImplementation((fresh: OneTimeMask, payload: Vector | Uint8Array) => {
    if (!(payload instanceof Uint8Array)) sealed.push([idOf(fresh.stream), payload.k]);
    return under.call(Masked, fresh, payload);
  });
  const word = wordsFrom([1, 2, 3, 4], 32);
  await simulate(
    everyShortGate,
    { tensors: { bit: wordsFrom([0, 1, 0, 1], 1), x: word, y: word }, indices: {} },
    { kernels: () => watched, seed: 7, alter },
  );
  vi.restoreAllMocks();
  expect(sealed.length).toBeGreaterThan(12);
  return sealed.flatMap(([id, k]) => {
    const drawn = [...(rings.get(id) ?? [])];
    return drawn.every((ring) => ring === k) && drawn.length === 1 ? [] : [`${drawn.join()} for a message of ${k}`];
  });
}

describe('a mask', () => {
  it('is drawn over the ring of its message, by every party and for every gate: nothing is drawn long and cleared', async () => {
    expect(await misdrawn()).toEqual([]);
  });

  it.each([
    ['product', ProductGate],
    ['selection', SelectGate],
  ] as const)('of a %s that is drawn long and cut is found', async (_name, kind) => {
    const long = (circuit: Circuit) => {
      for (const gate of circuit.gates) {
        if (!(gate instanceof kind) || gate.out.k === 64) continue;
        gate.send21 = async (p2) => {
          const fresh = prgOf(p2, 2).takeMask(drawId(gate, 'mask2'), gate, 'λ2');
          const long = await p2.kernels.draw(fresh.stream, gate.out.k + 1, gate.out.count);
          const cut = await p2.kernels.shiftRight(long, 1, gate.out.k);
          await p2.link(1).send(tagOf(gate, '21'), Masked.under(fresh, cut));
        };
      }
      return circuit;
    };
    expect((await misdrawn(long)).length).toBeGreaterThan(0);
  });
});
