/** Pads that everybody knows, taken off again in numbers: the words of the readable kernels, in every width. */
import { describe, expect, it } from 'vitest';
import { withoutPads } from '../../src/compute/kernels/clear-table.ts';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import { tableLayout } from '../../src/compute/kernels/table-layout.ts';
import { type Words, ringMask, wordsFrom } from '../../src/compute/ring.ts';

const kernels = new ReferenceKernels();
const COUNT = 21;

/** Ends of the ring first: what borrows from every part of a word. */
function some(k: number, seed: number): Words {
  const ends = [0n, ringMask(k), 1n, 1n << BigInt(k - 1)];
  const mixed = (i: number) => BigInt.asUintN(k, BigInt(i + seed) * 0x9e37_79b9_7f4a_7c15n);
  return wordsFrom(
    Array.from({ length: COUNT }, (_, i) => ends[i] ?? mixed(i)),
    k,
  );
}

describe('a table without pads', () => {
  it.each([
    [64, [64, 64]],
    [64, [1, 63]],
    [64, [24, 25, 48, 49]],
    [59, [7, 59, 31, 33]],
    [35, [22, 22, 35, 31]],
    [8, [3, 8, 1]],
  ] as const)('over Z_2^%i with words of %j bits is that of the readable kernels', async (k, widths) => {
    const layout = tableLayout(4, k, widths);
    const values = widths.slice(1).map((_, v) => some(k, v));
    const bits = [some(1, 1), some(1, 2)];
    const table = { kind: 'choose', pick: Uint8Array.of(values.length - 1, 255, 0, 0), bits, values } as const;
    const expected = await kernels.clearTable(table, layout);
    expect(expected.some((byte) => byte !== 0)).toBe(true);
    expect(await withoutPads(kernels, table, layout)).toEqual(expected);
  });
});
