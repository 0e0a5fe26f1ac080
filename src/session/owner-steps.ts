/** The masks and the circuit of each step of an execution, one step after the other. */
import { firstStep } from '../mpc/prg/gate-id.ts';
import { PairPrg } from '../mpc/prg/prg.ts';
import type { Circuit } from '../mpc/protocol/frame/circuit.ts';
import { Engine, type Progress } from '../mpc/protocol/frame/engine.ts';
import { type Kept, wipeKept } from '../mpc/protocol/frame/kept.ts';
import type { BuiltCircuit } from './circuits.ts';
import type { Agreed } from './owner-agreement.ts';
import { type OwnerOptions, toParties } from './owner-options.ts';
import type { ProvedWalk, Walk } from './proving.ts';

export interface Step {
  readonly number: number;
  readonly circuit: Circuit;
  readonly engine: Walk;
  readonly prgs: readonly [PairPrg, PairPrg];
  readonly hash: string;
  /** Of a proved run, the session of the step. */
  readonly session: Uint8Array | undefined;
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
    const { circuits, plan, builder } = this.#agreed;
    const { number } = this.#current;
    return number < request.steps ? circuits.get(config, plan, request, number + 1, builder) : undefined;
  }

  /** Moves to the next step: fresh masks, and what the one before kept. */
  advance(built: BuiltCircuit): Step {
    const { number, prgs, engine } = this.#current;
    this.#current = this.#begin(number + 1, built, [prgs[0].next(), prgs[1].next()], engine.kept);
    return this.#current;
  }

  /** The walk of a run whose messages are proved. */
  #proved(
    step: number,
    built: BuiltCircuit,
    walk: Omit<ProvedWalk, 'built' | 'request' | 'plan' | 'model' | 'secrets'>,
  ) {
    const { proved, plan } = this.#agreed;
    const { request, pairKeys } = this.#options;
    const first = new Map([
      [1, pairKeys[0]],
      [2, pairKeys[1]],
    ] as const);
    // Pair keys are gone behind the first step: later ones are drawn from what it left.
    const secrets = step === 0 ? first : undefined;
    return proved?.mine.walk({ ...walk, built, request, plan, model: proved.model, secrets });
  }

  /** The end: no generator draws again, and nothing is kept. */
  end(): void {
    for (const prg of this.#prgs) prg.wipe();
    const { engine } = this.#current;
    engine.clear();
    wipeKept(engine.kept);
    this.#agreed.proved?.mine.end();
  }

  #begin(number: number, built: BuiltCircuit, prgs: readonly [PairPrg, PairPrg], kept: Kept): Step {
    const { circuit, hash } = built;
    const { kernels, parameters, channels, signal, trace, now } = this.#options;
    this.#prgs.push(...prgs);
    const walk = {
      ...{ kernels, parameters, channels: toParties(channels), kept, signal },
      trace: trace === undefined ? undefined : { step: number, now, report: trace },
      onProgress: (progress: Progress) => this.#options.onProgress?.(progress),
    };
    const { proved } = this.#agreed;
    const session = number === 0 ? proved?.session : proved?.mine.next();
    const engine =
      this.#proved(number, built, walk) ?? new Engine({ ...walk, id: 0, circuit, k01: prgs[0], k02: prgs[1] });
    return { number, circuit, engine, prgs, hash, session };
  }
}
