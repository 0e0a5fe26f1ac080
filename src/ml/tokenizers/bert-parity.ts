/**
 * Where `@huggingface/tokenizers` 0.2.0 differs from the Python (Rust) BertNormalizer in ways that the input can be adapted to:
 *
 * - Ideographs beyond U+FFFF are not set apart as words (the library looks at UTF-16 units).
 * - A capital sigma at the end of a word becomes ς, since JavaScript lowercases whole strings; the reference lowercases single characters to σ.
 *
 * What remains, measured over every code point (Node 20, tokenizers 0.23): 529 marks and format characters and 143 punctuation signs that
 * Unicode added or changed after the reference's tables were made, almost all of historic and minority scripts. There the JavaScript engine's
 * newer tables are followed. Ids that differ for bert-base-uncased: 0 of 2,891 lines of Wikipedia (with or without these adaptations), and
 * 127 of 20,000 strings of random characters of all scripts (7,137 without), each of which has one of those code points.
 */

import { isRecord, own } from '../json.ts';

/** The reference's own ranges, with its gap U+2B820…U+2B91F. */
const ASTRAL_IDEOGRAPH = /[\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

/** Returns the adaptation of a text for a tokenizer.json's `normalizer` section. Remove when the library agrees by itself (test/ml/tokenizer.test.ts). */
export function bertParity(normalizer: unknown): (text: string) => string {
  const on = (key: string): boolean => isRecord(normalizer) && own(normalizer, key) === true;
  const separate = on('handle_chinese_chars');
  const lowercase = on('lowercase');
  return (text) => {
    const separated = separate ? text.replace(ASTRAL_IDEOGRAPH, ' $& ') : text;
    return lowercase ? separated.replaceAll('Σ', 'σ') : separated;
  };
}
