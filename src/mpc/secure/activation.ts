/**
 * GeLU, tanh and ReLU from an untruncated product (PROTOCOL §7.1 – §7.3). GeLU is a sum of cosines, gated by two signs
 * where it saturates; tanh is a cubic table near zero, and a class where it saturates.
 *
 * x (…) scale 32 over Z_2^64 → scale 16 over Z_2^64. No truncation before the table: the index takes the bits that
 * it wants.
 */
import { TURN_BITS } from '../../compute/cosine-tables.ts';
import { tanhOfSums } from '../../compute/fixed-functions.ts';
import type { CosineSum, PiecewisePolynomial } from '../../compute/kernels/types.ts';
import { TercetError } from '../../core/errors.ts';
import type { ExactTable, Gates } from '../protocol/types.ts';
import type { Wire } from '../share/wire.ts';
import { SIGN_BITS, isNegative, isNegativeIn } from './compare.ts';
import { measured, unitTable } from './measure.ts';
import { COSINE_ARGUMENT, GELU_COSINES, GELU_NEAR_COSINES, IDENTITY_SUM } from './cosines.ts';
import { polynomialArgument, piecewisePolynomial, signedCentre } from './polynomial.ts';
import { rescale } from './rescale.ts';

/**
 * How far GeLU inputs may reach. `narrow`: |x| ≤ 12; `wide`: |x| ≤ 58; `far`: |x| ≤ 250. A model's bound decides
 * (`ml/ranges.ts`), so that no text can leave the domain.
 */
export type GeluRange = 'narrow' | 'wide' | 'far';

export const GELU_DOMAIN: Record<GeluRange, number> = { narrow: 12, wide: 58, far: 250 };

/**
 * Declared end-to-end error inside the domain, absolute (measured: test/mpc/secure.test.ts): that of the sums, and
 * the rounding of words and result.
 */
export const GELU_ERROR: Record<GeluRange, number> = { narrow: 1.2e-3, wide: 1.2e-3, far: 1.2e-3 };

/** @throws {TercetError} ERR_RANGE when even the widest variant is too narrow. */
export function geluRange(bound: number): GeluRange {
  for (const range of ['narrow', 'wide', 'far'] as const) if (bound <= GELU_DOMAIN[range]) return range;
  throw new TercetError(
    'ERR_RANGE',
    `GeLU inputs may reach ${bound.toFixed(0)}, beyond ${GELU_DOMAIN.far}`,
    'use a checkpoint with smaller weights; the bound follows from its weight norms',
  );
}

/** Scale of what every activation gives: that of the next layer's operands. */
const OUT_SCALE = 16;

/**
 * The selection's ring: its half holds the results at the scale of the sum, those below zero included. `narrow`: 16
 * at scale 28; `wide` and `far`: 64 and 256 at scale 27.
 */
export const GELU_RING: Record<GeluRange, number> = { narrow: 33, wide: 34, far: 36 };
/** GeLU is above −0.171, and here with its error: −¼ at the scale of the result. */
const GELU_LEAST = -(1n << BigInt(OUT_SCALE - 2));
/** Bits of ⌊x⌋ that a class is read from: ±64 holds 58 and the edge, ±256 holds 250. */
export const CLASS_BITS: Record<'wide' | 'far', 7 | 9> = { wide: 7, far: 9 };
/** From here on GeLU(x) is x, and below −edge it is 0; measured within one unit inwards. */
const CLASS_EDGE = 4.5;

/** The sum of cosines that makes a range, and the bits of it that are below the result. */
export function geluSum(
  range: GeluRange,
  form: 'gelu' | 'gelu_new',
): { readonly sum: CosineSum; readonly drop: number } {
  const sum = (range === 'narrow' ? GELU_NEAR_COSINES : GELU_COSINES)[form];
  return { sum, drop: sum.scale - OUT_SCALE };
}

/**
 * All that is read of x: what the linear part needs and a whole turn of the cosines, where the classes have theirs.
 */
export function geluArgumentBits(range: GeluRange, { shift }: CosineSum): number {
  return Math.max(GELU_RING[range] - shift, TURN_BITS);
}

