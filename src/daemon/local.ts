/**
 * Three parties on one machine: this process is P0 and starts P1 and P2, each a process of its own, linked by
 * mutual TLS on loopback.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { unlessAborted } from '../core/abort.ts';
import { environmentOfParty, withoutSettings } from '../core/environment-node.ts';
import { type ErrorCode, TercetError, kindOf } from '../core/errors.ts';
import { serverWords } from '../net/identity/identity-errors.ts';
import type { ServerId } from '../net/wire/types.ts';
import type { WebAddress } from './web.ts';
import type { Progress } from '../mpc/protocol/frame/engine.ts';

/** Messages of a child to its parent: public facts only. */
export type ChildMessage =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'web'; readonly web: WebAddress }
  | { readonly kind: 'device'; readonly summary: string; readonly fallback?: string | undefined }
  | { readonly kind: 'download'; readonly file: string; readonly percent: number; readonly totalBytes: number }
  | { readonly kind: 'ready' }
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string; readonly hint: string };

type Failed = Extract<ChildMessage, { kind: 'failed' }>;

/**
 * What a process of this user says that it ended with. With a party in it, the error speaks of that process and not
 * of this one.
 */
function failureOf({ code, message, hint }: Failed, party?: ServerId): TercetError {
  return new TercetError(kindOf(code) === undefined ? 'ERR_INTERNAL' : (code as ErrorCode), message, hint, { party });
}

interface LocalParty {
  readonly port: number;
  /** Where browsers reach it, if they do; known once it is ready. */
  readonly web: Promise<WebAddress>;
  /** Resolves when the party has loaded its model. */
  readonly ready: Promise<void>;
  /** Rejects with the party's typed error if it fails at any time. */
  readonly failed: Promise<never>;
}

export interface LocalOptions {
  /** The program that each party runs: the command line, which this layer does not know. */
  readonly entry: string;
  /** Arguments after `party --party-id N`, for both: model, certificates, device and so on. */
  readonly args: (id: 1 | 2) => readonly string[];
  /** Serve sessions until stopped, not only one. */
  readonly stay?: boolean;
  readonly onProgress?: ((party: 1 | 2, progress: Progress) => void) | undefined;
}

const KILL_AFTER_MS = 2_000;

export class LocalParties {
  readonly #children: ChildProcess[] = [];
  readonly #parties: LocalParty[] = [];
  #stopping = false;

  /** Starts P1, then P2 with P1's address. */
  static async start(options: LocalOptions): Promise<LocalParties> {
    const cluster = new LocalParties();
    try {
      const party = (id: 1 | 2, more: readonly string[]) =>
        cluster.#spawn(
          id,
          options.entry,
          [
            'party',
            '--party-id',
            String(id),
            ...(options.stay === true ? [] : ['--once']),
            ...options.args(id),
            ...more,
          ],
          (progress) => options.onProgress?.(id, progress),
        );
      const one = await party(1, []);
      const two = await party(2, ['--peers', `1=127.0.0.1:${one.port}`]);
      cluster.#parties.push(one, two);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** Starts a dealer beside them, and resolves when browsers can reach it. @param args behind `dealer` */
  async startDealer(entry: string, args: readonly string[]): Promise<WebAddress> {
    const dealer = await this.#spawn(3, entry, ['dealer', ...args]);
    this.#parties.push(dealer);
    await dealer.ready;
    return Promise.race([dealer.web, dealer.failed]);
  }

  async ready(): Promise<void> {
    await Promise.all(this.#parties.map((party) => party.ready));
  }

  /** Rejects with the error of the first party that fails. */
  get failed(): Promise<never> {
    return Promise.race(this.#parties.map((party) => party.failed));
  }

  addresses(): [{ host: string; port: number }, { host: string; port: number }] {
    const [one, two] = this.#parties.map(({ port }) => ({ host: '127.0.0.1', port }));
    return [one, two];
  }

  /** Where browsers reach both, when they were started with `--web`. */
  async web(): Promise<[WebAddress, WebAddress]> {
    const [one, two] = await Promise.race([
      Promise.all(this.#parties.slice(0, 2).map((party) => party.web)),
      this.failed,
    ]);
    return [one, two];
  }

  /** Ends both processes and waits until they are gone. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#children.map((child) => ended(child)));
  }

  async #spawn(
    id: ServerId,
    entry: string,
    args: readonly string[],
    onProgress?: (progress: Progress) => void,
  ): Promise<LocalParty> {
    const who = serverWords(id);
    const child = fork(entry, [...args], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: [],
      env: environmentOfParty(process.env),
    });
    this.#children.push(child);
    let fail: (error: unknown) => void = () => undefined;
    const failed = new Promise<never>((_resolve, reject) => {
      fail = reject;
    });
    failed.catch(() => undefined);
    const told = (kind: ChildMessage['kind']) =>
      new Promise<ChildMessage>((resolve) =>
        child.on('message', (message: ChildMessage) => message.kind === kind && resolve(message)),
      );
    child.on('message', (message: ChildMessage) => {
      if (message.kind === 'progress') onProgress?.(message.progress);
      if (message.kind === 'failed') fail(failureOf(message, id));
    });
    child.on('error', (cause) =>
      fail(
        new TercetError('ERR_INTERNAL', `${who} could not be started`, 'check that Node.js can start processes here', {
          cause,
        }),
      ),
    );
    child.on('exit', (code) => {
      if (!this.#stopping && code !== 0)
        fail(
          new TercetError('ERR_PEER_CLOSED', `${who} ended unexpectedly`, 'run again with --debug to see its messages'),
        );
    });
    const web = told('web').then((message) => (message as Extract<ChildMessage, { kind: 'web' }>).web);
    const ready = Promise.race([told('ready').then(() => undefined), failed]);
    ready.catch(() => undefined);
    const listening = await Promise.race([told('listening'), failed]);
    if (listening.kind !== 'listening')
      throw new TercetError('ERR_INTERNAL', `${who} did not say where it listens`, 'run again with --debug');
    return { port: listening.port, web, ready, failed };
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
  await exit;
  clearTimeout(timer);
}

/** Runs the model owner's step, `tercet model share`, in a process of its own. @param entry the command line */
export async function shareInProcess(
  entry: string,
  model: readonly string[],
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const child = fork(entry, ['model', 'share', ...model, '--out', folder], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: [],
    env: withoutSettings(process.env),
  });
  let failure = new TercetError(
    'ERR_INTERNAL',
    'sharing the model ended unexpectedly',
    'check the model with --weights open',
  );
  child.on('message', (message: Failed) => {
    failure = failureOf(message);
  });
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const code = await unlessAborted(signal, exit).catch(async (error: unknown) => {
    await ended(child);
    throw error;
  });
  if (code !== 0) throw failure;
}
