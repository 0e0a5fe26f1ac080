/**
 * Text that goes on: who chooses its tokens, and the one loop of steps behind a prompt. What was dealt for more is
 * given back by the caller.
 */
import type { GenerationStep } from '../ml/tasks/generate.ts';
import type { StepInput } from '../session/inputs.ts';
import type { OwnerResult } from '../session/owner.ts';

/** Chooses the tokens of a text that goes on: `Generation`, or the likeliest token where there is no tokenizer. */
export interface Decoder {
  /** How many tokens may follow the first new one. */
  readonly steps: number;
  /** The token that was chosen last. */
  readonly lastId: number | undefined;
  /** Logits of the last position → one more token. */
  step(logits: Float32Array): GenerationStep;
}

export interface Continued {
  /** The prompt's and every further one's. */
  readonly steps: readonly OwnerResult[];
  /** Tokens that were sent behind the prompt. The last one that was chosen is not: nothing follows it. */
  readonly sent: readonly number[];
}

export interface StepHooks {
  /** This much of the text is certain with a step. */
  onStep(text: string, index: number): void;
  /** Runs one token behind the prompt. */
  next(input: StepInput): Promise<OwnerResult>;
}

/**
 * Goes on from the prompt's step until the decoder has a reason to end.
 * @param promptLength tokens of the prompt
 */
export async function continueText(
  decoder: Decoder | undefined,
  first: OwnerResult,
  promptLength: number,
  { onStep, next }: StepHooks,
): Promise<Continued> {
  const steps = [first];
  const sent: number[] = [];
  if (decoder === undefined) return { steps, sent };
  for (let { logits } = first; ; { logits } = steps[steps.length - 1]) {
    const { text, reason } = decoder.step(logits);
    onStep(text, sent.length);
    if (reason !== undefined) return { steps, sent };
    const tokenId = decoder.lastId as number;
    steps.push(await next({ tokenId, position: promptLength + sent.length }));
    sent.push(tokenId);
  }
}

/** The likeliest token at every step. @param count how many tokens there are to be, at least one */
export function greedyDecoder(count: number): Decoder {
  let chosen = 0;
  let lastId: number | undefined;
  return {
    steps: count - 1,
    get lastId() {
      return lastId;
    },
    step(logits) {
      lastId = logits.reduce((best, value, i) => (value > logits[best] ? i : best), 0);
      chosen += 1;
      return { text: '', reason: chosen === count ? 'length' : undefined };
    },
  };
}
