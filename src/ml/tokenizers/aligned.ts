/** Text that knows where it came from: what normalizers give, and what spans are read from. */

import type { Span } from './types.ts';

export interface Aligned {
  readonly text: string;
  /** For each UTF-16 unit of `text`, the span [starts, ends) of the original's character that it came from. */
  readonly starts: ArrayLike<number>;
  readonly ends: ArrayLike<number>;
}

/** Pieces of one text, in order. */
export interface Pieces {
  readonly ids: number[];
  readonly tokens: string[];
  readonly spans: Span[];
}

/** How a family cuts plain text into pieces. */
export interface PieceModel {
  /** What the family looks at instead of `text`, whose first unit has the offset `at`. */
  normalize(text: string, at: number): Aligned;
  /** Appends the pieces of units [from, to) of a normalized text. */
  cut(aligned: Aligned, from: number, to: number, out: Pieces): void;
}

/** One word's pieces: `ids` and `tokens` of the same length. */
export type EncodeWord = (word: string) => { readonly ids: readonly number[]; readonly tokens: readonly string[] };

/** Words into pieces, and ids into text; neither whole texts nor added tokens. */
export interface Words {
  readonly encodeWord: EncodeWord;
  decode(ids: readonly number[]): string;
}

/** A text as it is. Both halves of a surrogate pair have the whole character's span. */
export function identity(text: string, at: number): Aligned {
  const starts = new Uint32Array(text.length);
  const ends = new Uint32Array(text.length);
  let unit = 0;
  for (const character of text) {
    starts.fill(at + unit, unit, unit + character.length);
    ends.fill(at + unit + character.length, unit, unit + character.length);
    unit += character.length;
  }
  return { text, starts, ends };
}
