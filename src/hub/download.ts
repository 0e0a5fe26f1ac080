/**
 * Downloads: taken up where they broke, checked before anybody sees them, pinned to one commit for a whole model.
 * Imports nothing of Node.
 */
import { abortedError, sleep } from '../core/abort.ts';
import { TercetError } from '../core/errors.ts';
import { type ModelFiles, checkFileName } from '../ml/files.ts';
import { hasherFor } from './digest.ts';
import { type HubId, isCommit, parseHubId } from './id.ts';
import {
  Retryable,
  type RemoteFile,
  endpointOf,
  isWebPage,
  locate,
  pinOf,
  pinnedFile,
  refusal,
  request,
  webPage,
} from './remote.ts';
import type { HubOptions, PartialFile } from './types.ts';

const TRIES = 4;
const RETRY_MS = 500;
/** Longest silence in the middle of a file. */
const SILENCE_MS = 30_000;

/** A model on a hub, at one commit. */
export class HubModel {
  readonly id: HubId;
  readonly #options: HubOptions;
  #commit: string | undefined;
  #commitNamed = false;

  private constructor(id: HubId, options: HubOptions) {
    this.id = id;
    this.#options = options;
    this.#commit = isCommit(id.revision) ? id.revision : undefined;
  }

  static open(name: string, options: HubOptions): HubModel {
    return new HubModel(parseHubId(name), options);
  }

  /** What the store knows the model by: the same name on another hub is another model. */
  get key(): string {
    return `${new URL(endpointOf(this.#options)).host}/${this.id.repository}`;
  }

  /** The commit that all files are of; known after the first one where the revision is none. */
  get commit(): string | undefined {
    return this.#commit;
  }

