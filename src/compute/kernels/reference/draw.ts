/** Uniform words of a key stream, the readable twin: word i is lane i of the stream, little-endian, cut to k bits. */
import { type Words, checkRing, laneBytes, zeros } from '../../ring.ts';
import type { Stream } from '../types.ts';
import { readBits } from './bits.ts';
import { keystream } from './chacha.ts';

export function drawWords({ key, nonce }: Stream, k: number, count: number, first: number): Words {
  const lane = laneBytes(checkRing(k));
  const bytes = keystream(key, nonce, first * lane, (first + count) * lane);
  const out = zeros(count, k);
  for (let i = 0; i < count; i++) {
    const value = readBits(bytes, 8 * lane * i, k);
    if (out.data instanceof Uint32Array) out.data[i] = Number(value);
    else out.data[i] = value;
  }
  return out;
}
