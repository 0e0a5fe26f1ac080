/**
 * What the tasks share: text → checked ids before, logits → probabilities after. All of it runs at the data owner,
 * in the clear.
 */

import { TercetError } from '../../core/errors.ts';
import type { ModelConfig } from '../config.ts';
import type { Head } from '../model-types.ts';
import { quote } from '../describe.ts';
import { checkText } from '../text.ts';
import type { Encoding, Tokenizer } from '../tokenizers/tokenizer.ts';

/** What a run of the protocol needs of a text. Tasks add fields of their own; they stay at the data owner. */
export interface TaskInput {
  /** With the model's special tokens, never padded, never cut. */
  readonly inputIds: readonly number[];
  /** Token type of each position; absent where all are 0 or the model has none. */
  readonly typeIds?: readonly number[] | undefined;
  /**
   * Positions whose outputs the task reads, ascending. Empty for a classifier, whose head reads the first position
   * by itself.
   */
  readonly rows: readonly number[];
  /**
   * Feature extraction: the one vector that is wanted, the mean of all positions or that of the first, made before
   * anything opens; 'none' wants them all.
   */
  readonly pooling?: 'mean' | 'cls' | 'none' | undefined;
  /** What the owner should know of how the text was read, or a setting of the model's files was not; sentences. */
  readonly notices?: readonly string[] | undefined;
}

/** @throws {TercetError} ERR_MODEL_UNSUPPORTED unless the model has this head. */
export function checkHead(config: ModelConfig, head: Head, task: string): void {
  if (config.head === head) return;
  const needed = head === 'none' ? 'a model without a head' : `a ${head} head`;
  throw new TercetError(
    'ERR_MODEL_UNSUPPORTED',
    `the model is a ${config.architecture}, and ${task} needs ${needed}`,
    'choose another task or model',
  );
}

/**
 * Checks and encodes a text for a model, with its special tokens, not padded.
 * @throws {TercetError} as checkText; ERR_TEXT_EMPTY when only invisible characters are in it; ERR_TOO_MANY_TOKENS
 * beyond the model's positions; ERR_MODEL_CONFIG when the tokenizer is of another model.
 */
export function encodeForModel(text: unknown, tokenizer: Tokenizer, config: ModelConfig, allowMask: boolean): Encoding {
  checkVocabulary(tokenizer, config);
  const encoding = tokenizer.encode(checkText(text, tokenizer.maxCharacters), { allowMask });
  checkEmbedded(encoding.ids, config);
  const { length } = encoding.ids;
  if (length <= specialIds(tokenizer).length) throw emptyText('text');
  if (length > config.maxPositions) throw tooManyTokens(length, tokenizer, config, 'shorten the text or split it');
  return encoding;
}

/**
 * Checks and encodes two texts as one input.
 * @param names how messages call the two, like ['question', 'context']
 * @throws {TercetError} as encodeForModel, naming the text; ERR_MODEL_UNSUPPORTED for a tokenizer without pairs.
 */
export function encodePairForModel(
  first: unknown,
  second: unknown,
  names: readonly [string, string],
  tokenizer: Tokenizer,
  config: ModelConfig,
  tooLong: string,
): Encoding {
  checkVocabulary(tokenizer, config);
  const { maxCharacters } = tokenizer;
  const [one, two] = [checkNamed(first, names[0], maxCharacters), checkNamed(second, names[1], maxCharacters)];
  const encoding = tokenizer.encodePair(one, two);
  checkEmbedded(encoding.ids, config);
  for (const segment of [0, 1] as const) if (!encoding.segments.includes(segment)) throw emptyText(names[segment]);
  if (encoding.ids.length > config.maxPositions)
    throw tooManyTokens(encoding.ids.length, tokenizer, config, tooLong, `${names[0]} and ${names[1]} have`);
  return encoding;
}

/**
 * Ids, token types where the model has more than one and the input uses them, and a notice of special tokens that
 * the text spells.
 */
export function idsOf(
  { ids, typeIds, cut }: Encoding,
  config: ModelConfig,
): { inputIds: readonly number[]; typeIds?: readonly number[] | undefined; notices?: readonly string[] | undefined } {
  const types = config.typeVocabSize >= 2 && typeIds.some((type) => type !== 0) ? typeIds : undefined;
  return { inputIds: ids, typeIds: types, notices: cut.length > 0 ? [cutNotice(cut)] : undefined };
}

const SHOWN = 5;

function cutNotice(cut: readonly string[]): string {
  const names = cut.slice(0, SHOWN).map(quote).join(', ') + (cut.length > SHOWN ? ', …' : '');
  const what = cut.length === 1 ? 'a special token of this model; it was' : 'special tokens of this model; they were';
  return `the text spells ${names}, ${what} read as plain text — allow special tokens (specialTokens: 'allow', --special-tokens allow) if they are meant as such`;
}

