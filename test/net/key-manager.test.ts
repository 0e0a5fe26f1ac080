/** Keys of a folder: what is open to others is refused, an identity changes in steps, and a backup comes back whole. */
import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Encrypter, generateIdentity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ensureIdentity, identityPath } from '../../src/net/identity/identity-node.ts';
import { createCertificates } from '../../src/net/tls/certificates.ts';
import { KeyManager } from '../../src/sdk/node.ts';
import { failure } from '../failure.ts';

let root = '';
let keys: KeyManager;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tercet-keys-'));
  keys = new KeyManager(join(root, 'keys'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

it('an identity changes in steps: made, promoted, the old one destroyed', async () => {
  const folder = join(root, 'keys');
  const { current, next } = await keys.rotateSigningKeys(1);
  expect(next).not.toBe(current);
  expect(await keys.rotateSigningKeys(1)).toEqual({ current, next });
  expect((await ensureIdentity(folder, 1)).publicKey).toBe(current);
  expect((await keys.list()).map(({ publicKey }) => publicKey)).toEqual([current, next]);
  await failure('ERR_STATE', keys.promote(2));
  await failure('ERR_STATE', keys.revoke(1));
  expect(await keys.promote(1)).toEqual({ current: next });
  expect((await ensureIdentity(folder, 1)).publicKey).toBe(next);
  await keys.rotateSigningKeys(1);
  await failure('ERR_STATE', keys.promote(1), /keys revoke/);
  await keys.revoke(1);
  expect((await readdir(folder)).sort()).toEqual(['identity-party-1.key', 'identity-party-1.next.key']);
});

it('a key that others can read is refused, with the command that mends it', async () => {
  const path = identityPath(join(root, 'keys'), 1);
  await keys.rotateSigningKeys(1);
  await keys.check();
  await chmod(path, 0o640);
  await failure('ERR_INSECURE', keys.check(), new RegExp(`chmod 600 ${path}`));
  await failure('ERR_INSECURE', keys.list());
  await failure('ERR_INSECURE', keys.backupKeys(join(root, 'b.age'), { passphrase: 'a long enough one' }));
  await failure('ERR_IDENTITY_KEY', ensureIdentity(join(root, 'keys'), 1), new RegExp(`chmod 600 ${path}`));
  await chmod(path, 0o600);
  await keys.check();
});

it('a certificate that ends soon is named', async () => {
  await keys.rotateSigningKeys(1);
  const { ca } = await createCertificates();
  await writeFile(join(root, 'keys', 'ca.pem'), ca);
  expect(await keys.ending(new Date())).toEqual([]);
  expect((await keys.ending(new Date('2999-01-01'))).map(({ file }) => file)).toEqual(['ca.pem']);
});

it('a backup is encrypted for whom it is for, comes back as it was, and overwrites nothing', async () => {
  const identity = await generateIdentity();
  const path = join(root, 'backup.age');
  await keys.rotateSigningKeys(1);
  const seed = await readFile(identityPath(join(root, 'keys'), 1), 'latin1');
  await failure('ERR_ARGUMENT', keys.backupKeys(path, { recipient: 'age1nobody' }), /age1/);
  await failure('ERR_ARGUMENT', keys.backupKeys(path, { passphrase: 'short' }));
  // What it does not take it names, and leaves nothing half written.
  for (const [name, size, says] of [
    ['.hidden', 1, /name/],
    ['weights', 1_000_001, /large/],
  ] as const) {
    await writeFile(join(root, 'keys', name), new Uint8Array(size), { mode: 0o600 });
    await failure('ERR_ARGUMENT', keys.backupKeys(path, { recipient: await identityToRecipient(identity) }), says);
    await rm(join(root, 'keys', name));
  }
  expect(await keys.backupKeys(path, { recipient: await identityToRecipient(identity) })).toEqual({ files: 2 });
  const bytes = await readFile(path, 'latin1');
  expect(bytes.startsWith('age-encryption.org/v1\n')).toBe(true);
  expect(bytes).not.toContain(seed.trim());
  expect(bytes).not.toContain('identity-party');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  await failure('ERR_ARGUMENT', keys.backupKeys(path, { recipient: await identityToRecipient(identity) }), /already/);

  await failure('ERR_STATE', keys.restoreKeys(path, { identity }), /already/);
  const other = new KeyManager(join(root, 'other'));
  await failure('ERR_ARGUMENT', other.restoreKeys(path, { identity: await generateIdentity() }), /does not open/);
  await failure('ERR_ARGUMENT', other.restoreKeys(path, { identity: 'AGE-SECRET-KEY-NONE' }), /does not open/);
  expect(await other.restoreKeys(path, { identity })).toEqual({ files: 2 });
  expect(await readFile(identityPath(join(root, 'other'), 1), 'latin1')).toBe(seed);
  expect((await stat(identityPath(join(root, 'other'), 1))).mode & 0o777).toBe(0o600);
  await other.check();
});

it('a backup of somebody else writes nowhere but into the folder', async () => {
  const identity = await generateIdentity();
  for (const name of ['../out', '/etc/x', 'a/../../b', '.hidden', '']) {
    const encrypter = new Encrypter();
    encrypter.addRecipient(await identityToRecipient(identity));
    const path = join(root, 'forged.age');
    await writeFile(path, await encrypter.encrypt(JSON.stringify({ version: 1, files: [{ name, base64: 'AA==' }] })));
    await failure('ERR_INTEGRITY', keys.restoreKeys(path, { identity }), /name/);
  }
  expect(await readdir(root)).toEqual(['forged.age']);
});
