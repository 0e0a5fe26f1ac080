/**
 * A model in the clear, in floating point: the oracle that secure inference is compared with.
 *
 * Agrees with PyTorch in float32 to about 1e-5 on every architecture and head (test/ml/architectures.test.ts,
 * test/ml/golden.test.ts).
 */

import { TercetError } from '../../core/errors.ts';
import type { ModelConfig } from '../config.ts';
import type { WeightSource } from '../models/weights.ts';
import { encoderFloat } from './encoder-float.ts';
import { gpt2Float } from './gpt2-float.ts';
import { transpose } from '../models/weight-layouts.ts';
import { largestOf, matmulFloat } from './math.ts';
import type { FloatInput, FloatOptions, FloatResult } from './options.ts';

/**
 * Runs a model on one text.
 * @throws {TercetError} ERR_TOO_MANY_TOKENS beyond the model's positions; ERR_RANGE for no tokens, or an id, token
 * type or position that does not exist.
 */
export async function runFloat(
  source: WeightSource,
  inputIds: readonly number[],
  options: FloatOptions = {},
): Promise<FloatResult> {
  const { config } = source;
  const input: FloatInput = {
    inputIds,
    tokenTypeIds: options.tokenTypeIds ?? inputIds.map(() => 0),
    positions: options.positions ?? inputIds.map((_, i) => i),
    hiddenStates: options.hiddenStates ?? false,
    matmul: options.matmul ?? matmulFloat,
    transpose: options.transpose ?? transpose,
    onActivation: options.onActivation ?? (() => undefined),
  };
  checkInput(config, input);
  const result = await (config.modelType === 'gpt2' ? gpt2Float(source, input) : encoderFloat(source, input));
  input.onActivation('logit', config.layers, largestOf(result.logits));
  return result;
}

function checkInput(config: ModelConfig, { inputIds, tokenTypeIds, positions }: FloatInput): void {
  const range = (what: string): TercetError =>
    new TercetError('ERR_RANGE', what, 'take the tokenizer that belongs to the model');
  const all = (values: readonly number[], limit: number): boolean =>
    values.every((value) => Number.isInteger(value) && value >= 0 && value < limit);
  if (inputIds.length > config.maxPositions) {
    throw new TercetError(
      'ERR_TOO_MANY_TOKENS',
      `${inputIds.length} tokens, and the model takes ${config.maxPositions}`,
      'shorten the text',
    );
  }
  if (inputIds.length === 0) throw range('there are no tokens');
  if (!all(inputIds, config.vocabSize))
    throw range(`a token id is not an integer below vocab_size ${config.vocabSize}`);
  if (tokenTypeIds.length !== inputIds.length || !all(tokenTypeIds, Math.max(1, config.typeVocabSize))) {
    throw range('the token type ids do not fit the tokens or the model');
  }
  if (!all(positions, inputIds.length)) throw range(`a position is not an integer below the ${inputIds.length} tokens`);
}
