/**
 * Vectors of a few words are computed without the module (`few.ts`): the same words as the readable kernels, in every
 * ring, at constants of either sign, and around the lengths from which the module computes them.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { strided } from '../../src/compute/pattern.ts';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import { type WasmKernels, createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { type Words, ringMask, wordsFrom } from '../../src/compute/ring.ts';
import { failure } from '../failure.ts';

const reference = new ReferenceKernels();
let wasm: WasmKernels;
beforeAll(async () => {
  wasm = (await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 })).scope();
});

/** Words of a ring: its ends first, then words of no pattern. */
function some(k: number, count: number, seed: number): Words {
  const ends = [ringMask(k), 0n, 1n, 1n << BigInt(k - 1), ringMask(k) >> 1n];
  const mixed = (i: number) => BigInt.asUintN(k, (BigInt(i + seed) * 0x9e37_79b9_7f4a_7c15n) ^ (BigInt(seed) << 31n));
  return wordsFrom(
    Array.from({ length: count }, (_, i) => ends[(i + seed) % 9] ?? mixed(i)),
    k,
  );
}

describe.each([1, 2, 17, 31, 32, 33, 48, 63, 64])('few words over Z_2^%i', (k) => {
  it.each([1, 2, 5, 8, 9, 32, 33])('are those of the definition: %i of them', async (count) => {
    const [x, y] = [some(k, count, 1), some(k, count, 3)];
    for (const op of ['add', 'sub', 'mul'] as const)
      expect(await wasm[op](x, y), op).toEqual(await reference[op](x, y));
    for (const c of [1n, -1n, 3n, (1n << BigInt(k)) - 1n, -(1n << 40n) - 7n, 1n << 31n, 1n << 63n])
      for (const op of ['scale', 'offset'] as const)
        expect(await wasm[op](x, c), `${op} ${c}`).toEqual(await reference[op](x, c));
    for (const [s, to] of [
      [0, 1],
      [1, Math.max(1, k - 1)],
      [k - 1, 1],
      [0, 64],
      [3, 32],
      [31, 33],
    ])
      expect(await wasm.shiftRight(x, s, to), `shift ${s} ${to}`).toEqual(await reference.shiftRight(x, s, to));
    const moved = strided(0, [3, 0], [count, 1]);
    expect(await wasm.gather(x, moved)).toEqual(await reference.gather(x, moved));
  });
});

it('refuses a place outside of the vector, whatever the number of places', async () => {
  for (const count of [1, 64, 65])
    await failure('ERR_INTERNAL', () => wasm.gather(wordsFrom([1n, 2n], 20), new Uint32Array(count).fill(2)));
});
