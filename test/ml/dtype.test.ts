import { describe, expect, it } from 'vitest';
import { DTYPE_BYTES, firstNonFinite, toFloat32 } from '../../src/ml/dtype.ts';

/** The definition, slowly: sign, exponent and fraction as numbers. */
function slowTwin(bits: number, exponentBits: number, fractionBits: number): number {
  const bias = 2 ** (exponentBits - 1) - 1;
  const sign = bits >= 2 ** (exponentBits + fractionBits) ? -1 : 1;
  const exponent = Math.floor(bits / 2 ** fractionBits) % 2 ** exponentBits;
  const fraction = (bits % 2 ** fractionBits) / 2 ** fractionBits;
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias);
}

const everyHalf = Uint16Array.from({ length: 65536 }, (_, i) => i);
const bytesOf = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

describe('toFloat32', () => {
  it.each([
    ['F16', 5, 10],
    ['BF16', 8, 7],
  ] as const)('converts every %s as its definition says', (dtype, exponentBits, fractionBits) => {
    const got = toFloat32(dtype, bytesOf(everyHalf));
    for (let bits = 0; bits < 65536; bits++) {
      const expected = slowTwin(bits, exponentBits, fractionBits);
      if (!Object.is(got[bits], expected)) expect.fail(`bits ${bits}: ${got[bits]}, expected ${expected}`);
    }
  });

  it('keeps F32 and rounds F64 to nearest', () => {
    const values = [0, -0, 1, -1.5, 2 ** -149, 3.4028234663852886e38, 0.1];
    expect([...toFloat32('F32', bytesOf(Float32Array.from(values)))]).toEqual(values.map(Math.fround));
    expect([...toFloat32('F64', bytesOf(Float64Array.from(values)))]).toEqual(values.map(Math.fround));
    expect(toFloat32('F64', bytesOf(Float64Array.of(1e39)))[0]).toBe(Number.POSITIVE_INFINITY);
  });

  it('takes bytes at any offset', () => {
    for (let shift = 0; shift < 8; shift++) {
      const bytes = new Uint8Array(shift + 8);
      bytes.set(bytesOf(Float32Array.of(1.25, -7)), shift);
      expect([...toFloat32('F32', bytes.subarray(shift))]).toEqual([1.25, -7]);
    }
  });
});

describe('firstNonFinite', () => {
  it('finds NaN and infinities', () => {
    expect(firstNonFinite(Float32Array.of(1, 2, -0))).toBe(-1);
    expect(firstNonFinite(Float32Array.of(1, Number.NaN))).toBe(1);
    expect(firstNonFinite(Float32Array.of(Number.NEGATIVE_INFINITY))).toBe(0);
    expect(firstNonFinite(new Float32Array(0))).toBe(-1);
  });
});

describe('DTYPE_BYTES', () => {
  it('knows nothing that the format does not', () => {
    expect(DTYPE_BYTES.get('constructor')).toBeUndefined();
    expect(DTYPE_BYTES.get('F16')).toBe(2);
  });
});
