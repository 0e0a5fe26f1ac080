/** Buffers that nobody reads any more are freed at once: those alone, and only where all of one is meant. */
import { describe, expect, it } from 'vitest';
import { letGo } from '../../src/core/let-go.ts';

const BYTES = 1 << 16;

describe('what is let go', () => {
  it('is gone, and may be let go again', () => {
    const bytes = new Uint8Array(BYTES).fill(1);
    letGo(bytes);
    expect([bytes.length, bytes.buffer.byteLength]).toEqual([0, 0]);
    letGo(bytes);
  });

  it('is no part of a buffer, no memory that threads share, and nothing small', () => {
    const whole = new Uint8Array(BYTES);
    const kept = [whole.subarray(1), new Uint8Array(new SharedArrayBuffer(BYTES)), new Uint8Array(100)];
    const lengths = kept.map(({ length }) => length);
    for (const bytes of kept) letGo(bytes);
    expect(kept.map(({ length }) => length)).toEqual(lengths);
  });
});
