/** Element types of safetensors files, and the exact way from each floating-point type to float32. */

export type Dtype =
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'I64'
  | 'I32'
  | 'I16'
  | 'I8'
  | 'U64'
  | 'U32'
  | 'U16'
  | 'U8'
  | 'BOOL'
  | OtherDtype;

/** Types that a file may have and that no weight here is read from. */
type OtherDtype =
  | 'F8_E4M3'
  | 'F8_E5M2'
  | 'F8_E8M0'
  | 'F8_E4M3FNUZ'
  | 'F8_E5M2FNUZ'
  | 'F6_E2M3'
  | 'F6_E3M2'
  | 'F4'
  | 'C64';

/**
 * Bytes per element, fractions of one for the types that are packed. A Map, so that a name such as `constructor`
 * finds nothing.
 */
export const DTYPE_BYTES: ReadonlyMap<string, number> = new Map<Dtype, number>([
  ['F64', 8],
  ['F32', 4],
  ['F16', 2],
  ['BF16', 2],
  ['I64', 8],
  ['I32', 4],
  ['I16', 2],
  ['I8', 1],
  ['U64', 8],
  ['U32', 4],
  ['U16', 2],
  ['U8', 1],
  ['BOOL', 1],
  ['F8_E4M3', 1],
  ['F8_E5M2', 1],
  ['F8_E8M0', 1],
  ['F8_E4M3FNUZ', 1],
  ['F8_E5M2FNUZ', 1],
  ['F6_E2M3', 0.75],
  ['F6_E3M2', 0.75],
  ['F4', 0.5],
  ['C64', 8],
]);

export type FloatDtype = 'F64' | 'F32' | 'F16' | 'BF16';

export function isFloatDtype(dtype: Dtype): dtype is FloatDtype {
  return dtype === 'F64' || dtype === 'F32' || dtype === 'F16' || dtype === 'BF16';
}

/**
 * Converts little-endian elements to float32.
 *
 * F32, F16 and BF16 convert exactly (infinities and NaN included); F64 rounds to nearest, and beyond float32's
 * range to an infinity. `bytes` must hold a whole number of elements; for F32 the result may share its memory, so
 * the caller hands it over.
 */
export function toFloat32(dtype: FloatDtype, bytes: Uint8Array): Float32Array {
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : Uint8Array.from(bytes);
  const { buffer, byteOffset, byteLength } = aligned;
  switch (dtype) {
    case 'F32':
      return new Float32Array(buffer, byteOffset, byteLength / 4);
    case 'F64':
      return Float32Array.from(new Float64Array(buffer, byteOffset, byteLength / 8));
    case 'BF16':
      return fromBfloat16(new Uint16Array(buffer, byteOffset, byteLength / 2));
    case 'F16':
      return fromFloat16(new Uint16Array(buffer, byteOffset, byteLength / 2));
  }
}

/** bfloat16 is the upper half of a float32. */
function fromBfloat16(halves: Uint16Array): Float32Array {
  const out = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) out[i] = halves[i] << 16;
  return new Float32Array(out.buffer);
}

/** IEEE binary16: 1 sign bit, 5 exponent bits with bias 15, 10 fraction bits; float32 has 8 with bias 127, and 23. */
function fromFloat16(halves: Uint16Array): Float32Array {
  const out = new Float32Array(halves.length);
  const bits = new Uint32Array(out.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i];
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0) {
      out[i] = fraction * 2 ** -24; // zero or subnormal: every one is a normal float32
      bits[i] |= sign;
    } else if (exponent === 31) {
      bits[i] = sign | 0x7f800000 | (fraction << 13);
    } else {
      bits[i] = sign | ((exponent + 112) << 23) | (fraction << 13);
    }
  }
  return out;
}

/** Index of the first NaN or infinity, or -1. */
export function firstNonFinite(data: Float32Array): number {
  // Neither has a bit of the exponent unset. On integers: every weight is looked at, at every start.
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  for (let i = 0; i < bits.length; i++) if ((bits[i] & 0x7f800000) === 0x7f800000) return i;
  return -1;
}
