/**
 * GeLU and tanh from an untruncated product (PROTOCOL §7.1, §7.2): a cubic table near zero, and two class bits where
 * the function saturates.
 *
 * x (…) scale 32 over Z_2^64 → scale 16 over Z_2^64. No truncation before the table: the index takes the bits that
 * it wants.
 */
import type { PiecewisePolynomial } from '../../compute/kernels/types.ts';
import { gelu, geluNew } from '../../compute/special-functions.ts';
import { TercetError } from '../../core/errors.ts';
import type { ExactTable, Gates } from '../protocol/types.ts';
import type { Wire } from '../share/wire.ts';
import { SIGN_BITS, isNegative } from './compare.ts';
import { polynomialArgument, piecewisePolynomial, signedCentre } from './polynomial.ts';
import { rescale } from './rescale.ts';

/**
 * How far GeLU inputs may reach. `narrow`: |x| ≤ 7; `wide`: |x| < 63; `far`: |x| < 255. A model's bound decides
 * (`ml/ranges.ts`), so that no text can leave the domain.
 */
export type GeluRange = 'narrow' | 'wide' | 'far';

export const GELU_DOMAIN: Record<GeluRange, number> = { narrow: 7, wide: 63, far: 255 };

/**
 * Declared end-to-end error inside the domain, absolute (measured: test/mpc/secure.test.ts). `far` has two bits
 * less in 32-bit words.
 */
export const GELU_ERROR: Record<GeluRange, number> = { narrow: 8e-4, wide: 8e-4, far: 1.5e-3 };

/** @throws {TercetError} ERR_RANGE when even the widest variant is too narrow. */
export function geluRange(bound: number): GeluRange {
  for (const range of ['narrow', 'wide', 'far'] as const) if (bound <= GELU_DOMAIN[range]) return range;
  throw new TercetError(
    'ERR_RANGE',
    `GeLU inputs may reach ${bound.toFixed(0)}, beyond ${GELU_DOMAIN.far}`,
    'use a checkpoint with smaller weights; the bound follows from its weight norms',
  );
}

/**
 * Unit-width class tables on `bits` bits of ⌊x⌋: measured index in [−6, 6], and above it. Equal units share the
 * off-by-one of the cubic's index.
 */
function classTables(bits: number): { inside: ExactTable; above: ExactTable } {
  const n = 1 << bits;
  const signed = Array.from({ length: n }, (_, i) => (i < n / 2 ? i : i - n));
  return {
    inside: { bits, entries: signed.map((i) => (i >= -6 && i <= 6 ? 1n : 0n)) },
    above: { bits, entries: signed.map((i) => (i > 6 ? 1n : 0n)) },
  };
}

/** Scale of what every activation gives: that of the next layer's operands. */
const OUT_SCALE = 16;
/** Bits below the point that a cubic sees of its argument's place in a segment. */
const T = 12;

const GELU_WIDTH = 0.5;
const GELU_SEGMENTS = 32;

/** Segments of width ½ on [−8, 8). */
function geluCubic(f: (x: number) => number, s: number): PiecewisePolynomial {
  return piecewisePolynomial(f, {
    segments: GELU_SEGMENTS,
    degree: 3,
    t: T,
    s1: s,
    s2: s,
    guard: 2,
    width: GELU_WIDTH,
    centre: (i) => signedCentre(i, GELU_SEGMENTS, GELU_WIDTH),
  });
}

const CLASSES = { 7: classTables(7), 9: classTables(9) } as const;
/** Ring of results before they are widened. */
const VALUE_BITS = 32;
/**
 * Scales s1 = s2 by how far the result may reach: at scale 2s it stays below 2^30, a quarter of the ring, which
 * `widen` needs: 2^4 for the segments of `narrow`, and 2^6 and 2^8 for the domains of the others.
 */
const GELU_SCALE: Record<GeluRange, number> = { narrow: 13, wide: 12, far: 11 };
const cubics = (f: (x: number) => number): Record<GeluRange, PiecewisePolynomial> => ({
  narrow: geluCubic(f, GELU_SCALE.narrow),
  wide: geluCubic(f, GELU_SCALE.wide),
  far: geluCubic(f, GELU_SCALE.far),
});
const GELU_CUBIC = { gelu: cubics(gelu), gelu_new: cubics(geluNew) } as const;

/** Entries of `choose` on (inside, above): the cubic, the identity, zero. */
const PICK_GELU = Uint8Array.of(255, 0, 1, 0);

