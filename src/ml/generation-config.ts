/**
 * What a model's files say of how text is generated: `generation_config.json`, or where there is none the same keys
 * of `config.json`, as the Python library reads them. Callers' options go before all of it. What this version
 * cannot do is a notice, never dropped in silence.
 */

import { TercetError } from '../core/errors.ts';
import { CONFIG_FILE } from './config-fields.ts';
import { typeName } from './describe.ts';
import { GENERATION_FILE, type ModelFiles } from './files.ts';
import { isRecord, own, parseModelJson } from './json.ts';
import type { GenerationSettings } from './tasks/generation-options.ts';

export type { GenerationSettings };

type Json = Record<string, unknown>;

const MAX_IDS = 100_000;

/** Keys that change what is generated and that this version does not have, with the value that asks for nothing. */
const UNSUPPORTED: Readonly<Record<string, readonly unknown[]>> = {
  num_beams: [1],
  num_beam_groups: [1],
  num_return_sequences: [1],
  penalty_alpha: [0],
  constraints: [],
  force_words_ids: [],
  guidance_scale: [1],
  sequence_bias: [],
  dola_layers: [],
  exponential_decay_length_penalty: [],
  encoder_repetition_penalty: [1],
  encoder_no_repeat_ngram_size: [0],
  watermarking_config: [],
  token_healing: [false],
  max_time: [],
};
/** The same, of those that only a drawn text feels. */
const UNSUPPORTED_DRAWN: Readonly<Record<string, readonly unknown[]>> = {
  typical_p: [1],
  min_p: [0],
  top_h: [],
  epsilon_cutoff: [0],
  eta_cutoff: [0],
};

/** @throws {TercetError} ERR_MODEL_CONFIG for a value that is none, naming the key. */
export async function loadGenerationSettings(files: ModelFiles): Promise<GenerationSettings> {
  const config = await object(files, CONFIG_FILE);
  const file = (await files.has(GENERATION_FILE)) ? GENERATION_FILE : CONFIG_FILE;
  const json = file === GENERATION_FILE ? await object(files, GENERATION_FILE) : config;
  const settings = parseGenerationSettings(json, file);
  // A file without an end leaves it to the model's own.
  const eosTokenId = settings.eosTokenId ?? idList(config, 'eos_token_id', CONFIG_FILE);
  const tasks = own(config, 'task_specific_params');
  const task = isRecord(tasks) ? own(tasks, 'text-generation') : undefined;
  const old =
    isRecord(task) && Object.keys(task).length > 0
      ? [`${CONFIG_FILE} has task_specific_params for text generation, which are not read`]
      : [];
  return { ...settings, eosTokenId, notices: [...settings.notices, ...old] };
}

async function object(files: ModelFiles, file: string): Promise<Json> {
  const json = parseModelJson(await files.read(file), file, 'ERR_MODEL_CONFIG');
  if (!isRecord(json)) throw wrong(file, `is ${typeName(json)}, not an object`);
  return json;
}

/** @param file for messages */
function parseGenerationSettings(json: Json, file: string): GenerationSettings {
  const numeric = (key: string, fits: (value: number) => boolean): number | undefined => {
    const value = own(json, key) ?? undefined;
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !fits(value)) throw wrong(file, `has a ${key} that cannot be`);
    return value;
  };
  const count = (key: string, least: number): number | undefined =>
    numeric(key, (value) => Number.isSafeInteger(value) && value >= least);
  const doSample = own(json, 'do_sample') ?? undefined;
  if (doSample !== undefined && typeof doSample !== 'boolean')
    throw wrong(file, `has do_sample of type ${typeName(doSample)}`);
  const topK = count('top_k', 0);
  const forcedBos = idList(json, 'forced_bos_token_id', file);
  const settings: Omit<GenerationSettings, 'notices'> = {
    maxNewTokens: count('max_new_tokens', 1),
    maxLength: count('max_length', 1),
    minNewTokens: count('min_new_tokens', 0),
    minLength: count('min_length', 0),
    doSample,
    temperature: numeric('temperature', (value) => value > 0 && value <= 1000),
    // 0 is no limit.
    topK: doSample === true ? (topK ?? DEFAULT_TOP_K) || undefined : topK || undefined,
    topP: numeric('top_p', (value) => value > 0 && value <= 1),
    repetitionPenalty: numeric('repetition_penalty', (value) => value > 0 && value <= 1000),
    noRepeatNgramSize: count('no_repeat_ngram_size', 0),
    eosTokenId: idList(json, 'eos_token_id', file),
    suppressTokens: idList(json, 'suppress_tokens', file),
    beginSuppressTokens: idList(json, 'begin_suppress_tokens', file),
    badWordsIds: sequences(json, 'bad_words_ids', file),
    forcedBosTokenId: forcedBos?.[0],
    forcedEosTokenId: idList(json, 'forced_eos_token_id', file),
    stop: stops(json, file),
  };
  const asks = { ...UNSUPPORTED, ...(doSample === true ? UNSUPPORTED_DRAWN : {}) };
  const notices = Object.entries(asks).flatMap(([key, nothing]) => {
    const value = own(json, key) ?? undefined;
    const none = value === undefined || nothing.includes(value) || (Array.isArray(value) && value.length === 0);
    return none
      ? []
      : [
          `${file} asks for ${key}${typeof value === 'number' ? ` ${value}` : ''}, which this version does not do: the text is generated without`,
        ];
  });
  return {
    ...(Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as typeof settings),
    notices,
  };
}

/** Where a text is drawn and nobody says how many pieces compete. */
const DEFAULT_TOP_K = 50;

function wrong(file: string, what: string): TercetError {
  return new TercetError('ERR_MODEL_CONFIG', `${file} ${what}`, 'mend the file, or take it from the model again');
}

/** One id or several; undefined where there is none. */
function idList(json: Json, key: string, file: string): readonly number[] | undefined {
  const value = own(json, key) ?? undefined;
  if (value === undefined) return undefined;
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > MAX_IDS || !list.every(Number.isSafeInteger))
    throw wrong(file, `has a ${key} that is neither an id nor a list of ids`);
  // Negative ones are a way to say none.
  const ids = (list as readonly number[]).filter((id) => id >= 0);
  return ids.length === 0 ? undefined : ids;
}

function sequences(json: Json, key: string, file: string): readonly (readonly number[])[] | undefined {
  const value = own(json, key) ?? undefined;
  if (value === undefined) return undefined;
  const isIds = (list: unknown): list is readonly number[] =>
    Array.isArray(list) && list.length >= 1 && list.every((id) => Number.isSafeInteger(id) && (id as number) >= 0);
  if (!Array.isArray(value) || value.length > MAX_IDS || !value.every(isIds))
    throw wrong(file, `has ${key} that are not lists of ids`);
  return value;
}

function stops(json: Json, file: string): readonly string[] | undefined {
  const value = own(json, 'stop_strings') ?? undefined;
  if (value === undefined) return undefined;
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (!list.every((text) => typeof text === 'string')) throw wrong(file, 'has stop_strings that are not texts');
  return list as readonly string[];
}
