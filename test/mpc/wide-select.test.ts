/**
 * Selections that are widened at once (PROTOCOL §5.2), with words of the dealer and by oblivious transfer: their
 * domain, the views on a toy ring over all masks, who receives what, and repeats that must be refused.
 */
import { describe, expect, it } from 'vitest';
import type { RingKernels } from '../../src/compute/kernels/types.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { type Words, signedAt, wordsFrom } from '../../src/compute/ring.ts';
import { PURPOSES } from '../../src/mpc/prg/gate-id.ts';
import { PairPrg } from '../../src/mpc/prg/prg.ts';
import { CircuitBuilder } from '../../src/mpc/protocol/semi-honest/circuit.ts';
import { DealtSelectGate } from '../../src/mpc/protocol/semi-honest/dealt-select.ts';
import { selectionZero } from '../../src/mpc/protocol/frame/dealing.ts';
import { fingerprint } from '../../src/mpc/protocol/frame/fingerprint.ts';
import type { Party } from '../../src/mpc/protocol/frame/party.ts';
import type { Gates, Inputs, Widening } from '../../src/mpc/protocol/types.ts';
import { thrown } from '../failure.ts';
import { type SimulationOptions, createParties, keysOf, record, settle, simulate } from '../support/simulate.ts';

const wasm = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });
const kernels = () => wasm;
const BOTH: readonly Widening[] = ['dealer', 'ot'];

/** x itself, by a choice whose bit does not matter, widened at once. */
function widened(count: number, k: number, k2: number, least?: bigint) {
  return (g: Gates) => {
    const [x, bit] = [g.input('x', [count], k, 0), g.input('bit', [count], 1, 0)];
    g.output(
      'out',
      g.choose([bit], [x], Uint8Array.of(0, 0), { widen: k2, ...(least === undefined ? {} : { least }) }),
    );
  };
}

function inputsOf(values: readonly (bigint | number)[], k: number): Inputs {
  const tensors = { x: wordsFrom([...values], k), bit: wordsFrom(new Array<number>(values.length).fill(0), 1) };
  return { tensors, indices: {} };
}

async function resultOf(
  widening: Widening,
  values: readonly bigint[],
  k: number,
  k2: number,
  least?: bigint,
  seed = 1,
) {
  const build = widened(values.length, k, k2, least);
  const { outputs } = await simulate(build, inputsOf(values, k), { kernels, widening, seed });
  const out = outputs.get('out') as Words;
  return values.map((_, i) => signedAt(out, i));
}

describe.each(BOTH)('a selection that is widened at once by %s', (widening) => {
  it.each([
    [8, 9, 0n],
    [20, 49, 0n],
    [23, 64, -(1n << 14n)],
    [21, 64, -(1n << 19n)],
    [63, 64, -1n],
  ])(
    'over Z_2^%i to Z_2^%i is exact from %s on, up to the last of 2^(k−1) values, and at zero and one',
    async (k, k2, least) => {
      const last = least + (1n << BigInt(k - 1)) - 1n;
      // −0.17 at scale 16 is where GeLU is least.
      const values = [least, least + 1n, 0n, 1n, last - 1n, last, ...(least < -11_142n ? [-11_142n] : [])];
      for (let seed = 0; seed < 8; seed++) expect(await resultOf(widening, values, k, k2, least, seed)).toEqual(values);
    },
  );

  it('is wrong for some masks two below and one above, so the edges are edges', async () => {
    const least = -4n;
    const many = (x: bigint) => resultOf(widening, new Array<bigint>(512).fill(x), 6, 9, least);
    for (const inside of [least, least + 31n]) expect(new Set(await many(inside))).toEqual(new Set([inside]));
    for (const outside of [least - 2n, least + 32n]) expect(new Set(await many(outside)).size).toBeGreaterThan(1);
  });

  it('says its lowest value and its ring in the circuit hash', () => {
    const hash = (k2: number, least?: bigint) => {
      const builder = new CircuitBuilder('open', { widening });
      widened(3, 8, k2, least)(builder);
      return fingerprint(builder.finish());
    };
    expect(new Set([hash(16), hash(17), hash(16, -2n), hash(16, -3n)]).size).toBe(4);
    expect(hash(16, 0n)).toBe(hash(16));
  });

  it('needs a ring that grows, ERR_INTERNAL', () => {
    thrown('ERR_INTERNAL', () => widened(1, 8, 8)(new CircuitBuilder('open', { widening })));
    expect(() => widened(1, 8, 9)(new CircuitBuilder('open', { widening }))).not.toThrow();
  });
});

