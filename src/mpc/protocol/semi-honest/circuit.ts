/**
 * Building a circuit of the semi-honest protocol: `Gates` turned into local nodes and interactive gates with fixed
 * half-rounds.
 *
 * Every gate is placed in the earliest half-round in which its operands are there, so independent gates share a
 * round. The result is a schedule that all three parties hold alike: which message comes when, how long it is,
 * under which tag and draw ids.
 */
import type { PiecewisePolynomial, ProductShape } from '../../../compute/kernels/types.ts';
import { STREAM_BYTES } from '../../../compute/kernels/key-stream.ts';
import { type Pattern, patternCount, patternReach, patternText } from '../../../compute/pattern.ts';
import { TercetError, invariant } from '../../../core/errors.ts';
import { AHEAD, type Wire, countOf } from '../../share/wire.ts';
import { noCost } from '../cost.ts';
import { SEMI_HONEST } from '../registry.ts';
import type {
  AffineTerm,
  Choosing,
  Cost,
  ExactTable,
  ExponentialOptions,
  GatedCosines,
  Gates,
  Multiplied,
  Parameter,
  Rounded,
  SecurityClaim,
  Selected,
  Widening,
} from '../types.ts';
import { ReshareGate } from './additive.ts';
import { SecretAffineGate, openAffine } from './affine.ts';
import { InputGate, LookupGate, OutputGate } from './io.ts';
import { type Gate, longestStream } from './gate.ts';
import { type LocalNode, coarsened, keptBefore, linear, parameterOffset, publicOffset } from './local.ts';
import { type Direction, OtBaseGate, checkWidening } from './ot.ts';
import { OtSelectGate } from './ot-select.ts';
import { OtWidenGate } from './ot-widen.ts';
import { LiftGate, ProductGate } from './product.ts';
import type { Position } from './relation.ts';
import { SelectGate, type Selection } from './select.ts';
import {
  borrowSelection,
  chooseSelection,
  cosineSelection,
  polynomialSelection,
  exponentialSelection,
  jointSelection,
  tableSelection,
} from './selections.ts';
import { WidenGate } from './widen.ts';

// Half-rounds: even ones carry P1 → P2, odd ones P2 → P1.

function evenFrom(half: number): number {
  return half + (half % 2);
}

