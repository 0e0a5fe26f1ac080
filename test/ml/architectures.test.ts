/**
 * What PyTorch answered for tiny models of every architecture and head (test/vectors/checkpoints,
 * architectures.json, made by training/golden_architectures.py with the transformers library) against this code,
 * from the files on.
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadModelConfig } from '../../src/ml/config.ts';
import { folderFiles } from '../../src/ml/files-node.ts';
import { MODEL_TYPES, TRAITS } from '../../src/ml/model-types.ts';
import {
  loadWeights,
  type TensorName,
  tensorNames,
  tensorShape,
  type WeightSource,
} from '../../src/ml/models/weights.ts';
import { runFloat } from '../../src/ml/reference/float.ts';

interface Vectors {
  readonly name: string;
  readonly hidden: readonly { readonly first: readonly number[]; readonly last: readonly number[] }[];
  readonly cases: readonly {
    readonly ids: readonly number[];
    readonly typeIds?: readonly number[];
    readonly shape: readonly number[];
    readonly result: readonly number[];
  }[];
}

const at = (path: string): string => fileURLToPath(new URL(`../vectors/${path}`, import.meta.url));
const vectors = JSON.parse(readFileSync(at('architectures.json'), 'utf8')) as readonly Vectors[];

async function open(name: string): Promise<WeightSource> {
  const files = await folderFiles(at(`checkpoints/${name}`));
  return loadWeights(files, await loadModelConfig(files));
}

const difference = (a: ArrayLike<number>, b: readonly number[]): number =>
  Math.max(...b.map((value, i) => Math.abs(value - a[i])));

/** Both round to float32, in another order: measured 2.7e-5 on results up to 16. */
const TOLERANCE = 6e-5;

it('there are vectors of every architecture and head', async () => {
  const covered = new Set<string>();
  for (const { name } of vectors) {
    const { config, tiedDecoder } = await open(name);
    covered.add(`${config.modelType} ${config.head}`);
    covered.add(config.activation);
    covered.add(`${config.modelType} tied ${tiedDecoder}`);
  }
  const expected = MODEL_TYPES.flatMap((type) => {
    const heads = [...new Set(Object.values(TRAITS[type].heads))];
    const decodes = heads.includes('masked-lm') || heads.includes('causal-lm');
    return [...heads.map((head) => `${type} ${head}`), `${type} tied false`, ...(decodes ? [`${type} tied true`] : [])];
  });
  expected.push('gelu', 'gelu_new', 'relu');
  expect([...covered].sort()).toEqual(expected.sort());
});

describe.each(vectors)('$name', ({ name, hidden, cases }) => {
  it('agrees with PyTorch on every result', async () => {
    const source = await open(name);
    for (const { ids, typeIds, shape, result } of cases) {
      const { logits } = await runFloat(source, ids, typeIds === undefined ? {} : { tokenTypeIds: typeIds });
      expect(logits.length).toBe(shape.reduce((product, size) => product * size, 1));
      expect(difference(logits, result)).toBeLessThan(TOLERANCE);
    }
    expect(Math.max(...cases.flatMap(({ result }) => result.map(Math.abs)))).toBeGreaterThan(0.5);
  });

  it('agrees with PyTorch layer by layer', async () => {
    const source = await open(name);
    const [{ ids, typeIds }] = cases;
    const { hiddenStates } = await runFloat(source, ids, {
      hiddenStates: true,
      ...(typeIds === undefined ? {} : { tokenTypeIds: typeIds }),
    });
    expect(hiddenStates.length).toBe(hidden.length);
    for (const [i, { first, last }] of hidden.entries()) {
      expect(difference(hiddenStates[i], first), `state ${i}`).toBeLessThan(TOLERANCE);
      expect(difference(hiddenStates[i].subarray(-last.length), last), `state ${i}`).toBeLessThan(TOLERANCE);
    }
  });

  it('every tensor has its shape, and every one but the biases of k matters', async () => {
    const stored = await open(name);
    const { config } = stored;
    const cache = new Map<TensorName, Float32Array>();
    for (const each of tensorNames(config)) cache.set(each, await stored.tensor(each));
    const source: WeightSource = { ...stored, tensor: async (wanted) => cache.get(wanted) ?? stored.tensor(wanted) };
    const [{ ids, typeIds }] = cases;
    const options = typeIds === undefined ? {} : { tokenTypeIds: typeIds };
    const { logits } = await runFloat(source, ids, options);
    for (const changed of tensorNames(config)) {
      const values = await source.tensor(changed);
      expect(values.length, changed).toBe(tensorShape(config, changed).reduce((product, size) => product * size, 1));
      const other: WeightSource = {
        ...source,
        tensor: async (wanted: TensorName) =>
          wanted === changed ? values.map((x, i) => x + ((i % 7) - 3) / 4) : source.tensor(wanted),
      };
      const moved = difference((await runFloat(other, ids, options)).logits, [...logits]);
      // A bias of k adds the same to all scores of a row, and softmax takes it away.
      if (changed.endsWith('.bk')) expect(moved, changed).toBeLessThan(TOLERANCE);
      else expect(moved, changed).toBeGreaterThan(1e-3);
    }
  });
});
