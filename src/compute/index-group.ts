/**
 * The indices of a public table: Z_2^bits for what is masked by addition, beside Z_2^xorBits for what is masked by
 * exclusive or. An index is one number below 2^20, the exclusive-or part in its low bits.
 *
 * A digit step is up to three bits of an index. Proofs fold a table one step at a time, the low bits of the first
 * part first (PROTOCOL §15.6).
 */
import { invariant } from '../core/errors.ts';

/** Bits of a digit: eight blocks a round. */
const DIGIT_BITS = 3;
/** Longest table that is folded: its folds are public work of every party. */
export const MAX_INDEX_BITS = 20;

export interface IndexGroup {
  /** Bits of the part that is added. */
  readonly bits: number;
  /** Bits of the part that is combined by exclusive or. */
  readonly xorBits: number;
}

/** A digit of an index: `width` bits from bit `at` on. */
export interface DigitStep {
  readonly at: number;
  readonly width: number;
  /** Whether it belongs to the part that is combined by exclusive or. */
  readonly xor: boolean;
}

/** @throws {TercetError} ERR_INTERNAL for a group of more than 2^20 indices */
export function indexGroup(bits: number, xorBits = 0): IndexGroup {
  const whole = (x: number): boolean => Number.isInteger(x) && x >= 0;
  invariant(whole(bits) && whole(xorBits) && bits + xorBits <= MAX_INDEX_BITS, 'an index has at most 20 bits');
  return { bits, xorBits };
}

/** How many indices there are. */
export function groupSize({ bits, xorBits }: IndexGroup): number {
  return 2 ** (bits + xorBits);
}

/** The steps of a fold, in order: the added part from its low bits on, then the other part. */
export function digitSteps({ bits, xorBits }: IndexGroup): DigitStep[] {
  return [...stepsOf(bits, xorBits, false), ...stepsOf(xorBits, 0, true)];
}

/** The digits of a number below 2^bits. */
export function stepsOf(bits: number, first: number, xor: boolean): DigitStep[] {
  return Array.from({ length: Math.ceil(bits / DIGIT_BITS) }, (_, i) => ({
    at: first + DIGIT_BITS * i,
    width: Math.min(DIGIT_BITS, bits - DIGIT_BITS * i),
    xor,
  }));
}

/** The digit of an index at a step. */
export function digitAt({ at, width }: DigitStep, index: number): number {
  return (index >>> at) & (2 ** width - 1);
}

/** g ⊖ h. */
export function difference({ bits, xorBits }: IndexGroup, g: number, h: number): number {
  const low = 2 ** xorBits - 1;
  return (((g & ~low) - (h & ~low)) & (2 ** (bits + xorBits) - 1)) | ((g ^ h) & low);
}

/** g_i ⊖ h_i. */
export function differences({ bits, xorBits }: IndexGroup, g: Uint32Array, h: Uint32Array): Uint32Array {
  const [all, low] = [2 ** (bits + xorBits) - 1, 2 ** xorBits - 1];
  const out = new Uint32Array(g.length);
  for (let i = 0; i < out.length; i++) out[i] = (((g[i] & ~low) - (h[i] & ~low)) & all) | ((g[i] ^ h[i]) & low);
  return out;
}

/** g ⊕ digit at a step. */
export function stepped(group: IndexGroup, { at, xor }: DigitStep, g: number, digit: number): number {
  return xor ? g ^ (digit << at) : (g + (digit << at)) & (groupSize(group) - 1);
}

/** The bits of an index that neither this step nor a step before it has taken. */
export function unfolded({ bits, xorBits }: IndexGroup, { at, width, xor }: DigitStep): number {
  const [all, low] = [2 ** (bits + xorBits) - 1, 2 ** xorBits - 1];
  const behind = all & ~(2 ** (at + width) - 1);
  return xor ? behind & low : behind | low;
}
