/** weights, multiply, digitWeights, combineRows, combineColumns and the tail: vectors modulo q. */
import { invariant } from '../../../core/errors.ts';
import type { DigitStep } from '../../index-group.ts';
import { type Words, lengthOf } from '../../ring.ts';
import { RADIX } from '../proof-types.ts';
import { type Call, groupsOf } from './call.ts';
import type { Binding } from './commands.ts';
import type { Block } from './pool.ts';
import {
  CELLS,
  FIELD_WORK,
  RESIDUE,
  bound,
  boundIndices,
  boundWords,
  cells,
  fieldParams,
  mostElements,
  residues,
  summed,
  whole,
  wideLanes,
} from './proof-call.ts';

/** Digits that the shader has parameters for: those of an index of 24 bits. */
const MOST_DIGITS = 8;

export function weights(
  call: Call,
  x: BigUint64Array,
  coefficients: BigUint64Array,
  q: bigint,
): Promise<BigUint64Array> {
  const sigma = coefficients.length;
  const out = call.scratch(RESIDUE * x.length);
  const cs = bound(call, coefficients);
  for (const [from, to] of call.pieces(x.length, RESIDUE, 64, mostElements(call, sigma)))
    call.run({
      shader: 'proof-weights',
      wide: false,
      constants: {},
      params: [...fieldParams(q), to - from, sigma],
      bindings: [bound(call, x.subarray(from, to)), cs, call.range(out, RESIDUE * from, RESIDUE * to)],
      groups: groupsOf(to - from),
      work: sigma * (to - from),
    });
  return residues(call, out, x.length);
}

export function multiply(call: Call, a: BigUint64Array, b: Words, q: bigint): Promise<BigUint64Array> {
  invariant(lengthOf(b) === a.length, 'multiply: vectors of one length');
  return digitWeights(call, a, 1, { k: 32, data: new Uint32Array(a.length) }, [], [], b, q);
}

export function digitWeights(
  call: Call,
  f: BigUint64Array,
  each: number,
  index: Words,
  steps: readonly DigitStep[],
  coefficients: readonly BigUint64Array[],
  factor: Words | undefined,
  q: bigint,
): Promise<BigUint64Array> {
  const n = lengthOf(index);
  const all = f.length === n * each;
  invariant(all || f.length === n, 'a weight for every element or every word');
  invariant(factor === undefined || lengthOf(factor) === n * each, 'a factor for every word');
  invariant(steps.length <= MOST_DIGITS, 'digits of an index');
  const digits = new Uint32Array(2 * MOST_DIGITS);
  for (const [r, { at, width }] of steps.entries()) digits.set([at, 2 ** width - 1], 2 * r);
  const cs = bound(call, eightEach(coefficients));
  const out = call.scratch(RESIDUE * n * each);
  for (const [from, to] of call.pieces(n, RESIDUE * each, 64, mostElements(call, each * (steps.length + 1)))) {
    const own = bound(call, all ? f.subarray(from * each, to * each) : f.subarray(from, to));
    call.run({
      shader: 'proof-digits',
      wide: false,
      constants: {
        WHOLE: Number(all),
        HAS_FACTOR: Number(factor !== undefined),
        FACTOR_WIDE: Number(wideLanes(factor)),
      },
      params: [...fieldParams(q), ...digits, (to - from) * each, each, steps.length],
      bindings: [
        own,
        boundIndices(call, index, from, to),
        cs,
        factor === undefined ? own : boundWords(call, factor, from * each, to * each),
        call.range(out, RESIDUE * from * each, RESIDUE * to * each),
      ],
      groups: groupsOf((to - from) * each),
      work: FIELD_WORK * (steps.length + 1) * (to - from) * each,
    });
  }
  return residues(call, out, n * each);
}

/** Of every digit eight coefficients. */
function eightEach(coefficients: readonly BigUint64Array[]): BigUint64Array {
  const out = new BigUint64Array(RADIX * coefficients.length);
  for (const [r, of] of coefficients.entries()) out.set(of, RADIX * r);
  return out;
}

/** How sums go through a vector: output o begins at word o · outer − skip and goes on by `inner`. */
interface Strides {
  readonly outputs: number;
  readonly terms: number;
  readonly outer: number;
  readonly inner: number;
  readonly skip?: number;
  readonly length: number;
}

