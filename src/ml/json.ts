/**
 * JSON of a model folder: bytes that nobody has checked yet → plain values, with typed errors that name the file
 * and quote nothing of it. No schema (core/json.ts): configurations of other people are read leniently.
 */

import { type ErrorCode, TercetError } from '../core/errors.ts';

/** Larger than any tokenizer.json in use (the biggest multilingual ones have about 35 MB). */
const MAX_JSON_BYTES = 200_000_000;

/**
 * Parses `bytes` as UTF-8 JSON.
 *
 * A web page in place of the file (a server that answers "not found" with 200) is recognised and called so.
 * @throws {TercetError} with `code` when the bytes are HTML, not UTF-8 or not JSON.
 */
export function parseModelJson(bytes: Uint8Array, file: string, code: ErrorCode): unknown {
  const fail = (what: string, hint: string): TercetError => new TercetError(code, `${file} ${what}`, hint);
  if (bytes.length === 0) throw fail('is empty', 'the download is incomplete: fetch the file again');
  if (bytes.length > MAX_JSON_BYTES)
    throw fail(
      `has ${bytes.length} bytes, more than a JSON file of a model can have`,
      'check that this is the right file',
    );
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw fail('is not UTF-8 text', 'the download is damaged: fetch the file again');
  }
  if (text.trimStart().startsWith('<')) {
    throw fail(
      'is HTML, not JSON',
      'a server answered with a web page instead of the file: check the address, and fetch the file again',
    );
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Python writes and reads numbers that JSON does not have.
  }
  try {
    return parsePythonJson(text);
  } catch {
    // The engine's message quotes the file, so it is dropped.
    throw fail(`is not valid JSON (${bytes.length} bytes)`, 'the file is damaged or incomplete: fetch it again');
  }
}

/** Stands for NaN while a file is parsed; no file has such a text. */
const NOT_A_NUMBER = '\\u0000NaN\\u0000';

/**
 * JSON with NaN, Infinity and -Infinity, outside texts. Those become the numbers, so that whoever reads one sees
 * that it is not finite.
 */
function parsePythonJson(text: string): unknown {
  const json = text.replace(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/gs, (part) => {
    if (part.startsWith('"')) return part;
    return part === 'NaN' ? `"${NOT_A_NUMBER}"` : part.startsWith('-') ? '-1e999' : '1e999';
  });
  const marker: unknown = JSON.parse(`"${NOT_A_NUMBER}"`);
  return JSON.parse(json, (_key, value: unknown) => (value === marker ? Number.NaN : value)) as unknown;
}

/** Whether `value` is a JSON object; its own keys only may be read. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The own property `key`, or undefined: a key named `constructor` or `__proto__` finds nothing that the file did
 * not say.
 */
export function own(record: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
