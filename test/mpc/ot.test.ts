/**
 * Oblivious transfers among three parties (PROTOCOL §4.12): both directions, views of the widening that uses them,
 * who receives what of the base, and every repeat that must be refused, each with what it would tell.
 */
import { describe, expect, it } from 'vitest';
import {
  OT_DELTA,
  OT_ROOTS,
  OT_SEED,
  OT_SIBLINGS,
  otParts,
  otSiblings,
  receiverBase,
} from '../../src/compute/kernels/ot-base.ts';
import type { PiecewisePolynomial, RingKernels, Stream } from '../../src/compute/kernels/types.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { type Vector, type Words, bytesOf, wordsFrom } from '../../src/compute/ring.ts';
import { toHex } from '../../src/core/bytes.ts';
import { type DrawId, type Execution, PURPOSES, nonceOf } from '../../src/mpc/prg/gate-id.ts';
import { PairPrg, executionKey } from '../../src/mpc/prg/prg.ts';
import type { Circuit } from '../../src/mpc/protocol/frame/circuit.ts';
import { CircuitBuilder } from '../../src/mpc/protocol/semi-honest/circuit.ts';
import { fingerprint } from '../../src/mpc/protocol/frame/fingerprint.ts';
import { tagOf } from '../../src/mpc/protocol/frame/gate.ts';
import {
  type Direction,
  OtBaseGate,
  type Transfers,
  receiveAhead,
  receiverOf,
  recvCorrelated,
  sendAhead,
  sendCorrelated,
  senderOf,
} from '../../src/mpc/protocol/semi-honest/ot.ts';
import { type Party, prgOf } from '../../src/mpc/protocol/frame/party.ts';
import { Relation } from '../../src/mpc/protocol/frame/relation.ts';
import type { Gates, Inputs, Selected, Widening } from '../../src/mpc/protocol/types.ts';
import { GELU_COSINES, IDENTITY_SUM } from '../../src/mpc/secure/cosines.ts';
import { Masked, OneTimeMask } from '../../src/mpc/share/masked.ts';
import type { Wire } from '../../src/mpc/share/wire.ts';
import { Random } from '../compute/kernels.suite.ts';
import { failure, thrown } from '../failure.ts';
import {
  type Message,
  type SimulationOptions,
  createParties,
  keysOf,
  record,
  settle,
  simulate,
} from '../support/simulate.ts';

const wasm = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });
const kernels = () => wasm;
const NOTHING: Inputs = { tensors: {}, indices: {} };

/** A circuit of planted gates alone. */
function circuitOf(gates: Circuit['gates']): Circuit {
  const empty = new CircuitBuilder('open').finish();
  return { ...empty, gates, sections: gates.map(() => 'planted') };
}

/** Runs planted gates, and says how the parties ended. */
async function plant(gates: Circuit['gates'], options: SimulationOptions = {}): Promise<readonly string[]> {
  const parties = createParties(() => undefined, { kernels, seed: 1, alter: () => circuitOf(gates), ...options });
  const ends = await settle(parties, NOTHING);
  return ends.map((end) => (end.status === 'fulfilled' ? 'ok' : (end.reason as { readonly code: string }).code));
}

interface Both {
  zero: Words;
  one: Words;
  chosen: Words;
}

/** OTs that nobody uses: both sides keep what they have for the test. */
class Probe extends Relation<undefined> {
  readonly relation = 'widen' as const;
  readonly got: Partial<Both> = {};
  readonly transfers: Transfers;
  readonly #choice: Words;
  readonly #after: ((party: Party, transfers: Transfers) => Promise<unknown>) | undefined;

  constructor(
    number: number,
    base: OtBaseGate,
    choice: Words,
    after?: (party: Party, transfers: Transfers) => Promise<unknown>,
    table?: number,
  ) {
    super({ number, path: 'probe' }, undefined, { inputs: [], traits: [], cost: {} });
    this.transfers = { gate: this, base, k: 64, count: choice.data.length, ...(table === undefined ? {} : { table }) };
    this.#choice = choice;
    this.#after = after;
  }

  async component(): Promise<Vector> {
    throw new Error('a probe has no components');
  }

  dealP1(p1: Party): Promise<void> {
    return this.#deal(p1);
  }

  dealP2(p2: Party): Promise<void> {
    return this.#deal(p2);
  }

