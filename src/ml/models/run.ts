/** What a circuit is built for, all of it public, and the names of what its owner puts in and takes out. */
import type { ModelConfig } from '../config.ts';
import type { ModelPlan } from './plan.ts';

/** B sequences of T positions each. */
export interface RunShape {
  /** B. */
  readonly sequences: number;
  /** T, with padding. */
  readonly tokens: number;
  /**
   * How many rows of every sequence the head reads where the owner says which, or how they are mixed, and nobody
   * else learns it: masked positions, the last token of a prompt, a mean. 0: the rows that the head always reads
   * (the first, the last, all).
   */
  readonly rows: number;
  /** Whether the T positions end in padding, of a length that P0 alone knows. */
  readonly padded: boolean;
  /** Whether a sequence is two texts, divided where P0 alone knows (BERT's token types). */
  readonly pair: boolean;
  /**
   * Causal language models: how many tokens may follow the prompt, one step each. Keys and values are kept for
   * them.
   */
  readonly steps: number;
}

/** A shape, and the model that runs it. */
export interface ModelRun extends RunShape {
  readonly config: ModelConfig;
  readonly plan: ModelPlan;
}

/** The building of a circuit in parts of bounded work: whoever builds one may do something else between two of them. */
export type BuildParts = Generator<undefined, void, undefined>;

/** P0's inputs. */
export const TOKENS = 'tokens';
export const POSITIONS = 'positions';
export const TYPES = 'types';
export const ROWS = 'rows';
export const REAL_BITS = 'real bits';
export const REAL_WORDS = 'real words';

/** The output: logits, or hidden states of a model without a head. */
export const LOGITS = 'logits';

/** The other output, of a plan with checks: for every sequence one bit, 1 when a value left its domain. */
export const OUTSIDE = 'outside';

/**
 * Scale and ring of the opened output, which holds |x| < 2^15 either way. Of secret weights an owner is given no
 * more than the answer needs: below 2^-10 lies little but the error of the circuit itself (`LOGIT_ERROR` in the
 * tests). A coarser opening cost right answers and hid no more (SECURITY, "What an honest owner learns").
 */
export const OUTPUT_FORM = { open: { scale: 16, k: 32 }, secret: { scale: 10, k: 26 } } as const;

/** Scale of the weights of a row that P0 chooses: one position is exact; the weights of a mean are fractions. */
export function rowScale(config: ModelConfig): number {
  return config.head === 'none' ? 24 : 0;
}

/** Shape of the output: rows × width. */
export function outputShape({
  config,
  sequences,
  tokens,
  rows,
}: Pick<ModelRun, 'config' | 'sequences' | 'tokens' | 'rows'>): {
  readonly rows: number;
  readonly width: number;
} {
  switch (config.head) {
    case 'masked-lm':
      return { rows: sequences * rows, width: config.vocabSize };
    case 'causal-lm':
      return { rows: sequences, width: config.vocabSize };
    case 'sequence-classification':
      return { rows: sequences, width: config.numLabels };
    case 'question-answering':
    case 'token-classification':
      return { rows: sequences * tokens, width: config.numLabels };
    case 'none':
      return { rows: sequences * (rows > 0 ? rows : tokens), width: config.hiddenSize };
  }
}
