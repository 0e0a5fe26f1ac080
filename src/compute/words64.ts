/** Sums and shifts of 64-bit words as pairs of 32-bit ones: BigInts are too slow where they are many. */
import { type Words, ringMask } from './ring.ts';

/** Integers with a sign as words of Z_2^64: two halves of a lane, the upper one the sign. */
export function wideOf({ signed }: { readonly signed: Int32Array }): Words {
  const lanes = new Int32Array(2 * signed.length);
  for (let i = 0; i < signed.length; i++) {
    lanes[2 * i] = signed[i];
    lanes[2 * i + 1] = signed[i] >> 31;
  }
  return { k: 64, data: new BigUint64Array(lanes.buffer) };
}

/** The 32-bit halves of words, low one first. */
function halvesOf(words: BigUint64Array): Uint32Array {
  return new Uint32Array(words.buffer, words.byteOffset, 2 * words.length);
}

/** The lanes of 32 bits that vectors have: one a word, or two. */
export function lanesOf(data: Words['data']): Uint32Array {
  return data instanceof Uint32Array ? data : halvesOf(data);
}

/** Rows [from, to) of every column side by side, in 64-bit lanes. A row has `each` words of a column. */
export function interleavedWide(columns: readonly Words[], from: number, to: number, each = 1): BigUint64Array {
  const width = columns.length * each;
  const out = new BigUint64Array((to - from) * width);
  const halves = halvesOf(out);
  for (const [p, { data }] of columns.entries()) {
    const rows = data.subarray(each * from, each * to);
    if (rows instanceof Uint32Array) placeShort(halves, rows, 2 * p * each, 2 * width, each);
    else placeWide(halves, halvesOf(rows), 2 * p * each, 2 * width, 2 * each);
  }
  return out;
}

/** Rows of so many lanes to every `stride` lanes from a place on. Loops of their own: nothing is asked for each word. */
function placeWide(to: Uint32Array, rows: Uint32Array, first: number, stride: number, lanes: number): void {
  for (let at = first, i = 0; i < rows.length; at += stride) for (let j = 0; j < lanes; j++, i++) to[at + j] = rows[i];
}

/** The same of words of 32 bits, each in two lanes. */
function placeShort(to: Uint32Array, rows: Uint32Array, first: number, stride: number, each: number): void {
  for (let at = first, i = 0; i < rows.length; at += stride)
    for (let j = 0; j < each; j++, i++) to[at + 2 * j] = rows[i];
}

/** Words beside each other, `count` times each, where the bits of their mask are one: a row for every word. */
export function maskedRows(words: BigUint64Array, masks: BigUint64Array, count: number): BigUint64Array {
  const out = new BigUint64Array(words.length * count);
  const [from, bits, to] = [halvesOf(words), halvesOf(masks), halvesOf(out)];
  for (let i = 0; i < words.length; i++)
    for (let t = 0; t < count; t++) {
      // All ones where the bit is one.
      const keep = -((bits[2 * i + (t >> 5)] >>> (t & 31)) & 1);
      const at = 2 * (i * count + t);
      to[at] = from[2 * i] & keep;
      to[at + 1] = from[2 * i + 1] & keep;
    }
  return out;
}

/** total_i += more_i mod 2^64. */
export function addWords(total: BigUint64Array, more: BigUint64Array): void {
  const [to, from] = [halvesOf(total), halvesOf(more)];
  for (let i = 0; i < from.length; i += 2) {
    const low = to[i] + from[i];
    to[i] = low;
    to[i + 1] += from[i + 1] + (low > 0xffffffff ? 1 : 0);
  }
}

/** −words_i mod 2^64, in place. */
export function negateWords(words: BigUint64Array): void {
  const to = halvesOf(words);
  for (let i = 0; i < to.length; i += 2) {
    const low = ~to[i] + 1;
    to[i] = low;
    to[i + 1] = ~to[i + 1] + (to[i] === 0 ? 1 : 0);
  }
}

/** Words of Z_2^k times 2^(64 − k), mod 2^64. */
export function scaledWords({ k, data }: Words): BigUint64Array {
  if (k === 64) return data as BigUint64Array;
  const out = new BigUint64Array(data.length);
  const to = halvesOf(out);
  const up = 64 - k;
  if (data instanceof Uint32Array) {
    // At least half a word: nothing is left below.
    for (let i = 0; i < data.length; i++) to[2 * i + 1] = data[i] << (up - 32);
    return out;
  }
  const from = halvesOf(data);
  for (let i = 0; i < from.length; i += 2) {
    to[i] = from[i] << up;
    to[i + 1] = (from[i + 1] << up) | (from[i] >>> (32 - up));
  }
  return out;
}

/** Words of 64 bits mod 2^k, where k > 32 in place. */
export function reducedWords(data: BigUint64Array, k: number): Words {
  const halves = halvesOf(data);
  if (k > 32) {
    const mask = Number(ringMask(k - 32));
    if (k < 64) for (let i = 1; i < halves.length; i += 2) halves[i] &= mask;
    return { k, data };
  }
  const [out, mask] = [new Uint32Array(data.length), Number(ringMask(k))];
  for (let i = 0; i < out.length; i++) out[i] = halves[2 * i] & mask;
  return { k, data: out };
}
