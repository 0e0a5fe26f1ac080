/**
 * Owners' credentials for secret weights: the file, the matrix of refusals over browser links and TLS links,
 * replays, and the list of revoked ones.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { failure } from '../failure.ts';
import { fromHex } from '../../src/core/bytes.ts';
import { type ErrorCode, TercetError } from '../../src/core/errors.ts';
import { credentialsOf } from '../../src/net/tls/certificates.ts';
import { OwnerCredential } from '../../src/net/enrolment/credential.ts';
import { PRESENTED_BYTES } from '../../src/net/enrolment/credential-terms.ts';
import { Enrolment } from '../../src/net/enrolment/enrolment.ts';
import { createIdentity } from '../../src/net/identity/identity.ts';
import { signRevocations } from '../../src/net/enrolment/revocations.ts';
import { connectTls } from '../../src/net/tls/connect.ts';
import { listenTls } from '../../src/net/tls/listener.ts';
import { releaseWebRtc } from '../../src/net/webrtc/node.ts';
import { NOW, type TestSharing, testCredential, testFile, testSharing } from '../support/enrolment.ts';
import { printed, secretsIn } from '../support/secrets.ts';
import { SESSION, same, testCertificates, until } from './helpers.ts';
import { REQUEST_CODE, type TestGateway, closeGateways, owner, testGateway } from './owner-links.ts';

let sharing: TestSharing;
let other: TestSharing;

beforeAll(async () => {
  [sharing, other] = [await testSharing(), await testSharing()];
});
afterEach(closeGateways);
afterAll(releaseWebRtc);

const bytes = (text: string) => new TextEncoder().encode(text);
const anotherSession = (): Uint8Array => crypto.getRandomValues(new Uint8Array(16));

function enrolment(
  of: TestSharing = sharing,
  options: Partial<ConstructorParameters<typeof Enrolment>[0]> = {},
): Enrolment {
  return new Enrolment({ sharing: of.sharing, publicKey: of.key.publicKey, now: () => NOW, ...options });
}

/**
 * Something that presents what was recorded, or nothing that is right, where a credential is asked to present
 * itself.
 */
function pretender(presented: Uint8Array): OwnerCredential {
  return { present: () => presented } as unknown as OwnerCredential;
}

