/**
 * Building a circuit of the semi-honest protocol: `Gates` turned into local nodes and interactive gates with fixed
 * half-rounds.
 *
 * Every gate is placed in the earliest half-round in which its operands are there, so independent gates share a
 * round. The result is a schedule that all three parties hold alike: which message comes when, how long it is,
 * under which tag and draw ids.
 */
import type { ProductShape } from '../../../compute/kernels/types.ts';
import { type Pattern, patternText } from '../../../compute/pattern.ts';
import { invariant } from '../../../core/errors.ts';
import { AHEAD, type Wire, countOf } from '../../share/wire.ts';
import type { Selection } from '../frame/dealing.ts';
import { evenFrom, latest, oddFrom } from '../frame/half-rounds.ts';
import { coarsened, linear } from '../frame/local.ts';
import { SelectingBuilder } from '../frame/selecting-builder.ts';
import { SEMI_HONEST } from '../registry.ts';
import type { AffineTerm, ExactTable, Gated, Gates, Parameter, SecurityClaim, Selected, Widening } from '../types.ts';
import { ReshareGate } from './additive.ts';
import { SecretAffineGate, openAffine } from './affine.ts';
import { DealtSelectGate } from './dealt-select.ts';
import { GatedSumGate } from './gated-sum.ts';
import { InputGate, LookupGate, OutputGate } from './io.ts';
import { type Direction, OtBaseGate, checkWidening } from './ot.ts';
import { OtSelectGate } from './ot-select.ts';
import { OtWidenGate } from './ot-widen.ts';
import { LiftGate, ProductGate } from './product.ts';
import { SelectGate } from './select.ts';
import { WidenGate } from './widen.ts';

/** One text for every order of elements. */
function orderOf(narrow: Narrow | undefined): string | undefined {
  return narrow?.gathers.map(({ pattern, shape }) => `${patternText(pattern)} ${shape}`).join(';');
}

/** The ring of a result that loses its low bits. */
function shortRing(k: number, drop: number): number {
  invariant(Number.isInteger(drop) && drop >= 0 && drop < k, `drop: ${drop} bits of ${k}`);
  return k - drop;
}

/** The half-round of a lift that waits for nothing but the parts of x: P2 has its own when the message is there. */
function liftHalf(x: Wire): number {
  return evenFrom(Math.max(x.readyA, x.readyL2 - 1));
}

/** What a builder may be told beside the kind of the weights. */
export interface CircuitOptions {
  /** How widenings get the wrap. Default `WIDENING`. */
  readonly widening?: Widening | undefined;
  /** What the protocol promises. Default: that of the semi-honest protocol. */
  readonly claim?: Pick<SecurityClaim, 'adversary'>;
}

/** A masked wire, and gathers of it one after the other. */
interface Narrow {
  readonly of: Wire;
  readonly gathers: readonly { readonly pattern: Pattern; readonly shape: readonly number[] }[];
}

/** How widenings get the wrap where nobody says. */
export const WIDENING: Widening = 'dealer';

export class CircuitBuilder extends SelectingBuilder implements Gates {
  protected readonly sharing = 'one-sided' as const;
  readonly rounding = SEMI_HONEST.truncation;
  readonly #transfers: boolean;
  readonly #bases = new Map<Direction, OtBaseGate>();
  readonly #lifted = new Map<Wire, Wire>();
  /** Additive wire → the masked wire of its value. */
  readonly #reshared = new Map<Wire, Wire>();
  /** What widens a masked wire, in any order of its elements → that wire, and how it gets into that order. */
  readonly #narrow = new Map<Wire, Narrow>();

  /**
   * @throws {TercetError} ERR_PROTOCOL_UNAVAILABLE for oblivious transfers where a party may deviate
   * @example new CircuitBuilder('open', { widening: 'ot' })
   */
  constructor(weights: 'open' | 'secret', { widening = WIDENING, claim = SEMI_HONEST.claim }: CircuitOptions = {}) {
    super(weights);
    checkWidening(widening, claim);
    this.#transfers = widening === 'ot';
  }

  // ── inputs and outputs ───────────────────────────────────────────────────

  input(name: string, shape: readonly number[], k: number, scale: number): Wire {
    const out = this.#wire(shape, k, scale, 0, undefined);
    return this.gate(new InputGate(this.at('input'), name, out), out);
  }

  lookup(name: string, table: Parameter, count: number): Wire {
    this.uses(table);
    // Both parties have their parts when they have P0's keys.
    const out = this.#additive([count, table.cols], 64, table.scale, 0, 0);
    return this.gate(new LookupGate(this.at('lookup'), name, table, out, this.weights === 'secret'), out);
  }

  output(name: string, x: Wire): void {
    const masked = this.reshare(x);
    this.opens(new OutputGate(this.at('output'), name, masked));
  }

  // ── rounding ─────────────────────────────────────────────────────────────

