/**
 * Weights from a seed, for speed and scale at real dimensions where no checkpoint can be had. They predict nothing.
 *
 * Every value is a function of (seed, tensor name, element index) and of the sizes in the config: any tensor can be
 * made alone, in any order, and is the same on every machine, for integers are hashed and then scaled by a power of
 * two. Not for secrets: the hash is not cryptographic.
 *
 * **Outlier channels.** Trained transformers have a few channels whose residual is tens of times the others', in
 * GPT-2 above all, and fixed- point arithmetic must stand them. With `outliers`, of C ≥ 64 channels the min(4,
 * ⌊C/64⌋) at evenly spaced places get everything that reaches the residual stream other than by the word embeddings
 * 32 times larger: their columns of the position table and their rows of wo, bo, w2 and b2. (The word embeddings
 * stay, as in GPT-2 itself: they are often the decoder too.) The residual there is then 20 to 50 times the typical
 * one from the first layer on; test/ml/random.test.ts measures it.
 */

import { TercetError } from '../../core/errors.ts';
import type { ModelConfig } from '../config.ts';
import { isDecoder, splitName, type TensorName, tensorShape } from './weight-names.ts';
import type { WeightSource } from './weights.ts';

/**
 * Uniform integers in [-R, R] times 2^-20 have the standard deviation √(((2R+1)²-1)/12)/2^20 = 0.0200000 of the
 * architectures' initializers.
 */
const R = 36_324;
const SCALE = 2 ** -20;

const OUTLIER_FACTOR = 32;
/** How many channels have one outlier, and the most outliers of a model. */
const CHANNELS_PER_OUTLIER = 64;
const MAX_OUTLIERS = 4;

export interface RandomOptions {
  /**
   * Whether a few channels of the residual stream are much larger, as in trained models; absent: for all but BERT,
   * whose values older results were made with.
   */
  readonly outliers?: boolean;
}

/**
 * A weight source of the architecture `config`.
 *
 * Matrices, biases and LayerNorm's beta are uniform with standard deviation 0.02 (|x| < 0.0347); LayerNorm's gamma
 * is 1 plus the same. In GPT-2, as its initializer has it, wo and w2 are narrower by 1/√(2·layers). The decoder is
 * tied to the word embeddings where the config ties it. Every value is a multiple of 2^-20, exact in float32.
 * @throws {TercetError} ERR_ARGUMENT unless seed is an integer in [0, 2^32).
 */
export function randomWeights(config: ModelConfig, seed: number, options: RandomOptions = {}): WeightSource {
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
    throw new TercetError(
      'ERR_ARGUMENT',
      'the seed of random weights is not an integer from 0 to 4294967295',
      'give for example 7',
    );
  }
  const outliers = (options.outliers ?? config.modelType !== 'bert') ? outlierChannels(config.hiddenSize) : [];
  const hasDecoder = config.head === 'masked-lm' || config.head === 'causal-lm';
  return {
    config,
    label: `random-${seed}`,
    tiedDecoder: hasDecoder && config.tieWordEmbeddings,
    async tensor(name) {
      const { layer, key } = splitName(config, name);
      const stored: TensorName = isDecoder(name) && config.tieWordEmbeddings ? 'embeddings.word' : name;
      const shape = tensorShape(config, name);
      const narrow = config.modelType === 'gpt2' && (key === 'wo' || key === 'w2') ? Math.sqrt(2 * config.layers) : 1;
      const out = randomTensor(
        shape.reduce((product, size) => product * size, 1),
        nameHash(`${seed}/${stored}`),
        name.endsWith('Gamma') ? 1 : 0,
        Math.round(R / narrow),
      );
      if (layer !== undefined && ['wo', 'bo', 'w2', 'b2'].includes(key))
        for (const channel of outliers) enlarge(out, channel * (shape[1] ?? 1), 1, shape[1] ?? 1);
      if (name === 'embeddings.position')
        for (const channel of outliers) enlarge(out, channel, config.hiddenSize, config.maxPositions);
      return out;
    },
  };
}

/** The channels of the residual stream that `outliers` makes large, of `hiddenSize`; none below 64. */
export function outlierChannels(hiddenSize: number): number[] {
  const count = Math.min(MAX_OUTLIERS, Math.floor(hiddenSize / CHANNELS_PER_OUTLIER));
  return Array.from({ length: count }, (_, i) => Math.floor((hiddenSize * (2 * i + 1)) / (2 * count)));
}

/** Multiplies `count` elements of `values`, every `stride`-th from `first`. */
function enlarge(values: Float32Array, first: number, stride: number, count: number): void {
  for (let i = 0; i < count; i++) values[first + i * stride] *= OUTLIER_FACTOR;
}

function randomTensor(length: number, key: { low: number; high: number }, mean: number, range: number): Float32Array {
  const out = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    const hash = mix(mix(i ^ key.low) ^ key.high) >>> 0;
    // the product is below 2^49, so all of this is exact
    const integer = Math.floor((hash * (2 * range + 1)) / 2 ** 32) - range;
    out[i] = mean + integer * SCALE;
  }
  return out;
}

/**
 * A bijection of 32-bit integers that scatters neighbours: "lowbias32" of Chris Wellons' hash-prospector,
 * https://github.com/skeeto/hash-prospector.
 */
function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}

/** Two 32-bit hashes of an ASCII string: FNV-1a, and its continuation over one more character. */
function nameHash(name: string): { low: number; high: number } {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return { low: mix(hash), high: mix(Math.imul(hash ^ 0x2f, 0x01000193)) };
}