  async #deal(party: Party): Promise<void> {
    const { base } = this.transfers;
    if (party.id === receiverOf(base.direction))
      this.got.chosen = await party.kernels.read(await receiveAhead(this.transfers, party, this.#choice));
    else {
      const { zero, one } = await sendAhead(this.transfers, party);
      this.got.zero = await party.kernels.read(zero);
      this.got.one = await party.kernels.read(one);
    }
    await this.#after?.(party, this.transfers);
  }
}

function words({ got }: Probe): Both {
  const { zero, one, chosen } = got;
  if (zero === undefined || one === undefined || chosen === undefined) throw new Error('the probe did not run');
  return { zero, one, chosen };
}

describe('oblivious transfers from a base of P0', () => {
  it('give the chosen word in both directions, at once in one circuit, and the other word is another', async () => {
    const random = new Random(1);
    const bases = ([0, 1] as const).map((direction, number) => new OtBaseGate({ number, path: 'ot' }, direction));
    const choices = bases.map(() => random.words(700, 1, false));
    const probes = bases.map((base, i) => new Probe(2 + i, base, choices[i]));
    expect(await plant([...bases, ...probes])).toEqual(['ok', 'ok', 'ok']);
    for (const [i, probe] of probes.entries()) {
      const { zero, one, chosen } = words(probe);
      for (let j = 0; j < 700; j++) {
        const c = Number(choices[i].data[j]);
        expect(chosen.data[j]).toBe((c === 1 ? one : zero).data[j]);
        expect(chosen.data[j]).not.toBe((c === 1 ? zero : one).data[j]);
      }
    }
  });

  it('have pads of their own for every direction, table, gate, step and branch, whatever else is equal', async () => {
    const choice = new Random(2).words(300, 1, false);
    const made: Both[] = [];
    const run = async (direction: Direction, number: number, table: number, execution: Partial<Execution>) => {
      const base = new OtBaseGate({ number: 0, path: 'ot' }, direction);
      const probe = new Probe(number, base, choice, undefined, table);
      const gates = [
        base,
        ...Array.from({ length: number - 1 }, (_, i) => new OtBaseGate({ number: i + 1, path: 'ot' }, 1)),
        probe,
      ];
      // One key for both pairs, so that nothing but the address tells two draws apart.
      const same = keysOf(5).k01;
      const prg = (_master: Uint8Array, whole: Execution) => PairPrg.of(same, { ...whole, ...execution });
      expect(await plant(gates, { prg })).toEqual(['ok', 'ok', 'ok']);
      made.push(words(probe));
    };
    await run(0, 1, 0, {});
    await run(1, 1, 0, {});
    await run(0, 1, 1, {});
    await run(0, 2, 0, {});
    await run(0, 1, 0, { step: 1 });
    await run(0, 1, 0, { branch: 1 });
    await run(0, 1, 0, { number: 1 });
    const all = made.flatMap(({ zero, one }) => [...zero.data, ...one.data]);
    expect(new Set(all).size).toBe(all.length);
    // Control: the same address gives the same words, so the comparison can fail.
    await run(0, 1, 0, {});
    expect([...made[7].zero.data]).toEqual([...made[0].zero.data]);
  });

  it('refuse a second d and a second e under one address, and serve another table, with ERR_PAD_REUSE', async () => {
    const choice = new Random(3).words(9, 1, false);
    const twice = async (after: (party: Party, transfers: Transfers) => Promise<unknown>) => {
      const base = new OtBaseGate({ number: 0, path: 'ot' }, 0);
      return plant([base, new Probe(1, base, choice, after)]);
    };
    expect(
      await twice(async (party, transfers) => {
        if (party.id === 2) await receiveAhead(transfers, party, choice);
      }),
    ).toContain('ERR_PAD_REUSE');
    expect(
      await twice(async (party, transfers) => {
        if (party.id === 2) await receiveAhead({ ...transfers, table: 1 }, party, choice);
        else await sendAhead({ ...transfers, table: 1 }, party);
      }),
    ).toEqual(['ok', 'ok', 'ok']);
    const pair = async (party: Party, transfers: Transfers, second: Transfers) => {
      const word = wordsFrom(
        Array.from({ length: 9 }, () => 1),
        64,
      );
      for (const one of [transfers, second]) {
        if (party.id === 1) await sendCorrelated(one, party, word);
        else await recvCorrelated(one, party);
      }
    };
    expect(await twice((party, transfers) => pair(party, transfers, transfers))).toContain('ERR_PAD_REUSE');
    expect(await twice((party, transfers) => pair(party, transfers, { ...transfers, table: 1 }))).toEqual([
      'ok',
      'ok',
      'ok',
    ]);
  });

  it('refuse another gate the address of one, with ERR_PAD_REUSE', async () => {
    const choice = new Random(4).words(9, 1, false);
    const base = new OtBaseGate({ number: 0, path: 'ot' }, 0);
    expect(await plant([base, new Probe(1, base, choice), new Probe(1, base, choice)])).toContain('ERR_PAD_REUSE');
    expect(await plant([base, new Probe(1, base, choice), new Probe(2, base, choice)])).toEqual(['ok', 'ok', 'ok']);
  });

  it('are no more than 2^32 a gate, the counters of the hash: ERR_SHAPE', () => {
    const most = (count: number) => {
      const builder = new CircuitBuilder('open', { widening: 'ot' });
      builder.widen(builder.input('x', [count], 12, 0), 40);
    };
    thrown('ERR_SHAPE', () => most(2 ** 32 + 1));
    expect(() => most(2 ** 32)).not.toThrow();
  });
});

// ── who receives what of the base ────────────────────────────────────────────

const TEXT: Inputs = { tensors: { x: wordsFrom([3, -5, 100, -100, 0], 12) }, indices: {} };
function widening(g: Gates): void {
  g.output('out', g.widen(g.input('x', [5], 12, 0), 40));
}

async function drawn(key: Uint8Array, execution: Execution, id: Partial<DrawId>, length: number): Promise<Uint8Array> {
  const nonce = nonceOf({ step: 0, branch: 0, gate: 1, purpose: 'otRoot', table: 0, direction: 0, ...id });
  return bytesOf(await wasm.draw({ key: executionKey(key, execution), nonce }, 32, length / 4));
}

/** The base of `widening` with a seed, as P0 makes it. Its gate is number 1, behind the input. */
async function baseOf(seed: number) {
  const { execution, k01, k02 } = keysOf(seed);
  const roots = await drawn(k02, execution, { purpose: 'otRoot' }, OT_ROOTS);
  const delta = await drawn(k01, execution, { purpose: 'otDelta' }, OT_DELTA);
  return { roots, delta, siblings: otSiblings(roots, delta) };
}

/** Messages to a party in which some of these seeds stands, in the clear. */
function carrying(messages: readonly Message[], to: number, seeds: Uint8Array): string[] {
  const known = Array.from({ length: seeds.length / OT_SEED }, (_, i) =>
    toHex(seeds.subarray(OT_SEED * i, OT_SEED * (i + 1))),
  );
  return messages
    .filter((message) => message.to === to && known.some((seed) => toHex(message.bytes).includes(seed)))
    .map(({ tag }) => tag);
}

/** A base whose siblings go to both compute parties in one message without a pad. */
class CommonBase extends OtBaseGate {
  override async dealP0(p0: Party): Promise<void> {
    const { siblings } = await baseOf(11);
    for (const id of [1, 2] as const)
      await p0.link(id).send(tagOf(this, 'deal'), Masked.plain('output to its owner', siblings));
  }

