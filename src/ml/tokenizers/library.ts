/**
 * `@huggingface/tokenizers` as it is used here: words of byte-level vocabularies into pieces, and ids into text. It
 * sees neither whole texts nor added tokens. Loaded when a model needs it.
 */

import { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import { TercetError } from '../../core/errors.ts';
import type { Words } from './aligned.ts';
import { tokenizerError } from './errors.ts';

/** The library's byte-pair encoding by ranked merges. */
export function bytePairs(
  vocabulary: ReadonlyMap<string, number>,
  merges: readonly (readonly [string, string])[],
): Words {
  const sections = {
    model: { type: 'BPE', vocab: Object.fromEntries(vocabulary), merges, unk_token: null, fuse_unk: false },
    decoder: { type: 'ByteLevel' },
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: false },
    post_processor: null,
  };
  let library: LibraryTokenizer;
  try {
    // Of the configuration the library needs this alone; a hostile rest (remove_space,
    // do_lowercase_and_remove_accent …) cannot act. Cleaning up would lose spaces that the pieces hold.
    library = new LibraryTokenizer(sections, { clean_up_tokenization_spaces: false });
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
