/**
 * Additive wires (PROTOCOL §2.3): what refuses them, what travels when, that a shift of one is right in the mean, and
 * the views of a whole chain of real gates, over every mask of a toy ring.
 */
import { describe, expect, it } from 'vitest';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import { basisWord, tableEntry } from '../../src/compute/kernels/reference/selection.ts';
import type { TableLayout } from '../../src/compute/kernels/table-layout.ts';
import type { Choice, SelectionTable, Stream } from '../../src/compute/kernels/types.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { expTables } from '../../src/compute/exp-tables.ts';
import { type Vector, type Words, signedAt, wordAt, wordsFrom } from '../../src/compute/ring.ts';
import { PURPOSES, type Purpose } from '../../src/mpc/prg/gate-id.ts';
import { ReshareGate } from '../../src/mpc/protocol/semi-honest/additive.ts';
import { SecretAffineGate } from '../../src/mpc/protocol/semi-honest/affine.ts';
import { type Circuit, isGate } from '../../src/mpc/protocol/frame/circuit.ts';
import { flowOf } from '../../src/mpc/protocol/frame/flow.ts';
import { CircuitBuilder } from '../../src/mpc/protocol/semi-honest/circuit.ts';
import { type Gate, drawId } from '../../src/mpc/protocol/frame/gate.ts';
import { OutputGate } from '../../src/mpc/protocol/semi-honest/io.ts';
import type { LocalNode } from '../../src/mpc/protocol/frame/local.ts';
import { LiftGate, ProductGate } from '../../src/mpc/protocol/semi-honest/product.ts';
import { type Party, prgOf } from '../../src/mpc/protocol/frame/party.ts';
import { SelectGate } from '../../src/mpc/protocol/semi-honest/select.ts';
import { tableSelection } from '../../src/mpc/protocol/frame/selections.ts';
import { WidenGate } from '../../src/mpc/protocol/semi-honest/widen.ts';
import type { Gates } from '../../src/mpc/protocol/types.ts';
import { AHEAD, type Wire } from '../../src/mpc/share/wire.ts';
import { failure, thrown } from '../failure.ts';
import { type ClearParameter, parameterView } from '../support/parameters.ts';
import { type SimulationOptions, createParties, record, simulate } from '../support/simulate.ts';
import { unmasked } from '../support/unmasked.ts';

const wasm = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });

const W: ClearParameter = { parameter: { name: 'w', rows: 1, cols: 1, scale: 0 }, values: [3n] };
const open: SimulationOptions = {
  kernels: () => wasm,
  parameters: (id, kernels) => parameterView('open', id, kernels, [W]),
};

// ── what takes which ─────────────────────────────────────────────────────────

/** A wire of 4 bits of either kind, with the one of the other kind, in a builder of its own. */
function wiresOf(): { readonly g: CircuitBuilder; readonly masked: Wire; readonly additive: Wire } {
  const g = new CircuitBuilder('open');
  const masked = g.input('x', [4], 4, 0);
  return { g, masked, additive: g.reduce(g.widen(masked, 8), 4) };
}

const AT = { number: 9, path: 'planted' };
const EXACT = { bits: 4, entries: Array.from({ length: 16 }, (_, i) => BigInt(i)) };

