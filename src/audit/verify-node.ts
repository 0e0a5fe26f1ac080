/**
 * Reads a log from its first line and names the first place that is not as it was written: edited, removed, moved,
 * cut, or another history than the one that was signed or witnessed.
 */
import { fromHex } from '../core/bytes.ts';
import { isPublicKey, verifySignature } from '../net/identity/identity.ts';
import { type Line, linesOf } from './files-node.ts';
import { type AuditRecord, type Head, NOTHING_BEFORE, hashOf, recordOf, signedBytes } from './record.ts';

/** What was done to a log. */
export type AuditFault = 'edited' | 'removed' | 'moved' | 'cut' | 'forked' | 'signature';

/** A log that is as it was written. */
export interface SoundLog {
  /** True. */
  readonly sound: true;
  /** How many there are. */
  readonly records: number;
  /** Records up to the last checkpoint; what is behind it is held by the chain alone. */
  readonly signed: number;
  /** Records up to the last that a party of `witnessIdentity` countersigned; 0 where none was named. */
  readonly countersigned: number;
  /** The last record: its sequence, and its hash. */
  readonly head: Head;
}

/** A log that is not. */
export interface ChangedLog {
  /** False. */
  readonly sound: false;
  /** What was done to it. */
  readonly fault: AuditFault;
  /** The file and its line, or the folder. */
  readonly at: string;
  /** What is wrong there, in words. */
  readonly says: string;
}

/** Whether a log is as it was written, and if not, where. */
export type AuditVerdict = SoundLog | ChangedLog;

export interface VerifyOptions {
  readonly folder: string;
  /** Whose log it is: 64 hex digits, or several where the party changed its key. */
  readonly identity: string | readonly string[];
  /** Folder of the other party's log: what it witnessed of this one must be in it. */
  readonly witness?: string | undefined;
  /** The other party's key, or several: whose countersignatures count. */
  readonly witnessIdentity?: string | readonly string[] | undefined;
}

/**
 * Checks the log of a folder, and of another party's folder what it says of this one.
 *
 * @example
 * const verdict = await verifyLog({ folder: 'audit', identity });
 * if (!verdict.sound) console.error(`${verdict.at}: ${verdict.says}`);
 */
export async function verifyLog({ folder, witness, ...options }: VerifyOptions): Promise<AuditVerdict> {
  const identities = [options.identity].flat();
  const witnesses = [options.witnessIdentity ?? []].flat();
  const witnessed = witness === undefined ? new Map<number, Set<string>>() : await headsWitnessed(witness, identities);
  const beyond = Math.max(-1, ...witnessed.keys());
  /** Heads that were signed, by their sequence. */
  const checkpoints = new Map<number, string>();
  let head: Head = { sequence: -1, hash: NOTHING_BEFORE };
  let last: Line | undefined;
  let [signed, countersigned] = [0, 0];
  for await (const line of linesOf(folder)) {
    const record = recordOf(line.text);
    if (!line.whole || record === undefined) return fault('edited', line, 'the line is no record');
    const wrong = outOfPlace(record, head, line, last);
    if (wrong !== undefined) return wrong;
    if (record.type === 'checkpoint') {
      if (!(await signs(identities, record, head)))
        return fault('signature', line, `the signature does not hold for records 0 to ${head.sequence}`);
      signed = record.sequence + 1;
      checkpoints.set(head.sequence, head.hash);
    }
    if (record.type === 'countersigned') {
      const { sequence, hash } = headOf(record);
      if (checkpoints.get(sequence) !== hash || !(await isCountersigned(identities, record)))
        return fault('signature', line, 'what is countersigned is no checkpoint of this log');
      // Behind the last that the other log tells of there may be one that was written since it was copied.
      if (witness !== undefined && sequence < beyond && !witnessed.has(sequence))
        return fault(
          'forked',
          line,
          `the other party countersigned record ${sequence}, and its log does not tell of it`,
        );
      if (witnesses.includes(String(record.facts['witness']))) countersigned = sequence + 1;
    }
    head = { sequence: record.sequence, hash: hashOf(line.text) };
    last = line;
    const known = witnessed.get(head.sequence);
    if (known !== undefined && [...known].some((hash) => hash !== head.hash))
      return fault('forked', line, `the other party witnessed another record ${head.sequence}`);
  }
  if (beyond > head.sequence)
    return {
      sound: false,
      fault: 'cut',
      at: last === undefined ? folder : place(last),
      says: `the log ends at record ${head.sequence}, and the other party witnessed record ${beyond}`,
    };
  return { sound: true, records: head.sequence + 1, signed, countersigned, head };
}

function outOfPlace(record: AuditRecord, head: Head, line: Line, last: Line | undefined): AuditVerdict | undefined {
  const expected = head.sequence + 1;
  if (record.sequence > expected)
    return fault('removed', line, `records ${expected} to ${record.sequence - 1} are not before it`);
  if (record.sequence < expected)
    return fault('moved', line, `record ${record.sequence} stands behind ${head.sequence}`);
  if (record.before === head.hash) return undefined;
  return fault(
    'edited',
    last ?? line,
    `record ${Math.max(0, head.sequence)} is not the one that record ${record.sequence} follows`,
  );
}

function headOf({ facts }: AuditRecord): Head {
  return { sequence: Number(facts['sequence']), hash: String(facts['hash']) };
}

async function isCountersigned(identities: readonly string[], record: AuditRecord): Promise<boolean> {
  const [owner, witness] = [String(record.facts['owner']), String(record.facts['witness'])];
  const bytes = () => signedBytes('witness', owner, headOf(record));
  return (
    identities.includes(owner) &&
    isPublicKey(witness) &&
    (await verifySignature(witness, bytes(), signatureOf(record.facts['signature'])))
  );
}

async function signs(identities: readonly string[], { facts }: AuditRecord, head: Head): Promise<boolean> {
  if (facts['sequence'] !== head.sequence || facts['hash'] !== head.hash) return false;
  const signature = signatureOf(facts['signature']);
  for (const identity of identities)
    if (await verifySignature(identity, signedBytes('own', identity, head), signature)) return true;
  return false;
}

/** What shows a head of another party's log: as it should be, and as a violation. */
const SHOWN: readonly string[] = ['witnessed', 'violation'];

/** Of the other party's log: heads of this one that it saw, with this one's signature over each. */
async function headsWitnessed(witness: string, identities: readonly string[]): Promise<Map<number, Set<string>>> {
  const heads = new Map<number, Set<string>>();
  for await (const { text } of linesOf(witness)) {
    const record = recordOf(text);
    const identity = identities.find((each) => each === record?.facts['owner']);
    if (record === undefined || !SHOWN.includes(record.type) || identity === undefined) continue;
    const head = headOf(record);
    // Only what this party signed counts against it.
    if (
      /^[0-9a-f]{64}$/.test(head.hash) &&
      Number.isSafeInteger(head.sequence) &&
      head.sequence >= 0 &&
      (await verifySignature(identity, signedBytes('own', identity, head), signatureOf(record.facts['signature'])))
    )
      heads.set(head.sequence, (heads.get(head.sequence) ?? new Set()).add(head.hash));
  }
  return heads;
}

function signatureOf(fact: unknown): Uint8Array {
  return typeof fact === 'string' && /^[0-9a-f]{128}$/.test(fact) ? fromHex(fact) : new Uint8Array();
}

const place = ({ file, number }: Line) => `${file}:${number}`;

function fault(kind: AuditFault, line: Line, says: string): AuditVerdict {
  return { sound: false, fault: kind, at: place(line), says };
}
