/**
 * Files that the data owner downloads: few and small. A server that answers every path with its start page is
 * recognised by what it sends. What is pinned by SHA-256: `pinned-download.ts`.
 */
import { abortedError } from '../core/abort.ts';
import { TercetError } from '../core/errors.ts';

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
export class WrongAnswer extends TercetError {}

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
export async function download(
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
    return await fetch(url, { ...how, credentials: 'omit', signal: signal ?? null });
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
