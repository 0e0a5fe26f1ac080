/** OT extension, the readable twin: one OT at a time, from the definitions of `../ot-base.ts`. */
import { BLOCK_BYTES } from '../key-stream.ts';
import { OT_LEAVES, OT_SEED, OT_TREES, otParts } from '../ot-base.ts';
import { chachaBlock } from './chacha.ts';

/** Bits of a block: OTs that one block of every leaf serves. */
const BLOCK_BITS = 8 * BLOCK_BYTES;

/** Blocks of all leaves, one number at a time: OTs are asked for in order. */
export class OtRows {
  readonly #keys: Uint8Array;
  readonly #nonce: Uint8Array;
  #number = -1;
  #blocks: Uint8Array[] = [];

  constructor(base: Uint8Array, nonce: Uint8Array) {
    this.#keys = otParts(base).keys;
    this.#nonce = nonce;
  }

  /** ⊕_y y·r_{i,y} of all trees, laid out as Δ, and ⊕_y r_{i,y} with bit i for tree i. */
  at(j: number): { readonly v: Uint8Array; readonly u: number } {
    const number = Math.floor(j / BLOCK_BITS);
    if (number !== this.#number) {
      this.#number = number;
      this.#blocks = Array.from({ length: OT_TREES * OT_LEAVES }, (_, leaf) =>
        chachaBlock(this.#keys.subarray(OT_SEED * leaf, OT_SEED * (leaf + 1)), this.#nonce, number),
      );
    }
    const bit = j % BLOCK_BITS;
    const v = new Uint8Array(OT_TREES / 2);
    let u = 0;
    for (let i = 0; i < OT_TREES; i++) {
      for (let y = 0; y < OT_LEAVES; y++) {
        if (((this.#blocks[OT_LEAVES * i + y][bit >> 3] >> (bit & 7)) & 1) === 0) continue;
        v[i >> 1] ^= y << (4 * (i & 1));
        u ^= 1 << i;
      }
    }
    return { v, u: u >>> 0 };
  }
}

/** q = v ⊕ Δ·d, nibble by nibble. */
export function combine(v: Uint8Array, delta: Uint8Array, d: number): Uint8Array {
  return v.map((byte, i) => byte ^ (delta[i] & (0x0f * ((d >>> (2 * i)) & 1) + 0xf0 * ((d >>> (2 * i + 1)) & 1))));
}

export function xor(x: Uint8Array, y: Uint8Array): Uint8Array {
  return x.map((byte, i) => byte ^ y[i]);
}

/** H(q) of OT j, 64 bits of it. */
export function otHash(q: Uint8Array, tweak: Uint8Array, nonce: Uint8Array, j: number): bigint {
  const key = new Uint8Array(32);
  key.set(q);
  key.set(tweak, 16);
  return new DataView(chachaBlock(key, nonce, j).buffer).getBigUint64(0, true);
}
