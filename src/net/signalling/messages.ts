/**
 * The two JSON bodies of setting up WebRTC, shaped after WHIP (RFC 9725): one POST with everything gathered, `201`
 * with the answer. JSON and not `application/sdp`, because one request carries the offers of several associations,
 * and one signature covers all of them.
 */
import { fromHex, toHex } from '../../core/bytes.ts';
import { TercetError } from '../../core/errors.ts';
import { SIGNATURE_BYTES } from '../identity/identity.ts';
import { MAX_SDP_BYTES } from './sdp.ts';

export const MAX_ASSOCIATIONS = 4;
/** What a WebSocket to a party says that it speaks. */
export const WEBSOCKET_PROTOCOL = 'tercet.1';
/** Longest body, either way. */
export const MAX_BODY_BYTES = MAX_ASSOCIATIONS * MAX_SDP_BYTES + 8 * 1024;
const MAX_STATEMENT_BYTES = 1024;

export interface RtcOfferBody {
  readonly nonce: Uint8Array;
  readonly modelHash: Uint8Array;
  readonly requestCode: Uint8Array;
  readonly offers: readonly string[];
}

export interface RtcAnswerBody {
  /** Which party it says it is; proved by the signature alone. */
  readonly party: number;
  readonly statement: Uint8Array;
  readonly signature: Uint8Array;
  readonly answers: readonly string[];
}

export function offerToJson(body: RtcOfferBody): string {
  return JSON.stringify({
    nonce: toHex(body.nonce),
    model: toHex(body.modelHash),
    request: toHex(body.requestCode),
    offers: body.offers,
  });
}

export function answerToJson(body: RtcAnswerBody): string {
  return JSON.stringify({
    party: body.party,
    statement: toHex(body.statement),
    signature: toHex(body.signature),
    answers: body.answers,
  });
}

/** Gives an offer up. Its nonce is known to who made it, and to the party; it is in no URL. */
export function withdrawalToJson(nonce: Uint8Array): string {
  return JSON.stringify({ nonce: toHex(nonce) });
}

/** The nonce. @throws {TercetError} ERR_FRAME_FORMAT */
export function withdrawalFromJson(text: string): Uint8Array {
  return hex(parse(text)['nonce'], 32, 32);
}

/** @throws {TercetError} ERR_FRAME_FORMAT */
export function offerFromJson(text: string): RtcOfferBody {
  const body = parse(text);
  return {
    nonce: hex(body['nonce'], 32, 32),
    modelHash: hex(body['model'], 32, 32),
    requestCode: hex(body['request'], 32, 32),
    offers: descriptions(body['offers']),
  };
}

/** @throws {TercetError} ERR_FRAME_FORMAT */
export function answerFromJson(text: string): RtcAnswerBody {
  const body = parse(text);
  const party = body['party'];
  if (party !== 1 && party !== 2) throw malformed();
  return {
    party,
    statement: hex(body['statement'], 1, MAX_STATEMENT_BYTES),
    signature: hex(body['signature'], SIGNATURE_BYTES, SIGNATURE_BYTES),
    answers: descriptions(body['answers']),
  };
}

function parse(text: string): Readonly<Record<string, unknown>> {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw malformed();
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw malformed();
  return body as Readonly<Record<string, unknown>>;
}

function hex(value: unknown, shortest: number, longest: number): Uint8Array {
  if (
    typeof value !== 'string' ||
    value.length % 2 !== 0 ||
    value.length < 2 * shortest ||
    value.length > 2 * longest ||
    !/^[0-9a-f]*$/.test(value)
  )
    throw malformed();
  return fromHex(value);
}

function descriptions(value: unknown): string[] {
  if (!Array.isArray(value) || value.length < 1 || value.length > MAX_ASSOCIATIONS) throw malformed();
  if (!value.every((sdp): sdp is string => typeof sdp === 'string' && sdp.length <= MAX_SDP_BYTES)) throw malformed();
  return value;
}

function malformed(): TercetError {
  return new TercetError(
    'ERR_FRAME_FORMAT',
    'a malformed signalling message',
    'check that the address belongs to a Tercet party of the same version',
  );
}
