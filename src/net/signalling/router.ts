/**
 * The HTTP interface of a compute party, as a function of requests.
 *
 *   GET    /v1/party                        what the party is and serves (public)
 *   GET    /v1/health                       whether it can take a run now
 *   POST   /v1/sessions/{32 hex}/rtc        offers → 201, answers and their signed statement
 *   DELETE /v1/sessions/{32 hex}/rtc        gives a link up that does not stand yet, with the nonce of its offer
 *   GET    /v1/sessions/{32 hex}/ws         upgrade to a WebSocket (see `checkUpgrade`)
 *
 * Security: nothing here is authenticated, and nothing here is secret. The party signs what it says about a link;
 * whether the data owner reached this party is for the owner to check. Sessions are names, so they may appear in
 * URLs: who knows one can do nothing with it.
 */
import { fromHex } from '../../core/bytes.ts';
import type { TercetError } from '../../core/errors.ts';
import type { PartyIdentity } from '../identity/identity.ts';
import type { RtcAnswer, RtcAnswerer } from '../webrtc/types.ts';
import type { PartyDescription } from './description.ts';
import {
  type HttpReply,
  type HttpRequest,
  COMMON_HEADERS,
  asProblem,
  checkOrigin,
  corsHeaders,
  headerOf,
  json,
  preflight,
  problem,
  problemReply,
} from './http.ts';
import { WEBSOCKET_PROTOCOL, answerToJson, offerFromJson, withdrawalFromJson } from './messages.ts';
import { fingerprintOf } from './sdp.ts';
import { encodeStatement, signallingHash } from './statement.ts';
import type { LinkTable, Slot } from './table.ts';
import type { ServerId } from '../wire/types.ts';

export interface Asked {
  readonly modelHash: Uint8Array;
  readonly requestCode: Uint8Array;
}

export interface RouterOptions {
  readonly party: ServerId;
  readonly identity: PartyIdentity;
  /** Origins of pages that may use this party, exactly as browsers send them. */
  readonly origins: readonly string[];
  readonly table: LinkTable;
  readonly describe: () => PartyDescription;
  /** Public; what else there is beside `ok` is shown as it is. */
  readonly health: () => { readonly ok: boolean };
  /** Throws to refuse: ERR_MODEL_HASH, ERR_PEER_MISMATCH, … */
  readonly admit: (asked: Asked, remote: string) => void;
  /** Absent: no WebRTC here. */
  readonly answerer?: RtcAnswerer | undefined;
  /** An answer was given; the link may come. */
  readonly onRtc: (arrival: RtcArrival) => void;
}

interface RtcArrival {
  readonly session: Uint8Array;
  readonly slot: Slot;
  readonly answer: RtcAnswer;
  readonly signallingHash: Uint8Array;
  /** Address of the client, or of the proxy before it. */
  readonly remote: string;
  /** Aborted when the table ends the link under way. */
  readonly signal: AbortSignal;
}

const SESSION_PATH = /^\/v1\/sessions\/([0-9a-f]{32})\/(rtc|ws)$/;

/** Serves one request. Never rejects: what goes wrong is a problem reply. `onProblem` hears of it. */
export async function serve(
  request: HttpRequest,
  options: RouterOptions,
  onProblem: (error: TercetError) => void,
): Promise<HttpReply> {
  let cors: Record<string, string> = { vary: 'origin' };
  try {
    cors = corsHeaders(request, options.origins);
    const reply = request.method === 'OPTIONS' ? preflight(request, cors) : await route(request, options);
    return { ...reply, headers: { ...COMMON_HEADERS, ...cors, ...reply.headers } };
  } catch (error) {
    const refused = asProblem(error);
    onProblem(refused.error);
    const reply = problemReply(refused);
    return { ...reply, headers: { ...COMMON_HEADERS, ...cors, ...reply.headers } };
  }
}

