/**
 * The two JSON bodies of setting up WebRTC, shaped after WHIP (RFC 9725): one POST with everything gathered, `201`
 * with the answer. JSON and not `application/sdp`, because one request carries the offers of several associations,
 * and one signature covers all of them.
 */
import { toHex } from '../../core/bytes.ts';
import { type Refusal, hexBytes, list, object, oneOf, parseJson, text } from '../../core/json.ts';
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

const REFUSAL: Refusal = {
  code: 'ERR_FRAME_FORMAT',
  what: 'a malformed signalling message',
  hint: 'check that the address belongs to a Tercet party of the same version',
};

const DESCRIPTIONS = list(text(MAX_SDP_BYTES), MAX_ASSOCIATIONS, 1);

const WITHDRAWAL = object({ nonce: hexBytes(32) });

const OFFER = object({ nonce: hexBytes(32), model: hexBytes(32), request: hexBytes(32), offers: DESCRIPTIONS });

const ANSWER = object({
  party: oneOf([1, 2, 3]),
  statement: hexBytes(1, MAX_STATEMENT_BYTES),
  signature: hexBytes(SIGNATURE_BYTES),
  answers: DESCRIPTIONS,
});

/** The nonce. @throws {TercetError} ERR_FRAME_FORMAT */
export function withdrawalFromJson(body: string): Uint8Array {
  return parseJson(WITHDRAWAL, body, REFUSAL).nonce;
}

/** @throws {TercetError} ERR_FRAME_FORMAT */
export function offerFromJson(body: string): RtcOfferBody {
  const { nonce, model, request, offers } = parseJson(OFFER, body, REFUSAL);
  return { nonce, modelHash: model, requestCode: request, offers };
}

/** @throws {TercetError} ERR_FRAME_FORMAT */
export function answerFromJson(body: string): RtcAnswerBody {
  return parseJson(ANSWER, body, REFUSAL);
}
