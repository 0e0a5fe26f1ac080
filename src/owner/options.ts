/**
 * Options that nobody knows are refused, not dropped: who asks for something, above all for more security, never
 * gets less without an error. Types say the same to TypeScript; this is for JavaScript, for objects that were
 * spread, and for options under another library's names.
 */
import { TercetError } from '../core/errors.ts';
import { quote } from '../ml/describe.ts';
import { RUN_PLANS } from '../session/run-plan.ts';
import type { Method } from './methods.ts';
import type {
  AnswerOptions,
  BatchOptions,
  ClassifyOptions,
  EmbedOptions,
  EntityOptions,
  GenerateOptions,
  PredictOptions,
  PrepareOptions,
  PretrainedOptions,
} from './types/index.ts';

/** The names of the options of one call; the compiler holds them equal to its type. */
export type OptionNames<Options> = Readonly<Record<keyof Options, true>>;

const RUN = { topK: true, specialTokens: true, signal: true } as const;
const CLASSIFY: OptionNames<ClassifyOptions> = {
  ...RUN,
  labels: true,
  template: true,
  verbalizers: true,
  hypothesisTemplate: true,
  multiLabel: true,
};

const PRETRAINED: OptionNames<PretrainedOptions> = {
  deployment: true,
  hub: true,
  protocol: true,
  securityLevel: true,
  weights: true,
  credential: true,
  dealer: true,
  plan: true,
  device: true,
  transport: true,
  transportTimeoutMs: true,
  associations: true,
  buckets: true,
  batchSize: true,
  maxCharacters: true,
  page: true,
  progress_callback: true,
  onFallback: true,
  trace: true,
  signal: true,
};

/** By method of a model. */
export const OPTIONS = {
  prepare: { blanks: true, sequences: true, maxNewTokens: true, signal: true } satisfies OptionNames<PrepareOptions>,
  predict: { ...RUN, targets: true } satisfies OptionNames<PredictOptions>,
  classify: CLASSIFY,
  classifyBatch: { ...CLASSIFY, batchSize: true } satisfies OptionNames<BatchOptions>,
  answerQuestion: { ...RUN, maxAnswerLength: true, handleImpossible: true } satisfies OptionNames<AnswerOptions>,
  extractEntities: {
    aggregation: true,
    ignoreLabels: true,
    specialTokens: true,
    signal: true,
  } satisfies OptionNames<EntityOptions>,
  embed: {
    pooling: true,
    normalize: true,
    batchSize: true,
    specialTokens: true,
    signal: true,
  } satisfies OptionNames<EmbedOptions>,
  generate: {
    maxNewTokens: true,
    maxLength: true,
    temperature: true,
    topK: true,
    topP: true,
    repetitionPenalty: true,
    noRepeatNgramSize: true,
    doSample: true,
    eosTokenId: true,
    minNewTokens: true,
    minLength: true,
    suppressTokens: true,
    beginSuppressTokens: true,
    badWordsIds: true,
    forcedBosTokenId: true,
    forcedEosTokenId: true,
    specialTokens: true,
    stop: true,
    seed: true,
    signal: true,
  } satisfies OptionNames<GenerateOptions>,
} as const satisfies Record<Method | 'prepare', object>;

/** `top_k`, `topk` and `topK` are the same name to a reader. */
const folded = (name: string) => name.replaceAll(/[_-]/g, '').toLowerCase();

/**
 * Options that are an object with no names but the known ones. One that is undefined asks for nothing.
 * @param call as the caller wrote it, for the message
 * @throws {TercetError} ERR_ARGUMENT, naming the option and, where there is one, the name that was meant
 */
export function checkOptions<Options extends object>(
  call: string,
  options: Options,
  names: OptionNames<Required<Options>>,
): Options;
export function checkOptions(call: string, options: object, names: Readonly<Record<string, true>>): object {
  const known = Object.keys(names);
  const hint = `its options are ${known.join(', ')}`;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TercetError('ERR_ARGUMENT', `the options of ${call} are no object`, hint);
  }
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || Object.hasOwn(names, name)) continue;
    const meant = known.find((other) => folded(other) === folded(name));
    throw new TercetError(
      'ERR_ARGUMENT',
      `${call} has no option ${quote(name)}, and drops none`,
      meant === undefined ? hint : `write ${meant}`,
    );
  }
  return options;
}

const CHOICES = {
  weights: ['open', 'secret'],
  plan: RUN_PLANS,
  device: ['auto', 'webgpu', 'wasm'],
  transport: ['auto', 'webrtc', 'websocket'],
} as const satisfies {
  readonly [Name in 'weights' | 'plan' | 'device' | 'transport']: readonly PretrainedOptions[Name][];
};

/**
 * The options of `fromPretrained`, where a caller without types may have given anything. @throws {TercetError}
 * ERR_ARGUMENT
 */
export function checkPretrained(options: PretrainedOptions): PretrainedOptions {
  checkOptions('fromPretrained', options, PRETRAINED);
  for (const [name, choices] of Object.entries(CHOICES)) {
    const value = options[name as keyof typeof CHOICES];
    if (value !== undefined && !(choices as readonly unknown[]).includes(value)) {
      throw new TercetError(
        'ERR_ARGUMENT',
        `${name} has no such choice`,
        `give one of ${choices.map((choice) => `'${choice}'`).join(', ')}`,
      );
    }
  }
  return options;
}