describe('a gate that needs the help of P0', () => {
  const { masked, additive } = wiresOf();
  it.each<[string, (x: Wire) => Gate]>([
    ['a selection', (x) => new SelectGate(AT, [x], masked, 2, [tableSelection(x, EXACT, 4)])],
    [
      'a choice with an additive value',
      (x) => new SelectGate(AT, [masked, x], masked, 2, [tableSelection(masked, EXACT, 4)]),
    ],
    ['a widening', (x) => new WidenGate(AT, x, { ...additive, k: 8 }, 2)],
    ['an output', (x) => new OutputGate(AT, 'out', x)],
    ['a product', (x) => new ProductGate(AT, x, masked, undefined, masked, 1)],
    ['its other side', (x) => new ProductGate(AT, masked, x, undefined, masked, 1)],
    ['an affine map with secret weights', (x) => new SecretAffineGate(AT, [{ x, weight: W.parameter }], additive)],
    ['the masks of a lift', (x) => new LiftGate(AT, x, x, masked, 0)],
  ])('%s takes masked wires only', (_name, make) => {
    expect(() => make(masked)).not.toThrow();
    expect(thrown('ERR_INTERNAL', () => make(additive)).message).toContain('takes masked wires only');
  });

  it('is given a masked wire by the builder, and what is kept must be lifted', () => {
    const { g, additive: x } = wiresOf();
    const y = g.table(x, EXACT, 4);
    expect([x.kind, y.kind]).toEqual(['additive', 'masked']);
    expect(g.finish().gates.map(({ relation }) => relation)).toEqual(['input', 'widen', 'reshare', 'select']);
    thrown('ERR_INTERNAL', () => g.keep('x', x));
    expect(() => g.keep('x', g.lift(x))).not.toThrow();
  });

  it.each(['l1', 'l2'] as const)(
    'P0 is asked for no %s of an additive wire: it would be another one',
    async (component) => {
      const { engines, circuit } = createParties(
        (g) => {
          const wide = g.widen(g.input('x', [4], 8, 0), 16);
          g.output('out', g.add(wide, g.lift(g.input('y', [4], 16, 0))));
        },
        { seed: 1 },
      );
      const additive = circuit.wires.filter(({ kind }) => kind === 'additive');
      expect(additive).toHaveLength(2);
      for (const wire of additive)
        await failure('ERR_INTERNAL', () => engines[0].value(wire, component), /no "l[12]" of an additive wire/);
      const [input] = circuit.wires;
      expect(await engines[0].value(input, 'l2')).toEqual(await engines[2].value(input, 'l2'));
      // Nor does P2 have it before it was made.
      await failure('ERR_INTERNAL', () => engines[2].value(additive[0], 'l2'), /is not there yet/);
    },
  );
});

describe('a local operation', () => {
  it('takes both kinds; one additive operand makes its result additive, ready when both are', () => {
    const g = new CircuitBuilder('open');
    const [x, y] = [g.input('x', [2, 2], 16, 0), g.input('y', [2, 2], 16, 0)];
    const wide = g.widen(g.reduce(x, 8), 16);
    expect([wide.kind, wide.readyA, wide.readyL2, wide.readyY]).toEqual(['additive', 0, 1, undefined]);
    for (const mixed of [g.add(wide, y), g.sub(y, wide), g.concat([y, wide])])
      expect([mixed.kind, mixed.readyA, mixed.readyL2]).toEqual(['additive', 0, 1]);
    const both = g.add(x, y);
    expect([both.kind, both.readyL2]).toEqual(['masked', AHEAD]);
    for (const of of [g.shift(wide, 2), g.reduce(wide, 4), g.sumRows(wide), g.offset(wide, 1n), g.reshape(wide, [4])])
      expect(of.kind).toBe('additive');
  });

  it('with open weights maps a masked wire to an additive one whose masks P2 sends ahead', async () => {
    const run = await record(
      (g) => g.output('out', g.affine([{ x: g.input('x', [2, 1], 64, 0), weight: W.parameter }])),
      { tensors: { x: wordsFrom([5, -7], 64) }, indices: {} },
      { ...open, seed: 2 },
    );
    expect([...(run.simulation.outputs.get('out') as Words).data].map((v) => BigInt.asIntN(64, BigInt(v)))).toEqual([
      15n,
      -21n,
    ]);
    const { cost } = run.simulation.circuit;
    expect([cost.p2ToP1Ahead, cost.p2ToP1, cost.p1ToP2, cost.rounds]).toEqual([16, 0, 0, 0]);
    expect(run.messages.map(({ tag }) => tag).sort()).toEqual(['input-input/0', 'output-output/2', 'reshare-ahead/1']);
  });
});

// ── messages ─────────────────────────────────────────────────────────────────

/** x² · 9 / 4 in a ring of 14 bits, of an x that is widened first. */
const chain = (g: Gates) => {
  const wide = g.widen(g.input('x', [3], 8, 0), 64);
  const rows = g.affine([{ x: g.reshape(wide, [3, 1]), weight: W.parameter }]);
  const read = g.reduce(rows, 14);
  return { rows, read, square: g.mul(read, read) };
};
const X = { tensors: { x: wordsFrom([5, -7, 63], 8) }, indices: {} };

