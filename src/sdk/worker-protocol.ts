/**
 * What a page and the worker of its party say to each other. Calls go through comlink; progress and aborts have a port of their own, so that neither waits for a
 * call, and a call in flight never depends on a proxy that the collector may take.
 */
import type { PlainError, Settled } from './settled.ts';
import type { ClassifyResult, FallbackEvent, Model, PartyHealth, PredictResult, PretrainedOptions, ProgressEvent, RunOptions, TextCheck } from './types.ts';

/** Options that can be cloned: without callbacks and signals. */
export type PlainOptions = Omit<PretrainedOptions, 'progress_callback' | 'onFallback' | 'signal' | 'deployment' | 'page'> & {
  readonly deployment: Exclude<PretrainedOptions['deployment'], URL | undefined>;
};

/** What a page shows of a model; fixed once it is loaded, but for the device. */
export type ModelInfo = Pick<Model, 'id' | 'task' | 'device' | 'layers' | 'maxTokens' | 'downloadedBytes'>;

export interface OpenRequest {
  readonly id: string;
  readonly options: PlainOptions;
  /** Address of the page: what relative addresses are relative to. */
  readonly base: string;
  /** Whether the page has WebRTC, which no worker has. */
  readonly webrtc: boolean;
  /** Carries `PortEvent` to the page and `PortCommand` to the worker. */
  readonly events: MessagePort;
  /** To the page's half of WebRTC. */
  readonly page: MessagePort;
}

/** T with the error in `K` as data. */
export type Plain<T, K extends keyof T> = Omit<T, K> & { readonly [P in K]?: PlainError };

/** One worker serves one model. `call` names a call, so that it can be aborted. */
export interface WorkerApi {
  open(call: number, request: OpenRequest): Promise<Settled<ModelInfo>>;
  check(text: string): Promise<Settled<Plain<TextCheck, 'problem'>>>;
  prepare(call: number, length: number, blanks: number | undefined): Promise<Settled<void>>;
  predict(call: number, text: string, options: Omit<RunOptions, 'signal'>): Promise<Settled<PredictResult>>;
  classify(call: number, text: string, options: Omit<RunOptions, 'signal'>): Promise<Settled<ClassifyResult>>;
  health(): Promise<Settled<readonly [Plain<PartyHealth, 'error'>, Plain<PartyHealth, 'error'>]>>;
  dispose(): Promise<Settled<void>>;
}

export type PortEvent = { readonly kind: 'progress'; readonly event: ProgressEvent } | { readonly kind: 'fallback'; readonly event: FallbackEvent };
export interface PortCommand {
  readonly kind: 'abort';
  readonly call: number;
}
