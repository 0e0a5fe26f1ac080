/** How far a model's values may reach in the gadgets that its plan names. */
import { GELU_DOMAIN, type GeluRange, RELU_DOMAIN, TANH_DOMAIN } from '../../mpc/secure/activation.ts';
import type { ModelConfig } from '../config.ts';
import { classifierActivation, headActivation } from './head.ts';

/** Outputs open in 32 bits at scale 16. */
export const LOGIT_DOMAIN = 2 ** 15;

/** Of the inputs of a feed-forward block's activation. */
export function activationDomain({ activation }: ModelConfig, range: GeluRange): number {
  return activation === 'relu' ? RELU_DOMAIN : GELU_DOMAIN[range];
}

/**
 * Of the input of the head's activation: the masked language model's, or a classifier's pooler; infinite where
 * there is none.
 */
export function headDomain(config: ModelConfig, range: GeluRange): number {
  if (config.head === 'masked-lm') return headActivation(config) === 'relu' ? RELU_DOMAIN : GELU_DOMAIN[range];
  if (config.head === 'sequence-classification')
    return classifierActivation(config) === 'relu' ? RELU_DOMAIN : TANH_DOMAIN;
  config.head satisfies 'question-answering' | 'token-classification' | 'causal-lm' | 'none';
  return Number.POSITIVE_INFINITY;
}
