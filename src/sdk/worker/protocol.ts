/**
 * What a page and the worker of its party say to each other. Calls go through comlink; progress, pieces of text and
 * aborts have a port of their own, so that neither waits for a call, and a call in flight never depends on a proxy
 * that the collector may take.
 */
import type { RunMethod } from '../../owner/methods.ts';
import type { PlainError, Envelope } from './result-envelope.ts';
import type {
  FallbackEvent,
  GenerateOptions,
  GenerateResult,
  Model,
  PartyHealth,
  PrepareOptions,
  PretrainedOptions,
  ProgressEvent,
  TaskText,
  TextCheck,
  TraceEvent,
} from '../../owner/types/index.ts';

/** Options that can be cloned: without callbacks and signals. */
export type PlainOptions = Omit<
  PretrainedOptions,
  'progress_callback' | 'onFallback' | 'trace' | 'signal' | 'deployment' | 'page'
> & {
  /** Whether steps are wanted. */
  readonly trace: boolean;
  readonly deployment: Exclude<PretrainedOptions['deployment'], URL | undefined>;
};

/** What a page shows of a model; fixed once it is loaded, but for the device. */
export type ModelInfo = Pick<Model, 'id' | 'task' | 'device' | 'layers' | 'maxTokens' | 'downloadedBytes' | 'labels'>;

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

type Options<M extends RunMethod> = Omit<NonNullable<Parameters<Model[M]>[1]>, 'signal'>;

/** The same methods across the port. `call` names a call, so that it can be aborted. */
type RunApi = {
  readonly [M in RunMethod]: (
    call: number,
    input: Parameters<Model[M]>[0],
    options: Options<M>,
  ) => Promise<Envelope<Awaited<ReturnType<Model[M]>>>>;
};

type PlainHealth = Plain<PartyHealth, 'error'>;

/** One worker serves one model. */
export interface WorkerApi extends RunApi {
  open(call: number, request: OpenRequest): Promise<Envelope<ModelInfo>>;
  check(text: TaskText): Promise<Envelope<Plain<TextCheck, 'problem'>>>;
  prepare(call: number, length: number, options: Omit<PrepareOptions, 'signal'>): Promise<Envelope<void>>;
  release(): Promise<Envelope<void>>;
  /** Pieces come over the port, with the call's number; the result has them all. */
  generate(call: number, prompt: string, options: Omit<GenerateOptions, 'signal'>): Promise<Envelope<GenerateResult>>;
  health(): Promise<Envelope<readonly [PlainHealth, PlainHealth, ...dealer: PlainHealth[]]>>;
  dispose(): Promise<Envelope<void>>;
}

export type PortEvent =
  | { readonly kind: 'progress'; readonly event: ProgressEvent }
  | { readonly kind: 'fallback'; readonly event: FallbackEvent }
  | { readonly kind: 'trace'; readonly event: TraceEvent }
  | { readonly kind: 'token'; readonly call: number; readonly text: string };

export interface PortCommand {
  readonly kind: 'abort';
  readonly call: number;
}
