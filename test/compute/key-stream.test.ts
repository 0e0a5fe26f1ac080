/**
 * Positions in key streams: what the backends share, and the two operations of the wasm backend that address a
 * stream without drawing from it.
 */
import { describe, expect, it } from 'vitest';
import { BLOCK_BYTES, STREAM_BYTES, blockOf } from '../../src/compute/kernels/key-stream.ts';
import { KernelInstance } from '../../src/compute/kernels/wasm/instance.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { tableLayout } from '../../src/compute/kernels/table-layout.ts';
import { wordsFrom } from '../../src/compute/ring.ts';
import { thrown } from '../failure.ts';

const STREAM = { key: new Uint8Array(32).fill(7), nonce: new Uint8Array(12).fill(9) };

describe('the end of a key stream', () => {
  it('numbers every block up to the last one, and no byte behind it', () => {
    expect([
      blockOf(0, 0),
      blockOf(63, 65),
      blockOf(64, 65),
      blockOf(STREAM_BYTES - 1, STREAM_BYTES),
      blockOf(STREAM_BYTES, STREAM_BYTES),
    ]).toEqual([0, 0, 1, 2 ** 32 - 1, 2 ** 32]);
    expect(STREAM_BYTES / BLOCK_BYTES).toBe(2 ** 32);
    for (const [from, to] of [
      [STREAM_BYTES, STREAM_BYTES + 1],
      [0, STREAM_BYTES + 1],
      [-1, 0],
      [2, 1],
      [Number.NaN, Number.NaN],
      [0, Number.POSITIVE_INFINITY],
    ]) {
      thrown('ERR_INTERNAL', () => blockOf(from, to));
    }
  });

  it('is an error of the wasm tables and of their deals too, for bits and for words', async () => {
    const instance = new KernelInstance(await loadNodeModule(), PartyOperations);
    for (const k of [1, 8, 64]) {
      // Two entries an element, one element behind the last that fits.
      const end = (8 * STREAM_BYTES) / (2 * k);
      const table = {
        kind: 'rows',
        table: wordsFrom([0, 1, 0, 0], k),
        n: 2,
        stride: 2,
        row: wordsFrom([1], 1),
      } as const;
      const choice = { index: wordsFrom([1], 1) };
      const layout = tableLayout(2, k);
      expect(instance.selectionTable(table, layout, STREAM, end - 1, 1)).toHaveLength(Math.ceil(k / 4));
      expect(instance.dealSelection(choice, layout, STREAM, wordsFrom([0], k), end - 1).data).toHaveLength(1);
      thrown('ERR_INTERNAL', () => instance.selectionTable(table, layout, STREAM, end, 1));
      thrown('ERR_INTERNAL', () => instance.dealSelection(choice, layout, STREAM, wordsFrom([0], k), end));
    }
  });
});
