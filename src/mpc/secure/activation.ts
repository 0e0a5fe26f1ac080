/**
 * GeLU and tanh from an untruncated product (PROTOCOL §7.1, §7.2): a cubic table near zero, and two class bits where
 * the function saturates.
 *
 * x (…) scale 32 over Z_2^64 → scale 16 over Z_2^64. No truncation before the table: the index takes the bits that
 * it wants.
 */
import type { PiecewiseCubic } from '../../compute/kernels/types.ts';
import { gelu, geluNew } from '../../compute/special-functions.ts';
import { TercetError } from '../../core/errors.ts';
import type { ExactTable, Gates } from '../protocol/types.ts';
import type { Wire } from '../share/wire.ts';
import { isNegative } from './compare.ts';
import { piecewiseCubic, signedCentre } from './cubic.ts';

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

/** Segments of width ½ on [−8, 8), t = 12: x at scale 13. */
function geluCubic(f: (x: number) => number, s: number): PiecewiseCubic {
  return piecewiseCubic(f, {
    segments: 32,
    t: 12,
    s1: s,
    s2: s,
    guard: 2,
    width: 0.5,
    centre: (i) => signedCentre(i, 32, 0.5),
  });
}

const CLASSES = { 7: classTables(7), 9: classTables(9) } as const;
/** Scales s1 = s2 by how far the result may reach in 32 bits. */
const GELU_SCALE: Record<GeluRange, number> = { narrow: 13, wide: 12, far: 11 };
const cubics = (f: (x: number) => number): Record<GeluRange, PiecewiseCubic> => ({
  narrow: geluCubic(f, GELU_SCALE.narrow),
  wide: geluCubic(f, GELU_SCALE.wide),
  far: geluCubic(f, GELU_SCALE.far),
});
const GELU_CUBIC = { gelu: cubics(gelu), gelu_new: cubics(geluNew) } as const;

/** Entries of `choose` on (inside, above): the cubic, the identity, zero. */
const PICK_GELU = Uint8Array.of(255, 0, 1, 0);

export function secureGelu(gates: Gates, x: Wire, range: GeluRange, form: 'gelu' | 'gelu_new' = 'gelu'): Wire {
  const s = GELU_SCALE[range];
  const near = gates.cubic(gates.reduce(gates.shift(x, 19), 17), GELU_CUBIC[form][range], 32);
  const drop = 2 * s - 16;
  if (range === 'narrow') return gates.truncate(near, drop, 64);
  const bits = range === 'far' ? 9 : 7;
  const { inside, above } = CLASSES[bits];
  const unit = gates.reduce(gates.shift(x, 32), bits);
  const identity = gates.reduce(gates.shift(x, 32 - 2 * s), 32);
  const value = gates.choose([gates.table(unit, inside, 1), gates.table(unit, above, 1)], [near, identity], PICK_GELU);
  return gates.truncate(value, drop, 64);
}

/** Declared error of tanh, absolute. */
export const TANH_ERROR = 5e-4;
/** |x| of tanh stays below it. */
export const TANH_DOMAIN = 63;
const PICK_NEAR = Uint8Array.of(255, 0);

/** Segments of width ⅛ on [−8, 8), t = 12: x at scale 15. */
const TANH_CUBIC = piecewiseCubic(Math.tanh, {
  segments: 128,
  t: 12,
  s1: 12,
  s2: 12,
  guard: 2,
  width: 0.125,
  centre: (i) => signedCentre(i, 128, 0.125),
});

/** ±1 at scale 24 outside the cubic's range, 0 inside. */
const TAILS: ExactTable = {
  bits: 7,
  entries: CLASSES[7].inside.entries.map((within, i) => (within === 1n ? 0n : i < 64 ? 1n << 24n : -(1n << 24n))),
};

export function secureTanh(gates: Gates, x: Wire): Wire {
  const near = gates.cubic(gates.reduce(gates.shift(x, 17), 19), TANH_CUBIC, 32);
  const unit = gates.reduce(gates.shift(x, 32), 7);
  const inner = gates.choose([gates.table(unit, CLASSES[7].inside, 1)], [near], PICK_NEAR);
  const outer = gates.reshape(gates.table(unit, TAILS, 32), x.shape, inner.scale);
  return gates.truncate(gates.add(inner, outer), 8, 64);
}

/** Largest |x| of ReLU: its sign is read from 25 bits at scale 16. */
export const RELU_DOMAIN = 255;
/** Declared error of ReLU, absolute: one rounding, and a sign that may be wrong within it. */
export const RELU_ERROR = 2 ** -15;
const PICK_POSITIVE = Uint8Array.of(0, 255);

/** max(x, 0), |x| ≤ 255: exact but for the rounding to scale 16. Four rounds. */
export function secureRelu(gates: Gates, x: Wire): Wire {
  const rounded = gates.shift(x, 16);
  const negative = isNegative(gates, gates.reduce(rounded, 25));
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
