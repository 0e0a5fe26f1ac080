/** A compute party's audit log, as a program reads and checks it. Node only. */
import { AuditLog, type LogQuery } from '../../audit/log-node.ts';
import { type AuditRecord, RECORD_TYPES, type RecordType } from '../../audit/record.ts';
import { type AuditVerdict, verifyLog } from '../../audit/verify-node.ts';
import { TercetError } from '../../core/errors.ts';
import { isPublicKey } from '../../net/identity/identity.ts';

export type { LogQuery } from '../../audit/log-node.ts';
export type { AuditRecord, Facts, Head, RecordType } from '../../audit/record.ts';
export type { AuditFault, AuditVerdict, ChangedLog, SoundLog } from '../../audit/verify-node.ts';

/** What `AuditLogger.verify` holds a log against. */
export interface AuditCheck {
  /** Whose log it is, as `tercet identity` prints it; several where the party changed its key. */
  readonly identity: string | readonly string[];
  /** Folder of the other party's log, which shows whether this one was cut or forked. Copied before this one. */
  readonly witness?: string;
  /** The other party's identity, or several: whose countersignatures count. */
  readonly witnessIdentity?: string | readonly string[];
}

/**
 * Reads the audit log that `tercet party --audit DIR` keeps. The party alone writes it.
 *
 * @example
 * const auditLogger = new AuditLogger('/var/lib/tercet/audit');
 * for await (const { time, type } of auditLogger.getLogs({ since: '2026-01-01' })) console.log(time, type);
 */
export class AuditLogger {
  readonly #folder: string;

  /**
   * Reads nothing yet.
   * @param folder what the party was given with `--audit`.
   */
  constructor(folder: string) {
    if (typeof folder !== 'string' || folder === '')
      throw usage('the audit log is in a folder', 'give the one of tercet party --audit');
    this.#folder = folder;
  }

  /**
   * Records, oldest first, in memory that does not grow with the log. Lines that are no records are left out; `verify`
   * names them.
   *
   * @param query `since`: only of this time and later; `type`: of one type.
   * @example
   * for await (const { facts } of auditLogger.getLogs({ since: '2026-01-01', type: 'violation' })) console.log(facts);
   *
   * @throws {TercetError} ERR_ARGUMENT for a time or a type that is none, or a folder that cannot be read.
   */
  async *getLogs(query: LogQuery = {}): AsyncGenerator<AuditRecord, void, undefined> {
    const unknown = Object.keys(query).find((name) => name !== 'since' && name !== 'type');
    if (unknown !== undefined) throw usage('getLogs has no option of that name', 'it takes since and type');
    if (query.type !== undefined && !(RECORD_TYPES as readonly RecordType[]).includes(query.type))
      throw usage('the type of a record is not known', `there are ${RECORD_TYPES.join(', ')}`);
    yield* AuditLog.read(this.#folder, query);
  }

  /**
   * Whether the log is as it was written: the first place that was edited, removed, moved, cut or forked.
   *
   * @example
   * const verdict = await auditLogger.verify({ identity: 'ab'.repeat(32) });
   * if (!verdict.sound) console.error(`${verdict.fault} at ${verdict.at}: ${verdict.says}`);
   *
   * @throws {TercetError} ERR_ARGUMENT for an identity that is none, or a folder that cannot be read.
   */
  async verify(check: AuditCheck): Promise<AuditVerdict> {
    const keys = [check.identity, check.witnessIdentity ?? []].flat();
    if (keys.length === 0 || !keys.every((key) => typeof key === 'string' && isPublicKey(key)))
      throw usage('an identity expected 64 lower-case hex digits', 'tercet identity prints them');
    return verifyLog({ folder: this.#folder, ...check });
  }
}

function usage(what: string, hint: string): TercetError {
  return new TercetError('ERR_ARGUMENT', what, hint);
}
