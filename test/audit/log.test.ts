/** The audit log: what is written, what a full disk does, and that every way of changing a log is found and named. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuditLog, type AuditLogOptions } from '../../src/audit/log-node.ts';
import { hashOf, recordOf, signedBytes } from '../../src/audit/record.ts';
import { type AuditVerdict, verifyLog } from '../../src/audit/verify-node.ts';
import { toHex } from '../../src/core/bytes.ts';
import { type PartyIdentity, createIdentity } from '../../src/net/identity/identity.ts';
import { failure } from '../failure.ts';

const root = mkdtempSync(join(tmpdir(), 'tercet-audit-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let identity: PartyIdentity;
let other: PartyIdentity;
beforeAll(async () => {
  identity = await createIdentity();
  other = await createIdentity();
});

let folders = 0;
const newFolder = () => join(root, String(folders++));
const open = (folder: string, more: Partial<AuditLogOptions> = {}) =>
  AuditLog.open({ folder, identity, now: () => Date.UTC(2026, 0, 1), ...more });

/** A log of some sessions, and its lines. */
async function written(sessions = 5): Promise<{ folder: string; lines: string[] }> {
  const folder = newFolder();
  const log = await open(folder);
  for (let i = 0; i < sessions; i++) await log.append('session-begun', { model: 'm', tokens: i });
  await log.close();
  return { folder, lines: linesIn(folder) };
}

const fileIn = (folder: string) => join(folder, 'audit-000000.jsonl');
const linesIn = (folder: string) => readFileSync(fileIn(folder), 'utf8').trimEnd().split('\n');
const rewrite = (folder: string, lines: readonly string[]) => writeFileSync(fileIn(folder), `${lines.join('\n')}\n`);
const verify = (folder: string) => verifyLog({ folder, identity: identity.publicKey });
const faultOf = (verdict: AuditVerdict) => (verdict.sound ? 'sound' : `${verdict.fault} ${verdict.at}`);

describe('a log', () => {
  it('is lines that hold each other, and ends signed', async () => {
    const { folder, lines } = await written();
    expect(await verify(folder)).toEqual({
      sound: true,
      records: 8,
      signed: 8,
      countersigned: 0,
      head: { sequence: 7, hash: hashOf(lines[7]) },
    });
    expect(lines.map((line) => recordOf(line)?.type)).toEqual([
      'opened',
      ...Array.from({ length: 5 }, () => 'session-begun'),
      'closed',
      'checkpoint',
    ]);
  });

  it('goes on where it ended, over several files', async () => {
    const folder = newFolder();
    for (let start = 0; start < 3; start++) {
      const log = await open(folder, { maxFileBytes: 800 });
      for (let i = 0; i < 4; i++) await log.append('session-ended', { outcome: 'answered' });
      await log.close();
    }
    expect(readdirSync(folder).length).toBeGreaterThan(2);
    expect(await verify(folder)).toMatchObject({ sound: true, records: 21, signed: 21 });
  });

  it('goes on under the key that the party changed to, and is sound for who knows both', async () => {
    const { folder } = await written();
    const log = await AuditLog.open({ folder, identity: other, now: Date.now });
    await log.close();
    const both = [identity.publicKey, other.publicKey];
    expect(await verifyLog({ folder, identity: both })).toMatchObject({ sound: true, signed: 11 });
    expect(faultOf(await verify(folder))).toBe('signature audit-000000.jsonl:11');
    const [, alone] = both;
    expect(faultOf(await verifyLog({ folder, identity: alone }))).toBe('signature audit-000000.jsonl:8');
  });

  it('drops half a line that a crash left, and keeps all whole ones', async () => {
    const { folder, lines } = await written();
    writeFileSync(fileIn(folder), `${lines.join('\n')}\n{"sequence":8,"ti`);
    const log = await open(folder);
    await log.close();
    expect(await verify(folder)).toMatchObject({ sound: true, records: 11 });
  });

  it('is read by time and type', async () => {
    const folder = newFolder();
    let now = Date.UTC(2026, 0, 1);
    const log = await open(folder, { now: () => (now += 1000) });
    await log.append('refused', { code: 'ERR_PEER_BUSY', times: 3 });
    const since = new Date(now + 1);
    await log.append('refused', { code: 'ERR_TOO_LARGE', times: 1 });
    await log.append('session-begun', { tokens: 1 });
    const found: unknown[] = [];
    for await (const { facts } of log.getLogs({ since, type: 'refused' })) found.push(facts);
    expect(found).toEqual([{ code: 'ERR_TOO_LARGE', times: 1 }]);
    await log.close();
  });

  it('writes records that come at once one after the other, with a checkpoint among them', async () => {
    const folder = newFolder();
    const log = await open(folder, { checkpointEvery: 8 });
    await Promise.all(Array.from({ length: 40 }, (_, i) => log.append('session-begun', { tokens: i })));
    await log.close();
    const verdict = await verify(folder);
    expect(verdict).toMatchObject({ sound: true });
    expect(linesIn(folder).filter((line) => line.includes('"checkpoint"')).length).toBeGreaterThan(1);
  });
});

describe('a log that cannot be written', () => {
  it('refuses what asks for a record first, and keeps what has happened until there is room', async () => {
    const folder = newFolder();
    const log = await open(folder);
    // Another writer is what a test can make; a full disk takes the same way.
    const before = readFileSync(fileIn(folder));
    writeFileSync(fileIn(folder), Buffer.concat([before, Buffer.from('x')]));
    expect(await failure('ERR_STATE', log.append('session-begun', { tokens: 1 }))).toHaveProperty(
      'message',
      'the audit log cannot be written: another process writes it',
    );
    await log.keep('session-ended', { outcome: 'answered' });
    writeFileSync(fileIn(folder), before);
    await log.append('session-begun', { tokens: 2 });
    await log.close();
    expect(linesIn(folder).map((line) => recordOf(line)?.type)).toEqual([
      'opened',
      'session-ended',
      'session-begun',
      'closed',
      'checkpoint',
    ]);
    expect(await verify(folder)).toMatchObject({ sound: true });
  });
});

