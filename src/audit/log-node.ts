/**
 * The audit log of one compute party: lines that are only ever appended, each on the disk before it is relied on, and
 * a signed checkpoint after every so many. A full disk stops what needs a record, and loses none.
 */
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { fromHex, toHex } from '../core/bytes.ts';
import { TercetError } from '../core/errors.ts';
import { type PartyIdentity, verifySignature } from '../net/identity/identity.ts';
import { fileName, fileNumbers, linesOf, linesOfFile } from './files-node.ts';
import {
  type AuditRecord,
  type Facts,
  type Head,
  NOTHING_BEFORE,
  type RecordType,
  hashOf,
  lineOf,
  recordOf,
  signedBytes,
} from './record.ts';

export interface AuditLogOptions {
  /** Where the files are; made if it is not there, for this user alone. */
  readonly folder: string;
  /** Signs the checkpoints. */
  readonly identity: PartyIdentity;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A file that is longer is followed by another one (default: 64 MB). */
  readonly maxFileBytes?: number;
  /** Records between checkpoints (default: 256). */
  readonly checkpointEvery?: number;
}

/** A checkpoint as parties exchange it: a head, and a signature over it, 128 hex digits. */
export interface Checkpoint extends Head {
  readonly signature: string;
}

interface Waiting {
  readonly type: RecordType;
  readonly facts: Facts;
  readonly time: string;
}

/** Which records to read. */
export interface LogQuery {
  /** Only of this time and later. */
  readonly since?: Date | string | undefined;
  readonly type?: RecordType | undefined;
}

/**
 * A log that is open for writing: by one process, and through one object.
 *
 * @example
 * const log = await AuditLog.open({ folder, identity, now: Date.now });
 * await log.append('session-begun', { model, protocol: '3pc_semi_honest', tokens: 16 });
 * for await (const { time, type } of log.getLogs({ since: '2026-01-01' })) console.log(time, type);
 * await log.close();
 */
