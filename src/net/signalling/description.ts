/**
 * What `GET /v1/party` tells everybody, and how a data owner reads it: nothing in it is proved, all of it may be
 * shown to people.
 */
import { printable } from '../../core/bytes.ts';
import { isPublicKey } from '../identity/identity.ts';

export interface PartyDescription {
  readonly party: 1 | 2;
  /** Public key, 64 hex digits. A page compares it with the pinned one; it does not learn it here. */
  readonly identity: string;
  readonly version: string;
  readonly models: readonly { readonly id: string; readonly weights: Readonly<Record<string, string>> }[];
  readonly device: string;
  readonly transports: readonly ('webrtc' | 'websocket')[];
}

const MAX_MODELS = 256;
const MAX_WEIGHTS = 8;
const MAX_TEXT = 200;

type Unread = Readonly<Record<string, unknown>>;

/** @throws {Error} for anything that is no description */
export function descriptionFromJson(text: string): PartyDescription {
  const body = object(JSON.parse(text));
  const party = body['party'];
  const identity = body['identity'];
  if ((party !== 1 && party !== 2) || !isPublicKey(identity)) throw malformed();
  return {
    party,
    identity,
    version: words(body['version']),
    device: words(body['device']),
    models: list(body['models'], MAX_MODELS).map((model) => ({
      id: words(object(model)['id']),
      weights: hashes(object(model)['weights']),
    })),
    transports: list(body['transports'], 2).filter((transport) => transport === 'webrtc' || transport === 'websocket'),
  };
}

function hashes(value: unknown): Record<string, string> {
  const entries = Object.entries(object(value));
  if (entries.length > MAX_WEIGHTS) throw malformed();
  // Made from entries, so that no key is anything but a name.
  return Object.fromEntries(entries.map(([mode, hash]) => [printable(mode, MAX_TEXT), words(hash)]));
}

function object(value: unknown): Unread {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed();
  return value as Unread;
}

function list(value: unknown, longest: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length > longest) throw malformed();
  return value;
}

function words(value: unknown): string {
  if (typeof value !== 'string') throw malformed();
  return printable(value, MAX_TEXT);
}

function malformed(): Error {
  return new Error('no description of a party');
}
