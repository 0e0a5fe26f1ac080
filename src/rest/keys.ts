/**
 * Keys of callers: a file with a name and a hash for each. A key is 32 random bytes, so that one SHA-256 of it tells
 * nobody anything; only who made it has seen it.
 *
 * SECURITY: hashes are compared in constant time, and a key that is not known takes the same steps as one that is.
 * test/rest/keys.test.ts.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Stats, statSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TercetError } from '../core/errors.ts';
import { type Schema, count, hex, list, object, optional, parseJson, textThat } from '../core/json.ts';

/** What is known of a key. */
export interface KeyRecord {
  /** 16 hex digits, a part of the key: it names the key in lists and logs. */
  readonly id: string;
  /** What its operator calls it. */
  readonly name: string;
  /** Of the whole key, 64 hex digits. */
  readonly sha256: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly expires?: number | undefined;
  readonly revoked?: number | undefined;
}

const MAX_KEYS = 1000;
const NAME = /^[\w .@-]{1,64}$/;
const SECONDS = count(2 ** 40);
const FILE = object({
  version: count(1),
  keys: list(
    object({
      id: hex(8),
      name: textThat((text) => NAME.test(text), 'expected a name'),
      sha256: hex(32),
      created: SECONDS,
      expires: optional(SECONDS),
      revoked: optional(SECONDS),
    }) as Schema<KeyRecord>,
    MAX_KEYS,
  ),
});

const KEY = /^tck_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/;
/** How long a change of the file may go unnoticed, in milliseconds. */
const LOOK_MS = 1_000;
/** What a key that nobody knows is compared with. */
const NOBODY = randomBytes(32);

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest();

/** The keys of a running server, which follow their file. */
export class KeyRing {
  readonly #path: string;
  readonly #now: () => number;
  #keys: ReadonlyMap<string, KeyRecord>;
  #lookedAt: number;
  #version: string;

  private constructor(path: string, now: () => number, keys: readonly KeyRecord[], version: string) {
    this.#path = path;
    this.#now = now;
    this.#keys = new Map(keys.map((key) => [key.id, key]));
    this.#lookedAt = now();
    this.#version = version;
  }

  /**
   * @param now milliseconds since 1970
   * @throws {TercetError} ERR_ARGUMENT, ERR_INSECURE for a file that others can read, ERR_INTEGRITY
   */
  static async open(path: string, now: () => number = Date.now): Promise<KeyRing> {
    const version = versionOf(path);
    return new KeyRing(path, now, await readKeys(path), version);
  }

  /** Keys that open something now. */
  get valid(): number {
    return [...this.#keys.values()].filter((key) => isValid(key, this.#now() / 1000)).length;
  }

  /** Which key a header shows; undefined for none that is valid. */
  async check(authorization: string | undefined): Promise<KeyRecord | undefined> {
    await this.#follow();
    const [, shown = ''] = /^Bearer (\S{1,200})$/.exec(authorization ?? '') ?? [];
    const known = this.#keys.get(KEY.exec(shown)?.[1] ?? '');
    const same = timingSafeEqual(sha256(shown), known === undefined ? NOBODY : Buffer.from(known.sha256, 'hex'));
    return same && known !== undefined && isValid(known, this.#now() / 1000) ? known : undefined;
  }

  /** A file that cannot be read any more opens nothing: who revokes a key by removing the file means it. */
  async #follow(): Promise<void> {
    if (this.#now() - this.#lookedAt < LOOK_MS) return;
    this.#lookedAt = this.#now();
    const version = versionOf(this.#path);
    if (version === this.#version) return;
    const keys = await readKeys(this.#path).catch(() => []);
    this.#version = version;
    this.#keys = new Map(keys.map((key) => [key.id, key]));
  }
}

function isValid({ expires, revoked }: KeyRecord, seconds: number): boolean {
  return revoked === undefined && (expires === undefined || seconds < expires);
}

/** Changes whenever the file does; its number too, as it is replaced by another file. */
function versionOf(path: string): string {
  try {
    const { mtimeMs, ino, size }: Stats = statSync(path);
    return `${mtimeMs} ${ino} ${size}`;
  } catch {
    return 'none';
  }
}

/** @throws {TercetError} as `KeyRing.open` */
export async function readKeys(path: string): Promise<readonly KeyRecord[]> {
  let text: string;
  try {
    const { mode } = await stat(path);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0)
      throw new TercetError('ERR_INSECURE', 'the file of keys can be read by others', `run chmod 600 on it`);
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof TercetError) throw cause;
    throw new TercetError('ERR_ARGUMENT', 'the file of keys cannot be read', 'make one with tercet key create', {
      cause,
    });
  }
  return parseJson(FILE, text, { code: 'ERR_INTEGRITY', what: 'the file of keys', hint: 'make a new one' }).keys;
}

/** Makes a key. Returns it once: only its hash is kept. @param expires seconds since 1970 */
export async function createKey(
  path: string,
  { name, expires }: { readonly name: string; readonly expires?: number | undefined },
  now = Date.now(),
): Promise<{ readonly key: string; readonly record: KeyRecord }> {
  if (!NAME.test(name))
    throw new TercetError('ERR_ARGUMENT', 'the name of a key is 1 to 64 letters, digits and " .@-_"', 'choose another');
  const id = randomBytes(8).toString('hex');
  const key = `tck_${id}_${randomBytes(32).toString('base64url')}`;
  const record: KeyRecord = {
    id,
    name,
    sha256: sha256(key).toString('hex'),
    created: Math.floor(now / 1000),
    expires,
  };
  await change(path, (keys) => {
    if (keys.length >= MAX_KEYS)
      throw new TercetError('ERR_STATE', `there are ${MAX_KEYS} keys`, 'remove revoked ones from the file');
    return [...keys, record];
  });
  return { key, record };
}

/** @throws {TercetError} ERR_ARGUMENT for an id that there is not */
export async function revokeKey(path: string, id: string, now = Date.now()): Promise<void> {
  await change(path, (keys) => {
    if (!keys.some((key) => key.id === id))
      throw new TercetError('ERR_ARGUMENT', 'there is no key with that id', 'tercet key list has them');
    return keys.map((key) => (key.id === id ? { revoked: Math.floor(now / 1000), ...key } : key));
  });
}

/** One writer at a time, and never half a file. */
async function change(path: string, edit: (keys: readonly KeyRecord[]) => readonly KeyRecord[]): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const next = `${path}.next`;
  const file = await open(next, 'wx', 0o600).catch((cause: unknown) => {
    throw new TercetError(
      'ERR_STATE',
      'another command changes the keys',
      `try again; if none does, remove the file that ends in .next`,
      { cause },
    );
  });
  await file.close();
  try {
    const keys = edit(versionOf(path) === 'none' ? [] : await readKeys(path));
    await writeFile(next, `${JSON.stringify({ version: 1, keys }, null, 1)}\n`);
    await rename(next, path);
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  }
}