export function secureGelu(gates: Gates, x: Wire, range: GeluRange, form: 'gelu' | 'gelu_new' = 'gelu'): Wire {
  const cubic = GELU_CUBIC[form][range];
  // All that is read of x: the scale of the result, and the bits before it that the widest reader takes.
  const read = range === 'narrow' ? x : gates.reshare(rescale(gates, x, 2 * GELU_SCALE[range], VALUE_BITS));
  const argument = polynomialArgument(gates, read, cubic, GELU_WIDTH);
  const drop = cubic.s1 + cubic.s2 - OUT_SCALE;
  if (range === 'narrow') return gates.widen(gates.polynomial(argument, cubic, VALUE_BITS, { drop }), 64);
  const near = gates.polynomial(argument, cubic, VALUE_BITS);
  // ⌊x⌋ and its unit of dither, as signed numbers: ±64 holds 63, ±256 holds 255.
  const bits = range === 'far' ? 9 : 7;
  const { inside, above } = CLASSES[bits];
  const unit = rescale(gates, read, 0, bits);
  const classes = [gates.table(unit, inside, 1), gates.table(unit, above, 1)];
  return gates.widen(gates.choose(classes, [near, read], PICK_GELU, { drop }), 64);
}

/** Declared error of tanh, absolute. */
export const TANH_ERROR = 5e-4;
/** |x| of tanh stays below it. */
export const TANH_DOMAIN = 63;
const PICK_NEAR = Uint8Array.of(255, 0);

const TANH_WIDTH = 0.125;
const TANH_SEGMENTS = 128;
const TANH_SCALE = 12;
/** Scale of the cubic's argument: T bits inside a segment. */
const TANH_READ = T - Math.log2(TANH_WIDTH);

/** Segments of width ⅛ on [−8, 8). */
const TANH_CUBIC = piecewisePolynomial(Math.tanh, {
  segments: TANH_SEGMENTS,
  degree: 3,
  t: T,
  s1: TANH_SCALE,
  s2: TANH_SCALE,
  guard: 2,
  width: TANH_WIDTH,
  centre: (i) => signedCentre(i, TANH_SEGMENTS, TANH_WIDTH),
});

/** Low bits that the result of the choice loses. */
const TANH_DROP = 2 * TANH_SCALE - OUT_SCALE;
const ONE = 1n << BigInt(OUT_SCALE);

/** ±1 outside the cubic's range, 0 inside. */
const TAILS: ExactTable = {
  bits: 7,
  entries: CLASSES[7].inside.entries.map((within, i) => (within === 1n ? 0n : i < 64 ? ONE : -ONE)),
};

export function secureTanh(gates: Gates, x: Wire): Wire {
  // One message for both readers: the cubic's scale, and the bits before the point that the class takes.
  const read = gates.reshare(rescale(gates, x, TANH_READ, TANH_READ + TAILS.bits));
  const near = gates.polynomial(polynomialArgument(gates, read, TANH_CUBIC, TANH_WIDTH), TANH_CUBIC, VALUE_BITS);
  const unit = rescale(gates, read, 0, TAILS.bits);
  const inner = gates.choose([gates.table(unit, CLASSES[7].inside, 1)], [near], PICK_NEAR, {
    drop: TANH_DROP,
  });
  const outer = gates.reshape(gates.table(unit, TAILS, inner.k), x.shape, inner.scale);
  return gates.widen(gates.add(inner, outer), 64);
}

/** Largest |x| of ReLU: its sign is read from 25 bits at scale 16, ±2^8, less a unit for the rounding. */
export const RELU_DOMAIN = 255;
/** Declared error of ReLU, absolute: one rounding, and a sign that may be wrong within it. */
export const RELU_ERROR = 2 ** -15;
const PICK_POSITIVE = Uint8Array.of(0, 255);

/** max(x, 0), |x| ≤ 255: exact but for the rounding to scale 16. Four rounds. */
export function secureRelu(gates: Gates, x: Wire): Wire {
  const rounded = gates.reshare(rescale(gates, x, OUT_SCALE));
  const negative = isNegative(gates, gates.reduce(rounded, SIGN_BITS));
  return gates.widen(gates.choose([negative], [rounded], PICK_POSITIVE), 64);
}

/** The activation of a feed-forward block. */
export function secureActivation(
  gates: Gates,
  x: Wire,
  activation: 'gelu' | 'gelu_new' | 'relu',
  range: GeluRange,
): Wire {
  return activation === 'relu' ? secureRelu(gates, x) : secureGelu(gates, x, range, activation);
}
