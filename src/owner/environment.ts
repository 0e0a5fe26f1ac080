/** What the data owner's party needs of the place that it runs in: a worker of a page, or Node. */
import type { RingKernels } from '../compute/kernels/types.ts';
import type { TercetError } from '../core/errors.ts';
import type { HubOptions } from '../hub/types.ts';
import type { RunShape } from '../ml/models/run.ts';
import type { OwnerCredential } from '../net/enrolment/credential.ts';
import type { IceServer } from '../net/webrtc/types.ts';
import type { Channel, ServerId } from '../net/wire/types.ts';
import type { Proving } from '../session/proving.ts';
import type { Fetch } from './download.ts';
import type {
  Capabilities,
  Device,
  FallbackEvent,
  PartyAddress,
  PretrainedOptions,
  Protocol,
  Transport,
} from './types/index.ts';

/** A link to one compute party, or to the dealer (3), for one run. */
export interface LinkRequest {
  readonly party: ServerId;
  readonly session: Uint8Array;
  /** SHA-256 of the model that is asked for, 64 hex digits; undefined: the one that is served. */
  readonly modelHash: string | undefined;
  /** The request's other terms (`requestCode`), 64 hex digits. */
  readonly requestCode: string;
  /** For secret weights. */
  readonly credential: OwnerCredential | undefined;
  readonly signal: AbortSignal;
}

/** A link whose other end has proved who it is. */
export interface OpenedLink {
  readonly channel: Channel;
  /** 32 bytes. The session wipes it. */
  readonly pairKey: Uint8Array;
  /** For secret weights, where no handshake has carried it: what goes with the request. */
  readonly presented?: Uint8Array | undefined;
}

/** What a run needs. */
export interface RunEnvironment {
  now(): number;
  random(length: number): Uint8Array;
  /** Of this process; 0 where the platform does not tell. */
  peakMemory(): number;
  openLink(request: LinkRequest): Promise<OpenedLink>;
  /** A span for a run, where a service is watched. */
  readonly span?: ((run: RunShape & { readonly ahead: boolean }) => RunSpan | undefined) | undefined;
}

/** A run as who watches a service sees it: sizes and times, never content. */
export interface RunSpan {
  /** The trace context that goes to the compute parties. */
  readonly traceparent: string;
  /** A text is about to be run on it. */
  used(): void;
  ran(cost: { readonly rounds: number; readonly sentBytes: number; readonly prepareMs: number }): void;
  end(error?: TercetError): void;
}

/** The way to a party of a deployment. */
interface Route {
  readonly address: PartyAddress;
  /** The other compute party's identity, to tell a swap from a stranger; a dealer has no other. */
  readonly otherIdentity: PartyAddress | undefined;
  readonly transport: 'auto' | Transport;
  readonly timeoutMs: number;
  readonly iceServers: readonly IceServer[];
  readonly associations: number;
  onFallback(event: FallbackEvent): void;
}

export type RoutedLinkRequest = LinkRequest & { readonly modelHash: string } & Route;

export interface RoutedLink extends OpenedLink {
  readonly transport: Transport;
  readonly handshakeMs: number;
}

/** What the SDK needs beside it: a network to load models from, devices to choose from, ways to the parties. */
export interface Environment extends Omit<RunEnvironment, 'openLink'> {
  readonly fetch: Fetch;
  /** What relative addresses are relative to. */
  readonly base: string;
  /**
   * Where files of a hub are kept here, and what this place says of hubs; asked for only when a model is loaded
   * from one.
   */
  hub(): Promise<Pick<HubOptions, 'store' | 'endpoint' | 'token' | 'offline'> & Partial<Pick<HubOptions, 'fetch'>>>;
  capabilities(): Promise<Capabilities>;
  openKernels(device: Device): Promise<RingKernels>;
  /**
   * Loads what proves messages of a protocol here, for whoever asks for it. Absent: such protocols are refused.
   * @param device that was asked for: one by name proves too
   */
  readonly proving?: ((device: PretrainedOptions['device'], protocol: Protocol) => Promise<Proving>) | undefined;
  openLink(request: RoutedLinkRequest): Promise<RoutedLink>;
}
