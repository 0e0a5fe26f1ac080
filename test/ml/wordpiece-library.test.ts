/** WordPiece as the library has it, which pages with byte-level vocabularies load. */
import { readFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wordPieces } from '../../src/ml/tokenizers/wordpiece.ts';

const LIST = readFileSync(new URL('../../models/capitals-bert/vocab.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n');
const VOCABULARY = new Map(LIST.map((piece, id) => [piece, id]));

function both(longest: number, prefix: string, cleanUp: readonly [boolean, boolean]) {
  const library = new Tokenizer(
    {
      model: {
        type: 'WordPiece',
        vocab: Object.fromEntries(VOCABULARY),
        unk_token: '[UNK]',
        continuing_subword_prefix: '##',
        max_input_chars_per_word: longest,
      },
      decoder: { type: 'WordPiece', prefix, cleanup: cleanUp[0] },
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
    },
    { clean_up_tokenization_spaces: cleanUp[1] },
  );
  const own = wordPieces(VOCABULARY, {
    unknown: '[UNK]',
    prefix: '##',
    longest,
    decoder: { prefix, cleanUp: cleanUp[0] },
    cleanUp: cleanUp[1],
  });
  return { library, own };
}

const stem = fc.constantFrom(...LIST).map((piece) => piece.replace(/^##/, ''));
const word = fc.oneof(
  fc.array(stem, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('')),
  fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }),
);

describe('words into pieces, and back', () => {
  it.each([
    [100, '##', [true, true]],
    [7, '##', [false, true]],
    [100, '', [true, false]],
    [100, '#', [false, false]],
  ] as const)('as the library does: words of %i, "%s", clean up %j', (longest, prefix, cleanUp) => {
    const { library, own } = both(longest, prefix, cleanUp);
    let unknown = 0;
    fc.assert(
      fc.property(word, (one) => {
        const { ids, tokens } = own.encodeWord(one);
        expect({ ids, tokens }).toEqual(byLibrary(library, one));
        if (tokens[0] === '[UNK]') unknown++;
      }),
    );
    expect(unknown).toBeGreaterThan(0);
    const marks = ['.', '?', '!', ',', "'", 'n', 't', 's', 'm'].flatMap((mark) => VOCABULARY.get(mark) ?? []);
    const id = fc.oneof(fc.integer({ min: 0, max: LIST.length - 1 }), fc.constantFrom(...marks));
    fc.assert(
      fc.property(fc.array(id, { minLength: 1, maxLength: 12 }), (ids) => {
        expect(own.decode(ids)).toBe(library.decode(ids));
      }),
    );
  });

  it('drops the spaces of contractions in the whole text', () => {
    const { own } = both(100, '##', [false, true]);
    expect(own.decode([])).toBe('');
    expect(own.decode(['the', '.'].map((piece) => VOCABULARY.get(piece) ?? 0))).toBe('the.');
  });
});

function byLibrary(library: Tokenizer, word: string) {
  const { ids, tokens } = library.encode(word, { add_special_tokens: false });
  return { ids, tokens };
}