describe('a credential file', () => {
  it('is read as text, bytes, a buffer, a Blob, and as the object in it', async () => {
    const text = await testFile(sharing);
    for (const source of [
      text,
      bytes(text),
      bytes(text).buffer as ArrayBuffer,
      new Blob([text]),
      JSON.parse(text) as object,
    ]) {
      const credential = await OwnerCredential.read(source);
      expect(credential).toMatchObject({ name: 'alice', sharing: sharing.sharing, expires: NOW + 1000 });
      expect(same(credential.seeds(), sharing.seeds)).toBe(true);
    }
  });

  it.each<[string, unknown]>([
    ['nothing', ''],
    ['no JSON', '{'],
    ['another JSON', '{"kind":"something else"}'],
    ['a list', '[]'],
    ['null', null],
    ['a number', 5],
    ['5 kB', new Uint8Array(5000)],
    ['bytes that are no text', Uint8Array.of(0xff, 0xfe, 0xff)],
  ])('that is %s is refused without a word of what it holds', async (_what, source) => {
    const error = await failure('ERR_ARGUMENT', OwnerCredential.read(source as string));
    expect(error.line()).not.toContain('something else');
  });

  it('of which any part belongs to another one is refused: certificate, key, seeds, sharing, enrolment key', async () => {
    const [mine, theirs] = [JSON.parse(await testFile(sharing)), JSON.parse(await testFile(other))] as Record<
      string,
      string
    >[];
    for (const part of ['certificate', 'key', 'seeds', 'masked', 'enrolment'])
      await failure('ERR_CREDENTIAL_SIGNATURE', OwnerCredential.read({ ...mine, [part]: theirs[part] }));
    // Every byte of the certificate counts.
    for (const at of [0, 5, 20, 60, 82, 100]) {
      const certificate = fromHex(mine['certificate']);
      certificate[at] ^= 1;
      await failure(
        'ERR_CREDENTIAL_SIGNATURE',
        OwnerCredential.read({ ...mine, certificate: Buffer.from(certificate).toString('hex') }),
      );
    }
  });

  it('says before anybody is asked that it is for another sharing, or that it has ended', async () => {
    const credential = await testCredential(sharing);
    credential.check(sharing.sharing, NOW);
    expect(() => credential.check(other.sharing, NOW)).toThrow(
      expect.objectContaining({ code: 'ERR_CREDENTIAL_SHARING' }),
    );
    expect(() => credential.check(sharing.sharing, NOW + 1000)).toThrow(
      expect.objectContaining({ code: 'ERR_CREDENTIAL_EXPIRED' }),
    );
  });

  it('names the one dealer that the model owner permits, and says so before anybody is asked', async () => {
    const [mine, others] = ['d1', 'd2'].map((byte) => byte.repeat(32));
    const credential = await testCredential(sharing, { dealer: mine });
    await enrolment().checkDealer(credential.permitFor(mine), mine, 1);
    await failure('ERR_CREDENTIAL_DEALER', async () => credential.permitFor(others));
    await failure('ERR_CREDENTIAL_DEALER', async () => testCredential(sharing).then((none) => none.permitFor(mine)));
    const refused = [
      [undefined, mine],
      [credential.permitFor(mine), others],
      [(await testCredential(other, { dealer: mine })).permitFor(mine), mine],
    ] as const;
    for (const [permit, dealer] of refused)
      expect((await failure('ERR_CREDENTIAL_DEALER', enrolment().checkDealer(permit, dealer, 2))).party).toBe(2);
  });

  it('with a permit that is not whole, or for another dealer or sharing, is refused', async () => {
    const text = async (of: TestSharing) => JSON.parse(await testFile(of, { dealer: 'd1'.repeat(32) })) as object;
    const [mine, theirs] = [await text(sharing), (await text(other)) as { readonly permit: string }];
    await OwnerCredential.read(mine);
    for (const changed of [{ dealer: 'd2'.repeat(32) }, { permit: theirs.permit }])
      await failure('ERR_CREDENTIAL_SIGNATURE', OwnerCredential.read({ ...mine, ...changed }));
    for (const changed of [{ permit: undefined }, { permit: 'ab' }, { dealer: 'x' }])
      await failure('ERR_ARGUMENT', OwnerCredential.read({ ...mine, ...changed }));
  });

  it('shows neither key nor seeds, however it is printed, and forgets them when it is wiped', async () => {
    const file = JSON.parse(await testFile(sharing)) as Record<string, string>;
    const credential = await OwnerCredential.read(file);
    const held = { key: fromHex(file['key']), seeds: sharing.seeds };
    expect(secretsIn(printed(credential), held)).toEqual([]);
    expect(secretsIn(printed(file), held), 'positive control of the search').toEqual(['key', 'seeds']);
    credential.wipe();
    expect(credential.seeds().every((byte) => byte === 0)).toBe(true);
    expect(() => credential.present({ party: 1, session: SESSION, binding: new Uint8Array(32) })).toThrow(
      expect.objectContaining({ code: 'ERR_STATE' }),
    );
  });
});

/** What is presented in one case, and what each side must say. */
interface Case {
  readonly what: string;
  readonly code: ErrorCode;
  readonly credential: () => Promise<OwnerCredential | undefined>;
  readonly revoked?: (credential: OwnerCredential) => string;
}

const CASES: readonly Case[] = [
  { what: 'nothing', code: 'ERR_CREDENTIAL_MISSING', credential: async () => undefined },
  {
    what: 'one that has ended',
    code: 'ERR_CREDENTIAL_EXPIRED',
    credential: () => testCredential(sharing, { expires: NOW }),
  },
  {
    what: 'one that was revoked',
    code: 'ERR_CREDENTIAL_REVOKED',
    credential: () => testCredential(sharing),
    revoked: ({ id }) => signRevocations({ sharing: sharing.sharing, number: 1, ids: [id] }, sharing.key),
  },
  { what: 'one of another sharing', code: 'ERR_CREDENTIAL_SHARING', credential: () => testCredential(other) },
  {
    what: 'one that another enrolment key signed for this sharing',
    code: 'ERR_CREDENTIAL_SIGNATURE',
    credential: async () => {
      const { certificate } = JSON.parse(await testFile(sharing, { signer: other.key })) as { certificate: string };
      const proof = new Uint8Array(PRESENTED_BYTES);
      proof.set(fromHex(certificate));
      return pretender(proof);
    },
  },
  {
    what: 'somebody else’s certificate, without its key',
    code: 'ERR_CREDENTIAL_SIGNATURE',
    credential: async () => {
      const presented = (await testCredential(sharing)).present({
        party: 1,
        session: SESSION,
        binding: new Uint8Array(32),
      });
      const proof = (await createIdentity()).sign(presented.subarray(0, 153));
      presented.set(proof, 153);
      return pretender(presented);
    },
  },
];

