/** Two parties' logs: heads that each countersigns, and what that shows of a log that is cut, forked or replaced. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchangeHeads } from '../../src/audit/exchange.ts';
import { AuditLog } from '../../src/audit/log-node.ts';
import { type RecordType, hashOf, recordOf } from '../../src/audit/record.ts';
import { type VerifyOptions, verifyLog } from '../../src/audit/verify-node.ts';
import { concatBytes } from '../../src/core/bytes.ts';
import { type PartyIdentity, createIdentity } from '../../src/net/identity/identity.ts';
import { type MemoryOptions, memoryPair } from '../../src/net/simulated/memory-link.ts';
import { failure } from '../failure.ts';

const root = mkdtempSync(join(tmpdir(), 'tercet-audit-exchange-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let keys: readonly [PartyIdentity, PartyIdentity];
beforeAll(async () => {
  keys = [await createIdentity(), await createIdentity()];
});

let folders = 0;
const newFolder = () => join(root, String(folders++));
const open = (folder: string, identity: PartyIdentity, maxFileBytes?: number) =>
  AuditLog.open({ folder, identity, now: () => Date.UTC(2026, 0, 1), ...(maxFileBytes && { maxFileBytes }) });
const fileIn = (folder: string) => join(folder, 'audit-000000.jsonl');
const contentOf = (folder: string) => readFileSync(fileIn(folder), 'utf8');
const linesIn = (folder: string) => contentOf(folder).trimEnd().split('\n');
const typesIn = (folder: string) => linesIn(folder).map((line) => recordOf(line)?.type);

interface Kept {
  readonly folder: string;
  readonly log: AuditLog;
  readonly key: PartyIdentity;
}
async function pair(): Promise<[Kept, Kept]> {
  const [one, two] = [newFolder(), newFolder()];
  return [
    { folder: one, log: await open(one, keys[0]), key: keys[0] },
    { folder: two, log: await open(two, keys[1]), key: keys[1] },
  ];
}

/** How it ended at each end: the error's code, or `ok`. */
async function exchange(one: AuditLog, two: AuditLog, options: MemoryOptions = {}, accepts = () => true) {
  const [here, there] = memoryPair(1, 2, { timeoutMs: 5_000, ...options });
  const end = (channel: typeof here, log: AuditLog) =>
    exchangeHeads(channel, log, accepts).then(
      () => 'ok',
      (error: { code: string } & Error) => {
        channel.abort(error);
        return error.code;
      },
    );
  return Promise.all([end(here, one), end(there, two)]);
}

const verify = (of: Kept, more: Partial<VerifyOptions> = {}) =>
  verifyLog({ folder: of.folder, identity: of.key.publicKey, ...more });
const faultOf = async (of: Kept, more: Partial<VerifyOptions> = {}) => {
  const verdict = await verify(of, more);
  return verdict.sound ? 'sound' : verdict.fault;
};
const begun = (log: AuditLog, tokens: number) => log.append('session-begun', { tokens });

describe('an exchange', () => {
  it('leaves in each log the head of the other, and the other one’s signature over its own', async () => {
    const [one, two] = await pair();
    await begun(one.log, 1);
    expect(await exchange(one.log, two.log)).toEqual(['ok', 'ok']);
    for (const { folder } of [one, two])
      expect(typesIn(folder).slice(-3).sort()).toEqual(['checkpoint', 'countersigned', 'witnessed']);
    await Promise.all([one.log.close(), two.log.close()]);
    for (const [own, other] of [
      [one, two],
      [two, one],
    ])
      expect(await verify(own, { witness: other.folder, witnessIdentity: other.key.publicKey })).toMatchObject({
        sound: true,
        countersigned: own === one ? 2 : 1,
      });
    // Only a key that one knows counts: a party could make up a witness.
    expect(await verify(one, { witnessIdentity: one.key.publicKey })).toMatchObject({ sound: true, countersigned: 0 });
  });

  it('goes on under a key that a party changed to', async () => {
    const [one, two] = await pair();
    await exchange(one.log, two.log);
    const next = await createIdentity();
    await one.log.changeKey(next);
    expect(await exchange(one.log, two.log)).toEqual(['ok', 'ok']);
    await one.log.close();
    const identity = [one.key.publicKey, next.publicKey];
    expect(await faultOf(one, { identity, witness: two.folder })).toBe('sound');
    expect(await faultOf(one)).toBe('signature');
    await two.log.close();
  });
});