export class AuditLog {
  readonly #options: Required<AuditLogOptions>;
  #file: FileHandle;
  #number: number;
  #size: number;
  #head: Head;
  #sinceCheckpoint = 0;
  /** The last head of each other log that this one knows of. */
  readonly #witnessed: Map<string, Head>;
  #identity: PartyIdentity;
  /** Records that the disk did not take yet, in order. */
  readonly #waiting: Waiting[] = [];
  #turn: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(options: Required<AuditLogOptions>, found: Found) {
    this.#options = options;
    this.#file = found.file;
    this.#number = found.number;
    this.#size = found.size;
    this.#head = found.head;
    this.#witnessed = found.witnessed;
    this.#identity = options.identity;
  }

  /**
   * Opens a log behind its last whole line. Bytes behind it are of a record that nobody was told of; they go.
   * @throws {TercetError} ERR_INTEGRITY if the last line is no record; ERR_ARGUMENT for a folder that cannot be used
   */
  static async open(options: AuditLogOptions): Promise<AuditLog> {
    const complete = { maxFileBytes: 64e6, checkpointEvery: 256, ...options };
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    const log = new AuditLog(complete, await lastLine(options.folder));
    await log.append('opened', { identity: options.identity.publicKey });
    return log;
  }

  /** Sequence and hash of the last record. */
  get head(): Head {
    return this.#head;
  }

  /**
   * Resolves when the record is on the disk.
   * @throws {TercetError} ERR_STATE when it cannot be written; what was told to `keep` waits, and is written first
   */
  async append(type: RecordType, facts: Facts): Promise<Head> {
    const record = this.#waits(type, facts);
    try {
      await this.#write();
    } catch (error) {
      const at = this.#waiting.indexOf(record);
      // Written in a turn that failed behind it, for a record that came later or a checkpoint: it is on the disk.
      if (at < 0) return this.#head;
      this.#waiting.splice(at, 1);
      throw error;
    }
    return this.#head;
  }

  /** A record of what has happened already: one that cannot be written now is kept until it can. */
  async keep(type: RecordType, facts: Facts): Promise<void> {
    this.#waits(type, facts);
    await this.#write().catch(() => undefined);
  }

  /** Signs the head, and puts the signature in the log. */
  async checkpoint(): Promise<Checkpoint> {
    const identity = this.#identity;
    let made: Checkpoint | undefined;
    await this.#inTurn(async () => {
      await this.#flush();
      const head = this.#head;
      made = { ...head, signature: toHex(identity.sign(signedBytes('own', identity.publicKey, head))) };
      await this.#put({ type: 'checkpoint', facts: { ...made }, time: this.#time() });
    });
    return made as Checkpoint;
  }

  /**
   * What the other party's checkpoint is answered with: a signature over the same head, and a record of it here, so
   * that neither log can be cut or forked behind it alone.
   *
   * SECURITY: a log only grows. One that is shorter than it was, or has another record where it had one, is a
   * violation: its signed head is kept, and not countersigned. test/audit/exchange.test.ts.
   * @throws {TercetError} ERR_INTEGRITY if the checkpoint is not signed by `owner`, or its log went back; ERR_STATE if
   * no record of it can be written
   */
  async witness(owner: string, { sequence, hash, signature }: Checkpoint): Promise<string> {
    const head = { sequence, hash };
    if (!(await verifySignature(owner, signedBytes('own', owner, head), fromHex(signature))))
      throw new TercetError('ERR_INTEGRITY', 'the checkpoint is not signed by the other party', 'ask its operator');
    const known = this.#witnessed.get(owner);
    if (known !== undefined && (sequence < known.sequence || (sequence === known.sequence && hash !== known.hash))) {
      await this.keep('violation', { code: 'ERR_INTEGRITY', owner, sequence, hash, signature });
      throw new TercetError(
        'ERR_INTEGRITY',
        `the other party's audit log went back behind its record ${known.sequence}`,
        'ask its operator: a log is never cut, and a new one belongs to a new key',
      );
    }
    if (sequence !== known?.sequence) await this.append('witnessed', { owner, sequence, hash, signature });
    this.#witnessed.set(owner, head);
    return toHex(this.#identity.sign(signedBytes('witness', owner, head)));
  }

  /**
   * Keeps the other party's signature over a head of this log.
   * @throws {TercetError} ERR_INTEGRITY if it is not one; ERR_STATE if no record of it can be written
   */
  async countersigned(witness: string, { sequence, hash }: Head, signature: string): Promise<void> {
    const bytes = signedBytes('witness', this.identity, { sequence, hash });
    if (!(await verifySignature(witness, bytes, fromHex(signature))))
      throw new TercetError('ERR_INTEGRITY', 'the checkpoint is not countersigned', 'ask the other operator');
    await this.append('countersigned', { owner: this.identity, witness, sequence, hash, signature });
  }

  /** The public half of the key that signs, 64 hex digits. */
  get identity(): string {
    return this.#identity.publicKey;
  }

  /** From here on another key signs. What is behind is signed by the old one first. */
  async changeKey(identity: PartyIdentity): Promise<void> {
    if (identity.publicKey === this.identity) return;
    await this.checkpoint();
    this.#identity = identity;
  }

  /** Records of the log, oldest first, as they are on the disk. */
  getLogs(query?: LogQuery): AsyncGenerator<AuditRecord> {
    return AuditLog.read(this.#options.folder, query);
  }

  /** The same of a folder, without opening the log. Lines that are no records are left out: `verifyLog` names them. */
  static async *read(folder: string, { since, type }: LogQuery = {}): AsyncGenerator<AuditRecord> {
    const from = since === undefined ? '' : timeOf(since);
    for await (const { text } of linesOf(folder)) {
      const record = recordOf(text);
      if (record === undefined || record.time < from || (type !== undefined && record.type !== type)) continue;
      yield record;
    }
  }

  /** Ends the log with a signed checkpoint. */
  async close(): Promise<void> {
    if (this.#closed) return;
    await this.append('closed', {}).catch(() => undefined);
    await this.checkpoint().catch(() => undefined);
    this.#closed = true;
    await this.#file.close();
  }

  #time(): string {
    return new Date(this.#options.now()).toISOString();
  }

  #waits(type: RecordType, facts: Facts): Waiting {
    const record = { type, facts, time: this.#time() };
    this.#waiting.push(record);
    return record;
  }

  async #write(): Promise<void> {
    await this.#inTurn(() => this.#flush());
    if (this.#sinceCheckpoint >= this.#options.checkpointEvery) await this.checkpoint();
  }

  /** One writer at a time. */
  #inTurn(step: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(step);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #flush(): Promise<void> {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      await this.#put(next);
      this.#waiting.shift();
    }
  }

  async #put({ type, facts, time }: Waiting): Promise<void> {
    if (this.#closed) throw cannotWrite('it was closed');
    const record = { sequence: this.#head.sequence + 1, time, type, facts, before: this.#head.hash };
    const line = lineOf(record);
    const bytes = Buffer.from(`${line}\n`);
    try {
      if ((await this.#file.stat()).size !== this.#size) throw cannotWrite('another process writes it');
      if (this.#size > 0 && this.#size + bytes.length > this.#options.maxFileBytes) await this.#rotate();
      await this.#file.appendFile(bytes);
      await this.#file.datasync();
    } catch (error) {
      // Half a line would make the next one unreadable.
      if (!(error instanceof TercetError)) await this.#file.truncate(this.#size).catch(() => undefined);
      throw error instanceof TercetError ? error : cannotWrite('its disk does not take it', error);
    }
    this.#size += bytes.length;
    this.#head = { sequence: record.sequence, hash: hashOf(line) };
    this.#sinceCheckpoint = type === 'checkpoint' ? 0 : this.#sinceCheckpoint + 1;
  }

  async #rotate(): Promise<void> {
    const next = await open(join(this.#options.folder, fileName(this.#number + 1)), 'ax', 0o600);
    await this.#file.close();
    this.#file = next;
    this.#number += 1;
    this.#size = 0;
  }
}

/** @throws {TercetError} ERR_ARGUMENT */
function timeOf(since: Date | string): string {
  const time = new Date(since);
  if (!Number.isNaN(time.getTime())) return time.toISOString();
  throw new TercetError('ERR_ARGUMENT', 'since expected a time', 'for example 2026-01-31');
}

interface Found {
  readonly witnessed: Map<string, Head>;
  readonly file: FileHandle;
  readonly number: number;
  readonly size: number;
  readonly head: Head;
}

async function lastLine(folder: string): Promise<Found> {
  const numbers = await fileNumbers(folder);
  const number = numbers.at(-1) ?? 0;
  const file = await open(join(folder, fileName(number)), 'a+', 0o600);
  let head: Head = { sequence: -1, hash: NOTHING_BEFORE };
  let size = 0;
  const witnessed = new Map<string, Head>();
  // An empty last file follows one that was full. What was witnessed before both files `verifyLog` alone compares.
  for (const known of numbers.slice(-2)) {
    if (known === number) size = 0;
    for await (const { text, whole } of linesOfFile(folder, fileName(known))) {
      if (!whole) break;
      const record = recordOf(text);
      if (record === undefined) {
        await file.close();
        throw new TercetError(
          'ERR_INTEGRITY',
          'the audit log holds a line that is no record',
          'run tercet audit verify',
        );
      }
      head = { sequence: record.sequence, hash: hashOf(text) };
      const { owner, sequence, hash } = record.facts;
      if (record.type === 'witnessed') witnessed.set(String(owner), { sequence: Number(sequence), hash: String(hash) });
      if (known === number) size += Buffer.byteLength(text) + 1;
    }
  }
  await file.truncate(size);
  return { file, number, size, head, witnessed };
}

function cannotWrite(why: string, cause?: unknown): TercetError {
  return new TercetError(
    'ERR_STATE',
    `the audit log cannot be written: ${why}`,
    'make room on its disk, or move the log; nothing is served without it',
    { cause },
  );
}
