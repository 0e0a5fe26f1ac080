/** The likeliest token at every step, without a tokenizer: for random weights, whose tokens say nothing. */
import type { GenerationStep } from '../ml/tasks/generate.ts';

export interface Picker {
  readonly lastId: number | undefined;
  step(logits: Float32Array): GenerationStep;
}

/** @param count how many tokens there are to be. */
export function pickGreedily(count: number): Picker {
  let chosen = 0;
  let lastId: number | undefined;
  return {
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
