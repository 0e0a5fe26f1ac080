/** What the checkpoints leave to convention about heads. */
import type { Activation, ModelConfig } from '../config.ts';

/** Activation in the head of a masked language model: the model's own, but for RoBERTa, whose head was always GeLU. */
export function headActivation({ modelType, activation }: ModelConfig): Activation {
  return modelType === 'roberta' ? 'gelu' : activation;
}
