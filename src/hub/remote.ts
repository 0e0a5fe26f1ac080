/** One file of a hub, asked for over HTTP: what the hub says of it before its content, and where the content is. */
import { carriesTrust } from '../core/address.ts';
import { TercetError } from '../core/errors.ts';
import { digestOf, type Digest } from './digest.ts';
import { type HubId, isCommit } from './id.ts';
import { DEFAULT_ENDPOINT, type HubOptions, type Pin } from './types.ts';

/** Larger than any model that this version could run. */
const MAX_BYTES = 64e9;
const MAX_REDIRECTS = 5;
/** Longest wait for a hub to begin to answer. */
const ANSWER_MS = 30_000;
/** Longest wait that a hub may ask for before the next try. */
const LONGEST_WAIT_MS = 60_000;

export interface RemoteFile {
  readonly url: string;
  readonly commit: string;
  readonly size: number;
  readonly digest: Digest;
  /** Whether the hub said itself which commit it is of: then it says so of every file. */
  readonly commitNamed: boolean;
}

/** A failure that another try may mend. */
export class Retryable extends TercetError {
  /** How long the hub asks to be left alone, in ms. */
  waitMs = 0;
}

/**
 * `Retry-After` as RFC 9110, section 10.2.3, has it: seconds, or a date. Browsers show it only where the hub lets
 * them.
 */
function retryAfter(headers: Headers, now: number): number {
  const text = headers.get('retry-after')?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return 1000 * Number(text);
  const date = Date.parse(text);
  return Number.isNaN(date) ? 0 : Math.max(0, date - now);
}

/**
 * @throws {TercetError} ERR_ARGUMENT for what is no address, ERR_INSECURE where a token would go over a connection
 * that anybody on the way can read
 */
