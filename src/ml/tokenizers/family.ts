/** Which family a tokenizer is of, and its parts, checked: every tokenizer but those of BERT, RoBERTa and GPT-2 is refused. */

import { quote, typeName } from '../describe.ts';
import { isRecord, own } from '../json.ts';
import type { PieceModel } from './aligned.ts';
import { byteLevelModel } from './byte-level.ts';
import { TOKENIZER_CONFIG_FILE, TOKENIZER_FILE, tokenizerError, VOCAB_FILE } from './errors.ts';
import { BARE, BERT_FRAME, type Frame, framingProcessor, readFrame, ROBERTA_FRAME } from './frame.ts';
import { buildLibrary, type Library } from './library.ts';
import { readMerges } from './merges.ts';
import type { Source } from './source.ts';
import { readSpecialTokens, type SpecialTokens, spelledIn } from './special.ts';
import type { Family } from './types.ts';
import { type AddedToken, readAddedTokens, readVocabulary } from './vocabulary.ts';
import { wordPieceModel } from './wordpiece.ts';

export interface Parts {
  readonly family: Family;
  /** The file that holds the vocabulary, for messages. */
  readonly file: string;
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly addedTokens: readonly AddedToken[];
  readonly special: SpecialTokens;
  readonly frame: Frame;
  readonly model: PieceModel;
  readonly library: Library;
}

type Json = Record<string, unknown>;

export function readParts(source: Source): Parts {
  const parts = source.kind === 'bpe' ? fromVocabulary(source) : fromJson(source.json, source.config);
  const named = namedFamily(source.config);
  if (named !== undefined && named !== parts.family) {
    throw tokenizerError(`names a tokenizer of ${named}, while the other files are of ${parts.family}'s kind`, TOKENIZER_CONFIG_FILE);
  }
  return parts;
}

function fromJson(json: Json, config: Json): Parts {
  const model = section(json, 'model');
  const type = own(model, 'type') ?? (Array.isArray(own(model, 'merges')) ? 'BPE' : 'WordPiece'); // Early files leave the type out.
  if (type === 'WordPiece') return fromWordPiece(json, model, config);
  if (type === 'BPE') return fromByteLevel(json, model, config);
  throw tokenizerError(`has a model of type ${kind(type)}, and only WordPiece (BERT) and byte-level BPE (GPT-2, RoBERTa) are supported`);
}

function fromWordPiece(json: Json, model: Json, config: Json): Parts {
  const normalizer = expectType(json, 'normalizer', 'BertNormalizer');
  expectType(json, 'pre_tokenizer', 'BertPreTokenizer');
  const decoder = expectType(json, 'decoder', 'WordPiece');
  const longest = own(model, 'max_input_chars_per_word');
  if (longest !== undefined && !(Number.isSafeInteger(longest) && (longest as number) >= 1 && (longest as number) <= 1000)) {
    throw tokenizerError('has a max_input_chars_per_word that is not an integer from 1 to 1000');
  }
  const prefix = own(model, 'continuing_subword_prefix');
  if (typeof prefix !== 'string') throw tokenizerError('has no continuing_subword_prefix');
  const unknown = own(model, 'unk_token');
  if (typeof unknown !== 'string') throw tokenizerError('has no unk_token');
  const vocabulary = readVocabulary(own(model, 'vocab'), TOKENIZER_FILE);
  const addedTokens = readAddedTokens(own(json, 'added_tokens') ?? [], vocabulary);
  if (!vocabulary.has(unknown)) throw tokenizerError(`has no unk_token ${quote(unknown)} in its vocabulary`);
  const special = readSpecialTokens('bert', config, vocabulary, TOKENIZER_FILE);
  const processor = framingProcessor(own(json, 'post_processor'));
  const on = (key: string): boolean => own(normalizer, key) === true;
  const settings = {
    cleanText: on('clean_text'),
    handleChineseChars: on('handle_chinese_chars'),
    lowercase: on('lowercase'),
    stripAccents: typeof own(normalizer, 'strip_accents') === 'boolean' ? on('strip_accents') : on('lowercase'),
  };
  const words = {
    type: 'WordPiece',
    vocab: Object.fromEntries(vocabulary),
    unk_token: unknown,
    continuing_subword_prefix: prefix,
    max_input_chars_per_word: longest ?? 100,
  };
  const library = buildLibrary(words, decoder, false, own(config, 'clean_up_tokenization_spaces') !== false);
  return {
    family: 'bert',
    file: TOKENIZER_FILE,
    vocabulary,
    addedTokens,
    special,
    frame: processor === undefined ? BERT_FRAME : readFrame(processor, special),
    model: wordPieceModel(settings, prefix, library.encodeWord),
    library,
  };
}

