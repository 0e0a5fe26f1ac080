/**
 * Where a tokenizer comes from: tokenizer.json, or what stood in its place before there was one: vocab.txt of BERT,
 * vocab.json and merges.txt of GPT-2 and RoBERTa.
 */

import { TercetError } from '../../core/errors.ts';
import { quote, typeName } from '../describe.ts';
import type { ModelFiles } from '../files.ts';
import { isRecord, own, parseModelJson } from '../json.ts';
import {
  ADDED_TOKENS_FILE,
  CONFIG_FILE,
  MERGES_FILE,
  PIECES_FILE,
  SPECIAL_TOKENS_FILE,
  TOKENIZER_CONFIG_FILE,
  TOKENIZER_FILE,
  tokenizerError,
  VOCAB_FILE,
} from './errors.ts';
import { type Role, spelledIn } from './special.ts';

/** tokenizer_config.json, config.json (each empty where it is not there), and the rest: one of three forms. */
export type Source = {
  readonly config: Record<string, unknown>;
  readonly model: Record<string, unknown>;
  /** Of tokenizer_config.json, or of the older file. */
  readonly addedTokens: readonly unknown[];
} & (
  | { readonly kind: 'json'; readonly json: Record<string, unknown> }
  | { readonly kind: 'pieces'; readonly list: Uint8Array }
  | { readonly kind: 'bpe'; readonly vocabulary: Record<string, unknown>; readonly merges: Uint8Array }
);

/** Vocabularies of other kinds, which a model may have beside or instead of what is supported. */
const OTHER_KINDS = ['spiece.model', 'sentencepiece.bpe.model', 'tokenizer.model'];
const OPTIONAL = [TOKENIZER_CONFIG_FILE, SPECIAL_TOKENS_FILE, ADDED_TOKENS_FILE];

/**
 * The names of the files that a data owner needs to tokenize for the model, in no particular order.
 * @throws {TercetError} ERR_MODEL_NOT_FOUND when the model has no tokenizer, naming what would do; ERR_TOKENIZER
 * when it has one of another kind.
 */
export async function tokenizerFiles(files: ModelFiles): Promise<string[]> {
  const there = await Promise.all(OPTIONAL.map((file) => files.has(file)));
  const optional = OPTIONAL.filter((_, i) => there[i]);
  if (await files.has(TOKENIZER_FILE))
    return [TOKENIZER_FILE, ...optional.filter((file) => file !== ADDED_TOKENS_FILE)];
  const [vocab, merges] = await Promise.all([files.has(VOCAB_FILE), files.has(MERGES_FILE)]);
  if (vocab && merges) return [VOCAB_FILE, MERGES_FILE, ...optional];
  if (await files.has(PIECES_FILE)) return [PIECES_FILE, ...optional];
  for (const file of OTHER_KINDS) {
    if (await files.has(file)) throw tokenizerError('is a SentencePiece vocabulary, which is not supported', file);
  }
  const missing = vocab ? MERGES_FILE : merges ? VOCAB_FILE : TOKENIZER_FILE;
  throw new TercetError(
    'ERR_MODEL_NOT_FOUND',
    `model ${quote(files.name)} has no file ${missing}`,
    'a model needs tokenizer.json, or vocab.txt (BERT), or vocab.json and merges.txt (GPT-2, RoBERTa)',
  );
}

export async function readSource(files: ModelFiles): Promise<Source> {
  const names = await tokenizerFiles(files);
  const optional = async (file: string): Promise<Record<string, unknown>> =>
    names.includes(file) ? await readObject(files, file) : {};
  const [said, special, added] = await Promise.all([
    optional(TOKENIZER_CONFIG_FILE),
    optional(SPECIAL_TOKENS_FILE),
    optional(ADDED_TOKENS_FILE),
  ]);
  const model = (await files.has(CONFIG_FILE)) ? await readObject(files, CONFIG_FILE) : {};
  const shared = { config: withSpecialTokens(said, special), model, addedTokens: addedTokens(said, added) };
  if (names.includes(TOKENIZER_FILE)) return { kind: 'json', json: await readObject(files, TOKENIZER_FILE), ...shared };
  if (names.includes(PIECES_FILE)) return { kind: 'pieces', list: await files.read(PIECES_FILE), ...shared };
  return {
    kind: 'bpe',
    vocabulary: await readObject(files, VOCAB_FILE),
    merges: await files.read(MERGES_FILE),
    ...shared,
  };
}

async function readObject(files: ModelFiles, file: string): Promise<Record<string, unknown>> {
  const value = parseModelJson(await files.read(file), file, 'ERR_TOKENIZER');
  if (!isRecord(value)) throw tokenizerError(`is ${typeName(value)}, not an object`, file);
  return value;
}

/**
 * The list that tokenizer.json would have: `added_tokens_decoder` of the configuration (id → token), or the older
 * file (content → id).
 */
function addedTokens(config: Record<string, unknown>, file: Record<string, unknown>): unknown[] {
  const decoder = own(config, 'added_tokens_decoder');
  if (decoder === undefined || decoder === null) return Object.entries(file).map(([content, id]) => ({ id, content }));
  if (!isRecord(decoder))
    throw tokenizerError(
      `has an added_tokens_decoder of type ${typeName(decoder)}, not an object`,
      TOKENIZER_CONFIG_FILE,
    );
  return Object.entries(decoder).map(([id, token]) => {
    if (!isRecord(token))
      throw tokenizerError(`has an added token of type ${typeName(token)}, not an object`, TOKENIZER_CONFIG_FILE);
    return { ...token, id: Number(id) };
  });
}

/** The configuration, with the special tokens that only special_tokens_map.json spells. */
function withSpecialTokens(config: Record<string, unknown>, special: Record<string, unknown>): Record<string, unknown> {
  const roles: readonly Role[] = ['cls', 'sep', 'pad', 'unk', 'mask', 'bos', 'eos'];
  const found = roles
    .filter(
      (role) => spelledIn(config, role) === undefined && spelledIn(special, role, SPECIAL_TOKENS_FILE) !== undefined,
    )
    .map((role): [string, unknown] => [`${role}_token`, own(special, `${role}_token`)]);
  const more = own(config, 'additional_special_tokens') ?? own(special, 'additional_special_tokens');
  if (more !== undefined) found.push(['additional_special_tokens', more]);
  return { ...config, ...Object.fromEntries(found) };
}
