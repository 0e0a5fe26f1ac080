/** The parts of a tokenizer of BERT's kind: from tokenizer.json, or from a list of pieces (vocab.txt). */

import { quote, typeName } from '../describe.ts';
import { isRecord, own } from '../json.ts';
import { PIECES_FILE, TOKENIZER_CONFIG_FILE, TOKENIZER_FILE, tokenizerError } from './errors.ts';
import { BERT_FRAME, framingProcessor, readFrame } from './frame.ts';
import type { Named } from './named.ts';
import { type Json, type Parts, alsoSpecial, merged, only, sizeOf } from './parts.ts';
import type { Source } from './source.ts';
import { readSpecialTokens } from './special.ts';
import { readAddedTokens, readPieceList, readVocabulary } from './vocabulary.ts';
import { type NormalizerSettings, wordPieceModel, wordPieces } from './wordpiece.ts';

/** Before a piece that goes on a word, and the code points of a longest word, where no file says otherwise. */
const PREFIX = '##';
const LONGEST = 100;

/** From tokenizer.json. */
export function fromWordPiece(
  { json, config, addedTokens: more }: Source & { kind: 'json' },
  model: Json,
  named: Named | undefined,
): Parts {
  const normalizer = only(json, 'normalizer', 'normalizers', ['BertNormalizer', 'Lowercase']);
  checkBertWords(json);
  const decoder = only(json, 'decoder', 'decoders', ['WordPiece']);
  const longest = own(model, 'max_input_chars_per_word');
  if (
    longest !== undefined &&
    !(Number.isSafeInteger(longest) && (longest as number) >= 1 && (longest as number) <= 1000)
  ) {
    throw tokenizerError('has a max_input_chars_per_word that is not an integer from 1 to 1000');
  }
  const prefix = own(model, 'continuing_subword_prefix');
  if (typeof prefix !== 'string') throw tokenizerError('has no continuing_subword_prefix');
  const unknown = own(model, 'unk_token');
  if (typeof unknown !== 'string') throw tokenizerError('has no unk_token');
  const vocabulary = readVocabulary(own(model, 'vocab'), TOKENIZER_FILE);
  if (!vocabulary.has(unknown)) {
    const added = (own(json, 'added_tokens') ?? []) as readonly unknown[];
    if (!Array.isArray(added) || !added.some((token) => isRecord(token) && own(token, 'content') === unknown))
      throw tokenizerError(`has no unk_token ${quote(unknown)} in its vocabulary`);
  }
  const ownSize = sizeOf(vocabulary);
  const addedTokens = readAddedTokens(merged(own(json, 'added_tokens'), more), vocabulary);
  const special = readSpecialTokens('bert', config, vocabulary, TOKENIZER_FILE);
  const processor = framingProcessor(own(json, 'post_processor'));
  const dropped = decoder === undefined ? prefix : own(decoder, 'prefix');
  if (dropped !== undefined && typeof dropped !== 'string')
    throw tokenizerError('has a decoder whose prefix is no text');
  const words = wordPieces(vocabulary, {
    unknown,
    prefix,
    longest: (longest as number | undefined) ?? LONGEST,
    decoder: { prefix: dropped ?? '', cleanUp: decoder === undefined || own(decoder, 'cleanup') === true },
    cleanUp: own(config, 'clean_up_tokenization_spaces') === true,
  });
  return {
    family: 'bert',
    file: TOKENIZER_FILE,
    vocabulary,
    ownSize,
    addedTokens: alsoSpecial(addedTokens, vocabulary, config),
    special,
    frame: processor === undefined ? BERT_FRAME : readFrame(processor, special),
    model: wordPieceModel(normalizerSettings(normalizer, config, named?.family === 'bert'), prefix, words.encodeWord),
    words,
  };
}

/**
 * From vocab.txt and tokenizer_config.json, by the defaults of BERT's own classes, as in the Python library.
 * @throws {TercetError} ERR_TOKENIZER for a list that is not one, or that lacks a piece which a text needs
 */
