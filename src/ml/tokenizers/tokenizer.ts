/**
 * Text ↔ tokens, over `@huggingface/tokenizers` and the two JSON files of a model; nothing is fetched.
 *
 * **Control tokens in user text.** The library, like the Python one, turns a literal `[SEP]` that a user typed into the control token. Here a
 * text cannot forge the structure of a model's input: `[CLS]`, `[SEP]`, `[PAD]` and `[UNK]` are always plain text (they become pieces such as
 * `[`, `sep`, `]`), and `[MASK]` is the mask token only where the caller says `allowMask`, which is fill-mask alone. It is recognised exactly
 * as the model spells it. Added tokens that are not special stay what the model's author made them.
 *
 * Padding and truncation settings of tokenizer.json are ignored: nothing is ever cut in silence (the tasks refuse what is too long).
 */

import { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import { TercetError } from '../../core/errors.ts';
import { quote, typeName } from '../describe.ts';
import type { ModelFiles } from '../files.ts';
import { isRecord, own, parseModelJson } from '../json.ts';
import { bertParity } from './bert-parity.ts';

export const TOKENIZER_FILE = 'tokenizer.json';
export const TOKENIZER_CONFIG_FILE = 'tokenizer_config.json';

export interface Encoding {
  /** [CLS], the text, [SEP]. Never padded, never cut. */
  readonly ids: number[];
  /** The pieces of the same positions; they hold the text, so they belong in no message. */
  readonly tokens: string[];
}

export interface EncodeOptions {
  /** Whether a literal `[MASK]` in the text is the mask token (fill-mask) or plain text (every other task). */
  readonly allowMask: boolean;
}

export interface Tokenizer {
  /** Ids are below this. */
  readonly vocabSize: number;
  readonly clsTokenId: number;
  readonly sepTokenId: number;
  readonly padTokenId: number;
  readonly unkTokenId: number;
  readonly maskTokenId: number;
  /** How a user writes the mask: `[MASK]`. */
  readonly maskToken: string;
  /** Encodes a text that passed `checkText`. A text without any piece (only invisible characters) gives [CLS] [SEP]. */
  encode(text: string, options: EncodeOptions): Encoding;
  /** The piece of an id as the vocabulary has it (`paris`, `##s`). @throws {TercetError} ERR_RANGE when there is no such id. */
  decodeToken(id: number): string;
  /** Readable text of ids, without [CLS], [SEP] and [PAD]. @throws {TercetError} ERR_RANGE as decodeToken. */
  decode(ids: readonly number[]): string;
}

type Special = 'cls' | 'sep' | 'pad' | 'unk' | 'mask';
const MAX_VOCABULARY = 2_000_000;

/**
 * Loads a BERT tokenizer from `tokenizer.json` and `tokenizer_config.json`.
 * @throws {TercetError} ERR_MODEL_NOT_FOUND for a missing file, ERR_TOKENIZER for one that is HTML, damaged, contradictory or of another kind.
 */
export async function loadTokenizer(files: ModelFiles): Promise<Tokenizer> {
  const [model, config] = await Promise.all([readObject(files, TOKENIZER_FILE), readObject(files, TOKENIZER_CONFIG_FILE)]);
  const vocabulary = checkModel(model);
  const special = specialTokens(config);
  const addedTokens = plainAddedTokens(model, vocabulary, special);
  const pieces = tableOfPieces(vocabulary);
  const idOf = (kind: Special): number => {
    const id = vocabulary.get(special[kind]);
    if (id === undefined) throw tokenizerError(`has no ${kind} token ${quote(special[kind])} in its vocabulary`);
    return id;
  };
  const ids = { cls: idOf('cls'), sep: idOf('sep'), pad: idOf('pad'), unk: idOf('unk'), mask: idOf('mask') };
  const structural = new Set([ids.cls, ids.sep, ids.pad]);
  const library = build(
    { ...model, model: { ...(model.model as object), vocab: Object.fromEntries(vocabulary) }, added_tokens: addedTokens, post_processor: null },
    config,
  );
  const adapt = bertParity(own(model, 'normalizer'));

  const encodePlain = (text: string): { ids: number[]; tokens: string[] } => {
    let encoded: { ids: number[]; tokens: string[] };
    try {
      encoded = library.encode(adapt(text), { add_special_tokens: false });
    } catch {
      // The library's error may quote the text.
      throw new TercetError(
        'ERR_TOKENIZER',
        `the tokenizer failed on a text of ${text.length} units`,
        'this is a bug, please report it with a text that shows it',
      );
    }
    // SECURITY: no text becomes a control token, whatever the vocabulary spells them like (test/ml/tokenizer.test.ts).
    if (encoded.ids.some((id) => id === ids.mask || structural.has(id))) {
      throw tokenizerError('spells a control token as an ordinary word, so that a text could forge it');
    }
    return encoded;
  };
  const piece = (id: number): string => {
    const found = pieces[id];
    if (found === undefined)
      throw new TercetError('ERR_RANGE', `token id ${id} is not in the vocabulary of ${pieces.length}`, 'take the tokenizer that belongs to the model');
    return found;
  };

  return {
    vocabSize: pieces.length,
    clsTokenId: ids.cls,
    sepTokenId: ids.sep,
    padTokenId: ids.pad,
    unkTokenId: ids.unk,
    maskTokenId: ids.mask,
    maskToken: special.mask,
    encode(text, { allowMask }) {
      const encoding: Encoding = { ids: [ids.cls], tokens: [special.cls] };
      const parts = allowMask ? text.split(special.mask) : [text];
      for (const [i, part] of parts.entries()) {
        if (i > 0) append(encoding, { ids: [ids.mask], tokens: [special.mask] });
        if (part !== '') append(encoding, encodePlain(part));
      }
      return append(encoding, { ids: [ids.sep], tokens: [special.sep] });
    },
    decodeToken: piece,
    decode(list) {
      for (const id of list) piece(id);
      const shown = list.filter((id) => !structural.has(id));
      return shown.length === 0 ? '' : library.decode(shown);
    },
  };
}

function append(encoding: Encoding, more: { ids: readonly number[]; tokens: readonly string[] }): Encoding {
  for (const id of more.ids) encoding.ids.push(id);
  for (const token of more.tokens) encoding.tokens.push(token);
  return encoding;
}

function tokenizerError(what: string, file = TOKENIZER_FILE): TercetError {
  return new TercetError('ERR_TOKENIZER', `${file} ${what}`, 'take tokenizer.json and tokenizer_config.json of a BERT model, both from the same place');
}

async function readObject(files: ModelFiles, file: string): Promise<Record<string, unknown>> {
  const value = parseModelJson(await files.read(file), file, 'ERR_TOKENIZER');
  if (!isRecord(value)) throw tokenizerError(`is ${typeName(value)}, not an object`, file);
  return value;
}

/** Refuses every tokenizer but BERT's, and returns its vocabulary: piece → id, the ids being 0 … n-1. */
function checkModel(json: Record<string, unknown>): Map<string, number> {
  const part = (key: string): Record<string, unknown> => {
    const value = own(json, key);
    if (!isRecord(value)) throw tokenizerError(`has ${key} of type ${typeName(value)}, not an object`);
    return value;
  };
  const model = part('model');
  const kinds = { normalizer: 'BertNormalizer', pre_tokenizer: 'BertPreTokenizer', model: 'WordPiece', decoder: 'WordPiece' };
  for (const [key, expected] of Object.entries(kinds)) {
    const type = own(part(key), 'type');
    // Early files leave the model's type out.
    if (type !== expected && !(key === 'model' && type === undefined)) {
      throw tokenizerError(`has a ${key} of type ${typeof type === 'string' ? quote(type) : typeName(type)}, and only ${expected} is supported`);
    }
  }
  const longest = own(model, 'max_input_chars_per_word');
  if (longest !== undefined && !(Number.isSafeInteger(longest) && (longest as number) >= 1 && (longest as number) <= 1000)) {
    throw tokenizerError('has a max_input_chars_per_word that is not an integer from 1 to 1000');
  }
  if (typeof own(model, 'continuing_subword_prefix') !== 'string') throw tokenizerError('has no continuing_subword_prefix');
  if (typeof own(model, 'unk_token') !== 'string') throw tokenizerError('has no unk_token');
  const vocab = own(model, 'vocab');
  if (!isRecord(vocab)) throw tokenizerError(`has a vocabulary of type ${typeName(vocab)}, not an object`);
  const vocabulary = new Map<string, number>();
  for (const [piece, id] of Object.entries(vocab)) vocabulary.set(piece, checkId(id));
  return vocabulary;
}

function checkId(id: unknown): number {
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0 || id >= MAX_VOCABULARY) throw tokenizerError('has a token id that is not a sane integer');
  return id;
}

