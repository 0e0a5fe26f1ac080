/**
 * Weights from a seed, for speed and scale at real dimensions where no checkpoint can be had. They predict nothing.
 *
 * Every value is a function of (seed, tensor name, element index): any tensor can be made alone, in any order, and is the same on every
 * machine, for integers are hashed and then scaled by a power of two. Not for secrets: the hash is not cryptographic.
 */

import { TercetError } from '../../core/errors.ts';
import type { BertConfig } from '../config.ts';
import { type BertTensorName, type BertWeightSource, bertTensorShape } from './bert-weights.ts';

/** Uniform integers in [-R, R] times 2^-20 have the standard deviation √(((2R+1)²-1)/12)/2^20 = 0.0200000 of BERT's initializer. */
const R = 36_324;
const SCALE = 2 ** -20;

/**
 * A weight source of the architecture `config`.
 *
 * Matrices, biases and LayerNorm's beta are uniform with standard deviation 0.02 (|x| < 0.0347); LayerNorm's gamma is 1 plus the same.
 * The decoder is tied to the word embeddings, as in every published BERT. Every value is a multiple of 2^-20, exact in float32.
 * @throws {TercetError} ERR_ARGUMENT unless seed is an integer in [0, 2^32).
 */
export function randomBertWeights(config: BertConfig, seed: number): BertWeightSource {
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
    throw new TercetError('ERR_ARGUMENT', 'the seed of random weights is not an integer from 0 to 4294967295', 'give for example 7');
  }
  return {
    config,
    label: `random-${seed}`,
    tiedDecoder: config.architecture === 'BertForMaskedLM',
    async tensor(name) {
      const stored: BertTensorName = name === 'mlm.decoder' ? 'embeddings.word' : name;
      const length = bertTensorShape(config, name).reduce((product, size) => product * size, 1);
      return randomTensor(length, nameHash(`${seed}/${stored}`), name.endsWith('Gamma') ? 1 : 0);
    },
  };
}

function randomTensor(length: number, key: { low: number; high: number }, mean: number): Float32Array {
  const out = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    const hash = mix(mix(i ^ key.low) ^ key.high) >>> 0;
    const integer = Math.floor((hash * (2 * R + 1)) / 2 ** 32) - R; // the product is below 2^49, so all of this is exact
    out[i] = mean + integer * SCALE;
  }
  return out;
}

/** A bijection of 32-bit integers that scatters neighbours: "lowbias32" of Chris Wellons' hash-prospector, https://github.com/skeeto/hash-prospector. */
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
