/** What a text would become, and what can be prepared before there is one: nothing is sent for either. */
import type { RunShape } from '../ml/models/run.ts';
import { TercetError, asTercetError } from '../core/errors.ts';
import type { TaskInput } from '../ml/tasks/common.ts';
import { prepareFillMask } from '../ml/tasks/fill-mask.ts';
import { shapeFor } from '../session/request.ts';
import { bucketFor } from './buckets.ts';
import type { ModelContext } from './model-context.ts';
import type { PrepareOptions, TaskText, TextCheck } from './types/index.ts';

/** New pieces of a generated text where neither a caller nor the model's files say how many. */
const NEW_TOKENS = 20;

/** @throws {TercetError} what the model's task says of the text */
async function inputOf(loaded: ModelContext, text: TaskText): Promise<TaskInput> {
  const { tokenizer, config } = loaded;
  if (config.head === 'masked-lm') return prepareFillMask(text, tokenizer, config);
  const { inputFor } = await import('./more-tasks.ts');
  return inputFor(loaded, text);
}

function lengthOf({ tokenizer, config }: ModelContext, text: TaskText): number {
  try {
    if (typeof text === 'string') return tokenizer.encode(text, { allowMask: config.head === 'masked-lm' }).ids.length;
    return tokenizer.encodePair(text.question, text.context).ids.length;
  } catch {
    return 0;
  }
}

/** Never throws for a text: what is wrong with it is the answer. */
export async function checkText(loaded: ModelContext, text: TaskText): Promise<TextCheck> {
  const { buckets, config } = loaded;
  try {
    const { inputIds, rows, notices } = await inputOf(loaded, text);
    const { length } = inputIds;
    return {
      tokens: length,
      paddedTokens: bucketFor(buckets, length, stepsBehind(loaded, length)),
      blanks: config.head === 'masked-lm' ? rows.length : 0,
      notices,
    };
  } catch (error) {
    const tokens = lengthOf(loaded, text);
    return {
      tokens,
      paddedTokens: bucketFor(buckets, tokens, stepsBehind(loaded, tokens)),
      blanks: 0,
      problem: asTercetError(error),
    };
  }
}

/** Steps of a text that goes on for as long as nobody says otherwise. */
function stepsBehind({ config, buckets, generation }: ModelContext, length: number, newTokens?: number): number {
  if (config.head !== 'causal-lm') return 0;
  const { maxNewTokens, maxLength } = generation;
  const declared = maxNewTokens ?? (maxLength === undefined ? NEW_TOKENS : maxLength - length);
  return (newTokens ?? Math.max(1, Math.min(declared, (buckets.at(-1) ?? 0) - length))) - 1;
}

/**
 * The shape of a run for a text of up to `length` tokens.
 * @throws {TercetError} ERR_ARGUMENT for numbers that are none, or that the model has no positions for.
 */
export function preparedShape(loaded: ModelContext, length: number, options: Omit<PrepareOptions, 'signal'>): RunShape {
  const { buckets, config } = loaded;
  const blanks = positive('blanks', options.blanks ?? 1);
  const sequences = positive('sequences', options.sequences ?? 1);
  const newTokens = options.maxNewTokens === undefined ? undefined : positive('maxNewTokens', options.maxNewTokens);
  const steps = Number.isSafeInteger(length) ? stepsBehind(loaded, length, newTokens) : 0;
  const tokens = Number.isSafeInteger(length) && length >= 1 ? bucketFor(buckets, length, steps) : undefined;
  if (tokens === undefined || blanks > tokens) {
    throw new TercetError(
      'ERR_ARGUMENT',
      'cannot prepare for that many tokens',
      `give a length from 1 to ${(buckets.at(-1) ?? 0) - steps}`,
    );
  }
  if (sequences > 1 && steps > 0)
    throw new TercetError('ERR_ARGUMENT', 'text is generated from one prompt at a time', 'leave sequences out');
  return shapeFor(config, {
    sequences,
    tokens,
    secretRows: blanks,
    padded: true,
    pair: config.head === 'question-answering',
    steps,
  });
}

function positive(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new TercetError('ERR_ARGUMENT', `${name} is not a positive integer`, 'leave it out for the default');
}
