/**
 * A file of records, each with a tag under a key of this party (HMAC-SHA-256 over its number and its bytes). A record
 * is checked in the memory that it is used from, so nobody can change it in between.
 *
 * The file says nothing of itself: reader and writer know how many records there are and how long each is. So a file
 * of another size, order or key is none.
 */
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { type FileHandle, constants, open, rename, rm } from 'node:fs/promises';
import { isOwn } from './own-files.ts';

const TAG_BYTES = 32;
/** Ends the name of a file that is being written. */
export const DRAFT = '.draft';

/** Size of a file whose records have these lengths. */
export function sealedSize(lengths: Iterable<number>): number {
  let size = 0;
  for (const length of lengths) size += length + TAG_BYTES;
  return size;
}

function tagOf(key: Uint8Array, number: number, record: Uint8Array): Buffer {
  const place = Buffer.alloc(4);
  place.writeUInt32LE(number);
  return createHmac('sha256', key).update(place).update(record).digest();
}

export class SealedReader {
  readonly #file: FileHandle;
  readonly #key: Uint8Array;
  #number = 0;
  #at = 0;

  private constructor(file: FileHandle, key: Uint8Array) {
    this.#file = file;
    this.#key = key;
  }

  /** Undefined unless there is a plain file of this size that only this user can write. */
  static async open(path: string, key: Uint8Array, size: number): Promise<SealedReader | undefined> {
    const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)).catch(() => undefined);
    if (file === undefined) return undefined;
    const found = await file.stat();
    if (found.isFile() && isOwn(found) && found.size === size) return new SealedReader(file, key);
    await file.close();
    return undefined;
  }

  /** The next record, in memory of its own; undefined when it is not what was written. */
  async next(length: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const bytes = new Uint8Array(length + TAG_BYTES);
    try {
      for (let at = 0; at < bytes.length; ) {
        const { bytesRead } = await this.#file.read(bytes, at, Math.min(bytes.length - at, 1 << 30), this.#at + at);
        if (bytesRead === 0) return undefined;
        at += bytesRead;
      }
    } catch {
      return undefined;
    }
    this.#at += bytes.length;
    const record = bytes.subarray(0, length);
    return timingSafeEqual(tagOf(this.#key, this.#number++, record), bytes.subarray(length)) ? record : undefined;
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
  #number = 0;

  private constructor(file: FileHandle, draft: string, path: string, key: Uint8Array) {
    this.#file = file;
    this.#draft = draft;
    this.#path = path;
    this.#key = key;
  }

  static async create(path: string, key: Uint8Array): Promise<SealedWriter | undefined> {
    const draft = `${path}.${randomUUID()}${DRAFT}`;
    const file = await open(draft, 'wx', 0o600).catch(() => undefined);
    return file === undefined ? undefined : new SealedWriter(file, draft, path, key);
  }

  add(record: Uint8Array): Promise<boolean> {
    const tag = tagOf(this.#key, this.#number++, record);
    return this.#try(async () => {
      await this.#file.writeFile(record);
      await this.#file.writeFile(tag);
    });
  }

  /** Puts the file where it belongs, whole. */
  keep(): Promise<boolean> {
    return this.#try(async () => {
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
