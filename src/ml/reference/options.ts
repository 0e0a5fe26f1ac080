/**
 * What a float forward takes and gives, whatever the architecture. Shapes by letter: T tokens, C hidden, V
 * vocabulary, L labels.
 */
import type { Matmul } from './math.ts';

/** What `onActivation` is told of; see FloatOptions. */
export type ActivationKind = 'gelu' | 'score-spread' | 'value' | 'variance' | 'least-variance' | 'logit' | 'tanh';

/**
 * kind, layer (-1: embeddings; the number of layers: what follows the last one, the head included), the largest
 * value.
 */
export type OnActivation = (kind: ActivationKind, layer: number, max: number) => void;

/** Reports the variances of a LayerNorm: the least one, then the largest. */
export function onVariance(onActivation: OnActivation, layer: number): (largest: number, least: number) => void {
  return (largest, least) => {
    onActivation('least-variance', layer, least);
    onActivation('variance', layer, largest);
  };
}

export interface FloatOptions {
  /** One per token; all 0 when absent. Models without token types take 0 only. */
  readonly tokenTypeIds?: readonly number[] | undefined;
  /** Where a language model's logits are wanted; every position when absent. Other heads take none. */
  readonly positions?: readonly number[] | undefined;
  /** Whether to keep the embeddings and every layer's output. */
  readonly hiddenStates?: boolean;
  /** Where the matrix products are made; float32 arrays in float64 sums when absent. */
  readonly matmul?: Matmul | undefined;
  /**
   * Told how large the values become that a fixed-point circuit must hold:
   * 'gelu': the largest |x| that goes into the activation function, whichever it is; 'tanh': into a classifier's
   * tanh; 'score-spread': the largest (max - min) of a row of attention scores behind 1/√D, over the keys that the
   * row may look at; 'value': the largest |v| of attention; 'variance': the largest variance, eps included, that a
   * LayerNorm divides by (called for each LayerNorm, twice a layer), before it 'least-variance': the least one;
   * 'logit': the largest |x| of the result.
   */
  readonly onActivation?: OnActivation;
}

export interface FloatResult {
  /**
   * (L) of a sequence classifier, (positions, V) of a language model, (T, L) of a head that stands on every token,
   * (T, C) without a head: the last hidden states.
   */
  readonly logits: Float32Array;
  /**
   * layers + 1 states of (T,C), the embeddings' output first; empty unless asked for. As the transformers library
   * has it, the last one of GPT-2 is behind the final LayerNorm.
   */
  readonly hiddenStates: readonly Float32Array[];
}

/** A checked call: defaults filled in. */
export interface FloatInput {
  readonly inputIds: readonly number[];
  readonly tokenTypeIds: readonly number[];
  readonly positions: readonly number[];
  readonly hiddenStates: boolean;
  readonly matmul: Matmul;
  readonly onActivation: OnActivation;
}
