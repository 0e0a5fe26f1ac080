/**
 * The weights of a model under canonical names (weight-names.ts), one tensor at a time.
 *
 * A `WeightSource` is all that callers see, whether the weights lie in a folder or come from a seed (random.ts).
 * Nothing is kept between calls, so a party that works layer by layer holds one layer, not the model:
 * `loadGroup(source, 'layers.3')` gives a record of the sixteen tensors of that layer, and dropping it frees them.
 */

import { invariant, TercetError } from '../../core/errors.ts';
import type { ModelConfig } from '../config.ts';
import { quote, shapeText } from '../describe.ts';
import { isFloatDtype } from '../dtype.ts';
import type { ModelFiles } from '../files.ts';
import { checkFinite, openTensors, sameShape, type TensorStore } from '../safetensors.ts';
import { layerOf, type StoredTensor, storedTensor } from './weight-layouts.ts';
import { groupKeys, isDecoder, type TensorName, tensorNames, type WeightGroup, type Weights } from './weight-names.ts';

export { transpose } from './weight-layouts.ts';
export {
  type TensorName,
  tensorNames,
  tensorShape,
  type WeightGroup,
  type Weights,
  weightGroups,
} from './weight-names.ts';

export interface WeightSource {
  readonly config: ModelConfig;
  /** What the weights are, for results and messages: the model's name, or `random-<seed>`. */
  readonly label: string;
  /**
   * Whether the decoder (`mlm.decoder`, `lm.decoder`) is `embeddings.word` itself, so that it need not be sent,
   * shared or encoded twice.
   */
  readonly tiedDecoder: boolean;
  /**
   * One tensor, row-major, finite, of `tensorShape(config, name)`; the caller owns it.
   * @throws {TercetError} ERR_MODEL_FORMAT when the stored values are bad; ERR_INTERNAL for a name that the
   * architecture does not have.
   */
  tensor(name: TensorName): Promise<Float32Array>;
}

/** Loads the tensors of one group: `(await loadGroup(source, 'layers.0')).wq`. @throws as `source.tensor`. */
export async function loadGroup<G extends WeightGroup>(source: WeightSource, group: G): Promise<Weights<G>> {
  const tensors: [string, Float32Array][] = [];
  for (const key of groupKeys(source.config, group))
    tensors.push([key, await source.tensor(`${group}.${key}` as TensorName)]);
  return Object.fromEntries(tensors) as Weights<G>;
}

/**
 * Opens the weights of a model folder and checks that they are the ones of `config`.
 *
 * Reads headers only: every tensor must be there, be floating point and have the config's shape before any data is
 * read. Accepted besides today's names: LayerNorm's old `gamma` and `beta`, and names without the base model's
 * prefix (`bert.`, `transformer.`). Tensors that the architecture does not use (the next-sentence head, a pooler
 * that no head reads, position_ids, GPT-2's masks) are left alone. A decoder that is stored is used even where
 * config.json would tie it.
 * @throws {TercetError} ERR_MODEL_CONFIG naming the tensor with expected and found shape; and as openTensors.
 */
export async function loadWeights(files: ModelFiles, config: ModelConfig): Promise<WeightSource> {
  const store = await openTensors(files, config.architecture);
  refuseMoreLayers(store, config);
  const located = new Map<TensorName, Located>();
  for (const name of tensorNames(config)) {
    const tensor = storedTensor(config, name);
    const found = tensor.names.find((candidate) => store.entries.has(candidate));
    if (found === undefined && isDecoder(name) && config.tieWordEmbeddings) continue;
    checkEntry(store, found, tensor);
    located.set(name, { ...tensor, name: found });
  }
  const word = located.get('embeddings.word');
  const tied = tensorNames(config).some((name) => isDecoder(name) && !located.has(name));
  return {
    config,
    label: files.name,
    tiedDecoder: tied,
    async tensor(name) {
      const tensor = located.get(name) ?? (isDecoder(name) && tensorNames(config).includes(name) ? word : undefined);
      invariant(tensor !== undefined, `${config.architecture} has no weights called ${quote(name)}`);
      const { data } = await store.values(tensor.name, tensor.shape);
      // What no text reads need not be a number: rows before RoBERTa's first position, and the embedding of padding
      // where it is no decoder's.
      const values = tensor.convert(data);
      if (name === 'embeddings.word' && !tied && config.paddingId !== undefined)
        withoutRow(values, config.paddingId, config.hiddenSize);
      checkFinite(values, tensor.name);
      return values;
    },
  };
}

interface Located extends StoredTensor {
  /** The one of `names` that the file has. */
  readonly name: string;
}

/** A row that is not finite becomes zeros. */
function withoutRow(table: Float32Array, row: number, width: number): void {
  const values = table.subarray(row * width, (row + 1) * width);
  if (!values.every(Number.isFinite)) values.fill(0);
}

function contradiction(what: string): TercetError {
  return new TercetError(
    'ERR_MODEL_CONFIG',
    what,
    'config.json and the weights are not of one model: take both from the same place',
  );
}

function checkEntry(
  store: TensorStore,
  found: string | undefined,
  { names, shape }: StoredTensor,
): asserts found is string {
  const entry = found === undefined ? undefined : store.entries.get(found);
  if (found === undefined || entry === undefined)
    throw contradiction(`the weights have no tensor ${quote(names[0])}, expected ${shapeText(shape)}`);
  if (!sameShape(entry.shape, shape)) {
    throw contradiction(
      `tensor ${quote(found)} has shape ${shapeText(entry.shape)}, and config.json says ${shapeText(shape)}`,
    );
  }
  if (!isFloatDtype(entry.dtype)) {
    throw new TercetError(
      'ERR_MODEL_UNSUPPORTED',
      `tensor ${quote(found)} is ${entry.dtype}`,
      'use the unquantized checkpoint (F32, F16 or BF16)',
    );
  }
}

function refuseMoreLayers(store: TensorStore, config: ModelConfig): void {
  for (const name of store.entries.keys()) {
    const layer = layerOf(config, name);
    if (layer !== undefined && layer >= config.layers) {
      throw contradiction(
        `tensor ${quote(name)} is of layer ${layer}, and config.json says ${config.layers} layers (from 0)`,
      );
    }
  }
}
