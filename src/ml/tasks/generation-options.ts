/** Options of text generation, checked: names and meanings are those of transformers. */

import { TercetError } from '../../core/errors.ts';
import type { ModelConfig } from '../config.ts';
import { typeName } from '../describe.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import type { Rules, SamplingOptions } from './sampler.ts';

/** What is left out is as the model's files say (`generation-config.ts`), else the default. */
export interface GenerationOptions {
  /** Most pieces to add. Default 20, or what is left of the model's positions. */
  readonly maxNewTokens?: number | undefined;
  /** Most pieces with the prompt, instead of maxNewTokens. */
  readonly maxLength?: number | undefined;
  /** No end before so many new pieces. Default 0. */
  readonly minNewTokens?: number | undefined;
  /** No end before so many pieces with the prompt. Default 0. */
  readonly minLength?: number | undefined;
  /** Default 1; 0 is the same as doSample: false. */
  readonly temperature?: number | undefined;
  /** Default: no limit, or 50 where the files ask for drawing. (transformers' is 50.) */
  readonly topK?: number | undefined;
  /** Default 1: no limit. */
  readonly topP?: number | undefined;
  /** Default 1: none. */
  readonly repetitionPenalty?: number | undefined;
  /** No run of so many pieces comes twice, the prompt included. Default 0: any may. */
  readonly noRepeatNgramSize?: number | undefined;
  /** Pieces that never come. */
  readonly suppressTokens?: readonly number[] | undefined;
  /** Pieces that do not come first. */
  readonly beginSuppressTokens?: readonly number[] | undefined;
  /** Runs of pieces that never come. */
  readonly badWordsIds?: readonly (readonly number[])[] | undefined;
  /** The piece behind a prompt of one piece. */
  readonly forcedBosTokenId?: number | undefined;
  /** Pieces of which the last one of the longest text is one. */
  readonly forcedEosTokenId?: number | readonly number[] | undefined;
  /** The text ends before the first of these. */
  readonly stop?: string | readonly string[] | undefined;
  /** Pieces that end the text; default the files', else the tokenizer's. An empty list: none. */
  readonly eosTokenId?: number | readonly number[] | undefined;
  /** An integer from 0: the same seed, model and prompt give the same text. */
  readonly seed?: number | undefined;
  /**
   * Whether pieces are drawn. Default: when temperature, topK, topP or seed is given, else as the files say. When
   * false, those are not used.
   */
  readonly doSample?: boolean | undefined;
}

/** What a model's files say (`generation-config.ts`). */
export interface GenerationSettings extends Omit<GenerationOptions, 'seed'> {
  /** Settings that cannot be honoured; sentences. */
  readonly notices: readonly string[];
}

export const NO_SETTINGS: GenerationSettings = { notices: [] };

/** Everything decided. */
export interface GenerationPlan extends SamplingOptions {
  readonly rules: Rules;
  readonly maxNewTokens: number;
  readonly stop: readonly string[];
  readonly eosTokenIds: readonly number[];
}

const DEFAULT_NEW_TOKENS = 20;
const MAX_STOPS = 64;
const MAX_STOP_LENGTH = 1000;

/**
 * Checks options for a prompt of `promptTokens` pieces.
 * @throws {TercetError} ERR_ARGUMENT for any that cannot be, also for more pieces than the model has positions;
 * ERR_TOO_MANY_TOKENS when the prompt leaves no room for one more.
 */
export function checkGenerationOptions(
  options: GenerationOptions,
  promptTokens: number,
  tokenizer: Tokenizer,
  config: ModelConfig,
  settings: GenerationSettings = NO_SETTINGS,
): GenerationPlan {
  const { temperature, topK, topP, seed, doSample } = options;
  const repetitionPenalty = options.repetitionPenalty ?? settings.repetitionPenalty ?? 1;
  number('temperature', temperature, (value) => value >= 0, '0 (greedy) or more, for example 0.8');
  number('topK', topK, (value) => Number.isSafeInteger(value) && value >= 1, 'an integer from 1, for example 50');
  number('topP', topP, (value) => value > 0 && value <= 1, 'above 0 and at most 1, for example 0.9');
  number('repetitionPenalty', repetitionPenalty, (value) => value > 0, 'above 0, for example 1.2; 1 is none');
  number('seed', seed, (value) => Number.isSafeInteger(value) && value >= 0, 'an integer from 0');
  for (const name of ['noRepeatNgramSize', 'minNewTokens', 'minLength'] as const)
    number(name, options[name], (value) => Number.isSafeInteger(value) && value >= 0, 'an integer from 0; 0 is none');
  if (doSample !== undefined && typeof doSample !== 'boolean')
    throw wrong('doSample', `is ${typeName(doSample)}`, 'true or false');
  if (doSample === true && temperature === 0)
    throw wrong('temperature', 'is 0 with doSample', 'above 0 to sample, or doSample: false');
  const asked = (temperature ?? topK ?? topP ?? seed) !== undefined;
  const maxNewTokens = newTokens(options, settings, promptTokens, config);
  const either = <K extends keyof GenerationOptions & keyof GenerationSettings>(key: K) =>
    options[key] ?? settings[key];
  const known = (key: 'suppressTokens' | 'beginSuppressTokens' | 'forcedEosTokenId' | 'forcedBosTokenId') =>
    ids(key, options[key] ?? settings[key]);
  const eosTokenIds = ends(options.eosTokenId, settings.eosTokenId, tokenizer);
  return {
    doSample: temperature !== 0 && (doSample ?? (asked || (settings.doSample ?? false))),
    temperature: temperature === 0 ? 1 : (either('temperature') ?? 1),
    topK: either('topK'),
    topP: either('topP') ?? 1,
    repetitionPenalty,
    seed,
    maxNewTokens,
    stop: stops(either('stop')),
    eosTokenIds,
    rules: {
      promptTokens,
      noRepeatNgramSize: either('noRepeatNgramSize') ?? 0,
      suppress: known('suppressTokens'),
      beginSuppress: known('beginSuppressTokens'),
      badWords: runs(either('badWordsIds')),
      leastTokens: Math.max(promptTokens + (either('minNewTokens') ?? 0), either('minLength') ?? 0),
      eosTokenIds,
      forcedFirst: known('forcedBosTokenId')[0],
      forcedLast: known('forcedEosTokenId'),
      lastTokens: promptTokens + maxNewTokens,
    },
  };
}

