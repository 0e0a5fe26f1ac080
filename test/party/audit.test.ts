/** Both parties keep an audit log: their heads go to each other and come back countersigned. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FileHandle, open } from 'node:fs/promises';
import { afterAll, expect, it, vi } from 'vitest';
import { recordOf } from '../../src/audit/record.ts';
import { verifyLog } from '../../src/audit/verify-node.ts';
import { TercetError } from '../../src/core/errors.ts';
import { INPUT } from '../session/harness.ts';
import { until } from '../net/helpers.ts';
import { Parties } from './parties.ts';

const root = mkdtempSync(join(tmpdir(), 'tercet-party-audit-'));
afterAll(() => rmSync(root, { recursive: true }));

const folder = (name: string, id: number) => join(root, `${name}-${id}`);
const recordsIn = (path: string) =>
  readFileSync(join(path, 'audit-000000.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => recordOf(line));

it('each countersigns the other one’s log while owners are served', { timeout: 120_000 }, async () => {
  const parties = await Parties.start((id) => ({
    audit: folder('both', id),
    auditTimes: { everyMs: 20, pauseMs: 20 },
  }));
  const identities = parties.parties.map(({ web }) => web.identity);
  const seen = (id: number) =>
    recordsIn(folder('both', id)).filter((record) => record?.type === 'countersigned').length;
  try {
    await parties.serves();
    // Of one round, and of another one behind it.
    await until(() => seen(1) > 1 && seen(2) > 1, 60_000);
  } finally {
    await parties.stop();
  }
  for (const id of [1, 2]) {
    const [identity, witnessIdentity] = id === 1 ? identities : [identities[1], identities[0]];
    const witness = folder('both', 3 - id);
    const verdict = await verifyLog({ folder: folder('both', id), identity, witness, witnessIdentity });
    expect(verdict).toMatchObject({ sound: true });
    if (verdict.sound) expect(verdict.countersigned).toBeGreaterThan(1);
    const types = recordsIn(folder('both', id)).map((record) => record?.type);
    expect(types.slice(0, 2)).toEqual(['opened', 'configured']);
    expect(types).toContain('session-ended');
  }
});

it('a full disk stops new sessions, and the party that has one serves again when there is room; a peer that was restarted too', {
  timeout: 120_000,
}, async () => {
  const parties = await Parties.start((id) => (id === 1 ? { audit: folder('full', id) } : {}));
  try {
    await parties.serves();
    const prepared = await parties.prepare();
    // What the system says when no block is left.
    const handle = await open(join(root, 'any'), 'w');
    const full = vi
      .spyOn(Object.getPrototypeOf(handle) as FileHandle, 'appendFile')
      .mockRejectedValue(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
    await handle.close();
    await expect(parties.prepare()).rejects.toBeInstanceOf(TercetError);
    await until(() => parties.one.failures.some(({ code }) => code === 'ERR_STATE'), 60_000);
    // What had begun goes on, and its end is written when there is room.
    await prepared.run(INPUT);
    full.mockRestore();
    await parties.serves();
    const types = recordsIn(folder('full', 1)).map((record) => record?.type);
    expect(types.filter((type) => type === 'session-begun').length).toBe(3);

    const waiting = await parties.prepare();
    await parties.two.stop();
    await expect(waiting.run(INPUT)).rejects.toBeInstanceOf(TercetError);
    expect(parties.one.running).toBe(true);
    await parties.restartTwo();
    await parties.serves();
  } finally {
    await parties.stop();
  }
  const verdict = await verifyLog({ folder: folder('full', 1), identity: parties.one.web.identity });
  expect(verdict).toMatchObject({ sound: true });
});
