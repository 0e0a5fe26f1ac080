/**
 * Building a circuit of complete sharing, the messages of `3pc_malicious` (PROTOCOL §14): `Gates` turned into local
 * nodes and gates whose every message is linear in what its sender received, or a public function of m − λ1.
 *
 * Insecure by itself: `proving/` notices a party that deviates, and no engine runs such a circuit without an observer.
 */
import type { ProductShape } from '../../../compute/kernels/types.ts';
import { TercetError, invariant } from '../../../core/errors.ts';
import { type Wire, AHEAD, countOf } from '../../share/wire.ts';
import type { Circuit } from '../frame/circuit.ts';
import type { Selection } from '../frame/dealing.ts';
import { evenFrom, latest, oddFrom } from '../frame/half-rounds.ts';
import { SelectingBuilder } from '../frame/selecting-builder.ts';
import { segmentSelection, signSelection } from '../frame/selections.ts';
import type {
  AffineTerm,
  ExactTable,
  Gates,
  InputForm,
  Parameter,
  Selected,
  TruncationModel,
  Widening,
} from '../types.ts';
import { CompleteAffineGate, CompleteSecretAffineGate } from './affine.ts';
import { checkIndex } from './complete.ts';
import { CompleteInputGate } from './input.ts';
import { CompleteLookupGate } from './lookup.ts';
import { CompleteOutputGate } from './output.ts';
import { CompleteProductGate } from './product.ts';
import { COMPLETE_ROUNDING } from './rounding.ts';
import { CUT } from './proving/plan.ts';
import { CompleteSelectGate } from './select.ts';
import { splitShift, widened, wrapSelection } from './widen.ts';

/**
 * With open weights: gates that drop bits have one coin, for P0 takes the others away in its word. Where P0 is a prover
 * its words are whole, and a shift behind them has two.
 */
const OPEN_ROUNDING: TruncationModel = {
  ...COMPLETE_ROUNDING,
  keepsZero: true,
  maxSelectionErrorUlp: 1,
  maxProductErrorUlp: 1,
};

export interface CompleteOptions {
  readonly widening?: Widening | undefined;
}

export class CompleteBuilder extends SelectingBuilder implements Gates {
  protected readonly sharing = 'complete' as const;
  readonly rounding: TruncationModel;
  /** Whether P0's words are proved: they are whole then. */
  protected readonly ownerProves: boolean;
  /** Low bits of a wire that are zero because it was raised. */
  readonly #zeros = new WeakMap<Wire, number>();

  /**
   * @throws {TercetError} ERR_PROTOCOL_UNAVAILABLE for oblivious transfers, which nothing proves
   */
  constructor(
    weights: 'open' | 'secret',
    { widening = 'dealer' }: CompleteOptions = {},
    ownerProves = weights === 'secret',
  ) {
    super(weights);
    this.ownerProves = ownerProves;
    this.rounding = ownerProves ? COMPLETE_ROUNDING : OPEN_ROUNDING;
    if (widening !== 'dealer')
      throw new TercetError(
        'ERR_PROTOCOL_UNAVAILABLE',
        'nothing proves oblivious transfers',
        'widen with words of the dealer where a party may deviate',
      );
  }

  override finish(): Circuit {
    return { ...super.finish(), proving: CUT };
  }

  // ── inputs and outputs ───────────────────────────────────────────────────

  input(name: string, shape: readonly number[], k: number, scale: number, form?: InputForm): Wire {
    const out = this.wire(shape, k, scale, 0, 0);
    return this.gate(new CompleteInputGate(this.at('input'), name, out, this.ownerProves ? form : undefined), out);
  }

  lookup(name: string, table: Parameter, count: number): Wire {
    this.uses(table);
    const half21 = 1;
    const out = this.wire([count, table.cols], 64, table.scale, half21 + 1, half21 + 2);
    const form = { secret: this.weights === 'secret', proved: this.ownerProves };
    return this.gate(new CompleteLookupGate(this.at('lookup'), name, table, out, half21, form), out);
  }

  output(name: string, x: Wire): void {
    this.opens(new CompleteOutputGate(this.at('output'), name, x));
  }

  // ── rounding ─────────────────────────────────────────────────────────────

  override raise(x: Wire, s: number, k: number): Wire {
    const out = super.raise(x, s, k);
    this.#zeros.set(out, s + this.zerosOf(x));
    return out;
  }

  /** Every wire is complete, and a shift leaves it so. */
  coarsen(x: Wire, s: number): Wire {
    return s === 0 ? x : this.shift(x, s);
  }

  shift(x: Wire, s: number): Wire {
    return this.local(splitShift(x, s, true), x.shape, x.k - s, x.scale - s);
  }

