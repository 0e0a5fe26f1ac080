/**
 * `@huggingface/tokenizers` as it is used here: words into pieces, and ids into text. It sees neither whole texts
 * nor added tokens.
 */

import { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import { TercetError } from '../../core/errors.ts';
import { tokenizerError } from './errors.ts';

export interface Library {
  encodeWord(word: string): { ids: number[]; tokens: string[] };
  decode(ids: readonly number[]): string;
}

/**
 * Builds the library's tokenizer of `model` and `decoder` (sections of tokenizer.json that have been checked), and
 * `byteLevel` for words that are to become bytes first. `cleanUp`: whether decoding drops spaces before
 * punctuation.
 */
export function buildLibrary(
  model: Record<string, unknown>,
  decoder: Record<string, unknown>,
  byteLevel: boolean,
  cleanUp: boolean,
): Library {
  const sections = {
    model,
    decoder,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: byteLevel ? { type: 'ByteLevel', add_prefix_space: false, use_regex: false } : null,
    post_processor: null,
  };
  let library: LibraryTokenizer;
  try {
    // Of the configuration the library needs this alone; a hostile rest (remove_space,
    // do_lowercase_and_remove_accent …) cannot act.
    library = new LibraryTokenizer(sections, { clean_up_tokenization_spaces: cleanUp });
  } catch (cause) {
    throw new TercetError(
      'ERR_TOKENIZER',
      'the tokenizer library refused the tokenizer files',
      'take the files that belong to the model',
      { cause },
    );
  }
  return {
    encodeWord(word) {
      try {
        return library.encode(word, { add_special_tokens: false });
      } catch {
        // The library's error may quote the text.
        throw tokenizerError(`made the tokenizer library fail on a word of ${word.length} units`);
      }
    },
    decode: (ids) => (ids.length === 0 ? '' : library.decode([...ids])),
  };
}
