/**
 * The OT extension by itself: what each side has of the base, its relation at full size, and the hash and streams
 * against an independent ChaCha20.
 */
import { chacha20 } from '@noble/ciphers/chacha.js';
import { describe, expect, it } from 'vitest';
import {
  OT_LEAVES,
  OT_ROOTS,
  OT_SEED,
  OT_TREES,
  holeOf,
  otParts,
  otSiblings,
  receiverBase,
  senderBase,
} from '../../src/compute/kernels/ot-base.ts';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import { OtRows, combine } from '../../src/compute/kernels/reference/ot.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { toHex } from '../../src/core/bytes.ts';
import { thrown } from '../failure.ts';
import { Random } from './kernels.suite.ts';

const wasm = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });

function bases(random: Random) {
  const [roots, delta, tweak] = [random.bytes(OT_ROOTS), random.bytes(16), random.bytes(16)];
  const receiver = receiverBase(roots, tweak);
  return { delta, tweak, receiver, sender: senderBase(otSiblings(roots, delta), delta, tweak) };
}

const leafAt = (base: Uint8Array, tree: number, place: number) =>
  toHex(otParts(base).keys.subarray(OT_SEED * (OT_LEAVES * tree + place), OT_SEED * (OT_LEAVES * tree + place + 1)));

describe('the base of an OT extension', () => {
  it('gives the sender every leaf but the one at Δ of each tree, at places that say nothing of Δ to a kernel', () => {
    for (let seed = 0; seed < 4; seed++) {
      const { delta, receiver, sender } = bases(new Random(seed));
      const all = new Set(
        Array.from({ length: OT_TREES * OT_LEAVES }, (_, i) =>
          leafAt(receiver, Math.floor(i / OT_LEAVES), i % OT_LEAVES),
        ),
      );
      expect(all.size).toBe(OT_TREES * OT_LEAVES);
      for (let i = 0; i < OT_TREES; i++) {
        const hole = holeOf(delta, i);
        for (let y = 1; y < OT_LEAVES; y++) expect(leafAt(sender, i, y)).toBe(leafAt(receiver, i, y ^ hole));
        expect(leafAt(sender, i, 0)).toBe('00'.repeat(OT_SEED));
      }
    }
  });

  it('gives the receiver nothing of Δ, and both the same tweak', () => {
    const { tweak, receiver, sender } = bases(new Random(7));
    expect(otParts(receiver).delta).toEqual(new Uint8Array(16));
    expect(otParts(receiver).tweak).toEqual(tweak);
    expect(otParts(sender).tweak).toEqual(tweak);
  });

  it('makes seeds as halves of a ChaCha20 block under their parent', () => {
    const random = new Random(8);
    const roots = random.bytes(OT_ROOTS);
    const base = receiverBase(roots, random.bytes(16));
    for (const [tree, leaf] of [
      [0, 0],
      [3, 5],
      [31, 15],
    ]) {
      let seed = roots.slice(OT_SEED * tree, OT_SEED * (tree + 1));
      for (const side of [8, 4, 2, 1])
        seed = chacha20(seed, new Uint8Array(12), new Uint8Array(64)).slice(
          (leaf & side) === 0 ? 0 : OT_SEED,
          (leaf & side) === 0 ? OT_SEED : 64,
        );
      expect(leafAt(base, tree, leaf)).toBe(toHex(seed));
    }
  });

  it('refuses bases and parts of another length with ERR_INTERNAL', () => {
    thrown('ERR_INTERNAL', () => receiverBase(new Uint8Array(OT_ROOTS - 1), new Uint8Array(16)));
    thrown('ERR_INTERNAL', () => senderBase(new Uint8Array(1), new Uint8Array(16), new Uint8Array(16)));
    thrown('ERR_INTERNAL', () => otParts(new Uint8Array(5)));
  });
});

