/**
 * Which family a tokenizer is of, and its parts, checked: every tokenizer but those of BERT, RoBERTa and GPT-2 is
 * refused.
 */

import type { TercetError } from '../../core/errors.ts';
import { quote, typeName } from '../describe.ts';
import { isRecord, own } from '../json.ts';
import type { PieceModel, Words } from './aligned.ts';
import { byteLevelModel } from './byte-level.ts';
import { TOKENIZER_CONFIG_FILE, TOKENIZER_FILE, tokenizerError, VOCAB_FILE } from './errors.ts';
import { BARE, BERT_FRAME, type Frame, framingProcessor, readFrame, ROBERTA_FRAME } from './frame.ts';
import { readMerges } from './merges.ts';
import { type Named, namedTokenizer } from './named.ts';
import type { Source } from './source.ts';
import { readSpecialTokens, type SpecialTokens } from './special.ts';
import type { Family } from './types.ts';
import { type AddedToken, readAddedTokens, readVocabulary } from './vocabulary.ts';
import { wordPieces } from './word-pieces.ts';
import { type NormalizerSettings, wordPieceModel } from './wordpiece.ts';

export interface Parts {
  readonly family: Family;
  /** The file that holds the vocabulary, for messages. */
  readonly file: string;
  readonly vocabulary: ReadonlyMap<string, number>;
  /** One more than the highest id of a piece that was not added. */
  readonly ownSize: number;
  readonly addedTokens: readonly AddedToken[];
  readonly special: SpecialTokens;
  readonly frame: Frame;
  readonly model: PieceModel;
  readonly words: Words;
}

type Json = Record<string, unknown>;

/** Loads the library where the vocabulary is byte-level. */
export async function readParts(source: Source): Promise<Parts> {
  const named = namedTokenizer(source.config, source.model);
  return source.kind === 'bpe' ? fromVocabulary(source, named) : fromJson(source, named);
}

function fromJson(source: Source & { kind: 'json' }, named: Named | undefined): Parts | Promise<Parts> {
  const model = section(source.json, 'model');
  // Early files leave the type out.
  const type = own(model, 'type') ?? (Array.isArray(own(model, 'merges')) ? 'BPE' : 'WordPiece');
  if (type === 'WordPiece') {
    // What a model is does not say what its author cut words with: there are GPT-2s with BERT's pieces. A class
    // that is named does.
    if (named?.by === 'class' && named.family !== 'bert') throw contradicted(named, 'bert');
    return fromWordPiece(source, model, named);
  }
  if (type === 'BPE') {
    if (named?.family === 'bert') throw contradicted(named, 'gpt2');
    return fromByteLevel(source, model, named);
  }
  throw tokenizerError(
    `has a model of type ${kind(type)}, and only WordPiece (BERT) and byte-level BPE (GPT-2, RoBERTa) are supported`,
  );
}

function contradicted({ family }: Named, found: Family): TercetError {
  return tokenizerError(
    `names a tokenizer of ${family}, while the other files are of ${found}'s kind`,
    TOKENIZER_CONFIG_FILE,
  );
}

function fromWordPiece(
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
    longest: (longest as number | undefined) ?? 100,
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

async function fromByteLevel(
  { json, config, addedTokens: more }: Source & { kind: 'json' },
  model: Json,
  named: Named | undefined,
): Promise<Parts> {
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
    ...(await byteLevel(
      vocabulary,
      merges,
      prefixSpace(config, named === undefined && own(preTokenizer, 'add_prefix_space') === true),
    )),
  };
}