function ids(name: string, value: unknown): readonly number[] {
  const list: readonly unknown[] = value === undefined ? [] : Array.isArray(value) ? value : [value];
  if (list.every((id) => Number.isSafeInteger(id) && (id as number) >= 0)) return list as readonly number[];
  throw wrong(name, 'has an entry that is no id', 'ids of pieces, integers from 0');
}

function runs(value: unknown): readonly (readonly number[])[] {
  const list: unknown = value ?? [];
  if (Array.isArray(list) && list.every((run) => Array.isArray(run) && run.length >= 1))
    return list.map((run) => ids('badWordsIds', run));
  throw wrong('badWordsIds', 'is not a list of lists', 'ids of pieces, like [[5, 17]]');
}

function wrong(name: string, what: string, expected: string): TercetError {
  return new TercetError('ERR_ARGUMENT', `${name} ${what}`, `give ${expected}`);
}

function number(name: string, value: unknown, fits: (value: number) => boolean, expected: string): void {
  if (value === undefined) return;
  if (typeof value !== 'number') throw wrong(name, `is ${typeName(value)}, expected a number`, expected);
  if (!Number.isFinite(value) || !fits(value)) throw wrong(name, `is ${value}`, expected);
}

function newTokens(
  { maxNewTokens, maxLength }: GenerationOptions,
  settings: GenerationSettings,
  promptTokens: number,
  { maxPositions }: ModelConfig,
): number {
  const room = maxPositions - promptTokens;
  if (room < 1) {
    const what = `the prompt has ${promptTokens} tokens, and the model takes ${maxPositions} with what it adds`;
    throw new TercetError('ERR_TOO_MANY_TOKENS', what, 'shorten the prompt');
  }
  const positive = (value: number): boolean => Number.isSafeInteger(value) && value >= 1;
  number('maxNewTokens', maxNewTokens, positive, 'an integer from 1, for example 20');
  number('maxLength', maxLength, positive, 'an integer from 1, for example 100');
  if (maxNewTokens !== undefined && maxLength !== undefined)
    throw wrong('maxLength', 'is given with maxNewTokens', 'one of the two');
  if (maxLength !== undefined && maxLength <= promptTokens)
    throw wrong(
      'maxLength',
      `is ${maxLength}, and the prompt alone has ${promptTokens} tokens`,
      'more, or maxNewTokens instead',
    );
  const wanted = maxNewTokens ?? (maxLength === undefined ? undefined : maxLength - promptTokens);
  if (wanted === undefined) return Math.min(declaredTokens(settings, promptTokens), room);
  if (wanted > room) {
    const [name, value, most] =
      maxLength === undefined ? ['maxNewTokens', wanted, room] : ['maxLength', maxLength, maxPositions];
    throw wrong(
      name,
      `is ${value}, and after a prompt of ${promptTokens} tokens the model has ${room} positions left`,
      `at most ${most}`,
    );
  }
  return wanted;
}

/** New pieces where the caller says nothing. */
function declaredTokens({ maxNewTokens, maxLength }: GenerationSettings, promptTokens: number): number {
  if (maxNewTokens !== undefined) return maxNewTokens;
  if (maxLength === undefined) return DEFAULT_NEW_TOKENS;
  if (maxLength > promptTokens) return maxLength - promptTokens;
  throw wrong(
    'maxLength',
    `is ${maxLength} by the model's files, and the prompt alone has ${promptTokens} tokens`,
    'maxNewTokens',
  );
}

function stops(stop: unknown): readonly string[] {
  const list: readonly unknown[] = stop === undefined ? [] : Array.isArray(stop) ? stop : [stop];
  const expected = `up to ${MAX_STOPS} texts of 1 to ${MAX_STOP_LENGTH} units`;
  if (list.length > MAX_STOPS) throw wrong('stop', `has ${list.length} entries`, expected);
  return list.map((entry) => {
    if (typeof entry !== 'string') throw wrong('stop', `has an entry of type ${typeName(entry)}`, expected);
    if (entry === '' || entry.length > MAX_STOP_LENGTH)
      throw wrong('stop', `has an entry of ${entry.length} units`, expected);
    return entry;
  });
}

function ends(
  eosTokenId: unknown,
  declared: GenerationSettings['eosTokenId'],
  { eosTokenId: own, vocabSize }: Tokenizer,
): readonly number[] {
  if (eosTokenId === undefined)
    return declared === undefined ? (own === undefined ? [] : [own]) : ids('eosTokenId', declared);
  const list: readonly unknown[] = Array.isArray(eosTokenId) ? eosTokenId : [eosTokenId];
  return list.map((id) => {
    if (typeof id === 'number' && Number.isSafeInteger(id) && id >= 0 && id < vocabSize) return id;
    throw wrong('eosTokenId', 'has an entry that is no piece of the vocabulary', `ids from 0 to ${vocabSize - 1}`);
  });
}
