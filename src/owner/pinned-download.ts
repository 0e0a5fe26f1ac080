/**
 * Files that are pinned by SHA-256: nothing is kept that was not checked. Apart from `download.ts`: a page asks for
 * the deployment alone, and has no need of a hash.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { toHex } from '../core/bytes.ts';
import { type DownloadOptions, WrongAnswer, download } from './download.ts';
import type { PinnedFile } from './types/index.ts';

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
