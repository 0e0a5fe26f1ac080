/** What a hub's files are kept in, and how a load from a hub is asked for. Imports nothing of Node. */

/** How far the files of a model are: events of transformers.js. `progress` is in percent, the others are bytes. */
export type HubProgress =
  | { readonly status: 'initiate' | 'download' | 'done'; readonly name: string; readonly file: string }
  | {
      readonly status: 'progress';
      readonly name: string;
      readonly file: string;
      readonly progress: number;
      readonly loaded: number;
      readonly total: number;
    };

/** A file on its way: what has come of it stays when a link breaks. */
export interface PartialFile {
  /** Bytes that are there. */
  size(): Promise<number>;
  /** The bytes that are there, in order, to be hashed again. */
  chunks(): AsyncIterable<Uint8Array>;
  append(bytes: Uint8Array): Promise<void>;
  /** Throws away what is there. */
  restart(): Promise<void>;
  /** Makes it the file, whole, for everybody to see. */
  finish(): Promise<void>;
  /** Lets go of it: what is there stays for the next try. */
  release(): Promise<void>;
}

/** Where finished files are kept, by the hub's host with the repository, and by commit. */
export interface HubStore {
  /** The commit that a revision meant when it was last seen. */
  commitOf(repository: string, revision: string): Promise<string | undefined>;
  remember(repository: string, revision: string, commit: string): Promise<void>;
  has(repository: string, commit: string, file: string): Promise<boolean>;
  read(repository: string, commit: string, file: string): Promise<Uint8Array>;
  /**
   * Begins, or takes up, a download. Where others share the store one at a time: a second caller waits, and gets
   * undefined when the file is there meanwhile.
   */
  partial(
    repository: string,
    commit: string,
    file: string,
    etag: string,
    signal: AbortSignal | undefined,
  ): Promise<PartialFile | undefined>;
}

/** What a file must be. */
export interface Pin {
  /** 64 hex digits. */
  readonly sha256: string;
  readonly bytes: number;
}

export interface HubOptions {
  readonly store: HubStore;
  fetch(url: string, init?: RequestInit): Promise<Response>;
  /** Base of the hub or of a mirror. */
  readonly endpoint?: string | undefined;
  /** For gated and private models. Sent to the endpoint's own origin only. */
  readonly token?: string | undefined;
  /** Nothing is fetched: what is not in the store is an error. */
  readonly offline?: boolean | undefined;
  /**
   * Files that must be these and no others. One that is pinned, of a whole commit, is fetched without asking the
   * hub about it first.
   */
  readonly pins?: Readonly<Record<string, Pin>> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((event: HubProgress) => void) | undefined;
  /** First wait before a broken download is taken up again (default 500 ms); each further one is twice as long. */
  readonly retryMs?: number | undefined;
  /** Longest silence in the middle of a file (default 30 s). */
  readonly silenceMs?: number | undefined;
}

export const DEFAULT_ENDPOINT = 'https://huggingface.co';
