/**
 * Reads a log from its first line and names the first place that is not as it was written: edited, removed, moved,
 * cut, or another history than the one that was signed or witnessed.
 */
import { fromHex } from '../core/bytes.ts';
import { verifySignature } from '../net/identity/identity.ts';
import { type Line, linesOf } from './files-node.ts';
import { type AuditRecord, type Head, NOTHING_BEFORE, hashOf, recordOf, signedBytes } from './record.ts';

/** What was done to a log. */
type AuditFault = 'edited' | 'removed' | 'moved' | 'cut' | 'forked' | 'signature';

export type AuditVerdict =
  | {
      readonly sound: true;
      readonly records: number;
      /** Records up to the last checkpoint; what is behind it is held by the chain alone. */
      readonly signed: number;
      readonly head: Head;
    }
  | { readonly sound: false; readonly fault: AuditFault; readonly at: string; readonly says: string };

export interface VerifyOptions {
  readonly folder: string;
  /** Whose log it is: 64 hex digits, or several where the party changed its key. */
  readonly identity: string | readonly string[];
  /** Folder of the other party's log: what it witnessed of this one must be in it. */
  readonly witness?: string | undefined;
}

/**
 * @example
 * const verdict = await verifyLog({ folder: 'audit', identity });
 * if (!verdict.sound) console.error(`${verdict.at}: ${verdict.says}`);
 */
export async function verifyLog({ folder, witness, ...options }: VerifyOptions): Promise<AuditVerdict> {
  const identities = [options.identity].flat();
  const witnessed = witness === undefined ? new Map<number, string>() : await headsWitnessed(witness, identities);
  let head: Head = { sequence: -1, hash: NOTHING_BEFORE };
  let last: Line | undefined;
  let signed = 0;
  for await (const line of linesOf(folder)) {
    const record = recordOf(line.text);
    if (!line.whole || record === undefined) return fault('edited', line, 'the line is no record');
    const wrong = outOfPlace(record, head, line, last);
    if (wrong !== undefined) return wrong;
    if (record.type === 'checkpoint') {
      if (!(await signs(identities, record, head)))
        return fault('signature', line, `the signature does not hold for records 0 to ${head.sequence}`);
      signed = record.sequence + 1;
    }
    head = { sequence: record.sequence, hash: hashOf(line.text) };
    last = line;
    const known = witnessed.get(head.sequence);
    if (known !== undefined && known !== head.hash)
      return fault('forked', line, `the other party witnessed another record ${head.sequence}`);
  }
  const beyond = Math.max(-1, ...witnessed.keys());
  if (beyond > head.sequence)
    return {
      sound: false,
      fault: 'cut',
      at: last === undefined ? folder : place(last),
      says: `the log ends at record ${head.sequence}, and the other party witnessed record ${beyond}`,
    };
  return { sound: true, records: head.sequence + 1, signed, head };
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

async function signs(identities: readonly string[], { facts }: AuditRecord, head: Head): Promise<boolean> {
  if (facts['sequence'] !== head.sequence || facts['hash'] !== head.hash) return false;
  const signature = signatureOf(facts['signature']);
  for (const identity of identities)
    if (await verifySignature(identity, signedBytes('own', identity, head), signature)) return true;
  return false;
}

/** Of the other party's log: heads of this one that it witnessed, with this one's signature over each. */
async function headsWitnessed(witness: string, identities: readonly string[]): Promise<Map<number, string>> {
  const heads = new Map<number, string>();
  for await (const { text } of linesOf(witness)) {
    const record = recordOf(text);
    const identity = identities.find((each) => each === record?.facts['owner']);
    if (record?.type !== 'witnessed' || identity === undefined) continue;
    const head = { sequence: Number(record.facts['sequence']), hash: String(record.facts['hash']) };
    // Only what this party signed counts against it.
    if (
      /^[0-9a-f]{64}$/.test(head.hash) &&
      Number.isSafeInteger(head.sequence) &&
      head.sequence >= 0 &&
      (await verifySignature(identity, signedBytes('own', identity, head), signatureOf(record.facts['signature'])))
    )
      heads.set(head.sequence, head.hash);
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
