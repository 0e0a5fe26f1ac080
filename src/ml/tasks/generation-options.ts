/** Options of text generation, checked: names and meanings are those of transformers. */

import { TercetError } from '../../core/errors.ts';
import type { ModelConfig } from '../config.ts';
import { typeName } from '../describe.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import type { SamplingOptions } from './sampler.ts';

export interface GenerationOptions {
  /** Most pieces to add. Default 20, or what is left of the model's positions. */
  readonly maxNewTokens?: number | undefined;
  /** Most pieces with the prompt, instead of maxNewTokens. */
  readonly maxLength?: number | undefined;
  /** Default 1; 0 is the same as doSample: false. */
  readonly temperature?: number | undefined;
  /** Default: no limit. (transformers' is 50.) */
  readonly topK?: number | undefined;
  /** Default 1: no limit. */
  readonly topP?: number | undefined;
  /** Default 1: none. */
  readonly repetitionPenalty?: number | undefined;
  /** The text ends before the first of these. */
  readonly stop?: string | readonly string[] | undefined;
  /** Pieces that end the text; default the tokenizer's. An empty list: none. */
  readonly eosTokenId?: number | readonly number[] | undefined;
  /** An integer from 0: the same seed, model and prompt give the same text. */
  readonly seed?: number | undefined;
  /** Whether pieces are drawn. Default: when temperature, topK, topP or seed is given. When false, those are not used. */
  readonly doSample?: boolean | undefined;
}

/** Everything decided. */
export interface GenerationPlan extends SamplingOptions {
  readonly maxNewTokens: number;
  readonly stop: readonly string[];
  readonly eosTokenIds: readonly number[];
}

const DEFAULT_NEW_TOKENS = 20;
const MAX_STOPS = 64;
const MAX_STOP_LENGTH = 1000;

/**
 * Checks options for a prompt of `promptTokens` pieces.
 * @throws {TercetError} ERR_ARGUMENT for any that cannot be, also for more pieces than the model has positions; ERR_TOO_MANY_TOKENS when the
 * prompt leaves no room for one more.
 */
export function checkGenerationOptions(options: GenerationOptions, promptTokens: number, tokenizer: Tokenizer, config: ModelConfig): GenerationPlan {
  const { temperature, topK, topP, repetitionPenalty = 1, seed, doSample } = options;
  number('temperature', temperature, (value) => value >= 0, '0 (greedy) or more, for example 0.8');
  number('topK', topK, (value) => Number.isSafeInteger(value) && value >= 1, 'an integer from 1, for example 50');
  number('topP', topP, (value) => value > 0 && value <= 1, 'above 0 and at most 1, for example 0.9');
  number('repetitionPenalty', repetitionPenalty, (value) => value > 0, 'above 0, for example 1.2; 1 is none');
  number('seed', seed, (value) => Number.isSafeInteger(value) && value >= 0, 'an integer from 0');
  if (doSample !== undefined && typeof doSample !== 'boolean') throw wrong('doSample', `is ${typeName(doSample)}`, 'true or false');
  if (doSample === true && temperature === 0) throw wrong('temperature', 'is 0 with doSample', 'above 0 to sample, or doSample: false');
  const asked = (temperature ?? topK ?? topP ?? seed) !== undefined;
  return {
    doSample: temperature !== 0 && (doSample ?? asked),
    temperature: temperature === undefined || temperature === 0 ? 1 : temperature,
    topK,
    topP: topP ?? 1,
    repetitionPenalty,
    seed,
    maxNewTokens: newTokens(options, promptTokens, config),
    stop: stops(options.stop),
    eosTokenIds: ends(options.eosTokenId, tokenizer),
  };
}

function wrong(name: string, what: string, expected: string): TercetError {
  return new TercetError('ERR_ARGUMENT', `${name} ${what}`, `give ${expected}`);
}

function number(name: string, value: unknown, fits: (value: number) => boolean, expected: string): void {
  if (value === undefined) return;
  if (typeof value !== 'number') throw wrong(name, `is ${typeName(value)}, expected a number`, expected);
  if (!Number.isFinite(value) || !fits(value)) throw wrong(name, `is ${value}`, expected);
}

function newTokens({ maxNewTokens, maxLength }: GenerationOptions, promptTokens: number, { maxPositions }: ModelConfig): number {
  const room = maxPositions - promptTokens;
  if (room < 1) {
    const what = `the prompt has ${promptTokens} tokens, and the model takes ${maxPositions} with what it adds`;
    throw new TercetError('ERR_TOO_MANY_TOKENS', what, 'shorten the prompt');
  }
  const positive = (value: number): boolean => Number.isSafeInteger(value) && value >= 1;
  number('maxNewTokens', maxNewTokens, positive, 'an integer from 1, for example 20');
  number('maxLength', maxLength, positive, 'an integer from 1, for example 100');
  if (maxNewTokens !== undefined && maxLength !== undefined) throw wrong('maxLength', 'is given with maxNewTokens', 'one of the two');
  if (maxLength !== undefined && maxLength <= promptTokens)
    throw wrong('maxLength', `is ${maxLength}, and the prompt alone has ${promptTokens} tokens`, 'more, or maxNewTokens instead');
  const wanted = maxNewTokens ?? (maxLength === undefined ? undefined : maxLength - promptTokens);
  if (wanted === undefined) return Math.min(DEFAULT_NEW_TOKENS, room);
  if (wanted > room) {
    const [name, value, most] = maxLength === undefined ? ['maxNewTokens', wanted, room] : ['maxLength', maxLength, maxPositions];
    throw wrong(name, `is ${value}, and after a prompt of ${promptTokens} tokens the model has ${room} positions left`, `at most ${most}`);
  }
  return wanted;
}

function stops(stop: unknown): readonly string[] {
  const list: readonly unknown[] = stop === undefined ? [] : Array.isArray(stop) ? stop : [stop];
  const expected = `up to ${MAX_STOPS} texts of 1 to ${MAX_STOP_LENGTH} units`;
  if (list.length > MAX_STOPS) throw wrong('stop', `has ${list.length} entries`, expected);
  return list.map((entry) => {
    if (typeof entry !== 'string') throw wrong('stop', `has an entry of type ${typeName(entry)}`, expected);
    if (entry === '' || entry.length > MAX_STOP_LENGTH) throw wrong('stop', `has an entry of ${entry.length} units`, expected);
    return entry;
  });
}

function ends(eosTokenId: unknown, { eosTokenId: own, vocabSize }: Tokenizer): readonly number[] {
  if (eosTokenId === undefined) return own === undefined ? [] : [own];
  const list: readonly unknown[] = Array.isArray(eosTokenId) ? eosTokenId : [eosTokenId];
  return list.map((id) => {
    if (typeof id === 'number' && Number.isSafeInteger(id) && id >= 0 && id < vocabSize) return id;
    throw wrong('eosTokenId', 'has an entry that is no piece of the vocabulary', `ids from 0 to ${vocabSize - 1}`);
  });
}