export function secureGelu(gates: Gates, x: Wire, range: GeluRange, form: 'gelu' | 'gelu_new' = 'gelu'): Wire {
  const { sum, drop } = geluSum(range, form);
  const k = GELU_RING[range];
  const how = { drop, widen: 64, least: GELU_LEAST };
  const read = gates.reshare(rescale(gates, x, COSINE_ARGUMENT, geluArgumentBits(range, sum)));
  if (range === 'narrow') return gates.cosines([{ x: read, sum }], k, how);
  /** [x < edge] as measured: 0 from the edge on, 1 below edge − 1. */
  const below = (edge: number) =>
    isNegativeIn(
      gates,
      measured(gates, gates.offset(read, BigInt(-edge * 2 ** COSINE_ARGUMENT)), 0, CLASS_BITS[range]),
    );
  const [notAbove, under] = [below(CLASS_EDGE), below(1 - CLASS_EDGE)];
  // Above or under the edges one of the two bits decides; between them they differ.
  const terms = [
    { x: read, sum: IDENTITY_SUM, gate: gates.offset(notAbove, 1n) },
    { x: read, sum, gate: gates.add(notAbove, under) },
  ];
  return gates.cosines(terms, k, how);
}

/** Declared error of tanh, absolute. */
export const TANH_ERROR = 5e-4;
/** |x| of tanh stays below it. */
export const TANH_DOMAIN = 63;
const PICK_NEAR = Uint8Array.of(255, 0);

/** Bits below the point that the cubic sees of its argument's place in a segment, and its ring. */
const T = 12;
const VALUE_BITS = 32;
const TANH_LOG2_WIDTH = -3;
const TANH_SEGMENTS = 128;
const TANH_SCALE = 12;
/** Scale of the cubic's argument: T bits inside a segment. */
const TANH_READ = T - TANH_LOG2_WIDTH;

let cubic: PiecewisePolynomial | undefined;

/** Segments of width ⅛ on [−8, 8). A constant, made when it is first asked for. */
function tanhCubic(): PiecewisePolynomial {
  cubic ??= piecewisePolynomial(tanhOfSums(), {
    segments: TANH_SEGMENTS,
    degree: 3,
    t: T,
    s1: TANH_SCALE,
    s2: TANH_SCALE,
    guard: 2,
    log2Width: TANH_LOG2_WIDTH,
    centre: (i) => signedCentre(i, TANH_SEGMENTS),
  });
  return cubic;
}

/** Low bits that the result of the choice loses. */
const TANH_DROP = 2 * TANH_SCALE - OUT_SCALE;
const ONE = 1n << BigInt(OUT_SCALE);

/** Tables on ⌊x⌋, of unit width: measured index in [−6, 6], off by one like that of the cubic's index; ±1 outside. */
const UNITS = Array.from({ length: 128 }, (_, i) => (i < 64 ? i : i - 128));
const INSIDE: ExactTable = { bits: 7, entries: UNITS.map((i) => (i >= -6 && i <= 6 ? 1n : 0n)) };
const TAILS: ExactTable = { bits: 7, entries: UNITS.map((i) => (i >= -6 && i <= 6 ? 0n : i > 0 ? ONE : -ONE)) };

export function secureTanh(gates: Gates, x: Wire): Wire {
  // One message for both readers: the cubic's scale, and the bits before the point that the class takes.
  const read = gates.reshare(rescale(gates, x, TANH_READ, TANH_READ + TAILS.bits));
  const table = tanhCubic();
  const near = gates.polynomial(polynomialArgument(gates, read, table, TANH_LOG2_WIDTH), table, VALUE_BITS);
  const unit = measured(gates, read, 0, TAILS.bits);
  const inner = gates.choose([gates.table(unit, unitTable(gates, INSIDE), 1)], [near], PICK_NEAR, {
    drop: TANH_DROP,
  });
  const outer = gates.reshape(gates.table(unit, unitTable(gates, TAILS), inner.k), x.shape, inner.scale);
  return gates.widen(gates.add(inner, outer), 64);
}

/** Largest |x| of ReLU: its sign is read from 25 bits at scale 16, ±2^8, less a unit for the rounding. */
export const RELU_DOMAIN = 255;
/** Declared error of ReLU, absolute: one rounding, and a sign that may be wrong within it. */
export const RELU_ERROR = 2 ** -15;
/** Scale at which a sign of fewer bits is read, and the error then. */
const COARSE_SIGN = OUT_SCALE - (SIGN_BITS[1] - SIGN_BITS[2]);
export const COARSE_RELU_ERROR = 1.5 * 2 ** -COARSE_SIGN;
const PICK_POSITIVE = Uint8Array.of(0, 255);

/** max(x, 0), |x| ≤ 255: exact but for the rounding to scale 16. Three rounds. */
export function secureRelu(gates: Gates, x: Wire): Wire {
  const rounded = gates.reshare(rescale(gates, x, OUT_SCALE));
  const { coins } = gates.rounding;
  const read = coins === 1 ? rounded : rescale(gates, rounded, COARSE_SIGN);
  const negative = isNegative(gates, gates.reduce(read, SIGN_BITS[coins]));
  return gates.choose([negative], [rounded], PICK_POSITIVE, { widen: 64 });
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