/** The special tokens' spellings: BERT's, unless tokenizer_config.json says otherwise (a string, or an object with `content`). */
function specialTokens(config: Record<string, unknown>): Record<Special, string> {
  const spelling = (kind: Special): string => {
    const value = own(config, `${kind}_token`);
    if (value === undefined || value === null) return `[${kind.toUpperCase()}]`;
    const content = isRecord(value) ? own(value, 'content') : value;
    if (typeof content !== 'string' || content === '') throw tokenizerError(`has a ${kind}_token that is not a string`, TOKENIZER_CONFIG_FILE);
    return content;
  };
  return { cls: spelling('cls'), sep: spelling('sep'), pad: spelling('pad'), unk: spelling('unk'), mask: spelling('mask') };
}

/** Puts every added token into `vocabulary`, and returns those that may be recognised in a text: the ones that are not special. */
function plainAddedTokens(json: Record<string, unknown>, vocabulary: Map<string, number>, special: Record<Special, string>): Record<string, unknown>[] {
  const list = own(json, 'added_tokens') ?? [];
  if (!Array.isArray(list)) throw tokenizerError(`has added_tokens of type ${typeName(list)}, not a list`);
  const structural = new Set(Object.values(special));
  const plain: Record<string, unknown>[] = [];
  for (const token of list as unknown[]) {
    const content = isRecord(token) ? own(token, 'content') : undefined;
    if (!isRecord(token) || typeof content !== 'string' || content === '') throw tokenizerError('has an added token without content');
    const id = checkId(own(token, 'id'));
    if ((vocabulary.get(content) ?? id) !== id) throw tokenizerError(`gives two ids to ${quote(content)}`);
    vocabulary.set(content, id);
    if (own(token, 'special') !== true && !structural.has(content)) plain.push(token);
  }
  return plain;
}

/** id → piece. Every id from 0 to the highest must have exactly one. */
function tableOfPieces(vocabulary: ReadonlyMap<string, number>): readonly string[] {
  const pieces: string[] = new Array<string>(vocabulary.size);
  let filled = 0;
  for (const [piece, id] of vocabulary) {
    if (id >= vocabulary.size || pieces[id] !== undefined) throw tokenizerError(`has ${vocabulary.size} pieces whose ids are not 0 to ${vocabulary.size - 1}`);
    pieces[id] = piece;
    filled++;
  }
  if (filled === 0) throw tokenizerError('has an empty vocabulary');
  return pieces;
}

function build(tokenizer: Record<string, unknown>, config: Record<string, unknown>): LibraryTokenizer {
  // Of the configuration the library needs these two alone; a hostile rest (remove_space, do_lowercase_and_remove_accent …) cannot act.
  const settings = { clean_up_tokenization_spaces: own(config, 'clean_up_tokenization_spaces') !== false };
  try {
    return new LibraryTokenizer(tokenizer, settings);
  } catch (cause) {
    throw new TercetError('ERR_TOKENIZER', `${TOKENIZER_FILE} was refused by the tokenizer library`, 'take the tokenizer.json that belongs to the model', {
      cause,
    });
  }
}
