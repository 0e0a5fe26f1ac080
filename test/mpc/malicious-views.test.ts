/**
 * What a party sees under complete sharing, over every mask of toy rings and with the gates as they are: alike for
 * every secret, also where the party deviated before, and no longer where a fresh mask is missing (PROTOCOL §14.8).
 * Then what the builder, the engine and P0 refuse.
 */
import { describe, expect, it } from 'vitest';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import { basisWord, tableEntry } from '../../src/compute/kernels/reference/selection.ts';
import { expTables } from '../../src/compute/exp-tables.ts';
import type { TableLayout } from '../../src/compute/kernels/table-layout.ts';
import type { Choice, SelectionTable, Stream } from '../../src/compute/kernels/types.ts';
import { type Words, wordAt, wordsFrom } from '../../src/compute/ring.ts';
import { PURPOSES, type Purpose } from '../../src/mpc/prg/gate-id.ts';
import { CompleteBuilder } from '../../src/mpc/protocol/malicious/circuit.ts';
import { uniformBelow } from '../../src/mpc/protocol/malicious/lookup.ts';
import type { Party } from '../../src/mpc/protocol/frame/party.ts';
import { tableSelection } from '../../src/mpc/protocol/frame/selections.ts';
import { protocolInfo } from '../../src/mpc/protocol/registry.ts';
import type { Gates, Inputs } from '../../src/mpc/protocol/types.ts';
import { failure } from '../failure.ts';
import { parameterView } from '../support/parameters.ts';
import { type Tap, createParties, record, simulate } from '../support/simulate.ts';

/** Values by draw: `gate purpose`, of pads `gate pad entry`, and the inputs by name. */
type Columns = Readonly<Record<string, readonly number[]>>;

const below = (n: number) => Array.from({ length: n }, (_, i) => i);

/** All combinations, a column each: elements are independent, so one run tries them all. */
function combinations(ranges: Columns): Columns {
  const names = Object.keys(ranges);
  const total = names.reduce((product, name) => product * ranges[name].length, 1);
  let every = 1;
  return Object.fromEntries(
    names.map((name) => {
      const [range, each] = [ranges[name], every];
      every *= range.length;
      return [name, Array.from({ length: total }, (_, i) => range[Math.floor(i / each) % range.length])];
    }),
  );
}

const TABLES = expTables();

/** Reference kernels whose masks and pads are those of the columns. */
class ToldKernels extends ReferenceKernels {
  readonly #columns: Columns;

  constructor(columns: Columns) {
    super();
    this.#columns = columns;
  }

