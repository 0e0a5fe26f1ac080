/**
 * Sums of gated values (PROTOCOL §4.13): exact, in the half-round in which a selection gives the bits, hashed by how
 * many bits a value has, and views of P1 and P2 over every mask of toy rings, with every mask left out as a control.
 */
import { describe, expect, it } from 'vitest';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import type { RingKernels, Stream } from '../../src/compute/kernels/types.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { type Words, wordAt, wordsFrom } from '../../src/compute/ring.ts';
import { PURPOSES } from '../../src/mpc/prg/gate-id.ts';
import { fingerprint } from '../../src/mpc/protocol/frame/fingerprint.ts';
import { CircuitBuilder } from '../../src/mpc/protocol/semi-honest/circuit.ts';
import type { Gates, Inputs } from '../../src/mpc/protocol/types.ts';
import { isNegativeLifted } from '../../src/mpc/secure/compare.ts';
import { PlaintextGates } from '../../src/testing/oracle.ts';
import { Random } from '../compute/kernels.suite.ts';
import { thrown } from '../failure.ts';
import { record, simulate } from '../support/simulate.ts';

const wasm = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });
const COUNT = 97;

/** Values over Z_2^k with so many bits each, and one sum of them. */
function sumOf(k: number, bits: readonly number[], count = COUNT) {
  return (g: Gates & Required<Pick<Gates, 'gatedSum'>>) => {
    const terms = bits.map((many, t) => ({
      bits: Array.from({ length: many }, (_, b) => g.input(`bit ${t} ${b}`, [count], 1, 0)),
      value: g.input(`value ${t}`, [count], k, 0),
    }));
    g.output('out', g.gatedSum(terms));
  };
}

function inputsOf(k: number, bits: readonly number[]): Inputs {
  const random = new Random(k);
  const edges = [0n, 1n, -1n, 1n << BigInt(k - 1)];
  const words = (width: number) =>
    wordsFrom(
      Array.from({ length: COUNT }, (_, i) => (i < edges.length ? edges[i] : random.word(width))),
      width,
    );
  const tensors = bits.flatMap((many, t) => [
    [`value ${t}`, words(k)] as const,
    ...Array.from(
      { length: many },
      (_, b) =>
        [
          `bit ${t} ${b}`,
          wordsFrom(
            Array.from({ length: COUNT }, () => random.word(1)),
            1,
          ),
        ] as const,
    ),
  ]);
  return { tensors: Object.fromEntries(tensors), indices: {} };
}

const wordsOf = (words: Words | undefined) => Array.from({ length: COUNT }, (_, i) => wordAt(words as Words, i));
const anyGates = (build: ReturnType<typeof sumOf>) => build as (g: Gates) => void;

describe('a sum of gated values', () => {
  it.each([
    [1, [1]],
    [8, [1, 1, 1]],
    [8, [2, 2]],
    [9, [3]],
    [41, [1, 2]],
    [64, [2, 1]],
  ] as const)('over Z_2^%i with %j bits a value is the oracle’s, on both kernels', async (k, bits) => {
    const inputs = inputsOf(k, bits);
    const gates = new PlaintextGates(inputs, () => []);
    sumOf(k, bits)(gates);
    for (const kernels of [wasm, new ReferenceKernels()] as RingKernels[])
      for (let seed = 0; seed < 3; seed++) {
        const { outputs } = await simulate(anyGates(sumOf(k, bits)), inputs, { kernels: () => kernels, seed });
        expect(wordsOf(outputs.get('out'))).toEqual(wordsOf(gates.outputs.get('out')));
      }
  });

  it('takes no half-round of its own behind the selection that gives a bit', () => {
    const g = new CircuitBuilder('secret');
    const [x, v] = [g.input('x', [8], 8, 0), g.input('v', [8], 8, 0)];
    const out = g.gatedSum([{ bits: [isNegativeLifted(g, x)], value: v }]);
    expect([out.readyA, out.kind]).toEqual([2, 'masked']);
    g.output('out', out);
    // The table of signs, the lift of its top bit, that of the value; a bit and a word of P0 for either product.
    expect(g.finish().cost).toMatchObject({ rounds: 1, p1ToP2: 128 + 1 + 8, p2ToP1: 1 + 8, p0ToP2Ahead: 1 + 16 });
  });

  it('says how many bits each value has in the circuit hash', () => {
    const hash = (bits: readonly number[]) => {
      const builder = new CircuitBuilder('secret');
      sumOf(8, bits)(builder);
      return fingerprint(builder.finish());
    };
    expect(new Set([hash([1, 2]), hash([2, 1]), hash([1, 1, 1])]).size).toBe(3);
  });

  it('refuses values of other lengths or rings, and a value without a bit, ERR_INTERNAL', () => {
    const g = new CircuitBuilder('secret');
    const [bit, value, short] = [g.input('b', [2], 1, 0), g.input('v', [2], 8, 0), g.input('s', [1], 8, 0)];
    for (const terms of [
      [{ bits: [bit], value: short }],
      [{ bits: [value], value }],
      [
        { bits: [bit], value },
        { bits: [bit], value: bit },
      ],
      [{ bits: [], value }],
    ])
      thrown('ERR_INTERNAL', () => g.gatedSum(terms));
  });
});

