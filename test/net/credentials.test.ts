/**
 * Parties that share no folder: each has its own key, and the others' proof fails for every reason that there is,
 * at both ends, by name.
 */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TercetError } from '../../src/core/errors.ts';
import {
  type Authority,
  createAuthority,
  createRequest,
  issueCertificate,
  keyFingerprint,
  requestFingerprint,
} from '../../src/net/tls/authority.ts';
import {
  createCertificates,
  credentialsOf,
  ensureCertificates,
  loadCredentials,
} from '../../src/net/tls/certificates.ts';
import {
  type Certified,
  type Credentials,
  type Pinned,
  type ProvedSocket,
  checkProof,
} from '../../src/net/tls/credentials.ts';
import { ensureIdentity, ensureOwnCertificate } from '../../src/net/identity/identity-node.ts';
import { ed25519Of } from '../../src/net/tls/self-signed.ts';
import { connectTls } from '../../src/net/tls/connect.ts';
import { listenTls } from '../../src/net/tls/listener.ts';
import type { PartyId } from '../../src/net/wire/types.ts';
import { failure, thrown } from '../failure.ts';
import { SESSION } from './helpers.ts';
import { type Ends, tlsEnds } from './native.ts';

const DAY_MS = 86_400_000;
let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tercet-credentials-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Who has the TLS of the links under test. */
let ends: Ends;

interface Tried {
  /** Of the connector; undefined if the link stands. */
  readonly error: TercetError | undefined;
  /** What the listener refused. */
  readonly refused: readonly TercetError[];
}

/** One link from `self` to party `peer`, each with its own credentials. */
async function tried(
  [self, mine]: [PartyId, Credentials],
  [peer, theirs]: [PartyId, Credentials],
  asking: PartyId = peer,
  listening: PartyId = peer,
): Promise<Tried> {
  const refused: TercetError[] = [];
  const listener = await listenTls({
    self: listening,
    credentials: theirs,
    timeoutMs: 5_000,
    native: ends.listener,
    onRefused: (error) => refused.push(error),
  });
  const link = connectTls({
    self,
    peer: asking,
    host: '127.0.0.1',
    port: listener.port,
    credentials: mine,
    session: SESSION,
    timeoutMs: 5_000,
    native: ends.connector,
  });
  try {
    const channel = await link;
    const other = await listener.accept({ peer: self, session: SESSION, timeoutMs: 5_000 });
    await channel.send('x', Uint8Array.of(7));
    expect([...(await other.recv('x', 1))]).toEqual([7]);
    for (const end of [channel, other]) end.abort(new Error('test over'));
    return { error: undefined, refused };
  } catch (error) {
    // The listener hears of it after the connector.
    await new Promise((resolve) => setTimeout(resolve, 50));
    return { error: error as TercetError, refused };
  } finally {
    await listener.close();
  }
}

const about = (error: TercetError | undefined) => [error?.code, error?.party];

