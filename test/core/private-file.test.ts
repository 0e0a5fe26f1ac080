/** A key that an operator brings is refused where others can read it, whichever flag or option names it. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tlsFiles } from '../../src/cli/options.ts';
import { checkPrivate } from '../../src/core/private-file-node.ts';
import { openByPeers } from '../../src/sdk/local/data-owner.ts';
import { failure } from '../failure.ts';

let folder = '';
let [cert, key] = ['', ''];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tercet-key-'));
  [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  await writeFile(cert, 'a certificate');
  await writeFile(key, 'a key');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it.each(['web', 'http', 'tls'])('of --%s-key, with the command that mends it', async (name) => {
  await chmod(key, 0o644);
  const refused = await failure('ERR_INSECURE', () => tlsFiles(name, cert, key), new RegExp(`--${name}-key`));
  expect(refused.hint).toContain(`chmod 600 ${key}`);
  await chmod(key, 0o600);
  expect(await tlsFiles(name, cert, key)).toEqual({ cert: 'a certificate', key: 'a key' });
});

it('of the SDK’s tlsKey', async () => {
  await chmod(key, 0o644);
  const options = { peers: ['a.example:1', 'b.example:1'], tlsCert: cert, tlsKey: key, tlsCa: cert } as const;
  await failure('ERR_INSECURE', () => openByPeers({ ...options, model: 'capitals-bert' }), /tlsKey/);
});

it('is one that a group may read where root keeps it, as distributions do', async () => {
  const own = process.getuid?.() !== 0;
  await chmod(key, 0o640);
  if (own) await failure('ERR_INSECURE', () => checkPrivate('--tls-key', key));
  else await checkPrivate('--tls-key', key);
  await chmod(key, 0o660);
  await failure('ERR_INSECURE', () => checkPrivate('--tls-key', key));
});
