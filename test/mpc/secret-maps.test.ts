/**
 * Affine maps with secret weights (PROTOCOL §4.4): exact against integers at the edges of the ring, right in the mean
 * behind a shift, ready when their operands are, and the views of two in a row over every mask of a toy ring.
 */
import { describe, expect, it } from 'vitest';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import type { RingKernels, Stream } from '../../src/compute/kernels/types.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { strided } from '../../src/compute/pattern.ts';
import { type Words, signedAt, wordAt, wordsFrom } from '../../src/compute/ring.ts';
import { PURPOSES, type Purpose } from '../../src/mpc/prg/gate-id.ts';
import type { Circuit } from '../../src/mpc/protocol/frame/circuit.ts';
import { CircuitBuilder } from '../../src/mpc/protocol/semi-honest/circuit.ts';
import type { ParameterView, Part } from '../../src/mpc/protocol/frame/party.ts';
import type { Gates, Parameter } from '../../src/mpc/protocol/types.ts';
import { AHEAD } from '../../src/mpc/share/wire.ts';
import { type ClearParameter, parameterView } from '../support/parameters.ts';
import { record, simulate } from '../support/simulate.ts';
import { unmasked } from '../support/unmasked.ts';

const wasm = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });

// ── arithmetic ───────────────────────────────────────────────────────────────

/** Words at both ends of the ring, and between. */
const EDGES = [0n, 1n, -1n, (1n << 63n) - 1n, 1n << 63n, (1n << 32n) + 1n, -(1n << 40n), 0x9e3779b97f4a7c15n];
const edge = (i: number) => EDGES[i % EDGES.length];
const [ROWS, INNER, COLS] = [4, 6, 5];
const parameter = (name: string, rows: number, cols: number, scale = 0): Parameter => ({ name, rows, cols, scale });
const MAP: ClearParameter = {
  parameter: parameter('map', INNER, COLS),
  values: Array.from({ length: INNER * COLS }, (_, i) => edge(3 * i + 1)),
};
const DIAGONAL: ClearParameter = { parameter: parameter('diagonal', 1, COLS), values: EDGES.slice(1, 1 + COLS) };
const BIAS: ClearParameter = { parameter: parameter('bias', 1, COLS), values: EDGES.slice(2, 2 + COLS) };
const secret = (all: readonly ClearParameter[], kernels: RingKernels = wasm) =>
  ({
    weights: 'secret',
    kernels: () => kernels,
    parameters: (id: 0 | 1 | 2, on: RingKernels) => parameterView('secret', id, on, all),
  }) as const;