async function fromVocabulary(
  { vocabulary, merges, config, addedTokens: list }: Source & { kind: 'bpe' },
  named: Named | undefined,
): Promise<Parts> {
  const ownSize = sizeOf(vocabulary);
  const addedTokens = readAddedTokens(list, vocabulary, TOKENIZER_CONFIG_FILE);
  if (named === undefined) {
    throw tokenizerError(
      'does not say whose vocabulary it is: tokenizer_config.json has no tokenizer_class, and config.json no model_type that has one',
      VOCAB_FILE,
    );
  }
  const { family } = named;
  if (family === 'bert')
    throw tokenizerError('names a BERT tokenizer, which needs a tokenizer.json', TOKENIZER_CONFIG_FILE);
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
    ...(await byteLevel(vocabulary, merges, prefixSpace(config, false))),
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

async function byteLevel(
  vocabulary: ReadonlyMap<string, number>,
  merges: readonly (readonly [string, string])[],
  prefix: boolean,
) {
  const { bytePairs } = await import('./library.ts');
  const words = bytePairs(vocabulary, merges);
  return { words, model: byteLevelModel(prefix, words.encodeWord) };
}

/** tokenizer_config.json decides, as in the Python library; else the pre-tokenizer does. */
function prefixSpace(config: Json, otherwise: unknown): boolean {
  const said = own(config, 'add_prefix_space');
  return typeof said === 'boolean' ? said : otherwise === true;
}

function section(json: Json, key: string): Json {
  const value = own(json, key);
  if (!isRecord(value)) throw tokenizerError(`has ${key} of type ${typeName(value)}, not an object`);
  return value;
}

/**
 * The one part of a section, which may be wrapped in a sequence, alone; undefined where there is none.
 * @param list what a sequence calls its parts
 */
function only(json: Json, key: string, list: string, allowed: readonly string[]): Json | undefined {
  let value: unknown = own(json, key) ?? undefined;
  for (let depth = 0; depth < 4 && isRecord(value) && own(value, 'type') === 'Sequence'; depth++) {
    const parts = own(value, list);
    if (!Array.isArray(parts) || parts.length > 1)
      throw tokenizerError(`has a ${key} of several steps, which is not supported with this model`);
    value = parts[0] as unknown;
  }
  if (value === undefined) return undefined;
  if (!isRecord(value)) throw tokenizerError(`has ${key} of type ${typeName(value)}, not an object`);
  const type = own(value, 'type');
  if (typeof type === 'string' && allowed.includes(type)) return value;
  throw tokenizerError(
    `has a ${key} of type ${kind(type)}${allowed.length === 0 ? '' : `, and only ${allowed.join(', ')} is supported with this model`}`,
  );
}

/**
 * Added tokens of both files: those of tokenizer_config.json go before those of tokenizer.json that are spelled
 * alike.
 */
function merged(list: unknown, more: readonly unknown[]): readonly unknown[] {
  if (list !== undefined && list !== null && !Array.isArray(list))
    throw tokenizerError(`has added_tokens of type ${typeName(list)}, not a list`);
  const spelled = (token: unknown): unknown => (isRecord(token) ? own(token, 'content') : undefined);
  const later = new Map(more.map((token) => [spelled(token), token]));
  const first = ((list ?? []) as readonly unknown[]).map((token) => later.get(spelled(token)) ?? token);
  const known = new Set(first.map(spelled));
  return [...first, ...more.filter((token) => !known.has(spelled(token)))];
}

/** Names of lists of special tokens beside the roles, old and new. */
const MORE_SPECIAL = ['additional_special_tokens', 'extra_special_tokens'];

/** Tokens that the configuration calls special are, whatever their own entry says. */
function alsoSpecial(
  addedTokens: readonly AddedToken[],
  vocabulary: ReadonlyMap<string, number>,
  config: Json,
): AddedToken[] {
  const found = new Map(addedTokens.map((token) => [token.content, token]));
  for (const list of MORE_SPECIAL.map((key) => own(config, key))) {
    const entries: unknown[] = Array.isArray(list) ? list : isRecord(list) ? Object.values(list) : [];
    for (const entry of entries) {
      const content = isRecord(entry) ? own(entry, 'content') : entry;
      const id = typeof content === 'string' ? vocabulary.get(content) : undefined;
      if (typeof content !== 'string' || id === undefined) continue;
      const before = found.get(content) ?? {
        id,
        content,
        lstrip: false,
        rstrip: false,
        singleWord: false,
        normalized: false,
      };
      found.set(content, { ...before, special: true });
    }
  }
  return [...found.values()];
}

/** One more than the highest id. */
function sizeOf(vocabulary: ReadonlyMap<string, number>): number {
  let size = 0;
  for (const id of vocabulary.values()) size = Math.max(size, id + 1);
  return size;
}

function kind(type: unknown): string {
  return typeof type === 'string' ? quote(type) : typeName(type);
}