  widen(x: Wire, k2: number): Wire {
    if (k2 === x.k) return x;
    const wraps = this.#selected('widen', [x], x.shape, 0, [wrapSelection(x, k2)], 0);
    return this.local(widened(x, wraps, k2), x.shape, k2, x.scale);
  }

  // ── products ─────────────────────────────────────────────────────────────

  protected override affineGate(terms: readonly AffineTerm[], shape: readonly number[], scale: number): Wire {
    const inputs = terms.map(({ x }) => x);
    if (this.weights === 'open') {
      const half12 = evenFrom(latest(inputs.map((x) => x.readyA)));
      const out = this.wire(shape, 64, scale, half12, half12 + 1);
      return this.gate(new CompleteAffineGate(this.at('affine'), terms, out, half12), out);
    }
    const half21 = this.productHalf(inputs);
    const out = this.wire(shape, 64, scale, half21 + 1, half21 + 2);
    return this.gate(new CompleteSecretAffineGate(this.at('affine'), terms, out, half21), out);
  }

  protected override product(
    x: Wire,
    y: Wire,
    shape: ProductShape | undefined,
    outShape: readonly number[],
    drop: number,
  ): Wire {
    const half21 = this.productHalf([x, y]);
    const out = this.wire(outShape, x.k, x.scale + y.scale, half21 + 1, half21 + 2);
    const short = this.#shortBy(drop);
    const product = this.gate(
      new CompleteProductGate(this.at('product'), x, y, shape, out, half21, short, this.ownerProves),
      out,
    );
    return this.rounded(product, drop);
  }

  lift(x: Wire): Wire {
    return x;
  }

  override reshare(x: Wire): Wire {
    return x;
  }

  // ── selections ───────────────────────────────────────────────────────────

  protected override zerosOf(x: Wire): number {
    return this.#zeros.get(x) ?? 0;
  }

  /** By P1's and P2's own segments, not by a shift of their components: one coin, and that of `polynomial`. */
  segment(x: Wire, t: number, table: ExactTable, k: number): Wire {
    return this.#selected('select', [x], x.shape, 0, [segmentSelection(x, t, table, k)], 0);
  }

  sign(x: Wire): Wire {
    return this.#selected('select', [x], x.shape, 0, [signSelection(x)], 0);
  }

  protected override select(
    inputs: readonly Wire[],
    shape: readonly number[],
    scale: number,
    terms: readonly Selection[],
    { drop = 0, widen, least = 0n }: Selected = {},
  ): Wire {
    const selected = this.rounded(this.#selected('select', inputs, shape, scale, terms, this.#shortBy(drop)), drop);
    if (widen === undefined) return selected;
    // Its values are `least` and the 2^(k−1) above it; those of a widening lie around zero (§14.7).
    const middle = least + (1n << BigInt(selected.k - 2));
    return this.offset(this.widen(this.offset(selected, -middle), widen), middle);
  }

  #selected(
    relation: 'select' | 'widen',
    inputs: readonly Wire[],
    shape: readonly number[],
    scale: number,
    terms: readonly Selection[],
    short: number,
  ): Wire {
    for (const { index } of terms) checkIndex(this.at(relation).path, index.bits + index.xorBits);
    const half12 = evenFrom(latest(inputs.map((x) => x.readyA)));
    const out = this.wire(shape, terms[0].k, scale, half12 + 2, half12 + 1);
    // P0 has λ2 of a drawn mask ahead.
    const word = { proved: this.ownerProves, online: inputs.some((x) => x.readyL2 !== AHEAD) };
    const gate = new CompleteSelectGate(relation, this.at(relation), inputs, out, half12, terms, short, word);
    return this.gate(gate, out);
  }

  // ── bookkeeping ──────────────────────────────────────────────────────────

  /** Low bits that words of P0 lack. SECURITY: where P0 is a prover its words are whole: no verifier has the rest. */
  #shortBy(drop: number): number {
    return this.ownerProves ? 0 : drop;
  }

  protected rounded(x: Wire, drop: number): Wire {
    invariant(Number.isInteger(drop) && drop >= 0 && drop < x.k, `drop: ${drop} bits of ${x.k}`);
    // The coin of a short word is uniform, not centred: there is nothing to take away.
    return drop === 0
      ? x
      : this.local(splitShift(x, drop, this.#shortBy(drop) === 0), x.shape, x.k - drop, x.scale - drop);
  }

  /** The first half-round P2 → P1 in which P2 holds m of all operands. */
  protected productHalf(operands: readonly Wire[]): number {
    return oddFrom(latest(operands.map((x) => x.readyY ?? 0)));
  }

  protected wire(shape: readonly number[], k: number, scale: number, readyA: number, readyY: number): Wire {
    invariant(countOf(shape) > 0, 'a wire has elements');
    return this.place(shape, k, scale, { kind: 'masked', readyA, readyL2: AHEAD, readyY });
  }
}
