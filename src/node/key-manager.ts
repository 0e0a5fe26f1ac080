/**
 * The keys of this user's parties: which there are, changing an identity by overlap, a backup in the age format, and
 * what is open to others (docs/adr/0048-keys-change-by-overlap.md).
 *
 * Security: nothing here prints a key or puts one into an error. A backup is encrypted by the age library before it
 * reaches the disk.
 */
import { X509Certificate } from 'node:crypto';
import { link, lstat, mkdir, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TercetError } from '../core/errors.ts';
import { type Schema, list, object, oneOf, parseJson, textThat } from '../core/json.ts';
import { ensureIdentity, ensureNextIdentity, identityPath } from '../net/identity/identity-node.ts';

/**
 * A key or a certificate in the folder; never its secret.
 *
 * @example
 * for (const { file, kind, ends } of await keyManager.list()) console.log(file, kind, ends);
 */
export interface KeyEntry {
  /** Below the folder. */
  readonly file: string;
  readonly kind: 'identity' | 'certificate' | 'key';
  /** Of an identity: its public half. */
  readonly publicKey?: string | undefined;
  /** Of a certificate: when it ends. */
  readonly ends?: Date | undefined;
}

/**
 * What a backup is made for.
 *
 * @example
 * await keyManager.backupKeys('keys.age', { recipient: 'age1…' });
 */
export type BackupFor = { readonly passphrase: string } | { readonly recipient: string };
/**
 * What opens a backup: the passphrase, or an age identity.
 *
 * @example
 * await keyManager.restoreKeys('keys.age', { identity: 'AGE-SECRET-KEY-1…' });
 */
export type BackupOpens = { readonly passphrase: string } | { readonly identity: string };

const PARTIES = [1, 2, 3] as const;
const MAX_FILE = 1_000_000;
const MAX_FILES = 500;
/** Below the folder, without a way out of it. */
const PLACE = /^(?!.*\.\.)[\w][\w.@-]{0,100}(\/[\w][\w.@-]{0,100}){0,3}$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const BACKUP = object({
  version: oneOf([1]),
  files: list(
    object({
      name: textThat((name) => PLACE.test(name), 'expected a name'),
      base64: textThat((text) => text.length <= 2 * MAX_FILE && BASE64.test(text), 'expected base64'),
    }),
    MAX_FILES,
    1,
  ),
}) as Schema<{ readonly files: readonly { readonly name: string; readonly base64: string }[] }>;
/** A certificate that ends sooner is one to renew. */
const RENEW_MS = 30 * 86_400_000;

/**
 * Keys of parties in a folder (Node). `tercet keys` is the same as a command. Keys of encryption are not here: every
 * session agrees on fresh ones.
 *
 * @example
 * const keyManager = new KeyManager('/var/lib/tercet/keys');
 * const { current, next } = await keyManager.rotateSigningKeys(1);
 * // Deployments and the other party accept `current+next@TIME` first; then:
 * await keyManager.promote(1);
 * await keyManager.backupKeys('keys.age', { recipient: 'age1…' });
 */
export class KeyManager {
  readonly #folder: string;

