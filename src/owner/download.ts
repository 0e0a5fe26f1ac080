/**
 * Files that the data owner downloads: few, small, and pinned by SHA-256. Nothing is kept that was not checked, and
 * a server that answers every path with its start page is recognised by what it sends.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { toHex } from '../core/bytes.ts';
import { abortedError } from '../core/abort.ts';
import { TercetError } from '../core/errors.ts';
import type { PinnedFile } from './types/index.ts';

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** No file of a tokenizer or a configuration is larger; a deployment that pins a larger one is refused. */
export const MAX_BYTES = 64 * 1024 * 1024;

export interface DownloadOptions {
  readonly fetch: Fetch;
  readonly signal?: AbortSignal | undefined;
  /** Bytes so far, and how many there will be. */
  onProgress?(loaded: number, total: number): void;
}

/** Something came, and it is not the file: a cache between here and the server may have kept it. */
class WrongAnswer extends TercetError {}

/**
 * Downloads a file and checks it against its pin. The pin is in the address (`?sha256=…`), so a server may let
 * browsers keep the answer for good; what turns out to be another file is asked for once more, past every cache.
 * @throws {TercetError} ERR_DOWNLOAD when it cannot be had or is a web page instead, ERR_INTEGRITY when its bytes
 * are not the pinned ones, ERR_ABORTED.
 */
export async function downloadPinned(
  url: string,
  file: string,
  pin: PinnedFile,
  options: DownloadOptions,
): Promise<Uint8Array> {
  const address = new URL(url);
  address.searchParams.set('sha256', pin.sha256);
  try {
    return await downloadOnce(address.href, file, pin, 'default', options);
  } catch (error) {
    if (!(error instanceof WrongAnswer)) throw error;
    return downloadOnce(address.href, file, pin, 'reload', options);
  }
}

async function downloadOnce(
  url: string,
  file: string,
  pin: PinnedFile,
  cache: RequestCache,
  options: DownloadOptions,
): Promise<Uint8Array> {
  const bytes = await download(url, file, pin.bytes, { cache }, options);
  const hash = toHex(sha256(bytes));
  if (bytes.length === pin.bytes && hash === pin.sha256) return bytes;
  throw new WrongAnswer(
    'ERR_INTEGRITY',
    `${file} is not the file that this model was published with (${bytes.length} bytes, SHA-256 ${hash.slice(0, 12)}…)`,
    'do not go on; tell the operator of this page, or update its tercet.json if the model was changed on purpose',
  );
}

/**
 * Downloads JSON that nothing pins: the deployment document itself, a party's description. A redirect is refused:
 * it may lead over an address that carries no trust.
 */
export async function downloadJson(
  url: string,
  file: string,
  options: DownloadOptions,
): Promise<{ json: unknown; bytes: number }> {
  // Asked about each time: what a server is mended to say comes at once.
  const bytes = await download(url, file, 1 << 20, { cache: 'no-cache', redirect: 'error' }, options);
  try {
    return { json: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)), bytes: bytes.length };
  } catch (cause) {
    throw new TercetError('ERR_DOWNLOAD', `${file} is not JSON`, 'check what the server sends at its address', {
      cause,
    });
  }
}

/** How a file is asked for. */
type How = Pick<RequestInit, 'cache' | 'redirect'>;

/** @param expected bytes that are expected; twice as many and the download ends. */
async function download(
  url: string,
  file: string,
  expected: number,
  how: How,
  { fetch, signal, onProgress }: DownloadOptions,
): Promise<Uint8Array> {
  const response = await request(url, file, how, fetch, signal);
  if (!response.ok) {
    throw new WrongAnswer(
      'ERR_DOWNLOAD',
      `${file} could not be downloaded: the server answered ${response.status}`,
      'check that the file is where tercet.json says',
    );
  }
  if (response.headers.get('content-type')?.startsWith('text/html') === true) throw htmlInstead(file);
  const limit = 2 * expected + 4096;
  const parts: Uint8Array[] = [];
  let loaded = 0;
  const reader = response.body?.getReader();
  try {
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true };
      if (done || value === undefined) break;
      parts.push(value);
      loaded += value.length;
      if (loaded > limit)
        throw new WrongAnswer(
          'ERR_INTEGRITY',
          `${file} is longer than it was published (${expected} bytes)`,
          'do not go on; tell the operator of this page',
        );
      onProgress?.(loaded, expected);
    }
  } catch (cause) {
    if (cause instanceof TercetError) throw cause;
    throw signal?.aborted === true ? abortedError() : failed(file, 'the connection broke', 'try again', cause);
  } finally {
    reader?.cancel().catch(() => undefined);
  }
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  if (/^\s*<(!doctype|html)/i.test(new TextDecoder().decode(bytes.subarray(0, 64)))) throw htmlInstead(file);
  return bytes;
}

async function request(
  url: string,
  file: string,
  how: How,
  fetch: Fetch,
  signal: AbortSignal | undefined,
): Promise<Response> {
  try {
    return await fetch(url, { ...how, credentials: 'omit', ...(signal === undefined ? {} : { signal }) });
  } catch (cause) {
    throw signal?.aborted === true
      ? abortedError()
      : failed(file, 'the server does not answer', 'check the connection, then try again', cause);
  }
}

function htmlInstead(file: string): TercetError {
  return new WrongAnswer(
    'ERR_DOWNLOAD',
    `the server sent a web page instead of ${file}`,
    'it answers unknown addresses with its start page: check that the file is where tercet.json says',
  );
}

function failed(file: string, what: string, hint: string, cause?: unknown): TercetError {
  return new TercetError('ERR_DOWNLOAD', `${file} could not be downloaded: ${what}`, hint, { cause });
}
