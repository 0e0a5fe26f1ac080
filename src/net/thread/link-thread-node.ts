/**
 * Links to a listening party in a thread of their own: sockets, TLS and frames are its work, and this thread gets whole
 * messages. `connect` and `connectSpare` are `connectTls` and `connectSpare` with the same handshake and errors.
 *
 * SECURITY: credentials and what TLS exports cross between threads of one process; exported bytes are wiped here when
 * their link is over. test/net/link-thread.test.ts.
 */
import { nextTick } from 'node:process';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { TercetError } from '../../core/errors.ts';
import type { ConnectOptions } from '../tls/connect-options.ts';
import type { SpareLink } from '../tls/connect.ts';
import { linkGone } from '../tls/tls-link.ts';
import { type BoundChannel, FramedChannel, type LinkUse } from '../wire/channel.ts';
import { DEFAULT_TIMEOUT_MS } from '../wire/inbox.ts';
import { aborted } from '../tls/tls-errors.ts';
import { type FromThread, type LinkOptions, type ToThread, receivedError } from './messages.ts';
import { serveLinks } from './serve-links.ts';
import { ThreadTransport } from './thread-transport.ts';

/** Tells this thread from any other one that imports this file. */
const ROLE = 'tercet-links';
/** How long `close` waits for links that are closing. */
const LINGER_MS = 2_000;

/** One link in the making, spare, or of a session. */
interface Entry {
  handle(message: FromThread): void;
  /** The thread is gone. */
  fail(error: Error): void;
}

export class LinkThread {
  readonly #entries = new Map<number, Entry>();
  #worker: Worker | undefined;
  #next = 0;
  #idle: () => void = () => undefined;

  /** @throws TercetError as `connectTls` */
  async connect(options: ConnectOptions): Promise<BoundChannel> {
    const id = this.#next++;
    const { signal, ...rest } = options;
    return this.#ask(signal, id, { kind: 'connect', id, options: rest }, (message) =>
      message.kind === 'standing' ? this.#channel(id, message, rest) : undefined,
    );
  }

  /** @throws TercetError as `connectTls` */
  async connectSpare(options: Omit<ConnectOptions, 'session'>): Promise<SpareLink> {
    const id = this.#next++;
    const { signal, ...rest } = options;
    return this.#ask(signal, id, { kind: 'spare', id, options: rest }, (message) =>
      message.kind === 'spare' ? this.#spare(id, rest) : undefined,
    );
  }

  /** Ends the thread, when the links that are closing have closed or after two seconds. */
  async close(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    if (this.#entries.size > 0)
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
        timer = setTimeout(resolve, LINGER_MS);
      });
    clearTimeout(timer);
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  /** Sends a message and settles by its answer: `accept` returns the result of the one that is awaited. */
  #ask<Result>(
    signal: AbortSignal | undefined,
    id: number,
    message: ToThread,
    accept: (answer: FromThread) => Result | undefined,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(aborted());
      const onAbort = (): void => this.#post({ kind: 'abort', id });
      const settle = (): void => signal?.removeEventListener('abort', onAbort);
      const fail = (error: Error): void => {
        settle();
        this.#remove(id);
        reject(error);
      };
      signal?.addEventListener('abort', onAbort);
      this.#set(id, {
        fail,
        handle: (answer) => {
          if (answer.kind === 'failed') return fail(receivedError(answer.error));
          const result = accept(answer);
          if (result === undefined) return;
          settle();
          resolve(result);
        },
      });
      this.#post(message);
    });
  }

  #channel(
    id: number,
    { where, session, exported }: Extract<FromThread, { kind: 'standing' }>,
    { self, peer, recvTimeoutMs, highWaterBytes }: Omit<LinkOptions, 'session'>,
  ): BoundChannel {
    const transport = new ThreadTransport(
      id,
      (message, given) => this.#post(message, given),
      () => this.#remove(id),
      nextTick,
    );
    this.#set(id, transport);
    const timeoutMs = recvTimeoutMs ?? DEFAULT_TIMEOUT_MS;
    const channel = new FramedChannel({ self, peer, session, transport, timeoutMs, highWaterBytes });
    let gone: Error | undefined;
    void channel.ended.then((reason) => {
      gone = reason;
      exported.owner.fill(0);
      exported.k12.fill(0);
    });
    const exportedOf = (use: LinkUse): Uint8Array => {
      if (gone !== undefined) throw linkGone(where, gone);
      return Uint8Array.from(exported[use]);
    };
    return Object.assign(channel, { binding: () => exportedOf('owner'), exported: exportedOf });
  }

  #spare(id: number, options: Omit<LinkOptions, 'session'>): SpareLink {
    let open = true;
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => {
      end = () => {
        open = false;
        resolve();
      };
    });
    const lost = (): void => {
      end();
      this.#remove(id);
    };
    this.#set(id, { handle: ({ kind }) => kind === 'gone' && lost(), fail: lost });
    return {
      get open() {
        return open;
      },
      ended,
      claim: async (session, timeoutMs, signal) => {
        if (!open)
          throw new TercetError(
            'ERR_PEER_CLOSED',
            `the spare link to party ${options.peer} at ${options.host}:${options.port} is gone`,
            'open a new one',
          );
        end();
        return this.#ask(signal, id, { kind: 'claim', id, session: Uint8Array.from(session), timeoutMs }, (message) =>
          message.kind === 'standing' ? this.#channel(id, message, options) : undefined,
        );
      },
      close: () => {
        this.#post({ kind: 'destroy', id });
        lost();
      },
    };
  }

  #post(message: ToThread, given?: ArrayBuffer): void {
    this.#worker?.postMessage(message, given === undefined ? [] : [given]);
  }

  #set(id: number, entry: Entry): void {
    this.#entries.set(id, entry);
    this.#worker ??= this.#start();
    this.#worker.ref();
  }

  /** Links keep the process alive, as sockets do; the thread alone does not. */
  #remove(id: number): void {
    this.#entries.delete(id);
    if (this.#entries.size > 0) return;
    this.#worker?.unref();
    this.#idle();
  }

  #start(): Worker {
    // From source (tests) the types are stripped by what starts kernel threads.
    const source = import.meta.url.endsWith('.ts');
    const entry = source ? '../../compute/kernels/wasm/source-worker.mjs' : import.meta.url;
    const worker = new Worker(new URL(entry, import.meta.url), {
      workerData: ROLE,
      name: ROLE,
      argv: source ? [import.meta.url] : [],
    });
    worker.on('message', (message: FromThread) => this.#entries.get(message.id)?.handle(message));
    const lost = (cause: unknown): void => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      const error = new TercetError('ERR_PEER_CLOSED', 'the thread of the links ended', 'run again', { cause });
      for (const entry of [...this.#entries.values()]) entry.fail(error);
      this.#entries.clear();
    };
    worker.on('error', lost);
    worker.on('messageerror', lost);
    worker.on('exit', (code) => lost(new Error(`exit code ${code}`)));
    return worker;
  }
}

if (!isMainThread && workerData === ROLE && parentPort !== null) {
  const port = parentPort;
  const take = serveLinks((message, transfer = []) => port.postMessage(message, transfer));
  port.on('message', (message: ToThread) => take(message));
}
