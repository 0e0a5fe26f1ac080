/**
 * Files of a hub in memory, and in the browser's cache where there is one: small files, for data owners. Imports
 * nothing of Node.
 */
import { concatBytes } from '../core/bytes.ts';
import type { HubStore, PartialFile } from './types.ts';

/** As much of the Cache API as is used. */
export interface FileCache {
  match(url: string): Promise<Response | undefined>;
  put(url: string, response: Response): Promise<void>;
}

const ORIGIN = 'https://hub.invalid/';

function partialIn(keep: (bytes: Uint8Array) => Promise<void>): PartialFile {
  let parts: Uint8Array[] = [];
  return {
    size: async () => parts.reduce((sum, part) => sum + part.length, 0),
    async *chunks() {
      yield* parts;
    },
    async append(bytes) {
      parts.push(bytes.slice());
    },
    async restart() {
      parts = [];
    },
    finish: () => keep(concatBytes(parts)),
    release: async () => undefined,
  };
}

/** @param open the browser's cache; absent or failing (an insecure page, a full disk): memory alone. */
export function browserStore(open?: () => Promise<FileCache>): HubStore {
  const files = new Map<string, Uint8Array>();
  let opened: Promise<FileCache | undefined> | undefined;
  const cache = () => {
    opened ??= open === undefined ? Promise.resolve(undefined) : open().catch(() => undefined);
    return opened;
  };
  const address = (...parts: string[]) => ORIGIN + parts.map(encodeURIComponent).join('/');
  const get = async (url: string): Promise<Uint8Array | undefined> => {
    const known = files.get(url);
    if (known !== undefined) return known;
    const stored = await (await cache())?.match(url).catch(() => undefined);
    return stored === undefined ? undefined : new Uint8Array(await stored.arrayBuffer());
  };
  const put = async (url: string, bytes: Uint8Array) => {
    files.set(url, bytes);
    // A cache that is full or forbidden costs the next visit a download, nothing else.
    await (await cache())?.put(url, new Response(bytes.slice())).catch(() => undefined);
  };
  return {
    async commitOf(repository, revision) {
      const bytes = await get(address('refs', repository, revision));
      return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
    },
    remember: (repository, revision, commit) =>
      put(address('refs', repository, revision), new TextEncoder().encode(commit)),
    has: async (repository, commit, file) => (await get(address('files', repository, commit, file))) !== undefined,
    async read(repository, commit, file) {
      return ((await get(address('files', repository, commit, file))) ?? new Uint8Array()).slice();
    },
    partial: async (repository, commit, file) =>
      partialIn((bytes) => put(address('files', repository, commit, file), bytes)),
  };
}
