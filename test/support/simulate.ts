/**
 * Runs a circuit among three engines in one process over memory channels: what P0 opened, what every link carried,
 * and how each party ended.
 */
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import type { RingKernels } from '../../src/compute/kernels/types.ts';
import type { Words } from '../../src/compute/ring.ts';
import { asTercetError } from '../../src/core/errors.ts';
import { type MemoryOptions, memoryPair } from '../../src/net/simulated/memory-link.ts';
import type { Channel, PartyId } from '../../src/net/wire/types.ts';
import type { Execution } from '../../src/mpc/prg/gate-id.ts';
import { PairPrg } from '../../src/mpc/prg/prg.ts';
import type { Circuit, OwnerCost } from '../../src/mpc/protocol/frame/circuit.ts';
import { CircuitBuilder } from '../../src/mpc/protocol/semi-honest/circuit.ts';
import { Engine, type Observer } from '../../src/mpc/protocol/frame/engine.ts';
import { Transcript } from '../../src/mpc/protocol/malicious/proving/transcript.ts';
import { Aby3Builder } from '../../src/mpc/protocol/aby3/circuit.ts';
import { CompleteBuilder } from '../../src/mpc/protocol/malicious/circuit.ts';
import type { Sharing } from '../../src/mpc/share/wire.ts';
import type { Kept } from '../../src/mpc/protocol/frame/kept.ts';
import type { ParameterView } from '../../src/mpc/protocol/frame/party.ts';
import type { Tracing } from '../../src/mpc/protocol/trace.ts';
import type { Cost, Gates, Inputs, Widening } from '../../src/mpc/protocol/types.ts';

export type Tap = (from: PartyId, to: PartyId, tag: string, bytes: Uint8Array) => Uint8Array | undefined;

/** One message as it was sent. */
export interface Message {
  readonly from: PartyId;
  readonly to: PartyId;
  readonly tag: string;
  readonly bytes: Uint8Array;
}

export interface Simulation {
  readonly outputs: ReadonlyMap<string, Words>;
  readonly circuit: Circuit;
  /** Payload bytes sent, as [from][to]. */
  readonly sent: number[][];
  readonly engines: readonly Engine[];
}

export interface SimulationOptions {
  readonly weights?: 'open' | 'secret';
  /** One-sided sharing, or the complete one of `3pc_malicious`. */
  readonly sharing?: Sharing | undefined;
  /** Symmetric products, of complete sharing: what `aby3` has. */
  readonly aby3?: boolean;
  /** How widenings get the wrap. */
  readonly widening?: Widening | undefined;
  readonly parameters?: (id: PartyId, kernels: RingKernels) => ParameterView;
  readonly kernels?: (id: PartyId) => RingKernels;
  /** Of all keys. Without it the next of this process: tests may not fail by chance, so the first is always the same. */
  readonly seed?: number;
  /** Seeds of the two pairwise keys, where they are not to follow from `seed`. */
  readonly keySeeds?: readonly [k01: number, k02: number];
  readonly tap?: Tap;
  readonly wire?: MemoryOptions['wire'];
  readonly timeoutMs?: number;
  readonly signal?: (id: PartyId) => AbortSignal | undefined;
  readonly trace?: Tracing;
  /** A party's own generator; else one that repeats with the seed. */
  readonly random?: (id: PartyId) => (length: number) => Uint8Array;
  /** What the step before kept, by party. */
  readonly kept?: (id: PartyId) => Kept;
  /** Another generator in place of `PairPrg`, for planted faults. */
  readonly prg?: (master: Uint8Array, execution: Execution) => PairPrg;
  /** Sees what passes at a party, whose messages are kept. */
  readonly observed?: (id: PartyId, transcript: Transcript) => Observer;
  /** Changes the finished circuit at all parties, for planted faults. */
  readonly alter?: (circuit: Circuit) => Circuit;
}

export const noParameters: ParameterView = {
  weights: 'open',
  matrix: () => Promise.reject(new Error('this circuit has no parameters')),
  words: () => Promise.reject(new Error('this circuit has no parameters')),
};

/** Reproducible bytes: not random, but different for every seed and label. */
export function seeded(length: number, seed: number, label: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => {
    const mixed = Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(seed + 1, 0x85ebca6b) ^ Math.imul(label, 0xc2b2ae35);
    // Multiplied once more: without that two seeds differ by one byte, the same at every place, and 256 keys are all.
    return Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) >>> 11;
  });
}

/** Seeds of runs that name none: one after the other, from TERCET_TEST_SEED or 1. */
const nextSeed = (() => {
  let seed = Number(process.env.TERCET_TEST_SEED ?? 1) * 1_000_003;
  return () => seed++ % 2 ** 31;
})();

