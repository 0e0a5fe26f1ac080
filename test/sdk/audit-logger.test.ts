/** `AuditLogger` reads what a party's log holds, and refuses what it cannot answer. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AuditLog } from '../../src/audit/log-node.ts';
import { createIdentity } from '../../src/net/identity/identity.ts';
import { AuditLogger } from '../../src/sdk/node.ts';
import { failure, thrown } from '../failure.ts';

const folder = mkdtempSync(join(tmpdir(), 'tercet-audit-logger-'));
afterAll(() => rmSync(folder, { recursive: true }));

let identity = '';
beforeAll(async () => {
  const key = await createIdentity();
  identity = key.publicKey;
  const log = await AuditLog.open({ folder, identity: key, now: () => Date.UTC(2026, 0, 2) });
  await log.append('session-begun', { tokens: 4 });
  await log.close();
});

async function typesOf(query?: Parameters<AuditLogger['getLogs']>[0]): Promise<string[]> {
  const types: string[] = [];
  for await (const { type } of new AuditLogger(folder).getLogs(query)) types.push(type);
  return types;
}

it('reads records by time and type', async () => {
  expect(await typesOf()).toEqual(['opened', 'session-begun', 'closed', 'checkpoint']);
  expect(await typesOf({ type: 'session-begun', since: '2026-01-01' })).toEqual(['session-begun']);
  expect(await typesOf({ since: new Date(Date.UTC(2026, 0, 3)) })).toEqual([]);
});

it('says whether the log is as it was written', async () => {
  expect(await new AuditLogger(folder).verify({ identity })).toMatchObject({ sound: true, records: 4 });
  const other = await new AuditLogger(folder).verify({ identity: 'ab'.repeat(32) });
  expect(other).toMatchObject({ sound: false, fault: 'signature' });
});

it('refuses what it cannot answer', async () => {
  thrown('ERR_ARGUMENT', () => new AuditLogger(''));
  await failure('ERR_ARGUMENT', typesOf({ since: 'yesterday' }), /since expected a time/);
  await failure('ERR_ARGUMENT', typesOf({ type: 'text' as 'opened' }), /session-begun/);
  await failure('ERR_ARGUMENT', typesOf({ until: 1 } as object), /it takes since and type/);
  await failure('ERR_ARGUMENT', new AuditLogger(folder).verify({ identity: [] }), /64 lower-case hex/);
  const nowhere = new AuditLogger(join(folder, 'nowhere')).getLogs();
  await failure('ERR_ARGUMENT', nowhere.next());
});