  #column({ nonce }: Stream, entry?: number): readonly number[] {
    const view = new DataView(nonce.buffer, nonce.byteOffset, nonce.byteLength);
    const purpose = (Object.keys(PURPOSES) as Purpose[]).find((name) => PURPOSES[name] === view.getUint8(10));
    const name = `${view.getUint32(4, true)} ${purpose}${entry === undefined ? '' : ` ${entry}`}`;
    const column = this.#columns[name];
    if (column === undefined) throw new Error(`nobody told the draw ${name}`);
    return column;
  }

  override async draw(stream: Stream, k: number): Promise<Words> {
    return wordsFrom(this.#column(stream), k);
  }

  override async selectionTable(
    table: SelectionTable<Words>,
    { k, n }: TableLayout,
    stream: Stream,
    from: number,
    to: number,
  ): Promise<Uint8Array> {
    const pads = below(n).map((j) => this.#column(stream, j));
    const words: bigint[] = [];
    for (let i = from; i < to; i++)
      for (let j = 0; j < n; j++) words.push(tableEntry(table, TABLES, i, j)[0] + BigInt(pads[j][i]));
    return this.pack(wordsFrom(words, k));
  }

  override async dealSelection(
    choice: Choice<Words>,
    { k, n }: TableLayout,
    stream: Stream,
    r0: Words,
  ): Promise<Words> {
    const pads = below(n).map((j) => this.#column(stream, j));
    const words = Array.from(choice.index.data, Number).map(
      (c, i) => -BigInt(pads[c][i]) * basisWord(choice, i, 1, 0) - wordAt(r0, i),
    );
    return wordsFrom(words, k);
  }
}

interface Ran {
  readonly out: Words;
  words(tag: string, k: number, count: number): Promise<readonly number[]>;
}

async function ran(columns: Columns, build: (g: Gates) => void, inputs: Inputs, tap?: Tap): Promise<Ran> {
  const kernels = new ToldKernels(columns);
  const options = {
    sharing: 'complete',
    kernels: () => kernels,
    seed: 1,
    ...(tap === undefined ? {} : { tap }),
  } as const;
  const { simulation, messages } = await record(build, inputs, options);
  return {
    out: simulation.outputs.get('out') as Words,
    words: async (tag, k, count) => {
      const bytes = messages.filter((message) => message.tag === tag).map((message) => message.bytes);
      expect(bytes.length, tag).toBeGreaterThan(0);
      return Array.from((await kernels.unpack(Buffer.concat(bytes), k, count)).data, Number);
    },
  };
}

/** Whether a view, its columns together, is distributed alike for every secret. */
function alike(secrets: readonly (readonly number[])[], view: readonly (readonly number[])[]): boolean {
  const bySecret = new Map<string, Map<string, number>>();
  for (let i = 0; i < secrets[0].length; i++) {
    const secret = secrets.map((column) => column[i]).join();
    const counts = bySecret.get(secret) ?? new Map<string, number>();
    const row = view.map((column) => column[i]).join();
    counts.set(row, (counts.get(row) ?? 0) + 1);
    bySecret.set(secret, counts);
  }
  expect(bySecret.size).toBeGreaterThan(3);
  const texts = [...bySecret.values()].map((counts) =>
    Array.from(counts, (pair) => pair.join(':'))
      .sort((a, b) => (a < b ? -1 : 1))
      .join(' '),
  );
  return new Set(texts).size === 1;
}

/** Turns over the lowest bit of every `each`-th bit of a party's message. */
function flipping(from: 1 | 2, tag: string, each: number): Tap {
  return (sender, to, name, bytes) => {
    if (sender !== from || to === 0 || name !== tag) return undefined;
    const changed = bytes.slice();
    for (let bit = 0; bit < 8 * bytes.length; bit += each) changed[bit >> 3] ^= 1 << (bit & 7);
    return changed;
  };
}

const column = (columns: Columns, ...names: readonly string[]) => names.map((name) => columns[name]);

describe('a selection on Z_2^2 with bits as words, over all masks and pads', () => {
  const FUNCTION = { bits: 2, entries: [1n, 0n, 0n, 1n] };
  const PADS = below(4).map((j) => `1 pad ${j}`);
  const pads = (values: readonly number[]) => Object.fromEntries(PADS.map((name) => [name, values]));

  async function view(party: 1 | 2, ranges: Columns = {}, tap?: Tap): Promise<boolean> {
    const own = party === 1 ? { ...pads([0]), '1 mask2': below(2) } : { ...pads(below(2)), '1 mask2': [0, 1] };
    const masks = { '0 mask1': below(4), '0 mask2': below(4), '1 zero': below(2), ...own };
    const columns = combinations({ x: below(4), ...masks, ...ranges });
    const N = columns['x'].length;
    const { words } = await ran(
      columns,
      (g) => g.output('out', g.table(g.input('x', [N], 2, 0), FUNCTION, 1)),
      { tensors: { x: wordsFrom(columns['x'], 2) }, indices: {} },
      tap,
    );
    // Both compute parties get the same m, which the tag's messages repeat.
    const m = (await words('input-input/0', 2, 2 * N)).slice(0, N);
    const seen =
      party === 1
        ? [...column(columns, '0 mask1', '1 zero'), m, await words('select-21/1', 1, N)]
        : [
            ...column(columns, '0 mask2', '1 mask2'),
            m,
            await words('select-deal/1', 1, N),
            ...(await entries(words, N)),
          ];
    return alike([columns['x']], seen);
  }

  async function entries(words: Ran['words'], N: number): Promise<number[][]> {
    const all = await words('select-12/1', 1, 4 * N);
    return below(4).map((j) => below(N).map((i) => all[4 * i + j]));
  }

  it('P1 sees the same for every x, also when it poisoned an entry of every table', async () => {
    expect(await view(1)).toBe(true);
    expect(await view(1, {}, flipping(1, 'select-12/1', 4))).toBe(true);
  });

  it('P1 does not where the answer comes without a mask', async () => {
    expect(await view(1, { '1 mask2': [0] })).toBe(false);
  });

  it('P2 sees the same for every x', async () => {
    expect(await view(2)).toBe(true);
  });

  it('P2 does not where r0, or the pads, are missing', async () => {
    expect(await view(2, { '1 zero': [0] })).toBe(false);
    expect(await view(2, pads([0]))).toBe(false);
  });
});

describe('a product and its lift on Z_2, over all masks', () => {
  async function view(party: 1 | 2, ranges: Columns = {}, tap?: Tap): Promise<boolean> {
    const names = ['0 mask1', '0 mask2', '1 mask1', '1 mask2', '2 cross', '2 mask1', '2 mask2', 'x', 'y'];
    const columns = combinations({ ...Object.fromEntries(names.map((name) => [name, below(2)])), ...ranges });
    const N = columns['x'].length;
    const { words } = await ran(
      columns,
      (g) => g.output('out', g.mul(g.input('x', [N], 1, 0), g.input('y', [N], 1, 0))),
      { tensors: { x: wordsFrom(columns['x'], 1), y: wordsFrom(columns['y'], 1) }, indices: {} },
      tap,
    );
    const inputs = [await words('input-input/0', 1, 2 * N), await words('input-input/1', 1, 2 * N)];
    const seen = inputs.map((m) => m.slice(0, N));
    const own = column(columns, ...[0, 1, 2].map((gate) => `${gate} mask${party}`));
    const more =
      party === 1
        ? [...column(columns, '2 cross'), await words('product-21/2', 1, N)]
        : [await words('product-deal/2', 1, N), await words('product-12/2', 1, N)];
    return alike(column(columns, 'x', 'y'), [...seen, ...own, ...more]);
  }

  it.each([1, 2] as const)('P%i sees the same for every x and y, also when it deviated', async (party) => {
    expect(await view(party)).toBe(true);
    expect(await view(party, {}, flipping(party, party === 1 ? 'product-12/2' : 'product-21/2', 3))).toBe(true);
  });

  it('neither does where the mask of its message is missing', async () => {
    expect(await view(1, { '2 mask2': [0] })).toBe(false);
    expect(await view(2, { '2 mask1': [0] })).toBe(false);
  });
});

describe('gates that drop a bit of Z_2^2, where P0 takes the coins of the shift behind them away', () => {
  const PADS = below(4).map((j) => `1 pad ${j}`);

  async function selection(party: 1 | 2, ranges: Columns = {}): Promise<boolean> {
    const own = party === 1 ? { '0 mask2': below(4), '1 mask2': below(4) } : { '0 mask2': [0, 3], '1 mask2': [1] };
    const pads = Object.fromEntries(PADS.map((name) => [name, party === 1 ? [1] : below(4)]));
    const masks = { '0 mask1': below(4), '1 zero': below(2), ...own, ...pads };
    const columns = combinations({ x: below(4), ...masks, ...ranges });
    const N = columns['x'].length;
    // One value that is chosen or not: a table over Z_2^2 of which a bit is dropped.
    const { words } = await ran(columns, (g) => g.output('out', short(g, g.input('x', [N], 2, 0))), {
      tensors: { x: wordsFrom(columns['x'], 2) },
      indices: {},
    });
    const m = (await words('input-input/0', 2, 2 * N)).slice(0, N);
    const all = await words('select-12/1', 2, 4 * N);
    const seen =
      party === 1
        ? [...column(columns, '0 mask1', '1 zero'), m, await words('select-21/1', 2, N)]
        : [
            ...column(columns, '0 mask2', '1 mask2'),
            m,
            await words('select-deal/1', 1, N),
            ...below(4).map((j) => below(N).map((i) => all[4 * i + j])),
          ];
    return alike([columns['x']], seen);
  }

  /** `Gates` has no table that drops bits: the smallest gate that does is made by hand. */
  const short = (g: Gates, x: ReturnType<Gates['input']>) =>
    (g as unknown as { select: (...more: readonly unknown[]) => ReturnType<Gates['input']> }).select(
      [x],
      x.shape,
      1,
      [tableSelection(x, { bits: 2, entries: [1n, 0n, 3n, 2n] }, 2)],
      { drop: 1 },
    );

  it.each([1, 2] as const)('a selection: P%i sees the same for every x', { timeout: 60_000 }, async (party) => {
    expect(await selection(party)).toBe(true);
  });

  it('a selection: P1 does not under a mask of high bits alone, and P2 does not without r0', {
    timeout: 60_000,
  }, async () => {
    expect(await selection(1, { '1 mask2': [0, 2] })).toBe(false);
    expect(await selection(2, { '1 zero': [0] })).toBe(false);
  });

  async function product(party: 1 | 2, ranges: Columns = {}): Promise<boolean> {
    const [few, all] = [[1, 2], below(4)];
    const masks = (side: 1 | 2) => (side === party ? few : all);
    const columns = combinations({
      x: all,
      y: all,
      '0 mask1': masks(1),
      '0 mask2': masks(2),
      '1 mask1': masks(1),
      '1 mask2': masks(2),
      '2 cross': below(2),
      '2 mask1': party === 1 ? [3] : all,
      '2 mask2': party === 2 ? [3] : all,
      ...ranges,
    });
    const N = columns['x'].length;
    const { words } = await ran(
      columns,
      (g) => g.output('out', g.mul(g.input('x', [N], 2, 0), g.input('y', [N], 2, 1), { drop: 1 })),
      { tensors: { x: wordsFrom(columns['x'], 2), y: wordsFrom(columns['y'], 2) }, indices: {} },
    );
    const inputs = [await words('input-input/0', 2, 2 * N), await words('input-input/1', 2, 2 * N)];
    const own = column(columns, ...[0, 1, 2].map((gate) => `${gate} mask${party}`));
    const more =
      party === 1
        ? [...column(columns, '2 cross'), await words('product-21/2', 2, N)]
        : [await words('product-deal/2', 1, N), await words('product-12/2', 2, N)];
    return alike(column(columns, 'x', 'y'), [...inputs.map((m) => m.slice(0, N)), ...own, ...more]);
  }

  it.each([1, 2] as const)('a product: P%i sees the same for every x and y', { timeout: 60_000 }, async (party) => {
    expect(await product(party)).toBe(true);
  });

  it('a product: neither does under a mask of high bits alone, nor P2 without Γ1', { timeout: 60_000 }, async () => {
    expect(await product(1, { '2 mask2': [0, 2] })).toBe(false);
    expect(await product(2, { '2 mask1': [0, 2] })).toBe(false);
    expect(await product(2, { '2 cross': [0] })).toBe(false);
  });
});

describe('a chain: input on Z_2^3, split shift, widening, square on Z_2^2', () => {
  const PADS = below(4).map((j) => `1 pad ${j}`);
  const WRAPS = 1;

  async function view(party: 1 | 2, ranges: Columns = {}, tap?: Tap): Promise<boolean> {
    // A party's own draws with some values each, the other's with all.
    const pads = Object.fromEntries(PADS.map((name) => [name, party === 1 ? [1] : below(2)]));
    const own =
      party === 1
        ? { '0 mask1': below(8), '0 mask2': below(8), '1 zero': below(2), '1 mask2': below(2), '2 cross': [0, 3] }
        : { '0 mask1': below(8), '0 mask2': [0, 3, 6], '1 zero': below(2), '1 mask2': [1], '2 cross': below(4) };
    const last = party === 1 ? { '2 mask1': [2], '2 mask2': below(4) } : { '2 mask1': below(4), '2 mask2': [3] };
    const columns = combinations({ x: below(8), ...own, ...last, ...pads, ...ranges });
    const N = columns['x'].length;
    const { words } = await ran(
      columns,
      (g) => {
        const wide = g.reduce(g.widen(g.shift(g.input('x', [N], 3, 1), 1), 3), 2);
        g.output('out', g.mul(wide, wide));
      },
      { tensors: { x: wordsFrom(columns['x'], 3) }, indices: {} },
      tap,
    );
    const m = (await words('input-input/0', 3, 2 * N)).slice(0, N);
    const table = await words(`widen-12/${WRAPS}`, 1, 4 * N);
    const seen =
      party === 1
        ? [await words(`widen-21/${WRAPS}`, 1, N), await words('product-21/2', 2, N)]
        : [
            await words(`widen-deal/${WRAPS}`, 1, N),
            ...below(4).map((j) => below(N).map((i) => table[4 * i + j])),
            await words('product-deal/2', 2, N),
            await words('product-12/2', 2, N),
          ];
    const draws = party === 1 ? ['0 mask1', '1 zero', '2 cross', '2 mask1'] : ['0 mask2', '1 mask2', '2 mask2'];
    return alike([columns['x']], [m, ...column(columns, ...draws), ...seen]);
  }

  it('P1 sees the same for every x, also when it poisoned an entry', async () => {
    expect(await view(1)).toBe(true);
    expect(await view(1, {}, flipping(1, `widen-12/${WRAPS}`, 4))).toBe(true);
  });

  it('P2 sees the same for every x, also when it shifted its answer', { timeout: 60_000 }, async () => {
    expect(await view(2)).toBe(true);
    expect(await view(2, {}, flipping(2, `widen-21/${WRAPS}`, 1))).toBe(true);
  });

  it('neither does without a fresh mask of the wraps or of the square', async () => {
    expect(await view(1, { '1 mask2': [0] })).toBe(false);
    expect(await view(1, { '2 mask2': [0] })).toBe(false);
    expect(await view(2, { '1 zero': [0] })).toBe(false);
    expect(await view(2, { '2 mask1': [0] })).toBe(false);
  });
});

describe('a look-up', () => {
  const TABLE = { parameter: { name: 'table', rows: 4, cols: 1, scale: 0 }, values: [5n, 6n, 7n, 8n] };

  /** δ as both compute parties get it, for a token and what P0's own generator gives. */
  async function shiftOf(t: number, random: () => Uint8Array): Promise<number> {
    const { messages, simulation } = await record(
      (g) => g.output('out', g.lookup('t', TABLE.parameter, 1)),
      { tensors: {}, indices: { t: [t] } },
      {
        sharing: 'complete',
        seed: 3,
        random: () => random,
        parameters: (id, kernels) => parameterView('open', id, kernels, [TABLE]),
      },
    );
    expect(wordAt(simulation.outputs.get('out') as Words, 0)).toBe(TABLE.values[t]);
    const shifts = messages.filter(({ tag }) => tag === 'lookup-input/0').map(({ bytes }) => bytes[0]);
    expect(shifts).toHaveLength(2);
    expect(shifts[0]).toBe(shifts[1]);
    return shifts[0];
  }

  it('shows every token by the same shifts, over all of what P0 alone draws and under one pair of keys', async () => {
    for (const t of below(4)) {
      const shifts: number[] = [];
      for (const r of below(4)) shifts.push(await shiftOf(t, () => Uint8Array.of(r, 0, 0, 0)));
      expect(shifts.sort((a, b) => a - b)).toEqual(below(4));
    }
  });

  it('is read by whoever knows where r comes from: the control, with one r for a pair of keys', async () => {
    const known = () => Uint8Array.of(2, 0, 0, 0);
    const shifts = await Promise.all(below(4).map((t) => shiftOf(t, known)));
    expect(shifts.map((shift) => (shift + 2) % 4)).toEqual(below(4));
  });

  it('draws r without a bias: words that would favour some are drawn again', () => {
    const draws = [Uint8Array.of(255, 255, 255, 255), Uint8Array.of(7, 0, 0, 0)];
    const party = { random: () => draws.shift() } as unknown as Party;
    expect(uniformBelow(party, 3, 1)).toEqual([1]);
    expect(draws).toEqual([]);
  });
});

describe('an output', () => {
  const build = (g: Gates) => g.output('out', g.mul(g.input('x', [2], 32, 0), g.input('x', [2], 32, 0)));
  const inputs: Inputs = { tensors: { x: wordsFrom([3, 4], 32) }, indices: {} };
  const flipped =
    (from: 1 | 2): Tap =>
    (sender, to, _tag, bytes) =>
      sender === from && to === 0 ? bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) : undefined;

  it('opens where both compute parties sent the same', async () => {
    const { outputs } = await simulate(build, inputs, { sharing: 'complete', seed: 1 });
    expect([...(outputs.get('out') as Words).data]).toEqual([9, 16]);
  });

  it.each([1, 2] as const)('does not where P%i sent another word', async (from) => {
    const run = simulate(build, inputs, { sharing: 'complete', seed: 1, tap: flipped(from) });
    expect(await failure('ERR_SECURITY_VIOLATION', run)).toMatchObject({ phase: 'output' });
  });

  it('opens a wrong word of P1 under one-sided sharing, unnoticed: the control', async () => {
    const { outputs } = await simulate(build, inputs, { seed: 1, tap: flipped(1) });
    expect([...(outputs.get('out') as Words).data]).not.toEqual([9, 16]);
  });
});

describe('what nothing proves is refused', () => {
  it('oblivious transfers', async () => {
    await failure('ERR_PROTOCOL_UNAVAILABLE', () => new CompleteBuilder('open', { widening: 'ot' }));
  });

  it('functions of more than 2^20 indices', async () => {
    const table = { bits: 5, entries: Array.from({ length: 32 }, () => 1n) };
    const of = (t: number) => () => {
      const g = new CompleteBuilder('open');
      return g.segment(g.input('x', [1], t + 5, 0), t, table, 1);
    };
    expect(of(15)).not.toThrow();
    await failure('ERR_INTERNAL', of(16));
    const exponential = (s: number) => () => {
      const g = new CompleteBuilder('open');
      return g.exponential(g.raise(g.input('x', [1], 25 - s, 20 - s), s, 25), g.input('bit', [1], 1, 0), 17, 17);
    };
    expect(exponential(6)).not.toThrow();
    await failure('ERR_INTERNAL', exponential(5));
  });

  it('a dealer in P0’s place', async () => {
    const { engines } = createParties((g) => g.output('out', g.input('x', [1], 8, 0)), { sharing: 'complete' });
    await failure('ERR_INTERNAL', engines[0].leaveDealing());
  });

  it('the mode by its name, where there is nothing to prove with; a run without proofs: engine.test', async () => {
    await failure('ERR_PROTOCOL_UNAVAILABLE', () => protocolInfo('3pc_malicious'));
  });
});