function oddFrom(half: number): number {
  return half + ((half + 1) % 2);
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

function latest(times: readonly number[]): number {
  return times.reduce((a, b) => Math.max(a, b), 0);
}

/** A finished circuit: public, the same at all parties. */
export interface Circuit {
  readonly weights: 'open' | 'secret';
  readonly gates: readonly Gate[];
  /** How each wire comes about. */
  readonly sources: readonly (LocalNode | Gate)[];
  /** Every wire, by number. */
  readonly wires: readonly Wire[];
  readonly parameters: readonly Parameter[];
  readonly outputs: readonly OutputGate[];
  /** What stays with the parties for the next step, by name. */
  readonly kept: ReadonlyMap<string, Wire>;
  /** Section of every gate, for progress. */
  readonly sections: readonly string[];
  readonly cost: Cost;
}

export function isGate(source: LocalNode | Gate): source is Gate {
  return 'number' in source;
}

/** What a builder may be told beside the kind of the weights. */
export interface CircuitOptions {
  /** How widenings get the wrap. Default `WIDENING`. */
  readonly widening?: Widening | undefined;
  /** What the protocol promises. Default: that of the semi-honest protocol. */
  readonly claim?: Pick<SecurityClaim, 'adversary'>;
}

/** How widenings get the wrap where nobody says. */
export const WIDENING: Widening = 'dealer';

export class CircuitBuilder implements Gates {
  readonly weights: 'open' | 'secret';
  readonly #transfers: boolean;
  readonly #gates: Gate[] = [];
  readonly #sources: (LocalNode | Gate)[] = [];
  readonly #wires: Wire[] = [];
  readonly #parameters = new Map<string, Parameter>();
  readonly #outputs: OutputGate[] = [];
  readonly #kept = new Map<string, Wire>();
  readonly #sections: string[] = [];
  readonly #bases = new Map<Direction, OtBaseGate>();
  readonly #lifted = new Map<Wire, Wire>();
  /** Additive wire → the masked wire of its value. */
  readonly #reshared = new Map<Wire, Wire>();
  /** Reshaped wire → the wire it shows, so that both share one lift. */
  readonly #shown = new Map<Wire, Wire>();
  #path: readonly string[] = [];

  /**
   * @throws {TercetError} ERR_PROTOCOL_UNAVAILABLE for oblivious transfers where a party may deviate
   * @example new CircuitBuilder('open', { widening: 'ot' })
   */
  constructor(weights: 'open' | 'secret', { widening = WIDENING, claim = SEMI_HONEST.claim }: CircuitOptions = {}) {
    checkWidening(widening, claim);
    this.weights = weights;
    this.#transfers = widening === 'ot';
  }

  finish(): Circuit {
    const cost = noCost();
    for (const gate of this.#gates) {
      for (const [key, bytes] of Object.entries(gate.cost) as [keyof Cost, number][]) cost[key] += bytes;
      cost.rounds = Math.max(cost.rounds, Math.floor((gate.half21 ?? gate.half12 ?? -2) / 2) + 1);
    }
    return {
      weights: this.weights,
      gates: this.#gates,
      sources: this.#sources,
      wires: this.#wires,
      parameters: [...this.#parameters.values()],
      outputs: this.#outputs,
      kept: this.#kept,
      sections: this.#sections,
      cost,
    };
  }

  section<T>(name: string, body: () => T): T {
    const outer = this.#path;
    this.#path = [...outer, name];
    try {
      return body();
    } finally {
      this.#path = outer;
    }
  }

  // ── inputs and outputs ───────────────────────────────────────────────────

  input(name: string, shape: readonly number[], k: number, scale: number): Wire {
    const out = this.#wire(shape, k, scale, 0, undefined);
    return this.#gate(new InputGate(this.#at('input'), name, out), out);
  }

  lookup(name: string, table: Parameter, count: number): Wire {
    this.#uses(table);
    // Both parties have their parts when they have P0's keys.
    const out = this.#additive([count, table.cols], 64, table.scale, 0, 0);
    const rows = this.#gate(new LookupGate(this.#at('lookup'), name, table, out, this.weights === 'secret'), out);
    return this.#settled(rows);
  }

  output(name: string, x: Wire): void {
    const masked = this.reshare(x);
    const gate = new OutputGate(this.#at('output'), name, masked);
    this.#outputs.push(gate);
    this.#register(gate);
  }

  keep(name: string, x: Wire): void {
    invariant(x.readyY !== undefined && !this.#kept.has(name), `${name}: only a lifted wire can be kept, once`);
    this.#kept.set(name, x);
  }

  kept(name: string, shape: readonly number[], k: number, scale: number): Wire {
    const out = this.#wire(shape, k, scale, 0, 0);
    this.#sources[out.id] = keptBefore(name);
    return out;
  }

  // ── local ────────────────────────────────────────────────────────────────

  add(x: Wire, y: Wire): Wire {
    this.#alike(x, y);
    return this.#local(
      linear([x, y], ['add'], (kernels, [p, q]) => kernels.add(p, q)),
      x.shape,
      x.k,
      x.scale,
    );
  }

  sub(x: Wire, y: Wire): Wire {
    this.#alike(x, y);
    return this.#local(
      linear([x, y], ['sub'], (kernels, [p, q]) => kernels.sub(p, q)),
      x.shape,
      x.k,
      x.scale,
    );
  }

  scale(x: Wire, c: bigint, scale = x.scale): Wire {
    return this.#local(
      linear([x], ['scale', c], (kernels, [p]) => kernels.scale(p, c)),
      x.shape,
      x.k,
      scale,
    );
  }

  offset(x: Wire, c: bigint): Wire {
    return this.#local(publicOffset(x, c), x.shape, x.k, x.scale);
  }

  reduce(x: Wire, k: number): Wire {
    invariant(k <= x.k, 'reduce: the ring must not grow');
    return this.#local(
      linear([x], ['reduce', k], (kernels, [p]) => kernels.cast(p, k)),
      x.shape,
      k,
      x.scale,
    );
  }

  raise(x: Wire, s: number, k: number): Wire {
    invariant(k <= x.k + s, 'raise: the upper bits are not determined');
    return this.#local(
      linear([x], ['raise', s, k], async (kernels, [p]) => kernels.scale(await kernels.cast(p, k), 1n << BigInt(s))),
      x.shape,
      k,
      x.scale + s,
    );
  }

  sumRows(x: Wire): Wire {
    const cols = x.shape[x.shape.length - 1];
    return this.#local(
      linear([x], ['sumRows', cols], (kernels, [p]) => kernels.sumRows(p, cols)),
      x.shape.slice(0, -1),
      x.k,
      x.scale,
    );
  }

  repeat(x: Wire, cols: number): Wire {
    return this.#local(
      linear([x], ['repeat', cols], (kernels, [p]) => kernels.repeat(p, cols)),
      [...x.shape, cols],
      x.k,
      x.scale,
    );
  }

  gather(x: Wire, pattern: Pattern, shape: readonly number[]): Wire {
    invariant(patternCount(pattern) === countOf(shape), 'gather: pattern and shape differ');
    invariant(patternReach(pattern) <= x.count, 'gather: the pattern reaches beyond its source');
    return this.#local(
      linear([x], ['gather', patternText(pattern)], (kernels, [p]) => kernels.gather(p, pattern)),
      shape,
      x.k,
      x.scale,
    );
  }

  reshape(x: Wire, shape: readonly number[], scale = x.scale): Wire {
    invariant(countOf(shape) === x.count, 'reshape: the number of elements changes');
    const node = linear([x], ['reshape'], async (_kernels, [p]) => p);
    const out = this.#local(node, shape, x.k, scale);
    this.#shown.set(out, x);
    return out;
  }

  concat(parts: readonly Wire[]): Wire {
    const [first] = parts;
    invariant(
      parts.every(
        ({ k, scale, shape }) =>
          k === first.k && scale === first.scale && shape.slice(1).join() === first.shape.slice(1).join(),
      ),
      'concat: parts differ in ring, scale or row',
    );
    const rows = parts.reduce((sum, { shape }) => sum + shape[0], 0);
    return this.#local(
      linear(parts, ['concat'], (kernels, words) => kernels.concat(words)),
      [rows, ...first.shape.slice(1)],
      first.k,
      first.scale,
    );
  }

  addParameter(x: Wire, parameter: Parameter): Wire {
    invariant(
      x.k === 64 && x.scale === parameter.scale,
      `${parameter.name}: scale ${parameter.scale} added to scale ${x.scale}`,
    );
    this.#uses(parameter);
    return this.#local(parameterOffset(x, parameter), x.shape, x.k, x.scale);
  }

  // ── rounding ─────────────────────────────────────────────────────────────

  shift(x: Wire, s: number): Wire {
    const node = linear([x], ['shift', s], (kernels, [p]) => kernels.shiftRight(p, s, x.k - s));
    return this.#local(node, x.shape, x.k - s, x.scale - s, { keepsY: false });
  }

  coarsen(x: Wire, s: number): Wire {
    if (s === 0) return x;
    invariant(x.readyY !== undefined, 'coarsen: of a lifted wire');
    return this.#local(coarsened(x, s), x.shape, x.k - s, x.scale - s);
  }

  widen(x: Wire, k2: number): Wire {
    const masked = this.reshare(x);
    const half12 = evenFrom(masked.readyA);
    const out = this.#additive(x.shape, k2, x.scale, half12, half12 + 1);
    const gate = this.#transfers
      ? new OtWidenGate(this.#base(0), this.#at('widen'), masked, out, half12)
      : new WidenGate(this.#at('widen'), masked, out, half12);
    return this.#settled(this.#gate(gate, out));
  }

  /** The base of the OTs of a direction, dealt before the first gate that wants it. */
  #base(direction: Direction): OtBaseGate {
    const known = this.#bases.get(direction);
    if (known !== undefined) return known;
    const base = new OtBaseGate(this.#at('ot-base'), direction);
    this.#register(base);
    this.#bases.set(direction, base);
    return base;
  }

  truncate(x: Wire, s: number, k2 = x.k): Wire {
    return this.widen(this.shift(x, s), k2);
  }

  // ── products ─────────────────────────────────────────────────────────────

  affine(terms: readonly AffineTerm[], bias?: Parameter): Wire {
    const [first] = terms;
    const rows = first.diagonal === true ? first.x.count / first.weight.cols : first.x.count / first.weight.rows;
    const scale = first.x.scale + first.weight.scale;
    for (const { x, weight } of terms) {
      invariant(x.k === 64 && x.scale + weight.scale === scale, `${weight.name}: operands of different scales`);
      this.#uses(weight);
    }
    const out = this.#affineGate(terms, [rows, first.weight.cols], scale);
    return bias === undefined ? out : this.addParameter(out, bias);
  }

  #affineGate(terms: readonly AffineTerm[], shape: readonly number[], scale: number): Wire {
    if (this.weights === 'open') {
      return this.#local(openAffine(terms, countOf(shape)), shape, 64, scale, { keepsY: false, kind: 'additive' });
    }
    const half21 = this.#productHalf(terms.map((term) => term.x));
    const lifted = terms.map((term) => ({ ...term, x: this.#lift(term.x, half21) }));
    const out = this.#wire(shape, 64, scale, latest([half21 + 1, ...lifted.map((term) => term.x.readyA)]), undefined);
    return this.#gate(new SecretAffineGate(this.#at('affine'), lifted, out, half21), out);
  }

  matmul(x: Wire, y: Wire, { transposed = false, drop = 0 }: Multiplied = {}): Wire {
    const [batch, m, inner] = x.shape;
    const n = transposed ? y.shape[1] : y.shape[2];
    invariant(y.shape[0] === batch && (transposed ? y.shape[2] : y.shape[1]) === inner, 'matmul: shapes do not fit');
    return this.#product(x, y, { batch, m, inner, n, transposed }, [batch, m, n], drop);
  }

  mul(x: Wire, y: Wire, { drop = 0 }: Rounded = {}): Wire {
    invariant(x.count === y.count, 'mul: shapes do not fit');
    return this.#product(x, y, undefined, x.shape, drop);
  }

  #product(x: Wire, y: Wire, shape: ProductShape | undefined, outShape: readonly number[], drop: number): Wire {
    invariant(x.k === y.k, 'product: operands over different rings');
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
    return this.#gate(new ProductGate(this.#at('product'), left, right, shape, out, half21), out);
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
    const base = this.#partsOf(this.#shownBy(x));
    return x.readyY ?? this.#lifted.get(base)?.readyY ?? liftHalf(base) + 1;
  }

  /** x with `y` at P2, lifted just before half-round `before`; the same lifted wire when it is asked for again. */
  #lift(x: Wire, before: number): Wire {
    if (x.readyY !== undefined) return x;
    const base = this.#shownBy(x);
    if (base !== x) return this.reshape(this.#lift(base, before), x.shape, x.scale);
    const source = this.#partsOf(x);
    const known = this.#lifted.get(source);
    if (known?.readyY !== undefined && known.readyY <= before) return known;
    const masked = this.reshare(source);
    // Of an additive wire as early as it can: neither party then holds a part beside what the product reads.
    const half12 = source.kind === 'additive' ? liftHalf(source) : before - 1;
    const out = this.#wire(x.shape, x.k, x.scale, masked.readyA, half12 + 1);
    this.#gate(new LiftGate(this.#at('lift'), source, masked, out, half12), out);
    this.#lifted.set(source, out);
    return out;
  }

  reshare(x: Wire): Wire {
    if (x.kind === 'masked') return x;
    const base = this.#shownBy(x);
    if (base !== x) return this.reshape(this.reshare(base), x.shape, x.scale);
    const known = this.#reshared.get(x);
    if (known !== undefined) return known;
    // Not before P1 has its own part: then the message waits for nothing.
    const half21 = x.readyL2 === AHEAD ? undefined : oddFrom(Math.max(x.readyL2, x.readyA - 1));
    const out = this.#wire(x.shape, x.k, x.scale, half21 === undefined ? x.readyA : half21 + 1, undefined);
    this.#gate(new ReshareGate(this.#at('reshare'), x, out, half21), out);
    this.#reshared.set(x, out);
    return out;
  }

  /**
   * With secret weights every reader wants masks, and several read the whole ring: then one message is enough for
   * all of them.
   */
  #settled(x: Wire): Wire {
    return this.weights === 'secret' ? this.reshare(x) : x;
  }

  /** The additive wire that a masked one was made of, whose parts P1 and P2 have earlier; else x. */
  #partsOf(x: Wire): Wire {
    const source = this.#sources[x.id];
    return source instanceof ReshareGate ? source.x : x;
  }

  /** The wire that a chain of reshapes shows. */
  #shownBy(x: Wire): Wire {
    const shown = this.#shown.get(x);
    return shown === undefined ? x : this.#shownBy(shown);
  }

  // ── selection ────────────────────────────────────────────────────────────

  table(x: Wire, exact: ExactTable, k: number): Wire {
    const read = this.reshare(x);
    return this.#select([read], x.shape, 0, [tableSelection(read, exact, k)]);
  }

  polynomial(x: Wire, polynomial: PiecewisePolynomial, k: number, how?: Selected): Wire {
    const read = this.reshare(x);
    const scale = polynomial.s1 + polynomial.s2;
    return this.#select([read], x.shape, scale, [polynomialSelection(read, polynomial, k)], how);
  }

  exponential(x: Wire, gate: Wire, s1: number, s2: number, options?: ExponentialOptions): Wire {
    const [read, bit] = [this.reshare(x), this.reshare(gate)];
    return this.#select([read, bit], x.shape, s1 + s2, [exponentialSelection(read, bit, s1, s2, options)], options);
  }

  jointTable(bits: readonly Wire[], entries: readonly bigint[], k: number): Wire {
    const read = bits.map((bit) => this.reshare(bit));
    return this.#select(read, bits[0].shape, 0, [jointSelection(read, entries, k)]);
  }

  borrow(x: Wire, from: number, bits: number, leaf: 'less' | 'equal'): Wire {
    const read = this.reshare(x);
    return this.#select([read], x.shape, 0, [borrowSelection(read, from, bits, leaf)]);
  }

  choose(bits: readonly Wire[], values: readonly Wire[], pick: Uint8Array, how?: Selected): Wire {
    return this.chooseSum([{ bits, values, pick }], how);
  }

  cosines(terms: readonly GatedCosines[], k: number, how?: Selected): Wire {
    const [{ x, sum }] = terms;
    invariant(
      terms.every((term) => term.sum.scale === sum.scale),
      'cosines: sums of different scales',
    );
    const read = terms.map((term) => ({
      ...term,
      x: this.reshare(term.x),
      gate: term.gate === undefined ? undefined : this.reshare(term.gate),
    }));
    const inputs = read.flatMap((term) => (term.gate === undefined ? [term.x] : [term.x, term.gate]));
    const selections = read.map((term) => cosineSelection(term, k));
    return this.#select(inputs, x.shape, sum.scale, selections, how);
  }

  chooseSum(choices: readonly Choosing[], how?: Selected): Wire {
    const [{ values, raise = 0 }] = choices;
    const read = choices.map((choice) => ({
      ...choice,
      bits: choice.bits.map((bit) => this.reshare(bit)),
      values: choice.values.map((value) => this.reshare(value)),
    }));
    const inputs = read.flatMap((choice) => [...choice.bits, ...choice.values]);
    const terms = read.map((choice) => chooseSelection(choice));
    return this.#select(inputs, values[0].shape, values[0].scale + raise, terms, how);
  }

  #select(
    inputs: readonly Wire[],
    shape: readonly number[],
    scale: number,
    terms: readonly Selection[],
    { drop = 0, widen }: Selected = {},
  ): Wire {
    const half12 = evenFrom(latest(inputs.map((x) => x.readyA)));
    if (widen !== undefined && this.#transfers) {
      const wide = this.#additive(shape, widen, scale - drop, half12 + 2, half12 + 1);
      const gate = new OtSelectGate(this.#base(1), this.#at('select'), inputs, wide, half12, terms, drop);
      return this.#settled(this.#gate(gate, wide));
    }
    const out = this.#wire(shape, shortRing(terms[0].k, drop), scale - drop, half12 + 2, half12 + 1);
    const selected = this.#gate(new SelectGate(this.#at('select'), inputs, out, half12, terms, drop), out);
    return widen === undefined ? selected : this.widen(selected, widen);
  }

  // ── bookkeeping ──────────────────────────────────────────────────────────

  #wire(shape: readonly number[], k: number, scale: number, readyA: number, readyY: number | undefined): Wire {
    return this.#place(shape, k, scale, { kind: 'masked', readyA, readyL2: AHEAD, readyY });
  }

  #additive(shape: readonly number[], k: number, scale: number, readyA: number, readyL2: number): Wire {
    return this.#place(shape, k, scale, { kind: 'additive', readyA, readyL2, readyY: undefined });
  }

  #place(
    shape: readonly number[],
    k: number,
    scale: number,
    known: Pick<Wire, 'kind' | 'readyA' | 'readyL2' | 'readyY'>,
  ): Wire {
    const wire = { id: this.#sources.length, shape, count: countOf(shape), k, scale, ...known };
    this.#wires.push(wire);
    // The slot is filled by #local or #gate right after.
    this.#sources.length += 1;
    return wire;
  }

  /** A local operation takes wires of both kinds; one additive operand makes its result additive. */
  #local(
    node: LocalNode,
    shape: readonly number[],
    k: number,
    scale: number,
    { keepsY = true, kind }: { readonly keepsY?: boolean; readonly kind?: Wire['kind'] } = {},
  ): Wire {
    const { inputs } = node;
    const times = inputs.map((x) => x.readyY);
    const out = this.#place(shape, k, scale, {
      kind: kind ?? (inputs.some((x) => x.kind === 'additive') ? 'additive' : 'masked'),
      readyA: latest(inputs.map((x) => x.readyA)),
      readyL2: inputs.reduce((last, x) => Math.max(last, x.readyL2), AHEAD),
      readyY: keepsY && times.every((time) => time !== undefined) ? latest(times as number[]) : undefined,
    });
    this.#sources[out.id] = node;
    return out;
  }

  #gate(gate: Gate, out: Wire): Wire {
    this.#sources[out.id] = gate;
    this.#register(gate);
    return out;
  }

  #register(gate: Gate): void {
    invariant(gate.number === this.#gates.length, 'gates are numbered in order');
    if (longestStream(gate) > STREAM_BYTES) {
      throw new TercetError(
        'ERR_SHAPE',
        `${gate.path}: its masks are longer than a key stream, 2^38 bytes`,
        'run fewer or shorter texts at a time',
      );
    }
    this.#gates.push(gate);
    this.#sections.push(this.#path.join('/'));
  }

  /** The position of the next gate. */
  #at(kind: string): Position {
    return { number: this.#gates.length, path: [...this.#path, kind].join('/') };
  }

  #uses(parameter: Parameter): void {
    this.#parameters.set(parameter.name, parameter);
  }

  #alike(x: Wire, y: Wire): void {
    invariant(
      x.k === y.k && x.count === y.count && x.scale === y.scale,
      `operands differ: k ${x.k}/${y.k}, count ${x.count}/${y.count}, scale ${x.scale}/${y.scale}`,
    );
  }
}
