/**
 * The world of the tamper matrix: sessions of all three parties in one process, over links in memory. What does not
 * follow from a cell is made once and shared: weights, plans, circuits, kernels.
 */
import type { ProofKernels } from '../../compute/kernels/proof-types.ts';
import type { RingKernels } from '../../compute/kernels/types.ts';
import { loadNodeProofModule } from '../../compute/kernels/wasm/node-worker.ts';
import { WasmProofKernels } from '../../compute/kernels/wasm/proof.ts';
import { WebGpuKernels } from '../../compute/kernels/webgpu/kernels.ts';
import { WebGpuProofKernels } from '../../compute/kernels/webgpu/proof-engine.ts';
import { DeviceProofs } from '../../compute/kernels/webgpu/proof.ts';
import { type TercetError, invariant } from '../../core/errors.ts';
import type { ProofParameters } from '../../mpc/proof/soundness.ts';
import { Aby3Builder } from '../../mpc/protocol/aby3/circuit.ts';
import type { Circuit } from '../../mpc/protocol/frame/circuit.ts';
import { COMPLETE_ROUNDING } from '../../mpc/protocol/malicious/rounding.ts';
import type { ProvedRun } from '../../mpc/protocol/malicious/proving/run.ts';
import { SEMI_HONEST } from '../../mpc/protocol/registry.ts';
import type { Channel, PartyId } from '../../net/wire/types.ts';
import { nodeKernels, wasmKernels } from '../../node/kernels.ts';
import type { ServedModel } from '../../session/model.ts';
import { provingWith } from '../../session/proved-session.ts';
import type { Proving } from '../../session/proving.ts';
import type { Request, WeightMode } from '../../session/request.ts';
import { HASH, seedsOf, servedBoth } from '../in-process/served.ts';
import { sessionInProcess } from '../in-process/session.ts';
import { withoutProofs } from '../in-process/unproved.ts';
import { GoesOn } from './goes-on.ts';
import { KeptWords } from './kept.ts';
import { type Asked, type Family, askedOf } from './models.ts';
import { type Owned, askSession, askTask } from './owner.ts';
import { Captured } from './repair.ts';
import { keepTables } from './tables.ts';

/** Those of the matrix, what has no proofs to compare with, and the messages of `aby3` without its proofs. */
export type Protocol = 'unproved' | '3pc_semi_honest' | ProvedProtocol;
export type ProvedProtocol = '3pc_malicious' | 'aby3';

export function isProved(protocol: Protocol): protocol is ProvedProtocol {
  return protocol === '3pc_malicious' || protocol === 'aby3';
}

/** A compression that misses an error once in 2^23: a matrix has hundreds of cells, and each is a session. */
const QUICK: ProofParameters = { sigma: 24, primeBits: 61, primes: 1, maskBits: 224, claimBits: 160 };
/** Everything is proved in one segment. */
const SEGMENT_BYTES = 2 ** 30;

/**
 * What all three parties compute and prove with, in this thread: the one place where a step of a session waits for
 * another.
 */
export interface Engines {
  readonly kernels: RingKernels;
  readonly proofs: ProofKernels;
  /** What makes public tables of proofs, if not `kernels`: their words are the same to the bit. */
  readonly tables?: RingKernels;
  /** A graphics device, where they compute on one: proofs are on it too, or beside it in WebAssembly. */
  readonly device?: GraphicsDevice;
}

export type GraphicsDevice = 'webgpu' | 'webgpu+wasm';

export async function engines(): Promise<Engines> {
  return { kernels: await wasmKernels(0), proofs: new WasmProofKernels(await loadNodeProofModule()) };
}

/**
 * The same on a graphics device: everything that has a shader, however short; or as a party on a driver in software,
 * which computes there and proves in WebAssembly (`besideDevice`).
 * @throws {TercetError} ERR_DEVICE_UNAVAILABLE
 */
export async function deviceEngines(device: GraphicsDevice): Promise<Engines> {
  const { kernels } = await nodeKernels('webgpu', 0);
  invariant(kernels instanceof WebGpuKernels, 'kernels of a device');
  const near = new WasmProofKernels(await loadNodeProofModule());
  if (device === 'webgpu') return onDevice(kernels, near);
  return { kernels, proofs: near, tables: await wasmKernels(0), device };
}

/** @param near what has no shader */
export function onDevice(kernels: WebGpuKernels, near: ProofKernels) {
  const proofs = new WebGpuProofKernels(new DeviceProofs(kernels.commands), near, { leastBytes: 0 });
  return { kernels, proofs, device: 'webgpu' } as const;
}

export interface Play {
  /** The ends of a party's links, where it does not follow the protocol. */
  readonly corrupt?: (self: PartyId, channel: Channel) => Channel;
  readonly signal?: AbortSignal | undefined;
  /** Longest wait of a party for one message. */
  readonly timeoutMs?: number | undefined;
  /** Called with the session that the parties agree on, and with that of every step behind. */
  readonly agreed?: (session: Uint8Array) => void;
}

interface Sent {
  readonly from: PartyId;
  readonly to: PartyId;
  readonly tag: string;
}

export interface Played {
  /** Of the last step. */
  readonly logits: readonly number[] | undefined;
  /** Of P0, P1 and P2: why it failed, or undefined. */
  readonly errors: readonly (TercetError | undefined)[];
  /** Whether it overwrote its keys; of those whose run had begun. */
  readonly wiped: readonly (boolean | undefined)[];
  /** Messages of a run as they left, in order. */
  readonly sent: readonly Sent[];
}