export function fromPieceList({ list, config, addedTokens: more }: Source & { kind: 'pieces' }): Parts {
  if (own(config, 'do_basic_tokenize') === false)
    throw tokenizerError('says do_basic_tokenize: false, which is not supported', TOKENIZER_CONFIG_FILE);
  const vocabulary = readPieceList(list, PIECES_FILE);
  const ownSize = sizeOf(vocabulary);
  const roles = readSpecialTokens('bert', config, vocabulary, PIECES_FILE);
  const listed = Object.values(roles).map(({ spelling, id }) => ({ id, content: spelling, special: true }));
  const addedTokens = readAddedTokens(merged(listed, more), vocabulary, TOKENIZER_CONFIG_FILE);
  if (roles.unk === undefined) throw tokenizerError('has no piece for unknown words', PIECES_FILE);
  const words = wordPieces(vocabulary, {
    unknown: roles.unk.spelling,
    prefix: PREFIX,
    longest: LONGEST,
    decoder: { prefix: PREFIX, cleanUp: true },
    cleanUp: own(config, 'clean_up_tokenization_spaces') === true,
  });
  return {
    family: 'bert',
    file: PIECES_FILE,
    vocabulary,
    ownSize,
    addedTokens: alsoSpecial(addedTokens, vocabulary, config),
    special: roles,
    frame: BERT_FRAME,
    model: wordPieceModel(normalizerSettings(undefined, config, true), PREFIX, words.encodeWord),
    words,
  };
}

/**
 * What is done to a text before it is cut. A class of BERT's decides by tokenizer_config.json, and where that is
 * silent by its own defaults, as in the Python library; clean_text has no key there. Other classes take
 * tokenizer.json as it stands.
 */
function normalizerSettings(normalizer: Json | undefined, config: Json, byClass: boolean): NormalizerSettings {
  const lowercaseAlone = normalizer !== undefined && own(normalizer, 'type') === 'Lowercase';
  const on = (key: string): boolean => normalizer !== undefined && own(normalizer, key) === true;
  const fromFile = {
    cleanText: on('clean_text'),
    handleChineseChars: on('handle_chinese_chars'),
    lowercase: lowercaseAlone || on('lowercase'),
    stripAccents:
      normalizer !== undefined && typeof own(normalizer, 'strip_accents') === 'boolean'
        ? on('strip_accents')
        : on('lowercase'),
  };
  if (!byClass) return fromFile;
  const said = (key: string): boolean | undefined => {
    const value = own(config, key) ?? undefined;
    if (value !== undefined && typeof value !== 'boolean')
      throw tokenizerError(`has ${key} of type ${typeName(value)}, not true or false`, TOKENIZER_CONFIG_FILE);
    return value;
  };
  const lowercase = said('do_lower_case') ?? true;
  return {
    cleanText: normalizer === undefined || lowercaseAlone || fromFile.cleanText,
    handleChineseChars: said('tokenize_chinese_chars') ?? true,
    lowercase,
    stripAccents: said('strip_accents') ?? lowercase,
  };
}

/** BertPreTokenizer, or what it is made of: white space, then punctuation apart. */
function checkBertWords(json: Json): void {
  const value = own(json, 'pre_tokenizer');
  const parts = isRecord(value) && own(value, 'type') === 'Sequence' ? own(value, 'pretokenizers') : undefined;
  if (Array.isArray(parts) && parts.length === 2 && parts.every(isRecord)) {
    const [spaces, punctuation] = parts;
    if (
      own(spaces, 'type') === 'WhitespaceSplit' &&
      own(punctuation, 'type') === 'Punctuation' &&
      (own(punctuation, 'behavior') ?? 'Isolated') === 'Isolated'
    )
      return;
  }
  if (only(json, 'pre_tokenizer', 'pretokenizers', ['BertPreTokenizer']) === undefined)
    throw tokenizerError('has no pre_tokenizer, and only BertPreTokenizer is supported with this model');
}