// ── views ────────────────────────────────────────────────────────────────────

/** Bits of the toy rings: f in Z_2^3, words of the wrap in Z_2^2. */
const [K, WORD] = [3, 2];

/** Every r0 with every z and t. */
interface Masks {
  readonly r0: number;
  readonly z: number;
  readonly t: number;
}

const ALL: readonly Masks[] = Array.from({ length: 1 << (K + 2 * WORD) }, (_, i) => ({
  r0: i & 7,
  z: (i >> 3) & 3,
  t: (i >> 5) & 3,
}));

type Counts = Readonly<Record<string, number>>;

function counted(views: readonly string[]): Counts {
  const counts: Record<string, number> = {};
  for (const view of views) counts[view] = (counts[view] ?? 0) + 1;
  return counts;
}

/** The real gate on a vector in which every combination of masks comes once. `without` leaves a mask out. */
async function toyViews(f: number, without?: 'z' | 't') {
  const column = (k: number, of: (masks: Masks) => number) => wordsFrom(ALL.map(of), k);
  const enumerated = new Proxy(wasm as RingKernels<Words>, {
    get: (target, name) => {
      if (name === 'scope') return () => enumerated;
      if (name === 'draw')
        return async (...[stream, k, n, first]: Parameters<RingKernels<Words>['draw']>) => {
          const [purpose, direction] = [stream.nonce[10], stream.nonce[11]];
          if (n !== ALL.length) return target.draw(stream, k, n, first);
          if (direction === 0)
            return purpose === PURPOSES.zero ? column(K, (m) => m.r0) : target.draw(stream, k, n, first);
          expect([PURPOSES.zero, PURPOSES.pad]).toContain(purpose);
          const [of, name] = purpose === PURPOSES.zero ? [(m: Masks) => m.z, 'z'] : [(m: Masks) => m.t, 't'];
          return column(WORD, name === without ? () => 0 : of);
        };
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
  }) as RingKernels<Words>;
  const options = { kernels: () => enumerated as unknown as RingKernels, widening: 'dealer', seed: 3 } as const;
  const inputs = inputsOf(new Array<number>(ALL.length).fill(f), K);
  const { simulation, messages } = await record(widened(ALL.length, K, K + WORD), inputs, options);
  const sent = async (from: number, to: number, tag: string) => {
    const bytes =
      messages.find((m) => m.from === from && m.to === to && m.tag.startsWith(tag))?.bytes ?? new Uint8Array(0);
    return [...(await wasm.unpack(bytes, WORD, ALL.length)).data].map(Number);
  };
  const [word, e] = [await sent(0, 1, 'select-deal'), await sent(2, 1, 'select-21')];
  const y = ALL.map(({ r0 }) => (f - r0 + 8) & 7);
  return {
    result: new Set([...(simulation.outputs.get('out') as Words).data].map(Number)),
    p1: counted(ALL.map(({ r0 }, i) => [r0, word[i], e[i]].join(' '))),
    p2: counted(ALL.map(({ z, t }, i) => [y[i], z, t].join(' '))),
    /** What P2 would see if P0's word came to it. */
    misled: counted(ALL.map(({ z, t }, i) => [y[i], z, t, word[i]].join(' '))),
    toP0: messages.filter(({ to }) => to === 0).map(({ tag }) => tag),
  };
}

describe('a selection that is widened with words of the dealer, on a toy ring over all masks', () => {
  it('is exact, and gives P1 and P2 exactly the same views for every value of its domain', async () => {
    const expected = await toyViews(0);
    for (const f of [0, 1, 2, 3, -1]) {
      const { result, p1, p2 } = await toyViews(f);
      expect(result).toEqual(new Set([Number(BigInt.asUintN(K + WORD, BigInt(f)))]));
      expect([p1, p2]).toEqual([expected.p1, expected.p2]);
    }
  });

  it.each(['z', 't'] as const)('would give P1 the value without %s: the enumeration can fail', async (without) => {
    const [zero, one] = [await toyViews(0, without), await toyViews(1, without)];
    expect(one.p1).not.toEqual(zero.p1);
    expect(one.p2).toEqual(zero.p2);
  });

  it("would give P2 the value where it had P0's word to P1, and nothing comes to P0 but the answer", async () => {
    const [zero, one] = [await toyViews(0), await toyViews(1)];
    expect(one.misled).not.toEqual(zero.misled);
    expect(zero.toP0).toEqual(['output-output/4']);
  });
});

// ── who receives what, and once ──────────────────────────────────────────────

describe('the words of a wrap that the dealer sends', () => {
  it('go to P1 alone, k2 − k bits an element; P2 sends as many and gets none', async () => {
    const count = 24;
    const { simulation, messages } = await record(widened(count, 20, 49), inputsOf(new Array(count).fill(5), 20), {
      kernels,
      widening: 'dealer',
      seed: 4,
    });
    const lengths = (from: number, to: number) =>
      messages
        .filter((m) => m.from === from && m.to === to && m.tag.startsWith('select'))
        .map(({ bytes }) => bytes.length);
    expect(lengths(0, 1)).toEqual([(29 * count) / 8]);
    expect(lengths(2, 1)).toEqual([(29 * count) / 8]);
    expect(lengths(0, 2)).toEqual([(20 * count) / 8]);
    expect(simulation.circuit.cost).toMatchObject({ p0ToP1Ahead: (29 * count) / 8, p0ToP2Ahead: (20 * count) / 8 });
  });

  it('have addresses of their own: with one key for both pairs no draw of one direction is one of the other', async () => {
    const same = keysOf(5).k01;
    const drawn = new Map<string, Set<string>>();
    const recorded = new Proxy(wasm as RingKernels<Words>, {
      get: (target, name) => {
        if (name === 'scope') return () => recorded;
        if (name === 'draw')
          return async (...[stream, k, n, first]: Parameters<RingKernels<Words>['draw']>) => {
            const words = await target.draw(stream, k, n, first);
            const address = stream.nonce.join();
            const at = drawn.get(address) ?? new Set<string>();
            drawn.set(address, at.add(`${k} ${n}`));
            return words;
          };
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value;
      },
    }) as RingKernels<Words>;
    const prg: SimulationOptions['prg'] = (_master, execution) => PairPrg.of(same, execution);
    const values = [0n, 7n, 100n];
    const options = { kernels: () => recorded as unknown as RingKernels, widening: 'dealer', seed: 5, prg } as const;
    await simulate(widened(3, 20, 49), inputsOf(values, 20), options);
    // Every address gives words of one ring: r0 of 20 bits is not z of 29.
    for (const forms of drawn.values()) expect(forms.size).toBe(1);
    const directions = [...drawn.keys()].map((address) => address.split(',').map(Number)).filter((n) => n[4] === 2);
    expect(new Set(directions.map((nonce) => [nonce[10], nonce[11]].join()))).toEqual(
      new Set([`${PURPOSES.pad},1`, `${PURPOSES.zero},0`, `${PURPOSES.zero},1`]),
    );
    expect(directions.length).toBe(3);
  });

  /** Runs the circuit with its selection replaced, and says how the parties ended. */
  async function planted(Gate: typeof DealtSelectGate): Promise<readonly string[]> {
    const values = [0n, 7n, 100n];
    const parties = createParties(widened(3, 20, 49), {
      kernels,
      seed: 6,
      alter: (circuit) => ({
        ...circuit,
        gates: circuit.gates.map((gate) => {
          if (gate instanceof DealtSelectGate) Object.setPrototypeOf(gate, Gate.prototype as object);
          return gate;
        }),
      }),
    });
    const ends = await settle(parties, inputsOf(values, 20));
    return ends.map((end) => (end.status === 'fulfilled' ? 'ok' : (end.reason as { readonly code: string }).code));
  }

  it('are dealt once and used once: a second word to P1 and a second e are refused, ERR_PAD_REUSE', async () => {
    class DealtTwice extends DealtSelectGate {
      override async dealP0(p0: Party): Promise<void> {
        const dealt = super.dealP0.bind(this);
        await dealt(p0);
        await this.dealWrap(p0, await selectionZero(this, p0));
      }
    }
    class SentTwice extends DealtSelectGate {
      override async send21(p2: Party): Promise<void> {
        const words = p2.take(this);
        for (let time = 0; time < 2; time++) await this.sendUnder(p2, words);
      }
    }
    expect(await planted(DealtSelectGate)).toEqual(['ok', 'ok', 'ok']);
    expect((await planted(DealtTwice))[0]).toBe('ERR_PAD_REUSE');
    expect((await planted(SentTwice))[2]).toBe('ERR_PAD_REUSE');
  });
});
