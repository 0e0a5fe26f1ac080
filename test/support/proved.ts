/** Proved runs of a circuit among three parties in one process, with a tap on every message. */
import { loadNodeModule, loadNodeProofModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { WasmProofKernels } from '../../src/compute/kernels/wasm/proof.ts';
import type { ProofKernels } from '../../src/compute/kernels/proof-types.ts';
import type { RingKernels } from '../../src/compute/kernels/types.ts';
import type { Words } from '../../src/compute/ring.ts';
import { fingerprint } from '../../src/mpc/protocol/frame/fingerprint.ts';
import { Aby3Builder } from '../../src/mpc/protocol/aby3/circuit.ts';
import { CompleteBuilder } from '../../src/mpc/protocol/malicious/circuit.ts';
import { agreementHash, provedSession } from '../../src/mpc/protocol/malicious/proving/agreement.ts';
import { ProvedRun } from '../../src/mpc/protocol/malicious/proving/run.ts';
import { PARAMETERS, type ProofParameters } from '../../src/mpc/proof/soundness.ts';
import type { ParameterView } from '../../src/mpc/protocol/frame/party.ts';
import type { Circuit } from '../../src/mpc/protocol/frame/circuit.ts';
import type { Gates, Inputs } from '../../src/mpc/protocol/types.ts';
import type { Channel, PartyId } from '../../src/net/wire/types.ts';
import { memoryPair } from '../../src/net/simulated/memory-link.ts';
import { type Tap, keysOf, noParameters, seeded } from './simulate.ts';

export const wasm = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });
export const proofWasm = new WasmProofKernels(await loadNodeProofModule());

export interface ProvedSetting {
  readonly weights?: 'open' | 'secret';
  readonly seed?: number;
  /** Keys of P0 with P1, P0 with P2, P1 with P2, where they are not those of `seed`: a party knows its own alone. */
  readonly keySeeds?: readonly [number, number, number];
  readonly parameters?: (id: PartyId, kernels: RingKernels) => ParameterView;
  readonly proofParameters?: ProofParameters;
  readonly segmentBytes?: number;
  readonly aheadBytes?: number | undefined;
  readonly tap?: Tap;
  readonly timeoutMs?: number;
  /** What a party is told of the run, where it is not what the others are. */
  readonly request?: (id: PartyId) => string;
  /** What all three compute with, where a mask is to be missing. */
  readonly kernels?: RingKernels;
  /** What a party proves and verifies with, where its work is counted. */
  readonly proofKernelsOf?: (id: PartyId) => ProofKernels;
  /** The links of a party that does not follow the protocol. */
  readonly corrupt?: (id: PartyId, channel: Channel, session: Uint8Array) => Channel;
}

export interface Ended {
  readonly outputs?: ReadonlyMap<string, Words>;
  readonly error?: unknown;
  readonly wiped: boolean;
}

/** The circuit that `build` describes, under complete sharing. */
export function completeCircuit(build: (gates: Gates) => void, weights: 'open' | 'secret' = 'open'): Circuit {
  const builder = new CompleteBuilder(weights);
  build(builder);
  return builder.finish();
}

/** The same with symmetric products, whose provers are all three. */
export function symmetricCircuit(build: (gates: Gates) => void, weights: 'open' | 'secret' = 'open'): Circuit {
  const builder = new Aby3Builder(weights);
  build(builder);
  return builder.finish();
}

/** How the run ended at each of the three. */
export async function runProved(
  circuit: Circuit,
  inputs: Inputs,
  setting: ProvedSetting = {},
): Promise<readonly Ended[]> {
  const { seed = 1, tap, timeoutMs = 5000, kernels = wasm } = setting;
  const channels: Map<PartyId, Channel>[] = [new Map(), new Map(), new Map()];
  for (const [a, b] of [
    [0, 1],
    [0, 2],
    [1, 2],
  ] as const) {
    const [left, right] = memoryPair(a, b, {
      tap: ({ from, to }, tag, bytes) => tap?.(from as PartyId, to as PartyId, tag, bytes),
      timeoutMs,
    });
    channels[a].set(b, left);
    channels[b].set(a, right);
  }
  const nonces = [seeded(32, seed, 11), seeded(32, seed, 12), seeded(32, seed, 13)] as const;
  // The masks of `simulate` with the same seed: what opens is the same to the bit.
  const { execution } = keysOf(seed);
  const [seed01, seed02, seed12] = setting.keySeeds ?? [seed, seed, seed];
  const pairs = [keysOf(seed01).k01, keysOf(seed02).k02, seeded(32, seed12, 4)] as const;
  const session = provedSession({ nonces: [...nonces], owner: new Uint8Array(), attempt: 0, step: 0, branch: 0 });
  session.set(execution.session);
  const key = (a: PartyId, b: PartyId) => pairs[a + b - 1].slice();
  for (const id of [0, 1, 2] as const)
    for (const [peer, channel] of channels[id])
      channels[id].set(peer, setting.corrupt?.(id, channel, session) ?? channel);
  const runs = ([0, 1, 2] as const).map(
    (id) =>
      new ProvedRun({
        ...{ id, circuit, kernels, session, channels: channels[id] },
        parameters: setting.parameters?.(id, kernels) ?? noParameters,
        keys: new Map(([0, 1, 2] as const).filter((peer) => peer !== id).map((peer) => [peer, key(id, peer)])),
        proofKernels: setting.proofKernelsOf?.(id) ?? proofWasm,
        proofParameters: setting.proofParameters ?? PARAMETERS[128],
        ...{ segmentBytes: setting.segmentBytes ?? 2 ** 30, aheadBytes: setting.aheadBytes },
        agreement: agreementHash({
          session,
          request: setting.request?.(id) ?? 'a request',
          plan: undefined,
          model: '',
          circuit: fingerprint(circuit),
        }),
      }),
  );
  return Promise.all(
    runs.map(async (run, id): Promise<Ended> => {
      try {
        return { outputs: await run.run(id === 0 ? inputs : undefined), wiped: run.ended };
      } catch (error) {
        return { error, wiped: run.ended };
      }
    }),
  );
}

/** Who read every half of V, from here on: a prover has no number. */
export function readersOf(circuit: Circuit): WeakMap<object, PartyId> {
  const parties = new WeakMap<object, PartyId>();
  for (const gate of circuit.gates) {
    const halves = gate.halves?.map((own) => ({
      ...own,
      v: async (seen: Parameters<typeof own.v>[0]) => {
        const half = await own.v(seen);
        parties.set(half, seen.party.id);
        return half;
      },
    }));
    if (halves !== undefined) Object.assign(gate, { halves });
  }
  return parties;
}
