/**
 * What each party sees: P0 nothing between input and output, and its own messages do not depend on the text beyond
 * their masked content; P1 and P2 bytes that are distributed alike for every text. Each assertion is also run on a
 * protocol that breaks it (PROTOCOL §11).
 */
import { describe, expect, it } from 'vitest';
import type { CosineSum, PiecewisePolynomial, RingKernels } from '../../src/compute/kernels/types.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { type Words, wordsFrom, zeros } from '../../src/compute/ring.ts';
import { executionKey } from '../../src/mpc/prg/prg.ts';
import { ReshareGate } from '../../src/mpc/protocol/semi-honest/additive.ts';
import type { Circuit } from '../../src/mpc/protocol/frame/circuit.ts';
import type { PartyId } from '../../src/net/wire/types.ts';
import { InputGate } from '../../src/mpc/protocol/semi-honest/io.ts';
import { type Party, prgOf } from '../../src/mpc/protocol/frame/party.ts';
import { LiftGate } from '../../src/mpc/protocol/semi-honest/product.ts';
import { SelectGate } from '../../src/mpc/protocol/semi-honest/select.ts';
import type { Gates, Inputs } from '../../src/mpc/protocol/types.ts';
import { Masked } from '../../src/mpc/share/masked.ts';
import { type ClearParameter, parameterView } from '../support/parameters.ts';
import { type Message, type SimulationOptions, collect, createParties, keysOf, simulate } from '../support/simulate.ts';

const wasm = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });

const PARAMETERS: readonly ClearParameter[] = [
  {
    parameter: { name: 'table', rows: 20, cols: 2, scale: 0 },
    values: Array.from({ length: 40 }, (_, i) => BigInt(i * i - 300)),
  },
  { parameter: { name: 'w', rows: 2, cols: 2, scale: 0 }, values: [3n, -1n, 4n, 1n] },
  { parameter: { name: 'bias', rows: 1, cols: 2, scale: 0 }, values: [500n, -7n] },
];
const [TABLE, W, BIAS] = PARAMETERS.map(({ parameter }) => parameter);

const CUBIC: PiecewisePolynomial = {
  segments: 16,
  degree: 3,
  t: 6,
  s1: 8,
  s2: 8,
  guard: 2,
  coefficients: BigInt64Array.from({ length: 64 }, (_, i) => BigInt(i * 37 - 900)),
};

const COSINES: CosineSum = {
  odd: false,
  linear: true,
  scale: 16,
  shift: 4,
  constant: 77n,
  terms: [{ frequency: 5001, amplitude: 1 << 24, s1: 8, s2: 8 }],
};

/** One gate of every kind, two elements wide. */
function everything(g: Gates): void {
  const rows = g.reshape(g.lookup('t', TABLE, 1), [2]);
  const x = g.input('x', [2], 64, 0);
  const sum = g.add(rows, x);
  const square = g.mul(sum, sum);
  const small = g.truncate(g.reshape(square, [2], 4), 4);
  const bit = g.table(
    g.reduce(small, 4),
    { bits: 4, entries: Array.from({ length: 16 }, (_, i) => BigInt(i % 3 === 0 ? 1 : 0)) },
    1,
  );
  const chosen = g.choose([bit], [small, g.reshape(sum, [2], 0)], Uint8Array.of(0, 1));
  const map = g.affine([{ x: g.reshape(chosen, [1, 2], 0), weight: W }], BIAS);
  const flat = g.reshape(map, [2]);
  // All but the raw inputs of selections are short (PROTOCOL §5.5).
  g.output('e', g.exponential(g.reduce(flat, 25), bit, 17, 17, { drop: 15 }));
  g.output('w', g.cosines([{ x: g.reduce(flat, 32), sum: COSINES, gate: bit }], 32));
  g.output('c', g.polynomial(g.reduce(g.mul(flat, flat, { drop: 5 }), 10), CUBIC, 32, { drop: 7 }));
}

/** Two texts: other tokens, other values. */
const TEXTS: readonly [Inputs, Inputs] = [
  { tensors: { x: wordsFrom([5, -3], 64) }, indices: { t: [3] } },
  { tensors: { x: wordsFrom([-100_000, 77_777], 64) }, indices: { t: [19] } },
];

