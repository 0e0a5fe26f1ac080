/**
 * Linear operations on the instance of the calling thread. Always there: measured up to 2^20 words, two copies to
 * workers and one back cost more than the work. Vectors are never written, so what changes nothing gives its operand.
 */
import type { Lists } from '../../pattern.ts';
import { type Words, checkRing, concatWords } from '../../ring.ts';
import type { LinearAtOnce } from '../types.ts';
import type { Dispatch } from './dispatch.ts';

export function linearAtOnce(on: Dispatch, lists: Lists): LinearAtOnce<Words> {
  const shiftRight = (x: Words, s: number, k: number): Words => {
    checkRing(k);
    if (s === 0 && k === x.k) return x;
    return on.here((instance) => instance.shiftRight(x, s, k));
  };
  return {
    add: (x, y) => on.here((instance) => instance.add(x, y)),
    sub: (x, y) => on.here((instance) => instance.sub(x, y)),
    scale: (x, c) => (c === 1n ? x : on.here((instance) => instance.scale(x, c))),
    offset: (x, c) => (c === 0n ? x : on.here((instance) => instance.offset(x, c))),
    shiftRight,
    cast: (x, k) => shiftRight(x, 0, k),
    sumRows: (x, cols) => on.here((instance) => instance.sumRows(x, cols)),
    repeat: (x, cols) => on.here((instance) => instance.repeat(x, cols)),
    concat: (parts) => (parts.length === 1 ? parts[0] : concatWords(parts, on.pool)),
    gather: (x, places) => {
      const index = lists.of(places);
      return on.here((instance) => instance.gather(x, index));
    },
  };
}
