/**
 * Public files that the page's server hands out, from memory: compressed once for everybody, and kept by browsers
 * for as long as their address names their content.
 *
 * Nothing here depends on who asks, and nothing secret is in it, so compression tells nobody anything (compare
 * BREACH, 2013).
 */
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { lookup } from 'mrmime';
import { TercetError } from '../core/errors.ts';

type Encoding = 'br' | 'gzip';

const COMPRESS: Readonly<Record<Encoding, (bytes: Uint8Array) => Promise<Uint8Array>>> = {
  br: (bytes) =>
    promisify(brotliCompress)(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    }),
  gzip: (bytes) => promisify(gzip)(bytes, { level: 9 }),
};
const COMPRESSIBLE = /^(?:text\/|application\/(?:json|javascript|manifest\+json|wasm)|image\/svg\+xml)/;
/** Below this a header costs more than is saved. */
const LEAST_BYTES = 512;

/** Names that bundlers make of what is in a file. */
const HASHED = /-[\w-]{8}\.\w+$/;
const YEAR = 'public, max-age=31536000, immutable';
/** Kept, and asked about before each use. */
const ASK = 'no-cache';

export class Content {
  readonly type: string;
  readonly bytes: Uint8Array;
  /** Of the bytes, hex. */
  readonly sha256: string;
  readonly #encoded = new Map<Encoding, Promise<Uint8Array>>();

  constructor(name: string, bytes: Uint8Array) {
    const type = lookup(name) ?? 'application/octet-stream';
    this.type = /^text\/|javascript$/.test(type) ? `${type}; charset=utf-8` : type;
    this.bytes = bytes;
    this.sha256 = createHash('sha256').update(bytes).digest('hex');
  }

  get compressible(): boolean {
    return this.bytes.length >= LEAST_BYTES && COMPRESSIBLE.test(this.type);
  }

  /** Made when it is first asked for. */
  encoded(encoding: Encoding): Promise<Uint8Array> {
    const made = this.#encoded.get(encoding) ?? COMPRESS[encoding](this.bytes);
    this.#encoded.set(encoding, made);
    return made;
  }
}

/**
 * All files of a built app, by their path with `/` between folders. @throws {TercetError} ERR_ARGUMENT when there
 * is no page in the folder
 */
export async function contentOf(folder: string): Promise<Map<string, Content>> {
  const files = new Map<string, Content>();
  try {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      files.set(relative(folder, path).replaceAll(sep, '/'), new Content(entry.name, await readFile(path)));
    }
  } catch (cause) {
    throw new TercetError(
      'ERR_ARGUMENT',
      'the folder of the page cannot be read',
      'give --app the folder that your bundler wrote',
      { cause },
    );
  }
  if (!files.has('index.html'))
    throw new TercetError(
      'ERR_ARGUMENT',
      'the folder of the page has no index.html',
      'give --app the folder that your bundler wrote',
    );
  return files;
}

/** Encodings that a client takes (RFC 9110, section 12.5.3), the smaller one first. */
function wanted(accepted: string): Encoding | undefined {
  const takes = (name: Encoding) =>
    accepted
      .split(',')
      .some((part) => new RegExp(`^\\s*${name}\\s*(?:;\\s*q=(?!0(?:\\.0*)?\\s*$).*)?$`, 'i').test(part));
  return takes('br') ? 'br' : takes('gzip') ? 'gzip' : undefined;
}

/**
 * How long a browser may keep a file: for good where its name, or the pin that it was asked for by, tells what is
 * in it.
 */
function keeping(content: Content, { pathname, searchParams }: URL): string {
  return HASHED.test(pathname) || searchParams.get('sha256') === content.sha256 ? YEAR : ASK;
}

/** Answers with a file: as it is or compressed, or with word that the client has it already. */
export async function sendContent(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  content: Content,
): Promise<void> {
  const encoding = content.compressible ? wanted(String(request.headers['accept-encoding'] ?? '')) : undefined;
  const tag = `"${content.sha256.slice(0, 32)}${encoding === undefined ? '' : `-${encoding}`}"`;
  response.setHeader('ETag', tag);
  response.setHeader('Cache-Control', keeping(content, url));
  if (content.compressible) response.setHeader('Vary', 'Accept-Encoding');
  if (String(request.headers['if-none-match'] ?? '').includes(tag)) {
    response.writeHead(304).end();
    return;
  }
  const body = encoding === undefined ? content.bytes : await content.encoded(encoding);
  if (encoding !== undefined) response.setHeader('Content-Encoding', encoding);
  response.writeHead(200, { 'Content-Type': content.type, 'Content-Length': body.length });
  response.end(request.method === 'HEAD' ? undefined : body);
}
