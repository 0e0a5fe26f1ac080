import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

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
  'limbs_light',
];

describe('the module that pages download', () => {
  it('has every kernel but those of compute parties', async () => {
    const [all, owner] = await Promise.all([exported('tercet'), exported('owner')]);
    expect(all).toEqual(expect.arrayContaining(OF_COMPUTE_PARTIES));
    expect([...owner].sort()).toEqual(all.filter((name) => !OF_COMPUTE_PARTIES.includes(name)).sort());
  });
});