describe.each(['websocket', 'webrtc'] as const)('over a browser’s link (%s)', (transport) => {
  /** A party that serves this sharing to enrolled owners, and an open model to everybody. */
  function party(id: 1 | 2, own: Enrolment): Promise<TestGateway> {
    return testGateway({
      party: id,
      admit: () => undefined,
      enrolment: (hash) => (same(hash, fromHex(sharing.sharing)) ? own : undefined),
    });
  }
  const ask = (to: TestGateway, id: 1 | 2, credential: OwnerCredential | undefined, session: Uint8Array = SESSION) =>
    owner(to, { party: id, transport, session, modelHash: sharing.sharing, requestCode: REQUEST_CODE, credential });

  it('takes an enrolled owner, at either party, and anybody for the open model (positive control)', async () => {
    for (const id of [1, 2] as const) {
      const gateway = await party(id, enrolment());
      const [link, arrival] = await Promise.all([ask(gateway, id, await testCredential(sharing)), gateway.arrival()]);
      expect(same(link.pairKey, arrival.pairKey)).toBe(true);
      await link.channel.close();
      const [open] = await Promise.all([
        owner(gateway, { party: id, transport, session: anotherSession() }),
        gateway.arrival(),
      ]);
      await open.channel.close();
      expect(gateway.refused).toEqual([]);
    }
  });

  it.each(CASES)(
    'refuses $what: $code, on both sides, and hands nothing on',
    async ({ code, credential: make, revoked }) => {
      const credential = await make();
      const own = enrolment();
      if (revoked !== undefined && credential !== undefined) await own.take(bytes(revoked(credential)));
      for (const id of [1, 2] as const) {
        let arrived = 0;
        const gateway = await testGateway({
          party: id,
          admit: () => undefined,
          enrolment: () => own,
          onOwner: () => arrived++,
        });
        const error = await failure(code, ask(gateway, id, credential));
        expect(error).toMatchObject({ party: id, hint: expect.stringContaining("model's owner") });
        await until(() => gateway.refused.length > 0);
        expect(gateway.refused.map((refusal) => refusal.code)).toEqual([code]);
        expect(arrived).toBe(0);
      }
    },
  );

  it('refuses what was presented to the other party, or in another session, even by whoever saw it in the clear', async () => {
    const credential = await testCredential(sharing);
    const seen: Uint8Array[] = [];
    const recorder = {
      present: (on: Parameters<OwnerCredential['present']>[0]) => {
        seen.push(credential.present(on));
        return seen[seen.length - 1].slice();
      },
    } as unknown as OwnerCredential;
    const [one, two] = [await party(1, enrolment()), await party(2, enrolment())];
    const [link] = await Promise.all([ask(one, 1, recorder), one.arrival()]);
    await link.channel.close();
    expect(seen).toHaveLength(1);
    await failure('ERR_CREDENTIAL_SIGNATURE', ask(two, 2, pretender(seen[0])));
    await failure('ERR_CREDENTIAL_SIGNATURE', ask(one, 1, pretender(seen[0]), anotherSession()));
    // The same session again is another link, with other keys.
    await failure('ERR_CREDENTIAL_SIGNATURE', ask(await party(1, enrolment()), 1, pretender(seen[0])));
  });

  it('refuses a credential for a model that is open to everybody', async () => {
    const gateway = await testGateway({ admit: () => undefined });
    await failure('ERR_PEER_CLOSED', owner(gateway, { transport, credential: await testCredential(sharing) }));
    await until(() => gateway.refused.length > 0);
    expect(gateway.refused.map((refusal) => refusal.code)).toEqual(['ERR_PEER_MISMATCH']);
  });
});