  shift(x: Wire, s: number): Wire {
    const node = linear([x], ['shift', s], (kernels, [p]) => kernels.shiftRight(p, s, x.k - s), s);
    return this.local(node, x.shape, x.k - s, x.scale - s, { keepsY: false });
  }

  coarsen(x: Wire, s: number): Wire {
    if (s === 0) return x;
    invariant(x.readyY !== undefined, 'coarsen: of a lifted wire');
    return this.local(coarsened(x, s), x.shape, x.k - s, x.scale - s);
  }

  widen(x: Wire, k2: number): Wire {
    const masked = this.reshare(x);
    const half12 = evenFrom(masked.readyA);
    const out = this.#additive(x.shape, k2, x.scale, half12, half12 + 1);
    const gate = this.#transfers
      ? new OtWidenGate(this.#base(0), this.at('widen'), masked, out, half12)
      : new WidenGate(this.at('widen'), masked, out, half12);
    // With open weights a widening is read through maps, nearly always.
    if (this.weights === 'secret') this.note((to) => to.#narrow.set(out, { of: masked, gathers: [] }));
    return this.gate(gate, out);
  }

  override gather(x: Wire, pattern: Pattern, shape: readonly number[]): Wire {
    const out = super.gather(x, pattern, shape);
    const narrow = this.#narrow.get(this.shownBy(x));
    if (narrow === undefined) return out;
    const { of, gathers } = narrow;
    this.note((to) => to.#narrow.set(out, { of, gathers: [...gathers, { pattern, shape }] }));
    return out;
  }

  /** The masked wire that x widens, in its order. */
  #narrowOf(x: Wire): Wire | undefined {
    const narrow = this.#narrow.get(x);
    return narrow?.gathers.reduce((wire, { pattern, shape }) => super.gather(wire, pattern, shape), narrow.of);
  }

  /** The base of the OTs of a direction, dealt before the first gate that wants it. */
  #base(direction: Direction): OtBaseGate {
    const known = this.#bases.get(direction);
    if (known !== undefined) return known;
    const position = this.at('ot-base');
    const before = this.gateBefore(position);
    // Gates hold their base: with another one, none of them could be taken.
    const base =
      before instanceof OtBaseGate && before.direction === direction ? before : new OtBaseGate(position, direction);
    this.register(base);
    this.note((to) => to.#bases.set(direction, base));
    return base;
  }

  // ── products ─────────────────────────────────────────────────────────────

  protected override affineGate(terms: readonly AffineTerm[], shape: readonly number[], scale: number): Wire {
    if (this.weights === 'open') {
      const node = openAffine(terms, countOf(shape), () => out);
      const out = this.local(node, shape, 64, scale, { keepsY: false, kind: 'additive' });
      return out;
    }
    const half21 = this.#productHalf(terms.map((term) => term.x));
    const lifted = terms.map((term) => ({ ...term, x: this.#lift(term.x, half21) }));
    // P1's part waits for its own `a` of the operands, P2's for its `y`: no message of the map's own.
    const readyA = latest(lifted.map(({ x }) => x.readyA));
    const out = this.#additive(shape, 64, scale, readyA, latest(lifted.map(({ x }) => x.readyY ?? 0)));
    return this.gate(new SecretAffineGate(this.at('affine'), lifted, out), out);
  }

  protected override product(
    x: Wire,
    y: Wire,
    shape: ProductShape | undefined,
    outShape: readonly number[],
    drop: number,
  ): Wire {
    const k = shortRing(x.k, drop);
    const half21 = this.#productHalf([x, y]);
    const left = this.#lift(x, half21);
    const right = this.#lift(y, half21);
    // P1 finishes with its own `a` of both operands, so it waits for those too.
    const out = this.#wire(
      outShape,
      k,
      x.scale + y.scale - drop,
      latest([half21 + 1, left.readyA, right.readyA]),
      undefined,
    );
    return this.gate(new ProductGate(this.at('product'), left, right, shape, out, half21), out);
  }

  gatedSum(terms: readonly Gated[]): Wire {
    const [{ value: first }] = terms;
    const operands = terms.flatMap(({ bits, value }) => [...bits, value]);
    invariant(
      operands.every(({ count }) => count === first.count) &&
        terms.every(({ bits, value }) => value.k === first.k && bits.every(({ k }) => k === 1)),
      'gatedSum: bits and values differ in length or ring',
    );
    const half21 = this.#productHalf(operands);
    const lift = (x: Wire) => this.#lift(x, half21);
    const lifted = terms.map(({ bits, value }) => ({ bits: bits.map(lift), value: lift(value) }));
    const ready = lifted.flatMap(({ bits, value }) => [...bits, value]).map(({ readyA }) => readyA);
    const out = this.#wire(first.shape, first.k, first.scale, latest([half21 + 1, ...ready]), undefined);
    return this.gate(new GatedSumGate(this.at('product'), lifted, out, half21), out);
  }

  lift(x: Wire): Wire {
    return this.#lift(x, oddFrom(this.#liftedFrom(x)));
  }

  /** The first half-round P2 → P1 in which P2 can hold `y` of all operands. */
  #productHalf(operands: readonly Wire[]): number {
    return oddFrom(latest(operands.map((x) => this.#liftedFrom(x))));
  }

  /** The half-round from which P2 can hold y of x: now, or after P1 has a. */
  #liftedFrom(x: Wire): number {
    const base = this.#partsOf(this.shownBy(x));
    return x.readyY ?? this.#lifted.get(base)?.readyY ?? liftHalf(base) + 1;
  }

  /** x with `y` at P2, lifted just before half-round `before`; the same lifted wire when it is asked for again. */
  #lift(x: Wire, before: number): Wire {
    if (x.readyY !== undefined) return x;
    const base = this.shownBy(x);
    if (base !== x) return this.reshape(this.#lift(base, before), x.shape, x.scale);
    const source = this.#partsOf(x);
    const known = this.#lifted.get(source);
    if (known?.readyY !== undefined && known.readyY <= before) return known;
    const masked = this.reshare(source);
    // Of an additive wire as early as it can: neither party then holds a part beside what the product reads.
    const half12 = source.kind === 'additive' ? liftHalf(source) : before - 1;
    const out = this.#wire(x.shape, x.k, x.scale, masked.readyA, half12 + 1);
    this.gate(new LiftGate(this.at('lift'), source, masked, out, half12), out);
    this.note((to) => to.#lifted.set(source, out));
    return out;
  }

  reshare(x: Wire): Wire {
    if (x.kind === 'masked') return x;
    const base = this.shownBy(x);
    if (base !== x) return this.reshape(this.reshare(base), x.shape, x.scale);
    const known = this.#reshared.get(x);
    if (known !== undefined) return known;
    // Not before P1 has its own part: then the message waits for nothing.
    const half21 = x.readyL2 === AHEAD ? undefined : oddFrom(Math.max(x.readyL2, x.readyA - 1));
    const narrow = this.#narrowOf(x);
    const out = this.#wire(x.shape, x.k, x.scale, half21 === undefined ? x.readyA : half21 + 1, undefined);
    this.gate(new ReshareGate(this.at('reshare'), x, out, half21, narrow), out);
    this.note((to) => to.#reshared.set(x, out));
    return out;
  }

  /** The additive wire that a masked one was made of, whose parts P1 and P2 have earlier; else x. */
  #partsOf(x: Wire): Wire {
    const source = this.sourceOf(x);
    return source instanceof ReshareGate ? source.x : x;
  }

  // ── selection ────────────────────────────────────────────────────────────

  segment(x: Wire, t: number, table: ExactTable, k: number): Wire {
    return this.table(this.shift(x, t), table, k);
  }

  sign(x: Wire): Wire {
    const low = x.k - 1;
    return this.add(this.borrow(x, 0, low, 'less'), this.reshape(this.shift(x, low), x.shape, 0));
  }

  protected override select(
    inputs: readonly Wire[],
    shape: readonly number[],
    scale: number,
    terms: readonly Selection[],
    { drop = 0, widen, least = 0n }: Selected = {},
  ): Wire {
    const half12 = evenFrom(latest(inputs.map((x) => x.readyA)));
    if (widen !== undefined) {
      const wide = { inputs, terms, drop, least };
      const out = this.#additive(shape, widen, scale - drop, half12 + 2, half12 + 1);
      const gate = this.#transfers
        ? new OtSelectGate(this.#base(1), this.at('select'), out, half12, wide)
        : new DealtSelectGate(this.at('select'), out, half12, wide);
      return this.gate(gate, out);
    }
    const out = this.#wire(shape, shortRing(terms[0].k, drop), scale - drop, half12 + 2, half12 + 1);
    return this.gate(new SelectGate(this.at('select'), inputs, out, half12, terms, drop), out);
  }

  // ── bookkeeping ──────────────────────────────────────────────────────────

  protected override get reuses(): boolean {
    return true;
  }

  protected override knownOf(x: Wire): readonly unknown[] {
    const base = this.shownBy(x);
    const parts = this.#partsOf(base);
    const made = [this.#lifted.get(base), this.#lifted.get(parts), this.#reshared.get(base)];
    const narrow = [this.#narrow.get(base), this.#narrow.get(parts)].flatMap((one) => [one?.of, orderOf(one)]);
    return [base, parts, ...made, ...narrow, this.#bases.get(0), this.#bases.get(1)];
  }

  #wire(shape: readonly number[], k: number, scale: number, readyA: number, readyY: number | undefined): Wire {
    return this.place(shape, k, scale, { kind: 'masked', readyA, readyL2: AHEAD, readyY });
  }

  #additive(shape: readonly number[], k: number, scale: number, readyA: number, readyL2: number): Wire {
    return this.place(shape, k, scale, { kind: 'additive', readyA, readyL2, readyY: undefined });
  }
}
