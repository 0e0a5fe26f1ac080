/** Bytes in buffers of their own, which are not zeroed where they are written whole. */
import { describe, expect, it } from 'vitest';
import { concatBytes, copyBytes, unwritten } from '../../src/core/bytes.ts';

describe('buffers that are written whole', () => {
  it('are plain bytes of that length, alone in their buffer', () => {
    for (const length of [0, 1, 4095, 4096, 100_000]) {
      const bytes = unwritten(length);
      expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
      expect([bytes.length, bytes.byteOffset, bytes.buffer.byteLength]).toEqual([length, 0, length]);
    }
  });

  it('hold what was copied or put together, and nothing else', () => {
    const parts = [3, 5000, 0, 70_000].map((length, i) => new Uint8Array(length).fill(i + 1));
    const all = parts.flatMap((part) => [...part]);
    expect([...concatBytes(parts)]).toEqual(all);
    const copy = copyBytes(parts[3]);
    parts[3].fill(9);
    expect([...copy]).toEqual(all.slice(5003));
  });
});
