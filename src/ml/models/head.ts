/** What the checkpoints leave to convention about heads. */
import type { ModelConfig } from '../config.ts';
import { type Activation, TRAITS } from '../model-types.ts';

/** Activation in the head of a masked language model: the model's own, but for RoBERTa, whose head was always GeLU. */
export function headActivation({ modelType, activation }: ModelConfig): Activation {
  return TRAITS[modelType].maskedHead ?? activation;
}

/** The function between the two matrices of a sequence's classifier. */
export function classifierActivation({ modelType }: ModelConfig): 'tanh' | 'relu' {
  return TRAITS[modelType].classifier;
}
