/**
 * What is accepted as a party's identity: one key, or while the party changes it, the old one and the new one until a
 * stated time, and from then on the new one alone (docs/adr/0048-keys-change-by-overlap.md).
 */
import { checkPublicKey, verifySignature } from './identity.ts';

/** The key that a party changes to. */
export interface NextIdentity {
  /** 64 hex digits, as the party's operator tells them. */
  readonly identity: string;
  /** Until when the old one is accepted too: an ISO 8601 time, like `2026-12-31T00:00Z`. */
  readonly until: string;
}

/** An identity, alone or with the one that follows it. */
export type Pin = string | { readonly identity: string; readonly next?: NextIdentity | undefined };

/** Every key that a pin names, whatever the time. */
export function identitiesOf(pin: Pin): readonly string[] {
  if (typeof pin === 'string') return [pin];
  return pin.next === undefined ? [pin.identity] : [pin.identity, pin.next.identity];
}

/** The keys that are accepted at a time. SECURITY: test/net/pin.test.ts. @param now milliseconds since 1970 */
export function acceptedOf(pin: Pin, now = Date.now()): readonly string[] {
  const all = identitiesOf(pin);
  // A time that is none is over: NaN is above nothing.
  return typeof pin === 'string' || pin.next === undefined || Date.parse(pin.next.until) > now ? all : all.slice(1);
}

/** Whether a signature is that of a key that is accepted now. */
export async function verifyPin(pin: Pin, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  for (const key of acceptedOf(pin)) if (await verifySignature(key, message, signature)) return true;
  return false;
}

/** @throws {TercetError} ERR_ARGUMENT for a key that is none */
export function checkPin(pin: Pin, party: number): void {
  for (const key of identitiesOf(pin)) checkPublicKey(key, party);
}
