/**
 * Local operations: exact, without a message, applied by every party to the components it holds.
 *
 * A wire is x = a − λ2 (and y − λ1), or m − λ1 − λ2. A linear map acts on every component alike; a public constant is
 * added to `a` and `y`, or to `m`, only; a shift acts on `a` and λ2 and leaves a derived mask, under which nothing
 * may be sent (a lift of such a wire draws a fresh λ1, PROTOCOL §5.1).
 */
import type { Linear, LinearAtOnce } from '../../../compute/kernels/types.ts';
import { meanWeights } from '../../../compute/means.ts';
import type { Pattern } from '../../../compute/pattern.ts';
import type { Vector } from '../../../compute/ring.ts';
import type { Component, Wire } from '../../share/wire.ts';
import type { Parameter } from '../types.ts';
import type { Trait } from './traits.ts';
import { type Part, type Party, parameterTraits } from './party.ts';
import { roundNearest } from './rounding.ts';

export interface LocalNode {
  readonly inputs: readonly Wire[];
  /** Its kind and public parameters: all that the result depends on beside the operands. Part of the circuit's hash. */
  readonly traits: readonly Trait[];
  /**
   * How many more low bits are read of its operands than of the result: none of sums and of words that are only moved,
   * fewer where all bits move up. All bits without it (`bits-read.ts`).
   */
  readonly moreBits?: number | undefined;
  apply(party: Party, component: Component, operands: readonly Vector[]): Promise<Vector>;
  /** Which words of its one operand it takes: then it does nothing else, but for cutting them to the ring. */
  readonly moves?: Pattern | 'all' | undefined;
  /** Whether it puts its operands one behind the other. */
  readonly joins?: true | undefined;
  /** The same without a promise, where it needs nothing but its operands and linear operations. */
  readonly atOnce?: ((kernels: LinearAtOnce, component: Component, operands: readonly Vector[]) => Vector) | undefined;
}

/** What comes of x now, if x is there, or when it is. */
export function andThen<V>(x: V | Promise<V>, next: (x: V) => V | Promise<V>): V | Promise<V> {
  return x instanceof Promise ? x.then(next) : next(x);
}

/** A linear map that every component goes through unchanged. */
export function linear(
  inputs: readonly Wire[],
  traits: readonly Trait[],
  map: (kernels: Linear, operands: readonly Vector[]) => Vector | Promise<Vector>,
  moreBits = 0,
): LocalNode {
  return {
    inputs,
    traits,
    moreBits,
    apply: async (party, _component, operands) => map(party.kernels, operands),
    // Operations at once give vectors, and so do maps that are made of them.
    atOnce: (kernels, _component, operands) => map(kernels, operands) as Vector,
  };
}

/** Rows of x times the weights of means, which are as public as a constant. */
export function meansOf(x: Wire, scale: number): LocalNode {
  const places = x.shape[x.shape.length - 1];
  const shape = { batch: 1, m: x.count / places, inner: places, n: places };
  return {
    inputs: [x],
    traits: ['means', places, scale],
    moreBits: 0,
    apply: ({ kernels }, _component, [rows]) => kernels.matmul(rows, meanWeights(places, scale, x.k), shape),
  };
}

/** x + c: the public side only. */
export function publicOffset(x: Wire, c: bigint): LocalNode {
  return {
    inputs: [x],
    traits: ['offset', c],
    moreBits: 0,
    apply: async (party, component, [value]) => (isPublicSide(component) ? party.kernels.offset(value, c) : value),
    atOnce: (kernels, component, [value]) => (isPublicSide(component) ? kernels.offset(value, c) : value),
  };
}

/** Which part of a parameter belongs to a component: W itself on the public side, or M, M − L1, M − L2, L1, L2. */
const SECRET_PART: Record<Component, Part> = { m: 'm', a: 'm-l1', y: 'm-l2', l1: 'l1', l2: 'l2' };

/** Whether a component moves with the value. */
function isPublicSide(component: Component): boolean {
  return component !== 'l1' && component !== 'l2';
}

export function parameterOffset(x: Wire, parameter: Parameter): LocalNode {
  return {
    inputs: [x],
    traits: ['parameter', parameterTraits(parameter)],
    moreBits: 0,
    apply: async (party, component, [value]) => {
      const open = party.parameters.weights === 'open';
      if (open && !isPublicSide(component)) return value;
      return party.kernels.addRow(
        value,
        await party.parameters.words(party.kernels, parameter, open ? 'clear' : SECRET_PART[component]),
      );
    },
  };
}

/**
 * x / 2^s of a lifted wire, rounded, and lifted as well: m = x + λ1 + λ2 is known to P1 and to P2, and each of the
 * three is rounded to the nearest. So x̂ = x/2^s + (δ_m − δ_1 − δ_2), of mean 0 and variance ¼ at most.
 *
 * The masks are derived: nothing may be sent under them, and nothing is, for products draw masks of their own.
 */
export function coarsened(x: Wire, s: number): LocalNode {
  return {
    inputs: [x],
    traits: ['coarsen', s],
    apply: async (party, component, [value]) => {
      const { kernels } = party;
      const rounded = (words: Vector) => roundNearest(kernels, words, s);
      if (component === 'l1' || component === 'l2') return rounded(value);
      const mask = await party.value(x, component === 'a' ? 'l1' : 'l2');
      return kernels.sub(await rounded(await kernels.add(value, mask)), await rounded(mask));
    },
  };
}

/** A wire of the step before, whose components every party kept. */
export function keptBefore(name: string): LocalNode {
  return { inputs: [], traits: ['kept', name], apply: async (party, component) => party.keptBefore(name, component) };
}
