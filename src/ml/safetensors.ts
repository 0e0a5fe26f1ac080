/**
 * Tensors of a model, read one at a time from `model.safetensors` or its shards.
 *
 * Opening reads and checks the headers only; a tensor's bytes are read when it is asked for, and nothing is kept.
 * Input is hostile until checked: every failure is a typed error that names the file and the tensor.
 */

import { TercetError } from '../core/errors.ts';
import { quote, shapeText, typeName } from './describe.ts';
import { type Dtype, firstNonFinite, isFloatDtype, toFloat32 } from './dtype.ts';
import { type ByteSource, bytesSource, checkFileName, fileNotFound, type ModelFiles, openBytes } from './files.ts';
import { isRecord, own, parseModelJson } from './json.ts';
import { formatError, headerLength, parseHeader, type TensorEntry } from './safetensors-header.ts';

const SAFETENSORS_FILE = 'model.safetensors';
const SAFETENSORS_INDEX = 'model.safetensors.index.json';

interface FloatTensor {
  readonly shape: readonly number[];
  /** Row-major, finite. */
  readonly data: Float32Array;
}

interface RawTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Little-endian elements in memory of their own, 8-byte aligned. */
  readonly bytes: Uint8Array;
}

/** The tensors of one model by name, whatever the number of files. */
export interface TensorStore {
  readonly entries: ReadonlyMap<string, TensorEntry>;
  /**
   * Reads a floating-point tensor as float32 (F64 is rounded, the others are exact).
   * @throws {TercetError} ERR_MODEL_FORMAT when it is absent, not floating point, not of `expectedShape`, or has a
   * NaN or an infinity.
   */
  tensor(name: string, expectedShape?: readonly number[]): Promise<FloatTensor>;
  /** The same, with NaN and infinities: for whoever reads a part of it and looks at that with `checkFinite`. */
  values(name: string, expectedShape?: readonly number[]): Promise<FloatTensor>;
  /**
   * Reads a tensor of any type as its bytes; for shares of weights (I64).
   * @throws {TercetError} ERR_MODEL_FORMAT when it is absent.
   */
  raw(name: string): Promise<RawTensor>;
}

/** Weights that are not safetensors, and how the transformers library is told to read them. */
const OTHER_FORMATS: readonly { readonly file: string; readonly why: string; readonly option: string }[] = [
  ...['pytorch_model.bin', 'pytorch_model.bin.index.json'].map((file) => ({
    file,
    why: 'a pickle, which can run code when it is opened',
    option: '',
  })),
  { file: 'tf_model.h5', why: 'the format of TensorFlow', option: ', from_tf=True' },
  { file: 'flax_model.msgpack', why: 'the format of Flax', option: ', from_flax=True' },
];

/**
 * Opens the tensors of a model: `model.safetensors`, else the shards that `model.safetensors.index.json` lists.
 *
 * architecture: what config.json says, for the advice on how to convert other formats.
 * @throws {TercetError} ERR_MODEL_UNSUPPORTED when there are weights in another format only, ERR_MODEL_NOT_FOUND
 * when there are none (or a shard is missing), ERR_MODEL_FORMAT.
 */
export async function openTensors(files: ModelFiles, architecture = 'AutoModelForMaskedLM'): Promise<TensorStore> {
  if (await files.has(SAFETENSORS_FILE)) return openSafetensors(await openBytes(files, SAFETENSORS_FILE));
  if (await files.has(SAFETENSORS_INDEX)) return openShards(files);
  for (const { file, why, option } of OTHER_FORMATS) {
    if (!(await files.has(file))) continue;
    throw new TercetError(
      'ERR_MODEL_UNSUPPORTED',
      `model ${quote(files.name)} has its weights only as ${file}, ${why}`,
      `convert it where you trust it, in the model folder: python -c "from transformers import ${architecture} as M; ` +
        `M.from_pretrained('.'${option}).save_pretrained('.', safe_serialization=True)"${option === '' ? '' : ' (transformers before 5)'}; ` +
        'it writes model.safetensors',
    );
  }
  throw fileNotFound(files.name, SAFETENSORS_FILE);
}

