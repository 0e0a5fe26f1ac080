/** What a data owner's session is given, and its links by who is at their end. */
import type { RingKernels } from '../compute/kernels/types.ts';
import { type TercetError, asTercetError, invariant } from '../core/errors.ts';
import type { ModelConfig } from '../ml/config.ts';
import type { Progress } from '../mpc/protocol/frame/engine.ts';
import type { ParameterView } from '../mpc/protocol/frame/party.ts';
import type { Trace } from '../mpc/protocol/trace.ts';
import type { Channel, EndId, PartyId } from '../net/wire/types.ts';
import type { Circuits } from './circuits.ts';
import type { Proving } from './proving.ts';
import type { Request } from './request.ts';
import type { Status } from './status.ts';

/** What a dealer is handed of secret weights, and what shows both compute parties that the model's owner allows it. */
export interface PermittedHandOver {
  /** Seeds of the masks, 64 bytes. Wiped here. */
  readonly seeds: Uint8Array;
  readonly permit: Uint8Array;
}

export interface OwnerOptions {
  readonly config: ModelConfig;
  readonly request: Request;
  /** For secret weights over links without a handshake: what each party is presented with its request. */
  readonly presented?: readonly [Uint8Array, Uint8Array] | undefined;
  /** For secret weights where the request names a dealer. */
  readonly permitted?: PermittedHandOver | undefined;
  /** To both compute parties and, where the request names one, to the dealer (3). */
  readonly channels: ReadonlyMap<EndId, Channel>;
  readonly session: Uint8Array;
  /** The trace that this run is of (core/trace-context.ts). Both compute parties hear it. */
  readonly traceparent?: string | undefined;
  /** With party 1 and 2, 32 bytes each. Wiped here. */
  readonly pairKeys: readonly [Uint8Array, Uint8Array];
  readonly kernels: RingKernels;
  readonly parameters: ParameterView;
  /** Shared by the executions of one owner; own ones without it. */
  readonly circuits?: Circuits | undefined;
  /** What proves its messages. Absent: `3pc_malicious` is refused. */
  readonly proving?: Proving | undefined;
  readonly now: () => number;
  readonly peakMemory: () => number;
  /** Ends the session at any time: both links break, so both compute parties stop. */
  readonly signal?: AbortSignal | undefined;
  onProgress?(progress: Progress): void;
  /** Steps of this party, as it works on them. */
  readonly trace?: Trace | undefined;
  /** How far the compute parties are, as party 1 reports it. */
  onStatus?(status: Status, section: string): void;
  /**
   * What was prepared is let go, because a party needed its place and asked for it. Nothing is lost: no text was
   * sent.
   */
  onLetGo?(party: 1 | 2): void;
}

/** Those of the protocol itself. */
export function toParties(channels: ReadonlyMap<EndId, Channel>): ReadonlyMap<PartyId, Channel> {
  return new Map([...channels].filter((entry): entry is [PartyId, Channel] => entry[0] !== 3));
}

export function abortAll(channels: ReadonlyMap<EndId, Channel>, thrown: unknown): TercetError {
  const failure = asTercetError(thrown);
  for (const channel of channels.values()) channel.abort(failure);
  return failure;
}

export function channelTo(channels: ReadonlyMap<EndId, Channel>, peer: EndId): Channel {
  const channel = channels.get(peer);
  invariant(channel !== undefined, `there is no channel to party ${peer}`);
  return channel;
}
