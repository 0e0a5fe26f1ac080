/** Numbers at bit positions of bytes, the lowest bit first: the readable twin. */

/** The `width` bits at position `at`. */
export function readBits(bytes: Uint8Array, at: number, width: number): bigint {
  const [first, last] = [Math.floor(at / 8), Math.ceil((at + width) / 8)];
  let value = 0n;
  for (let b = last - 1; b >= first; b--) value = (value << 8n) | BigInt(bytes[b]);
  return BigInt.asUintN(width, value >> BigInt(at % 8));
}

/** Writes the low `width` bits of a value to position `at`, where zeros are. */
export function writeBits(bytes: Uint8Array, at: number, width: number, value: bigint): void {
  let rest = BigInt.asUintN(width, value) << BigInt(at % 8);
  for (let b = Math.floor(at / 8); rest > 0n; b++) {
    bytes[b] |= Number(rest & 255n);
    rest >>= 8n;
  }
}