// ── views, over every mask ───────────────────────────────────────────────────

/** A value over Z_2^k with B bits. Gates: inputs of bits and value, a lift of each, the sum, the output. */
interface Toy {
  readonly k: number;
  readonly bits: number;
}

const gateOf = ({ bits }: Toy) => 2 * (bits + 1);

/** What is enumerated: a name and the ring it is over. Inputs first, then masks by gate and purpose, then P0's words. */
function drawsOf({ k, bits }: Toy): Readonly<Record<string, number>> {
  const each = Array.from({ length: bits + 1 }, (_, i) => i);
  const ring = (i: number) => (i < bits ? 1 : k);
  return Object.fromEntries([
    ...each.map((i) => [`${i} mask2`, ring(i)] as const),
    ...each.map((i) => [`${bits + 1 + i} mask1`, ring(i)] as const),
    ...Array.from({ length: 2 * (2 ** bits - 1) }, (_, w) => [`cross ${w}`, k] as const),
    [`${2 * (bits + 1)} mask2`, k] as const,
  ]);
}

type Columns = Readonly<Record<string, readonly number[]>>;

function combinations(ranges: Columns): Columns {
  const total = Object.values(ranges).reduce((product, range) => product * range.length, 1);
  let every = 1;
  const columns = Object.entries(ranges).map(([name, range]) => {
    const each = every;
    every *= range.length;
    return [name, Array.from({ length: total }, (_, i) => range[Math.floor(i / each) % range.length])] as const;
  });
  return Object.fromEntries(columns);
}

/** Reference kernels whose masks are those of the columns. */
class ToldKernels extends ReferenceKernels {
  readonly #columns: Columns;
  readonly #sum: number;

  constructor(columns: Columns, toy: Toy) {
    super();
    this.#columns = columns;
    this.#sum = gateOf(toy);
  }