async function messagesOf(inputs: Inputs, options: SimulationOptions): Promise<Message[]> {
  const messages: Message[] = [];
  const weights = options.weights ?? 'open';
  await simulate(everything, inputs, {
    kernels: () => wasm,
    parameters: (id, kernels) => parameterView(weights, id, kernels, PARAMETERS),
    ...options,
    tap: collect(messages),
  });
  return messages;
}

// ── P0 between its input and its output ──────────────────────────────────────

/** Messages that P0 sends or receives after its input and before the end of the online phase, by tag. */
function owner(messages: readonly Message[]): string[] {
  const order = messages.map(({ tag }) => tag);
  const lastInput = order.findLastIndex((tag) => tag.includes('-input/'));
  const lastOnline = order.findLastIndex((tag) => /-(12|21)\//.test(tag));
  return messages.flatMap(({ from, to, tag }, at) => {
    if (to === 0) return tag.startsWith('output-output/') && at > lastOnline ? [] : [`received ${tag}`];
    return from === 0 && at > lastInput ? [`sent ${tag}`] : [];
  });
}

/** A gate that tells P0 something in the middle of the online phase. */
class ChattyGate extends InputGate {
  override readonly half12 = 0 as unknown as undefined;

  override async inputP0(): Promise<void> {}

  override async inputP1(): Promise<void> {}

  async send12(p1: Party): Promise<void> {
    await p1.link(0).send('select-12/0', Masked.plain('output to its owner', new Uint8Array(1)));
  }
}

/** A gate whose dealt message depends on the text. */
class LeakyGate extends InputGate {
  readonly #text: Inputs;

  constructor(number: number, like: Circuit, text: Inputs) {
    const [out] = like.gates.flatMap((gate) => (gate.relation === 'input' && gate.out !== undefined ? [gate.out] : []));
    super({ number, path: 'planted' }, 'x', out);
    this.#text = text;
  }

  override async inputP0(): Promise<void> {}

  override async inputP1(): Promise<void> {}

  async dealP0(p0: Party): Promise<void> {
    await p0
      .link(2)
      .send(
        'input-deal/planted',
        Masked.plain('output to its owner', Uint8Array.of(Number(BigInt(this.#text.tensors['x'].data[0]) & 255n))),
      );
  }

  async dealP2(p2: Party): Promise<void> {
    await p2.link(0).recvBytes('input-deal/planted', 1);
  }
}

function plant(circuit: Circuit, gate: InputGate): Circuit {
  return { ...circuit, gates: [...circuit.gates, gate], sections: [...circuit.sections, 'planted'] };
}

describe('P0, the data owner', () => {
  it.each(['open', 'secret'] as const)(
    '%s weights: sends its deals, then its input, then nothing, and receives nothing but the outputs after the last round',
    async (weights) => {
      const messages = await messagesOf(TEXTS[0], { weights, seed: 1 });
      expect(owner(messages)).toEqual([]);
      expect(messages.filter(({ to }) => to === 0).map(({ tag }) => tag.split('/')[0])).toEqual([
        'output-output',
        'output-output',
        'output-output',
      ]);
      const own = messages
        .filter(({ from }) => from === 0)
        .map(({ tag }) => (tag.includes('-deal/') ? 'deal' : tag.includes('-input/') ? 'input' : tag));
      expect([...new Set(own)]).toEqual(['deal', 'input']);
      expect(own.lastIndexOf('deal')).toBeLessThan(own.indexOf('input'));
    },
  );

  it('a planted message to P0 in the first round is seen by the same assertion', async () => {
    const messages: Message[] = [];
    const run = simulate(everything, TEXTS[0], {
      kernels: () => wasm,
      parameters: (id, kernels) => parameterView('open', id, kernels, PARAMETERS),
      seed: 1,
      alter: (circuit) => {
        const out = circuit.gates.find((gate) => gate.relation === 'input')?.out;
        return out === undefined
          ? circuit
          : plant(circuit, new ChattyGate({ number: circuit.gates.length, path: 'planted' }, 'x', out));
      },
      tap: collect(messages),
    });
    await expect(run).rejects.toMatchObject({ code: 'ERR_FRAME_TAG' });
    expect(owner(messages)).toEqual(['received select-12/0']);
  });

  /** P0's messages as comparable lines, without those of the input phase. */
  const independent = (messages: readonly Message[]) =>
    messages
      .filter(({ from, tag }) => from === 0 && !tag.includes('-input/'))
      .map(({ to, tag, bytes }) => `${to} ${tag} ${Buffer.from(bytes).toString('hex')}`);

  it.each(['open', 'secret'] as const)(
    '%s weights: everything it sends outside the input phase is byte for byte the same for two texts under the same seeds',
    async (weights) => {
      const [a, b] = [
        await messagesOf(TEXTS[0], { weights, seed: 4 }),
        await messagesOf(TEXTS[1], { weights, seed: 4 }),
      ];
      expect(independent(a).length).toBeGreaterThan(5);
      expect(independent(b)).toEqual(independent(a));
      // The comparison is not blind: other seeds change every one of these messages.
      const other = independent(await messagesOf(TEXTS[0], { weights, seed: 5 }));
      // (A deal of two bits may repeat by chance.)
      expect(other.filter((line, i) => line === independent(a)[i] && line.length > 30)).toEqual([]);
    },
  );

  it('a planted gate that deals something of the text is caught by the same comparison', async () => {
    const leaky = (text: Inputs) =>
      messagesOf(text, {
        seed: 4,
        alter: (circuit) => plant(circuit, new LeakyGate(circuit.gates.length, circuit, text)),
      });
    const [a, b] = [independent(await leaky(TEXTS[0])), independent(await leaky(TEXTS[1]))];
    const different = a.filter((line, i) => line !== b[i]);
    expect(different).toHaveLength(1);
    expect(different[0]).toContain('input-deal/planted');
  });

  it.each(['open', 'secret'] as const)(
    '%s weights: its input messages differ between two texts, and on every link tags, order and lengths are the same',
    async (weights) => {
      const [a, b] = [
        await messagesOf(TEXTS[0], { weights, seed: 4 }),
        await messagesOf(TEXTS[1], { weights, seed: 4 }),
      ];
      const input = (messages: readonly Message[]) =>
        messages.filter(({ tag }) => tag.includes('-input/')).map(({ bytes }) => Buffer.from(bytes).toString('hex'));
      expect(input(a).every((hex, i) => hex !== input(b)[i])).toBe(true);
      for (const from of [0, 1, 2]) {
        for (const to of [0, 1, 2]) {
          const shape = (messages: readonly Message[]) =>
            messages.filter((m) => m.from === from && m.to === to).map(({ tag, bytes }) => `${tag} ${bytes.length}`);
          expect(shape(b), `P${from} → P${to}`).toEqual(shape(a));
        }
      }
    },
  );
});

// ── distributions at P1 and P2 ───────────────────────────────────────────────

const RUNS = 120;
/** For planted leaks: what is the same for one text in every run gives χ² = 2 · 60. */
const PLANTED_RUNS = 60;
const BINS = 16;
/**
 * Two-sample χ² with 15 degrees of freedom: 75 has a probability of 6e-10 for equal distributions; some 7000
 * positions are tested.
 */
const CHI_SQUARE = 75;
/** Bytes of a message that are looked at: all of a point-function key. */
const POSITIONS = 128;

/**
 * Kernels that show what they return: everything that a party computes is a function of its view, and shows
 * relations between messages that no single one does.
 */
function recording(kernels: RingKernels, see: (op: string, result: unknown) => void): RingKernels {
  return new Proxy(kernels, {
    get: (target, property, proxy: RingKernels) => {
      if (property === 'scope') return () => proxy;
      // What it gives would not be seen.
      if (property === 'atOnce') return undefined;
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== 'function') return value;
      if (property === 'sweep') return value.bind(target);
      return async (...args: unknown[]) => {
        const result: unknown = await value.apply(target, args);
        see(String(property), result);
        return result;
      };
    },
  });
}

/** Lowest and highest four bits of the first two words, or of the first bytes. */
function nibbles(result: unknown): number[] {
  if (result instanceof Uint8Array) return [...result.subarray(0, 8)].flatMap((byte) => [byte & 15, byte >> 4]);
  const { k, data } = result as Words;
  if (!(data instanceof Uint32Array || data instanceof BigUint64Array)) return [];
  return [...data.subarray(0, 2)].flatMap((word) => [
    Number(BigInt(word) & 15n),
    Number(BigInt(word) >> BigInt(Math.max(0, k - 4))),
  ]);
}

/**
 * For every byte that `party` receives and every value that it computes: how often each nibble came over `runs` keys
 * of the other pair, with the party's own key held fixed. Its view is its messages together with its own
 * randomness, so only what it does not know may vary: a value that is masked with its own key alone would look
 * uniform over all keys and be plain to it.
 */
async function histograms(
  party: 1 | 2,
  text: Inputs,
  firstSeed: number,
  runs: number,
  options: SimulationOptions,
): Promise<Map<string, number[]>> {
  const counts = new Map<string, number[]>();
  const count = (key: string, nibble: number) => {
    const bins = counts.get(key) ?? new Array<number>(BINS).fill(0);
    bins[nibble]++;
    counts.set(key, bins);
  };
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
    const seen = new Map<string, number>();
    let calls = 0;
    const see = (op: string, result: unknown) => {
      const call = calls++;
      nibbles(result).forEach((nibble, at) => {
        count(`computes #${call} ${op} ${at}`, nibble);
      });
    };
    const kernels = (id: PartyId) => {
      const own = options.kernels?.(id) ?? wasm;
      return id === party ? recording(own, see) : own;
    };
    for (const { from, to, tag, bytes } of await messagesOf(text, {
      ...options,
      kernels,
      seed: 1,
      keySeeds: party === 1 ? [1, seed] : [seed, 1],
    })) {
      if (to !== party) continue;
      // A tag may carry two messages (a key and a correction): number them.
      const nth = (seen.get(`${from} ${tag}`) ?? 0) + 1;
      seen.set(`${from} ${tag}`, nth);
      for (let at = 0; at < Math.min(bytes.length, POSITIONS); at++) {
        count(`P${from} → P${party} ${tag} #${nth} byte ${at} high`, bytes[at] >> 4);
        count(`P${from} → P${party} ${tag} #${nth} byte ${at} low`, bytes[at] & 15);
      }
    }
  }
  return counts;
}

/** What of a party's view has another distribution for the other text. */
async function distinguished(party: 1 | 2, options: SimulationOptions, runs = RUNS): Promise<string[]> {
  const a = await histograms(party, TEXTS[0], 2, runs, options);
  const b = await histograms(party, TEXTS[1], 10_000, runs, options);
  expect([...b.keys()]).toEqual([...a.keys()]);
  for (const part of ['→ P', 'computes'])
    expect([...a.keys()].filter((key) => key.includes(part)).length).toBeGreaterThan(60);
  return [...a].flatMap(([key, bins]) => {
    const other = b.get(key) ?? [];
    const statistic = bins.reduce(
      (sum, n, i) => (n + other[i] === 0 ? sum : sum + (n - other[i]) ** 2 / (n + other[i])),
      0,
    );
    return statistic > CHI_SQUARE ? [`${key}: ${statistic.toFixed(0)}`] : [];
  });
}

/**
 * A lift that is masked with λ2 alone, which P2 knows: P1 sends its a as it is. The rest of the run is the
 * protocol's.
 */
function liftUnmasked(circuit: Circuit): Circuit {
  for (const gate of circuit.gates) {
    if (!(gate instanceof LiftGate)) continue;
    const [x] = gate.inputs;
    gate.send12 = async (p1) =>
      p1.link(2).send(`lift-12/${gate.number}`, Masked.plain('output to its owner', await p1.value(x, 'a')));
  }
  return circuit;
}

/** A selection that is re-shared without λ2': P1 receives f − r0, and knows r0. */
function selectUnmasked(circuit: Circuit): Circuit {
  for (const gate of circuit.gates) {
    if (!(gate instanceof SelectGate)) continue;
    gate.send21 = async (p2) =>
      p2.link(1).send(`select-21/${gate.number}`, Masked.plain('output to its owner', await p2.value(gate.out, 'y')));
  }
  return circuit;
}

/** P2 sends its part without a fresh mask: P1 has the sum of both. */
function reshareUnmasked(circuit: Circuit): Circuit {
  for (const gate of circuit.gates) {
    if (!(gate instanceof ReshareGate)) continue;
    gate.send21 = async (p2) => {
      const part = await p2.kernels.scale(await p2.value(gate.x, 'l2'), -1n);
      await p2.link(1).send(`reshare-21/${gate.number}`, Masked.plain('output to its owner', part));
    };
  }
  return circuit;
}

/** Kernels whose masks are all zero: the same protocol, unmasked. */
function unmasked(kernels: RingKernels): RingKernels {
  return new Proxy(kernels, {
    get: (target, property, proxy: RingKernels) => {
      if (property === 'scope') return () => proxy;
      if (property === 'draw') return async (_stream: unknown, k: number, count: number) => zeros(count, k);
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('P1 and P2, the compute parties', () => {
  for (const weights of ['open', 'secret'] as const) {
    for (const party of [1, 2] as const) {
      it(`P${party}, ${weights} weights: given its own key, no byte that it receives and no value that it computes is distributed differently for two texts (χ² ≤ ${CHI_SQUARE} at 15 degrees, ${RUNS} keys each)`, async () => {
        expect(await distinguished(party, { weights })).toEqual([]);
      });
    }
  }

  it.each([1, 2] as const)('P%i tells the texts apart when masks are zero: the same test finds it', async (party) => {
    expect((await distinguished(party, { kernels: () => unmasked(wasm) }, PLANTED_RUNS)).length).toBeGreaterThan(3);
  });

  it('P2 tells them apart when a lift carries only its own mask: the same test finds the message', async () => {
    expect(
      (await distinguished(2, { alter: liftUnmasked }, PLANTED_RUNS)).some((position) =>
        position.startsWith('P1 → P2 lift-12/'),
      ),
    ).toBe(true);
  });

  it('P1 tells them apart when a selection comes back without λ2: the same test finds it in what P1 computes, though the message alone is uniform', async () => {
    const found = await distinguished(1, { alter: selectUnmasked }, PLANTED_RUNS);
    expect(found.some((position) => position.startsWith('computes'))).toBe(true);
  });

  it('P1 tells them apart when an additive part comes without λ2: the same test finds it', async () => {
    expect(
      (await distinguished(1, { alter: reshareUnmasked }, PLANTED_RUNS)).some((position) =>
        position.startsWith('computes'),
      ),
    ).toBe(true);
  });

  it('no party holds the key of the other two: P1 has no k02, P2 no k01, and asking is an error', async () => {
    const { engines } = createParties(everything, { seed: 1, kernels: () => wasm });
    expect(engines.map(({ k01, k02 }) => [k01 !== undefined, k02 !== undefined])).toEqual([
      [true, true],
      [true, false],
      [false, true],
    ]);
    expect(() => prgOf(engines[2], 1)).toThrow('party 2 does not share key 01');
    expect(() => prgOf(engines[1], 2)).toThrow('party 1 does not share key 02');
    expect(() => prgOf(engines[0], 1)).not.toThrow();
  });

  it('no message carries 6 bytes in a row of either pairwise key; a planted one is found', async () => {
    const { execution, k01, k02 } = keysOf(6);
    const keys = [k01, k02, executionKey(k01, execution), executionKey(k02, execution)].map((key) => Buffer.from(key));
    const carries = (bytes: Uint8Array) =>
      keys.some((key) => [...Array(27).keys()].some((at) => Buffer.from(bytes).includes(key.subarray(at, at + 6))));
    const messages = await messagesOf(TEXTS[0], { seed: 6 });
    expect(messages.filter(({ bytes }) => carries(bytes))).toEqual([]);
    expect(carries(Uint8Array.from([1, 2, 3, ...keys[3].subarray(5, 12)]))).toBe(true);
  });
});

// ── exact views on a toy ring ────────────────────────────────────────────────

/** `checks/views.py`: words mod 8, two entries, λ2 = (c, ℓ) of one and two bits, basis φ(ℓ). */
const M = 8;

type Gadget = (x: number, l2: number, w0: number, w1: number, r0: number) => readonly number[];

const parts = (x: number, l2: number, basis: (l: number) => number) => {
  const a = (x + l2) % M;
  const entry = (j: number) => ((a >> 2) ^ j) * 3 + (a & 3);
  return { c: l2 >> 2, phi: basis(l2 & 3), D: [entry(0), entry(1)] };
};
const mod = (v: number) => ((v % M) + M) % M;

const gadget =
  (basis: (l: number) => number, withZero = true): Gadget =>
  (x, l2, w0, w1, r0) => {
    const { c, phi, D } = parts(x, l2, basis);
    return [mod(D[0] + w0), mod(D[1] + w1), mod(-phi * (c === 0 ? w0 : w1) - (withZero ? r0 : 0))];
  };

/** Two tables of x and x + 1 under one pad. */
const repeated: Gadget = (x, l2, w0, w1, r0) => [
  ...gadget((l) => l)(x, l2, w0, w1, r0),
  ...gadget((l) => l)((x + 1) % M, l2, w0, w1, r0),
];

/** The exact distribution of P2's view over all pads, as a sorted list. */
function view(of: Gadget, x: number, l2: number): string {
  const seen: string[] = [];
  for (let w0 = 0; w0 < M; w0++)
    for (let w1 = 0; w1 < M; w1++) for (let r0 = 0; r0 < M; r0++) seen.push(of(x, l2, w0, w1, r0).join());
  return seen.sort((a, b) => (a < b ? -1 : 1)).join(' ');
}

const dependsOnX = (of: Gadget) =>
  [...Array(M).keys()].some((l2) => new Set([...Array(M).keys()].map((x) => view(of, x, l2))).size > 1);

describe('the selection gadget on a toy ring, over all 512 pads', () => {
  it('gives P2 exactly the same distribution for all eight secrets and every λ2, with odd and with even basis words', () => {
    expect(dependsOnX(gadget((l) => (2 * l + 1) % M))).toBe(false);
    expect(dependsOnX(gadget((l) => l))).toBe(false);
  });

  it('depends on the secret without r0, and under a repeated pad: the enumeration can fail', () => {
    expect(dependsOnX(gadget((l) => l, false))).toBe(true);
    expect(dependsOnX(repeated)).toBe(true);
  });

  it('is right: y = ⟨e_c, φ⟩ + B is the chosen entry times φ, less r0', () => {
    for (let at = 0; at < M ** 5; at++) {
      const [x, l2, w0, w1, r0] = [at % M, (at >> 3) % M, (at >> 6) % M, (at >> 9) % M, (at >> 12) % M];
      const { c, phi, D } = parts(x, l2, (l) => l);
      const [e0, e1, B] = gadget((l) => l)(x, l2, w0, w1, r0);
      if (mod((c === 0 ? e0 : e1) * phi + B + r0) !== mod(D[c] * phi)) throw new Error(`wrong at ${at}`);
    }
    expect(M ** 5).toBe(32_768);
  });

  it('an entry that is zero for every a may be left out, one at a place of P1 may not', () => {
    // Widening from Z_8, words mod 8: D = [msb a' = 0] on the basis msb λ2.
    const widening: Gadget = (x, l2, w0, _w1, r0) => {
      const a = mod(x + l2);
      return [mod((a < 4 ? 1 : 0) + w0), mod(-(l2 >> 2) * w0 - r0)];
    };
    expect(dependsOnX(widening)).toBe(false);
    // Two entries, zero where j is P1's bit: which of them is sent tells that bit.
    const misplaced: Gadget = (x, l2, w0, w1, r0) => {
      const [left, c] = [mod(x + l2) >> 2, l2 >> 2];
      const sent = 1 - left;
      return [sent, mod(1 + (sent === 0 ? w0 : w1)), mod(-(c === sent ? (sent === 0 ? w0 : w1) : 0) - r0)];
    };
    expect(dependsOnX(misplaced)).toBe(true);
  });

  it('a sum of two choices has pads for each table: with common pads their difference tells which bits P1 holds', () => {
    // Two tables of two entries mod 4, on the same shared bit and its complement; one word B and one r0 for both.
    const sum =
      (common: boolean) =>
      (x: number, l2: number, pads: readonly number[], r0: number): string => {
        const c = l2 & 1;
        const a = (x ^ c) & 1;
        const [v, w] = [(x + l2) & 3, (3 * x + l2) & 3];
        const pad = (t: number, j: number) => pads[common ? j : 2 * t + j];
        const e = [0, 1].map((j) => [((a ^ j) * v + pad(0, j)) & 3, ((1 - (a ^ j)) * w + pad(1, j)) & 3]);
        const B = (-pad(0, c) - pad(1, c) - r0) & 3;
        return [...e.flat(), B].join();
      };
    const viewOf = (common: boolean, x: number, l2: number) => {
      const seen: string[] = [];
      for (let at = 0; at < 4 ** 5; at++) {
        const words = [0, 1, 2, 3, 4].map((i) => (at >> (2 * i)) & 3);
        seen.push(sum(common)(x, l2, words.slice(0, 4), words[4]));
      }
      return seen.sort((p, q) => (p < q ? -1 : 1)).join(' ');
    };
    const tells = (common: boolean) =>
      [0, 1, 2, 3].some((l2) => new Set([0, 1, 2, 3].map((x) => viewOf(common, x, l2))).size > 1);
    expect(tells(false)).toBe(false);
    expect(tells(true)).toBe(true);
  });

  it('words of widths of their own, on bases that are multiples: uniform, and right; a short pad on a full word tells', () => {
    // Two entries of a word mod 8 and one mod 2, on φ = (odd, 4·ℓ). Seven bits of pads, three of r0.
    const words = (x: number, l2: number) => {
      const a = mod(x + l2);
      const entry = (j: number) => [mod(((a >> 2) ^ j) * 3 + a), ((a >> 2) ^ j) & (a + 1)] as const;
      return { c: l2 >> 2, phi: [mod(2 * l2 + 1), 4 * (l2 & 1)] as const, D: [entry(0), entry(1)] };
    };
    // `full`: the second word is sent mod 8 under its pad of one bit, as if φ were no multiple.
    const seen = (x: number, l2: number, pads: number, full: boolean): number[] => {
      const { c, phi, D } = words(x, l2);
      const pad = [[pads & 7, (pads >> 3) & 1] as const, [(pads >> 4) & 7, (pads >> 7) & 1] as const];
      const r0 = (pads >> 8) & 7;
      const e = D.map(([d0, d1], j) => [mod(d0 + pad[j][0]), full ? mod(3 * d1 + pad[j][1]) : (d1 + pad[j][1]) & 1]);
      const B = mod(-pad[c][0] * phi[0] - pad[c][1] * phi[1] - r0);
      if (!full && mod(e[c][0] * phi[0] + e[c][1] * phi[1] + B + r0) !== mod(D[c][0] * phi[0] + D[c][1] * phi[1]))
        throw new Error(`wrong at ${x} ${l2} ${pads}`);
      return [...e.flat(), B];
    };
    const tells = (full: boolean) =>
      [...Array(M).keys()].some((l2) => {
        const views = [...Array(M).keys()].map((x) =>
          Array.from({ length: 2 ** 11 }, (_, pads) => seen(x, l2, pads, full).join())
            .sort((p, q) => (p < q ? -1 : 1))
            .join(' '),
        );
        return new Set(views).size > 1;
      });
    expect(tells(false)).toBe(false);
    expect(tells(true)).toBe(true);
  });

  it('widening by one entry is exact inside its domain, for every mask and pad of six bits', () => {
    const wrong: string[] = [];
    for (let x = -16; x <= 16; x++) {
      for (let l2 = 0; l2 < 64; l2++) {
        const a = (x + 16 + l2 + 64) % 64;
        for (let pad = 0; pad < 64; pad++) {
          const [e, B] = [((a >> 5 === 0 ? 1 : 0) + pad) % 8, (-(l2 >> 5) * pad) % 8];
          const wrap = ((((l2 >> 5) * e + B) % 8) + 8) % 8;
          if (a - 16 - l2 + 64 * wrap !== x) wrong.push(`${x} ${l2} ${pad}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it('truncation is ⌊(z + ρ)/4⌋ with ρ = λ2 mod 4, and ⌊z/4⌋ + [a mod 4 < z mod 4], for every z and λ2 of six bits', () => {
    const wrong: string[] = [];
    for (let z = 0; z < 32; z++) {
      for (let l2 = 0; l2 < 64; l2++) {
        const a = (z + l2) % 64;
        const wrap = a >> 5 === 0 && l2 >> 5 === 1 ? 1 : 0;
        const out = ((a >> 2) - (l2 >> 2) + (wrap << 4) + 64) % 64;
        if (out !== (z + (l2 & 3)) >> 2 || out !== (z >> 2) + ((a & 3) < (z & 3) ? 1 : 0)) wrong.push(`${z} ${l2}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});