function fromByteLevel(json: Json, model: Json, config: Json): Parts {
  if ((own(json, 'normalizer') ?? null) !== null) throw tokenizerError('has a normalizer, which no byte-level tokenizer of GPT-2 or RoBERTa has');
  const preTokenizer = expectType(json, 'pre_tokenizer', 'ByteLevel');
  if (own(preTokenizer, 'use_regex') === false) throw tokenizerError('has a ByteLevel pre_tokenizer that does not cut words, which is not supported');
  expectType(json, 'decoder', 'ByteLevel');
  for (const key of ['continuing_subword_prefix', 'end_of_word_suffix', 'dropout', 'fuse_unk', 'byte_fallback', 'ignore_merges']) {
    const value = own(model, key) ?? false;
    if (value !== false && value !== '' && value !== 0) throw tokenizerError(`has a BPE model with ${key}, which no tokenizer of GPT-2 or RoBERTa has`);
  }
  const vocabulary = readVocabulary(own(model, 'vocab'), TOKENIZER_FILE);
  const merges = readMerges(own(model, 'merges'), vocabulary, TOKENIZER_FILE);
  const addedTokens = readAddedTokens(own(json, 'added_tokens') ?? [], vocabulary);
  const processor = framingProcessor(own(json, 'post_processor'));
  const family = processor === undefined ? 'gpt2' : 'roberta';
  const special = readSpecialTokens(family, config, vocabulary, TOKENIZER_FILE);
  return {
    family,
    file: TOKENIZER_FILE,
    vocabulary,
    addedTokens,
    special,
    frame: processor === undefined ? BARE : readFrame(processor, special),
    ...byteLevel(vocabulary, merges, prefixSpace(config, own(preTokenizer, 'add_prefix_space'))),
  };
}

function fromVocabulary(source: Source & { kind: 'bpe' }): Parts {
  const { vocabulary, merges, config } = source;
  const addedTokens = readAddedTokens(source.addedTokens, vocabulary, TOKENIZER_CONFIG_FILE);
  // Where no class is named: RoBERTa's vocabulary has GPT-2's control token as well; only RoBERTa's has a mask.
  const family = namedFamily(config) ?? (vocabulary.has('<mask>') || spelledIn(config, 'mask') !== undefined ? 'roberta' : 'gpt2');
  if (family === 'bert') throw tokenizerError('names a BERT tokenizer, which needs a tokenizer.json', TOKENIZER_CONFIG_FILE);
  const special = readSpecialTokens(family, config, vocabulary, VOCAB_FILE);
  const { mask } = special;
  if (mask !== undefined && !addedTokens.some(({ id }) => id === mask.id)) addedTokens.push(robertaMask(mask, config));
  return {
    family,
    file: VOCAB_FILE,
    vocabulary,
    addedTokens,
    special,
    frame: family === 'roberta' ? ROBERTA_FRAME : BARE,
    ...byteLevel(vocabulary, merges, prefixSpace(config, false)),
  };
}

/** RoBERTa's mask swallows the space before it, since its pieces begin with their space; a configuration may say otherwise. */
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

function byteLevel(vocabulary: ReadonlyMap<string, number>, merges: readonly (readonly [string, string])[], prefix: boolean) {
  const model = { type: 'BPE', vocab: Object.fromEntries(vocabulary), merges, unk_token: null, fuse_unk: false };
  // Cleaning up would lose spaces that the pieces hold.
  const library = buildLibrary(model, { type: 'ByteLevel' }, true, false);
  return { library, model: byteLevelModel(prefix, library.encodeWord) };
}

/** tokenizer_config.json decides, as in the Python library; else the pre-tokenizer does. */
function prefixSpace(config: Json, otherwise: unknown): boolean {
  const said = own(config, 'add_prefix_space');
  return typeof said === 'boolean' ? said : otherwise === true;
}

/** The family of `tokenizer_class`, or undefined for another class or none. */
function namedFamily(config: Json): Family | undefined {
  const name = own(config, 'tokenizer_class');
  if (typeof name !== 'string') return undefined;
  const [, base] = /^(?:Distil)?(Bert|Roberta|GPT2)Tokenizer(?:Fast)?$/.exec(name) ?? [];
  return base === undefined ? undefined : (base.toLowerCase() as Family);
}

function section(json: Json, key: string): Json {
  const value = own(json, key);
  if (!isRecord(value)) throw tokenizerError(`has ${key} of type ${typeName(value)}, not an object`);
  return value;
}

function expectType(json: Json, key: string, expected: string): Json {
  const value = section(json, key);
  const type = own(value, 'type');
  if (type !== expected) throw tokenizerError(`has a ${key} of type ${kind(type)}, and only ${expected} is supported with this model`);
  return value;
}

function kind(type: unknown): string {
  return typeof type === 'string' ? quote(type) : typeName(type);
}
