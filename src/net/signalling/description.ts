/**
 * What `GET /v1/party` tells everybody, and how a data owner reads it: nothing in it is proved, all of it may be
 * shown to people.
 */
import { printable } from '../../core/bytes.ts';
import { type Refusal, into, list, named, object, oneOf, parseJson, textThat, that } from '../../core/json.ts';
import { isPublicKey } from '../identity/identity.ts';
import type { ServerId } from '../wire/types.ts';

export interface PartyDescription {
  readonly party: ServerId;
  /** Public key, 64 hex digits. A page compares it with the pinned one; it does not learn it here. */
  readonly identity: string;
  readonly version: string;
  readonly models: readonly { readonly id: string; readonly weights: Readonly<Record<string, string>> }[];
  readonly device: string;
  /** What owners may ask for; parties from before do not say. */
  readonly protocols?: readonly string[];
  readonly transports: readonly ('webrtc' | 'websocket')[];
}

const MAX_MODELS = 256;
const MAX_WEIGHTS = 8;
const MAX_TEXT = 200;

const REFUSAL: Refusal = {
  code: 'ERR_FRAME_FORMAT',
  what: 'no description of a party',
  hint: 'check that the address belongs to a Tercet party of the same version',
};

const shown = (words: string): string => printable(words, MAX_TEXT);
const WORDS = into(
  textThat(() => true, 'expected a text'),
  shown,
);

const DESCRIPTION = object({
  party: oneOf([1, 2, 3]),
  identity: that(isPublicKey, 'expected 64 hex digits'),
  version: WORDS,
  device: WORDS,
  models: list(
    object({
      id: WORDS,
      weights: into(named(WORDS, MAX_WEIGHTS), (weights) =>
        Object.fromEntries(Object.entries(weights).map(([mode, hash]) => [shown(mode), hash])),
      ),
    }),
    MAX_MODELS,
  ),
  transports: into(
    list((one) => one, 2),
    (all) => all.filter((one) => one === 'webrtc' || one === 'websocket'),
  ),
});

/** @throws {TercetError} ERR_FRAME_FORMAT for anything that is no description */
export function descriptionFromJson(text: string): PartyDescription {
  return parseJson(DESCRIPTION, text, REFUSAL);
}
