/** What the data owner's party needs of the place that it runs in: a worker of a page, or Node. */
import type { RingKernels } from '../compute/kernels/types.ts';
import type { HubOptions } from '../hub/types.ts';
import type { OwnerCredential } from '../net/enrolment/credential.ts';
import type { Channel } from '../net/wire/types.ts';
import type { Fetch } from './download.ts';
import type { Capabilities, Device, FallbackEvent, PartyAddress, Transport } from './types/index.ts';

export interface LinkRequest {
  readonly party: 1 | 2;
  readonly address: PartyAddress;
  /** The other compute party's identity, to tell a swap from a stranger. */
  readonly otherIdentity: string;
  readonly session: Uint8Array;
  /** SHA-256 of the model and of the request's other terms, 64 hex digits. */
  readonly modelHash: string;
  readonly requestCode: string;
  /** For secret weights. */
  readonly credential: OwnerCredential | undefined;
  readonly transport: 'auto' | Transport;
  readonly timeoutMs: number;
  readonly iceServers: readonly RTCIceServer[];
  readonly associations: number;
  readonly signal: AbortSignal;
  onFallback(event: FallbackEvent): void;
}

/** A link whose other end has proved who it is. */
export interface OpenedLink {
  readonly channel: Channel;
  /** The pairwise key, 32 bytes. The session wipes it. */
  readonly key: Uint8Array;
  readonly transport: Transport;
  readonly handshakeMs: number;
}

export interface Environment {
  readonly fetch: Fetch;
  /** What relative addresses are relative to. */
  readonly base: string;
  /**
   * Where files of a hub are kept here, and what this place says of hubs; asked for only when a model is loaded
   * from one.
   */
  hub(): Promise<Pick<HubOptions, 'store' | 'endpoint' | 'token' | 'offline'> & Partial<Pick<HubOptions, 'fetch'>>>;
  now(): number;
  random(length: number): Uint8Array;
  /** Of this process; 0 where the platform does not tell. */
  peakMemory(): number;
  capabilities(): Promise<Capabilities>;
  openKernels(device: Device): Promise<RingKernels>;
  openLink(request: LinkRequest): Promise<OpenedLink>;
}