describe('the messages of an additive wire', () => {
  it('travel beside those of the widening and of the product, in one round, in the ring of the reader', async () => {
    const { simulation, messages } = await record((g) => g.output('out', chain(g).square), X, { ...open, seed: 3 });
    expect([...(simulation.outputs.get('out') as Words).data].map(Number)).toEqual([225, 441, (9 * 63 * 63) % 2 ** 14]);
    const online = messages.filter(({ tag }) => /-(12|21)\//.test(tag));
    expect(online.map(({ from, tag, bytes }) => [from, tag.split('/')[0], bytes.length])).toEqual([
      [1, 'widen-12', 21],
      [1, 'lift-12', 6],
      [2, 'reshare-21', 6],
      [2, 'product-21', 6],
    ]);
    expect(simulation.circuit.cost.rounds).toBe(1);
  });

  it('are one for each ring and shift that is read, under draws of their own; and one for all readers of one', async () => {
    const { simulation, messages } = await record(
      (g) => {
        const { rows, read, square } = chain(g);
        g.output('square', square);
        g.output('again', g.mul(g.reshape(read, [3, 1]), g.reshape(read, [3, 1])));
        const other = g.shift(rows, 50);
        g.output('other', g.mul(other, other));
      },
      X,
      { ...open, seed: 3 },
    );
    const reshares = simulation.circuit.gates.filter((gate) => gate instanceof ReshareGate);
    const lifts = simulation.circuit.gates.filter((gate) => gate instanceof LiftGate);
    expect([reshares.length, lifts.length]).toEqual([2, 2]);
    const hex = (number: number) =>
      Buffer.from(messages.find(({ tag }) => tag.endsWith(`/${number}`))?.bytes ?? []).toString('hex');
    expect(hex(reshares[0].number)).not.toBe(hex(reshares[1].number));
    const [, p1, p2] = simulation.engines;
    const nonces = [
      ...reshares.map((gate) => prgOf(p2, 2).claim(drawId(gate, 'mask2'), gate, 'λ2').nonce.join()),
      ...lifts.map((gate) => prgOf(p1, 1).claim(drawId(gate, 'mask1'), gate, 'λ1').nonce.join()),
    ];
    expect(new Set(nonces).size).toBe(4);
  });

  it('with secret weights are the same, and one of each for every map: that of its operand, and of its reader', () => {
    const builder = new CircuitBuilder('secret');
    const { rows, square } = chain(builder);
    builder.output('out', square);
    expect([rows.kind, rows.readyA, rows.readyL2]).toEqual(['additive', 2, 1]);
    const { gates, cost } = builder.finish();
    expect(gates.map(({ relation }) => relation)).toEqual([
      ...['input', 'widen', 'reshare', 'lift', 'affine', 'reshare', 'lift', 'product', 'output'],
    ]);
    // Of the widening P1 has the lower bits already.
    expect([cost.p1ToP2, cost.p2ToP1, cost.rounds]).toEqual([21 + 24 + 6, 21 + 6 + 6, 2]);
  });
});

// ── rounding ─────────────────────────────────────────────────────────────────

const N = 20_000;

/** P2's part kept as it is and shifted as it is, not as a mask. */
function shiftedParts(circuit: Circuit): Circuit {
  const sources = circuit.sources.map((source): LocalNode | Gate => {
    if (isGate(source) || source.traits[0] !== 'shift') return source;
    const minus = (party: Party, words: Vector) => party.kernels.scale(words, -1n);
    return {
      ...source,
      // An engine would rather compute it at once.
      atOnce: undefined,
      apply: async (party, component, [words]) =>
        component === 'l2'
          ? minus(party, await source.apply(party, component, [await minus(party, words)]))
          : source.apply(party, component, [words]),
    };
  });
  return { ...circuit, sources, flow: flowOf({ ...circuit, sources, blocks: [] }) };
}

async function shiftErrors(alter?: (circuit: Circuit) => Circuit): Promise<number[]> {
  const x = Array.from({ length: N }, (_, i) => ((i * 7919) % 4001) - 2000);
  const { outputs } = await simulate(
    (g) => {
      const wide = g.reshape(g.widen(g.input('x', [N], 16, 0), 64), [N, 1]);
      g.output('out', g.shift(g.affine([{ x: wide, weight: W.parameter }]), 6));
    },
    { tensors: { x: wordsFrom(x, 16) }, indices: {} },
    { ...open, seed: 4, ...(alter === undefined ? {} : { alter }) },
  );
  const out = outputs.get('out') as Words;
  return x.map((value, i) => Number(signedAt(out, i)) - (3 * value) / 64);
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('the shift of an additive wire', () => {
  it('is one of the two neighbours and right in the mean, to 0.02 of its unit', async () => {
    const errors = await shiftErrors();
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(1);
    expect(Math.abs(mean(errors))).toBeLessThan(0.02);
  });

  it('would be one unit too low if both parties shifted a part of the sum', async () => {
    expect(mean(await shiftErrors(shiftedParts))).toBeLessThan(-0.9);
  });
});

// ── views, over every mask ───────────────────────────────────────────────────

/** x over Z_2^3 is widened to Z_2^4, mapped by 3, lifted with the table, re-shared and squared to Z_2^3. */
const [SMALL, WIDE, SHORT] = [3, 4, 3];
const [INPUT, WIDEN, RESHARE, LIFT, PRODUCT] = [0, 1, 2, 3, 4];
const TABLES = expTables();

type Name = 'x' | 'l2' | 'pad' | 'zero' | 'l1' | 'l2Reshared' | 'cross' | 'l2Product';
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

/** Reference kernels whose masks and pads are those of the columns. */
class ToldKernels extends ReferenceKernels {
  readonly #columns: Columns;

  constructor(columns: Columns) {
    super();
    this.#columns = columns;
  }

  #told({ nonce }: Stream): readonly number[] {
    const view = new DataView(nonce.buffer, nonce.byteOffset, nonce.byteLength);
    const purpose = (Object.keys(PURPOSES) as Purpose[]).find((name) => PURPOSES[name] === view.getUint8(10));
    const names: Readonly<Record<string, Name>> = {
      [`${INPUT} mask2`]: 'l2',
      [`${WIDEN} pad`]: 'pad',
      [`${WIDEN} zero`]: 'zero',
      [`${RESHARE} mask2`]: 'l2Reshared',
      [`${LIFT} mask1`]: 'l1',
      [`${PRODUCT} cross`]: 'cross',
      [`${PRODUCT} mask2`]: 'l2Product',
    };
    return this.#columns[names[`${view.getUint32(4, true)} ${purpose}`]];
  }

  override async draw(stream: Stream, k: number): Promise<Words> {
    return wordsFrom(this.#told(stream), k);
  }

  override async selectionTable(
    table: SelectionTable<Words>,
    { k }: TableLayout,
    stream: Stream,
    from: number,
    to: number,
  ) {
    const pads = this.#told(stream);
    return this.pack(
      wordsFrom(
        pads.slice(from, to).map((pad, i) => tableEntry(table, TABLES, from + i, 0)[0] + BigInt(pad)),
        k,
      ),
    );
  }

  override async dealSelection(choice: Choice<Words>, { k }: TableLayout, stream: Stream, r0: Words): Promise<Words> {
    const words = this.#told(stream).map((pad, i) => -BigInt(pad) * basisWord(choice, i, 1, 0) - wordAt(r0, i));
    return wordsFrom(words, k);
  }
}

type Alter = (circuit: Circuit) => Circuit;

/** What is read of the widening: a map of it, or with secret weights itself, of which the upper bits are re-shared. */
type Form = 'mapped' | 'upper bits';

/** What the messages of a run were, one word an element, and its results. */
async function ran(columns: Columns, form: Form, alter?: Alter) {
  const kernels = new ToldKernels(columns);
  const { simulation, messages } = await record(
    (g) => {
      const wide = g.widen(g.input('x', [columns.x.length], SMALL, 0), WIDE);
      const read = form === 'mapped' ? g.scale(wide, 3n) : wide;
      g.output('out', g.mul(read, read, { drop: WIDE - SHORT }));
    },
    { tensors: { x: wordsFrom(columns.x, SMALL) }, indices: {} },
    {
      weights: form === 'mapped' ? 'open' : 'secret',
      kernels: () => kernels,
      seed: 1,
      ...(alter === undefined ? {} : { alter }),
    },
  );
  const words = async (tag: string, k: number) => {
    const bytes = Buffer.concat(messages.filter((message) => message.tag === tag).map((message) => message.bytes));
    return Array.from((await kernels.unpack(bytes, k, columns.x.length)).data, Number);
  };
  return { words, out: simulation.outputs.get('out') as Words, gates: simulation.circuit.gates };
}

/** Whether a view, its columns together, is distributed alike for every x. */
function alike(x: readonly number[], view: readonly (readonly number[])[]): boolean {
  const counts = new Map<number, Map<string, number>>();
  x.forEach((secret, i) => {
    const of = counts.get(secret) ?? new Map<string, number>();
    const row = view.map((column) => column[i]).join();
    of.set(row, (of.get(row) ?? 0) + 1);
    counts.set(secret, of);
  });
  expect(counts.size).toBe(DOMAIN.length);
  return (
    new Set(
      [...counts.values()].map((of) =>
        [...of]
          .map(([row, n]) => `${row}:${n}`)
          .sort((a, b) => (a < b ? -1 : 1))
          .join(' '),
      ),
    ).size === 1
  );
}

const below = (n: number) => Array.from({ length: n }, (_, i) => i);
/** |x| ≤ 2^(k−2), the whole domain. */
const DOMAIN = [-2, -1, 0, 1, 2];

/** P1: its own draws, of some values each, over all masks of k02. */
async function seenByP1(form: Form, alter?: Alter): Promise<boolean> {
  const own = { pad: [1], zero: below(2), l1: [0, 11], cross: [0, 6] };
  const reshared = form === 'mapped' ? WIDE : WIDE - SMALL;
  const masks = { l2: below(2 ** SMALL), l2Reshared: below(2 ** reshared), l2Product: below(2 ** SHORT) };
  const columns = combinations({ x: DOMAIN, ...own, ...masks });
  const { words } = await ran(columns, form, alter);
  const { pad, zero, l1, cross } = columns;
  const messages = [
    await words('input-input/0', SMALL),
    await words('reshare-21/2', reshared),
    await words('product-21/4', SHORT),
  ];
  return alike(columns.x, [pad, zero, l1, cross, ...messages]);
}

/** P2: the same over all of k01. */
async function seenByP2(form: Form, alter?: Alter): Promise<boolean> {
  const own = { l2: below(2 ** SMALL), l2Reshared: [0, 7], l2Product: [3] };
  const masks = { pad: below(2), zero: below(2), l1: below(2 ** WIDE), cross: below(2 ** SHORT) };
  const columns = combinations({ x: DOMAIN, ...own, ...masks });
  const { words } = await ran(columns, form, alter);
  const { l2, l2Reshared, l2Product } = columns;
  const messages = [
    await words('widen-deal/1', WIDE - SMALL),
    await words('widen-12/1', WIDE - SMALL),
    await words('lift-12/3', WIDE),
    await words('product-deal/4', SHORT),
  ];
  return alike(columns.x, [l2, l2Reshared, l2Product, ...messages]);
}

describe.each<Form>(['mapped', 'upper bits'])(
  'widening, lift with the table, reshare and product on Z_2^3 and Z_2^4, over all masks: %s',
  (form) => {
    it('are the gates that these columns are told to', async () => {
      const columns = combinations({
        ...{ x: DOMAIN, l2: below(8), pad: below(2), zero: below(2), l1: below(16) },
        ...{ l2Reshared: [4, 9], cross: [1], l2Product: [5] },
      });
      const { gates, out } = await ran(columns, form);
      expect(gates.map(({ relation }) => relation)).toEqual(['input', 'widen', 'reshare', 'lift', 'product', 'output']);
      // (3x)² / 2 or x² / 2, or its upper neighbour, or with three roundings the one below.
      const factor = form === 'mapped' ? 9 : 1;
      const wrong = columns.x.filter(
        (x, i) => ![0, 1, 7].includes((((Number(wordAt(out, i)) - ((factor * x * x) >> 1)) % 8) + 8) % 8),
      );
      expect(wrong).toEqual([]);
    });

    it('P1 sees messages that are distributed alike for every x', async () => {
      expect(await seenByP1(form)).toBe(true);
    });

    it('P1 does not when a reshare or the product comes without λ2', async () => {
      expect(await seenByP1(form, unmasked(RESHARE, 'send21'))).toBe(false);
      expect(await seenByP1(form, unmasked(PRODUCT, 'send21'))).toBe(false);
    });

    it('P2 sees messages that are distributed alike for every x', async () => {
      expect(await seenByP2(form)).toBe(true);
    });

    it('P2 does not when the lift of an additive part comes without λ1', async () => {
      expect(await seenByP2(form, unmasked(LIFT, 'send12'))).toBe(false);
    });
  },
);