/** A model of one family, with open or secret weights, in one protocol. */
export class World {
  readonly protocol: Protocol;
  readonly weights: WeightMode;
  readonly family: Family;
  readonly device: Engines['device'];
  readonly #engines: Engines;
  readonly #asked: Asked;
  readonly #served: readonly [ServedModel, ServedModel];
  #captured: Captured | undefined;
  #kept: KeptWords | undefined;
  #goesOn: GoesOn | undefined;
  #normal: Promise<Played> | undefined;

  private constructor(
    protocol: Protocol,
    weights: WeightMode,
    family: Family,
    on: Engines,
    asked: Asked,
    served: readonly [ServedModel, ServedModel],
  ) {
    this.protocol = protocol;
    this.weights = weights;
    this.family = family;
    this.device = on.device;
    this.#engines = on;
    this.#asked = asked;
    this.#served = served;
  }

  static async make(protocol: Protocol, weights: WeightMode, family: Family, on: Engines): Promise<World> {
    const asked = await askedOf(family);
    const plan = await asked.plan(protocol === '3pc_semi_honest' ? SEMI_HONEST.truncation : COMPLETE_ROUNDING);
    const served = await servedBoth(asked.source, weights, plan, on.kernels);
    return new World(protocol, weights, family, on, asked, served);
  }

  /** Whether its messages are proved. */
  get proved(): boolean {
    return isProved(this.protocol);
  }

  /** The step whose messages are changed, which is the last. */
  get step(): number {
    return this.#asked.shape.steps;
  }

  get #request(): Request {
    const { protocol, weights } = this;
    return { model: HASH, protocol: protocol === 'unproved' ? 'aby3' : protocol, weights, ...this.#asked.shape };
  }

  /** What proves its sessions. */
  get #proving(): Proving | undefined {
    if (this.protocol === '3pc_semi_honest') return undefined;
    const { proofs, tables: near } = this.#engines;
    const tables = near === undefined ? undefined : async () => near;
    const symmetric = (weights: WeightMode) => new Aby3Builder(weights);
    const how = { parameters: QUICK, segmentBytes: SEGMENT_BYTES };
    const proving = provingWith({ kernels: proofs, tables, symmetric, ...how });
    return this.proved ? proving : withoutProofs(proving);
  }

  /** The circuit of the last step of its sessions: one object, shared by them all. */
  circuit(): Promise<Circuit> {
    return this.#circuitOf(this.step);
  }

  async #circuitOf(step: number): Promise<Circuit> {
    const { config, plan } = this.#served[0];
    const builder = this.#proving?.builder;
    return (await this.#asked.circuits.get(config, plan, this.#request, step, builder)).circuit;
  }

  /** What verifiers take in, of a protocol that proves. Public words are kept from one session to the next. */
  async captured(): Promise<Captured | undefined> {
    if (!this.proved) return undefined;
    const { kernels, proofs, tables } = this.#engines;
    const on = { kernels, proofs, tables, parameters: QUICK, segmentBytes: SEGMENT_BYTES };
    // It looks at halves as a cheater has them.
    await this.kept();
    await this.goesOn();
    if (this.#captured !== undefined) return this.#captured;
    for (let step = 0; step < this.step; step++) keepTables(await this.#circuitOf(step));
    this.#captured = new Captured(await this.circuit(), on);
    return this.#captured;
  }

  /** Words that parties keep, where a step follows on another. */
  async kept(): Promise<KeptWords | undefined> {
    if (this.step === 0) return undefined;
    const circuit = await this.circuit();
    this.#kept ??= new KeptWords(circuit);
    return this.#kept;
  }

  /** What a cheater goes on with, where parties hold the words that they send. */
  async goesOn(): Promise<GoesOn | undefined> {
    if (this.protocol === '3pc_semi_honest') return undefined;
    const circuit = await this.circuit();
    this.#goesOn ??= new GoesOn(circuit);
    return this.#goesOn;
  }

  /** The session that nobody changes. */
  normal(): Promise<Played> {
    this.#normal ??= this.play();
    return this.#normal;
  }

  /** A session to its end, whatever that is. */
  async play({ corrupt = (_self, channel) => channel, signal, timeoutMs, agreed }: Play = {}): Promise<Played> {
    const sent: Sent[] = [];
    const runs: (ProvedRun | undefined)[] = [undefined, undefined, undefined];
    const proving = this.#watched(runs, agreed);
    const request = this.#request;
    const { circuits, task } = this.#asked;
    const { value, errors } = await sessionInProcess(
      {
        ...{ served: this.#served, kernels: this.#engines.kernels, circuits, proving, corrupt, signal, timeoutMs },
        tap: ({ from, to }, tag) => void sent.push({ from: from as PartyId, to: to as PartyId, tag }),
      },
      (end) => {
        const owned: Owned = { ...end, request, seeds: seedsOf(this.weights) };
        return task === undefined ? askSession(owned) : askTask(task(), owned);
      },
    );
    return { logits: value, errors, wiped: runs.map((run) => run?.ended), sent };
  }

  #watched(runs: (ProvedRun | undefined)[], agreed: Play['agreed']): Proving | undefined {
    const real = this.#proving;
    if (real === undefined || !this.proved) return real;
    return {
      protocols: real.protocols,
      builder: real.builder,
      check: real.check,
      begin(self) {
        const session = real.begin(self);
        return {
          get nonce() {
            return session.nonce;
          },
          agree: (nonces, names) => {
            const made = session.agree(nonces, names);
            agreed?.(made.slice());
            return made;
          },
          next: () => {
            const made = session.next();
            agreed?.(made.slice());
            return made;
          },
          end: () => session.end(),
          walk: (walk) => {
            const run = session.walk(walk);
            runs[self] = run as ProvedRun;
            return run;
          },
        };
      },
    };
  }
}
