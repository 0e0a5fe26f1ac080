/**
 * Where the words of a selection table lie: packed to the bit, element by element, then entry, then word. The layout
 * is public and the same at all parties; pads lie in their key stream where their words lie in the table.
 */
import { invariant } from '../../core/errors.ts';
import { checkRing } from '../ring.ts';

/** Most words of an entry: as many widths as shaders have parameters for. */
export const MAX_WIDTHS = 56;

/**
 * SECURITY: widths are constants of a gate, never derived from data. A width that followed from λ2 would show in the
 * length of a message; one below k − v for a basis that is no multiple of 2^v would give a wrong result.
 */
export interface TableLayout {
  /** Entries of an element. */
  readonly n: number;
  /** Output ring. */
  readonly k: number;
  /**
   * Bits of every word of an entry, each at most k. A word of w bits is one of Z_2^w: it meets a basis word that is a
   * multiple of 2^(k − w), so nothing above its w bits reaches Z_2^k.
   */
  readonly widths: readonly number[];
}

/**
 * The layout of n entries over Z_2^k.
 * @param words how many words an entry has, all of k bits, or the bits of each
 * @example tableLayout(16, 32, 4); tableLayout(2, 35, [22, 22, 35, 31])
 */
export function tableLayout(n: number, k: number, words: number | readonly number[] = 1): TableLayout {
  checkRing(k);
  const widths = typeof words === 'number' ? new Array<number>(words).fill(k) : words;
  invariant(
    n >= 1 && widths.length >= 1 && widths.length <= MAX_WIDTHS && widths.every((w) => checkRing(w) <= k),
    'a table of 1 to 56 words an entry expected, none wider than its ring',
  );
  return { n, k, widths };
}

/** Bits of an entry. */
export function entryBits({ widths }: TableLayout): number {
  return widths.reduce((sum, w) => sum + w, 0);
}

/** Bits of an element: of all its entries. Below 2^53 bits (a petabyte) positions are exact. */
export function elementBits(layout: TableLayout): number {
  return layout.n * entryBits(layout);
}

/** Bytes of the table of `elements` elements. */
export function tableBytes(layout: TableLayout, elements: number): number {
  return Math.ceil((elementBits(layout) * elements) / 8);
}
