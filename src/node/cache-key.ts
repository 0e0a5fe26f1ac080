/**
 * The key that derived data is sealed with: 32 random bytes in the state folder, beside the party's identity. Whoever
 * can read it could as well be the party. So what carries its tag was written by this party, wherever the cache lies.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { constants, link, mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isOwnFolder } from './own-files.ts';

const FILE = 'cache.key';
const BYTES = 32;

/**
 * The key of this state folder, made if there is none. Processes that come at the same time end with the same one.
 * A key that others may have read or written is replaced: what it sealed is made anew.
 * @returns undefined where there can be none; then nothing is kept
 */
export async function cacheKey(folder: string): Promise<Uint8Array | undefined> {
  const path = join(folder, FILE);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (!(await isOwnFolder(folder))) return undefined;
    const known = await readKey(path);
    if (known !== undefined) return known;
    await rm(path, { force: true });
    const draft = join(folder, `.${FILE}-${randomUUID()}`);
    try {
      await writeFile(draft, randomBytes(BYTES), { flag: 'wx', mode: 0o600, flush: true });
      // A link never replaces a file: the first process wins.
      await link(draft, path).catch(() => undefined);
    } finally {
      await rm(draft, { force: true });
    }
    return await readKey(path);
  } catch {
    return undefined;
  }
}

async function readKey(path: string): Promise<Uint8Array | undefined> {
  const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const { uid, mode, size } = await file.stat();
    const user = process.getuid?.();
    const ours = user === undefined || (uid === user && (mode & 0o077) === 0);
    return ours && size === BYTES ? new Uint8Array(await file.readFile()) : undefined;
  } finally {
    await file.close();
  }
}
