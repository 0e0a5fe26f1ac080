/** The range checks of one circuit, as its plan asks for them: what is checked, and which rows count. */
import { type SpreadCheck, valueDomain } from '../../mpc/secure/attention.ts';
import type { Gates, Wire } from '../../mpc/secure/gates.ts';
import type { VarianceCheck } from '../../mpc/secure/normalise.ts';
import { RangeChecks } from '../../mpc/secure/range-check.ts';
import { LOGIT_DOMAIN, activationDomain, headDomain } from './domains.ts';
import type { RangeCheckPlan } from './plan.ts';
import { type ModelRun, OUTSIDE } from './run.ts';

/**
 * Every method takes the marks of the rows that it is given: (sequences, rows), 1 at text; absent where all rows
 * are text. What padding holds is nobody's answer, so it is nobody's error either.
 */
export class Guards {
  readonly #gates: Gates;
  readonly #run: ModelRun;
  readonly #plan: RangeCheckPlan;
  readonly #checks: RangeChecks;

  private constructor(gates: Gates, run: ModelRun, plan: RangeCheckPlan) {
    this.#gates = gates;
    this.#run = run;
    this.#plan = plan;
    this.#checks = new RangeChecks(gates, run.sequences);
  }

  /** Undefined where the weights prove every bound: such a circuit has no checks. */
  static of(gates: Gates, run: ModelRun): Guards | undefined {
    const { checks } = run.plan;
    return checks === null ? undefined : new Guards(gates, run, checks);
  }

  /** x: inputs of the activation of layer i. */
  activation(i: number, x: Wire, rows?: Wire): void {
    this.#magnitude(
      x,
      activationDomain(this.#run.config, this.#run.plan.activation[i]),
      this.#plan.activation[i],
      rows,
    );
  }

  /** x: inputs of the head's activation. */
  headActivation(x: Wire, rows?: Wire): void {
    this.#magnitude(x, headDomain(this.#run.config, this.#run.plan.headActivation), this.#plan.headActivation, rows);
  }

  /** x: values of layer i, for attention over so many positions. */
  value(i: number, x: Wire, positions: number, rows?: Wire): void {
    this.#magnitude(x, valueDomain(positions), this.#plan.value[i], rows);
  }

  logits(x: Wire, rows?: Wire): void {
    this.#magnitude(x, LOGIT_DOMAIN, this.#plan.logit, rows);
  }

  spread(i: number, rows?: Wire): SpreadCheck | undefined {
    const bits = this.#plan.spread[i];
    return bits === null ? undefined : { checks: this.#checks, bits, rows };
  }

  variance(rows?: Wire): VarianceCheck {
    return { checks: this.#checks, rows };
  }

  /** Opens the bit of every sequence to P0. */
  open(): void {
    this.#gates.section('range', () => {
      const outside = this.#checks.result();
      if (outside !== undefined) this.#gates.output(OUTSIDE, outside);
    });
  }

  #magnitude(x: Wire, domain: number, reach: number | null, rows: Wire | undefined): void {
    if (reach !== null) this.#checks.magnitude(x, domain, reach, rows);
  }
}