describe('OTs of a draw', () => {
  it('satisfy q ⊕ v = Δ·c at full size: 32 trees of 16 leaves, 4096 OTs', async () => {
    const random = new Random(1);
    const { delta, receiver, sender } = bases(random);
    const nonce = random.bytes(12);
    const choice = random.words(4096, 1, false);
    const { message } = await wasm.otReceive(receiver, nonce, choice, 64);
    const [ofReceiver, ofSender] = [new OtRows(receiver, nonce), new OtRows(sender, nonce)];
    let ones = 0;
    for (let j = 0; j < 4096; j++) {
      const { v } = ofReceiver.at(j);
      const q = combine(ofSender.at(j).v, delta, Number(message.data[j]));
      const c = Number(choice.data[j]);
      ones += c;
      expect(toHex(q.map((byte, i) => byte ^ v[i])), `OT ${j}`).toBe(c === 1 ? toHex(delta) : '00'.repeat(16));
    }
    // Neither bit is missing from the draw.
    expect(ones).toBeGreaterThan(1900);
    expect(ones).toBeLessThan(2200);
  });

  it('are what the definition says, computed with another ChaCha20', async () => {
    const random = new Random(2);
    const { tweak, receiver } = bases(random);
    const nonce = random.bytes(12);
    const choice = random.words(700, 1, false);
    const { message, words } = await wasm.otReceive(receiver, nonce, choice, 64);
    const streams = Array.from({ length: OT_TREES * OT_LEAVES }, (_, leaf) =>
      chacha20(otParts(receiver).keys.slice(OT_SEED * leaf, OT_SEED * (leaf + 1)), nonce, new Uint8Array(128)),
    );
    for (const j of [0, 1, 31, 32, 511, 512, 699]) {
      const key = new Uint8Array(32);
      let u = 0;
      streams.forEach((stream, leaf) => {
        const [tree, place] = [Math.floor(leaf / OT_LEAVES), leaf % OT_LEAVES];
        if (((stream[j >> 3] >> (j & 7)) & 1) === 0) return;
        u ^= 1 << tree;
        key[tree >> 1] ^= place << (4 * (tree & 1));
      });
      key.set(tweak, 16);
      const block = chacha20(key, nonce, new Uint8Array(64), undefined, j);
      expect(message.data[j]).toBe((Number(choice.data[j]) === 1 ? ~u : u) >>> 0);
      expect(words.data[j]).toBe(new DataView(block.buffer).getBigUint64(0, true));
    }
  });

  it('are random access: those of a prefix are a prefix, and another nonce gives others', async () => {
    const random = new Random(3);
    const { receiver } = bases(random);
    const [nonce, other] = [random.bytes(12), random.bytes(12)];
    const choice = random.words(600, 1, false);
    const first = { k: 1, data: choice.data.slice(0, 70) };
    const [all, some, elsewhere] = [
      await wasm.otReceive(receiver, nonce, choice, 64),
      await wasm.otReceive(receiver, nonce, first, 64),
      await wasm.otReceive(receiver, other, first, 64),
    ];
    expect([...some.words.data]).toEqual([...all.words.data.slice(0, 70)]);
    expect([...some.message.data]).toEqual([...all.message.data.slice(0, 70)]);
    const shared = [...elsewhere.words.data].filter((word, j) => word === some.words.data[j]);
    expect(shared).toEqual([]);
  });

  it('take single bits and messages of 32 bits, else ERR_INTERNAL', async () => {
    const { receiver, sender } = bases(new Random(4));
    const nonce = new Uint8Array(12);
    for (const kernels of [new ReferenceKernels(), wasm]) {
      await expect(kernels.otReceive(receiver, nonce, { k: 2, data: new Uint32Array(1) }, 8)).rejects.toMatchObject({
        code: 'ERR_INTERNAL',
      });
      await expect(kernels.otSend(sender, nonce, { k: 1, data: new Uint32Array(1) }, 8)).rejects.toMatchObject({
        code: 'ERR_INTERNAL',
      });
    }
  });
});
