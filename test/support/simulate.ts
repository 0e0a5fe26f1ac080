/** Runs a circuit among three engines in one process over memory channels, and returns what P0 opened with the measured costs. */
import { ReferenceKernels } from '../../src/compute/kernels/reference/index.ts';
import type { RingKernels } from '../../src/compute/kernels/types.ts';
import type { Words } from '../../src/compute/ring.ts';
import { memoryPair } from '../../src/net/memory.ts';
import type { Channel, PartyId } from '../../src/net/types.ts';
import type { Attempt } from '../../src/mpc/prg/gate-id.ts';
import { PairPrg } from '../../src/mpc/prg/prg.ts';
import { type Circuit, CircuitBuilder } from '../../src/mpc/protocol/semi-honest/circuit.ts';
import { Engine } from '../../src/mpc/protocol/semi-honest/engine.ts';
import type { ParameterView } from '../../src/mpc/protocol/semi-honest/party.ts';
import type { Gates, Inputs } from '../../src/mpc/protocol/types.ts';

export type Tap = (from: PartyId, to: PartyId, tag: string, bytes: Uint8Array) => Uint8Array | undefined;

export interface Simulation {
  readonly outputs: ReadonlyMap<string, Words>;
  readonly circuit: Circuit;
  /** Payload bytes sent, as [from][to]. */
  readonly sent: number[][];
  /** Frames that P0 received between its input and its output. */
  readonly engines: readonly Engine[];
}

export interface SimulationOptions {
  readonly weights?: 'open' | 'secret';
  readonly parameters?: (id: PartyId, kernels: RingKernels) => ParameterView;
  readonly kernels?: () => RingKernels;
  readonly seed?: number;
  readonly tap?: Tap;
}

export const noParameters: ParameterView = {
  weights: 'open',
  matrix: () => Promise.reject(new Error('this circuit has no parameters')),
  words: () => Promise.reject(new Error('this circuit has no parameters')),
};

function seeded(length: number, seed: number, label: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(seed + 1, 0x85ebca6b) ^ Math.imul(label, 0xc2b2ae35)) >>> 11);
}

export async function simulate(build: (gates: Gates) => void, inputs: Inputs, options: SimulationOptions = {}): Promise<Simulation> {
  const builder = new CircuitBuilder(options.weights ?? 'open');
  build(builder);
  const circuit = builder.finish();
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 31);
  const attempt: Attempt = { session: seeded(16, seed, 3), attempt: 0, step: 0, branch: 0 };
  const channels: Map<PartyId, Channel>[] = [new Map(), new Map(), new Map()];
  for (const [a, b] of [[0, 1], [0, 2], [1, 2]] as [PartyId, PartyId][]) {
    const [left, right] = memoryPair(a, b, { tap: ({ from, to }, tag, bytes) => options.tap?.(from, to, tag, bytes) });
    channels[a].set(b, left);
    channels[b].set(a, right);
  }
  const engines = ([0, 1, 2] as PartyId[]).map((id) => {
    const kernels = options.kernels?.() ?? new ReferenceKernels();
    return new Engine({
      id,
      circuit,
      kernels,
      parameters: options.parameters?.(id, kernels) ?? noParameters,
      channels: channels[id],
      ...(id === 2 ? {} : { k01: new PairPrg(seeded(32, seed, 1), attempt) }),
      ...(id === 1 ? {} : { k02: new PairPrg(seeded(32, seed, 2), attempt) }),
    });
  });
  try {
    const [outputs] = await Promise.all(
      engines.map(async (engine, id) => {
        await engine.deal();
        await engine.input(id === 0 ? inputs : undefined);
        await engine.online();
        return engine.output();
      }),
    );
    const sent = [0, 1, 2].map((a) => [0, 1, 2].map((b) => channels[a].get(b as PartyId)?.stats.sentPayloadBytes ?? 0));
    return { outputs, circuit, sent, engines };
  } catch (error) {
    for (const map of channels) for (const channel of map.values()) channel.abort(error as Error);
    throw error;
  }
}