/** 0 … length-1: a task that reads every position. */
export function allRows(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

/** checkText, with messages that say which text it is. */
export function checkNamed(text: unknown, name: string, most: number): string {
  try {
    return checkText(text, most);
  } catch (error) {
    if (!(error instanceof TercetError)) throw error;
    throw new TercetError(error.code, error.message.replace('the text', `the ${name}`), error.hint);
  }
}

/**
 * Tokens that were added may lie beyond the embeddings, as padding does that a model was not resized for, as long
 * as no text has one.
 */
function checkVocabulary(tokenizer: Tokenizer, config: ModelConfig): void {
  if (tokenizer.ownVocabSize <= config.vocabSize) return;
  throw new TercetError(
    'ERR_MODEL_CONFIG',
    `the tokenizer has ids up to ${tokenizer.ownVocabSize - 1}, and config.json says vocab_size ${config.vocabSize}`,
    'take tokenizer.json and config.json from the same model',
  );
}

function checkEmbedded(ids: readonly number[], config: ModelConfig): void {
  const beyond = ids.find((id) => id >= config.vocabSize);
  if (beyond === undefined) return;
  throw new TercetError(
    'ERR_MODEL_CONFIG',
    `a token of the text has the id ${beyond}, and the model has embeddings for ids below ${config.vocabSize}`,
    'the token was added to the tokenizer and the model was not resized: leave it out, or take a model that has it',
  );
}

function emptyText(name: string): TercetError {
  return new TercetError(
    'ERR_TEXT_EMPTY',
    `the ${name} has no visible characters`,
    'give a sentence, for example "hello"',
  );
}

/** What the model puts around a text: [CLS] and [SEP], <s> and </s>, or nothing. */
function specialIds({ clsTokenId, sepTokenId }: Tokenizer): number[] {
  return [clsTokenId, sepTokenId].flatMap((id) => id ?? []);
}

function tooManyTokens(
  length: number,
  tokenizer: Tokenizer,
  config: ModelConfig,
  hint: string,
  who = 'text has',
): TercetError {
  const special = specialIds(tokenizer).map((id) => tokenizer.decodeToken(id));
  const counted = special.length === 0 ? '' : ` with ${special.join(' and ')}`;
  return new TercetError(
    'ERR_TOO_MANY_TOKENS',
    `the ${who} ${length} tokens${counted}, and the model takes ${config.maxPositions}: ${length - config.maxPositions} too many`,
    hint,
  );
}

/**
 * Softmax of a row of logits, in float64, stable: n → n probabilities that sum to 1.
 * @throws {TercetError} ERR_RANGE when a logit is not finite.
 */
export function softmax(logits: ArrayLike<number>): Float64Array {
  checkFinite(logits);
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) largest = Math.max(largest, logits[i]);
  const out = Float64Array.from(logits, (logit) => Math.exp(logit - largest));
  let sum = 0;
  for (const value of out) sum += value;
  return out.map((value) => value / sum);
}

/** The indices of the `count` largest of values[0 … limit), largest first; of equals the lower index first. */
export function topIndices(values: ArrayLike<number>, count: number, limit = values.length): number[] {
  const order = Array.from({ length: Math.min(limit, values.length) }, (_, i) => i);
  return order.sort((a, b) => values[b] - values[a] || a - b).slice(0, count);
}

/** @throws {TercetError} ERR_ARGUMENT unless topK is a positive integer; more than there are answers is allowed. */
export function checkTopK(topK: number): void {
  if (!Number.isSafeInteger(topK) || topK < 1)
    throw new TercetError('ERR_ARGUMENT', 'top-k is not a positive integer', 'give for example 5');
}

/** @throws {TercetError} ERR_SHAPE unless there are `expected` logits. */
export function checkLogits(logits: ArrayLike<number>, expected: number): void {
  if (logits.length !== expected)
    throw new TercetError(
      'ERR_SHAPE',
      `got ${logits.length} logits, expected ${expected}`,
      'this is a bug in Tercet, please report it',
    );
}

/**
 * logits (rows, V) of a vocabulary → V, which may be padded beyond the tokenizer's, or end before tokens that were
 * added to it.
 * @throws {TercetError} ERR_SHAPE
 */
export function vocabularyWidth(logits: ArrayLike<number>, rows: number, tokenizer: Tokenizer): number {
  const width = logits.length / rows;
  checkLogits(logits, Math.max(tokenizer.ownVocabSize, Math.floor(width)) * rows);
  return width;
}

/** @throws {TercetError} ERR_RANGE when a logit is not finite. */
export function checkFinite(logits: ArrayLike<number>): void {
  for (let i = 0; i < logits.length; i++) {
    if (!Number.isFinite(logits[i]))
      throw new TercetError(
        'ERR_RANGE',
        `logit ${i} of ${logits.length} is not a finite number`,
        'the model or the run is broken',
      );
  }
}