describe('a turn that fails in its middle', () => {
  it('refuses only what is not on the disk: a session whose record is there has begun', async () => {
    const folder = newFolder();
    const log = await open(folder, { maxFileBytes: 500 });
    // The next file cannot be made: what fits this one is written, what comes behind it is not.
    const next = join(folder, 'audit-000001.jsonl');
    writeFileSync(next, '');
    const [first, second] = await Promise.allSettled([
      log.append('session-begun', { session: 'first' }),
      log.append('session-begun', { session: 'second' }),
    ]);
    expect(linesIn(folder).map((line) => recordOf(line)?.facts['session'])).toEqual([undefined, 'first']);
    expect(first.status).toBe('fulfilled');
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'ERR_STATE' } });
    rmSync(next);
    await log.keep('session-ended', { session: 'first', outcome: 'answered' });
    await log.close();
    expect(await verify(folder)).toMatchObject({ sound: true });
  });

  it('is no refusal where only the checkpoint behind the record fails', async () => {
    const folder = newFolder();
    const log = await open(folder, { maxFileBytes: 500, checkpointEvery: 2 });
    writeFileSync(join(folder, 'audit-000001.jsonl'), '');
    await log.append('session-begun', { session: 'first' });
    expect(linesIn(folder)).toHaveLength(2);
    await log.close();
  });
});

describe('a log that was changed', () => {
  /** The lines as if record `at` and all behind it had been written anew by somebody without the key. */
  function rechained(lines: readonly string[], at: number, change: (line: string) => string): string[] {
    const out = lines.slice(0, at);
    for (let i = at; i < lines.length; i++) {
      const record = JSON.parse(i === at ? change(lines[i]) : lines[i]) as { before: string };
      record.before = i === 0 ? record.before : hashOf(out[i - 1]);
      out.push(JSON.stringify(record));
    }
    return out;
  }
  const other9 = (line: string) => line.replace('"tokens":2', '"tokens":9');

  it.each<[string, (lines: string[]) => string[], string]>([
    ['not at all (control)', (lines) => lines, 'sound'],
    ['by an edit', (lines) => lines.map((line, i) => (i === 3 ? other9(line) : line)), 'edited audit-000000.jsonl:4'],
    [
      'by an edit of the last line',
      (lines) => [...lines.slice(0, 7), lines[7].replace(/"before":"./, '"before":"_')],
      'edited audit-000000.jsonl:8',
    ],
    ['by a line that is gone', (lines) => lines.toSpliced(3, 1), 'removed audit-000000.jsonl:4'],
    [
      'by a line that was moved',
      (lines) => [...lines.slice(0, 3), lines[4], lines[3], ...lines.slice(5)],
      'removed audit-000000.jsonl:4',
    ],
    [
      'by a line that stands twice',
      (lines) => [...lines.slice(0, 4), lines[3], ...lines.slice(4)],
      'moved audit-000000.jsonl:5',
    ],
    ['by an edit with all hashes made again', (lines) => rechained(lines, 3, other9), 'signature audit-000000.jsonl:8'],
    ['by garbage', (lines) => lines.map((line, i) => (i === 2 ? 'garbage' : line)), 'edited audit-000000.jsonl:3'],
  ])('%s', async (_, change, found) => {
    const { folder, lines } = await written();
    rewrite(folder, change(lines));
    expect(faultOf(await verify(folder))).toBe(found);
  });

  it('by its own party is found by what the other one witnessed: cut, and forked', async () => {
    const { folder, lines } = await written();
    const witnessFolder = newFolder();
    const witnessLog = await AuditLog.open({ folder: witnessFolder, identity: other, now: Date.now });
    const log = await open(folder);
    const answer = await witnessLog.witness(identity.publicKey, await log.checkpoint());
    expect(answer).toHaveLength(128);
    await log.close();
    await witnessLog.close();
    const both = { folder, identity: identity.publicKey };
    const witness = witnessFolder;
    expect(await verifyLog({ ...both, witness })).toMatchObject({ sound: true });

    // Without the witness the shorter history is sound: that is what the witness is for.
    rewrite(folder, lines);
    expect(await verifyLog(both)).toMatchObject({ sound: true });
    expect(faultOf(await verifyLog({ ...both, witness }))).toBe('cut audit-000000.jsonl:8');

    const again = await open(folder, { now: () => Date.UTC(2026, 0, 2) });
    await again.append('session-begun', { tokens: 77 });
    await again.append('session-begun', { tokens: 78 });
    await again.close();
    expect(await verifyLog(both)).toMatchObject({ sound: true });
    expect(faultOf(await verifyLog({ ...both, witness }))).toBe('forked audit-000000.jsonl:9');
  });

  it('and a checkpoint that the other party did not sign is witnessed by nobody', async () => {
    const folder = newFolder();
    const log = await open(folder);
    const head = { sequence: 3, hash: 'ab'.repeat(32) };
    const forged = toHex(identity.sign(signedBytes('own', other.publicKey, head)));
    await failure('ERR_INTEGRITY', log.witness(other.publicKey, { ...head, signature: forged }));
    await log.close();
  });
});
