import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import { KernelInstance } from '../../src/compute/kernels/wasm/instance.ts';
import { Random, same } from './kernels.suite.ts';

const exported = async (name: string): Promise<string[]> => {
  const bytes = await readFile(new URL(`../../src/compute/kernels/wasm/${name}.wasm`, import.meta.url));
  return WebAssembly.Module.exports(await WebAssembly.compile(bytes)).map((entry) => entry.name);
};

/** What compute parties alone do: choosing from tables, tables of choices, products with weights and the plaintext's. */
const OF_COMPUTE_PARTIES = [
  'table_choose',
  'evaluate32',
  'evaluate64',
  'matmul_f32',
  'matmul_f32_panel',
  'matmul_i32',
  'limbs_left',
  'limbs_grade',
  'matmul_left',
  'matmul_panels',
  'matmul_u64',
  'pack_u64',
  'panels_columns',
  'panels_scratch',
  'seal_u64',
  'wipe',
];

describe('the module that pages download', () => {
  it('has every kernel but those of compute parties', async () => {
    const [all, owner] = await Promise.all([exported('tercet'), exported('owner')]);
    expect(all).toEqual(expect.arrayContaining(OF_COMPUTE_PARTIES));
    // It brings its memory; that of the others may be shared.
    const same = [...all.filter((name) => !OF_COMPUTE_PARTIES.includes(name)), 'memory'];
    expect([...owner].sort()).toEqual(same.sort());
  });
});

describe('its products', () => {
  it('are those of the reference, though it has one kind of loop', async () => {
    const bytes = await readFile(new URL('../../src/compute/kernels/wasm/owner.wasm', import.meta.url));
    const instance = new KernelInstance(await WebAssembly.compile(bytes));
    const [oracle, random] = [new ReferenceKernels(), new Random(7)];
    for (const k of [20, 33, 62, 64])
      for (const [batch, m, inner, n] of [
        [2, 1, 9, 5],
        [1, 2, 8, 4],
        [2, 7, 259, 6],
        [1, 67, 3, 9],
      ]) {
        const [x, y] = [random.words(batch * m * inner, k), random.words(batch * inner * n, k)];
        for (const transposed of [false, true]) {
          const shape = { batch, m, inner, n, transposed };
          same(instance.matmul(x, y, shape), await oracle.matmul(x, y, shape));
        }
        if (k <= 32) continue;
        const drawn = [3, 1000].map((first) => ({ stream: random.stream(), first }));
        const factors = [[1, -1] as const, [-1, 0] as const].map((signs) => ({ x, signs }));
        same(
          instance.matmulDrawn(factors, drawn, inner, n, 0, inner),
          await oracle.matmulDrawn(factors, drawn, inner, n),
        );
      }
  });
});