export function endpointOf({ endpoint = DEFAULT_ENDPOINT, token }: Pick<HubOptions, 'endpoint' | 'token'>): string {
  if (!/^https?:\/\/[^/?#]+/.test(endpoint))
    throw new TercetError(
      'ERR_ARGUMENT',
      'the endpoint of the hub is no address',
      'give for example https://hub.example',
    );
  if (token !== undefined && !carriesTrust(endpoint)) {
    throw new TercetError(
      'ERR_INSECURE',
      'the token of the hub would be sent without encryption',
      'give an https: endpoint, or unset HF_TOKEN',
    );
  }
  return endpoint.replace(/\/+$/, '');
}

function fileUrl({ repository }: HubId, revision: string, file: string, options: HubOptions): string {
  const path = [...repository.split('/'), 'resolve', revision, ...file.split('/')].map(encodeURIComponent).join('/');
  return `${endpointOf(options)}/${path}`;
}

/**
 * A request; the token goes to the endpoint's own origin only, so a redirect elsewhere never carries it.
 * @throws {TercetError} ERR_ABORTED by the signal; `Retryable` ERR_DOWNLOAD when there is no answer
 */
export async function request(
  url: string,
  init: {
    readonly method: 'GET' | 'HEAD';
    readonly headers?: Record<string, string>;
    readonly redirect?: 'manual' | 'follow';
  },
  options: HubOptions,
): Promise<Response> {
  const own = new URL(url).origin === new URL(endpointOf(options)).origin;
  // A compressed answer has another length than the file.
  const headers = {
    'accept-encoding': 'identity',
    ...init.headers,
    ...(own && options.token !== undefined ? { authorization: `Bearer ${options.token}` } : {}),
  };
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), ANSWER_MS);
  const signal = AbortSignal.any([late.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  try {
    // What browsers would add: cookies, the page's address, and an answer of yesterday.
    return await options.fetch(url, {
      cache: 'no-store',
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      ...init,
      headers,
      signal,
    });
  } catch (cause) {
    if (options.signal?.aborted === true)
      throw new TercetError('ERR_ABORTED', 'the download was stopped', 'start it again: what has come is kept');
    // The way there knows better what is wrong with it.
    if (cause instanceof TercetError) throw cause;
    throw new Retryable(
      'ERR_DOWNLOAD',
      `the hub at ${new URL(url).host} does not answer`,
      'check the network and, in a page, its connect-src; name a mirror; or use what is kept, in offline mode',
      { cause },
    );
  } finally {
    clearTimeout(timer);
  }
}

/** What an answer says that is not the file. */
export function refusal({ status, headers }: Response, what: string, { token }: HubOptions): TercetError {
  // 511 is that of networks that want a login (RFC 6585, section 6); hubs refuse with a code, not with a page.
  if (status === 511 || (status === 403 && isWebPage({ headers }) && !headers.has('x-error-code')))
    return webPage(what);
  if (status === 401 || status === 403) {
    const message = `the hub does not give out ${what} (status ${status})`;
    if (headers.get('x-error-code') === 'GatedRepo')
      return new TercetError(
        'ERR_DOWNLOAD',
        `${message}: its model is gated`,
        'accept its terms on the hub, then set HF_TOKEN; pages have no token',
      );
    // The hub says the same of a private model and of none.
    const hint =
      token === undefined
        ? 'check the name; a private model needs a token (HF_TOKEN), which pages do not have'
        : 'check the name, and that the token may read this model';
    return new TercetError('ERR_DOWNLOAD', message, hint);
  }
  if (status === 404 || status === 410)
    return new TercetError('ERR_MODEL_NOT_FOUND', `the hub has no ${what}`, 'check the name and the revision');
  const message = `the hub answered ${status} for ${what}`;
  if (status === 429 || status >= 500) return busy(message, retryAfter(headers, Date.now()));
  return new TercetError('ERR_DOWNLOAD', message, 'check the endpoint');
}

function busy(message: string, waitMs: number): TercetError {
  const elsewhere = 'or name a mirror with TERCET_HUB';
  const wait = `it asks to be left alone for ${Math.ceil(waitMs / 1000)} s: try again then, ${elsewhere}`;
  if (waitMs > LONGEST_WAIT_MS) return new TercetError('ERR_DOWNLOAD', message, wait);
  const error = new Retryable('ERR_DOWNLOAD', message, waitMs > 0 ? wait : `try again later, ${elsewhere}`);
  error.waitMs = waitMs;
  return error;
}

function tag(headers: Headers, name: string): string | undefined {
  return headers.get(name)?.replace(/^W\//, '').replaceAll('"', '') ?? undefined;
}

/**
 * A file that the caller knows as well as the hub does: no question is needed, and what a browser hides of an
 * answer does not matter.
 */
export function pinnedFile(
  id: HubId,
  commit: string,
  file: string,
  { sha256, bytes }: Pin,
  options: HubOptions,
): RemoteFile {
  const digest = { kind: 'sha256', hex: sha256 } as const;
  return { url: fileUrl(id, commit, file, options), commit, size: bytes, digest, commitNamed: false };
}

/**
 * Asks for a file's headers, following the hub's own redirects but not the one to where large files lie, whose
 * headers are the hub's no more. Not for browsers: they hide redirects, and the length of a file behind that of its
 * compressed answer. `commitNamed` says that the hub named the commit of another file of the model.
 * @throws {TercetError} ERR_MODEL_NOT_FOUND, ERR_DOWNLOAD (refused, a web page, nothing to check it by),
 * ERR_ABORTED; ERR_ARGUMENT in a browser
 */
export async function locate(
  id: HubId,
  revision: string,
  file: string,
  options: HubOptions,
  commitNamed = false,
): Promise<RemoteFile> {
  const what = `${file} of ${id.repository}`;
  const origin = new URL(endpointOf(options)).origin;
  let url = fileUrl(id, revision, file, options);
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const answer = await request(url, { method: 'HEAD', redirect: 'manual' }, options);
    const { headers, status } = answer;
    if (answer.type === 'opaqueredirect') {
      throw new TercetError(
        'ERR_ARGUMENT',
        `a browser does not show what the hub says of ${what}`,
        'name a whole commit, and pin the file by SHA-256 and length',
      );
    }
    const location = headers.get('location');
    const redirected = status >= 300 && status < 400 && location !== null;
    const described = headers.has('x-linked-etag');
    if (redirected && !described) {
      url = target(location, url, what);
      if (new URL(url).origin !== origin) throw await elsewhere(url, what, options);
      continue;
    }
    if (!redirected && !answer.ok) throw refusal(answer, what, options);
    // Storage says nothing of the hub's: who brings its answer at once has followed the hub's redirect.
    if (commitNamed && !redirected && saidDigest(headers) === undefined && !headers.has('x-repo-commit'))
      if (!isWebPage(answer) && pinOf(options.pins, file) === undefined) throw followed(what);
    return describe(file, what, { headers, url: redirected ? target(location, url, what) : url, revision }, options);
  }
  throw new TercetError(
    'ERR_DOWNLOAD',
    `the hub redirects ${what} more than ${MAX_REDIRECTS} times`,
    'check the endpoint',
  );
}

/**
 * Why a file is not fetched that the hub sends elsewhere without a word on what it is: most often the network asks
 * its user to log in.
 */
async function elsewhere(url: string, what: string, options: HubOptions): Promise<TercetError> {
  const { host } = new URL(url);
  const answer = await request(url, { method: 'HEAD' }, options);
  if (isWebPage(answer)) return webPage(what, host);
  return new TercetError(
    'ERR_INTEGRITY',
    `the hub sends ${what} to ${host} without saying what it hashes to`,
    'name that address as the hub if it is your mirror, or pin the file by SHA-256; else a proxy or a login page may be in between',
  );
}

/** Whether an answer is for people. */
export function isWebPage({ headers }: Pick<Response, 'headers'>): boolean {
  return /^text\/html\b/.test(headers.get('content-type') ?? '');
}

export function pinOf(pins: HubOptions['pins'], file: string): Pin | undefined {
  return pins !== undefined && Object.hasOwn(pins, file) ? pins[file] : undefined;
}

function describe(
  file: string,
  what: string,
  { headers, url, revision }: { headers: Headers; url: string; revision: string },
  { pins }: HubOptions,
): RemoteFile {
  if (isWebPage({ headers }) && !file.endsWith('.html')) throw webPage(what);
  const pin = pinOf(pins, file);
  const digest = pin === undefined ? saidDigest(headers) : ({ kind: 'sha256', hex: pin.sha256 } as const);
  if (digest === undefined) throw unnamed(what, headers.has('etag'));
  const size = pin?.bytes ?? Number(headers.get('x-linked-size') ?? headers.get('content-length') ?? Number.NaN);
  if (size > MAX_BYTES)
    throw new TercetError(
      'ERR_DOWNLOAD',
      `${what} has ${size} bytes, more than a model that can run here`,
      'check the name',
    );
  if (!Number.isSafeInteger(size) || size < 0)
    throw new TercetError('ERR_DOWNLOAD', `the hub does not say how long ${what} is`, 'check the endpoint');
  // It becomes a folder's name, and what all other files are asked for by.
  const said = headers.get('x-repo-commit');
  const commit = said ?? revision;
  if (!isCommit(commit)) {
    throw new TercetError(
      'ERR_DOWNLOAD',
      `the hub does not say which commit ${what} is of`,
      'check the endpoint, or name a whole commit as the revision',
    );
  }
  return { url, commit, size, digest, commitNamed: said !== null };
}

function target(location: string, from: string, what: string): string {
  try {
    return new URL(location, from).href;
  } catch {
    throw new TercetError('ERR_DOWNLOAD', `the hub sends ${what} to a malformed address`, 'check the endpoint');
  }
}

/** What the answer says that the file hashes to. Artifact stores say it in a header of their own, beside an ETag. */
function saidDigest(headers: Headers): Digest | undefined {
  const linked = digestOf(tag(headers, 'x-linked-etag'));
  return linked ?? digestOf(headers.get('x-checksum-sha256')?.toLowerCase()) ?? digestOf(tag(headers, 'etag'));
}

/** Nothing to check a file by: it could be any file. */
function unnamed(what: string, tagged: boolean): TercetError {
  return new TercetError(
    'ERR_INTEGRITY',
    tagged
      ? `${what} cannot be checked: the ETag of this hub or mirror is no hash of it`
      : `the hub does not say what ${what} hashes to`,
    'use a hub or mirror that sends the hub’s own ETags, or pin the file by SHA-256',
  );
}

function followed(what: string): TercetError {
  return new TercetError(
    'ERR_DOWNLOAD',
    `what the hub says of ${what} does not arrive: a proxy in between follows the hub’s redirects itself`,
    'let it pass redirects on, name the hub in NO_PROXY, or reach the hub by an https: address, which a proxy cannot look into; or pin the file by SHA-256',
  );
}

export function webPage(what: string, host?: string): TercetError {
  return new TercetError(
    'ERR_DOWNLOAD',
    `a web page came in place of ${what}${host === undefined ? '' : `, from ${host}`}`,
    'check the endpoint: a proxy or a login page may be in between; log in to the network, then try again',
  );
}
