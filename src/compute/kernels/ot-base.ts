/**
 * The base of an OT extension (SoftSpokenOT over F_16: Roy, CRYPTO 2022), with a dealer who knows all of it.
 *
 * 32 GGM trees of 16 leaves. The receiver of the OTs has the roots, the sender has every leaf but one of each tree:
 * the one at Δ_i. A seed has 32 bytes and its two children are the two halves of one ChaCha20 block under it (nonce
 * and counter 0). Bits of a leaf's number say the way from the root, the highest first.
 *
 * What kernels take of it, at either party, is one array of OT_BASE bytes:
 *
 *   keys    32 trees × 16 places × 32 bytes. Place y of tree i holds leaf y at the receiver and leaf y ⊕ Δ_i at the
 *           sender, where place 0 is the leaf that it lacks, and holds zeros that nothing reads. So a kernel weighs
 *           a leaf by its place, and no address depends on Δ.
 *   Δ       16 bytes: nibble i (the low one of a byte first) belongs to tree i. Zeros at the receiver.
 *   tweak   16 public bytes, another for every session, execution and step
 *
 * OT j of a draw, with the draw's nonce. r_{i,y} is bit j of the ChaCha20 stream of the key at place y of tree i.
 *
 *   receiver   u_i = ⊕_y r_{i,y},   v_i = ⊕_y y·r_{i,y} in F_16,   sends d_i = u_i ⊕ c: 32 bits, d_i is bit i
 *   sender     q_i = ⊕_y y·r_{i,y} ⊕ Δ_i·d_i = v_i ⊕ Δ_i·c
 *   words      w_0 = H(q), w_1 = H(q ⊕ Δ) at the sender, w_c = H(v) at the receiver
 *   H(q)       the first 8 bytes (little-endian, mod 2^k) of the ChaCha20 block with key q ‖ tweak, the draw's nonce
 *              and counter j. Nibbles of q lie as those of Δ.
 *
 * q is a key and never a plaintext, and the block keeps its feed-forward: under a fixed key, or without it, ChaCha20
 * is a permutation that anybody inverts, and H(q) would give q, from two of which follows Δ. Everything is random
 * access by nonce and number; there is no counter that runs from one draw to the next.
 */
import { invariant } from '../../core/errors.ts';
import { chachaBlock } from './reference/chacha.ts';

export const OT_TREES = 32;
export const OT_LEAVES = 16;
/** Bytes of a node's seed. */
export const OT_SEED = 32;
const DEPTH = 4;
/** Bytes of Δ, and of the tweak. */
export const OT_DELTA = OT_TREES / 2;
const KEYS = OT_TREES * OT_LEAVES * OT_SEED;
/** Bytes of a base. */
export const OT_BASE = KEYS + OT_DELTA + 16;
/** Bytes of the roots, and of what the dealer sends to the sender: the siblings on the way to each leaf at Δ_i. */
export const OT_ROOTS = OT_TREES * OT_SEED;
export const OT_SIBLINGS = OT_TREES * DEPTH * OT_SEED;
/** OTs of a draw: their numbers are the counters of H. */
export const OT_MOST = 2 ** 32;

/** The parts of a base, without a copy. */
export function otParts(base: Uint8Array): {
  readonly keys: Uint8Array;
  readonly delta: Uint8Array;
  readonly tweak: Uint8Array;
} {
  invariant(base.length === OT_BASE, 'a base of another length');
  const delta = base.subarray(KEYS, KEYS + OT_DELTA);
  return { keys: base.subarray(0, KEYS), delta, tweak: base.subarray(KEYS + OT_DELTA) };
}

/** Nibble i of Δ: the leaf of tree i that the sender lacks. */
export function holeOf(delta: Uint8Array, tree: number): number {
  return (delta[tree >> 1] >> (4 * (tree & 1))) & 15;
}

const NONCE = new Uint8Array(12);

/** The two children of each node. */
function below(nodes: readonly Uint8Array[]): Uint8Array[] {
  return nodes.flatMap((seed) => {
    const block = chachaBlock(seed, NONCE, 0);
    return [block.subarray(0, OT_SEED), block.subarray(OT_SEED)];
  });
}

/** All nodes of one tree, level by level from the root. */
function grow(root: Uint8Array, levels: number): Uint8Array[][] {
  const tree = [[root]];
  for (let level = 0; level < levels; level++) tree.push(below(tree[level]));
  return tree;
}

function rootAt(roots: Uint8Array, tree: number): Uint8Array {
  return roots.subarray(OT_SEED * tree, OT_SEED * (tree + 1));
}

/**
 * What the dealer sends to the sender: for every tree, from the root down, the sibling of each node on the way to
 * its leaf Δ_i.
 *
 * Security: whoever has roots and siblings reads Δ from them. They go to the sender alone.
 */
export function otSiblings(roots: Uint8Array, delta: Uint8Array): Uint8Array {
  const out = new Uint8Array(OT_SIBLINGS);
  for (let i = 0; i < OT_TREES; i++) {
    const tree = grow(rootAt(roots, i), DEPTH);
    for (let level = 1; level <= DEPTH; level++) {
      const sibling = (holeOf(delta, i) >> (DEPTH - level)) ^ 1;
      out.set(tree[level][sibling], OT_SEED * (DEPTH * i + level - 1));
    }
  }
  return out;
}

/** The base of the receiver. */
export function receiverBase(roots: Uint8Array, tweak: Uint8Array): Uint8Array {
  invariant(roots.length === OT_ROOTS && tweak.length === 16, 'roots or tweak of another length');
  const base = new Uint8Array(OT_BASE);
  for (let i = 0; i < OT_TREES; i++)
    for (const [leaf, seed] of grow(rootAt(roots, i), DEPTH)[DEPTH].entries())
      base.set(seed, OT_SEED * (OT_LEAVES * i + leaf));
  base.set(tweak, KEYS + OT_DELTA);
  return base;
}

/** The base of the sender, from what the dealer sent. */
export function senderBase(siblings: Uint8Array, delta: Uint8Array, tweak: Uint8Array): Uint8Array {
  invariant(
    siblings.length === OT_SIBLINGS && delta.length === OT_DELTA && tweak.length === 16,
    'siblings, Δ or tweak of another length',
  );
  const base = new Uint8Array(OT_BASE);
  for (let i = 0; i < OT_TREES; i++) {
    const hole = holeOf(delta, i);
    for (let level = 1; level <= DEPTH; level++) {
      const at = OT_SEED * (DEPTH * i + level - 1);
      const first = ((hole >> (DEPTH - level)) ^ 1) << (DEPTH - level);
      const leaves = grow(siblings.subarray(at, at + OT_SEED), DEPTH - level)[DEPTH - level];
      for (const [leaf, seed] of leaves.entries()) base.set(seed, OT_SEED * (OT_LEAVES * i + ((first + leaf) ^ hole)));
    }
  }
  base.set(delta, KEYS);
  base.set(tweak, KEYS + OT_DELTA);
  return base;
}
