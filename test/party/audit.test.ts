/** Both parties keep an audit log: their heads go to each other and come back countersigned. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { recordOf } from '../../src/audit/record.ts';
import { verifyLog } from '../../src/audit/verify-node.ts';
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