  override async dealP1(p1: Party): Promise<void> {
    await p1.link(0).recvBytes(tagOf(this, 'deal'), OT_SIBLINGS);
  }

  override async dealP2(p2: Party): Promise<void> {
    await p2.link(0).recvBytes(tagOf(this, 'deal'), OT_SIBLINGS);
  }
}

describe('the base among three parties', () => {
  it('is 4 KB of P0 to P1 for a circuit and nothing to P2, however many widenings there are', async () => {
    const three = (g: Gates) => {
      const x = g.input('x', [5], 12, 0);
      for (const k2 of [13, 40, 64]) g.output(`out ${k2}`, g.widen(x, k2));
    };
    const { simulation, messages } = await record(three, TEXT, { kernels, widening: 'ot', seed: 11 });
    expect(simulation.circuit.cost).toMatchObject({
      p0ToP1Ahead: 4096,
      p0ToP2Ahead: 0,
      p2ToP1Ahead: 3 * 5 * 4,
    });
    expect(messages.filter(({ from, to }) => from === 0 && to === 2)).toEqual([]);
    expect([...(simulation.outputs.get('out 40')?.data ?? [])].map((v) => BigInt.asIntN(40, BigInt(v)))).toEqual([
      3n,
      -5n,
      100n,
      -100n,
      0n,
    ]);
  });

  it('reaches nobody else: no message to P2 has a sibling in it, none to P1 a root or the leaf at Δ, and the siblings go under a pad', async () => {
    const { roots, delta, siblings } = await baseOf(11);
    const leaves = otParts(receiverBase(roots, new Uint8Array(16))).keys;
    const holes = Uint8Array.from(
      Array.from({ length: 32 }, (_, i) => {
        const leaf = 16 * i + ((delta[i >> 1] >> (4 * (i & 1))) & 15);
        return [...leaves.subarray(OT_SEED * leaf, OT_SEED * (leaf + 1))];
      }).flat(),
    );
    const { messages } = await record(widening, TEXT, { kernels, widening: 'ot', seed: 11 });
    expect(messages.some(({ tag, to }) => tag === 'ot-base-deal/1' && to === 1)).toBe(true);
    expect(carrying(messages, 2, siblings)).toEqual([]);
    expect(carrying(messages, 1, siblings)).toEqual([]);
    expect(carrying(messages, 1, roots)).toEqual([]);
    expect(carrying(messages, 1, holes)).toEqual([]);
    // The siblings are what this test takes them for: under the pad of k01 they are P0's message.
    const { execution, k01 } = keysOf(11);
    const pad = new Uint32Array((await drawn(k01, execution, { purpose: 'otPad' }, OT_SIBLINGS)).buffer);
    const sent = messages.find(({ tag }) => tag === 'ot-base-deal/1')?.bytes ?? new Uint8Array(0);
    const opened = new Uint32Array(sent.slice().buffer).map((word, i) => word - pad[i]);
    expect(toHex(new Uint8Array(opened.buffer))).toBe(toHex(siblings));
  });

  it('a base that is dealt to both is found by the same search', async () => {
    const { siblings } = await baseOf(11);
    const messages: Message[] = [];
    const tap = (from: Message['from'], to: Message['to'], tag: string, bytes: Uint8Array) => {
      messages.push({ from, to, tag, bytes });
      return undefined;
    };
    await plant([new CommonBase({ number: 0, path: 'ot' }, 0)], { tap });
    expect(carrying(messages, 2, siblings)).toEqual(['ot-base-deal/0']);
  });

  it('siblings are Δ to whoever has the roots: why they must not reach P2', async () => {
    const { roots, delta, siblings } = await baseOf(12);
    // The hole whose siblings are those: tree by tree, among sixteen.
    const found = new Uint8Array(16);
    for (let hole = 0; hole < 16; hole++) {
      const guess = otSiblings(roots, new Uint8Array(16).fill(hole | (hole << 4)));
      for (let i = 0; i < 32; i++) {
        const [a, b] = [guess, siblings].map((all) => toHex(all.subarray(128 * i, 128 * (i + 1))));
        if (a === b) found[i >> 1] |= hole << (4 * (i & 1));
      }
    }
    expect(found).toEqual(delta);
  });
});

// ── one execution, one circuit ───────────────────────────────────────────────

describe('an execution that has sent its d', () => {
  /** The same gate over another ring: its choice is another bit of the same λ2. */
  const of = (k: number) => (g: Gates) => g.output('out', g.widen(g.input('x', [64], k, 0), 40));

  /** Deals two circuits with the generators that `generators` gives out. */
  async function dealTwice(prg: NonNullable<SimulationOptions['prg']>): Promise<{ codes: string[]; d: Uint8Array[] }> {
    const d: Uint8Array[] = [];
    const codes: string[] = [];
    for (const k of [12, 20]) {
      const parties = createParties(of(k), {
        kernels,
        widening: 'ot',
        seed: 21,
        prg,
        tap: (from, _to, tag, bytes) => {
          if (from === 2 && tag.startsWith('widen-ahead')) d.push(bytes.slice());
          return undefined;
        },
      });
      const ends = await Promise.allSettled(
        parties.engines.map(async (engine, id) => {
          try {
            await engine.deal();
          } catch (error) {
            for (const channel of parties.channels[id].values()) channel.abort(error as never);
            throw error;
          }
        }),
      );
      for (const end of ends) if (end.status === 'rejected') codes.push((end.reason as { readonly code: string }).code);
    }
    return { codes, d };
  }

  /** The same four generators for every circuit: what a session that kept its attempt would have. */
  function keeping(): NonNullable<SimulationOptions['prg']> {
    const kept: PairPrg[] = [];
    let asked = 0;
    return (master, execution) => {
      const at = asked++ % 4;
      kept[at] ??= PairPrg.of(master, execution);
      return kept[at];
    };
  }

  it('deals no other circuit: ERR_PAD_REUSE at the base, before a second d leaves P2', async () => {
    const { codes, d } = await dealTwice(keeping());
    expect(codes).toContain('ERR_PAD_REUSE');
    expect(d.length).toBe(1);
  });

  it('would tell P1 an equation of λ2 an element if it did: d ⊕ d′ = c ⊕ c′', async () => {
    class Careless extends PairPrg {
      static careless(master: Uint8Array, execution: Execution): PairPrg {
        return new Careless(executionKey(master, execution), execution);
      }

      override claim(id: Omit<DrawId, 'step' | 'branch'>): Stream {
        return super.claim(id, this, 'pads');
      }

      override takeMask(id: Omit<DrawId, 'step' | 'branch'>): OneTimeMask {
        return new OneTimeMask(this.claim(id));
      }
    }
    const { codes, d } = await dealTwice((master, execution) => Careless.careless(master, execution));
    expect(codes).toEqual([]);
    const { execution, k02 } = keysOf(21);
    const nonce = nonceOf({ step: 0, branch: 0, gate: 0, purpose: 'mask2', table: 0, direction: 0 });
    const stream = { key: executionKey(k02, execution), nonce };
    const msb = async (k: number) => [...(await wasm.draw(stream, k, 64)).data].map((word) => Number(word) >> (k - 1));
    const [c, other] = [await msb(12), await msb(20)];
    const [first, second] = d.map((bytes) => new Uint32Array(bytes.buffer));
    expect([...first].map((word, j) => (word ^ second[j]) >>> 0)).toEqual(
      c.map((bit, j) => (bit === other[j] ? 0 : 0xffffffff)),
    );
  });

  it('is over for good: a generator whose step went on, or was wiped, deals nothing', async () => {
    const { execution, k02 } = keysOf(22);
    const prg = PairPrg.of(k02, execution);
    const id = { gate: 1, purpose: 'ot', table: 0, direction: 0 } as const;
    prg.takeMask(id, {}, 'd');
    // The next step is another address of the same key.
    const next = prg.next().takeMask(id, {}, 'd');
    expect(toHex(next.stream.nonce)).not.toBe(toHex(nonceOf({ ...id, step: 0, branch: 0 })));
    prg.wipe();
    thrown('ERR_STATE', () => prg.takeMask({ ...id, gate: 2 }, {}, 'd'));
  });
});

// ── views ────────────────────────────────────────────────────────────────────

/** How often each view comes, which is all that a distribution is. */
type Counts = Readonly<Record<string, number>>;

function counted(views: readonly string[]): Counts {
  const counts: Record<string, number> = {};
  for (const view of views) counts[view] = (counts[view] ?? 0) + 1;
  return counts;
}

/** Bits of the toy rings: x in Z_2^3, its words in Z_2^2. */
const [K, WORD] = [3, 2];

/** One combination of what is random: λ2 or r0, u, and the sender's words. */
interface Masks {
  readonly mask: number;
  readonly u: number;
  readonly zero: number;
  readonly one: number;
}

const ALL: readonly Masks[] = Array.from({ length: (1 << K) * 2 * (1 << (2 * WORD)) }, (_, i) => ({
  mask: i & 7,
  u: (i >> 3) & 1,
  zero: (i >> 4) & 3,
  one: (i >> 6) & 3,
}));

interface ToyRun {
  readonly result: ReadonlySet<number | bigint>;
  /** Words of the message whose tag begins so. */
  column(tag: string, k: number): Promise<readonly number[]>;
}

/** The real gates on a vector in which every combination comes once, with an ideal extension. */
async function toy(
  build: (g: Gates) => void,
  x: number,
  purpose: 'mask2' | 'zero',
  tell: 'nothing' | 'choice' = 'nothing',
): Promise<ToyRun> {
  const column = (k: number, f: (masks: Masks) => number) => wordsFrom(ALL.map(f), k);
  const ideal: Partial<RingKernels<Words>> = {
    draw: async (stream, k, n, first) =>
      stream.nonce[10] === PURPOSES[purpose] && k === K && n === ALL.length
        ? column(K, ({ mask }) => mask)
        : wasm.draw(stream, k, n, first),
    otReceive: async (_base, _nonce, choice, k) => ({
      message: wordsFrom(
        ALL.map(({ u }, i) => (tell === 'choice' ? 0 : u) ^ Number(choice.data[i])),
        32,
      ),
      words: wordsFrom(
        ALL.map(({ zero, one }, i) => (Number(choice.data[i]) === 1 ? one : zero)),
        k,
      ),
    }),
    otSend: async (_base, _nonce, _message, k) => ({ zero: column(k, (e) => e.zero), one: column(k, (e) => e.one) }),
  };
  const enumerated = new Proxy(wasm as RingKernels<Words>, {
    get: (target, name) => {
      if (name === 'scope') return () => enumerated;
      const value: unknown = Reflect.get(ideal, name) ?? Reflect.get(target, name);
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
  }) as RingKernels<Words>;
  const { simulation, messages } = await record(
    build,
    {
      tensors: {
        x: wordsFrom(new Array(ALL.length).fill(x), K),
        bit: wordsFrom(
          ALL.map(() => 0),
          1,
        ),
      },
      indices: {},
    },
    { kernels: () => enumerated as unknown as RingKernels, widening: 'ot', seed: 3 },
  );
  return {
    result: new Set([...(simulation.outputs.get('out')?.data ?? [])]),
    column: async (tag, k) => {
      const bytes = messages.find((message) => message.tag.startsWith(tag))?.bytes ?? new Uint8Array(0);
      return [...(await wasm.unpack(bytes, k, ALL.length)).data].map(Number);
    },
  };
}

const residue = (x: number) => Number(BigInt.asUintN(K + WORD, BigInt(x)));

/** What P1 and P2 see of a widening of x, over all masks. */
async function toyViews(x: number, tell: 'nothing' | 'choice' = 'nothing'): Promise<readonly [Counts, Counts]> {
  const build = (g: Gates) => g.output('out', g.widen(g.input('x', [ALL.length], K, 0), K + WORD));
  const { result, column } = await toy(build, x, 'mask2', tell);
  expect(result).toEqual(new Set([residue(x)]));
  const [a, d, e] = [await column('input-input', K), await column('widen-ahead', 32), await column('widen-12', WORD)];
  return [
    counted(ALL.map(({ zero, one }, i) => [a[i], d[i], zero, one].join(' '))),
    counted(ALL.map(({ mask, u, zero, one }, i) => [mask, u, e[i], mask >> (K - 1) === 1 ? one : zero].join(' '))),
  ];
}

/** The same of a selection of f that is widened at once: r0 is the mask, and P2 holds y = f − r0. */
function chosen(g: Gates): void {
  const f = g.input('x', [ALL.length], K, 0);
  g.output('out', g.choose([g.input('bit', [ALL.length], 1, 0)], [f], Uint8Array.of(0, 0), { widen: K + WORD }));
}

async function toySelection(f: number, tell: 'nothing' | 'choice' = 'nothing'): Promise<readonly [Counts, Counts]> {
  const { column } = await toy(chosen, f, 'zero', tell);
  const [d, e] = [await column('select-ahead', 32), await column('select-21', WORD)];
  return [
    counted(ALL.map(({ mask, u, zero, one }, i) => [mask, u, e[i], mask >> (K - 1) === 1 ? one : zero].join(' '))),
    counted(ALL.map(({ mask, zero, one }, i) => [(f - mask + 8) & 7, d[i], zero, one].join(' '))),
  ];
}

describe('a widening by oblivious transfer, on a toy ring with an ideal extension', () => {
  it('is exact, and gives P1 and P2 exactly the same views for every x of its domain', async () => {
    const expected = await toyViews(0);
    for (const x of [-2, -1, 1, 2]) expect(await toyViews(x)).toEqual(expected);
  });

  it('would give P1 x where d showed the choice: the enumeration can fail', async () => {
    const [zero, one] = [await toyViews(0, 'choice'), await toyViews(1, 'choice')];
    expect(one[0]).not.toEqual(zero[0]);
    expect(one[1]).toEqual(zero[1]);
  });

  it('a selection that is widened at once is exact for 0 … 2^(k−1) − 1 and for −1, for every r0, and for no other value', async () => {
    for (const f of [0, 1, 2, 3, -1]) expect((await toy(chosen, f, 'zero')).result).toEqual(new Set([residue(f)]));
    // One below, and one above, some r0 wraps another time: the edge is where it is said to be.
    for (const f of [-2, 4]) expect((await toy(chosen, f, 'zero')).result.size).toBeGreaterThan(1);
  });

  it('and gives P1 and P2 exactly the same views for every value of its domain', async () => {
    const expected = await toySelection(0);
    for (const f of [1, 2, 3, -1]) expect(await toySelection(f)).toEqual(expected);
  });

  it('would give P2 the value where d showed the choice: y and msb r0 tell f', async () => {
    const [zero, one] = [await toySelection(0, 'choice'), await toySelection(1, 'choice')];
    expect(one[0]).toEqual(zero[0]);
    expect(one[1]).not.toEqual(zero[1]);
  });

  it('one OT for two words tells the receiver their difference; two OTs tell nothing', () => {
    // Two bits b and b' of the sender, masks over Z_4, choice 0 and 1: what the receiver has.
    const view = (bits: readonly [number, number], shared: boolean) => {
      const out: string[] = [];
      for (let i = 0; i < 512; i++) {
        const [c, p0, p1, q0, q1] = [i & 1, (i >> 1) & 3, (i >> 3) & 3, (i >> 5) & 3, (i >> 7) & 3];
        const [r0, r1] = shared ? [p0, p1] : [q0, q1];
        out.push([c, (bits[0] + p0 - p1 + 4) % 4, (bits[1] + r0 - r1 + 4) % 4, c ? p1 : p0, c ? r1 : r0].join(' '));
      }
      return counted(out);
    };
    expect(view([0, 1], false)).toEqual(view([1, 1], false));
    expect(view([0, 1], true)).not.toEqual(view([1, 1], true));
  });
});

// ── selections that are widened at once ──────────────────────────────────────

describe('a selection that is widened by oblivious transfer', () => {
  const edges = (k: number) => [0n, 1n, -1n, (1n << BigInt(k - 1)) - 1n, 1n << BigInt(k - 2)];

  it('is exact at the edges of its domain: 0, 1, 2^(k−1) − 1 and −1, over several rings', async () => {
    for (const [k, k2] of [
      [8, 9],
      [21, 46],
      [35, 64],
      [63, 64],
    ]) {
      const values = edges(k);
      const build = (g: Gates) => {
        const x = g.input('x', [values.length], k, 0);
        g.output('out', g.choose([g.input('bit', [values.length], 1, 0)], [x], Uint8Array.of(0, 0), { widen: k2 }));
      };
      const inputs = {
        tensors: {
          x: wordsFrom(values, k),
          bit: wordsFrom(
            values.map(() => 1),
            1,
          ),
        },
        indices: {},
      };
      const { simulation, messages } = await record(build, inputs, { kernels, widening: 'ot', seed: k });
      expect(simulation.outputs.get('out')?.data.length).toBe(values.length);
      expect([...(simulation.outputs.get('out')?.data ?? [])].map((word) => BigInt.asIntN(k2, BigInt(word)))).toEqual(
        values,
      );
      // P2 sends the word of the wrap, and nothing of the result itself.
      const sent = messages.filter(({ tag }) => tag.startsWith('select-21')).map(({ bytes }) => bytes.length);
      expect(sent).toEqual([Math.ceil(((k2 - k) * values.length) / 8)]);
      expect(simulation.circuit.cost).toMatchObject({ p1ToP2Ahead: 4 * values.length });
    }
  });

  it('rounds first: a short result is one of the two neighbours, widened', async () => {
    const values = [0n, 5n, 16n, 100n, 1000n, 1n << 18n];
    const build = (g: Gates) => {
      const x = g.input('x', [values.length], 24, 8);
      const how = { drop: 4, widen: 64 };
      g.output('out', g.choose([g.input('bit', [values.length], 1, 0)], [x], Uint8Array.of(0, 0), how));
    };
    const inputs = {
      tensors: {
        x: wordsFrom(values, 24),
        bit: wordsFrom(
          values.map(() => 0),
          1,
        ),
      },
      indices: {},
    };
    for (let seed = 0; seed < 20; seed++) {
      const { outputs } = await simulate(build, inputs, { kernels, widening: 'ot', seed });
      for (const [i, word] of [...(outputs.get('out')?.data ?? [])].entries()) {
        const below = BigInt(word) - (values[i] >> 4n);
        expect(below === 0n || (below === 1n && values[i] % 16n !== 0n), `${values[i]}, seed ${seed}`).toBe(true);
      }
    }
  });

  /** About 1 + z/8 on sixteen segments of 2^12. */
  const line: PiecewisePolynomial = {
    ...({ segments: 16, degree: 3, t: 12, s1: 12, s2: 12, guard: 0 } as const),
    coefficients: BigInt64Array.from(Array.from({ length: 16 }, (_, z) => [4096 + 512 * z, 512, 0, 0]).flat(), BigInt),
  };
  const some = (count: number, least: number, most: number) => {
    const random = new Random(41);
    return Array.from({ length: count }, () => least + random.below(most - least));
  };
  const gate = Array.from({ length: 48 }, (_, i) => Number(i % 3 !== 0));

  it.each<[string, number, readonly number[], (g: Gates, x: Wire, bit: Wire, how: Selected) => Wire]>([
    ['a polynomial', 16, some(48, 0, 15 * 4096), (g, x, _bit, how) => g.polynomial(x, line, 32, { ...how, drop: 8 })],
    [
      'a gated exponential over Z_2^48',
      25,
      some(48, -20 * 2 ** 20, 0),
      (g, x, bit, how) => g.exponential(x, bit, 19, 21, { ...how, width: 8, k: 48, drop: 24 }),
    ],
    [
      'a sum of gated cosines, with words of several rings',
      32,
      some(48, 2 ** 12, 2 ** 15),
      (g, x, gate, how) =>
        g.cosines(
          [
            { x, sum: GELU_COSINES.gelu, gate },
            { x, sum: IDENTITY_SUM, gate: g.offset(gate, 1n) },
          ],
          40,
          {
            ...how,
            drop: 11,
          },
        ),
    ],
  ])('may be %s: what the selection alone gives, by the dealer or at once', async (_name, k, xs, select) => {
    const inputs = { tensors: { x: wordsFrom([...xs], k), bit: wordsFrom(gate, 1) }, indices: {} };
    const run = async (widening: Widening, apart: boolean) => {
      const { outputs, circuit } = await simulate(
        (g) => {
          const [x, bit] = [g.input('x', [xs.length], k, 20), g.input('bit', [xs.length], 1, 0)];
          const wide = apart ? g.widen(select(g, x, bit, {}), 64) : select(g, x, bit, { widen: 64 });
          expect(wide.k).toBe(64);
          g.output('out', wide);
        },
        inputs,
        { kernels, widening, seed: 5 },
      );
      return { out: [...(outputs.get('out')?.data ?? [])].map(Number), gates: circuit.gates };
    };
    const [want, dealt, own] = [await run('dealer', true), await run('dealer', false), await run('ot', false)];
    expect(dealt.out).toEqual(want.out);
    // The gates have other numbers, so their masks and how they round are others: one of the two neighbours.
    expect(Math.max(...own.out.map((word, i) => Math.abs(word - want.out[i])))).toBeLessThanOrEqual(1);
    expect(Math.max(...want.out)).toBeGreaterThan(2 ** 13);
    expect(own.gates.map(({ relation }) => relation)).not.toContain('widen');
    expect(own.gates.map(({ relation }) => relation)).toContain('ot-base');
  });

  it('needs a ring that grows, ERR_INTERNAL', () => {
    const builder = new CircuitBuilder('open', { widening: 'ot' });
    const [x, bit] = [builder.input('x', [1], 8, 0), builder.input('bit', [1], 1, 0)];
    thrown('ERR_INTERNAL', () => builder.choose([bit], [x], Uint8Array.of(0, 0), { widen: 8 }));
  });
});

// ── the choice of the plan ───────────────────────────────────────────────────

describe('the plan of a circuit', () => {
  it('is part of its hash: parties with different plans do not begin', () => {
    const hash = (widening: 'dealer' | 'ot') => {
      const builder = new CircuitBuilder('open', { widening });
      builder.output('out', builder.widen(builder.input('x', [5], 12, 0), 40));
      return fingerprint(builder.finish());
    };
    expect(hash('ot')).not.toBe(hash('dealer'));
    expect(hash('ot')).toBe(hash('ot'));
  });

  it('has no oblivious transfers where a party may deviate: ERR_PROTOCOL_UNAVAILABLE', () => {
    const active = { adversary: 'active' } as const;
    const error = thrown(
      'ERR_PROTOCOL_UNAVAILABLE',
      () => new CircuitBuilder('open', { widening: 'ot', claim: active }),
    );
    expect(error.message).toContain('oblivious transfers');
    expect(() => new CircuitBuilder('open', { widening: 'dealer', claim: active })).not.toThrow();
    expect(() => new CircuitBuilder('open', { widening: 'ot' })).not.toThrow();
  });

  it('makes a base only where something is widened', () => {
    const builder = new CircuitBuilder('open', { widening: 'ot' });
    builder.output('out', builder.input('x', [5], 12, 0));
    expect(builder.finish().gates.map(({ relation }) => relation)).toEqual(['input', 'output']);
  });

  it('P0 does not have what the compute parties send each other: asking for the base is an error', async () => {
    const base = new OtBaseGate({ number: 0, path: 'ot' }, 0);
    const parties = createParties(() => undefined, { kernels, seed: 1, alter: () => circuitOf([base]) });
    await settle(parties, NOTHING);
    thrown('ERR_INTERNAL', () => base.of(parties.engines[0]));
    expect(prgOf(parties.engines[0], senderOf(0))).toBeDefined();
    await failure('ERR_INTERNAL', () => base.component());
    await simulate(widening, TEXT, { kernels, widening: 'ot', seed: 1 });
  });
});
