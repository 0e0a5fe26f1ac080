/**
 * A file of records, each with a tag under a key of this party: AES-256-GMAC (NIST SP 800-38D) over the record, with
 * its number as the nonce, under a key of this file alone. That key is derived from the party's by a random salt in
 * front of the records, so no nonce is used twice, and no record of another file has a tag here. A record is checked
 * in the memory that it is used from, so nobody can change it in between.
 *
 * The file says nothing of itself. Reader and writer know how long the first record is. It is written last, and says
 * how long the others are. So a file of another size, order or key is none.
 */
import { createCipheriv, createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { type FileHandle, constants, open, rename, rm } from 'node:fs/promises';
import { invariant } from '../core/errors.ts';
import { isOwn } from './own-files.ts';

/** Changes with the form of these files. Whoever names one by it finds none of another form. */
export const SEAL = 3;

const SALT_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Of one call into the cipher, whose lengths are signed 32-bit numbers. */
const STEP = 1 << 30;
/** Ends the name of a file that is being written. */
export const DRAFT = '.draft';

/** Size of a file whose records have these lengths. */
export function sealedSize(lengths: Iterable<number>): number {
  let size = SALT_BYTES;
  for (const length of lengths) size += length + TAG_BYTES;
  return size;
}

function fileKey(key: Uint8Array, salt: Uint8Array): Uint8Array {
  return createHmac('sha256', key).update('tercet sealed file').update(salt).digest();
}

function tagOf(key: Uint8Array, number: number, record: Uint8Array): Uint8Array {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeUInt32LE(number);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  for (let at = 0; at < record.length; at += STEP) cipher.setAAD(record.subarray(at, at + STEP));
  cipher.final();
  return cipher.getAuthTag();
}

/** Fills `bytes` from a place of a file. False where it ends before. */
async function readAt(file: FileHandle, bytes: Uint8Array, place: number): Promise<boolean> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, at, Math.min(bytes.length - at, STEP), place + at);
    if (bytesRead === 0) return false;
    at += bytesRead;
  }
  return true;
}

/** Writes all of `bytes` to a place of a file. */
async function writeAt(file: FileHandle, bytes: Uint8Array, place: number): Promise<void> {
  for (let at = 0; at < bytes.length; )
    at += (await file.write(bytes, at, Math.min(bytes.length - at, STEP), place + at)).bytesWritten;
}

export class SealedReader {
  /** Of the whole file. */
  readonly size: number;
  readonly #file: FileHandle;
  readonly #key: Uint8Array;
  #number = 0;
  #at = SALT_BYTES;

  private constructor(file: FileHandle, key: Uint8Array, size: number) {
    this.#file = file;
    this.#key = key;
    this.size = size;
  }

  /** Undefined unless there is a plain file that only this user can write. */
  static async open(path: string, key: Uint8Array): Promise<SealedReader | undefined> {
    const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)).catch(() => undefined);
    if (file === undefined) return undefined;
    try {
      const found = await file.stat();
      const salt = new Uint8Array(SALT_BYTES);
      if (found.isFile() && isOwn(found) && (await readAt(file, salt, 0)))
        return new SealedReader(file, fileKey(key, salt), found.size);
    } catch {
      // As a file that is not there.
    }
    await file.close();
    return undefined;
  }

  /**
   * The next record; undefined when it is not what was written.
   * @param into memory of just its length; what it holds is of no use unless the record is returned
   */
  async next<Bytes extends Uint8Array>(into: Bytes): Promise<Bytes | undefined> {
    const tag = new Uint8Array(TAG_BYTES);
    try {
      if (!(await readAt(this.#file, into, this.#at)) || !(await readAt(this.#file, tag, this.#at + into.length)))
        return undefined;
    } catch {
      return undefined;
    }
    this.#at += into.length + TAG_BYTES;
    return timingSafeEqual(tagOf(this.#key, this.#number++, into), tag) ? into : undefined;
  }

  /** Says that the file was of use: the one that is used least goes first. */
  async touch(): Promise<void> {
    const now = new Date();
    await this.#file.utimes(now, now).catch(() => undefined);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** A file that cannot be written is no failure: each step says whether it was done, and drops the rest if not. */
export class SealedWriter {
  readonly #file: FileHandle;
  readonly #draft: string;
  readonly #path: string;
  readonly #key: Uint8Array;
  readonly #salt: Uint8Array;
  readonly #first: number;
  #number = 1;
  #at: number;

  private constructor(file: FileHandle, draft: string, path: string, key: Uint8Array, first: number) {
    this.#file = file;
    this.#draft = draft;
    this.#path = path;
    this.#first = first;
    this.#at = sealedSize([first]);
    this.#salt = randomBytes(SALT_BYTES);
    this.#key = fileKey(key, this.#salt);
  }

  /** @param first bytes of the first record, which `keep` writes */
  static async create(path: string, key: Uint8Array, first: number): Promise<SealedWriter | undefined> {
    const draft = `${path}.${randomUUID()}${DRAFT}`;
    const file = await open(draft, 'wx', 0o600).catch(() => undefined);
    return file === undefined ? undefined : new SealedWriter(file, draft, path, key, first);
  }

  add(record: Uint8Array): Promise<boolean> {
    const at = this.#at;
    this.#at += record.length + TAG_BYTES;
    const tag = tagOf(this.#key, this.#number++, record);
    return this.#try(async () => {
      await writeAt(this.#file, record, at);
      await writeAt(this.#file, tag, at + record.length);
    });
  }

  /** Writes the first record and puts the file where it belongs, whole. */
  keep(first: Uint8Array): Promise<boolean> {
    invariant(first.length === this.#first, 'a first record of another length');
    return this.#try(async () => {
      await writeAt(this.#file, Buffer.concat([this.#salt, first, tagOf(this.#key, 0, first)]), 0);
      await this.#file.close();
      await rename(this.#draft, this.#path);
    });
  }

  async drop(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    await rm(this.#draft, { force: true }).catch(() => undefined);
  }

  async #try(step: () => Promise<void>): Promise<boolean> {
    try {
      await step();
      return true;
    } catch {
      await this.drop();
      return false;
    }
  }
}
