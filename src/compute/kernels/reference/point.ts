/**
 * Distributed point function, the readable twin: generation (only the data owner runs it) and full expansion.
 * Layout: `../point-key.ts`.
 */
import { DPF_LEVEL, DPF_ROOT, pointKeyBytes } from '../point-key.ts';
import { chachaBlock } from './chacha.ts';

interface Node {
  readonly seed: Uint8Array;
  readonly bit: number;
}

/** @param node its seed and the tweak behind it */
function blockOf(node: Uint8Array, level: number): Uint8Array {
  const nonce = new Uint8Array(12);
  nonce[0] = level;
  return chachaBlock(node, nonce, 0);
}

function block(seed: Uint8Array, tweak: Uint8Array, level: number): Uint8Array {
  const node = new Uint8Array(32);
  node.set(seed);
  node.set(tweak, 16);
  return blockOf(node, level);
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, i) => byte ^ b[i]);
}

function child(bytes: Uint8Array, side: number): Node {
  return { seed: bytes.slice(16 * side, 16 * side + 16), bit: bytes[32 + side] & 1 };
}

function word(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset + 40, 8).getBigUint64(0, true);
}

/**
 * Makes the two keys of e_α over 2^depth points.
 *
 * @param randomness 32 fresh random bytes (the two root seeds); @param tweak 16 bytes that no other key pair uses.
 * Security: each key alone hides α under the PRG assumption (ePrint 2018/707, Theorem 3.3); both together reveal it.
 */
export function generatePoint(
  alpha: number,
  depth: number,
  randomness: Uint8Array,
  tweak: Uint8Array,
): [Uint8Array, Uint8Array] {
  const keys = [0, 1].map((party) => {
    const key = new Uint8Array(pointKeyBytes(depth));
    key.set(randomness.subarray(16 * party, 16 * party + 16));
    key.set(tweak, 16);
    key[32] = party;
    return key;
  });
  // The node that each party comes to on the way to α: its seed and the tweak, and its bit. The owner has a way for
  // every token, so it is gone without a buffer for every step.
  const nodes = keys.map((key) => key.slice(0, 32));
  const bits = [0, 1];
  for (let level = 0; level < depth; level++) {
    const keep = (alpha >> (depth - 1 - level)) & 1;
    const lose = 1 - keep;
    const blocks = nodes.map((node) => blockOf(node, level));
    const at = DPF_ROOT + DPF_LEVEL * level;
    const flips = [0, 1].map((side) => ((blocks[0][32 + side] ^ blocks[1][32 + side]) & 1) ^ (side === keep ? 1 : 0));
    for (const key of keys) {
      for (let i = 0; i < 16; i++) key[at + i] = blocks[0][16 * lose + i] ^ blocks[1][16 * lose + i];
      key[at + 16] = flips[0] | (flips[1] << 1);
    }
    for (const party of [0, 1]) {
      const corrected = -bits[party];
      for (let i = 0; i < 16; i++) nodes[party][i] = blocks[party][16 * keep + i] ^ (keys[0][at + i] & corrected);
      bits[party] = (blocks[party][32 + keep] & 1) ^ (flips[keep] & corrected);
    }
  }
  // Party 1 negates its leaves, so the leaf words differ by ±1 at α and cancel elsewhere.
  const [w0, w1] = nodes.map((node) => word(blockOf(node, depth)));
  const final = BigInt.asUintN(64, bits[1] === 1 ? w0 - w1 - 1n : 1n - w0 + w1);
  for (const key of keys) new DataView(key.buffer, DPF_ROOT + DPF_LEVEL * depth).setBigUint64(0, final, true);
  return [keys[0], keys[1]];
}

/** Expands a key to its `count` first words. */
export function expandPointKey(key: Uint8Array, depth: number, count: number): BigUint64Array {
  const tweak = key.slice(16, 32);
  const party = key[32];
  let nodes: Node[] = [{ seed: key.slice(0, 16), bit: party }];
  for (let level = 0; level < depth; level++) {
    const at = DPF_ROOT + DPF_LEVEL * level;
    const correction = key.subarray(at, at + 16);
    const bits = key[at + 16];
    nodes = nodes.slice(0, Math.ceil(count / 2 ** (depth - level))).flatMap((node) => {
      const bytes = block(node.seed, tweak, level);
      return [0, 1].map((side) => {
        const next = child(bytes, side);
        return node.bit === 0 ? next : { seed: xor(next.seed, correction), bit: next.bit ^ ((bits >> side) & 1) };
      });
    });
  }
  const final = new DataView(key.buffer, key.byteOffset + DPF_ROOT + DPF_LEVEL * depth).getBigUint64(0, true);
  return BigUint64Array.from(nodes.slice(0, count), (node) => {
    const value = word(block(node.seed, tweak, depth)) + (node.bit === 1 ? final : 0n);
    return BigInt.asUintN(64, party === 0 ? value : -value);
  });
}
