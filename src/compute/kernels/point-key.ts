/**
 * Key layout of the distributed point function over Z_2^64 (Boyle, Gilboa, Ishai, "Function secret sharing", ePrint
 * 2018/707, fig. 1, with the payload 1): the two expansions sum to the unit vector e_α.
 *
 * Key: root seed (16 bytes) ‖ tweak (16 bytes, public, another for every key pair of every session:
 * `PairPrg.tweak`) ‖ party bit (1 byte) ‖ per level: seed correction (16 bytes) and one byte with the two bit
 * corrections (left in bit 0, right in bit 1) ‖ final word (8 bytes, little-endian). 41 + 17·depth bytes.
 *
 * PRG: one ChaCha20 block with key = seed ‖ tweak, nonce = (level, 0, 0) little-endian, counter 0. Bytes 0–15 are
 * the left seed, 16–31 the right seed, the lowest bits of bytes 32 and 33 the left and right bits, bytes 40–47 the
 * output word (used at the leaves: level = depth).
 */
/** The random seed that a key begins with. */
export const DPF_SEED = 16;
export const DPF_ROOT = 33;
export const DPF_LEVEL = 17;

/** Bytes of a key for a domain of 2^depth points. */
export function pointKeyBytes(depth: number): number {
  return DPF_ROOT + DPF_LEVEL * depth + 8;
}
