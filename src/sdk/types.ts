/**
 * The public interface of the SDK: the same in a page, in a worker and in Node.
 *
 * Result and progress shapes follow transformers.js, with more members for what only a private run has: parties, links, rounds, phases. Nothing here
 * holds a share or a key; `Captured` holds bytes that left this device, for people who want to look at them.
 */
import type { TercetError } from '../core/errors.ts';

export type Task = 'fill-mask' | 'text-classification';
export type Protocol = '3pc_semi_honest' | '3pc_malicious' | 'aby3';
export type Weights = 'open' | 'secret';
export type Device = 'webgpu' | 'wasm';
export type Transport = 'webrtc' | 'websocket';

/** A compute party as the data owner knows it: where it listens, and the identity it must prove. */
export interface PartyAddress {
  /** Base of its HTTPS interface, like `https://alder.example`. Plain `http:` only for this machine (loopback). */
  readonly url: string;
  /** Its Ed25519 public key, 64 hex digits. */
  readonly identity: string;
  /** Who runs it and where, for people. */
  readonly operator?: string;
  readonly place?: string;
}

/** A file of a model that the data owner downloads: never the weights. */
export interface PinnedFile {
  readonly sha256: string;
  readonly bytes: number;
}

/** A model that the parties of a deployment serve. */
export interface ModelEntry {
  readonly id: string;
  readonly task: Task;
  /** One line for people. */
  readonly title: string;
  /** SHA-256 of the weights, or of the sharing, by mode. A mode that is absent is not served. */
  readonly weights: Readonly<Partial<Record<Weights, string>>>;
  /** `config.json`, `tokenizer.json`, …, and for secret weights `owner.seeds` (64 bytes), relative to `<base>/<id>/`. */
  readonly files: Readonly<Record<string, PinnedFile>>;
  /** Texts to try. */
  readonly examples: readonly { readonly label: string; readonly text: string }[];
}

/** What a page needs to know of a deployment; served as `tercet.json` beside it. All public. */
export interface Deployment {
  readonly version: 1;
  readonly parties: readonly [PartyAddress, PartyAddress];
  /** Where the models' files are, relative to this document. */
  readonly models: string;
  readonly entries: readonly ModelEntry[];
  /** STUN and TURN servers. Empty by default: nobody else is asked for anything. */
  readonly iceServers?: readonly RTCIceServer[];
}

// ── what is there, and why not ─────────────────────────────────────────────

export type Availability = { readonly ok: true; readonly detail: string } | { readonly ok: false; readonly reason: string; readonly detail: string };

export interface Capabilities {
  /** reason: 'no-api' | 'no-adapter' | 'no-device' | 'insecure-context' | 'fallback-adapter'. */
  readonly webgpu: Availability;
  /** reason: 'no-wasm' | 'no-simd' | 'blocked-by-csp'. */
  readonly wasm: Availability;
  /** reason: 'no-api'. */
  readonly webrtc: Availability;
  readonly workers: Availability;
  readonly threads: number;
  readonly crossOriginIsolated: boolean;
  /** What `device: 'auto'` takes here; undefined when nothing can run. */
  readonly device: Device | undefined;
}

// ── progress ───────────────────────────────────────────────────────────────

/** Payload bytes counted at the channels so far. `ahead`: correlations; `input`: the one message out; `output`: the one message in. */
export interface LinkBytes {
  readonly ahead: number;
  readonly input: number;
  readonly output: number;
}

/** Live figures of the three links. */
export interface Links {
  readonly p1: LinkBytes;
  readonly p2: LinkBytes;
  /** Between the compute parties, as they report it: bytes both ways, rounds done and rounds in all. */
  readonly between: { readonly bytes: number; readonly rounds: number; readonly totalRounds: number };
}

/** Hex of the latest bytes that left this device for party 1 and party 2, 30 bytes each where there are so many: for people who want to look at them. */
export type SentSample = readonly [string, string];

export type ProgressEvent =
  // transformers.js
  | { readonly status: 'initiate' | 'download' | 'done'; readonly name: string; readonly file: string }
  | { readonly status: 'progress'; readonly name: string; readonly file: string; readonly progress: number; readonly loaded: number; readonly total: number }
  | { readonly status: 'ready'; readonly task: Task; readonly model: string }
  // private runs
  | { readonly status: 'connect'; readonly party: 1 | 2; readonly transport: Transport }
  | { readonly status: 'handshake'; readonly party: 1 | 2; readonly milliseconds: number }
  | {
      readonly status: 'preprocess';
      /** Tokens of the prepared bucket. */
      readonly length: number;
      readonly progress: number;
      readonly links: Links;
      readonly done: boolean;
      /** Whether this was dealt ahead (`prepare`) or inside a run. */
      readonly ahead: boolean;
      readonly sample?: SentSample;
    }
  | { readonly status: 'input'; readonly links: Links; readonly sample?: SentSample }
  | {
      readonly status: 'layer';
      /** 0: words in; 1 … layers; layers + 1: words out. */
      readonly layer: number;
      readonly layers: number;
      /** Like `attention/exponential`. */
      readonly section: string;
      /** Of the whole online phase, 0 to 1. */
      readonly progress: number;
      readonly links: Links;
      readonly sample?: SentSample;
    }
  | { readonly status: 'reconstruct'; readonly links: Links; readonly sample?: SentSample };

/** A choice that was not what was asked for, or not the best: said, never silent. */
export interface FallbackEvent {
  readonly what: 'device' | 'transport';
  readonly from: Device | Transport;
  readonly to: Device | Transport;
  readonly reason: string;
}