async function route(request: HttpRequest, options: RouterOptions): Promise<HttpReply> {
  const { method, path } = request;
  if (path === '/v1/party') {
    only(method, ['GET']);
    return json(200, JSON.stringify(options.describe()));
  }
  if (path === '/v1/health') {
    only(method, ['GET']);
    const health = options.health();
    return json(health.ok ? 200 : 503, JSON.stringify(health));
  }
  const match = SESSION_PATH.exec(path);
  if (match === null)
    throw problem(
      404,
      'ERR_PEER_MISMATCH',
      'there is nothing at this address',
      'check the address of the party, and that both sides run the same version',
    );
  const [, session, kind] = match;
  if (kind === 'ws') {
    only(method, ['GET']);
    throw problem(
      426,
      'ERR_LINK_BLOCKED',
      'this address takes WebSocket connections only',
      'a proxy before the party must pass the upgrade on',
      {
        upgrade: 'websocket',
      },
    );
  }
  only(method, ['POST', 'DELETE']);
  if (method === 'POST') return offer(request, options, session);
  options.table.cancel(session, withdrawalFromJson(await request.body()));
  return { status: 204, headers: {}, body: '' };
}

async function offer(request: HttpRequest, options: RouterOptions, sessionHex: string): Promise<HttpReply> {
  const { party, identity, table, admit, answerer } = options;
  if (!/^application\/json(;|$)/i.test(headerOf(request, 'content-type') ?? '')) {
    throw problem(415, 'ERR_FRAME_FORMAT', 'the body of an offer is JSON', 'send it as application/json');
  }
  if (answerer === undefined)
    throw problem(501, 'ERR_LINK_BLOCKED', `party ${party} has no WebRTC`, 'use a WebSocket link');
  const asked = offerFromJson(await request.body());
  const clientFingerprints = asked.offers.map((sdp) => fingerprintOf(sdp, 'the data owner'));
  admit(asked, request.remote);
  const session = fromHex(sessionHex);
  const stopped = new AbortController();
  const slot = table.begin(sessionHex, request.remote, (error) => stopped.abort(error), asked.nonce);
  let answer: RtcAnswer | undefined;
  try {
    answer = await answerer.answer(asked.offers);
    const partyFingerprints = answer.descriptions.map((sdp) => fingerprintOf(sdp, 'this party'));
    if (stopped.signal.aborted) throw stopped.signal.reason;
    const partyNonce = crypto.getRandomValues(new Uint8Array(32));
    const { nonce: clientNonce, modelHash, requestCode } = asked;
    const statement = encodeStatement({
      session,
      party,
      clientNonce,
      partyNonce,
      clientFingerprints,
      partyFingerprints,
      modelHash,
      requestCode,
    });
    const signature = identity.sign(statement);
    options.onRtc({
      session,
      slot,
      answer,
      remote: request.remote,
      signallingHash: signallingHash(statement, signature),
      signal: stopped.signal,
    });
    return json(201, answerToJson({ party, statement, signature, answers: answer.descriptions }), {
      location: request.path,
    });
  } catch (error) {
    slot.end();
    answer?.close();
    throw error;
  }
}

/** The session of a WebSocket request. @throws {Problem} for anything else than a page or program that may open one */
export function checkUpgrade(
  request: Pick<HttpRequest, 'method' | 'path' | 'headers'>,
  origins: readonly string[],
): string {
  const match = SESSION_PATH.exec(request.path);
  if (request.method !== 'GET' || match === null || match[2] !== 'ws')
    throw problem(404, 'ERR_PEER_MISMATCH', 'there is nothing at this address', 'check the address of the party');
  checkOrigin(request, origins);
  const protocols = (headerOf(request, 'sec-websocket-protocol') ?? '').split(',').map((name) => name.trim());
  if (!protocols.includes(WEBSOCKET_PROTOCOL))
    throw problem(
      400,
      'ERR_PEER_MISMATCH',
      'not a link of this version',
      'run the same version of Tercet on all parties',
    );
  return match[1];
}

function only(method: string, allowed: readonly string[]): void {
  if (!allowed.includes(method))
    throw problem(405, 'ERR_FRAME_FORMAT', 'this address does not take that method', 'check the address of the party', {
      allow: [...allowed, 'OPTIONS'].join(', '),
    });
}
