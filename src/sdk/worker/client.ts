/**
 * A model whose party runs in a worker of this page: the page's end. Everything that decides anything is at the
 * other end.
 */
import { type Endpoint, type Remote, releaseProxy, transfer, wrap } from 'comlink';
import { TercetError } from '../../core/errors.ts';
import { servePageHost } from '../../net/webrtc/page-host.ts';
import { noticeTo } from '../../owner/notices.ts';
import { OPTIONS, checkOptions, checkPretrained } from '../../owner/options.ts';
import { type Envelope, typedError, fromEnvelope } from './result-envelope.ts';
import { generated } from '../../owner/generated.ts';
import type {
  AnswerOptions,
  AnswerResult,
  BatchOptions,
  BatchResult,
  ClassifyOptions,
  ClassifyResult,
  Device,
  EmbedOptions,
  EmbedResult,
  EntitiesResult,
  EntityOptions,
  GenerateOptions,
  GenerateStream,
  Model,
  PartyHealth,
  PredictOptions,
  PredictResult,
  PrepareOptions,
  PretrainedOptions,
  Task,
  TaskText,
  TextCheck,
  ServersHealth,
} from '../../owner/types/index.ts';
import type { ModelInfo, Plain, PlainOptions, PortCommand, PortEvent, WorkerApi } from './protocol.ts';

/** How long a worker may take to let go of what it holds before it is stopped. */
const DISPOSE_MS = 2_000;

/** Where the party runs: a worker of this page's own, or a port to one that others on the page use too. */
export interface PartyHome extends Endpoint {
  /** Lets go of it: ends the worker, or this page's part of it. */
  terminate(): void;
}

/**
 * The worker with what belongs to it, alive until `stop`. Kept as one object, so that no proxy is collected while a
 * call is under way.
 */
class PartyWorker {
  readonly #worker: PartyHome;
  readonly #remote: Remote<WorkerApi>;
  readonly #events: MessagePort;
  readonly #host: { close(): void };
  readonly #failed: Promise<never>;
  #fail: (error: Error) => void = () => undefined;
  #calls = 0;
  /** Where pieces of text go, by call. */
  readonly #texts = new Map<number, (text: string) => void>();
  readonly ports: readonly [MessagePort, MessagePort];

