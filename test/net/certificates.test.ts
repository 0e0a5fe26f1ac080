import { X509Certificate, createPrivateKey } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failure } from '../failure.ts';
import { createCertificates, credentialsOf, ensureCertificates } from '../../src/net/tls/certificates.ts';
import { testCertificates } from './helpers.ts';

const DAY_MS = 86_400_000;

describe('createCertificates', () => {
  it('makes one certificate per party, signed by the authority and for that party only', async () => {
    const certificates = await testCertificates();
    const ca = new X509Certificate(certificates.ca);
    expect(ca.ca).toBe(true);
    for (const party of [0, 1, 2] as const) {
      const { key, cert } = credentialsOf(certificates, party);
      const certificate = new X509Certificate(cert);
      expect(certificate.verify(ca.publicKey)).toBe(true);
      expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
      expect(certificate.ca).toBe(false);
      expect(certificate.subjectAltName).toBe(`DNS:party-${party}.tercet, DNS:localhost, IP Address:127.0.0.1`);
      expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
      const days = (Date.parse(certificate.validTo) - Date.now()) / DAY_MS;
      expect(Math.round(days)).toBe(365);
    }
    expect(new Set(certificates.parties.map(({ key }) => key)).size).toBe(3);
  });
});

describe('ensureCertificates', () => {
  let root = '';
  let dir = '';
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'tercet-certificates-'));
    dir = join(root, 'deep', 'certificates');
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it('makes a set once and reads it from then on', async () => {
    const first = await ensureCertificates(dir);
    expect(await ensureCertificates(dir)).toEqual(first);
    expect(await readdir(dir)).toEqual(['set-000001']);
  });

  it.skipIf(process.platform === 'win32')('keeps the files to their owner', async () => {
    await ensureCertificates(dir);
    const set = join(dir, 'set-000001');
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
    expect((await stat(set)).mode & 0o777).toBe(0o700);
    const files = await readdir(set);
    expect(files.sort()).toEqual([
      'ca.pem',
      'party-0.key',
      'party-0.pem',
      'party-1.key',
      'party-1.pem',
      'party-2.key',
      'party-2.pem',
    ]);
    for (const file of files) expect((await stat(join(set, file))).mode & 0o777).toBe(0o600);
  });

  it('never writes the key of the authority', async () => {
    await ensureCertificates(dir);
    const ca = await readFile(join(dir, 'set-000001', 'ca.pem'), 'utf8');
    expect(ca).not.toContain('PRIVATE');
  });

  it('renews a set within 7 days of its end, not before', async () => {
    const first = await ensureCertificates(dir);
    const now = Date.now();
    expect(await ensureCertificates(dir, { now: new Date(now + 357 * DAY_MS) })).toEqual(first);
    const renewed = await ensureCertificates(dir, { now: new Date(now + 359 * DAY_MS) });
    expect(renewed.ca).not.toBe(first.ca);
    expect(await readdir(dir)).toEqual(['set-000002']);
    expect(await ensureCertificates(dir)).toEqual(renewed);
  });

  it('gives everybody who comes at the same time one set, also at renewal', async () => {
    const at = (now: Date) => Promise.all(Array.from({ length: 6 }, () => ensureCertificates(dir, { now })));
    for (const now of [new Date(), new Date(Date.now() + 360 * DAY_MS)]) {
      const all = await at(now);
      for (const one of all) expect(one).toEqual(all[0]);
    }
    expect(await readdir(dir)).toEqual(['set-000002']);
  });

  it('reports a damaged set with a way out', async () => {
    const other = await createCertificates();
    for (const [file, text] of [
      ['party-1.pem', 'garbage'],
      ['party-1.pem', ''],
      ['party-2.key', other.parties[2].key],
      ['party-0.pem', other.parties[0].cert],
      ['ca.pem', other.ca],
    ] as const) {
      await ensureCertificates(dir);
      await writeFile(join(dir, 'set-000001', file), text);
      const error = await failure('ERR_PEER_CERTIFICATE', ensureCertificates(dir));
      expect(error.hint).toContain('delete the folder');
      await rm(dir, { recursive: true });
    }
    await ensureCertificates(dir);
    await rm(join(dir, 'set-000001', 'party-0.key'));
    await failure('ERR_PEER_CERTIFICATE', ensureCertificates(dir));
  });

  it('reports swapped files', async () => {
    const { parties } = await ensureCertificates(dir);
    const set = join(dir, 'set-000001');
    await writeFile(join(set, 'party-1.pem'), parties[2].cert);
    await writeFile(join(set, 'party-1.key'), parties[2].key);
    await failure('ERR_PEER_CERTIFICATE', ensureCertificates(dir));
  });

  it('reports a folder that is a file', async () => {
    const file = join(root, 'file');
    await writeFile(file, 'x');
    await failure('ERR_PEER_CERTIFICATE', ensureCertificates(file));
  });
});
