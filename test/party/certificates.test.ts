/** Certificates of a party that is left running: renewed before their end, read again when they change, else told of. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Shown, watchCertificates } from '../../src/daemon/certificate-watch.ts';
import { type Authority, createAuthority, createRequest, issueCertificate } from '../../src/net/tls/authority.ts';
import { checkCredentials, endOf, loadCredentials, renewOwn } from '../../src/net/tls/certificates.ts';
import type { Certified } from '../../src/net/tls/credentials.ts';
import { failure } from '../failure.ts';

const root = mkdtempSync(join(tmpdir(), 'tercet-certificates-'));
afterAll(() => rmSync(root, { recursive: true }));
const HOUR = 3_600_000;

let authority: Authority;
let folder = '';
let key = '';
/** When the party's certificate was issued, for nine days. */
const begun = Date.now();
beforeAll(async () => {
  authority = await createAuthority({ days: 30 });
  folder = mkdtempSync(join(root, 'own-'));
  const made = await createRequest(1);
  key = made.key;
  const cert = await issueCertificate(authority, made.request, { party: 1, days: 9 });
  for (const [name, text] of Object.entries({ 'ca.pem': authority.ca, 'party-1.key': key, 'party-1.pem': cert }))
    writeFileSync(join(folder, name), text, { mode: 0o600 });
});

/** Looks once, some hours behind the beginning. */
async function looked(hours: number, renew?: () => Promise<void>) {
  const now = () => begun + hours * HOUR;
  const stop = new AbortController();
  const read = async (): Promise<Shown> => ({
    credentials: await loadCredentials(folder, 1, { now: new Date(now()) }),
    webTls: undefined,
  });
  let shown = await read();
  const said: string[] = [];
  await watchCertificates({
    ...{ now, read, shown: () => shown, signal: stop.signal, ...(renew && { renew }) },
    show(fresh) {
      shown = fresh;
      said.push('shown');
    },
    onEnds: () => stop.abort(),
    onSoon: (use) => said.push(`${use} ends`),
    onFailure: ({ code }) => said.push(code),
  });
  return { said, ends: endOf([(shown.credentials as Certified).cert]).until.getTime() };
}

it('nothing is done or said in the first two thirds, then the operator is told', async () => {
  expect((await looked(5 * 24)).said).toEqual([]);
  expect((await looked(7 * 24)).said).toEqual(['link ends']);
});

it('one that ends soon is renewed for the same key where the authority is at hand, and shown', async () => {
  const hours = 7 * 24;
  const renew = () => renewOwn(folder, 1, { authority, now: new Date(begun + hours * HOUR), days: 9 });
  const before = await looked(5 * 24, renew);
  expect(before.said).toEqual([]);
  const { said, ends } = await looked(hours, renew);
  expect(said).toEqual(['shown']);
  expect(ends).toBeGreaterThan(before.ends + 5 * 24 * HOUR);
  expect(readFileSync(join(folder, 'party-1.key'), 'utf8')).toBe(key);
});

it('a renewal that fails is told, with when it ends', async () => {
  const another = await createAuthority();
  const renew = () => renewOwn(folder, 1, { authority: another, now: new Date(begun + 14 * 24 * HOUR) });
  await failure('ERR_PEER_CERTIFICATE', renew(), /not that of/);
  expect((await looked(14 * 24, renew)).said).toEqual(['ERR_PEER_CERTIFICATE', 'link ends']);
});

it('what the authority’s own end is near to is not renewed again and again', async () => {
  const hours = 25 * 24;
  const at = new Date(begun + 15 * 24 * HOUR);
  await renewOwn(folder, 1, { authority, now: at, days: 365 });
  let renewed = 0;
  const { said } = await looked(hours, async () => void renewed++);
  expect([said, renewed]).toEqual([['link ends'], 0]);
});

it('a clock that is half an hour behind is no obstacle; one that is two hours behind is told of', async () => {
  const made = await createRequest(2);
  const cert = await issueCertificate(authority, made.request, { party: 2 });
  const own = { ca: authority.ca, key: made.key, cert };
  expect(checkCredentials(own, 2, new Date(Date.now() - HOUR / 2))).toBe(undefined);
  await failure(
    'ERR_PEER_CERTIFICATE',
    () => checkCredentials(own, 2, new Date(Date.now() - 2 * HOUR)),
    /check the clock/,
  );
});
