/**
 * Operations on vectors of a few words, in the calling thread's own code. A call of the module costs a microsecond or
 * two, for copies in and out and for what is zeroed behind it. A step of a generated text has thousands of them on one
 * row, two thirds on a single word.
 */
import { type Words, laneBytes, ringMask } from '../../ring.ts';

/** Words up to which it is faster here, by lane: engines have no integers of 64 bits. Moves of words are up to MOVED. */
const FEW = { 4: 32, 8: 8 } as const;
const MOVED = 64;

export function isFew({ k, data }: Words): boolean {
  return data.length <= FEW[laneBytes(k)];
}

export function isMoved(count: number): boolean {
  return count <= MOVED;
}

type Combined = (x: bigint, y: bigint) => bigint;
type Combined32 = (x: number, y: number) => number;

/** Of vectors over one ring and of one length, into `out`: 32-bit lanes wrap as the ring of 32 bits does. */
function combined(out: Words, x: Words, y: Words, small: Combined32, large: Combined): Words {
  const { data } = out;
  const { length } = data;
  if (data instanceof Uint32Array) {
    const mask = out.k === 32 ? 0xffff_ffff : 2 ** out.k - 1;
    for (let i = 0; i < length; i++) data[i] = small(x.data[i] as number, y.data[i] as number) & mask;
  } else {
    for (let i = 0; i < length; i++) data[i] = BigInt.asUintN(out.k, large(x.data[i] as bigint, y.data[i] as bigint));
  }
  return out;
}

const plus = (x: bigint, y: bigint): bigint => x + y;
const plus32 = (x: number, y: number): number => x + y;
const minus = (x: bigint, y: bigint): bigint => x - y;
const minus32 = (x: number, y: number): number => x - y;
const times = (x: bigint, y: bigint): bigint => x * y;

export const few = {
  add: (out: Words, x: Words, y: Words): Words => combined(out, x, y, plus32, plus),
  sub: (out: Words, x: Words, y: Words): Words => combined(out, x, y, minus32, minus),
  mul: (out: Words, x: Words, y: Words): Words => combined(out, x, y, Math.imul, times),

  /** x·c and x + c, of a constant that may have any sign. */
  scale(out: Words, x: Words, c: bigint): Words {
    return each(out, x, Number(BigInt.asIntN(32, c)), c, Math.imul, times);
  },
  offset(out: Words, x: Words, c: bigint): Words {
    return each(out, x, Number(BigInt.asIntN(32, c)), c, plus32, plus);
  },

  /** x / 2^s, in the ring of `out`; s is below the width of a lane of x. */
  shiftRight(out: Words, x: Words, s: number): Words {
    const { data, k } = out;
    const { length } = data;
    const mask = k >= 32 ? 0xffff_ffff : 2 ** k - 1;
    if (x.data instanceof Uint32Array) {
      if (data instanceof Uint32Array) for (let i = 0; i < length; i++) data[i] = (x.data[i] >>> s) & mask;
      else for (let i = 0; i < length; i++) data[i] = BigInt(x.data[i] >>> s);
      return out;
    }
    const [by, all] = [BigInt(s), ringMask(k)];
    for (let i = 0; i < length; i++) {
      const word = (x.data[i] >> by) & all;
      if (data instanceof Uint32Array) data[i] = Number(word);
      else data[i] = word;
    }
    return out;
  },

  /** The words of x at these places, which must lie in it: false where one does not. */
  gather(out: Words, x: Words, index: Uint32Array): boolean {
    const { length } = x.data;
    for (let i = 0; i < index.length; i++) {
      if (index[i] >= length) return false;
      out.data[i] = x.data[index[i]];
    }
    return true;
  },
};

function each(out: Words, x: Words, small: number, c: bigint, by32: Combined32, by: Combined): Words {
  const { data } = out;
  const { length } = data;
  if (data instanceof Uint32Array) {
    const mask = out.k === 32 ? 0xffff_ffff : 2 ** out.k - 1;
    for (let i = 0; i < length; i++) data[i] = by32(x.data[i] as number, small) & mask;
  } else {
    for (let i = 0; i < length; i++) data[i] = BigInt.asUintN(out.k, by(x.data[i] as bigint, c));
  }
  return out;
}