function combine(
  call: Call,
  q: bigint,
  x: { readonly binding: Binding; readonly wide: boolean },
  coefficients: Binding,
  { outputs, terms, outer, inner, skip = 0, length }: Strides,
  out: Binding,
): void {
  call.run({
    shader: 'proof-combine',
    wide: false,
    constants: { X_WIDE: Number(x.wide) },
    params: [...fieldParams(q), outputs, terms, outer, inner, skip, length],
    bindings: [x.binding, coefficients, out],
    groups: groupsOf(outputs),
    work: FIELD_WORK * outputs * terms,
  });
}

export function combineRows(
  call: Call,
  x: Words,
  width: number,
  coefficients: BigUint64Array,
  q: bigint,
): Promise<BigUint64Array> {
  const [terms, length] = [coefficients.length, coefficients.length * width];
  invariant(lengthOf(x) === length, 'a coefficient for every row');
  const out = call.scratch(RESIDUE * width);
  combine(
    call,
    q,
    { binding: boundWords(call, x), wide: wideLanes(x) },
    bound(call, coefficients),
    { outputs: width, terms, outer: 1, inner: width, length },
    whole(call, out, width),
  );
  return residues(call, out, width);
}

export function combineColumns(call: Call, x: Words, coefficients: BigUint64Array, q: bigint): Promise<BigUint64Array> {
  const width = coefficients.length;
  const rows = lengthOf(x) / width;
  invariant(Number.isInteger(rows), 'a coefficient for every column');
  return strided(call, x, rows, width, coefficients, q);
}

export function tailFold(
  call: Call,
  u: BigUint64Array,
  coefficients: BigUint64Array,
  q: bigint,
): Promise<BigUint64Array> {
  return strided(call, { k: 64, data: u }, Math.ceil(u.length / RADIX), RADIX, coefficients, q);
}

/** Σ_j coefficients_j x_{o·terms + j}, one word for every row; the last row may be short. */
function strided(
  call: Call,
  x: Words,
  rows: number,
  terms: number,
  coefficients: BigUint64Array,
  q: bigint,
): Promise<BigUint64Array> {
  const out = call.scratch(RESIDUE * rows);
  const cs = bound(call, coefficients);
  for (const [from, to] of call.pieces(rows, RESIDUE * terms, 64, mostElements(call, terms))) {
    const end = Math.min(lengthOf(x), to * terms);
    const own = { binding: boundWords(call, x, from * terms, end), wide: wideLanes(x) };
    const strides = { outputs: to - from, terms, outer: terms, inner: 1, length: end - from * terms };
    combine(call, q, own, cs, strides, call.range(out, RESIDUE * from, RESIDUE * to));
  }
  return residues(call, out, rows);
}

export function tailRound(call: Call, u: BigUint64Array, w: BigUint64Array, q: bigint): Promise<BigUint64Array> {
  invariant(u.length === w.length, 'a tail of two vectors of one length');
  const blocks = Math.ceil(u.length / RADIX);
  return cells(call, q, blocks, RESIDUE * RADIX, ({ from, to, chunk, out, groups }) => {
    const [first, end] = [RADIX * from, Math.min(u.length, RADIX * to)];
    call.run({
      shader: 'proof-tail',
      wide: false,
      constants: {},
      params: [...fieldParams(q), end - first, to - from, chunk],
      bindings: [bound(call, u.subarray(first, end)), bound(call, w.subarray(first, end)), out],
      groups,
      work: FIELD_WORK * CELLS * (to - from),
    });
  });
}

/** The folds of a tail one after the other: each leaves an eighth. */
export async function tailDot(
  call: Call,
  values: BigUint64Array,
  first: number,
  coefficients: readonly BigUint64Array[],
  q: bigint,
): Promise<bigint> {
  invariant(first + values.length < 2 ** 32, 'places of a tail have 32 bits');
  const digits = coefficients.map((of) => bound(call, of));
  const ends: Promise<BigUint64Array>[] = [];
  for (const [from, to] of call.pieces(values.length, RESIDUE, 64, mostElements(call, 1))) {
    let [place, length] = [first + from, to - from];
    let binding = bound(call, values.subarray(from, to));
    let block: Block = binding.block;
    for (const cs of digits) {
      const begin = Math.floor(place / RADIX);
      const outputs = Math.floor((place + length - 1) / RADIX) - begin + 1;
      block = call.scratch(RESIDUE * outputs);
      const strides = { outputs, terms: RADIX, outer: RADIX, inner: 1, skip: place % RADIX, length };
      combine(call, q, { binding, wide: true }, cs, strides, whole(call, block, outputs));
      [binding, place, length] = [whole(call, block, outputs), begin, outputs];
    }
    ends.push(residues(call, summed(call, q, block, length, 1), 1));
  }
  return (await Promise.all(ends)).reduce((sum, [end]) => sum + end, 0n) % q;
}
