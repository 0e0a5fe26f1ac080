/** Vectors that lie in the memory of an instance: kernels compute on them in place, and nothing else of it stays. */
import { describe, expect, it, vi } from 'vitest';
import { tableBytes, tableLayout } from '../../src/compute/kernels/table-layout.ts';
import { HomeMemory } from '../../src/compute/kernels/wasm/home-memory.ts';
import { KernelInstance } from '../../src/compute/kernels/wasm/instance.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import type { Linked } from '../../src/compute/kernels/wasm/link.ts';
import { copyShared, linkShared } from '../../src/compute/kernels/wasm/node-native.ts';
import { loadNodeModule, loadSharedModule, nodeBackend } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { withSharedMemory } from '../../src/compute/kernels/wasm/shared-module.ts';
import { type Home, sharedPools } from '../../src/compute/kernels/wasm/shared-pool.ts';
import { TercetError } from '../../src/core/errors.ts';
import { type Words, laneBytes, viewWords } from '../../src/compute/ring.ts';
import { readFile } from 'node:fs/promises';
import { Random, conformance, same } from './kernels.suite.ts';

const module = await loadNodeModule();
const shared = await loadSharedModule();
const random = new Random(110);
/** A megabyte: what is taken is worth a sweep. */
const COUNT = 1 << 17;

function homeOf(linked: Linked): Home {
  const memory = new HomeMemory(linked);
  return { kernels: new KernelInstance(memory, PartyOperations), memory };
}

/** Kernels whose scopes have homes, and how often bytes were copied into a home or out of it. */
async function housed() {
  const copied = vi.fn();
  const homes: Home[] = [];
  const link = (): Linked => ({
    ...linkShared(shared),
    copyShared: (to, at, from) => {
      copied(from.length);
      copyShared(to, at, from);
    },
  });
  const open = () => {
    const home = homeOf(link());
    homes.push(home);
    return home;
  };
  const pool = sharedPools(() => undefined, open);
  const kernels = await createWasmKernels({ ...(await nodeBackend(0)), module, pool });
  return { kernels, copied, homes };
}

describe('a module whose memory is shared', () => {
  it('differs from the other in one byte', async () => {
    const bytes = await readFile(new URL('../../src/compute/kernels/wasm/tercet.wasm', import.meta.url));
    const made = withSharedMemory(bytes);
    expect([...made].filter((byte, i) => byte !== bytes[i])).toEqual([3]);
    expect(() => withSharedMemory(made)).toThrow();
  });

  it('is made of none that brings its own memory', async () => {
    for (const name of ['owner', 'proof', 'fold']) {
      const bytes = await readFile(new URL(`../../src/compute/kernels/wasm/${name}.wasm`, import.meta.url));
      expect(() => withSharedMemory(bytes)).toThrow();
    }
  });
});