  /** @param folder as of `--certificates` */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * What there is.
   *
   * @example
   * for (const { file, publicKey } of await keyManager.list()) console.log(file, publicKey);
   *
   * @throws {TercetError} ERR_INSECURE as `check`
   */
  async list(): Promise<readonly KeyEntry[]> {
    await this.check();
    const entries: KeyEntry[] = [];
    for (const file of await this.#files()) {
      if (file.endsWith('.pem')) entries.push({ file, kind: 'certificate', ends: await this.#ends(file) });
      else if (file.endsWith('.key')) entries.push({ file, kind: 'key' });
    }
    return Promise.all(
      entries.map(async (entry) => {
        const publicKey = await this.#publicKey(entry.file);
        return publicKey === undefined ? entry : { ...entry, kind: 'identity' as const, publicKey };
      }),
    );
  }

  /**
   * Refuses a folder with a secret that others can read.
   *
   * @example
   * await keyManager.check();
   *
   * @throws {TercetError} ERR_INSECURE, with the command that mends it
   */
  async check(): Promise<void> {
    for (const file of await this.#files()) {
      if (!isSecret(file) || process.platform === 'win32') continue;
      const { mode } = await stat(join(this.#folder, file));
      if ((mode & 0o077) !== 0)
        throw new TercetError(
          'ERR_INSECURE',
          `${join(this.#folder, file)} can be read by other users`,
          `chmod 600 ${join(this.#folder, file)}; if somebody may have read it, change the key (tercet keys rotate)`,
        );
    }
  }

  /**
   * Certificates that end within thirty days.
   *
   * @example
   * for (const { file, ends } of await keyManager.ending(new Date())) console.log(file, ends);
   *
   * @throws {TercetError} ERR_INSECURE as `check`
   */
  async ending(now: Date): Promise<readonly KeyEntry[]> {
    return (await this.list()).filter(({ ends }) => ends !== undefined && ends.getTime() - now.getTime() < RENEW_MS);
  }

  /**
   * Makes the identity that follows. Nothing changes for the party yet. A second call gives the same.
   *
   * @example
   * const { current, next } = await keyManager.rotateSigningKeys(1);
   *
   * @throws {TercetError} ERR_IDENTITY_KEY for a key that is damaged or that others can read
   */
  async rotateSigningKeys(party: 1 | 2 | 3): Promise<{ readonly current: string; readonly next: string }> {
    const current = await ensureIdentity(this.#folder, party);
    const next = await ensureNextIdentity(this.#folder, party);
    const made = { current: current.publicKey, next: next.publicKey };
    for (const identity of [current, next]) identity.wipe();
    return made;
  }

  /**
   * The identity that follows takes its place: the party proves it when it reads its files again (SIGHUP) or starts.
   *
   * @example
   * await keyManager.promote(1);
   *
   * @throws {TercetError} ERR_STATE if there is none
   */
  async promote(party: 1 | 2 | 3): Promise<{ readonly current: string }> {
    const at = (stage: 'current' | 'next' | 'old') => identityPath(this.#folder, party, stage);
    if (!(await there(at('next'))))
      throw new TercetError('ERR_STATE', 'no identity follows that of this party', 'tercet keys rotate makes one');
    if (await there(at('old')))
      throw new TercetError('ERR_STATE', 'the identity before this one is still here', 'tercet keys revoke ends it');
    // At no moment is there no current one: a party that started then would make itself a stranger's.
    await link(at('current'), at('old'));
    await rename(at('next'), at('current'));
    const identity = await ensureIdentity(this.#folder, party);
    identity.wipe();
    return { current: identity.publicKey };
  }

  /**
   * Destroys the identity that was replaced. Who still accepts it has to stop by itself: deployments, the other party.
   *
   * @example
   * await keyManager.revoke(1);
   *
   * @throws {TercetError} ERR_STATE if there is none
   */
  async revoke(party: 1 | 2 | 3): Promise<void> {
    const path = identityPath(this.#folder, party, 'old');
    if (!(await there(path)))
      throw new TercetError(
        'ERR_STATE',
        'there is no identity that was replaced',
        'tercet keys list shows what there is',
      );
    await rm(path);
  }

  /**
   * Writes every file of the folder into one file in the age format (age-encryption.org/v1). Never over a file, and
   * all files or none.
   *
   * @example
   * await keyManager.backupKeys('/secure/backup/keys.age', { recipient: 'age1…' });
   *
   * @throws {TercetError} ERR_ARGUMENT for a recipient that is none, a path that cannot be written, or a file that a
   * backup does not take
   */
  async backupKeys(path: string, opens: BackupFor): Promise<{ readonly files: number }> {
    await this.check();
    const names = await this.#files();
    for (const file of names) {
      if (!PLACE.test(file)) throw left(file, 'has a name that no backup takes');
      if ((await lstat(join(this.#folder, file))).size > MAX_FILE) throw left(file, 'is too large for a key');
    }
    const files = await Promise.all(
      names.map(async (name) => ({ name, base64: (await readFile(join(this.#folder, name))).toString('base64') })),
    );
    const { Encrypter } = await import('age-encryption');
    const encrypter = new Encrypter();
    try {
      if ('passphrase' in opens) encrypter.setPassphrase(checkPassphrase(opens.passphrase));
      else encrypter.addRecipient(opens.recipient);
    } catch (cause) {
      if (cause instanceof TercetError) throw cause;
      throw new TercetError('ERR_ARGUMENT', 'the recipient of the backup is none', 'give age1…, as age-keygen prints', {
        cause,
      });
    }
    const bytes = await encrypter.encrypt(JSON.stringify({ version: 1, files }));
    await written(path, bytes);
    return { files: files.length };
  }

  /**
   * Puts the files of a backup where they belong. It overwrites nothing: a file that is there stops it at once.
   *
   * @example
   * await keyManager.restoreKeys('/secure/backup/keys.age', { identity: 'AGE-SECRET-KEY-1…' });
   *
   * @throws {TercetError} ERR_ARGUMENT for a backup that this does not open, ERR_STATE where a file is there already,
   * ERR_INTEGRITY for one that is no backup
   */
  async restoreKeys(path: string, opens: BackupOpens): Promise<{ readonly files: number }> {
    const { Decrypter } = await import('age-encryption');
    const decrypter = new Decrypter();
    let text: string;
    try {
      if ('passphrase' in opens) decrypter.addPassphrase(opens.passphrase);
      else decrypter.addIdentity(opens.identity);
      text = await decrypter.decrypt(await readFile(path), 'text');
    } catch {
      // The library's own error may name what it was given.
      throw new TercetError(
        'ERR_ARGUMENT',
        'that does not open this backup',
        'give the passphrase or the age identity that it was made for',
      );
    }
    const { files } = parseJson(BACKUP, text, { code: 'ERR_INTEGRITY', what: 'the backup', hint: 'take another one' });
    for (const { name } of files)
      if (await there(join(this.#folder, name)))
        throw new TercetError('ERR_STATE', `${name} is there already`, 'restore into an empty folder');
    for (const { name, base64 } of files) {
      const to = join(this.#folder, name);
      await mkdir(dirname(to), { recursive: true, mode: 0o700 });
      await written(to, Buffer.from(base64, 'base64'));
    }
    return { files: files.length };
  }

  /** Plain files below the folder, by name. */
  async #files(below = ''): Promise<readonly string[]> {
    const found = await readdir(join(this.#folder, below), { withFileTypes: true }).catch((cause: unknown) => {
      throw new TercetError('ERR_ARGUMENT', 'the folder of keys cannot be read', 'check --certificates', { cause });
    });
    const files: string[] = [];
    for (const entry of found.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const name = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) files.push(...(await this.#files(name)));
      else if (entry.isFile()) files.push(name);
      if (files.length > MAX_FILES) throw left('the folder', `has more than ${MAX_FILES} files`);
    }
    return files;
  }

  async #ends(file: string): Promise<Date | undefined> {
    try {
      return new Date(new X509Certificate(await readFile(join(this.#folder, file))).validTo);
    } catch {
      return undefined;
    }
  }

  async #publicKey(file: string): Promise<string | undefined> {
    for (const party of PARTIES) {
      if (file === identityPath('', party)) return (await ensureIdentity(this.#folder, party)).publicKey;
      if (file === identityPath('', party, 'next')) return (await ensureNextIdentity(this.#folder, party)).publicKey;
    }
    return undefined;
  }
}

/** Certificates and requests are public; whatever else lies here is taken for a secret. */
const isSecret = (file: string) => !/\.(pem|csr)$/.test(file);

/** Nothing is left out in silence: of a backup it would be missed when it is too late. */
const left = (name: string, why: string): TercetError =>
  new TercetError('ERR_ARGUMENT', `${name} ${why}`, 'keep what is no key in another folder');

const there = (path: string) =>
  lstat(path).then(
    () => true,
    () => false,
  );

/** A backup leaves this machine: a short word would be guessed. */
function checkPassphrase(passphrase: string): string {
  if (passphrase.length < 12)
    throw new TercetError('ERR_ARGUMENT', 'the passphrase has fewer than 12 characters', 'take several random words');
  return passphrase;
}

async function written(path: string, bytes: Uint8Array): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new TercetError('ERR_ARGUMENT', 'a file cannot be written, or is there already', 'choose another path', {
      cause,
    });
  }
}