describe('a party that is not honest', () => {
  /** A log of eight sessions that was shown, and the party as it goes on without them. */
  async function withoutEight(): Promise<{ again: Kept; two: Kept }> {
    const [one, two] = await pair();
    const before = contentOf(one.folder);
    for (let i = 0; i < 8; i++) await begun(one.log, i);
    await exchange(one.log, two.log);
    await one.log.close();
    writeFileSync(fileIn(one.folder), before);
    return { again: { ...one, log: await open(one.folder, one.key) }, two };
  }

  it('cuts its log: verify finds it, the next exchange is a violation, and what it signed convicts it', async () => {
    const { again, two } = await withoutEight();
    await again.log.checkpoint();
    // By itself the shorter history is sound: that is what the exchange is for.
    expect(await faultOf(again)).toBe('sound');
    expect(await faultOf(again, { witness: two.folder })).toBe('cut');
    expect((await exchange(again.log, two.log))[1]).toBe('ERR_INTEGRITY');
    expect(typesIn(two.folder).at(-1)).toBe('violation');
    await Promise.all([again.log.close(), two.log.close()]);
  });

  it('writes another history that is as long: verify finds it, also where both were shown', async () => {
    const { again, two } = await withoutEight();
    for (let i = 0; i < 12; i++) await begun(again.log, 100 + i);
    expect(await faultOf(again)).toBe('sound');
    expect(await faultOf(again, { witness: two.folder })).toBe('forked');
    await exchange(again.log, two.log);
    expect(await faultOf(again, { witness: two.folder })).toBe('forked');
    await Promise.all([again.log.close(), two.log.close()]);
  });

  it('shows another head under a sequence that it showed before', async () => {
    const [one, two] = await pair();
    const { log: fork, folder } = { log: await open(newFolder(), one.key), folder: two.folder };
    await begun(one.log, 1);
    await begun(fork, 2);
    expect(await exchange(one.log, two.log)).toEqual(['ok', 'ok']);
    expect((await exchange(fork, two.log))[1]).toBe('ERR_INTEGRITY');
    expect(typesIn(folder).filter((type) => type === 'violation')).toHaveLength(1);
    await Promise.all([one.log.close(), two.log.close(), fork.close()]);
  });

  it('is remembered by a witness that was started again', async () => {
    const { again, two } = await withoutEight();
    await two.log.close();
    const witness = await open(two.folder, two.key);
    expect((await exchange(again.log, witness))[1]).toBe('ERR_INTEGRITY');
    await Promise.all([again.log.close(), witness.close()]);
  });

  it('removes from its log what it countersigned: the one that it countersigned shows it', async () => {
    const [one, two] = await pair();
    await exchange(one.log, two.log);
    await begun(one.log, 1);
    await exchange(one.log, two.log);
    await Promise.all([one.log.close(), two.log.close()]);
    expect(await faultOf(one, { witness: two.folder })).toBe('sound');
    const first = linesIn(two.folder).findIndex((line) => recordOf(line)?.type === 'witnessed');
    let prior = '';
    const rest = linesIn(two.folder)
      .filter((_, i) => i !== first)
      .map((line, sequence) => {
        const record = { ...recordOf(line), sequence } as { before: string };
        if (sequence > 0) record.before = hashOf(prior);
        prior = JSON.stringify(record);
        return prior;
      });
    writeFileSync(fileIn(two.folder), `${rest.join('\n')}\n`);
    expect(await faultOf(one, { witness: two.folder })).toBe('forked');
  });

  it.each<[string, string, (bytes: Uint8Array) => Uint8Array, string, RecordType[]]>([
    ['signs nothing', 'audit/head', (bytes) => bytes.with(135, bytes[135] ^ 1), 'ERR_INTEGRITY', []],
    ['shows a number beyond all', 'audit/head', (bytes) => bytes.with(39, 0xff), 'ERR_FRAME_FORMAT', []],
    ['sends more', 'audit/head', (bytes) => concatBytes([bytes, bytes]), 'ERR_FRAME_LENGTH', []],
    ['sends our own log back', 'audit/head', () => own, 'ERR_IDENTITY_KEY', []],
    ['countersigns nothing', 'audit/witness', (bytes) => bytes.with(0, bytes[0] ^ 1), 'ERR_INTEGRITY', ['witnessed']],
  ])('%s', async (_, tag, change, code, kept) => {
    const [one, two] = await pair();
    // Changes what party 2 sends; `own` is what party 1 sent before.
    const tap: MemoryOptions['tap'] = ({ from }, name, bytes) => {
      if (from === 1 && name === 'audit/head') own = bytes;
      return from === 2 && name === tag ? change(bytes) : undefined;
    };
    expect((await exchange(one.log, two.log, { tap }))[0]).toBe(code);
    expect(typesIn(one.folder).slice(2)).toEqual(kept);
    await Promise.all([one.log.close(), two.log.close()]);
  });
  let own: Uint8Array = new Uint8Array();

  it('has a log of a key that is not the other party’s', async () => {
    const [one, two] = await pair();
    expect(await exchange(one.log, two.log, {}, () => false)).toContain('ERR_IDENTITY_KEY');
    expect(typesIn(one.folder)).not.toContain('witnessed');
    await Promise.all([one.log.close(), two.log.close()]);
  });
});

it('a record of what another log countersigned is believed only for a checkpoint of this one', async () => {
  const [one, two] = await pair();
  const signature = await two.log.witness(one.key.publicKey, await one.log.checkpoint());
  await failure('ERR_INTEGRITY', one.log.countersigned(two.key.publicKey, one.log.head, signature));
  await Promise.all([one.log.close(), two.log.close()]);
});