  constructor(worker: PartyHome, onEvent: (event: Exclude<PortEvent, { readonly kind: 'token' }>) => void) {
    this.#worker = worker;
    this.#remote = wrap<WorkerApi>(worker);
    this.#failed = new Promise<never>((_resolve, reject) => {
      this.#fail = reject;
    });
    this.#failed.catch(() => undefined);
    worker.addEventListener('error', () => this.#fail(stopped()));
    worker.addEventListener('messageerror', () => this.#fail(stopped()));
    const events = new MessageChannel();
    const page = new MessageChannel();
    this.#events = events.port1;
    this.#events.onmessage = ({ data }: MessageEvent<PortEvent>) => {
      if (data.kind === 'token') this.#texts.get(data.call)?.(data.text);
      else onEvent(data);
    };
    this.#host = servePageHost(page.port1);
    this.ports = [events.port2, page.port2];
  }

  /** Calls the worker; `signal` reaches the call over there, which then ends by itself. */
  async call<T>(
    signal: AbortSignal | undefined,
    run: (remote: Remote<WorkerApi>, call: number) => Promise<Envelope<T>>,
  ): Promise<T> {
    const call = ++this.#calls;
    const abort = () => this.#events.postMessage({ kind: 'abort', call } satisfies PortCommand);
    signal?.addEventListener('abort', abort);
    try {
      const pending = Promise.race([run(this.#remote, call), this.#failed]);
      if (signal?.aborted === true) abort();
      return fromEnvelope(await pending);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** A call that tells of pieces of text before it ends. */
  async stream<T>(
    signal: AbortSignal,
    push: (text: string) => void,
    run: (remote: Remote<WorkerApi>, call: number) => Promise<Envelope<T>>,
  ): Promise<T> {
    let own = 0;
    try {
      return await this.call(signal, (remote, call) => {
        own = call;
        this.#texts.set(call, push);
        return run(remote, call);
      });
    } finally {
      this.#texts.delete(own);
    }
  }

  stop(): void {
    this.#fail(new TercetError('ERR_STATE', 'the model was disposed of', 'load it again with fromPretrained'));
    this.#remote[releaseProxy]();
    this.#host.close();
    this.#events.close();
    this.#worker.terminate();
  }
}

export class WorkerModel implements Model {
  readonly id: string;
  readonly task: Task;
  readonly device: Device;
  readonly layers: number;
  readonly maxTokens: number;
  readonly downloadedBytes: number;
  readonly labels: readonly string[];
  readonly #worker: PartyWorker;
  #disposed: Promise<void> | undefined;

  private constructor(worker: PartyWorker, info: ModelInfo) {
    this.#worker = worker;
    this.id = info.id;
    this.task = info.task;
    this.device = info.device;
    this.layers = info.layers;
    this.maxTokens = info.maxTokens;
    this.downloadedBytes = info.downloadedBytes;
    this.labels = info.labels;
  }

  static async load(
    id: string,
    options: PretrainedOptions,
    start: () => PartyHome | Promise<PartyHome>,
  ): Promise<WorkerModel> {
    const { progress_callback, onFallback, trace, signal, deployment, page: _, ...rest } = checkPretrained(options);
    const plain: PlainOptions = {
      ...rest,
      trace: trace !== undefined,
      deployment: deployment instanceof URL ? deployment.href : (deployment ?? '../tercet.json'),
    };
    const worker = new PartyWorker(await startWorker(start), (message) => {
      if (message.kind === 'progress') {
        if (message.event.status === 'notice') noticeTo(progress_callback)(message.event.message);
        else progress_callback?.(message.event);
      } else if (message.kind === 'trace') trace?.(message.event);
      else onFallback?.(message.event);
    });
    try {
      const [events, page] = worker.ports;
      const request = {
        id,
        options: plain,
        base: document.baseURI,
        webrtc: typeof RTCPeerConnection === 'function',
        events,
        page,
      };
      return new WorkerModel(
        worker,
        await worker.call(signal, (remote, call) => remote.open(call, transfer(request, [events, page]))),
      );
    } catch (error) {
      worker.stop();
      throw error;
    }
  }

  async check(text: TaskText): Promise<TextCheck> {
    const { problem, ...rest } = await this.#worker.call(undefined, (remote) => remote.check(text));
    return problem === undefined ? rest : { ...rest, problem: typedError(problem) };
  }

  async prepare(length: number, given: PrepareOptions = {}): Promise<void> {
    const { signal, ...options } = checkOptions('prepare', given, OPTIONS.prepare);
    return this.#worker.call(signal, (remote, call) => remote.prepare(call, length, options));
  }

  release(): Promise<void> {
    return this.#worker.call(undefined, (remote) => remote.release());
  }

  async predict(text: string, given: PredictOptions = {}): Promise<PredictResult> {
    const { signal, ...options } = checkOptions('predict', given, OPTIONS.predict);
    return this.#worker.call(signal, (remote, call) => remote.predict(call, text, options));
  }

  async classify(text: string, given: ClassifyOptions = {}): Promise<ClassifyResult> {
    const { signal, ...options } = checkOptions('classify', given, OPTIONS.classify);
    return this.#worker.call(signal, (remote, call) => remote.classify(call, text, options));
  }

  async classifyBatch(texts: readonly string[], given: BatchOptions = {}): Promise<BatchResult> {
    const { signal, ...options } = checkOptions('classifyBatch', given, OPTIONS.classifyBatch);
    return this.#worker.call(signal, (remote, call) => remote.classifyBatch(call, texts, options));
  }

  async answerQuestion(
    input: { readonly question: string; readonly context: string },
    given: AnswerOptions = {},
  ): Promise<AnswerResult> {
    const { signal, ...options } = checkOptions('answerQuestion', given, OPTIONS.answerQuestion);
    return this.#worker.call(signal, (remote, call) => remote.answerQuestion(call, input, options));
  }

  async extractEntities(text: string, given: EntityOptions = {}): Promise<EntitiesResult> {
    const { signal, ...options } = checkOptions('extractEntities', given, OPTIONS.extractEntities);
    return this.#worker.call(signal, (remote, call) => remote.extractEntities(call, text, options));
  }

  async embed(texts: string | readonly string[], given: EmbedOptions = {}): Promise<EmbedResult> {
    const { signal, ...options } = checkOptions('embed', given, OPTIONS.embed);
    return this.#worker.call(signal, (remote, call) => remote.embed(call, texts, options));
  }

  generate(prompt: string, given: GenerateOptions = {}): GenerateStream {
    return generated(async (push, left) => {
      const { signal, ...options } = checkOptions('generate', given, OPTIONS.generate);
      const either = signal === undefined ? left : AbortSignal.any([signal, left]);
      return this.#worker.stream(either, push, (remote, call) => remote.generate(call, prompt, options));
    });
  }

  async health(): Promise<ServersHealth> {
    const [one, two, ...dealer] = await this.#worker.call(undefined, (remote) => remote.health());
    return [typedHealth(one), typedHealth(two), ...dealer.map(typedHealth)];
  }

  dispose(): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    const late = new Promise<void>((resolve) => {
      setTimeout(resolve, DISPOSE_MS);
    });
    await Promise.race([this.#worker.call(undefined, (remote) => remote.dispose()).catch(() => undefined), late]);
    this.#worker.stop();
  }
}

function typedHealth({ error, ...rest }: Plain<PartyHealth, 'error'>): PartyHealth {
  return error === undefined ? rest : { ...rest, error: typedError(error) };
}

async function startWorker(start: () => PartyHome | Promise<PartyHome>): Promise<PartyHome> {
  try {
    return await start();
  } catch (cause) {
    throw new TercetError(
      'ERR_WORKER',
      'the worker of the party could not be started',
      "serve the page's scripts from its own origin, with worker-src 'self'",
      { cause },
    );
  }
}

function stopped(): TercetError {
  return new TercetError(
    'ERR_WORKER',
    'the worker of the party stopped',
    'load the model again; with little memory use a shorter text',
  );
}
