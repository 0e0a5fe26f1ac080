/**
 * The header of a safetensors file: which tensors there are and where.
 *
 * File = u64 LE header length, that many bytes of JSON, then the data. The JSON maps each name to `{dtype, shape,
 * data_offsets: [begin, end]}` relative to the data, plus an optional `__metadata__` of strings. As in the
 * reference implementation the tensors must tile the data: no overlap, no hole, nothing behind the last, so a file
 * that was cut or extended is always noticed. Source: https://github.com/huggingface/safetensors (format section of
 * its README, and `Metadata::validate`).
 */

import { TercetError } from '../core/errors.ts';
import { quote, shapeText, typeName } from './describe.ts';
import { DTYPE_BYTES, type Dtype } from './dtype.ts';
import { isRecord, own } from './json.ts';

/** The limit of the reference implementation. */
const MAX_HEADER_BYTES = 100_000_000;
const MAX_RANK = 16;
const ENTRY_KEYS = new Set(['dtype', 'shape', 'data_offsets']);

/** One tensor: its bytes are [begin, end) of the file. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** The one error of this format. `what` follows the file's name. */
export function formatError(file: string, what: string): TercetError {
  return new TercetError(
    'ERR_MODEL_FORMAT',
    `${file}: ${what}`,
    'the file is damaged, incomplete or not safetensors: fetch or convert it again',
  );
}

/**
 * Checks the first eight bytes and returns the header's length.
 * @throws {TercetError} ERR_MODEL_FORMAT unless 2 ≤ length ≤ 100 MB and the header ends inside the file.
 */
export function headerLength(file: string, prefix: Uint8Array, fileSize: number): number {
  if (prefix.length < 8) throw formatError(file, `has ${fileSize} bytes, too few for a header`);
  const length = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES))
    throw formatError(file, `says its header has ${length} bytes, more than ${MAX_HEADER_BYTES}`);
  if (Number(length) > fileSize - 8)
    throw formatError(file, `says its header has ${length} bytes but the file has ${fileSize}`);
  if (length < 2n) throw formatError(file, `says its header has ${length} bytes, too few for one`);
  return Number(length);
}

/**
 * Parses and checks a header.
 *
 * header: its JSON bytes; fileSize: bytes of the whole file → entries in the order of their data.
 * @throws {TercetError} ERR_MODEL_FORMAT naming the file, and the tensor where there is one.
 */
export function parseHeader(file: string, header: Uint8Array, fileSize: number): Map<string, TensorEntry> {
  const dataStart = 8 + header.length;
  const dataSize = fileSize - dataStart;
  const entries: TensorEntry[] = [];
  for (const [name, value] of Object.entries(parseJson(file, header))) {
    if (name === '__metadata__') checkMetadata(file, value);
    else entries.push(parseEntry(file, name, value, dataStart, dataSize));
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = dataStart;
  for (const entry of entries) {
    if (entry.begin < at) throw formatError(file, `tensor ${quote(entry.name)} overlaps the one before it`);
    if (entry.begin > at)
      throw formatError(file, `${entry.begin - at} bytes before tensor ${quote(entry.name)} belong to no tensor`);
    at = entry.end;
  }
  if (at !== fileSize) throw formatError(file, `${fileSize - at} bytes after the last tensor belong to no tensor`);
  return new Map(entries.map((entry) => [entry.name, entry]));
}

function parseJson(file: string, header: Uint8Array): Record<string, unknown> {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header);
    value = JSON.parse(text) as unknown;
  } catch {
    throw formatError(file, 'its header is not UTF-8 JSON');
  }
  if (!isRecord(value)) throw formatError(file, `its header is ${typeName(value)}, not an object`);
  if (hasDuplicateKey(text)) throw formatError(file, 'its header has the same key twice in one object');
  return value;
}

function checkMetadata(file: string, value: unknown): void {
  if (!isRecord(value) || Object.values(value).some((entry) => typeof entry !== 'string')) {
    throw formatError(file, '__metadata__ is not an object of strings');
  }
}

function parseEntry(file: string, name: string, value: unknown, dataStart: number, dataSize: number): TensorEntry {
  const fail = (what: string): TercetError => formatError(file, `tensor ${quote(name)}: ${what}`);
  if (!isRecord(value)) throw fail(`its entry is ${typeName(value)}, not an object`);
  for (const key of Object.keys(value))
    if (!ENTRY_KEYS.has(key)) throw fail(`its entry has an unknown key ${quote(key)}`);
  const dtype = own(value, 'dtype');
  const elementBytes = typeof dtype === 'string' ? DTYPE_BYTES.get(dtype) : undefined;
  if (elementBytes === undefined)
    throw fail(`its dtype ${typeof dtype === 'string' ? quote(dtype) : typeName(dtype)} is not known`);
  const shape = own(value, 'shape');
  if (!isSizes(shape) || shape.length > MAX_RANK)
    throw fail('its shape is not a list of at most 16 non-negative integers');
  const offsets = own(value, 'data_offsets');
  if (!isSizes(offsets) || offsets.length !== 2) throw fail('its data_offsets are not two non-negative integers');
  const [begin, end] = offsets;
  if (begin > end || end > dataSize)
    throw fail(`its data_offsets [${begin}, ${end}] are not inside the data of ${dataSize} bytes`);
  if (byteLength(shape, elementBytes) !== end - begin)
    throw fail(`shape ${shapeText(shape)} of ${dtype as Dtype} does not fill ${end - begin} bytes`);
  return { name, dtype: dtype as Dtype, shape, begin: dataStart + begin, end: dataStart + end };
}

function isSizes(value: unknown): value is number[] {
  return (
    Array.isArray(value) &&
    value.every((size) => Number.isSafeInteger(size) && (size as number) >= 0 && !Object.is(size, -0))
  );
}

/** Bytes of a tensor, or NaN (equal to nothing) where the product leaves the exact integers. */
function byteLength(shape: readonly number[], elementBytes: number): number {
  if (shape.includes(0)) return 0;
  let bits = 8 * elementBytes;
  for (const size of shape) bits = Number.isSafeInteger(bits * size) ? bits * size : Number.NaN;
  return bits / 8;
}

/**
 * Whether an object in `json` has one key twice; `json` has passed JSON.parse, which keeps the last of them in silence.
 *
 * Two readers that keep different ones would see different models under one hash.
 */
function hasDuplicateKey(json: string): boolean {
  const open: (Set<string> | null)[] = []; // the keys of each open object; null for an array
  for (let at = 0; at < json.length; at++) {
    const char = json[at];
    if (char === '{') open.push(new Set());
    else if (char === '[') open.push(null);
    else if (char === '}' || char === ']') open.pop();
    else if (char === '"') {
      const start = at;
      for (at++; json[at] !== '"'; at++) if (json[at] === '\\') at++;
      let next = at + 1;
      while (' \t\n\r'.includes(json[next])) next++;
      if (json[next] !== ':') continue;
      const keys = open[open.length - 1];
      const key = JSON.parse(json.slice(start, at + 1)) as string; // two spellings of one key are one key
      if (keys?.has(key)) return true;
      keys?.add(key);
    }
  }
  return false;
}