// ── options ────────────────────────────────────────────────────────────────

export interface PretrainedOptions {
  /** The deployment: its document, or where to fetch it (default `./tercet.json` beside the page). */
  readonly deployment?: Deployment | string | URL;
  readonly protocol?: Protocol;
  readonly weights?: Weights;
  readonly device?: 'auto' | Device;
  /** 'auto': WebRTC, and after `transportTimeoutMs` without a link WebSocket, with a `fallback` event. */
  readonly transport?: 'auto' | Transport;
  /** Default 5,000. */
  readonly transportTimeoutMs?: number;
  /** WebRTC associations per party, 1 to 4 (default 1): more carry more over a link that is long and fast, where the window of one is the limit. */
  readonly associations?: number;
  /** Texts are padded to one of these lengths (default 16, 32, 64, 128, and the model's maximum). */
  readonly buckets?: readonly number[];
  /**
   * In a worker of your own, whose page lends its WebRTC: the other port of the one that the page gave to `serveWebRtc`. Addresses are relative to the worker's
   * script there, so give `deployment` in full.
   */
  readonly page?: MessagePort;
  readonly progress_callback?: (event: ProgressEvent) => void;
  readonly onFallback?: (event: FallbackEvent) => void;
  readonly signal?: AbortSignal;
}

export interface RunOptions {
  /** Answers to return (default 5). */
  readonly topK?: number;
  /** Stops all three parties. Rejects with ERR_ABORTED; nothing was opened. */
  readonly signal?: AbortSignal;
}

// ── results ────────────────────────────────────────────────────────────────

/** Bytes that left this device in a run, and what they were made from. Made here, from this run; never sent anywhere. */
export interface Captured {
  readonly tokens: readonly {
    readonly text: string;
    readonly id: number;
    /** Offset of the token in the text, in UTF-16 units; undefined for special tokens. */
    readonly span?: readonly [number, number];
    /** First 8 bytes, hex, of what each compute party received for this token: a point-function key. */
    readonly p1: string;
    readonly p2: string;
  }[];
  /** One token put back together: the two words (hex, 64 bits) that the parties' keys open to at row `id`, whose sum mod 2^64 is 1, and at `otherId`, where it is 0. */
  readonly sum: {
    readonly index: number;
    readonly words: readonly [string, string];
    readonly otherId: number;
    readonly otherWords: readonly [string, string];
  };
  /** Counts of each byte value (256) in the text and in all that each compute party received in this run. */
  readonly histograms: { readonly text: readonly number[]; readonly p1: readonly number[]; readonly p2: readonly number[] };
}

export interface RunCost {
  readonly tokens: number;
  /** The bucket: what the compute parties know of the length. */
  readonly paddedTokens: number;
  readonly links: Links;
  /** Wire bytes with frame headers, as each party counted them. */
  readonly sentBytes: readonly [number, number, number];
  readonly receivedBytes: readonly [number, number, number];
  readonly peakMemoryBytes: readonly [number, number, number];
  readonly devices: readonly [string, string, string];
  /** Milliseconds. `prepareMs` was spent before the call if `preparedAhead`, else inside it. */
  readonly timing: {
    readonly prepareMs: number;
    readonly inputMs: number;
    readonly computeMs: number;
    readonly outputMs: number;
    /** From the call to the answer. */
    readonly totalMs: number;
  };
  readonly preparedAhead: boolean;
}

export interface Prediction {
  readonly token: string;
  readonly token_str: string;
  readonly token_id: number;
  readonly score: number;
  /** The text with the blank filled in. */
  readonly sequence: string;
}

export interface PredictResult {
  /** Best first; one list for each blank of the text. */
  readonly predictions: readonly Prediction[];
  readonly blanks: readonly (readonly Prediction[])[];
  readonly cost: RunCost;
  readonly captured: Captured;
}

export interface ClassifyResult {
  readonly label: string;
  readonly score: number;
  readonly labels: readonly { readonly label: string; readonly score: number }[];
  readonly cost: RunCost;
  readonly captured: Captured;
}

/** A party as its health endpoint describes it. */
export interface PartyHealth {
  readonly party: 1 | 2;
  readonly ok: boolean;
  /** Round trip of the health request. */
  readonly milliseconds?: number;
  readonly device?: string;
  readonly version?: string;
  readonly error?: TercetError;
}

/** What the text would become, without running anything or sending anything. */
export interface TextCheck {
  readonly tokens: number;
  readonly paddedTokens: number | undefined;
  readonly blanks: number;
  /** Why it cannot run as it is: ERR_INPUT… with what to do. */
  readonly problem?: TercetError;
}

export interface Model {
  readonly id: string;
  readonly task: Task;
  readonly device: Device;
  readonly layers: number;
  readonly maxTokens: number;
  /** Bytes downloaded to get here: deployment, config, tokenizer, seeds. */
  readonly downloadedBytes: number;
  /** Tokenizes here. Cheap; for every key stroke. */
  check(text: string): Promise<TextCheck>;
  /** Deals the correlations of one run for texts of up to `length` tokens (rounded up to a bucket). A second call for another bucket replaces the first. */
  prepare(length: number, options?: { readonly blanks?: number; readonly signal?: AbortSignal }): Promise<void>;
  predict(text: string, options?: RunOptions): Promise<PredictResult>;
  classify(text: string, options?: RunOptions): Promise<ClassifyResult>;
  health(): Promise<readonly [PartyHealth, PartyHealth]>;
  /** Ends what runs, drops what was prepared, stops workers. */
  dispose(): Promise<void>;
}
