/** Feature extraction: a text → a vector for each of its positions, or one for all of it. */

import { TercetError } from '../../core/errors.ts';
import type { ModelConfig } from '../config.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import { allRows, checkFinite, checkHead, checkLogits, encodeForModel, idsOf, type TaskInput } from './common.ts';

/** `none`: every position's vector, special tokens included; `mean`: their mean; `cls`: the first special token's. */
export type Pooling = 'none' | 'mean' | 'cls';

export interface FeatureOptions {
  /** Default 'none', as transformers.js has it. */
  readonly pooling?: Pooling | undefined;
  /** Whether vectors are divided by their Euclidean length. Default false. */
  readonly normalize?: boolean | undefined;
}

/** `rows`: every position, or with pooling the first, which stands for the one vector. */
export interface FeatureInput extends TaskInput {
  readonly width: number;
  readonly pooling: Pooling;
  readonly normalize: boolean;
}

/** Row-major (dims[0], dims[1]): one row for each position, or one. */
export interface Features {
  readonly dims: readonly [rows: number, width: number];
  readonly data: Float32Array;
}

/**
 * Encodes a text for feature extraction.
 * @throws {TercetError} ERR_MODEL_UNSUPPORTED for a model with a head; ERR_ARGUMENT for another pooling, or `cls`
 * of a model without that token; and as encodeForModel.
 */
export function prepareFeatures(
  text: unknown,
  tokenizer: Tokenizer,
  config: ModelConfig,
  options: FeatureOptions = {},
): FeatureInput {
  checkHead(config, 'none', 'feature extraction');
  const { pooling = 'none', normalize = false } = options;
  if (!['none', 'mean', 'cls'].includes(pooling))
    throw new TercetError('ERR_ARGUMENT', 'there is no such pooling', 'give one of none, mean, cls');
  if (pooling === 'cls' && tokenizer.clsTokenId === undefined)
    throw new TercetError(
      'ERR_ARGUMENT',
      `a text of a ${config.modelType} model has no token for pooling cls`,
      'use mean',
    );
  const encoding = encodeForModel(text, tokenizer, config, false);
  const rows = pooling === 'none' ? allRows(encoding.ids.length) : [0];
  return { ...idsOf(encoding, config), rows, width: config.hiddenSize, pooling, normalize };
}

/**
 * Last hidden states (rows, C), or the pooled one (1, C), which the parties made → features of the same shape.
 * @throws {TercetError} ERR_SHAPE, ERR_RANGE (not finite).
 */
export function finishFeatures(states: Float32Array, { rows, width, normalize }: FeatureInput): Features {
  checkLogits(states, rows.length * width);
  checkFinite(states);
  const vectors = rows.map((_, row) => Float64Array.from(states.subarray(row * width, (row + 1) * width)));
  const data = new Float32Array(vectors.length * width);
  for (const [row, vector] of vectors.entries()) data.set(normalize ? unit(vector) : vector, row * width);
  return { dims: [vectors.length, width], data };
}

/** PyTorch's normalize: a vector of zeros stays one. */
function unit(vector: Float64Array): Float64Array {
  const length = Math.max(Math.hypot(...vector), 1e-12);
  return vector.map((value) => value / length);
}