  override async draw({ nonce }: Stream, k: number, count: number, first = 0): Promise<Words> {
    const view = new DataView(nonce.buffer, nonce.byteOffset, nonce.byteLength);
    const [gate, purpose] = [view.getUint32(4, true), view.getUint8(10)];
    const n = this.#columns['value'].length;
    if (purpose !== PURPOSES.cross) {
      const name = `${gate} ${purpose === PURPOSES.mask1 ? 'mask1' : 'mask2'}`;
      return wordsFrom(this.#columns[name] ?? expect.fail(name), k);
    }
    expect(gate).toBe(this.#sum);
    const words = Array.from({ length: count / n }, (_, w) => this.#columns[`cross ${first / n + w}`]);
    return wordsFrom(words.flat(), k);
  }
}

/** What went over the links of a run, an element each, and its result. */
async function ran(columns: Columns, toy: Toy) {
  const { k, bits } = toy;
  const kernels = new ToldKernels(columns, toy);
  const n = columns['value'].length;
  const names = Array.from({ length: bits }, (_, b) => `bit ${b}`);
  const build = (g: Gates) => {
    const all = names.map((name) => g.input(name, [n], 1, 0));
    g.output('out', g.gatedSum?.([{ bits: all, value: g.input('value', [n], k, 0) }]) ?? expect.fail('no sum'));
  };
  const tensors = {
    value: wordsFrom(columns['value'], k),
    ...Object.fromEntries(names.map((name) => [name, wordsFrom(columns[name], 1)])),
  };
  const options = { weights: 'secret', kernels: () => kernels, seed: 1 } as const;
  const { simulation, messages } = await record(build, { tensors, indices: {} }, options);
  const words = async (tag: string, ring: number, each = 1) => {
    const message = messages.find((one) => one.tag === tag) ?? expect.fail(tag);
    const all = [...(await kernels.unpack(message.bytes, ring, each * n)).data].map(Number);
    return Array.from({ length: each }, (_, at) => all.slice(at * n, (at + 1) * n));
  };
  return { words, out: [...(simulation.outputs.get('out') as Words).data].map(Number) };
}

const below = (n: number) => Array.from({ length: n }, (_, i) => i);

/** Whether a view has one distribution, whatever bits and value are. `fixed` masks are no masks. */
async function alike(party: 1 | 2, toy: Toy, fixed: readonly string[] = []): Promise<boolean> {
  const { k, bits } = toy;
  const inputs = { ...Object.fromEntries(below(bits).map((b) => [`bit ${b}`, [0, 1]])), value: below(2 ** k) };
  // A party's own draws are given: those of λ1 and P0's words at P1, those of λ2 at P2.
  const own = (name: string) => name.endsWith('mask2') === (party === 2);
  const masks = Object.entries(drawsOf(toy)).map(
    ([name, ring]) => [name, own(name) ? [1] : fixed.includes(name) ? [0] : below(2 ** ring)] as const,
  );
  const columns = combinations({ ...inputs, ...Object.fromEntries(masks) });
  const { words } = await ran(columns, toy);
  const view: number[][] = [];
  for (const i of below(bits + 1)) {
    const ring = i < bits ? 1 : k;
    view.push(...(await words(party === 1 ? `input-input/${i}` : `lift-12/${bits + 1 + i}`, ring)));
  }
  const sum = gateOf(toy);
  if (party === 1) view.push(...(await words(`product-21/${sum}`, k)));
  else view.push(...(await words(`product-deal/${sum}`, k, 2 * (2 ** bits - 1))));
  const counts = new Map<string, Map<string, number>>();
  columns['value'].forEach((value, i) => {
    const text = [...below(bits).map((b) => columns[`bit ${b}`][i]), value].join();
    const of = counts.get(text) ?? new Map<string, number>();
    const row = view.map((column) => column[i]).join();
    of.set(row, (of.get(row) ?? 0) + 1);
    counts.set(text, of);
  });
  expect(counts.size).toBe(2 ** (bits + k));
  const rows = [...counts.values()].map((of) =>
    [...of]
      .map(([row, many]) => `${row}:${many}`)
      .sort((a, b) => (a < b ? -1 : 1))
      .join(' '),
  );
  return new Set(rows).size === 1;
}

describe.each([
  { k: 2, bits: 1 },
  { k: 1, bits: 2 },
])('its views on Z_2^$k with $bits bits, over all masks', (toy) => {
  const masks = Object.keys(drawsOf(toy));

  it('are alike for every value and every bit, to P1 and to P2', async () => {
    expect(await alike(1, toy)).toBe(true);
    expect(await alike(2, toy)).toBe(true);
  });

  it.each(masks.filter((name) => name.endsWith('mask2')))('no longer to P1 without %s', async (name) => {
    expect(await alike(1, toy, [name])).toBe(false);
  });

  it.each(masks.filter((name) => name.endsWith('mask1')))('no longer to P2 without %s', async (name) => {
    expect(await alike(2, toy, [name])).toBe(false);
  });

  it('no longer to P2 without the draws of P0’s words', async () => {
    expect(
      await alike(
        2,
        toy,
        masks.filter((name) => name.startsWith('cross')),
      ),
    ).toBe(false);
  });
});