describe('a map with secret weights', () => {
  it.each([
    ['wasm', wasm],
    ['reference', new ReferenceKernels()],
  ] as const)('is the sum over the integers, mod 2^64, at the edges of the ring: %s', async (_name, kernels) => {
    const x = Array.from({ length: ROWS * INNER }, (_, i) => edge(5 * i + 2));
    const y = Array.from({ length: ROWS * COLS }, (_, i) => edge(7 * i + 3));
    const { outputs } = await simulate(
      (g) => {
        const terms = [
          { x: g.input('x', [ROWS, INNER], 64, 0), weight: MAP.parameter },
          { x: g.input('y', [ROWS, COLS], 64, 0), weight: DIAGONAL.parameter, diagonal: true },
        ];
        g.output('out', g.affine(terms, BIAS.parameter));
      },
      { tensors: { x: wordsFrom(x, 64), y: wordsFrom(y, 64) }, indices: {} },
      { ...secret([MAP, DIAGONAL, BIAS], kernels), seed: 3 },
    );
    const want = y.map((value, at) => {
      const [row, col] = [Math.floor(at / COLS), at % COLS];
      const own = value * DIAGONAL.values[col] + BIAS.values[col];
      const sum = MAP.values.reduce(
        (total, w, i) => (i % COLS === col ? total + x[row * INNER + Math.floor(i / COLS)] * w : total),
        own,
      );
      return BigInt.asUintN(64, sum);
    });
    expect(want.map((_, i) => wordAt(outputs.get('out') as Words, i))).toEqual(want);
  });

  it.each([1, 5, 8])('has halves of %i rows, and is right where few bits of it are read', async (inner) => {
    const W: ClearParameter = {
      parameter: parameter('w', inner, COLS),
      values: Array.from({ length: inner * COLS }, (_, i) => edge(3 * i + 1)),
    };
    const x = Array.from({ length: ROWS * inner }, (_, i) => edge(5 * i + 2));
    const exact = Array.from({ length: ROWS * COLS }, (_, at) =>
      W.values.reduce(
        (sum, w, i) =>
          i % COLS === at % COLS ? sum + x[Math.floor(at / COLS) * inner + Math.floor(i / COLS)] * w : sum,
        0n,
      ),
    );
    for (const k of [64, 40, 20]) {
      const { outputs } = await simulate(
        (g) => g.output('out', g.reduce(g.affine([{ x: g.input('x', [ROWS, inner], 64, 0), weight: W.parameter }]), k)),
        { tensors: { x: wordsFrom(x, 64) }, indices: {} },
        { ...secret([W]), seed: 5 + k },
      );
      const out = outputs.get('out') as Words;
      expect(exact.map((_, i) => wordAt(out, i))).toEqual(exact.map((value) => BigInt.asUintN(k, value)));
    }
  });

  it('is the same where masks are drawn as vectors, as on a device', async () => {
    const x = Array.from({ length: ROWS * INNER }, (_, i) => edge(5 * i + 2));
    let drawn = 0;
    const seen = (given: RingKernels, without: boolean): RingKernels =>
      new Proxy(given, {
        get: (target, name) => {
          if (name === 'scope') return () => seen(target.scope(), without);
          if (name === 'matmulDrawn' && without) return undefined;
          if (name === 'matmulDrawn') drawn++;
          const value = Reflect.get(target, name, target) as unknown;
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    const run = async (kernels: RingKernels) => {
      const { messages } = await record(
        (g) => g.output('out', g.affine([{ x: g.input('x', [ROWS, INNER], 64, 0), weight: MAP.parameter }])),
        { tensors: { x: wordsFrom(x, 64) }, indices: {} },
        { ...secret([MAP], kernels), seed: 6 },
      );
      return messages.map(({ tag, bytes }) => [tag, Buffer.from(bytes).toString('hex')]);
    };
    const vectors = await run(seen(wasm, true));
    expect(drawn).toBe(0);
    expect(await run(seen(wasm, false))).toEqual(vectors);
    expect(drawn).toBeGreaterThan(0);
  });

  it('is right in the mean behind a shift, to 0.02 of its unit, and one of the two neighbours', async () => {
    const [N, drop] = [20_000, 6];
    const W: ClearParameter = { parameter: parameter('w', 1, 1), values: [3n] };
    const x = Array.from({ length: N }, (_, i) => ((i * 7919) % 4001) - 2000);
    const { outputs } = await simulate(
      (g) => {
        const wide = g.reshape(g.widen(g.input('x', [N], 16, 0), 64), [N, 1]);
        g.output('out', g.shift(g.affine([{ x: wide, weight: W.parameter }]), drop));
      },
      { tensors: { x: wordsFrom(x, 16) }, indices: {} },
      { ...secret([W]), seed: 4 },
    );
    const out = outputs.get('out') as Words;
    const errors = x.map((value, i) => Number(signedAt(out, i)) - (3 * value) / 2 ** drop);
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(1);
    expect(Math.abs(errors.reduce((sum, error) => sum + error, 0) / N)).toBeLessThan(0.02);
  });
});

describe('its messages', () => {
  const build = (g: Gates) => {
    const first = g.affine([{ x: g.input('x', [2, 1], 64, 0), weight: parameter('w', 1, 1) }]);
    return { first, wide: g.widen(g.shift(first, 40), 64) };
  };

  it('are none: P1 has its part when it has a, P2 when it has y', () => {
    const g = new CircuitBuilder('secret');
    const { first, wide } = build(g);
    expect([first.kind, first.readyA, first.readyL2]).toEqual(['additive', 0, 1]);
    expect(wide.readyA).toBe(2);
    const [gate] = g.finish().gates.filter(({ relation }) => relation === 'affine');
    expect([gate.half12, gate.half21, gate.cost]).toEqual([undefined, undefined, { p0ToP2Ahead: 16 }]);
  });

  it('behind a selection that is widened at once P1 is first: a lift of the result waits for no round of its own', () => {
    const g = new CircuitBuilder('secret');
    const [x, bit] = [g.input('x', [2, 1], 20, 0), g.input('bit', [2, 1], 1, 0)];
    const wide = g.choose([bit], [x], Uint8Array.of(0, 255), { widen: 64 });
    const rows = g.affine([{ x: wide, weight: parameter('w', 1, 1) }]);
    expect([wide.readyA, rows.readyA, rows.readyL2]).toEqual([2, 2, 3]);
    expect(g.lift(g.reduce(rows, 30)).readyY).toBe(3);
  });

  it('of rows that are put in another order, or of a few of them, are sent as early as those of all', () => {
    const g = new CircuitBuilder('secret');
    const wide = g.widen(g.input('x', [4, 1], 20, 0), 64);
    const of = (x: typeof wide) => g.affine([{ x, weight: parameter('w', 1, 1) }]).readyL2;
    expect([of(wide), of(g.gather(wide, strided(1, [2, 2]), [2, 1]))]).toEqual([1, 1]);
  });

  it('of a masked operand wait for the input: P2 has no part ahead', () => {
    const g = new CircuitBuilder('secret');
    const { first } = build(g);
    expect(g.reshare(first).readyA).toBe(2);
    expect(first.readyL2).not.toBe(AHEAD);
  });
});

// ── views, over every mask ───────────────────────────────────────────────────

/** Z_2^3 as the multiples of 2^61: what is added, and multiplied by integers, stays in it, and so do all messages. */
const TOP = 61n;
const BITS = 3;
/** Gates of input → map → map → output, in order. */
const [INPUT, LIFT, MAP1, RESHARED, LIFTED, MAP2, OPENED] = [0, 1, 2, 3, 4, 5, 6];
const DRAWS = {
  l2: `${INPUT} mask2`,
  l1: `${LIFT} mask1`,
  cross: `${MAP1} cross`,
  l2Reshared: `${RESHARED} mask2`,
  l1Lifted: `${LIFTED} mask1`,
  crossAgain: `${MAP2} cross`,
  l2Opened: `${OPENED} mask2`,
} as const;
type Name = 'x' | keyof typeof DRAWS;
type Columns = Readonly<Record<Name, readonly number[]>>;

/** All combinations, a column each: elements are independent, so one run tries them all. */
function combinations(ranges: Columns): Columns {
  const names = Object.keys(ranges) as Name[];
  const total = names.reduce((product, name) => product * ranges[name].length, 1);
  let every = 1;
  const columns = names.map((name) => {
    const [range, each] = [ranges[name], every];
    every *= range.length;
    return [name, Array.from({ length: total }, (_, i) => range[Math.floor(i / each) % range.length])] as const;
  });
  return Object.fromEntries(columns) as Record<Name, number[]>;
}

const raised = (values: readonly number[]): Words =>
  wordsFrom(
    values.map((value) => BigInt(value) << TOP),
    64,
  );

/** Reference kernels whose masks are those of the columns. */
class ToldKernels extends ReferenceKernels {
  readonly #columns: Columns;

  constructor(columns: Columns) {
    super();
    this.#columns = columns;
  }

  override async draw({ nonce }: Stream): Promise<Words> {
    const view = new DataView(nonce.buffer, nonce.byteOffset, nonce.byteLength);
    const purpose = (Object.keys(PURPOSES) as Purpose[]).find((name) => PURPOSES[name] === view.getUint8(10));
    const address = `${view.getUint32(4, true)} ${purpose}`;
    const name = (Object.keys(DRAWS) as (keyof typeof DRAWS)[]).find((each) => DRAWS[each] === address);
    return raised(this.#columns[name as keyof typeof DRAWS]);
  }
}

/** A weight and its masks: small integers, the same for both maps. M is W + L1 + L2. */
interface Weight {
  readonly w: number;
  readonly l1: number;
  readonly l2: number;
}

function viewOf({ w, l1, l2 }: Weight, kernels: RingKernels): ParameterView {
  const m = w + l1 + l2;
  const words: Partial<Record<Part, number>> = { m, l1, l2, 'm-l1': m - l1, 'm-l2': m - l2, 'l1+l2': l1 + l2 };
  // Of a row there is one half: a zero is the other.
  const matrices: Partial<Record<Part, readonly [number, number]>> = { 'αm-l1': [-l1, -m], 'βm-l2': [m - l2, m] };
  return {
    weights: 'secret',
    matrix: async (_parameter, part) =>
      kernels.loadMatrix(wordsFrom(matrices[part] ?? [], 64).data as BigUint64Array, 2, 1),
    words: async (_kernels, _parameter, part, rows = [0]) =>
      wordsFrom(
        rows.map(() => words[part] ?? Number.NaN),
        64,
      ),
  };
}

/** What the messages of a run were, one word of Z_2^3 an element, and its result. */
async function ran(columns: Columns, weight: Weight, alter?: (circuit: Circuit) => Circuit) {
  const kernels = new ToldKernels(columns);
  const { simulation, messages } = await record(
    (g) => {
      const first = g.affine([{ x: g.input('x', [columns.x.length, 1], 64, 0), weight: parameter('first', 1, 1) }]);
      g.output('out', g.affine([{ x: first, weight: parameter('second', 1, 1) }]));
    },
    { tensors: { x: raised(columns.x) }, indices: {} },
    {
      weights: 'secret',
      parameters: (_id, on) => viewOf(weight, on),
      kernels: () => kernels,
      seed: 1,
      ...(alter === undefined ? {} : { alter }),
    },
  );
  const small = (words: Words) => columns.x.map((_, i) => Number(wordAt(words, i) >> TOP));
  const words = async (tag: string) => {
    const sent = messages.filter((message) => message.tag === tag);
    expect(sent.length, tag).toBeGreaterThan(0);
    return small(await kernels.unpack(Buffer.concat(sent.map(({ bytes }) => bytes)), 64, columns.x.length));
  };
  return { words, out: small(simulation.outputs.get('out') as Words), gates: simulation.circuit.gates };
}

/** How often a view has each of its values, for every x. */
function distributions(x: readonly number[], view: readonly (readonly number[])[]): Set<string> {
  const counts = new Map<number, Map<string, number>>();
  x.forEach((value, i) => {
    const of = counts.get(value) ?? new Map<string, number>();
    const row = view.map((column) => column[i]).join();
    of.set(row, (of.get(row) ?? 0) + 1);
    counts.set(value, of);
  });
  const text = (of: Map<string, number>) =>
    [...of]
      .map(([row, n]) => `${row}:${n}`)
      .sort((a, b) => (a < b ? -1 : 1))
      .join(' ');
  return new Set([...counts.values()].map(text));
}

const below = (n: number) => Array.from({ length: n }, (_, i) => i);
const ALL = below(2 ** BITS);
const TEXTS = [0, 1, 3, 6];

/** P1 has M and L1; weights differ in L2 alone, so that these are the same. */
const OF_P1: readonly Weight[] = [
  { w: 1, l1: 6, l2: 4 },
  { w: 3, l1: 6, l2: 2 },
];
const OF_P2: readonly Weight[] = [
  { w: 1, l1: 6, l2: 4 },
  { w: 3, l1: 4, l2: 4 },
];

async function alikeToP1(alter?: (circuit: Circuit) => Circuit): Promise<boolean> {
  const own = { l1: [5], cross: [2], l1Lifted: [1, 4], crossAgain: [7] };
  const columns = combinations({ x: TEXTS, ...own, l2: ALL, l2Reshared: ALL, l2Opened: ALL });
  const seen = new Set<string>();
  for (const weight of OF_P1) {
    const { words } = await ran(columns, weight, alter);
    const messages = [
      await words(`input-input/${INPUT}`),
      await words(`reshare-21/${RESHARED}`),
      await words(`reshare-21/${OPENED}`),
    ];
    for (const one of distributions(columns.x, [columns.l1Lifted, ...messages])) seen.add(one);
  }
  return seen.size === 1;
}

async function alikeToP2(alter?: (circuit: Circuit) => Circuit): Promise<boolean> {
  const own = { l2: [3], l2Reshared: [5], l2Opened: [0, 6] };
  const columns = combinations({ x: TEXTS, ...own, l1: ALL, cross: ALL, l1Lifted: ALL, crossAgain: ALL });
  const seen = new Set<string>();
  for (const weight of OF_P2) {
    const { words } = await ran(columns, weight, alter);
    const messages = [
      await words(`affine-deal/${MAP1}`),
      await words(`affine-deal/${MAP2}`),
      await words(`lift-12/${LIFT}`),
      await words(`lift-12/${LIFTED}`),
    ];
    for (const one of distributions(columns.x, [columns.l2Opened, ...messages])) seen.add(one);
  }
  return seen.size === 1;
}

describe('two maps in a row on Z_2^3, over all masks', () => {
  it('are the gates that these columns are told to, and right for every mask', async () => {
    const own = { l2: ALL, l1: ALL, cross: [0, 5], l2Reshared: ALL, l1Lifted: [3], crossAgain: [6], l2Opened: [1] };
    const columns = combinations({ x: TEXTS, ...own });
    const { gates, out } = await ran(columns, OF_P1[1]);
    expect(gates.map(({ relation }) => relation)).toEqual([
      ...['input', 'lift', 'affine', 'reshare', 'lift', 'affine', 'reshare', 'output'],
    ]);
    expect(out).toEqual(columns.x.map((x) => (9 * x) % 8));
  });

  it('P1 sees messages that are distributed alike for every text and every weight', async () => {
    expect(await alikeToP1()).toBe(true);
  });

  it('P1 does not when what a map gave is re-shared or opened without λ2', async () => {
    expect(await alikeToP1(unmasked(RESHARED, 'send21'))).toBe(false);
    expect(await alikeToP1(unmasked(OPENED, 'send21'))).toBe(false);
  });

  it('P2 sees messages that are distributed alike for every text and every weight', async () => {
    expect(await alikeToP2()).toBe(true);
  });

  it('P2 does not when a part is lifted without λ1, or a word of P0 comes without Γ1', async () => {
    expect(await alikeToP2(unmasked(LIFTED, 'send12'))).toBe(false);
    expect(await alikeToP2(unmasked(MAP1, 'dealP0'))).toBe(false);
  });
});
