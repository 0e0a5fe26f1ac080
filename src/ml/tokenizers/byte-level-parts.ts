/** The parts of a byte-level tokenizer, GPT-2's or RoBERTa's: loaded where a model has one, with the library. */

import { isRecord, own } from '../json.ts';
import { byteLevelModel } from './byte-level.ts';
import { MERGES_FILE, TOKENIZER_CONFIG_FILE, TOKENIZER_FILE, tokenizerError, VOCAB_FILE } from './errors.ts';
import { BARE, framingProcessor, readFrame, ROBERTA_FRAME } from './frame.ts';
import { bytePairs } from './library.ts';
import { readMerges, readMergesFile } from './merges.ts';
import type { Named } from './named.ts';
import { type Json, type Parts, alsoSpecial, merged, only, sizeOf } from './parts.ts';
import type { Source } from './source.ts';
import { readSpecialTokens } from './special.ts';
import { type AddedToken, readAddedTokens, readVocabulary } from './vocabulary.ts';

/** How GPT-2 cuts words, as it is spelled where it stands before a ByteLevel that does not. */
const GPT2_PATTERN = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** The ByteLevel pre-tokenizer. */
function byteLevelWords(json: Json): Json {
  const value = own(json, 'pre_tokenizer');
  const parts = isRecord(value) && own(value, 'type') === 'Sequence' ? own(value, 'pretokenizers') : undefined;
  if (Array.isArray(parts) && parts.length === 2 && parts.every(isRecord)) {
    const [split, bytes] = parts;
    const pattern = own(split, 'pattern');
    const gpt2 =
      isRecord(pattern) &&
      own(pattern, 'Regex') === GPT2_PATTERN &&
      own(split, 'behavior') === 'Isolated' &&
      own(split, 'invert') !== true;
    if (
      own(split, 'type') === 'Split' &&
      gpt2 &&
      own(bytes, 'type') === 'ByteLevel' &&
      own(bytes, 'use_regex') === false &&
      own(bytes, 'add_prefix_space') !== true
    )
      return bytes;
  }
  const found = only(json, 'pre_tokenizer', 'pretokenizers', ['ByteLevel']);
  if (found === undefined)
    throw tokenizerError('has no pre_tokenizer, and only ByteLevel is supported with this model');
  if (own(found, 'use_regex') === false)
    throw tokenizerError('has a ByteLevel pre_tokenizer that does not cut words, which is not supported');
  return found;
}

export function fromByteLevel(
  { json, config, addedTokens: more }: Source & { kind: 'json' },
  model: Json,
  named: Named | undefined,
): Parts {
  if (only(json, 'normalizer', 'normalizers', []) !== undefined)
    throw tokenizerError('has a normalizer, which no byte-level tokenizer of GPT-2 or RoBERTa has');
  const preTokenizer = byteLevelWords(json);
  only(json, 'decoder', 'decoders', ['ByteLevel']);
  // fuse_unk joins unknown pieces, and a byte-level vocabulary has none.
  for (const key of ['continuing_subword_prefix', 'end_of_word_suffix', 'dropout', 'byte_fallback', 'ignore_merges']) {
    const value = own(model, key) ?? false;
    if (value !== false && value !== '' && value !== 0)
      throw tokenizerError(`has a BPE model with ${key}, which no tokenizer of GPT-2 or RoBERTa has`);
  }
  const vocabulary = readVocabulary(own(model, 'vocab'), TOKENIZER_FILE);
  const merges = readMerges(own(model, 'merges'), vocabulary, TOKENIZER_FILE);
  const ownSize = sizeOf(vocabulary);
  const addedTokens = readAddedTokens(merged(own(json, 'added_tokens'), more), vocabulary);
  const processor = framingProcessor(own(json, 'post_processor'));
  const family = processor === undefined && named?.family !== 'roberta' ? 'gpt2' : 'roberta';
  const special = readSpecialTokens(family, config, vocabulary, TOKENIZER_FILE);
  return {
    family,
    file: TOKENIZER_FILE,
    vocabulary,
    ownSize,
    addedTokens: alsoSpecial(addedTokens, vocabulary, config),
    special,
    frame: processor !== undefined ? readFrame(processor, special) : family === 'roberta' ? ROBERTA_FRAME : BARE,
    // A class decides by tokenizer_config.json, and where that is silent adds none.
    ...byteLevel(
      vocabulary,
      merges,
      prefixSpace(config, named === undefined && own(preTokenizer, 'add_prefix_space') === true),
    ),
  };
}

/** From vocab.json and merges.txt, as GPT-2 and RoBERTa were published. */
export function fromVocabulary(
  { vocabulary: listed, merges: lines, config, addedTokens: list }: Source & { kind: 'bpe' },
  family: 'roberta' | 'gpt2',
): Parts {
  const vocabulary = readVocabulary(listed, VOCAB_FILE);
  const merges = readMergesFile(lines, vocabulary, MERGES_FILE);
  const ownSize = sizeOf(vocabulary);
  const addedTokens = readAddedTokens(list, vocabulary, TOKENIZER_CONFIG_FILE);
  const special = readSpecialTokens(family, config, vocabulary, VOCAB_FILE);
  const { mask } = special;
  if (mask !== undefined && !addedTokens.some(({ id }) => id === mask.id)) addedTokens.push(robertaMask(mask, config));
  return {
    family,
    file: VOCAB_FILE,
    vocabulary,
    ownSize,
    addedTokens: alsoSpecial(addedTokens, vocabulary, config),
    special,
    frame: family === 'roberta' ? ROBERTA_FRAME : BARE,
    ...byteLevel(vocabulary, merges, prefixSpace(config, false)),
  };
}

/**
 * RoBERTa's mask swallows the space before it, since its pieces begin with their space; a configuration may say
 * otherwise.
 */
function robertaMask(mask: { spelling: string; id: number }, config: Json): AddedToken {
  const said = own(config, 'mask_token');
  const flag = (key: string, otherwise: boolean): boolean => {
    const value = isRecord(said) ? own(said, key) : undefined;
    return typeof value === 'boolean' ? value : otherwise;
  };
  return {
    id: mask.id,
    content: mask.spelling,
    lstrip: flag('lstrip', true),
    rstrip: flag('rstrip', false),
    singleWord: flag('single_word', false),
    normalized: false,
    special: true,
  };
}

function byteLevel(
  vocabulary: ReadonlyMap<string, number>,
  merges: readonly (readonly [string, string])[],
  prefix: boolean,
) {
  const words = bytePairs(vocabulary, merges);
  return { words, model: byteLevelModel(prefix, words.encodeWord) };
}

/** tokenizer_config.json decides, as in the Python library; else the pre-tokenizer does. */
function prefixSpace(config: Json, otherwise: unknown): boolean {
  const said = own(config, 'add_prefix_space');
  return typeof said === 'boolean' ? said : otherwise === true;
}
