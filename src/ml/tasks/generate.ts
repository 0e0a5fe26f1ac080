/**
 * Text generation: a prompt → pieces one after the other, until an end. The model runs in between; here is what the
 * data owner does of it.
 */

import { TercetError } from '../../core/errors.ts';
import type { ModelConfig } from '../config.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import { checkHead, encodeForModel, idsOf, type TaskInput, vocabularyWidth } from './common.ts';
import {
  checkGenerationOptions,
  type GenerationOptions,
  type GenerationPlan,
  type GenerationSettings,
  NO_SETTINGS,
} from './generation-options.ts';
import { type Sampler, sampler } from './sampler.ts';
import { TextStream } from './text-stream.ts';

export type { GenerationOptions } from './generation-options.ts';

/** `rows`: the last position. */
export interface PromptInput extends TaskInput {
  readonly prompt: string;
  readonly plan: GenerationPlan;
}

/** An end-of-text piece; as many pieces as were asked for; a stop text. */
export type StopReason = 'eos' | 'length' | 'stop';

export interface GenerationStep {
  /** Text that became certain with this step; may be empty. */
  readonly text: string;
  /** Why this was the last step. */
  readonly reason: StopReason | undefined;
}

export interface GenerationResult {
  /** What was added to the prompt. */
  readonly text: string;
  /** Prompt and text, as transformers.js has it. */
  readonly generated_text: string;
  /** Pieces that were added, without a special end-of-text piece; some of the last may lie behind a stop text. */
  readonly ids: readonly number[];
  readonly reason: StopReason;
}

/**
 * Checks and encodes a prompt and its options; `settings`: what the model's files say.
 * @throws {TercetError} ERR_MODEL_UNSUPPORTED for a model without the head; as encodeForModel; as
 * checkGenerationOptions.
 */
export function prepareGeneration(
  prompt: unknown,
  tokenizer: Tokenizer,
  config: ModelConfig,
  options: GenerationOptions = {},
  settings: GenerationSettings = NO_SETTINGS,
): PromptInput {
  checkHead(config, 'causal-lm', 'text generation');
  const encoding = encodeForModel(prompt, tokenizer, config, false);
  const { length } = encoding.ids;
  const plan = checkGenerationOptions(options, length, tokenizer, config, settings);
  const { notices = [], ...ids } = idsOf(encoding, config);
  const all = [...notices, ...settings.notices];
  return { ...ids, rows: [length - 1], prompt: prompt as string, plan, notices: all.length > 0 ? all : undefined };
}

/** One generation under way: takes the logits of the last position, chooses a piece, and says what became of it. */
export class Generation {
  readonly #input: PromptInput;
  readonly #tokenizer: Tokenizer;
  readonly #sample: Sampler;
  readonly #stream: TextStream;
  readonly #ids: number[] = [];
  #text = '';
  #reason: StopReason | undefined;

  constructor(input: PromptInput, tokenizer: Tokenizer) {
    this.#input = input;
    this.#tokenizer = tokenizer;
    this.#sample = sampler(input.plan, tokenizer.vocabSize, input.plan.rules);
    this.#stream = new TextStream(tokenizer, input.plan.stop, input.inputIds);
  }

  /**
   * Prompt and pieces so far: what the next run of the model gets. Its logits at the last position are the next
   * step's.
   */
  get inputIds(): readonly number[] {
    return [...this.#input.inputIds, ...this.#ids];
  }

  /**
   * The piece that was chosen last, for a run that has kept what it computed of the others; undefined before the
   * first step.
   */
  get lastId(): number | undefined {
    return this.#ids.at(-1);
  }

  /** The pieces so far. */
  get ids(): readonly number[] {
    return this.#ids;
  }

  /** How many pieces may follow the first new one. */
  get steps(): number {
    return this.#input.plan.maxNewTokens - 1;
  }

  get done(): boolean {
    return this.#reason !== undefined;
  }

  /**
   * logits (V) of the last position → one more piece.
   * @throws {TercetError} ERR_STATE when it is done; ERR_SHAPE; ERR_RANGE (not finite).
   */
  step(logits: Float32Array): GenerationStep {
    if (this.done) throw new TercetError('ERR_STATE', 'the generation is over', 'start another one');
    vocabularyWidth(logits, 1, this.#tokenizer);
    const { eosTokenIds, maxNewTokens } = this.#input.plan;
    const id = this.#sample(logits, this.inputIds);
    const ends = eosTokenIds.includes(id);
    let text = '';
    // An end that is an ordinary piece, as a full stop may be, is part of the text.
    if (ends && this.#tokenizer.specialIds.has(id)) this.#reason = 'eos';
    else {
      this.#ids.push(id);
      text = this.#stream.push(id);
      if (ends) this.#reason = 'eos';
      else if (this.#stream.stopped) this.#reason = 'stop';
      else if (this.#ids.length === maxNewTokens) this.#reason = 'length';
    }
    if (this.done) text += this.#stream.flush();
    this.#text += text;
    return { text, reason: this.#reason };
  }

  /** @throws {TercetError} ERR_STATE before it is done. */
  result(): GenerationResult {
    if (this.#reason === undefined)
      throw new TercetError('ERR_STATE', 'the generation is not over', 'go on until a step gives a reason');
    return {
      text: this.#text,
      generated_text: this.#input.prompt + this.#text,
      ids: [...this.#ids],
      reason: this.#reason,
    };
  }
}
