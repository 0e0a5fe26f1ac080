/**
 * Generated text: the prompt in one step, then a step for every further piece, until an end. What was dealt for
 * more is given back.
 */
import { TercetError } from '../core/errors.ts';
import type { TaskInput } from '../ml/tasks/common.ts';
import { Generation, type GenerationOptions, type PromptInput, prepareGeneration } from '../ml/tasks/generate.ts';
import type { OwnerResult } from '../session/owner.ts';
import type { PreparedRun } from './prepared-run.ts';
import { type ModelContext, reading } from './model-context.ts';
import type { Runner } from './runner.ts';
import type { GenerateOptions, GenerateResult } from './types/index.ts';

/** @throws {TercetError} what a bad prompt or option is, before anything is sent; what a run can end with. */
export async function generateText(
  runner: Runner,
  prompt: string,
  { signal: own, specialTokens, ...options }: GenerateOptions,
  push: (text: string) => void,
  left: AbortSignal,
): Promise<GenerateResult> {
  const { tokenizer, environment } = runner.loaded;
  const start = environment.now();
  const input = promptOf(reading(runner.loaded, specialTokens), prompt, options);
  const generation = new Generation(input, tokenizer);
  const pieceMs: number[] = [];
  let before = start;
  const inputs: readonly TaskInput[] = [input];

  const take = (logits: Float32Array, index: number, run: PreparedRun): boolean => {
    const count = generation.inputIds.length;
    const { text, reason } = generation.step(logits);
    // An end-of-text piece is none of the text.
    if (generation.inputIds.length > count) {
      const now = environment.now();
      pieceMs.push(now - before);
      before = now;
    }
    run.token(index, text);
    push(text);
    return reason === undefined;
  };
  const finish = async (
    [logits]: readonly Float32Array[],
    run: PreparedRun,
    steps: OwnerResult[],
    signal: AbortSignal,
  ): Promise<void> => {
    let goesOn = take(logits, 0, run);
    for (let index = 1; goesOn; index++) {
      const tokenId = generation.lastId as number;
      const result = await run.next({ tokenId, position: input.inputIds.length + index - 1 }, signal);
      steps.push(result);
      goesOn = take(result.logits, index, run);
    }
  };

  const signal = own === undefined ? left : AbortSignal.any([own, left]);
  const { cost, preparedRun } = await runner.run({ inputs, steps: input.plan.maxNewTokens - 1, start, signal, finish });
  const captured = await runner.capture({ text: prompt, inputIds: input.inputIds, allowMask: false }, preparedRun);
  return { ...generation.result(), cost, pieceMs, captured };
}

function promptOf(
  { tokenizer, config, generation }: ModelContext,
  prompt: string,
  options: Omit<GenerateOptions, 'signal' | 'specialTokens'>,
): PromptInput {
  const { maxNewTokens, maxLength, ...rest } = options;
  const make = (lengths: Pick<GenerationOptions, 'maxNewTokens' | 'maxLength'>) =>
    prepareGeneration(prompt, tokenizer, config, { ...rest, ...lengths }, generation);
  if (maxNewTokens === undefined || maxLength === undefined) return make({ maxNewTokens, maxLength });
  for (const [name, value] of Object.entries({ maxNewTokens, maxLength })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new TercetError(
        'ERR_ARGUMENT',
        `${name} is not a positive integer`,
        'give for example 20 for maxNewTokens, 100 for maxLength',
      );
  }
  // Both were given: the smaller of the two counts.
  const { inputIds } = make({});
  return inputIds.length + maxNewTokens < maxLength ? make({ maxNewTokens }) : make({ maxLength });
}
