/**
 * Files that the data owner downloads: few, small, and pinned by SHA-256. Nothing is kept that was not checked, and a server that answers every path with its
 * start page is recognised by what it sends.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { toHex } from '../core/bytes.ts';
import { abortedError } from '../core/abort.ts';
import { TercetError } from '../core/errors.ts';
import type { PinnedFile } from './types.ts';

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** No file of a tokenizer or a configuration is larger; a deployment that pins a larger one is refused. */
export const MAX_BYTES = 64 * 1024 * 1024;

export interface DownloadOptions {
  readonly fetch: Fetch;
  readonly signal?: AbortSignal | undefined;
  /** Bytes so far, and how many there will be. */
  onProgress?(loaded: number, total: number): void;
}

/**
 * Downloads a file and checks it against its pin.
 * @throws {TercetError} ERR_DOWNLOAD when it cannot be had or is a web page instead, ERR_INTEGRITY when its bytes are not the pinned ones, ERR_ABORTED.
 */
export async function downloadPinned(url: string, file: string, pin: PinnedFile, options: DownloadOptions): Promise<Uint8Array> {
  const bytes = await download(url, file, pin.bytes, options);
  const hash = toHex(sha256(bytes));
  if (bytes.length === pin.bytes && hash === pin.sha256) return bytes;
  throw new TercetError(
    'ERR_INTEGRITY',
    `${file} is not the file that this model was published with (${bytes.length} bytes, SHA-256 ${hash.slice(0, 12)}…)`,
    'do not go on; tell the operator of this page, or update its tercet.json if the model was changed on purpose',
  );
}

/** Downloads JSON that nothing pins: the deployment document itself, a party's description. A redirect is refused: it may lead over an address that carries no trust. */
export async function downloadJson(url: string, file: string, options: DownloadOptions): Promise<{ json: unknown; bytes: number }> {
  const bytes = await download(url, file, 1 << 20, options, 'error');
  try {
    return { json: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)), bytes: bytes.length };
  } catch (cause) {
    throw new TercetError('ERR_DOWNLOAD', `${file} is not JSON`, 'check what the server sends at its address', { cause });
  }
}

/** @param expected bytes that are expected; twice as many and the download ends. */
async function download(
  url: string,
  file: string,
  expected: number,
  { fetch, signal, onProgress }: DownloadOptions,
  redirect: RequestRedirect = 'follow',
): Promise<Uint8Array> {
  const response = await request(url, file, fetch, signal, redirect);
  if (!response.ok) throw failed(file, `the server answered ${response.status}`, 'check that the file is where tercet.json says');
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
        throw new TercetError('ERR_INTEGRITY', `${file} is longer than it was published (${expected} bytes)`, 'do not go on; tell the operator of this page');
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

async function request(url: string, file: string, fetch: Fetch, signal: AbortSignal | undefined, redirect: RequestRedirect): Promise<Response> {
  try {
    // Not stored: a wrong answer must not come back from a cache when the server is mended.
    return await fetch(url, { cache: 'no-store', credentials: 'omit', redirect, ...(signal === undefined ? {} : { signal }) });
  } catch (cause) {
    throw signal?.aborted === true ? abortedError() : failed(file, 'the server does not answer', 'check the connection, then try again', cause);
  }
}

function htmlInstead(file: string): TercetError {
  return new TercetError(
    'ERR_DOWNLOAD',
    `the server sent a web page instead of ${file}`,
    'it answers unknown addresses with its start page: check that the file is where tercet.json says',
  );
}

function failed(file: string, what: string, hint: string, cause?: unknown): TercetError {
  return new TercetError('ERR_DOWNLOAD', `${file} could not be downloaded: ${what}`, hint, { cause });
}