for (const pair of tlsEnds())
  describe(pair.name, () => {
    beforeAll(() => {
      ends = pair;
    });

    describe('parties that pin each other', () => {
      const place = (id: 1 | 2) => join(root, `operator-${id}`);
      const identity = async (id: 1 | 2, dir = place(id)) => (await ensureIdentity(dir, id)).publicKey;
      async function pinned(id: 1 | 2, pin?: string, dir = place(id)): Promise<Pinned> {
        const { key, cert } = await ensureOwnCertificate(dir, id);
        const other = id === 1 ? 2 : 1;
        return { own: { key, cert }, pins: { [other]: pin ?? (await identity(other)) } };
      }
      const owner = async (): Promise<Pinned> => ({ pins: { 1: await identity(1), 2: await identity(2) } });

      it('have a link, from two folders that share nothing; an owner who shows nothing has one to each', async () => {
        expect(await tried([2, await pinned(2)], [1, await pinned(1)])).toEqual({ error: undefined, refused: [] });
        for (const id of [1, 2] as const)
          expect(await tried([0, await owner()], [id, await pinned(id)])).toEqual({ error: undefined, refused: [] });
        expect([await readdir(place(1)), await readdir(place(2))]).toEqual([
          ['identity-party-1.key'],
          ['identity-party-2.key'],
        ]);
      });

      it('show the identity that pages pin, and print no key', async () => {
        const made = await ensureOwnCertificate(place(1), 1);
        const certificate = new X509Certificate(made.cert);
        expect(ed25519Of(certificate.publicKey)).toBe(await identity(1));
        expect(certificate.verify(certificate.publicKey)).toBe(true);
        expect(certificate.checkPrivateKey(createPrivateKey(made.key))).toBe(true);
        for (const shown of [inspect(made), JSON.stringify(made), String(made)])
          expect(shown).not.toContain('PRIVATE KEY-----');
        expect((await ensureOwnCertificate(place(1), 1)).cert).toBe(made.cert);
      });

      it('refuse another key at the connector, which says who did not prove itself', async () => {
        const stranger = await identity(1, join(root, 'stranger'));
        const { error } = await tried([2, await pinned(2, stranger)], [1, await pinned(1)]);
        expect(about(error)).toEqual(['ERR_IDENTITY_KEY', 1]);
        expect(error?.message).toMatch(/party 1 at 127.* did not prove itself to party 2/);
      });

      it('refuse another key at the listener, and both ends know whose', async () => {
        const stranger = await identity(2, join(root, 'stranger'));
        const { error, refused } = await tried([2, await pinned(2)], [1, await pinned(1, stranger)]);
        expect(about(error)).toEqual(['ERR_PEER_CERTIFICATE', 2]);
        expect(error?.message).toMatch(/party 2 did not prove to party 1 at 127.* who it is/);
        expect(refused.map(about)).toEqual([['ERR_IDENTITY_KEY', 2]]);
      });

      it('refuse a party in the place of another, and one without a key', async () => {
        // Party 2 listens where the owner expects party 1.
        const swapped = await tried([0, await owner()], [1, await pinned(2)]);
        expect(about(swapped.error)).toEqual(['ERR_IDENTITY_PARTY', 1]);
        // Somebody without a certificate says that it is party 2, and somebody with party 1's own that it is party 1's
        // peer.
        for (const [claims, { own: _own, ...bare }] of [[2, await pinned(2)]] as const) {
          const { error, refused } = await tried([claims, bare], [1, await pinned(1)]);
          expect(about(error)).toEqual(['ERR_PEER_CERTIFICATE', 2]);
          expect(refused.map(about)).toEqual([['ERR_IDENTITY_KEY', 2]]);
        }
        const { own } = await pinned(1);
        const mirrored = await tried(
          [2, { ...(await pinned(2)), ...(own === undefined ? {} : { own }) }],
          [1, await pinned(1)],
        );
        expect(mirrored.refused.map(about)).toEqual([['ERR_IDENTITY_KEY', 2]]);
      });

      it('do not mix with certificates, in either direction', async () => {
        const local = await createCertificates();
        const there = await tried([2, credentialsOf(local, 2)], [1, await pinned(1)]);
        expect(about(there.error)).toEqual(['ERR_PEER_CERTIFICATE', 1]);
        const here = await tried([2, await pinned(2)], [1, credentialsOf(local, 1)]);
        expect(about(here.error)).toEqual(['ERR_IDENTITY_KEY', 1]);
        // An owner that shows nothing is nobody to a party with certificates.
        const { error, refused } = await tried(
          [0, { ...(await owner()), pins: { 1: await identity(1) } }],
          [1, credentialsOf(local, 1)],
        );
        expect(error?.code).toBe('ERR_IDENTITY_KEY');
        expect(refused.map(({ code }) => code)).not.toContain('ERR_IDENTITY_KEY');
      });

      it('take no session of TLS up again: it shows no certificate', async () => {
        const fresh: ProvedSocket = {
          authorized: true,
          authorizationError: undefined as never,
          isSessionReused: () => false,
          getPeerCertificate: (() => ({})) as never,
          getPeerX509Certificate: () => undefined,
        };
        const terms = { self: 1, claimed: 2, where: 'there' } as const;
        const resumed = { ...fresh, isSessionReused: () => true };
        thrown('ERR_IDENTITY_KEY', () => checkProof(resumed, { pins: {} }, terms));
        const certified: Certified = { ca: '', key: '', cert: '' };
        expect(thrown('ERR_PEER_CERTIFICATE', () => checkProof(resumed, certified, terms)).message).toContain(
          'no certificate',
        );
        // Control: the same end, not resumed, gets as far as what its certificate names.
        expect(thrown('ERR_PEER_CERTIFICATE', () => checkProof(fresh, certified, terms)).message).toContain(
          'names no party',
        );
      });
    });

    describe('parties with certificates of one authority', () => {
      const place = (id: PartyId) => join(root, `folder-${id}`);

      /** As two operators do it: key and request there, certificate from here. */
      async function enrolled(
        id: PartyId,
        authority: Authority,
        how: { days?: number; now?: Date } = {},
      ): Promise<string> {
        const { key, request } = await createRequest(id);
        await rm(place(id), { recursive: true, force: true });
        await mkdir(place(id), { recursive: true, mode: 0o700 });
        const write = (name: string, text: string) => writeFile(join(place(id), name), text, { mode: 0o600 });
        await write(`party-${id}.key`, key);
        await write(`party-${id}.pem`, await issueCertificate(authority, request, { party: id, ...how }));
        await write('ca.pem', authority.ca);
        return place(id);
      }
      const shown = async (id: PartyId, authority: Authority) => loadCredentials(await enrolled(id, authority), id);

      it('have links from three folders that share the authority’s certificate and nothing else', async () => {
        const authority = await createAuthority();
        const [zero, one, two] = [await shown(0, authority), await shown(1, authority), await shown(2, authority)];
        expect(await tried([2, two], [1, one])).toEqual({ error: undefined, refused: [] });
        expect(await tried([0, zero], [1, one])).toEqual({ error: undefined, refused: [] });
        expect(await tried([0, zero], [2, two])).toEqual({ error: undefined, refused: [] });
        expect(await readdir(place(1))).toEqual(['ca.pem', 'party-1.key', 'party-1.pem']);
        expect(new Set([zero, one, two].map(({ key }) => key)).size).toBe(3);
      });

      it('refuse a certificate of party 1 as party 2 and as an owner, at both ends', async () => {
        const authority = await createAuthority();
        const [one, two] = [await shown(1, authority), await shown(2, authority)];
        for (const claims of [2, 0] as const) {
          const { error, refused } = await tried([claims, one], [1, one]);
          expect(about(error)).toEqual(['ERR_PEER_CERTIFICATE', claims]);
          expect(refused.map(about)).toEqual([['ERR_PEER_CERTIFICATE', claims]]);
          expect(refused[0].message).toContain(
            `did not prove to party 1 that it is ${claims === 0 ? 'the data owner' : 'party 2'}: its certificate is that of party 1`,
          );
        }
        // It listens as party 1, and the owner looks for party 2 there, and the other way round.
        for (const [asked, there] of [
          [2, one],
          [1, two],
        ] as const) {
          const { error } = await tried([0, await shown(0, authority)], [asked, there]);
          expect(about(error)).toEqual(['ERR_PEER_CERTIFICATE', asked]);
        }
      });

      it('refuse those of another authority, and say who was not believed by whom', async () => {
        const [authority, other] = [await createAuthority(), await createAuthority()];
        const [one, two] = [await shown(1, authority), await shown(2, other)];
        const neither = await tried([2, two], [1, one]);
        expect(about(neither.error)).toEqual(['ERR_PEER_CERTIFICATE', 1]);
        // Party 2 believes both authorities, party 1 its own.
        const { error, refused } = await tried([2, { ...two, ca: `${two.ca}\n${one.ca}` }], [1, one]);
        expect(about(error)).toEqual(['ERR_PEER_CERTIFICATE', 2]);
        expect(error?.message).toMatch(/party 2 did not prove to party 1 at/);
        expect(refused.map(({ code }) => code)).toEqual(['ERR_PEER_CERTIFICATE']);
      });

      it('refuse one that has ended, at the link and before it is shown', async () => {
        const authority = await createAuthority({ now: new Date(Date.now() - 900 * DAY_MS), days: 3650 });
        const [one, two] = [await shown(1, authority), await shown(2, authority)];
        await enrolled(2, authority, { now: new Date(Date.now() - 400 * DAY_MS), days: 365 });
        const old = await loadCredentials(place(2), 2, { now: new Date(Date.now() - 100 * DAY_MS) });
        expect((await tried([2, two], [1, one])).error).toBeUndefined();
        const { error, refused } = await tried([2, old], [1, one]);
        expect(about(error)).toEqual(['ERR_PEER_CERTIFICATE', 2]);
        expect(refused[0].message).toContain('CERT_HAS_EXPIRED');
        expect(about((await tried([1, one], [2, old])).error)).toEqual(['ERR_PEER_CERTIFICATE', 2]);
        expect((await failure('ERR_PEER_CERTIFICATE', () => loadCredentials(place(2), 2))).message).toContain(
          'holds from',
        );
      });

      it('are told what their folder lacks, or holds of somebody else', async () => {
        const [authority, other] = [await createAuthority(), await createAuthority()];
        for (const name of ['ca.pem', 'party-1.key', 'party-1.pem']) {
          await rm(join(await enrolled(1, authority), name));
          expect((await failure('ERR_PEER_CERTIFICATE', () => loadCredentials(place(1), 1))).message).toContain(
            `there is no ${name}`,
          );
        }
        // Nothing is made up in its place.
        expect(await readdir(place(1))).toEqual(['ca.pem', 'party-1.key']);
        const dir = await enrolled(1, authority);
        expect((await failure('ERR_PEER_CERTIFICATE', () => loadCredentials(dir, 2))).message).toContain('party-2.key');
        await chmod(join(dir, 'party-1.key'), 0o640);
        expect((await failure('ERR_PEER_CERTIFICATE', () => loadCredentials(dir, 1))).message).toContain('other users');
        await enrolled(1, authority);
        await copyFile(join(await enrolled(2, authority), 'party-2.key'), join(dir, 'party-1.key'));
        expect((await failure('ERR_PEER_CERTIFICATE', () => loadCredentials(dir, 1))).message).toContain(
          'not that of its certificate',
        );
        await copyFile(join(place(2), 'party-2.pem'), join(dir, 'party-1.pem'));
        expect((await failure('ERR_PEER_CERTIFICATE', () => loadCredentials(dir, 1))).message).toContain(
          'that of party 2, this is party 1',
        );
        await enrolled(1, authority);
        await writeFile(join(dir, 'ca.pem'), other.ca);
        expect((await failure('ERR_PEER_CERTIFICATE', () => loadCredentials(dir, 1))).message).toContain(
          'another authority',
        );
        await writeFile(join(dir, 'ca.pem'), 'x');
        await failure('ERR_PEER_CERTIFICATE', () => loadCredentials(dir, 1));
      });

      it('also take a part of a set that was made elsewhere, and a whole one as before', async () => {
        const whole = join(root, 'whole');
        const made = await ensureCertificates(whole);
        expect(await loadCredentials(whole, 2)).toEqual(credentialsOf(made, 2));
        const part = join(root, 'part', 'set-000001');
        await mkdir(part, { recursive: true });
        for (const name of ['ca.pem', 'party-1.key', 'party-1.pem'])
          await copyFile(join(whole, 'set-000001', name), join(part, name));
        expect(await loadCredentials(join(root, 'part'), 1)).toEqual(credentialsOf(made, 1));
        await failure('ERR_PEER_CERTIFICATE', () => loadCredentials(join(root, 'part'), 2));
      });
    });

    describe('an authority', () => {
      it('issues for one party, whatever else a request asks for', async () => {
        await import('reflect-metadata');
        const x509 = await import('@peculiar/x509');
        const authority = await createAuthority();
        const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
        const greedy = await x509.Pkcs10CertificateRequestGenerator.create({
          name: 'CN=party-1.tercet',
          keys,
          signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
          extensions: [
            new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'party-2.tercet' }]),
            new x509.BasicConstraintsExtension(true),
          ],
        });
        const certificate = new X509Certificate(
          await issueCertificate(authority, greedy.toString('pem'), { party: 1 }),
        );
        expect([certificate.subjectAltName, certificate.ca, certificate.subject]).toEqual([
          'DNS:party-1.tercet',
          false,
          'CN=party-1.tercet',
        ]);
        expect(certificate.verify(new X509Certificate(authority.ca).publicKey)).toBe(true);
        expect(keyFingerprint(certificate.publicKey)).toBe(await requestFingerprint(greedy.toString('pem')));
      });

      it('refuses a request of another party, one that was changed, one of another kind of key, and what is none', async () => {
        const authority = await createAuthority();
        const { request, key } = await createRequest(1);
        await issueCertificate(authority, request, { party: 1 });
        await failure('ERR_PEER_CERTIFICATE', () => issueCertificate(authority, request, { party: 2 }));
        const der = Buffer.from(request.replace(/-----[^-]+-----|\s/g, ''), 'base64');
        der[der.length - 1] ^= 1;
        const changed = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----`;
        await failure('ERR_PEER_CERTIFICATE', () => issueCertificate(authority, changed, { party: 1 }));
        await failure('ERR_PEER_CERTIFICATE', () => issueCertificate(authority, 'x', { party: 1 }));
        await failure('ERR_PEER_CERTIFICATE', () => issueCertificate({ ca: authority.ca, key }, request, { party: 1 }));
        const { ca } = await createAuthority();
        await failure('ERR_PEER_CERTIFICATE', () => issueCertificate({ ...authority, ca }, request, { party: 1 }));
      });

      it('issues nothing that outlives it', async () => {
        const authority = await createAuthority({ days: 10 });
        const { request } = await createRequest(2);
        const { validTo } = new X509Certificate(await issueCertificate(authority, request, { party: 2, days: 365 }));
        expect(validTo).toBe(new X509Certificate(authority.ca).validTo);
      });
    });
  });