export interface Parties {
  readonly circuit: Circuit;
  readonly engines: readonly Engine[];
  readonly channels: readonly ReadonlyMap<PartyId, Channel>[];
}

/** A party's own generator, the same for the same seed. */
function repeatable(seed: number, id: PartyId): (length: number) => Uint8Array {
  let calls = 0;
  return (length) => seeded(length, seed, 100 + 3 * calls++ + id);
}

/** The execution and the keys of a seed, as the three parties hold them. */
export function keysOf(seed: number): {
  readonly execution: Execution;
  readonly k01: Uint8Array;
  readonly k02: Uint8Array;
  readonly k12: Uint8Array;
} {
  return {
    execution: { session: seeded(16, seed, 3), number: 0, step: 0, branch: 0 },
    k01: seeded(32, seed, 1),
    k02: seeded(32, seed, 2),
    k12: seeded(32, seed, 4),
  };
}

/** A builder of the sharing that is asked for. */
function builderOf({ weights = 'open', widening, sharing, aby3 }: SimulationOptions): Gates & { finish(): Circuit } {
  if (aby3 === true) return new Aby3Builder(weights, { widening });
  return sharing === 'complete'
    ? new CompleteBuilder(weights, { widening })
    : new CircuitBuilder(weights, { widening });
}

/** Looks at nothing. */
export const UNSEEN: Observer = {
  gate: async () => undefined,
  dealt: async (_party, _gate, release) => release(),
  half: async () => undefined,
};

export function createParties(build: (gates: Gates) => void, options: SimulationOptions = {}): Parties {
  const builder = builderOf(options);
  build(builder);
  const finished = builder.finish();
  const circuit = options.alter?.(finished) ?? finished;
  const seed = options.seed ?? nextSeed();
  const { execution } = keysOf(seed);
  const [k01, k02] = [keysOf(options.keySeeds?.[0] ?? seed).k01, keysOf(options.keySeeds?.[1] ?? seed).k02];
  const channels: Map<PartyId, Channel>[] = [new Map(), new Map(), new Map()];
  for (const [a, b] of [
    [0, 1],
    [0, 2],
    [1, 2],
  ] as [PartyId, PartyId][]) {
    const [left, right] = memoryPair(a, b, {
      tap: ({ from, to }, tag, bytes) => options.tap?.(from as PartyId, to as PartyId, tag, bytes),
      wire: options.wire,
      timeoutMs: options.timeoutMs,
    });
    channels[a].set(b, left);
    channels[b].set(a, right);
  }
  const prg = options.prg ?? ((master, session) => PairPrg.of(master, session));
  const engines = ([0, 1, 2] as PartyId[]).map((id) => {
    const kernels = options.kernels?.(id) ?? new ReferenceKernels();
    const signal = options.signal?.(id);
    const transcript = new Transcript();
    const observer = options.observed?.(id, transcript);
    const links = new Map(channels[id]);
    if (observer !== undefined) for (const [peer, channel] of links) links.set(peer, transcript.over(channel));
    return new Engine({
      id,
      circuit,
      kernels,
      parameters: options.parameters?.(id, kernels) ?? noParameters,
      channels: links,
      // Complete sharing without proofs: what these tests look at are its messages.
      observer: observer ?? (circuit.sharing === 'complete' ? UNSEEN : undefined),
      k01: id === 2 ? undefined : prg(k01, execution),
      k02: id === 1 ? undefined : prg(k02, execution),
      k12: id === 0 || options.aby3 !== true ? undefined : prg(keysOf(seed).k12, execution),
      signal,
      trace: options.trace,
      kept: options.kept?.(id),
      random: options.random?.(id) ?? repeatable(seed, id),
    });
  });
  return { circuit, engines, channels };
}

async function runEngine(engine: Engine, inputs?: Inputs): Promise<ReadonlyMap<string, Words>> {
  await engine.deal();
  await engine.input(inputs);
  await engine.online();
  return engine.output();
}

/** Runs all three to their end. A party that fails drops its links, as the sessions do, so that the others end too. */
export function settle(
  { engines, channels }: Parties,
  inputs: Inputs,
): Promise<PromiseSettledResult<ReadonlyMap<string, Words>>[]> {
  return Promise.allSettled(
    engines.map(async (engine, id) => {
      try {
        return await runEngine(engine, id === 0 ? inputs : undefined);
      } catch (error) {
        for (const channel of channels[id].values()) channel.abort(asTercetError(error));
        throw error;
      }
    }),
  );
}

