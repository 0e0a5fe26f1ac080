/** The file of keys: only hashes, for its user alone, one writer at a time, and followed by a running server. */
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { KeyRing, createKey, readKeys, revokeKey } from '../../src/rest/keys.ts';
import { failure } from '../failure.ts';

const folder = mkdtempSync(join(tmpdir(), 'tercet-keys-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const path = () => join(folder, `${files++}`, 'keys.json');

describe('keys', () => {
  it('are kept as hashes, in a file of this user alone', async () => {
    const at = path();
    const { key, record } = await createKey(at, { name: 'web' });
    const text = readFileSync(at, 'utf8');
    expect(text).not.toContain(key.split('_')[2]);
    expect(record.sha256).toBe(createHash('sha256').update(key).digest('hex'));
    expect(statSync(at).mode & 0o777).toBe(0o600);
    expect(key).toMatch(/^tck_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
  });

  it('open what they were made for, until they end or are revoked', async () => {
    const at = path();
    let now = 1_000_000;
    const { key } = await createKey(at, { name: 'short', expires: 2_000 }, now);
    const other = await createKey(at, { name: 'long' }, now);
    const ring = await KeyRing.open(at, () => now);
    const opens = async (shown: string) => (await ring.check(`Bearer ${shown}`))?.name;
    expect([await opens(key), await opens(other.key), ring.valid]).toEqual(['short', 'long', 2]);
    now = 2_000_000;
    expect([await opens(key), await opens(other.key), ring.valid]).toEqual([undefined, 'long', 1]);
    await revokeKey(at, other.record.id, now);
    now += 1_001;
    expect(await opens(other.key)).toBeUndefined();
    // A second time it keeps the first one's time.
    await revokeKey(at, other.record.id, now + 60_000);
    expect((await readKeys(at))[1].revoked).toBe(2_000);
  });

  it('open nothing when their file is gone, or is no file of keys any more', async () => {
    for (const spoil of [(at: string) => rmSync(at), (at: string) => writeFileSync(at, '{"version":1')]) {
      const at = path();
      let now = 0;
      const { key } = await createKey(at, { name: 'x' });
      const ring = await KeyRing.open(at, () => now);
      expect(await ring.check(`Bearer ${key}`)).toBeDefined();
      spoil(at);
      now += 1_001;
      expect(await ring.check(`Bearer ${key}`)).toBeUndefined();
    }
  });

  it('are refused from a file that others can read, that is none, or that somebody else changes', async () => {
    const at = path();
    const { record } = await createKey(at, { name: 'x' });
    chmodSync(at, 0o644);
    await failure('ERR_INSECURE', KeyRing.open(at), /chmod 600/);
    chmodSync(at, 0o600);
    writeFileSync(`${at}.next`, '');
    await failure('ERR_STATE', createKey(at, { name: 'y' }));
    rmSync(`${at}.next`);
    await failure('ERR_ARGUMENT', revokeKey(at, '0'.repeat(16)));
    await failure('ERR_ARGUMENT', createKey(at, { name: 'a\nb' }));
    // What failed left nothing in the way.
    await revokeKey(at, record.id);
    writeFileSync(at, JSON.stringify({ version: 1, keys: [{ ...record, sha256: 'no' }] }));
    await failure('ERR_INTEGRITY', KeyRing.open(at));
    await failure('ERR_ARGUMENT', KeyRing.open(path()));
  });
});
