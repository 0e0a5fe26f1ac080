/**
 * Files of a hub on disk: `<cache>/<host>/<org>--<name>/<commit>/<file>`, each put there whole by a rename; what is
 * on its way lies beside, and one process at a time adds to it.
 */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { abortedError, sleep } from '../core/abort.ts';
import { TercetError } from '../core/errors.ts';
import type { HubStore, PartialFile } from './types.ts';

const POLL_MS = 100;
const EMPTY_LOCK_MS = 5_000;

export interface DiskStore extends HubStore {
  /** The folder of a model at a commit. */
  folder(repository: string, commit: string): string;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** Whether the process that holds a lock is still there; a lock that says nothing is held by one that just begins. */
async function held(lock: string): Promise<boolean> {
  const text = await readFile(lock, 'utf8').catch(() => undefined);
  if (text === undefined) return false;
  const pid = Number(text);
  // One that says nothing was just made, or left by a process that ended right then.
  if (!Number.isInteger(pid) || pid <= 0)
    return (
      Date.now() -
        (await stat(lock).then(
          ({ mtimeMs }) => mtimeMs,
          () => 0,
        )) <
      EMPTY_LOCK_MS
    );
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user is there all the same.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function take(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function partialAt(path: string, lock: string, target: string): Promise<PartialFile> {
  let handle: FileHandle | undefined = await open(path, 'a', 0o600);
  const close = async () => {
    await handle?.close();
    handle = undefined;
  };
  return {
    size: async () => (await stat(path)).size,
    chunks: () => createReadStream(path),
    async append(bytes) {
      await handle?.appendFile(bytes);
    },
    async restart() {
      await handle?.truncate(0);
    },
    async finish() {
      await handle?.sync();
      await close();
      await rename(path, target);
    },
    async release() {
      await close();
      await rm(lock, { force: true });
    },
  };
}

/** @param root made when it is not there, readable by its user only. */
export function diskStore(root: string): DiskStore {
  const model = (key: string) => {
    const [host, ...parts] = key.split('/');
    return join(root, host.replaceAll(/[^\w.-]/g, '_'), parts.join('--'));
  };
  const folder = (repository: string, commit: string) => join(model(repository), commit);
  // A revision may have slashes, and then must not become the folder of another one.
  const ref = (repository: string, revision: string) => join(model(repository), 'refs', encodeURIComponent(revision));
  const at = (repository: string, commit: string, file: string) => join(folder(repository, commit), file);
  const within = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof TercetError) throw cause;
      throw new TercetError(
        'ERR_DOWNLOAD',
        'the cache of the hub cannot be written',
        'free some space, or name another folder with TERCET_CACHE',
        { cause },
      );
    }
  };
  return {
    folder,
    commitOf: (repository, revision) =>
      readFile(ref(repository, revision), 'utf8').then(
        (commit) => commit.trim(),
        () => undefined,
      ),
    remember: (repository, revision, commit) =>
      within(async () => {
        const path = ref(repository, revision);
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        const own = `${path}.${randomUUID()}`;
        await writeFile(own, commit, { mode: 0o600 });
        await rename(own, path);
      }),
    has: (repository, commit, file) => exists(at(repository, commit, file)),
    async read(repository, commit, file) {
      const bytes = await readFile(at(repository, commit, file));
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    partial: (repository, commit, file, etag, signal) =>
      within(async () => {
        const target = at(repository, commit, file);
        const path = join(model(repository), 'partial', `${file.replaceAll('/', '--')}.${etag}`);
        const lock = `${path}.lock`;
        await mkdir(dirname(target), { recursive: true, mode: 0o700 });
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        while (!(await take(lock))) {
          if (signal?.aborted === true) throw abortedError();
          if (!(await held(lock))) await rm(lock, { force: true });
          else await sleep(POLL_MS);
        }
        if (await exists(target)) {
          await rm(lock, { force: true });
          return undefined;
        }
        return partialAt(path, lock, target);
      }),
  };
}
