/**
 * What a compute party derives from a model's weights, kept for its next start: the fixed-point parameters, and the
 * bounds that the weights prove. `<cache>/encoded-weights/<name>.weights`.
 *
 * Security: what is taken from here is believed, so it must be what this party wrote. Each record has a tag under a
 * key of the state folder (`cache-key.ts`) and the name says the model by the hash that both parties compare, which
 * every start computes from the model's files. What has no such tag is made anew from the model, and the file
 * goes. A file is kept only if the model's files still have that hash after the last record was made.
 */
import { createHmac } from 'node:crypto';
import { lstat, mkdir, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fold } from '../compute/fold.ts';
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
import { DRAFT, SealedReader, SealedWriter, sealedSize } from './sealed-file.ts';

/** Changes with what is derived from the same weights: then what was kept is not found (`test/party/encoded-weights.test.ts`). */
export const ENCODING = 2;

/** Bytes of the record of bounds: JSON, filled up with spaces. */
const REACH_BYTES = 1 << 16;
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
}

type Model = Pick<OpenedModel, 'files' | 'config' | 'hash' | 'unchanged'>;

/** The parameters of one model, each once and in the order of `listParameters`, and the bounds of its weights. */
export class EncodedWeights {
  readonly reach: ModelRanges;
  readonly #model: Model;
  readonly #place: Place | undefined;
  readonly #parameters: readonly Parameter[];
  readonly #encoder: ParameterEncoder;
  #reader: SealedReader | undefined;
  #writer: SealedWriter | undefined;
  #taken = 0;

  private constructor(
    model: Model,
    parameters: readonly Parameter[],
    encoder: ParameterEncoder,
    reach: ModelRanges,
    place: Place | undefined,
    from: { readonly reader?: SealedReader | undefined; readonly writer?: SealedWriter | undefined },
  ) {
    this.#model = model;
    this.#parameters = parameters;
    this.#encoder = encoder;
    this.reach = reach;
    this.#place = place;
    this.#reader = from.reader;
    this.#writer = from.writer;
  }

  /** Close it, whatever happens. @throws as reading and bounding the weights do; never because of what is kept */
  static async open(
    model: Model,
    source: WeightSource,
    fold: Fold,
    options: KeepOptions = {},
  ): Promise<EncodedWeights> {
    const parameters = listParameters(model.config);
    const encoder = parameterEncoder(source, fold);
    const size = sealedSize([REACH_BYTES, ...parameters.map(byteLength)]);
    const place = model.files === undefined ? undefined : await placeOf(model, size, options);
    const reader = place === undefined ? undefined : await SealedReader.open(place.path, place.key, size);
    const known = reachFrom(await reader?.next(REACH_BYTES));
    if (known !== undefined) return new EncodedWeights(model, parameters, encoder, known, place, { reader });
    await reader?.close();
    const reach = await provedRanges(source, fold);
    const writer = place === undefined ? undefined : await begun(place, reach);
    return new EncodedWeights(model, parameters, encoder, reach, place, { writer });
  }

  readonly encode: ParameterEncoder = async (parameter) => {
    invariant(this.#parameters[this.#taken++]?.name === parameter.name, 'parameters are encoded in order');
    if (this.#reader !== undefined) {
      const kept = await this.#reader.next(byteLength(parameter));
      if (kept !== undefined) return viewOf(parameter, kept);
      await this.#forget(this.#reader);
    }
    const encoded = await this.#encoder(parameter);
    if (this.#writer !== undefined && !(await this.#writer.add(bytesOf(encoded)))) this.#writer = undefined;
    return encoded;
  };

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
  readonly mostBytes: number;
}

/** Undefined where nothing is kept: for small models, without a key, in a folder of somebody else, on a full disk. */
async function placeOf(model: Model, size: number, options: KeepOptions): Promise<Place | undefined> {
  const { folder = join(cacheFolder(), 'encoded-weights'), state = stateFolder() } = options;
  const { leastBytes = LEAST_BYTES, mostBytes = MOST_BYTES } = options;
  if (size < leastBytes || size > mostBytes) return undefined;
  const secret = await cacheKey(state);
  if (secret === undefined) return undefined;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (!(await isOwnFolder(folder))) return undefined;
  } catch {
    return undefined;
  }
  const hash = await model.hash();
  const derived = (label: string) =>
    createHmac('sha256', secret)
      .update(JSON.stringify(['tercet', label, ENCODING, hash]))
      .digest();
  const name = `${derived('name of encoded weights').toString('hex')}${KIND}`;
  return { folder, path: join(folder, name), key: derived('encoded weights'), mostBytes };
}

/** A file with its first record; undefined where it cannot be written. */
async function begun({ folder, path, key }: Place, reach: ModelRanges): Promise<SealedWriter | undefined> {
  const record = reachRecord(reach);
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

function byteLength(parameter: Parameter): number {
  return parameter.rows * parameter.cols * (isWide(parameter) ? 8 : 4);
}

function bytesOf(encoded: EncodedParameter): Uint8Array {
  return new Uint8Array(encoded.buffer, encoded.byteOffset, encoded.byteLength);
}

function viewOf(parameter: Parameter, { buffer, byteOffset }: Uint8Array<ArrayBuffer>): EncodedParameter {
  const count = parameter.rows * parameter.cols;
  return isWide(parameter) ? new BigInt64Array(buffer, byteOffset, count) : new Int32Array(buffer, byteOffset, count);
}

/** Undefined where a bound is no number: that model is about to be refused. */
function reachRecord(reach: ModelRanges): Uint8Array | undefined {
  const json = JSON.stringify(reach);
  if (json.includes('null') || json.length > REACH_BYTES) return undefined;
  return new TextEncoder().encode(json.padEnd(REACH_BYTES));
}

/** This party's own words: they had its tag. */
function reachFrom(record: Uint8Array | undefined): ModelRanges | undefined {
  return record === undefined ? undefined : (JSON.parse(new TextDecoder().decode(record)) as ModelRanges);
}
