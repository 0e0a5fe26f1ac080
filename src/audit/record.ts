/**
 * One line of an audit log: what happened, when, and the hash of the line before. So a line cannot be changed,
 * removed or moved without a trace up to the next signed checkpoint (Schneier and Kelsey, "Secure Audit Logs to
 * Support Computer Forensics", ACM TISSEC 2(2), 1999, section 3, without its encryption).
 *
 * Security: sizes, models, protocols, outcomes and codes; never content, addresses, keys or what names an owner.
 */
import { createHash } from 'node:crypto';
import { fromHex } from '../core/bytes.ts';
import { encodeTranscript } from '../net/wire/transcript.ts';

/** What a log tells of. `configured`: what is served, and under which key, at the start and when it changes. */
export const RECORD_TYPES = [
  'opened',
  'closed',
  'configured',
  'session-begun',
  'session-ended',
  'refused',
  'violation',
  'checkpoint',
  'witnessed',
  'countersigned',
] as const;
/** What a record tells of. */
export type RecordType = (typeof RECORD_TYPES)[number];

/** Facts of a record: words and numbers, one level deep. */
export type Facts = Readonly<Record<string, string | number | boolean>>;

/** A record as it stands in the log. */
export interface AuditRecord {
  /** From 0, without gaps, over all files of a log. */
  readonly sequence: number;
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly type: RecordType;
  readonly facts: Facts;
  /** SHA-256 of the line before, 64 hex digits; zeros before the first. */
  readonly before: string;
}

/** What stands before the first line. */
export const NOTHING_BEFORE = '0'.repeat(64);
/** Longest line, in bytes. */
export const MAX_LINE = 4096;

/** The line of a record, without its end. The order of the names is part of the format. */
export function lineOf({ sequence, time, type, facts, before }: AuditRecord): string {
  return JSON.stringify({ sequence, time, type, facts, before });
}

/** SHA-256 of a line, 64 hex digits. */
export function hashOf(line: string): string {
  return createHash('sha256').update(line, 'utf8').digest('hex');
}

const HASH = /^[0-9a-f]{64}$/;

/** A record from its line; undefined for anything that `lineOf` does not write. */
export function recordOf(line: string): AuditRecord | undefined {
  let record: AuditRecord;
  try {
    record = JSON.parse(line) as AuditRecord;
  } catch {
    return undefined;
  }
  if (typeof record !== 'object' || record === null || !isFacts(record.facts)) return undefined;
  const sound =
    Number.isSafeInteger(record.sequence) &&
    record.sequence >= 0 &&
    typeof record.time === 'string' &&
    (RECORD_TYPES as readonly unknown[]).includes(record.type) &&
    typeof record.before === 'string' &&
    HASH.test(record.before);
  return sound && lineOf(record) === line ? record : undefined;
}

function isFacts(value: unknown): value is Facts {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((fact) => ['string', 'number', 'boolean'].includes(typeof fact));
}

/** The state of a log behind one of its lines: what a checkpoint signs. */
export interface Head {
  readonly sequence: number;
  /** Of the line with that sequence. */
  readonly hash: string;
}

/** The bytes that a party signs for a head of its own log, or, as a witness, for one of the other party. */
export function signedBytes(role: 'own' | 'witness', owner: string, { sequence, hash }: Head): Uint8Array {
  const place = new Uint8Array(8);
  new DataView(place.buffer).setBigUint64(0, BigInt(sequence), true);
  return encodeTranscript('tercet audit head v1', [
    new TextEncoder().encode(role),
    fromHex(owner),
    place,
    fromHex(hash),
  ]);
}