export async function simulate(
  build: (gates: Gates) => void,
  inputs: Inputs,
  options: SimulationOptions = {},
): Promise<Simulation> {
  const parties = createParties(build, options);
  const results = await settle(parties, inputs);
  // The party that failed first says why; the others only saw its links go.
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
  if (failures.length > 0)
    throw failures.find((error) => asTercetError(error).code !== 'ERR_PEER_CLOSED') ?? failures[0];
  const [first] = results;
  if (first.status !== 'fulfilled') throw new Error('not reached');
  const sent = [0, 1, 2].map((a) =>
    [0, 1, 2].map((b) => parties.channels[a].get(b as PartyId)?.stats.sentPayloadBytes ?? 0),
  );
  return { outputs: first.value, circuit: parties.circuit, sent, engines: parties.engines };
}

/** `simulate`, with every message in the order of sending. */
export async function record(
  build: (gates: Gates) => void,
  inputs: Inputs,
  options: SimulationOptions = {},
): Promise<{ readonly simulation: Simulation; readonly messages: readonly Message[] }> {
  const messages: Message[] = [];
  const simulation = await simulate(build, inputs, { ...options, tap: collect(messages) });
  return { simulation, messages };
}

/** A tap that only listens. */
export function collect(into: Message[]): Tap {
  return (from, to, tag, bytes) => {
    into.push({ from, to, tag, bytes });
    return undefined;
  };
}

/** Bytes that a circuit declares, as [from][to]. */
export function declaredBytes(cost: Cost, owner?: OwnerCost): number[][] {
  const { p0ToP1 = 0, p0ToP2 = 0, p2ToP0 = 0 } = owner ?? {};
  return [
    [0, cost.p0ToP1Ahead + cost.p0ToP1Input + p0ToP1, cost.p0ToP2Ahead + cost.p0ToP2Input + p0ToP2],
    [cost.p1ToP0, 0, cost.p1ToP2Ahead + cost.p1ToP2],
    [cost.p2ToP0 + p2ToP0, cost.p2ToP1Ahead + cost.p2ToP1, 0],
  ];
}

/**
 * Rounds between P1 and P2 as the messages show them: maximal runs of half-rounds 12 then 21. Messages sent ahead
 * of the input are in no round.
 */
export function measuredRounds(messages: readonly Message[]): number {
  let rounds = 0;
  let last: '12' | '21' | undefined;
  for (const { tag } of messages) {
    const half = /-(12|21)\//.exec(tag)?.[1] as '12' | '21' | undefined;
    if (half === undefined) continue;
    if ((half === '12' && last !== '12') || (half === '21' && last === undefined)) rounds++;
    last = half;
  }
  return rounds;
}

/**
 * The same where P0 has a part in them, and P0's: by the half-rounds of the gates whose messages pass. They come in
 * order on every link.
 */
function ownerRounds(
  { gates }: Circuit,
  messages: readonly Message[],
): { readonly all: number; readonly owner: number } {
  const last = new Map<string, number>();
  const [all, owner] = [new Set<number>(), new Set<number>()];
  for (const { from, to, tag } of messages) {
    const [, phase, number] = /-(\w+)\/(\d+)$/.exec(tag) ?? [];
    const { half12, half21, owner: step } = gates[Number(number)];
    const half = phase === '12' ? half12 : phase === '21' ? half21 : step?.half;
    if (half === undefined || phase === 'input' || phase === 'output') continue;
    const link = `${from} ${to}`;
    if (half < (last.get(link) ?? 0)) throw new Error(`${tag} comes behind its half-round`);
    last.set(link, half);
    all.add(half);
    if (from === 0 || to === 0) owner.add(half);
  }
  return { all: Math.floor(Math.max(-1, ...all) / 2) + 1, owner: owner.size };
}

/** One run of a protocol, as the suite sees it. */
export interface ProtocolRun {
  readonly outputs: ReadonlyMap<string, Words>;
  /** Payload bytes as [from][to]: counted at the channels, and as the circuit declares them. */
  readonly sent: number[][];
  readonly declared: number[][];
  readonly rounds: number;
  readonly declaredRounds: number;
  /** Half-rounds in which P0 sends or gets something, counted and declared. */
  readonly owner: readonly [number, number];
}

/** `simulate`, with what it cost as declared and as counted. */
export async function measured(
  build: (gates: Gates) => void,
  inputs: Inputs,
  options: SimulationOptions,
): Promise<ProtocolRun> {
  const { simulation, messages } = await record(build, inputs, options);
  const { cost, owner } = simulation.circuit;
  const inRounds = owner === undefined ? undefined : ownerRounds(simulation.circuit, messages);
  return {
    outputs: simulation.outputs,
    sent: simulation.sent,
    declared: declaredBytes(cost, owner),
    rounds: inRounds?.all ?? measuredRounds(messages),
    declaredRounds: cost.rounds,
    owner: [inRounds?.owner ?? 0, owner?.rounds ?? 0],
  };
}