/** Opens one safetensors file that is in memory. */
export function parseSafetensors(bytes: Uint8Array, name = SAFETENSORS_FILE): Promise<TensorStore> {
  return openSafetensors(bytesSource(name, bytes));
}

/** Opens one safetensors file. @throws {TercetError} ERR_MODEL_FORMAT. */
export async function openSafetensors(source: ByteSource): Promise<TensorStore> {
  const length = headerLength(source.name, await source.read(0, Math.min(8, source.size)), source.size);
  const entries = parseHeader(source.name, await source.read(8, 8 + length), source.size);
  return store(entries, () => source, source.name);
}

async function openShards(files: ModelFiles): Promise<TensorStore> {
  const index = parseModelJson(await files.read(SAFETENSORS_INDEX), SAFETENSORS_INDEX, 'ERR_MODEL_FORMAT');
  const weightMap = isRecord(index) ? own(index, 'weight_map') : undefined;
  if (!isRecord(weightMap)) throw formatError(SAFETENSORS_INDEX, `weight_map is ${typeName(weightMap)}, not an object`);
  const shardOf = new Map<string, string>();
  for (const [tensor, shard] of Object.entries(weightMap)) {
    if (typeof shard !== 'string')
      throw formatError(SAFETENSORS_INDEX, `the file of tensor ${quote(tensor)} is ${typeName(shard)}, not a name`);
    shardOf.set(tensor, checkFileName(shard));
  }
  const sources = new Map<string, ByteSource>();
  const entries = new Map<string, TensorEntry>();
  for (const shard of new Set(shardOf.values())) {
    const source = await openBytes(files, shard);
    sources.set(shard, source);
    for (const [name, entry] of (await openSafetensors(source)).entries) {
      // The index decides: a tensor that it does not name is not of the model. One that a shard lacks is an error when
      // it is read.
      if (shardOf.get(name) === shard) entries.set(name, entry);
    }
  }
  return store(entries, (name) => sources.get(shardOf.get(name) as string) as ByteSource, SAFETENSORS_INDEX);
}

function store(
  entries: ReadonlyMap<string, TensorEntry>,
  sourceOf: (name: string) => ByteSource,
  label: string,
): TensorStore {
  const find = (name: string): TensorEntry => {
    const entry = entries.get(name);
    if (entry === undefined) throw formatError(label, `has no tensor ${quote(name)}`);
    return entry;
  };
  const read = async (entry: TensorEntry): Promise<Uint8Array> => {
    const source = sourceOf(entry.name);
    const bytes = await source.read(entry.begin, entry.end);
    if (bytes.length !== entry.end - entry.begin)
      throw formatError(source.name, `tensor ${quote(entry.name)}: the file became shorter`);
    return bytes.byteOffset % 8 === 0 ? bytes : Uint8Array.from(bytes);
  };
  return {
    entries,
    async tensor(name, expectedShape) {
      const { shape, data } = await this.values(name, expectedShape);
      checkFinite(data, name, sourceOf(name).name);
      return { shape, data };
    },
    async values(name, expectedShape) {
      const entry = find(name);
      const file = sourceOf(name).name;
      if (!isFloatDtype(entry.dtype))
        throw formatError(file, `tensor ${quote(name)} is ${entry.dtype}, not floating point`);
      if (expectedShape && !sameShape(entry.shape, expectedShape)) {
        throw formatError(
          file,
          `tensor ${quote(name)} has shape ${shapeText(entry.shape)}, expected ${shapeText(expectedShape)}`,
        );
      }
      return { shape: entry.shape, data: toFloat32(entry.dtype, await read(entry)) };
    },
    async raw(name) {
      const entry = find(name);
      return { dtype: entry.dtype, shape: entry.shape, bytes: await read(entry) };
    },
  };
}

/** @throws {TercetError} ERR_MODEL_FORMAT for a NaN or an infinity */
export function checkFinite(data: Float32Array, name: string, file = SAFETENSORS_FILE): void {
  const bad = firstNonFinite(data);
  if (bad >= 0) throw formatError(file, `tensor ${quote(name)} is not a finite float32 at element ${bad}`);
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}
