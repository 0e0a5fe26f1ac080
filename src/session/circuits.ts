/**
 * Circuits, built once for each shape and shared: they are public, the same for every owner, and nothing in them
 * changes after they are built (what a session keeps is with its engine). Built layer by layer with pauses between
 * where they take their time, so that whoever else waits for this thread is served meanwhile.
 */
import { sleep } from '../core/abort.ts';
import { Lru } from '../core/lru.ts';
import type { ModelConfig } from '../ml/config.ts';
import type { ModelPlan } from '../ml/models/plan.ts';
import { modelParts } from '../ml/models/secure.ts';
import type { Circuit } from '../mpc/protocol/frame/circuit.ts';
import { fingerprintParts } from '../mpc/protocol/frame/fingerprint.ts';
import { CircuitBuilder } from '../mpc/protocol/semi-honest/circuit.ts';
import { protocolInfo } from '../mpc/protocol/registry.ts';
import type { Gates } from '../mpc/protocol/types.ts';
import { configHash } from './agreement.ts';
import type { Request } from './request.ts';

/** What circuits of a request are built with. */
export type RequestBuilder = Gates & { finish(): Circuit; follow?(before: Circuit): void };

/** A builder for circuits of a request. @throws {TercetError} ERR_PROTOCOL_UNAVAILABLE */
export function builderFor({ protocol, weights, widening }: Omit<Request, 'model'>): CircuitBuilder {
  return new CircuitBuilder(weights, { widening, claim: protocolInfo(protocol).claim });
}

/** A circuit and its hash, which the parties compare. */
export interface BuiltCircuit {
  readonly circuit: Circuit;
  readonly hash: string;
}

/** Milliseconds without a pause, and a layer or a part of the hash more. A pause is one by itself, or four in a page. */
const TURN_MS = 4;
/** Bytes of circuits that are kept for the next session. */
const KEPT_CIRCUIT_BYTES = 1 << 26;
/** Bytes of a wire with what makes it: 700 measured, with its node or gate, path and closures (Node 20). */
export const WIRE_BYTES = 1024;

/**
 * An estimate of the memory that a circuit takes. It grows with the layers, not with the shape: gathers are
 * patterns.
 */
export function circuitBytes({ sources }: Circuit): number {
  return WIRE_BYTES * sources.length;
}

export class Circuits {
  readonly #kept: Lru<BuiltCircuit>;
  /** The last circuit of a step behind a prompt, by all but its shape: the next one has most of it. */
  readonly #steps: Lru<Circuit>;
  /** Those being built, so that sessions that come at once wait for one circuit. */
  readonly #building = new Map<string, Promise<BuiltCircuit>>();
  readonly #hashes = new WeakMap<ModelConfig, string>();
  readonly #pause: () => Promise<void>;
  readonly #now: () => number;

  /**
   * @param limit bytes of circuits that are kept, by `circuitBytes`; the one asked for last is handed out whatever
   * it takes.
   * @param pause between two layers, and between parts of the hash: lets timers and sockets have the thread.
   * @param now in milliseconds
   */
  constructor({
    limit = KEPT_CIRCUIT_BYTES,
    pause = () => sleep(0),
    now = () => performance.now(),
  }: { readonly limit?: number; readonly pause?: () => Promise<void>; readonly now?: () => number } = {}) {
    this.#kept = new Lru(limit);
    this.#steps = new Lru(limit);
    this.#pause = pause;
    this.#now = now;
  }

  /** Bytes that are kept. */
  get bytes(): number {
    return this.#kept.weight;
  }

  /**
   * The circuit of one step of a request: the same at every party, because it is made from public data only.
   * Milliseconds when it is there, else some for each layer.
   * @param builder of the request's protocol, where that is not of every build
   */
  async get(
    config: ModelConfig,
    plan: ModelPlan,
    request: Request,
    step = 0,
    builder: (request: Request) => RequestBuilder = builderFor,
  ): Promise<BuiltCircuit> {
    const key = this.#key(config, plan, request, step);
    const known = this.#kept.get(key) ?? this.#building.get(key);
    if (known !== undefined) return known;
    const building = this.#build(config, plan, request, step, builder(request));
    this.#building.set(key, building);
    try {
      const built = await building;
      this.#kept.set(key, built, circuitBytes(built.circuit));
      return built;
    } finally {
      this.#building.delete(key);
    }
  }

  async #build(
    config: ModelConfig,
    plan: ModelPlan,
    request: Request,
    step: number,
    builder: RequestBuilder,
  ): Promise<BuiltCircuit> {
    const family = this.#family(config, plan, request);
    const before = step === 0 ? undefined : this.#steps.get(family);
    if (before !== undefined) builder.follow?.(before);
    const parts = await modelParts(builder, { ...request, config, plan }, step);
    let turn = this.#now();
    const rest = async () => {
      if (this.#now() - turn < TURN_MS) return;
      await this.#pause();
      turn = this.#now();
    };
    while (parts.next().done !== true) await rest();
    const circuit = builder.finish();
    if (step > 0) this.#steps.set(family, circuit, circuitBytes(circuit));
    const hashing = fingerprintParts(circuit);
    for (;;) {
      const { done, value } = hashing.next();
      if (done === true) return { circuit, hash: value };
      await rest();
    }
  }

  /** What every step of a model has in common, whatever the text: all that blocks of its circuits follow from. */
  #family(config: ModelConfig, plan: ModelPlan, { protocol, weights, widening, sequences }: Request): string {
    const hash = this.#hashes.get(config) ?? configHash(config);
    this.#hashes.set(config, hash);
    return JSON.stringify([hash, plan, protocol, weights, widening, sequences]);
  }

  #key(config: ModelConfig, plan: ModelPlan, request: Request, step: number): string {
    const { tokens, rows, padded, pair, steps } = request;
    return JSON.stringify([this.#family(config, plan, request), tokens, rows, padded, pair, steps, step]);
  }
}
