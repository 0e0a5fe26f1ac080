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
/** Bytes that are left of a buffer when a matrix is read into it, at most: else it gets one of its own. */
const MOST_SPARE = 8 * 2 ** 20;
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
interface Proved {
  readonly hash: string;
  readonly reach: ModelRanges;
}

/** The first record. */
interface Head extends Proved {
  /** Bytes of every record behind it: of a matrix in the kernels' order they depend on its entries. */
  readonly lengths: readonly number[];
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
  /** What was kept. */
  readonly #head: Head | undefined;
  /** Matrices are read into them by turns: one is read while the other is loaded. */
  readonly #shared: [SharedArrayBuffer, SharedArrayBuffer] | undefined;
  readonly #order: PanelOrder | undefined;
  #matrices = 0;
  #reader: SealedReader | undefined;
  #draft: Draft | undefined;
  #taken = 0;

  private constructor(
    model: Model,
    source: WeightSource,
    fold: Fold,
    place: Place | undefined,
    { shared, panels }: KeepOptions,
    from:
      | { readonly reach: ModelRanges; readonly draft: Draft | undefined }
      | { readonly head: Head; readonly reader: SealedReader },
  ) {
    this.#model = model;
    this.#parameters = listParameters(model.config);
    this.#encoder = parameterEncoder(source, fold);
    this.#place = place;
    this.#order = panels;
    if ('reach' in from) {
      this.reach = from.reach;
      this.#draft = from.draft;
      return;
    }
    this.#head = from.head;
    this.reach = from.head.reach;
    this.#reader = from.reader;
    this.#shared = shared === true ? [new SharedArrayBuffer(0), new SharedArrayBuffer(0)] : undefined;
  }

  /** What was kept, of this model or of one that was here before it; else what is made now. Close it. */
  static async open(model: Model, source: WeightSource, fold: Fold, options: KeepOptions): Promise<EncodedWeights> {
    const place = await placeOf(model, options);
    const reader = place === undefined ? undefined : await SealedReader.open(place.path, place.key);
    const head = headFrom(await reader?.next(new Uint8Array(HEAD_BYTES)));
    if (head !== undefined && reader?.size === sealedSize([HEAD_BYTES, ...head.lengths]))
      return new EncodedWeights(model, source, fold, place, options, { head, reader });
    await reader?.close();
    return EncodedWeights.make(model, source, fold, options);
  }

  /** From the model. Close it. */
  static async make(model: Model, source: WeightSource, fold: Fold, options: KeepOptions): Promise<EncodedWeights> {
    const place = await placeOf(model, options);
    const reach = await provedRanges(source, fold);
    const draft = place === undefined ? undefined : await Draft.begin(place, { hash: await model.hash(), reach });
    return new EncodedWeights(model, source, fold, place, options, { reach, draft });
  }

  /** Whether this was kept, and may be of another model. */
  get kept(): boolean {
    return this.#head !== undefined;
  }

  /** Whether the model is the one that was kept: its files are hashed by now. */
  async ofThisModel(): Promise<boolean> {
    return this.#head === undefined || this.#head.hash === (await this.#model.hash());
  }

  readonly encode: ParameterEncoder = async (parameter) => {
    const number = this.#taken++;
    invariant(this.#parameters[number]?.name === parameter.name, 'parameters are encoded in order');
    if (this.#reader !== undefined) {
      const kept = await this.#reader.next(this.#memoryFor(parameter, this.#head?.lengths[number] ?? 0));
      if (kept !== undefined) return viewOf(parameter, kept);
      await this.#forget(this.#reader);
    }
    const encoded = this.#ordered(parameter, await this.#encoder(parameter));
    await this.#draft?.add(bytesOf(encoded));
    return encoded;
  };

  #ordered(parameter: Parameter, encoded: EncodedParameter): EncodedParameter {
    const { rows, cols } = parameter;
    if (this.#order === undefined || !isMatrix(parameter) || !(encoded instanceof Int32Array)) return encoded;
    return panelsOf(this.#order, encoded, rows, cols);
  }

  #memoryFor(parameter: Parameter, length: number): Uint8Array {
    if (this.#shared === undefined || !isMatrix(parameter)) return new Uint8Array(length);
    const turn = this.#matrices++ % 2;
    const { byteLength: size } = this.#shared[turn];
    // A thread that gets a buffer counts all of it as memory of its own, and collects for it.
    if (size < length || size - length > MOST_SPARE) this.#shared[turn] = new SharedArrayBuffer(length);
    return new Uint8Array(this.#shared[turn], 0, length);
  }

  /** Keeps what was made, for the next start. Nothing is kept of a model that changed meanwhile. */
  async keep(): Promise<void> {
    invariant(this.#taken === this.#parameters.length, 'all parameters are kept or none');
    await this.#reader?.touch();
    const [place, draft] = [this.#place, this.#draft];
    if (place === undefined || draft === undefined || !(await this.#model.unchanged())) return;
    if (await draft.keep()) await makeRoom(place);
  }

  async close(): Promise<void> {
    await this.#reader?.close();
    await this.#draft?.drop();
    this.#reader = undefined;
    this.#draft = undefined;
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
  return { folder, path: join(folder, name), key: derived('encoded weights', order), mostBytes };
}

/** What is made, on its way to a file. A step that fails ends it, and nothing is kept. */
class Draft {
  readonly #proved: Proved;
  readonly #lengths: number[] = [];
  #writer: SealedWriter | undefined;

  private constructor(proved: Proved, writer: SealedWriter) {
    this.#proved = proved;
    this.#writer = writer;
  }

  /** Undefined where it cannot be written. */
  static async begin({ folder, path, key }: Place, proved: Proved): Promise<Draft | undefined> {
    const disk = await statfs(folder).catch(() => undefined);
    if (disk !== undefined && disk.bavail * disk.bsize < LEAST_FREE) return undefined;
    if (headRecord({ ...proved, lengths: [] }) === undefined) return undefined;
    const writer = await SealedWriter.create(path, key, HEAD_BYTES);
    return writer === undefined ? undefined : new Draft(proved, writer);
  }

  async add(record: Uint8Array): Promise<void> {
    this.#lengths.push(record.length);
    if ((await this.#writer?.add(record)) === false) this.#writer = undefined;
  }

  /** Whether there is a file of it now. */
  async keep(): Promise<boolean> {
    const record = headRecord({ ...this.#proved, lengths: this.#lengths });
    const writer = this.#writer;
    if (record === undefined || writer === undefined) return false;
    this.#writer = undefined;
    return writer.keep(record);
  }

  async drop(): Promise<void> {
    await this.#writer?.drop();
  }
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

/** The most that a parameter takes. */
function byteLength(parameter: Parameter, order: PanelOrder | undefined): number {
  const { rows, cols } = parameter;
  if (order !== undefined && isMatrix(parameter)) return 4 * panelLength(order, rows, cols, 2);
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
