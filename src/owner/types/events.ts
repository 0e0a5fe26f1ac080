/** What a run tells while it goes: progress, live figures of the links, fallbacks. */
import type { ErrorCode } from '../../core/errors.ts';
import type { HubProgress } from '../../hub/types.ts';
import type { Device, Task, Transport } from './deployment.ts';

export type { TraceEvent } from '../../mpc/protocol/trace.ts';

/**
 * Of one party: payload bytes counted at the channels so far. `ahead`: correlations; `input`: the one message out;
 * `output`: the one message in. Of `aby3` the last two have what goes and comes in the rounds as well.
 */
export interface LinkBytes {
  readonly ahead: number;
  readonly input: number;
  readonly output: number;
}

/** Live figures of the three links. */
export interface Links {
  /** Between this device and party 1. */
  readonly p1: LinkBytes;
  /** Between this device and party 2. */
  readonly p2: LinkBytes;
  /** Payload bytes from this device to the dealer, where one deals: what it is handed. */
  readonly dealer?: number | undefined;
  /** Between the compute parties, as they report it: bytes both ways, rounds done and rounds in all. */
  readonly between: { readonly bytes: number; readonly rounds: number; readonly totalRounds: number };
}

/**
 * What the data owner does while the compute parties compute, as the circuit declares it.
 *
 * @example
 * const progress_callback = (event: ProgressEvent) => {
 *   if (event.status !== 'preprocess' || event.online === undefined) return;
 *   const { rounds, sentBytes } = event.online;
 *   console.log(`this device will answer in ${rounds} rounds, with ${sentBytes} bytes`);
 * };
 * await SecureTransformer.fromPretrained('capitals-bert', { protocol: 'aby3', progress_callback });
 */
export interface OnlinePart {
  /** Half-rounds in which this device sends, or gets, something: each waits for its line. */
  readonly rounds: number;
  /** Payload bytes that it sends in them. */
  readonly sentBytes: number;
}

/**
 * Hex of the latest bytes that left this device for party 1 and party 2, 30 bytes each where there are so many: for
 * people who want to look at them.
 */
export type SentSample = readonly [string, string];

/**
 * What `progress_callback` hears, told apart by `status`. First the statuses of transformers.js for what is downloaded,
 * then those of a private run in the order of its phases. `progress` is 0 to 1 in a private run, and percent in a
 * download, as there.
 *
 * @example
 * const onProgress = (event: ProgressEvent) => {
 *   if (event.status === 'layer') console.log(`layer ${event.layer} of ${event.layers}`);
 *   if (event.status === 'released') console.log(`what was prepared is gone: ${event.reason}`);
 * };
 * await SecureTransformer.fromPretrained('capitals-bert', { progress_callback: onProgress });
 */
export type ProgressEvent =
  // transformers.js
  | HubProgress
  | { readonly status: 'ready'; readonly task: Task; readonly model: string }
  // private runs
  | { readonly status: 'connect'; readonly party: 1 | 2 | 3; readonly transport: Transport }
  | { readonly status: 'handshake'; readonly party: 1 | 2 | 3; readonly milliseconds: number }
  | {
      readonly status: 'preprocess';
      /** Tokens of the prepared bucket. */
      readonly length: number;
      readonly progress: number;
      readonly links: Links;
      readonly done: boolean;
      /** Whether this was dealt ahead (`prepare`) or inside a run. */
      readonly ahead: boolean;
      /** Of `aby3`, once it is done: what this device has to do behind the text, which nothing can be dealt for. */
      readonly online?: OnlinePart | undefined;
      readonly sample?: SentSample;
    }
  | { readonly status: 'input'; readonly links: Links; readonly sample?: SentSample }
  // while others compute first: about once a second, as party 1 says it
  | {
      readonly status: 'queued';
      /** Runs that end before this one begins. */
      readonly before: number;
      /** About how long that takes; absent where party 1 has measured none. */
      readonly milliseconds?: number | undefined;
    }
  | {
      readonly status: 'layer';
      /** 0: words in; 1 … layers; layers + 1: words out. */
      readonly layer: number;
      readonly layers: number;
      /** Like `attention/exponential`. */
      readonly section: string;
      /** Of the whole online phase, 0 to 1; of generated text, of the step for one piece. */
      readonly progress: number;
      readonly links: Links;
      readonly sample?: SentSample;
    }
  | { readonly status: 'reconstruct'; readonly links: Links; readonly sample?: SentSample }
  // before a run: what to know of how a text is read, like special tokens that became plain text; without a
  // callback it goes to the console
  | { readonly status: 'notice'; readonly message: string }
  // while the parties compute: a message of that party came, about once a second of each
  | { readonly status: 'heard'; readonly party: 1 | 2 }
  // what `prepare` made is not there any more
  | {
      readonly status: 'released';
      /** Tokens of the bucket that it was for. */
      readonly length: number;
      /** 'age': kept for as long as parties keep memory for nobody (5 minutes); 'lost': a link of it ended. */
      readonly reason: 'age' | 'lost';
      /**
       * With 'lost': what the party said, like ERR_PEER_LET_GO when it needed the place, or what the link ended
       * with.
       */
      readonly code?: ErrorCode;
    }
  // generated text: after every step's reconstruct
  | { readonly status: 'token'; readonly index: number; readonly text: string; readonly links: Links };

/** A choice that was not what was asked for, or not the best: said, never silent. */
export interface FallbackEvent {
  /** What changed. */
  readonly what: 'device' | 'transport';
  readonly from: Device | Transport;
  readonly to: Device | Transport;
  /** A sentence for people. */
  readonly reason: string;
}
