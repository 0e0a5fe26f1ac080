/** What a party that does not follow the protocol does to one of its messages. */
import { concatBytes } from '../../core/bytes.ts';

/** Changes that leave the length as it is. */
const CONTENT = ['bit', 'top', 'one', 'middle', 'all', 'swap', 'zero', 'random', 'repeat', 'aside'] as const;
/** Keys of a look-up, at both parties: what they expand to is two times a unit vector, or nothing, or 2^63 beside it. */
const KEYS = ['unit-up', 'unit-down', 'unit-half'] as const;
/** Another length, or another order of messages. */
const FORM = ['short', 'long', 'twice', 'reorder', 'drop', 'leave'] as const;
export const CHANGES = [...CONTENT, ...KEYS, ...FORM, 'lift', 'replay'] as const;

/**
 * bit, top   the lowest, or the highest, bit of the last byte is another
 * one, all   one is added to the first byte, or to every byte
 * middle     one is added to the byte in the middle: of a word, 2^32 and the like
 * swap       its halves change places
 * zero       it is all zeros
 * random     every byte is another
 * repeat     an earlier message of its sender comes in its place
 * unit-…     the keys of a look-up expand to no unit vector, at both parties
 * aside      as bit, but its sender goes on with what it should have sent
 * short      a byte is missing
 * long       there is a byte more
 * twice      it comes twice
 * reorder    it comes behind the next one on its link
 * drop       it never comes
 * leave      its sender leaves instead
 * lift       2^64 is added to a claim, which no sum mod 2^64 sees
 * replay     that of the step before comes in its place
 */
export type Change = (typeof CHANGES)[number];

/**
 * What is sent in place of a message, in order.
 * @param earlier messages of the same sender, first to last
 * @param before that of the step before
 */
export function changed(
  change: Change,
  bytes: Uint8Array,
  earlier: readonly Uint8Array[] = [],
  before: Uint8Array = bytes,
): readonly Uint8Array[] {
  const out = bytes.slice();
  const half = out.length >> 1;
  switch (change) {
    case 'bit':
    case 'aside':
      out[out.length - 1] ^= 1;
      return [out];
    case 'top':
      out[out.length - 1] ^= 0x80;
      return [out];
    case 'one':
      out[0]++;
      return [out];
    case 'middle':
      out[half]++;
      return [out];
    case 'all':
      return [out.map((byte) => byte + 1)];
    case 'swap':
      out.set(bytes.subarray(half, 2 * half), 0);
      out.set(bytes.subarray(0, half), half);
      return [out];
    case 'zero':
      return [out.fill(0)];
    case 'random':
      // No byte stays: of one byte, every other value is as likely.
      return [out.map((byte) => byte ^ (1 + (crypto.getRandomValues(new Uint8Array(1))[0] % 255)))];
    case 'repeat': {
      const other = earlier.findLast(({ length }) => length === bytes.length) ?? earlier.at(-1) ?? Uint8Array.of(1, 2);
      return [out.map((_, i) => other[i % other.length])];
    }
    case 'unit-up':
    case 'unit-down':
    case 'unit-half': {
      // The last word of a key corrects the value at its point, with a sign that the key does not tell.
      const last = new DataView(out.buffer, out.length - 8);
      const by = change === 'unit-half' ? 2n ** 63n : change === 'unit-up' ? 1n : -1n;
      last.setBigUint64(0, BigInt.asUintN(64, last.getBigUint64(0, true) + by), true);
      return [out];
    }
    case 'short':
      return [out.subarray(0, -1)];
    case 'long':
      return [concatBytes([out, new Uint8Array(1)])];
    case 'twice':
      return [out, out.slice()];
    case 'reorder':
    case 'drop':
    case 'leave':
      return [];
    case 'lift':
      out[8]++;
      return [out];
    case 'replay':
      return [before.slice()];
  }
}

/** Changes that mostly end by a time-out: nobody sees more than that nothing comes. */
export function waits(change: Change): boolean {
  return change === 'drop' || change === 'reorder';
}

/** Changes of words that keep their length, whoever gets them. */
export function isContent(change: Change): boolean {
  return ([...CONTENT, ...KEYS] as readonly Change[]).includes(change);
}

/** Made to what both parties get, which only together means anything. */
export function isOfBoth(change: Change): boolean {
  return (KEYS as readonly Change[]).includes(change);
}

/** Whether it is what would have been sent anyway. */
export function unchanged(bytes: Uint8Array, instead: readonly Uint8Array[]): boolean {
  const [one] = instead;
  return instead.length === 1 && one.length === bytes.length && one.every((byte, i) => byte === bytes[i]);
}
