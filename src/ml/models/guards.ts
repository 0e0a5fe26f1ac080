/** The range checks of one circuit, as its plan asks for them: what is checked, and which rows count. */
import { valueDomain } from '../../mpc/secure/attention-form.ts';
import type { SpreadCheck } from '../../mpc/secure/attention.ts';
import type { Gates, Wire } from '../../mpc/secure/gates.ts';
import { type NormaliseRange, type VarianceCheck, holdsLeast } from '../../mpc/secure/normalise.ts';
import { RangeChecks } from '../../mpc/secure/range-check.ts';
import { LOGIT_DOMAIN, activationDomain, headDomain } from './domains.ts';
import type { ModelConfig } from '../config.ts';
import type { ModelPlan, RangeCheckPlan } from './plan.ts';
import { type ModelRun, OUTSIDE } from './run.ts';

/**
 * Whether a circuit of the plan has checks. Weights may prove every bound from above; none proves that a row's
 * variance is not too small, unless ε does.
 */
export function isChecked(config: ModelConfig, { checks, norms, embedding, head }: ModelPlan): boolean {
  const gpt2 = config.modelType === 'gpt2';
  const ranges = [...norms, ...(gpt2 ? [] : [embedding]), ...(gpt2 || config.head === 'masked-lm' ? [head] : [])];
  return checks !== null || ranges.some((range) => !holdsLeast(config.hiddenSize, range, config.layerNormEps));
}

/**
 * Every method takes the marks of the rows that it is given: (sequences, rows), 1 at text; absent where all rows
 * are text. What padding holds is nobody's answer, so it is nobody's error either.
 */
export class Guards {
  readonly #gates: Gates;
  readonly #run: ModelRun;
  /** Null where nothing but the least variances is checked. */
  readonly #plan: RangeCheckPlan | null;
  readonly #checks: RangeChecks;

  private constructor(gates: Gates, run: ModelRun, plan: RangeCheckPlan | null) {
    this.#gates = gates;
    this.#run = run;
    this.#plan = plan;
    this.#checks = new RangeChecks(gates, run.sequences);
  }

  /** Undefined where every bound is proved: such a circuit has no checks. */
  static of(gates: Gates, run: ModelRun): Guards | undefined {
    return isChecked(run.config, run.plan) ? new Guards(gates, run, run.plan.checks) : undefined;
  }

  /** x: inputs of the activation of layer i. */
  activation(i: number, x: Wire, rows?: Wire): void {
    this.#magnitude(
      x,
      activationDomain(this.#run.config, this.#run.plan.activation[i]),
      this.#plan?.activation[i],
      rows,
    );
  }

  /** x: inputs of the head's activation. */
  headActivation(x: Wire, rows?: Wire): void {
    this.#magnitude(x, headDomain(this.#run.config, this.#run.plan.headActivation), this.#plan?.headActivation, rows);
  }

  /** x: values of layer i, for attention over so many positions. */
  value(i: number, x: Wire, positions: number, rows?: Wire): void {
    this.#magnitude(x, valueDomain(positions), this.#plan?.value[i], rows);
  }

  logits(x: Wire, rows?: Wire): void {
    this.#magnitude(x, LOGIT_DOMAIN, this.#plan?.logit, rows);
  }

  spread(i: number, rows?: Wire): SpreadCheck | undefined {
    const bits = this.#plan?.spread[i] ?? null;
    return bits === null ? undefined : { checks: this.#checks, bits, rows };
  }

  /** Of a LayerNorm of this resolution. */
  variance(range: NormaliseRange, rows?: Wire): VarianceCheck | undefined {
    const { hiddenSize, layerNormEps } = this.#run.config;
    const held = holdsLeast(hiddenSize, range, layerNormEps);
    if (this.#plan === null) return held ? undefined : { checks: this.#checks, rows, ends: 'lower' };
    return { checks: this.#checks, rows, ends: held ? 'upper' : 'both' };
  }

  /** A block of a circuit, of so many results, with the checks inside it, whoever built it. */
  block(key: string, operands: readonly Wire[], results: number, build: () => readonly Wire[]): readonly Wire[] {
    const all = this.#gates.block(key, operands, () => this.#checks.apart(build));
    this.#checks.take(all.slice(results));
    return all.slice(0, results);
  }

  /** Opens the bit of every sequence to P0. */
  open(): void {
    this.#gates.section('range', () => {
      const outside = this.#checks.result();
      if (outside !== undefined) this.#gates.output(OUTSIDE, outside);
    });
  }

  #magnitude(x: Wire, domain: number, reach: number | null | undefined, rows: Wire | undefined): void {
    if (typeof reach === 'number') this.#checks.magnitude(x, domain, reach, rows);
  }
}
