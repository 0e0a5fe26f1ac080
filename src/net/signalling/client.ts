/**
 * A data owner's requests to a party over HTTP: in a page, in a worker, in Node.
 *
 * Whatever answers may be anything: a proxy's error page, a captive portal, an index.html of a static server,
 * another party. Each has an error of its own that says what to do. Nothing that comes back is believed here;
 * `checkStatement` does that.
 */
import { carriesTrust } from '../../core/address.ts';
import { printable } from '../../core/bytes.ts';
import { TercetError } from '../../core/errors.ts';
import { type Refusal, object, parseJson, text as words } from '../../core/json.ts';
import { heard } from '../../core/told.ts';
import { serverWords } from '../identity/identity-errors.ts';
import { within } from '../wire/deadline.ts';
import { errorCode, isCertificateCode } from '../tls/tls-errors.ts';
import { type PartyDescription, descriptionFromJson } from './description.ts';
import { MAX_BODY_BYTES, type RtcAnswerBody, answerFromJson, withdrawalToJson } from './messages.ts';
import type { ServerId } from '../wire/types.ts';

export interface PartyEndpoint {
  readonly party: ServerId;
  /** Base of the party's HTTP interface. */
  readonly url: string;
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The address of something below a party's base.
 * @throws {TercetError} ERR_ARGUMENT for an address that is none, or one that is neither encrypted nor on this machine
 */
export function endpointUrl(base: string, party: number, path: string): URL {
  const url = URL.canParse(base) ? new URL(base) : undefined;
  if (url === undefined || !carriesTrust(url)) {
    throw new TercetError(
      'ERR_ARGUMENT',
      `the address of party ${party} cannot be used`,
      'give an https: address, or http: for this machine alone, without a user name',
    );
  }
  url.search = '';
  url.hash = '';
  url.pathname = `${url.pathname.replace(/\/$/, '')}${path}`;
  return url;
}

export function requestAnswer(endpoint: PartyEndpoint, sessionHex: string, offer: string): Promise<RtcAnswerBody> {
  const headers = { 'content-type': 'application/json' };
  return call(
    endpoint,
    `/v1/sessions/${sessionHex}/rtc`,
    { method: 'POST', headers, body: offer },
    201,
    answerFromJson,
  );
}

/**
 * Tells the party that no link will come. Best effort: the party forgets by itself in a few seconds.
 * @param nonce that of the offer: it shows that this is who made it.
 */
export function withdraw({ party, url, fetch }: PartyEndpoint, sessionHex: string, nonce: Uint8Array): void {
  const init = {
    ...OMIT,
    method: 'DELETE',
    keepalive: true,
    headers: { 'content-type': 'application/json' },
    body: withdrawalToJson(nonce),
  };
  fetch(endpointUrl(url, party, `/v1/sessions/${sessionHex}/rtc`), init).catch(() => undefined);
}

/**
 * What the party says of itself. @throws {TercetError} ERR_PEER_UNREACHABLE, ERR_PEER_CERTIFICATE,
 * ERR_PEER_MISMATCH, ERR_ABORTED
 */
export function fetchParty(endpoint: PartyEndpoint): Promise<PartyDescription> {
  return call(endpoint, '/v1/party', { method: 'GET' }, 200, descriptionFromJson);
}

const OMIT = { credentials: 'omit', cache: 'no-store', redirect: 'error', referrerPolicy: 'no-referrer' } as const;

async function call<T>(
  endpoint: PartyEndpoint,
  path: string,
  init: RequestInit,
  status: number,
  read: (text: string) => T,
): Promise<T> {
  const { party, url, timeoutMs, signal } = endpoint;
  const address = endpointUrl(url, party, path);
  const who = `${serverWords(party)} at ${address.origin}`;
  const stop = new AbortController();
  const late = (): TercetError =>
    new TercetError(
      'ERR_PEER_UNREACHABLE',
      `${who} did not answer within ${timeoutMs / 1000} s`,
      'check that the party runs, and the network',
    );
  const exchange = async (): Promise<{ response: Response; text: string }> => {
    const response = await endpoint.fetch(address, { ...OMIT, ...init, signal: stop.signal });
    return { response, text: await textOf(response, who) };
  };
  let answer: { response: Response; text: string };
  try {
    answer = await within(exchange(), { ms: timeoutMs, signal, late, undo: () => stop.abort() });
  } catch (error) {
    throw error instanceof TercetError ? error : unreachable(error, who, address);
  }
  const { response, text } = answer;
  const type = response.headers.get('content-type') ?? '';
  if (response.status !== status) throw refusedBy(response.status, type, text, who);
  if (!/^application\/json(;|$)/i.test(type)) throw noParty(who, type);
  try {
    return read(text);
  } catch {
    throw noParty(who, type);
  }
}

/** The body, as long as it is no longer than any answer of a party. */
async function textOf(response: Response, who: string): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return '';
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    bytes += part.value.length;
    if (bytes > MAX_BODY_BYTES) {
      await reader.cancel();
      throw noParty(who, 'too long');
    }
    text += decoder.decode(part.value, { stream: true });
  }
  return text + decoder.decode();
}

function unreachable(error: unknown, who: string, address: URL): TercetError {
  // In Node the reason is in the cause; a browser keeps it to itself.
  const code = errorCode((error as { cause?: unknown } | null)?.cause);
  if (isCertificateCode(code))
    return new TercetError(
      'ERR_PEER_CERTIFICATE',
      `${who}: its TLS certificate is not accepted (${code})`,
      'ask the operator for a valid certificate',
      {
        cause: error,
      },
    );
  const hint =
    address.protocol === 'https:'
      ? 'check the address, that the party runs, that its TLS certificate is valid, and that it allows pages of this origin'
      : 'start that party first, and check that it allows pages of this origin';
  return new TercetError('ERR_PEER_UNREACHABLE', `cannot reach ${who}${code === 'CLOSED' ? '' : ` (${code})`}`, hint, {
    cause: error,
  });
}

const WORDS = words(MAX_BODY_BYTES);
const PROBLEM = object({ code: WORDS, message: WORDS, hint: WORDS });
/** It goes no further: what is no problem of ours is judged by its status. */
const NOT_OURS: Refusal = { code: 'ERR_PEER_MISMATCH', what: 'a refusal', hint: '' };

/** A party's own refusal, or what stands in its place. */
function refusedBy(status: number, type: string, text: string, who: string): TercetError {
  if (/^application\/(problem\+)?json(;|$)/i.test(type)) {
    try {
      const { code, message, hint } = parseJson(PROBLEM, text, NOT_OURS);
      return new TercetError(heard(code), `${who}: ${printable(message, 300)}`, printable(hint, 300));
    } catch {
      // No JSON after all: judged by its status below.
    }
  }
  if (status >= 500)
    return new TercetError(
      'ERR_PEER_UNREACHABLE',
      `${who} does not run behind its proxy (HTTP ${status})`,
      'ask the operator to start the party',
    );
  return noParty(who, `HTTP ${status}`);
}

function noParty(who: string, what: string): TercetError {
  const said = /html/i.test(what)
    ? 'answers with a web page'
    : `does not answer like a party (${printable(what, 60) || 'no content type'})`;
  return new TercetError(
    'ERR_PEER_MISMATCH',
    `${who} ${said}`,
    'check the address of the party: it is the base of its HTTP interface, not of a web site',
  );
}
