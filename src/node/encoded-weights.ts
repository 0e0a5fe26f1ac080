/**
 * What a compute party derives from a model's weights, kept for its next start: the fixed-point parameters, and the
 * bounds that the weights prove. `<cache>/encoded-weights/<name>.weights`.
 *
 * Security: what is taken from here is believed, so it must be what this party wrote. Each record has a tag under a
 * key of the state folder (`cache-key.ts`). The first one says the model by the hash that both parties compare, which
 * every start computes from the model's files: while the records are read, and before any is used. What has no such
 * tag, or is of another model, is made anew from the model, and the file goes. A file is kept only if the model's
 * files still have that hash after the last record was made.
 */
import { createHmac } from 'node:crypto';
import { lstat, mkdir, readdir, rm, statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Fold } from '../compute/fold.ts';
import { panelsOf } from '../compute/kernels/pack-panels.ts';
import { type PanelOrder, panelLength } from '../compute/kernels/panels.ts';
import { invariant } from '../core/errors.ts';
import { cacheFolder } from '../hub/environment-node.ts';
import { type EncodedParameter, type ParameterEncoder, isWide, parameterEncoder } from '../ml/models/folding.ts';
import { listParameters } from '../ml/models/parameters.ts';
import type { WeightSource } from '../ml/models/weights.ts';
import { type ModelRanges, provedRanges } from '../ml/ranges.ts';
import type { Parameter } from '../mpc/secure/gates.ts';
import { cacheKey } from './cache-key.ts';
import { stateFolder } from './defaults.ts';
import type { OpenedModel } from './model.ts';
import { isOwnFolder } from './own-files.ts';
import { DRAFT, SEAL, SealedReader, SealedWriter, sealedSize } from './sealed-file.ts';

/** Changes with what is derived from the same weights: then what was kept is not found (`test/party/encoded-weights.test.ts`). */
export const ENCODING = 3;

/** Bytes of the first record: JSON, filled up with spaces. */
const HEAD_BYTES = 1 << 16;
const KIND = '.weights';
/** Smaller models are encoded sooner than a file is worth. */
const LEAST_BYTES = 32 * 2 ** 20;
/** Of the whole folder. */
const MOST_BYTES = 4 * 2 ** 30;
/** What must be free on the disk before a file is begun. */
const LEAST_FREE = 4 * 2 ** 30;
/** A draft that nobody has written to for so long is left over from a process that ended. */
const STALE_DRAFT_MS = 3_600_000;

export interface KeepOptions {
  /** Where they are kept; in the cache of this user when absent. */
  readonly folder?: string;
  /** Where the key is; in the state folder of this user when absent. */
  readonly state?: string;
  readonly leastBytes?: number;
  /** Of all models: what was used longest ago goes. */
  readonly mostBytes?: number;
  /** Whether matrices are read into shared memory, from where kernel threads take them without a copy. */
  readonly shared?: boolean;
  /** The order of the kernels' matrices: these are given and kept in it. Row by row when absent. */
  readonly panels?: PanelOrder | undefined;
}

type Model = Pick<OpenedModel, 'folder' | 'config' | 'hash' | 'unchanged'>;

/** What the weights of a model prove, and of which model. */
interface Head {
  readonly hash: string;
  readonly reach: ModelRanges;
}

/**
 * Calls `load` with the parameters of a model, and keeps what was made for the next start. What was kept is loaded
 * while the model is hashed. If it turns out to be of another one, it is dropped, and `load` is called once more.
 * @throws as reading and bounding the weights do, and as `load` does; never because of what is kept
 */
export async function withEncodedWeights<Loaded>(
  model: Model,
  source: WeightSource,
  fold: Fold,
  load: (encoded: EncodedWeights) => Promise<Loaded>,
  drop: (loaded: Loaded) => Promise<void>,
  options: KeepOptions = {},
): Promise<Loaded> {
  const kept = await EncodedWeights.open(model, source, fold, options);
  try {
    const loaded = await load(kept);
    // SECURITY: nothing that was kept of another model is ever used. test/party/encoded-weights.test.ts.
    if (await kept.ofThisModel()) {
      await kept.keep();
      return loaded;
    }
    await drop(loaded);
  } finally {
    await kept.close();
  }
  const made = await EncodedWeights.make(model, source, fold, options);
  try {
    const loaded = await load(made);
    await made.keep();
    return loaded;
  } finally {
    await made.close();
  }
}

