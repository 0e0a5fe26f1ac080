/** What this machine says of hubs: which one, by what right, and where its files are kept. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { proxiedFetch } from './proxy-node.ts';
import { type DiskStore, diskStore } from './store-node.ts';
import type { HubOptions } from './types.ts';

export interface NodeHub extends Pick<HubOptions, 'endpoint' | 'token' | 'offline' | 'fetch'> {
  readonly store: DiskStore;
}

/**
 * TERCET_HUB or HF_ENDPOINT name another hub, HF_TOKEN opens gated models, TERCET_OFFLINE or HF_HUB_OFFLINE forbid
 * the network, TERCET_CACHE says where files are kept, HTTP_PROXY, HTTPS_PROXY and NO_PROXY (`proxy-node.ts`) which
 * way requests take.
 * An empty variable is one that is not set.
 */
export function nodeHub(): NodeHub {
  const { TERCET_HUB, HF_ENDPOINT, HF_TOKEN, TERCET_OFFLINE, HF_HUB_OFFLINE } = process.env;
  return {
    store: diskStore(cacheFolder()),
    fetch: proxiedFetch(),
    endpoint: TERCET_HUB || HF_ENDPOINT || undefined,
    token: HF_TOKEN || undefined,
    offline: isOn(TERCET_OFFLINE) || isOn(HF_HUB_OFFLINE),
  };
}

/** Where this machine keeps what it can get or compute again. */
export function cacheFolder(): string {
  const { TERCET_CACHE, XDG_CACHE_HOME } = process.env;
  return TERCET_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'tercet', 'hub');
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'false'].includes(value.toLowerCase());
}