  /**
   * Makes sure that a file is in the store, whole and checked.
   * @returns false when the model has no such file
   * @throws {TercetError} ERR_DOWNLOAD, ERR_INTEGRITY, ERR_ABORTED; ERR_MODEL_NOT_FOUND offline, or when there is
   * no such model
   */
  async ensure(file: string): Promise<boolean> {
    checkFileName(file);
    const { store, offline } = this.#options;
    const { revision } = this.id;
    if (offline === true) {
      this.#commit ??= await store.commitOf(this.key, revision);
      const held = await this.#held(file);
      if (held === 'other') throw this.#otherThanPinned(file);
      return held === 'whole';
    }
    if ((await this.#held(file)) === 'whole') return true;
    try {
      const remote = await this.#retried(() => this.#locate(file));
      if (this.#commit === undefined) {
        this.#commit = remote.commit;
        await store.remember(this.key, revision, remote.commit);
        if ((await this.#held(file)) === 'whole') return true;
      }
      await this.#download(file, remote, this.#commit);
      return true;
    } catch (error) {
      if (error instanceof TercetError && error.code === 'ERR_MODEL_NOT_FOUND') return false;
      throw error;
    }
  }

  async #locate(file: string): Promise<RemoteFile> {
    const pin = pinOf(this.#options.pins, file);
    if (pin !== undefined && this.#commit !== undefined)
      return pinnedFile(this.id, this.#commit, file, pin, this.#options);
    const revision = this.#commit ?? this.id.revision;
    const remote = await locate(this.id, revision, file, this.#options, this.#commitNamed);
    this.#commitNamed ||= remote.commitNamed;
    return remote;
  }

  /** Whether the store has a file; one that is pinned must be what the pin says, whenever it came. */
  async #held(file: string): Promise<'whole' | 'other' | 'absent'> {
    const { store, pins } = this.#options;
    if (this.#commit === undefined || !(await store.has(this.key, this.#commit, file))) return 'absent';
    const pin = pinOf(pins, file);
    if (pin === undefined) return 'whole';
    const bytes = await store.read(this.key, this.#commit, file);
    const hasher = hasherFor({ kind: 'sha256', hex: pin.sha256 }, bytes.length);
    hasher.update(bytes);
    return hasher.matches() ? 'whole' : 'other';
  }

  #otherThanPinned(file: string): TercetError {
    return new TercetError(
      'ERR_INTEGRITY',
      `${file} of ${this.id.repository} in the cache is not the one that is pinned: its hash differs`,
      'check the pin',
    );
  }

  /** Whether a file is there or the hub has it, without fetching it. */
  async offers(file: string): Promise<boolean> {
    if ((await this.#held(checkFileName(file))) === 'whole') return true;
    if (this.#options.offline === true) return this.ensure(file);
    try {
      await this.#retried(() => locate(this.id, this.#commit ?? this.id.revision, file, this.#options));
      return true;
    } catch (error) {
      if (error instanceof TercetError && error.code === 'ERR_MODEL_NOT_FOUND') return false;
      throw error;
    }
  }

  /** The error for a file that is needed and not there. */
  missing(file: string): TercetError {
    if (this.#options.offline === true) {
      return new TercetError(
        'ERR_MODEL_NOT_FOUND',
        `${file} of ${this.id.repository} is not in the cache, and the hub may not be asked`,
        'load it once without offline mode',
      );
    }
    return new TercetError(
      'ERR_MODEL_NOT_FOUND',
      `the hub has no ${file} of ${this.id.repository}, or no such model`,
      'check the name and the revision',
    );
  }

  async #download(file: string, remote: RemoteFile, commit: string): Promise<void> {
    const { store, signal, progress } = this.#options;
    const name = this.id.repository;
    const partial = await store.partial(this.key, commit, file, remote.digest.hex, signal);
    if (partial === undefined) {
      if ((await this.#held(file)) === 'other') throw this.#otherThanPinned(file);
      return;
    }
    progress?.({ status: 'initiate', name, file });
    progress?.({ status: 'download', name, file });
    let at: RemoteFile | undefined = remote;
    try {
      await this.#retried(async () => {
        // Where large files lie is told for a while only, so every further try asks again.
        const from = at ?? (await this.#locate(file));
        at = undefined;
        if (from.digest.hex !== remote.digest.hex)
          throw new TercetError('ERR_INTEGRITY', `${file} of ${name} changed while it was fetched`, 'run again');
        await this.#fetchRest(file, from, partial);
      });
      await partial.finish();
    } finally {
      await partial.release();
    }
    progress?.({ status: 'done', name, file });
  }

  /** Fetches what is missing of a file and checks the whole, as it lies in the store. */
  async #fetchRest(file: string, remote: RemoteFile, partial: PartialFile): Promise<void> {
    const { size, digest } = remote;
    const what = `${file} of ${this.id.repository}`;
    if ((await partial.size()) > size) await partial.restart();
    const resumed = await partial.size();
    let have = resumed;
    try {
      if (have < size) {
        const response = await this.#content(remote, have, what, partial);
        if (have > 0 && response.status !== 206) {
          await partial.restart();
          have = 0;
        }
        have = await this.#receive(response, file, have, size, (bytes) => partial.append(bytes));
      }
      if (have < size)
        throw new Retryable(
          'ERR_DOWNLOAD',
          `${what} broke off after ${have} of ${size} bytes`,
          'run again: it goes on where it stopped',
        );
      const hasher = hasherFor(digest, size);
      for await (const chunk of partial.chunks()) hasher.update(chunk);
      if (!hasher.matches()) throw this.#wrongHash(file, what);
    } catch (error) {
      if (!(error instanceof TercetError) || error.code !== 'ERR_INTEGRITY') throw error;
      // What is wrong must not be taken up again. Where only a part of it came now, the fault may be in what lay
      // here, so it is fetched once more.
      await partial.restart();
      throw resumed === 0 ? error : new Retryable(error.code, error.message, error.hint, { cause: error });
    }
  }

  #wrongHash(file: string, what: string): TercetError {
    return new TercetError(
      'ERR_INTEGRITY',
      pinOf(this.#options.pins, file) === undefined
        ? `${what} is not what the hub says it is: its hash differs`
        : `${what} is not the one that is pinned: its hash differs`,
      'try again; if it stays so, the hub or a proxy changes files, or its ETag is of a kind that this version does not know',
    );
  }

  async #content(remote: RemoteFile, have: number, what: string, partial: PartialFile): Promise<Response> {
    const range = have > 0 ? { range: `bytes=${have}-` } : {};
    const response = await request(remote.url, { method: 'GET', headers: range }, this.#options);
    const { origin, host } = new URL(response.url || remote.url);
    if (origin !== new URL(endpointOf(this.#options)).origin && response.status === 403)
      throw new Retryable(
        'ERR_DOWNLOAD',
        `the address of ${what} was refused`,
        'run again: it goes on where it stopped',
      );
    if (response.status === 416 || (response.status === 206 && !isRest(response, have))) {
      // Asking for the same rest again would get the same answer, now and in every later run.
      await partial.restart();
      throw new Retryable(
        'ERR_DOWNLOAD',
        `the hub does not go on with ${what} where it broke off`,
        'run again: it starts anew; or name another mirror',
      );
    }
    if (!response.ok) throw refusal(response, what, this.#options);
    if (isWebPage(response)) throw webPage(what, host);
    return response;
  }

  async #receive(
    response: Response,
    file: string,
    from: number,
    total: number,
    take: (bytes: Uint8Array) => Promise<void>,
  ): Promise<number> {
    const { progress, signal } = this.#options;
    const name = this.id.repository;
    const reader = response.body?.getReader();
    let loaded = from;
    for (;;) {
      const part = await this.#heard(reader);
      if (signal?.aborted === true) {
        await reader?.cancel().catch(() => undefined);
        throw abortedError();
      }
      // A link that breaks and one that ends early are the same: some is missing.
      if (part?.value === undefined) return loaded;
      loaded += part.value.length;
      if (loaded > total)
        throw new TercetError(
          'ERR_INTEGRITY',
          `${file} of ${name} is longer than the hub says`,
          'try again, or another mirror',
        );
      await take(part.value);
      progress?.({ status: 'progress', name, file, loaded, total, progress: (100 * loaded) / Math.max(1, total) });
    }
  }

  /** The next bytes; nothing when the link broke, or was silent for too long. */
  async #heard(
    reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
  ): Promise<{ readonly value?: Uint8Array | undefined } | undefined> {
    const { silenceMs = SILENCE_MS } = this.#options;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const silent = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), silenceMs);
    });
    const part = await Promise.race([reader?.read().catch(() => undefined), silent]);
    clearTimeout(timer);
    if (part === undefined) reader?.cancel().catch(() => undefined);
    return part;
  }

  async #retried<T>(work: () => Promise<T>): Promise<T> {
    const { retryMs = RETRY_MS, signal } = this.#options;
    for (let left = TRIES - 1; ; left--) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof Retryable) || left === 0) throw error;
        await sleep(Math.max(error.waitMs, retryMs * 2 ** (TRIES - 1 - left)), signal);
      }
    }
  }
}

/** Whether a partial answer is the rest that was asked for. Some proxies leave its range out: then the hash tells. */
function isRest({ headers }: Response, have: number): boolean {
  const range = headers.get('content-range');
  return range === null || Number(/^bytes (\d+)-/.exec(range)?.[1]) === have;
}

/** A model on a hub as files that are fetched when they are read. */
export function hubFiles(name: string, options: HubOptions): ModelFiles {
  const model = HubModel.open(name, options);
  return {
    name,
    has: (file) => model.offers(file),
    async read(file) {
      if (!(await model.ensure(file)) || model.commit === undefined) throw model.missing(file);
      return options.store.read(model.key, model.commit, file);
    },
  };
}