/** The parameters of one model, each once and in the order of `listParameters`, and the bounds of its weights. */
export class EncodedWeights {
  readonly reach: ModelRanges;
  readonly #model: Model;
  readonly #place: Place | undefined;
  readonly #parameters: readonly Parameter[];
  readonly #encoder: ParameterEncoder;
  /** Of the model that was kept. */
  readonly #hash: string | undefined;
  /** Matrices are read into them by turns. */
  readonly #shared: readonly [SharedArrayBuffer, SharedArrayBuffer] | undefined;
  readonly #order: PanelOrder | undefined;
  #matrices = 0;
  #reader: SealedReader | undefined;
  #writer: SealedWriter | undefined;
  #taken = 0;

  private constructor(
    model: Model,
    source: WeightSource,
    fold: Fold,
    place: Place | undefined,
    { shared, panels }: KeepOptions,
    from: {
      readonly head: Head | { readonly hash?: undefined; readonly reach: ModelRanges };
      readonly reader?: SealedReader | undefined;
      readonly writer?: SealedWriter | undefined;
    },
  ) {
    this.#model = model;
    this.#parameters = listParameters(model.config);
    this.#encoder = parameterEncoder(source, fold);
    this.#place = place;
    this.#hash = from.head.hash;
    this.reach = from.head.reach;
    this.#reader = from.reader;
    this.#writer = from.writer;
    this.#order = panels;
    const largest = Math.max(...this.#parameters.map((parameter) => byteLength(parameter, panels)));
    const buffer = () => new SharedArrayBuffer(largest);
    this.#shared = from.reader !== undefined && shared === true ? [buffer(), buffer()] : undefined;
  }

  /** What was kept, of this model or of one that was here before it; else what is made now. Close it. */
  static async open(model: Model, source: WeightSource, fold: Fold, options: KeepOptions): Promise<EncodedWeights> {
    const place = await placeOf(model, options);
    const reader = place === undefined ? undefined : await SealedReader.open(place.path, place.key, place.size);
    const head = headFrom(await reader?.next(new Uint8Array(HEAD_BYTES)));
    if (head !== undefined) return new EncodedWeights(model, source, fold, place, options, { head, reader });
    await reader?.close();
    return EncodedWeights.make(model, source, fold, options);
  }

  /** From the model. Close it. */
  static async make(model: Model, source: WeightSource, fold: Fold, options: KeepOptions): Promise<EncodedWeights> {
    const place = await placeOf(model, options);
    const reach = await provedRanges(source, fold);
    const writer = place === undefined ? undefined : await begun(place, { hash: await model.hash(), reach });
    return new EncodedWeights(model, source, fold, place, options, { head: { reach }, writer });
  }

  /** Whether this was kept, and may be of another model. */
  get kept(): boolean {
    return this.#hash !== undefined;
  }

  /** Whether the model is the one that was kept: its files are hashed by now. */
  async ofThisModel(): Promise<boolean> {
    return this.#hash === undefined || this.#hash === (await this.#model.hash());
  }

  readonly encode: ParameterEncoder = async (parameter) => {
    invariant(this.#parameters[this.#taken++]?.name === parameter.name, 'parameters are encoded in order');
    if (this.#reader !== undefined) {
      const kept = await this.#reader.next(this.#memoryFor(parameter));
      if (kept !== undefined) return viewOf(parameter, kept);
      await this.#forget(this.#reader);
    }
    const encoded = this.#ordered(parameter, await this.#encoder(parameter));
    if (this.#writer !== undefined && !(await this.#writer.add(bytesOf(encoded)))) this.#writer = undefined;
    return encoded;
  };

  #ordered(parameter: Parameter, encoded: EncodedParameter): EncodedParameter {
    const { rows, cols } = parameter;
    if (this.#order === undefined || !isMatrix(parameter) || !(encoded instanceof Int32Array)) return encoded;
    return panelsOf(this.#order, encoded, rows, cols);
  }

  #memoryFor(parameter: Parameter): Uint8Array {
    const length = byteLength(parameter, this.#order);
    if (this.#shared === undefined || !isMatrix(parameter)) return new Uint8Array(length);
    return new Uint8Array(this.#shared[this.#matrices++ % 2], 0, length);
  }

  /** Keeps what was made, for the next start. Nothing is kept of a model that changed meanwhile. */
  async keep(): Promise<void> {
    invariant(this.#taken === this.#parameters.length, 'all parameters are kept or none');
    await this.#reader?.touch();
    const [place, writer] = [this.#place, this.#writer];
    if (place === undefined || writer === undefined || !(await this.#model.unchanged())) return;
    this.#writer = undefined;
    if (await writer.keep()) await makeRoom(place);
  }

  async close(): Promise<void> {
    await this.#reader?.close();
    await this.#writer?.drop();
    this.#reader = undefined;
    this.#writer = undefined;
  }

  /** A damaged file is not asked again. The next start makes another. */
  async #forget(reader: SealedReader): Promise<void> {
    this.#reader = undefined;
    await reader.close();
    if (this.#place !== undefined) await rm(this.#place.path, { force: true }).catch(() => undefined);
  }
}

interface Place {
  readonly folder: string;
  readonly path: string;
  readonly key: Uint8Array;
  readonly size: number;
  readonly mostBytes: number;
}

/** Undefined where nothing is kept: for small models, without a key, in a folder of somebody else, on a full disk. */
async function placeOf({ folder: from, config }: Model, options: KeepOptions): Promise<Place | undefined> {
  if (from === undefined) return undefined;
  const { folder = join(cacheFolder(), 'encoded-weights'), state = stateFolder() } = options;
  const { leastBytes = LEAST_BYTES, mostBytes = MOST_BYTES, panels } = options;
  const size = sealedSize([HEAD_BYTES, ...listParameters(config).map((parameter) => byteLength(parameter, panels))]);
  if (size < leastBytes || size > mostBytes) return undefined;
  const secret = await cacheKey(state);
  if (secret === undefined) return undefined;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (!(await isOwnFolder(folder))) return undefined;
  } catch {
    return undefined;
  }
  const derived = (...label: readonly unknown[]) =>
    createHmac('sha256', secret)
      .update(JSON.stringify(['tercet', SEAL, ENCODING, ...label]))
      .digest();
  // One checkpoint under two heads is two models. SECURITY: a file in another order has another key: it would load,
  // and make wrong answers. test/party/encoded-weights.test.ts.
  const order = panels === undefined ? 'rows' : [panels.rows, panels.columns];
  const name = `${derived('name of encoded weights', resolve(from), config, order).toString('hex')}${KIND}`;
  return { folder, path: join(folder, name), key: derived('encoded weights', order), size, mostBytes };
}

/** A file with its first record; undefined where it cannot be written. */
async function begun({ folder, path, key }: Place, head: Head): Promise<SealedWriter | undefined> {
  const record = headRecord(head);
  const disk = await statfs(folder).catch(() => undefined);
  if (record === undefined || (disk !== undefined && disk.bavail * disk.bsize < LEAST_FREE)) return undefined;
  const writer = await SealedWriter.create(path, key);
  return writer !== undefined && (await writer.add(record)) ? writer : undefined;
}

/** Removes what was used longest ago until the folder keeps to its limit, and drafts that nobody finished. */
async function makeRoom({ folder, path, mostBytes }: Place): Promise<void> {
  try {
    const files: { readonly at: string; readonly size: number; readonly used: number }[] = [];
    for (const name of await readdir(folder)) {
      if (!name.endsWith(KIND) && !name.endsWith(DRAFT)) continue;
      const at = join(folder, name);
      const { size, mtimeMs } = await lstat(at);
      if (name.endsWith(DRAFT)) {
        if (Date.now() - mtimeMs > STALE_DRAFT_MS) await rm(at, { force: true });
      } else if (at !== path) files.push({ at, size, used: mtimeMs });
    }
    let total = (await lstat(path)).size;
    // The newest first: what does not fit any more goes.
    for (const { at, size } of files.sort((a, b) => b.used - a.used)) {
      total += size;
      if (total > mostBytes) await rm(at, { force: true });
    }
  } catch {
    // Another process tidies up at the same time, or may not: the next one will.
  }
}

/** Those that go to the kernels; the others stay vectors. */
function isMatrix(parameter: Parameter): boolean {
  return parameter.rows > 1 && !isWide(parameter);
}

function byteLength(parameter: Parameter, order: PanelOrder | undefined): number {
  const { rows, cols } = parameter;
  if (order !== undefined && isMatrix(parameter)) return 4 * panelLength(order, rows, cols);
  return rows * cols * (isWide(parameter) ? 8 : 4);
}

function bytesOf(encoded: EncodedParameter): Uint8Array {
  return new Uint8Array(encoded.buffer, encoded.byteOffset, encoded.byteLength);
}

function viewOf(parameter: Parameter, { buffer, byteOffset, byteLength: bytes }: Uint8Array): EncodedParameter {
  return isWide(parameter)
    ? new BigInt64Array(buffer, byteOffset, bytes / 8)
    : new Int32Array(buffer, byteOffset, bytes / 4);
}

/** Undefined where a bound is no number: that model is about to be refused. */
function headRecord(head: Head): Uint8Array | undefined {
  const json = JSON.stringify(head);
  if (json.includes('null') || json.length > HEAD_BYTES) return undefined;
  return new TextEncoder().encode(json.padEnd(HEAD_BYTES));
}

/** This party's own words: they had its tag. */
function headFrom(record: Uint8Array | undefined): Head | undefined {
  return record === undefined ? undefined : (JSON.parse(new TextDecoder().decode(record)) as Head);
}
