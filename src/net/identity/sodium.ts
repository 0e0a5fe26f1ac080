/**
 * libsodium, loaded when first needed: 150 kB that a page without a private run never downloads. The module system
 * keeps the loaded copy, so nothing is cached here.
 */
import type * as Sodium from 'libsodium-wrappers';

export type { Sodium };

export async function loadSodium(): Promise<typeof Sodium> {
  const module = await import('libsodium-wrappers');
  // The package is one object under `default`; its methods exist only once `ready` has resolved.
  const sodium = (module as unknown as { default: typeof Sodium }).default;
  await sodium.ready;
  return sodium;
}

/** The symbol under which Node looks for a custom form in `util.inspect`, so that secrets are redacted there too. */
export const INSPECT: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;
