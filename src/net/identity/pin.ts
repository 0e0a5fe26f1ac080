/**
 * What is accepted as a party's identity: one key, or while the party changes it, the old one and the new one until a
 * stated time, and from then on the new one alone (docs/adr/0048-keys-change-by-overlap.md).
 */

/** The key that a party changes to. */
interface NextIdentity {
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
