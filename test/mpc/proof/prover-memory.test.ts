/** Memory of provers: vectors that are held keep their words, what is freed serves others, and all of it is wiped. */
import { describe, expect, it } from 'vitest';
import { freeHalf, keepHalf } from '../../../src/mpc/proof/kept-halves.ts';
import { LongVector } from '../../../src/mpc/proof/long-vector.ts';
import { LEAST_BYTES, ProverMemory } from '../../../src/mpc/proof/prover-memory.ts';
import type { TableHalf } from '../../../src/mpc/proof/relations.ts';
import { Random } from '../../compute/kernels.suite.ts';
import { proofWasm } from '../../support/proved.ts';

const filled = (count: number, word: number) => new BigUint64Array(count).fill(BigInt(word));

describe('memory of provers', () => {
  it('holds vectors that come and go in any order', () => {
    const [memory, random] = [new ProverMemory(), new Random(5)];
    const live: { readonly kept: BigUint64Array; readonly word: number }[] = [];
    let [bytes, buffers] = [0, new Set<ArrayBufferLike>()];
    for (let step = 1; step < 3000; step++) {
      if (live.length > 40 || (live.length > 0 && random.below(3) === 0)) {
        const [{ kept, word }] = live.splice(random.below(live.length), 1);
        expect(kept.every((value) => value === BigInt(word))).toBe(true);
        memory.free(kept);
        bytes -= 64 * Math.ceil(kept.byteLength / 64);
      } else {
        const kept = memory.keep(filled(512 + random.below(3000), step));
        live.push({ kept, word: step });
        buffers.add(kept.buffer);
        bytes += 64 * Math.ceil(kept.byteLength / 64);
      }
      expect(memory.held).toBe(bytes);
    }
    // At most 42 of 28 kB at a time, of thousands.
    expect(buffers.size).toBe(1);
    expect(memory.most).toBeLessThan(42 * 28_160);
    for (const { kept } of live) memory.free(kept);
    // All of it is one gap again.
    const whole = memory.take(2 ** 23);
    expect(buffers.has(whole.buffer)).toBe(true);
    expect(memory.held).toBe(2 ** 26);
  });

  it('copies what is long, and takes what is longer than a region', () => {
    const memory = new ProverMemory();
    const long = filled(LEAST_BYTES / 8, 7);
    const kept = memory.keep(long);
    long.fill(0n);
    expect(kept.every((word) => word === 7n)).toBe(true);
    const short = filled(LEAST_BYTES / 8 - 1, 7);
    expect(memory.keep(short)).toBe(short);
    const part = memory.keep(long.subarray(0, 4));
    expect([part.buffer.byteLength, part]).toEqual([part.byteLength, long.slice(0, 4)]);
    expect(memory.copy(short)).not.toBe(short);
    memory.free(short);
    expect(memory.held).toBe(LEAST_BYTES);
    expect(memory.take(2 ** 23 + 1).length).toBe(2 ** 23 + 1);
  });

  it('is overwritten in the end, what was freed too', () => {
    const memory = new ProverMemory();
    const [one, two] = [memory.keep(filled(1000, 3)), memory.keep(filled(1000, 4))];
    memory.free(one);
    memory.wipe();
    for (const view of [one, two]) expect(view.every((word) => word === 0n)).toBe(true);
    expect(memory.held).toBe(0);
  });

  it('asks for a collection when much was left behind', () => {
    let asked = 0;
    const memory = new ProverMemory(() => asked++);
    for (let i = 0; i < 192; i++) memory.left(2 ** 20);
    expect(asked).toBe(2);
  });
});

describe('a half', () => {
  it('is held once where terms share factors, and let go', () => {
    const memory = new ProverMemory();
    const shared = { k: 64, data: filled(1000, 9) };
    const half: TableHalf = {
      kind: 'table',
      entries: { kind: 'packed', bytes: new Uint8Array(8000) },
      index: { k: 20, data: new Uint32Array(2000) },
      factors: [shared, undefined, shared],
    };
    const kept = keepHalf(half, memory);
    expect(kept).toEqual(half);
    expect(kept.factors[0]).not.toBe(shared);
    expect(memory.held).toBe(3 * 8000);
    // Another form of it: what is not in it is let go, and what stays is not copied.
    const less = keepHalf({ ...kept, factors: [undefined, undefined, undefined] }, memory, kept);
    expect(memory.held).toBe(2 * 8000);
    freeHalf(less, memory);
    expect(memory.held).toBe(0);
  });
});

describe('a vector of the tail', () => {
  it('gives the sums and the folds of a whole vector, and lets go of what is folded', async () => {
    const [memory, random, q] = [new ProverMemory(), new Random(6), 2305843009213693951n];
    const length = 2 ** 20 + 777;
    const words = () => BigUint64Array.from({ length }, () => BigInt(random.below(2 ** 31)) * 1234567n);
    const [u, w] = [words(), words()];
    const coefficients = BigUint64Array.from({ length: 8 }, (_, i) => BigInt(3 * i + 1));
    const [left, right] = [new LongVector(memory, length), new LongVector(memory, length)];
    // Written in pieces that begin and end anywhere.
    for (let from = 0; from < length; from += 300_001) {
      left.set(u.subarray(from, from + 300_001), from);
      right.set(w.subarray(from, from + 300_001), from);
    }
    expect(await left.round(right, proofWasm, q)).toEqual(await proofWasm.tailRound(u, w, q));
    const before = memory.held;
    const folded = [await left.folded(proofWasm, coefficients, q), await right.folded(proofWasm, coefficients, q)];
    expect(memory.held).toBeLessThan(before / 7);
    const [a, b] = [await proofWasm.tailFold(u, coefficients, q), await proofWasm.tailFold(w, coefficients, q)];
    expect(await folded[0].round(folded[1], proofWasm, q)).toEqual(await proofWasm.tailRound(a, b, q));
    expect(folded[0].first(8)).toEqual([...a.subarray(0, 8)]);
    for (const one of folded) one.free();
    expect(memory.held).toBe(0);
  });
});
