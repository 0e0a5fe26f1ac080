/** Named models of the links between the three parties: P0 the data owner, P1 and P2 the compute parties. */

import { TercetError } from '../../core/errors.ts';
import type { Channel, LinkProfile, EndId } from '../wire/types.ts';
import { withProfile } from './paced.ts';

const MBIT = 1e6;
const GBIT = 1e9;

const LAN: LinkProfile = { latencyMs: 0.2, bitsPerSecond: 10 * GBIT };
const CLOUD: LinkProfile = { latencyMs: 20, bitsPerSecond: 1 * GBIT };
const HOME_UP: LinkProfile = { latencyMs: 30, bitsPerSecond: 20 * MBIT };
const HOME_DOWN: LinkProfile = { latencyMs: 30, bitsPerSecond: 100 * MBIT };

/**
 * `home` is what the data owner gets: 20 Mbit/s up, 100 Mbit/s down, 30 ms to either compute party. The two links
 * of P0 share no rate in this model, so it is kind to a protocol that uploads to both at once.
 */
const PROFILES: ReadonlyMap<string, (from: EndId, to: EndId) => LinkProfile> = new Map([
  // All three in one room.
  ['lan', () => LAN],
  // P1 and P2 in two regions, P0 at home.
  ['wan-cloud', (from: EndId, to: EndId) => (from === 0 ? HOME_UP : to === 0 ? HOME_DOWN : CLOUD)],
  // P1 and P2 in one data centre, P0 at home.
  ['home', (from: EndId, to: EndId) => (from === 0 ? HOME_UP : to === 0 ? HOME_DOWN : LAN)],
]);

export const PROFILE_NAMES: readonly string[] = [...PROFILES.keys()];

/**
 * The model of the directed link `from` → `to`, or undefined for the link of a party to itself.
 *
 * @throws TercetError ERR_ARGUMENT for an unknown name
 */
export function linkProfile(name: string, from: EndId, to: EndId): LinkProfile | undefined {
  const profile = PROFILES.get(name);
  if (profile === undefined) {
    throw new TercetError('ERR_ARGUMENT', 'unknown network profile', `use one of ${PROFILE_NAMES.join(', ')}`);
  }
  return from === to ? undefined : profile(from, to);
}

/** What a party sends on its link, as a named network would carry it; unchanged without a name. */
export function shaped(channel: Channel, name: string | undefined): Channel {
  const profile = name === undefined ? undefined : linkProfile(name, channel.self, channel.peer);
  return profile === undefined ? channel : withProfile(channel, profile);
}
