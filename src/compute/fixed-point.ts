/**
 * Fixed point: a real v at scale f is the ring element round(v · 2^f) mod 2^k. Scale belongs to the tensor, never
 * to a global.
 */
import { TercetError } from '../core/errors.ts';
import { type Words, zeros } from './ring.ts';

/**
 * Encodes reals at scale f into Z_2^k.
 *
 * Domain |v| · 2^f < 2^(k-1); beyond it, and for NaN, throws instead of wrapping. Error ≤ ½ ulp for |v|·2^f < 2^52.
 * @throws {TercetError} ERR_RANGE when a value does not fit (the message names the index, never the value).
 */
export function encodeFixed(values: ArrayLike<number>, f: number, k: number): Words {
  const out = zeros(values.length, k);
  const scale = 2 ** f;
  const limit = 2 ** (k - 1);
  for (let i = 0; i < values.length; i++) {
    const v = Math.round(values[i] * scale);
    if (!(v < limit && v >= -limit)) {
      throw new TercetError(
        'ERR_RANGE',
        `element ${i} does not fit ${k} bits at scale ${f}`,
        'use a smaller scale or a wider ring',
      );
    }
    if (out.data instanceof Uint32Array) out.data[i] = v < 0 ? v + 4294967296 : v;
    else out.data[i] = BigInt.asUintN(64, BigInt(v));
  }
  if (k < 32 && out.data instanceof Uint32Array) for (let i = 0; i < out.data.length; i++) out.data[i] &= 2 ** k - 1;
  else if (k > 32 && k < 64 && out.data instanceof BigUint64Array)
    for (let i = 0; i < out.data.length; i++) out.data[i] = BigInt.asUintN(k, out.data[i]);
  return out;
}

/** Decodes a vector at scale f to float64, reading residues as signed. Exact while |v| · 2^f < 2^53. */
export function decodeFixed({ k, data }: Words, f: number): Float64Array {
  const out = new Float64Array(data.length);
  const scale = 2 ** -f;
  // By halves: a vocabulary of BigInts is garbage of megabytes. The sum is rounded once, as the number of a BigInt is.
  const wide = data instanceof BigUint64Array;
  const halves = new Int32Array(data.buffer, data.byteOffset, wide ? 2 * data.length : data.length);
  const unused = (wide ? 64 : 32) - k;
  for (let i = 0; i < out.length; i++) {
    const top = (halves[wide ? 2 * i + 1 : i] << unused) >> unused;
    out[i] = (wide ? top * 2 ** 32 + (halves[2 * i] >>> 0) : top) * scale;
  }
  return out;
}
