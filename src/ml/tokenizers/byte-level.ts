/**
 * The side of GPT-2 and RoBERTa: a text is cut into words here, so that every piece knows where it came from; the
 * library turns a word's UTF-8 bytes into pieces. One unit of a piece stands for one byte.
 *
 * The words are the reference's where the library's are not: U+FEFF is no white space and U+0085 is.
 */

import { TercetError } from '../../core/errors.ts';
import { type Aligned, type EncodeWord, identity, type PieceModel, type Pieces } from './aligned.ts';

const WORD =
  /'(?:[stmd]|re|ve|ll)| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;
const SPACE = 0x20;

/** `prefixSpace`: whether a text that begins without a space is read as if it had one. */
export function byteLevelModel(prefixSpace: boolean, encode: EncodeWord): PieceModel {
  return {
    normalize: identity,
    cut(aligned, from, to, out) {
      const text = aligned.text.slice(from, to);
      const inserted = prefixSpace && !text.startsWith(' ');
      const shift = inserted ? from - 1 : from;
      for (const match of (inserted ? ` ${text}` : text).matchAll(WORD))
        cutWord(match[0], shift + match.index, from, aligned, encode, out);
    },
  };
}

/** The word's first unit is unit `at` of the aligned text; before `least` lies a space that the text does not have. */
function cutWord(word: string, at: number, least: number, aligned: Aligned, encode: EncodeWord, out: Pieces): void {
  const { ids, tokens } = encode(word);
  const units = unitOfByte(word);
  if (tokens.reduce((sum, token) => sum + token.length, 0) !== units.length) {
    throw new TercetError(
      'ERR_TOKENIZER',
      'the vocabulary has no piece for a byte of the text',
      'take the tokenizer of a model that was trained on all 256 bytes, as GPT-2 and RoBERTa are',
    );
  }
  let byte = 0;
  for (const [i, token] of tokens.entries()) {
    let first = byte;
    byte += token.length;
    let last = byte - 1;
    const isSpace = (index: number): boolean => word.charCodeAt(units[index]) === SPACE;
    while (first <= last && isSpace(first)) first++;
    while (last > first && isSpace(last)) last--;
    const unit = at + units[last];
    // Of spaces alone nothing remains but the place where they end; an inserted one has the place where the text
    // begins.
    const empty = unit < least ? aligned.starts[least] : aligned.ends[unit];
    out.ids.push(ids[i]);
    out.tokens.push(token);
    out.spans.push(first > last ? [empty, empty] : [aligned.starts[at + units[first]], aligned.ends[unit]]);
  }
}

/** For each byte of the word's UTF-8 form, the first unit of its character. */
function unitOfByte(word: string): number[] {
  const units: number[] = [];
  let unit = 0;
  for (const character of word) {
    const code = character.codePointAt(0) as number;
    for (let bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4; bytes > 0; bytes--) units.push(unit);
    unit += character.length;
  }
  return units;
}
