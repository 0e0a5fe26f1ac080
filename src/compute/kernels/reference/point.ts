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

function block(seed: Uint8Array, tweak: Uint8Array, level: number): Uint8Array {
  const key = new Uint8Array(32);
  key.set(seed);
  key.set(tweak, 16);
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(0, level, true);
  return chachaBlock(key, nonce, 0);
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
  let nodes: Node[] = [0, 1].map((party) => ({ seed: randomness.slice(16 * party, 16 * party + 16), bit: party }));
  for (let level = 0; level < depth; level++) {
    const keep = (alpha >> (depth - 1 - level)) & 1;
    const lose = 1 - keep;
    const blocks = nodes.map((node) => block(node.seed, tweak, level));
    const correction = xor(child(blocks[0], lose).seed, child(blocks[1], lose).seed);
    const bits = [0, 1].map(
      (side) => child(blocks[0], side).bit ^ child(blocks[1], side).bit ^ (side === keep ? 1 : 0),
    );
    for (const key of keys) {
      key.set(correction, DPF_ROOT + DPF_LEVEL * level);
      key[DPF_ROOT + DPF_LEVEL * level + 16] = bits[0] | (bits[1] << 1);
    }
    nodes = nodes.map((node, party) => {
      const next = child(blocks[party], keep);
      return node.bit === 0 ? next : { seed: xor(next.seed, correction), bit: next.bit ^ bits[keep] };
    });
  }
  // Party 1 negates its leaves, so the leaf words differ by ±1 at α and cancel elsewhere.
  const [w0, w1] = nodes.map((node) => word(block(node.seed, tweak, depth)));
  const final = BigInt.asUintN(64, nodes[1].bit === 1 ? w0 - w1 - 1n : 1n - w0 + w1);
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