describe('vectors at home', () => {
  // Those with workers are in shared-pool.test.ts.
  conformance('wasm, vectors at home', async () => (await housed()).kernels.scope());

  it('are neither copied in nor out', async () => {
    const { kernels, copied, homes } = await housed();
    const scope = kernels.scope();
    const from = random.words(COUNT, 48);
    const x = await scope.offset(from, 1n);
    expect(homes.map(({ memory }) => memory.holds(x.data.buffer))).toEqual([true]);
    const draws = [await scope.draw(random.stream(), 48, COUNT), await scope.draw(random.stream(), 60, COUNT, 5)];
    copied.mockClear();
    const sum = await scope.add(x, draws[0]);
    const part = viewWords(sum, 7, COUNT);
    await scope.shiftRight(part, 3, 30);
    await scope.mul(sum, x);
    await scope.sumRows(sum, 64);
    await scope.addRow(sum, viewWords(x, 0, 64));
    expect(copied).not.toHaveBeenCalled();
    const expected = from.data[11] as bigint;
    expect(part.data[4]).toBe(BigInt.asUintN(48, expected + 1n + (draws[0].data[11] as bigint)));
    await kernels.close();
  });

  it('of one scope are not where those of another are, also when memories have grown', async () => {
    const { kernels } = await housed();
    const scopes = [kernels.scope(), kernels.scope()];
    const made: Words[] = [];
    for (let i = 0; i < 40; i++) made.push(await scopes[i % 2].offset(random.words(COUNT, 64), BigInt(i)));
    const copies = made.map(({ k, data }) => ({ k, data: data.slice() }));
    // Half of the first scope's die, and others take their place.
    const live = made.filter((_, i) => i % 4 !== 0);
    scopes[0].sweep(() => live);
    for (let i = 0; i < 10; i++) await scopes[0].offset(random.words(COUNT, 64), 1n);
    for (const [i, words] of made.entries()) if (i % 4 !== 0) same(words, copies[i]);
    await kernels.close();
  });

  // SECURITY: whoever gives a scope up may still have a gate at work.
  it('stay as they are where a scope was given up, and are overwritten for the next one where it is through', async () => {
    const { kernels, homes } = await housed();
    const words = async (scope: Awaited<ReturnType<typeof kernels.scope>>) => [
      await scope.offset(random.words(COUNT, 64), 1n),
      await scope.offset(random.words(100, 64), 1n),
    ];
    const [ended, given] = [kernels.scope(), kernels.scope()];
    const [old, kept] = [await words(ended), await words(given)];
    const copies = kept.map(({ k, data }) => ({ k, data: data.slice() }));
    const late = await given.offset(kept[0], 1n);
    ended.sweep('through');
    given.sweep();
    for (const { data } of old) expect((data as BigUint64Array).every((word) => word === 0n)).toBe(true);
    const next = kernels.scope();
    const again = await words(next);
    expect(homes.length).toBe(2);
    expect(again.map(({ data }) => homes[0].memory.holds(data.buffer))).toEqual([true, true]);
    await words(kernels.scope());
    expect(homes.length).toBe(3);
    for (const [i, copy] of copies.entries()) same(kept[i], copy);
    // What comes late is right, and elsewhere.
    const later = await given.offset(kept[0], 1n);
    same(later, late);
    expect(homes.some(({ memory }) => memory.holds(later.data.buffer))).toBe(false);
    const latest = await ended.offset(random.words(COUNT, 64), 1n);
    expect(homes.some(({ memory }) => memory.holds(latest.data.buffer))).toBe(false);
    await kernels.close();
  });

  it('lie elsewhere where there is no room, or no memory that threads share', async () => {
    const full = homeOf(linkShared(shared));
    full.memory.region = () => {
      throw new TercetError('ERR_DEVICE_MEMORY', 'no memory left for the kernels', 'use a smaller model');
    };
    for (const open of [() => undefined, () => full]) {
      const pool = sharedPools(() => undefined, open);
      const kernels = await createWasmKernels({ party: PartyOperations, module, threads: 0, pool });
      const scope = kernels.scope();
      const [x, few] = [random.words(COUNT, 64), random.words(100, 64)];
      const made = await scope.add(await scope.offset(x, 5n), x);
      expect(full.memory.holds(made.data.buffer)).toBe(false);
      expect(made.data[3]).toBe(BigInt.asUintN(64, 2n * (x.data[3] as bigint) + 5n));
      expect((await scope.offset(few, 1n)).data[2]).toBe(BigInt.asUintN(64, (few.data[2] as bigint) + 1n));
      await kernels.close();
    }
  });
});

describe('an instance that vectors lie in', () => {
  it('holds nothing else of an operation after it, where regions are taken within it', () => {
    const linked = linkShared(shared);
    const { kernels: instance, memory } = homeOf(linked);
    const regions: [from: number, to: number][] = [];
    // A region for every result: each cuts the scratch of its operation in two.
    const take = (k: number, count: number): Words => {
      const bytes = laneBytes(k) * count;
      const { buffer, from } = memory.region(bytes);
      regions.push([from, from + bytes]);
      return { k, data: k <= 32 ? new Uint32Array(buffer, from, count) : new BigUint64Array(buffer, from, count) };
    };
    const within = <T>(operation: (on: KernelInstance) => T): T => instance.within({ take }, operation);
    const plain = new KernelInstance(module, PartyOperations);
    const [x, y, index] = [random.words(9000, 64), random.words(9000, 64), random.indices(9000, 2)];
    const shape = { batch: 1, m: 90, inner: 100, n: 90 };
    const choice = { index, basis: random.words(18_000, 40) };
    const [layout, table, word] = [tableLayout(2, 40, [40, 40]), random.bytes(9000 * 2 * 10), random.words(9000, 40)];
    expect(table.length).toBe(tableBytes(layout, 9000));
    const operations: ((on: KernelInstance) => Words)[] = [
      (on) => on.add(x, y),
      (on) => on.sumRows(x, 90),
      (on) => on.matmul(x, y, shape),
      (on) => on.repeat(x, 3),
      (on) => on.chooseBasis([x, y]),
      (on) => on.evaluateSelection(choice, layout, table, word),
      (on) => on.expandPoint(new Uint8Array(41 + 17 * 9).fill(3), 9, 3, 500),
      (on) => on.unpack(table, 20, 9000),
    ];
    // The tables of a kernel stay.
    const cosines = { odd: true, linear: true, scale: 27, shift: 13, constant: 5n, terms: [] };
    for (const on of [instance, plain]) on.cosineBasis(random.words(10, 20), cosines, 40);
    const before = new Uint8Array(linked.memory.buffer).slice();
    for (const operation of operations) same(within(operation), plain.within(undefined, operation));
    const after = new Uint8Array(linked.memory.buffer).slice();
    for (const [from, to] of regions) after.fill(0, from, to);
    expect(Buffer.compare(after.subarray(0, before.length), before)).toBe(0);
    expect(after.subarray(before.length).every((byte) => byte === 0)).toBe(true);
    for (const [i, [from, to]] of regions.entries())
      for (const [other, end] of regions.slice(i + 1)) expect(to <= other || end <= from).toBe(true);
  });
});
