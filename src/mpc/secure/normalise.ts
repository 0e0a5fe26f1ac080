/**
 * LayerNorm without its affine part (design notes §14.3): (x − μ) / √(σ² + ε) per row; γ and β are folded into the consumers.
 *
 * x (rows, d) scale 32 over Z_2^64 → (rows, d) scale 16 over Z_2^64. V = trunc(d·x − Σx) needs no division for the mean, S = Σ V² is one word per row,
 * r = 2^16·√(d/S) by windows, V·r, trunc. 4 rounds.
 * Domain: variance + ε = σ² between 2^24.6 / (d·c²) and 2^60.8 / (d·c²) with c = d·2^(32−e) (`varianceDomain`); below it the result fades to zero, above
 * it S wraps, which `ml/ranges.ts` excludes. Error ≤ 5e-4 + 1/(c·σ) + 3·|y|·c·σ/2^38 absolute: the resolutions of V and of r matter at the two ends
 * of the domain only (measured: test/mpc/secure.test.ts).
 */
import type { Gates } from '../protocol/types.ts';
import type { Wire } from '../share/wire.ts';
import { type PowerLaw, powerLaw, tabulated } from './windows.ts';

/** Declared error of a normalised row of ordinary variance, absolute, for |entries| ≤ 30 after normalisation. */
export const NORMALISE_ERROR = 5e-4;

/**
 * Resolution of d·x − Σx: c = d·2^(32−e) near 2^19, 2^15, 2^11 or 2^7. Fine for rows of small variance (embeddings), coarse where it may be large, broad for the
 * residual stream of a deep model whose norm no bound holds down.
 */
export type NormaliseRange = 'fine' | 'normal' | 'coarse' | 'broad';

const DROP: Record<NormaliseRange, number> = { fine: 13, normal: 17, coarse: 21, broad: 25 };

/** Bits e dropped from d·x − Σx. */
export function normaliseShift(d: number, range: NormaliseRange): number {
  return Math.floor(Math.log2(d)) + DROP[range];
}

/** The finest range that holds rows of a variance up to `bound`, undefined when none does. */
export function normaliseRange(d: number, bound: number): NormaliseRange | undefined {
  return (['fine', 'normal', 'coarse', 'broad'] as const).find((range) => bound < varianceDomain(d, range).max);
}

/** Smallest and largest variance (plus ε) that a row may have. */
export function varianceDomain(d: number, range: NormaliseRange): { min: number; max: number } {
  const c = d * 2 ** (32 - normaliseShift(d, range));
  return { min: (6 * 2 ** 22) / (d * c * c), max: 2 ** 60.8 / (d * c * c) };
}

/** By width: a pure function of it, and a process serves models of few widths. */
const INVERSE_ROOTS = new Map<number, PowerLaw>();

/** 2^16·√(d/S). */
function inverseRoot(d: number): PowerLaw {
  const known = INVERSE_ROOTS.get(d);
  if (known !== undefined) return known;
  const made = tabulated((z) => (Math.sqrt(d) * 65536) / Math.sqrt(z), { top: 54, windows: 9, s1: 22 });
  INVERSE_ROOTS.set(d, made);
  return made;
}

export function normalise(gates: Gates, x: Wire, epsilon: number, range: NormaliseRange): Wire {
  const [rows, d] = x.shape;
  const e = normaliseShift(d, range);
  const mean = gates.repeat(gates.sumRows(x), d);
  const centred = gates.truncate(gates.sub(gates.scale(x, BigInt(d)), mean), e);
  // Read as scale-free integers from here: the scale of V cancels in V·r.
  const v = gates.reshape(centred, [rows, d], 0);
  const row = gates.reshape(v, [rows, 1, d]);
  const squares = gates.reshape(gates.matmul(row, row, true), [rows]);
  const c = d * 2 ** (32 - e);
  const sum = gates.offset(squares, BigInt(Math.round(d * epsilon * c * c)));
  const r = powerLaw(gates, sum, inverseRoot(d));
  const scaled = gates.mul(v, gates.repeat(r, d));
  return gates.reshape(gates.truncate(gates.reshape(scaled, [rows, d], 52), 36), [rows, d], 16);
}
