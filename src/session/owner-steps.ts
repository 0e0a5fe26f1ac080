/** The masks and the circuit of each step of an execution, one step after the other. */
import { firstStep } from '../mpc/prg/gate-id.ts';
import { PairPrg } from '../mpc/prg/prg.ts';
import type { Circuit } from '../mpc/protocol/frame/circuit.ts';
import { Engine } from '../mpc/protocol/frame/engine.ts';
import type { Kept } from '../mpc/protocol/frame/party.ts';
import type { BuiltCircuit } from './circuits.ts';
import type { Agreed } from './owner-agreement.ts';
import { type OwnerOptions, toParties } from './owner-options.ts';

export interface Step {
  readonly number: number;
  readonly circuit: Circuit;
  readonly engine: Engine;
  readonly prgs: readonly [PairPrg, PairPrg];
  readonly hash: string;
}

export class Steps {
  readonly #options: OwnerOptions;
  readonly #agreed: Agreed;
  #current: Step;
  /** Of every step so far. */
  readonly #prgs: PairPrg[] = [];

  constructor(options: OwnerOptions, agreed: Agreed) {
    this.#options = options;
    this.#agreed = agreed;
    const execution = firstStep(options.session);
    const [k01, k02] = options.pairKeys;
    this.#current = this.#begin(0, agreed.built, [PairPrg.of(k01, execution), PairPrg.of(k02, execution)], new Map());
  }

  get current(): Step {
    return this.#current;
  }

  /** The circuit of the step behind the present one, if there is one. */
  async following(): Promise<BuiltCircuit | undefined> {
    const { config, request } = this.#options;
    const { circuits, plan } = this.#agreed;
    const { number } = this.#current;
    return number < request.steps ? circuits.get(config, plan, request, number + 1) : undefined;
  }

  /** Moves to the next step: fresh masks, and what the one before kept. */
  advance(built: BuiltCircuit): Step {
    const { number, prgs, engine } = this.#current;
    this.#current = this.#begin(number + 1, built, [prgs[0].next(), prgs[1].next()], engine.kept);
    return this.#current;
  }

  /** The end: no generator draws again, and nothing is kept. */
  end(): void {
    for (const prg of this.#prgs) prg.wipe();
    this.#current.engine.clear();
  }

  #begin(number: number, built: BuiltCircuit, prgs: readonly [PairPrg, PairPrg], kept: Kept): Step {
    const { circuit, hash } = built;
    const { kernels, parameters, channels, signal, trace, now } = this.#options;
    this.#prgs.push(...prgs);
    const engine = new Engine({
      id: 0,
      circuit,
      kernels,
      parameters,
      channels: toParties(channels),
      k01: prgs[0],
      k02: prgs[1],
      kept,
      signal,
      trace: trace === undefined ? undefined : { step: number, now, report: trace },
      onProgress: (progress) => this.#options.onProgress?.(progress),
    });
    return { number, circuit, engine, prgs, hash };
  }
}