describe('over TLS', () => {
  /** Both ends of a link to a party. */
  async function link(id: 1 | 2, session: Uint8Array) {
    const certificates = await testCertificates();
    const listener = await listenTls({ self: id, credentials: credentialsOf(certificates, id), timeoutMs: 5_000 });
    const [own, theirs] = await Promise.all([
      connectTls({
        self: 0,
        peer: id,
        host: '127.0.0.1',
        port: listener.port,
        credentials: credentialsOf(certificates, 0),
        session,
        timeoutMs: 5_000,
      }),
      listener.accept({ peer: 0, session }),
    ]);
    const close = async (): Promise<void> => {
      await Promise.all([own.close(), theirs.close()]);
      await listener.close();
    };
    return { own, theirs, close };
  }

  it('a link has one binding at both ends, and no two links have the same', async () => {
    const links = [
      await link(1, SESSION),
      await link(1, SESSION),
      await link(1, anotherSession()),
      await link(2, SESSION),
    ];
    const names = links.map(({ own, theirs }) => {
      expect(same(own.binding(), theirs.binding())).toBe(true);
      // What P1 and P2 prove with is for nothing else.
      expect(same(own.exported('k12'), theirs.exported('k12'))).toBe(true);
      return [own.binding(), own.exported('k12')].map((bytes) => Buffer.from(bytes).toString('hex'));
    });
    expect(new Set(names.flat()).size).toBe(2 * links.length);
    await Promise.all(links.map(({ close }) => close()));
  });

  it('what is presented on one link is good there, and at no other party, session or link', async () => {
    const credential = await testCredential(sharing);
    const [here, again, later, there] = [
      await link(1, SESSION),
      await link(1, SESSION),
      await link(1, anotherSession()),
      await link(2, SESSION),
    ];
    const presented = credential.present({ party: 1, session: SESSION, binding: here.own.binding() });
    const on = (party: 1 | 2, { theirs }: typeof here) => ({
      party,
      session: theirs.session,
      binding: theirs.binding(),
    });
    expect(await enrolment().check(presented, on(1, here)), 'positive control').toBe(credential.id);
    for (const where of [on(1, again), on(1, later), on(2, there), on(2, here)])
      await failure('ERR_CREDENTIAL_SIGNATURE', enrolment().check(presented, where));
    await Promise.all([here, again, later, there].map(({ close }) => close()));
  });

  it.each(CASES)('refuses $what: $code', async ({ code, credential: make, revoked }) => {
    const credential = await make();
    for (const party of [1, 2] as const) {
      const own = enrolment();
      if (revoked !== undefined && credential !== undefined) await own.take(bytes(revoked(credential)));
      const { own: from, theirs, close } = await link(party, SESSION);
      const presented = credential?.present({ party, session: SESSION, binding: from.binding() });
      expect(
        (await failure(code, own.check(presented, { party, session: SESSION, binding: theirs.binding() }))).party,
      ).toBe(party);
      await close();
    }
  });
});

describe('the list of revoked credentials', () => {
  const on = { party: 1, session: SESSION, binding: new Uint8Array(32).fill(3) } as const;

  it('is read again when there is a new one, and an older one does not replace it', async () => {
    const [alice, bob] = [await testCredential(sharing), await testCredential(sharing)];
    const list = (number: number, ...ids: string[]) =>
      bytes(signRevocations({ sharing: sharing.sharing, number, ids }, sharing.key));
    const given: (Uint8Array | undefined)[] = [];
    const party = enrolment(sharing, { revocations: async () => given.shift() });
    expect(await party.check(alice.present(on), on)).toBe(alice.id);
    given.push(list(2, alice.id));
    await failure('ERR_CREDENTIAL_REVOKED', party.check(alice.present(on), on));
    expect(await party.check(bob.present(on), on)).toBe(bob.id);
    // A list from before, without alice, and another one of the same number.
    given.push(list(1), list(2));
    for (let i = 0; i < 2; i++) await failure('ERR_CREDENTIAL_REVOKED', party.check(alice.present(on), on));
    given.push(list(3, alice.id, bob.id));
    await failure('ERR_CREDENTIAL_REVOKED', party.check(bob.present(on), on));
    expect(party.listNumber).toBe(3);
  });

  it('that is damaged, unsigned or of another sharing is said and not taken; the one before stays in force', async () => {
    const alice = await testCredential(sharing);
    const good = { sharing: sharing.sharing, number: 1, ids: [alice.id] };
    const signed = JSON.parse(signRevocations({ ...good, number: 9, ids: [] }, sharing.key)) as Record<string, unknown>;
    const bad = [
      'no JSON',
      '[]',
      signRevocations({ ...good, number: 9, ids: [] }, other.key),
      signRevocations({ ...good, sharing: other.sharing, number: 9, ids: [] }, other.key),
      JSON.stringify({ ...signed, number: 10 }),
      JSON.stringify({ ...signed, ids: ['00'.repeat(16)] }),
    ];
    const problems: TercetError[] = [];
    const given: Uint8Array[] = [bytes(signRevocations(good, sharing.key)), ...bad.map(bytes)];
    const party = enrolment(sharing, {
      revocations: async () => given.shift(),
      onProblem: (error) => problems.push(error),
    });
    for (let i = 0; i <= bad.length; i++) await failure('ERR_CREDENTIAL_REVOKED', party.check(alice.present(on), on));
    expect(problems.map(({ code }) => code)).toEqual(bad.map(() => 'ERR_MODEL_FORMAT'));
    // A file that cannot be read is no reason to let anybody in, or to keep everybody out.
    const failing = enrolment(sharing, {
      revocations: () => Promise.reject(new TercetError('ERR_MODEL_FORMAT', 'cannot be read', 'x')),
      onProblem: (error) => problems.push(error),
    });
    expect(await failing.check(alice.present(on), on)).toBe(alice.id);
    expect(problems).toHaveLength(bad.length + 1);
  });
});
