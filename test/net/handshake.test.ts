import { beforeAll, describe, expect, it } from 'vitest';
import { failure } from '../failure.ts';
import { concatBytes } from '../../src/core/bytes.ts';
import { type ErrorCode, TercetError } from '../../src/core/errors.ts';
import { FramedChannel, type Transport } from '../../src/net/wire/channel.ts';
import { linkTransport } from '../../src/net/chunks/transport.ts';
import {
  ownerHandshake,
  ownerHandshakeOn,
  partyHandshake,
  partyHandshakeOn,
} from '../../src/net/handshake/handshake.ts';
import { FINISH_BYTES, OWNER_HELLO_BYTES, PARTY_HELLO_BYTES } from '../../src/net/handshake/messages.ts';
import { OwnerHandshake, type OwnerTerms } from '../../src/net/handshake/owner.ts';
import { PartyHandshake, type PartyTerms } from '../../src/net/handshake/party.ts';
import { type PartyIdentity, createIdentity } from '../../src/net/identity/identity.ts';
import { memoryPair } from '../../src/net/simulated/memory-link.ts';
import { SESSION, same } from './helpers.ts';
import { printed, secretsIn } from '../support/secrets.ts';
import { type MemoryLink, memoryLinks } from './memory-links.ts';

const MODEL = new Uint8Array(32).fill(0xaa);
const REQUEST_CODE = new Uint8Array(32).fill(0xbb);
const SIGNALLING = new Uint8Array(32).fill(0xcc);
const NONE = new Uint8Array(0);

let one: PartyIdentity;
let two: PartyIdentity;

beforeAll(async () => {
  [one, two] = await Promise.all([createIdentity(), createIdentity()]);
});

function ownerTerms(changes: Partial<OwnerTerms> = {}): OwnerTerms {
  const base = {
    transport: 'webrtc',
    party: 1,
    session: SESSION,
    modelHash: MODEL,
    requestCode: REQUEST_CODE,
    signallingHash: SIGNALLING,
  } as const;
  return { ...base, identity: one.publicKey, otherIdentity: two.publicKey, ...changes };
}

function partyTerms(changes: Partial<PartyTerms> = {}): PartyTerms {
  const admit: PartyTerms['admit'] = ({ modelHash, requestCode }) => {
    if (!same(modelHash, MODEL)) throw new TercetError('ERR_MODEL_HASH', 'not that model', 'ask for another');
    if (!same(requestCode, REQUEST_CODE))
      throw new TercetError('ERR_PEER_MISMATCH', 'other parameters', 'use the same version');
  };
  return {
    party: 1,
    identity: one,
    transport: 'webrtc',
    session: SESSION,
    signallingHash: SIGNALLING,
    admit,
    ...changes,
  };
}

/** Whether a promise was kept, and with which code it was not. */
async function outcome(promise: Promise<unknown>): Promise<ErrorCode | 'ok'> {
  return promise.then(
    () => 'ok' as const,
    (error: unknown) => (error instanceof TercetError ? error.code : 'ERR_INTERNAL'),
  );
}

/**
 * One whole handshake, with changes to what both sides know and to the messages under way. What each side says in
 * the end.
 */
async function shake(options: {
  owner?: Partial<OwnerTerms>;
  party?: Partial<PartyTerms>;
  change?: {
    hello?: (bytes: Uint8Array) => Uint8Array;
    answer?: (bytes: Uint8Array) => Uint8Array;
    finish?: (bytes: Uint8Array) => Uint8Array;
  };
}): Promise<{ owner: TercetError | undefined; party: TercetError | undefined; keys: readonly Uint8Array[] }> {
  const keep = (bytes: Uint8Array): Uint8Array => bytes;
  const { hello = keep, answer = keep, finish = keep } = options.change ?? {};
  const owner = await OwnerHandshake.begin(ownerTerms(options.owner));
  const party = await PartyHandshake.begin(partyTerms(options.party));
  const failed: { owner?: TercetError; party?: TercetError } = {};
  const keys: Uint8Array[] = [];
  try {
    const said = await party.answer(hello(owner.hello.slice()));
    if (said.refusal !== undefined) failed.party = said.refusal;
    try {
      const { finish: last, secrets } = await owner.finish(answer(said.hello.slice()));
      keys.push(secrets.pairKey());
      try {
        keys.push(party.confirm(finish(last.slice())).pairKey());
      } catch (error) {
        failed.party = error as TercetError;
      }
    } catch (error) {
      failed.owner = error as TercetError;
    }
  } catch (error) {
    failed.party = error as TercetError;
  }
  return { owner: failed.owner, party: failed.party, keys };
}

const flip =
  (at: number, mask = 1): ((bytes: Uint8Array) => Uint8Array) =>
  (bytes) =>
    bytes.map((byte, i) => (i === at ? byte ^ mask : byte));

describe('the handshake', () => {
  it('gives both sides the same fresh key (positive control of all below)', async () => {
    const first = await shake({});
    expect([first.owner, first.party]).toEqual([undefined, undefined]);
    expect(first.keys.length).toBe(2);
    expect(same(first.keys[0], first.keys[1])).toBe(true);
    expect(first.keys[0].length).toBe(32);
    const second = await shake({});
    expect(same(first.keys[0], second.keys[0])).toBe(false);
  });

  it('refuses a party without the pinned key, by name', async () => {
    const stranger = await createIdentity();
    const { owner, keys } = await shake({ party: { identity: stranger } });
    expect(owner).toMatchObject({ code: 'ERR_IDENTITY_KEY' });
    expect(owner?.message).toContain('party 1');
    expect(keys).toEqual([]);
  });

  it('refuses the other party in this one’s place, by name, whether it says who it is or not', async () => {
    for (const party of [{ party: 2, identity: two } as const, { party: 1, identity: two } as const]) {
      const { owner } = await shake({ party });
      expect(owner).toMatchObject({ code: 'ERR_IDENTITY_PARTY', message: 'party 2 answered in the place of party 1' });
    }
    // The same with roles exchanged.
    const { owner } = await shake({
      owner: { party: 2, identity: two.publicKey, otherIdentity: one.publicKey },
      party: { party: 1, identity: one },
    });
    expect(owner).toMatchObject({ code: 'ERR_IDENTITY_PARTY', message: 'party 1 answered in the place of party 2' });
    // One key pinned for both parties does not help.
    expect((await shake({ party: { party: 2 } })).owner).toMatchObject({ code: 'ERR_IDENTITY_PARTY' });
  });

  it('refuses a recorded answer', async () => {
    let recorded: Uint8Array = NONE;
    await shake({ change: { answer: (bytes) => (recorded = bytes) } });
    const { owner } = await shake({ change: { answer: () => recorded } });
    expect(owner).toMatchObject({ code: 'ERR_IDENTITY_REPLAY' });
    expect(owner?.message).toContain('party 1');
  });

  it('refuses another session, model, request, signalling or kind of link, on both sides', async () => {
    const other = new Uint8Array(32).fill(9);
    for (const [party, code] of [
      [{ session: SESSION.slice().reverse() }, 'ERR_IDENTITY_REPLAY'],
      [{ signallingHash: other }, 'ERR_IDENTITY_FINGERPRINT'],
      [{ transport: 'websocket' }, 'ERR_PEER_CLOSED'],
    ] as const) {
      const ends = await shake({ party });
      expect([ends.owner?.code, ends.party?.code]).toEqual([code, 'ERR_PEER_MISMATCH']);
      expect(ends.owner?.message).toContain('party 1');
    }
    const model = await shake({ owner: { modelHash: other } });
    expect([model.owner?.code, model.party?.code]).toEqual(['ERR_MODEL_HASH', 'ERR_MODEL_HASH']);
    const request = await shake({ owner: { requestCode: other } });
    expect([request.owner?.code, request.party?.code]).toEqual(['ERR_PEER_MISMATCH', 'ERR_PEER_MISMATCH']);
  });

  it('refuses an ephemeral key of small order, on either side', async () => {
    const zero = (from: number) => (bytes: Uint8Array) =>
      bytes.map((byte, i) => (i >= from && i < from + 32 ? 0 : byte));
    expect((await shake({ change: { hello: zero(56) } })).party?.code).toBe('ERR_IDENTITY_KEY');
    const evil = { sign: (message: Uint8Array) => one.sign(message), publicKey: one.publicKey } as PartyIdentity;
    const { owner } = await shake({ party: { identity: evil }, change: { answer: zero(224) } });
    expect(owner?.code).toBe('ERR_IDENTITY_KEY');
  });
});

describe('every byte under way', () => {
  /**
   * Where each field of the owner's hello begins, and what the owner says when the party signed another value of
   * it.
   */
  const ASKED: readonly (readonly [number, readonly (ErrorCode | 'party')[]])[] = [
    [0, ['party']],
    [6, ['party', 'ERR_PEER_CLOSED', 'ERR_PEER_MISMATCH']],
    [7, ['party', 'ERR_IDENTITY_PARTY']],
    [8, ['ERR_IDENTITY_REPLAY']],
    [88, ['ERR_MODEL_HASH']],
    [120, ['ERR_PEER_MISMATCH']],
    [152, ['ERR_IDENTITY_FINGERPRINT']],
  ];

  it('of the owner’s hello counts', async () => {
    for (let at = 0; at < OWNER_HELLO_BYTES; at++) {
      for (const mask of [1, 0x80]) {
        const { owner, party, keys } = await shake({ change: { hello: flip(at, mask) } });
        const expected = ASKED.findLast(([from]) => at >= from)?.[1] ?? [];
        // 'party': no hello at all; the party says so and answers nothing.
        const said = owner?.code ?? (party === undefined ? 'nobody' : 'party');
        if (!expected.includes(said as ErrorCode) || keys.length > 0)
          throw new Error(`byte ${at}: ${said}, expected ${expected.join(' or ')}`);
      }
    }
  });

  it('of the party’s hello counts', async () => {
    for (let at = 0; at < PARTY_HELLO_BYTES; at++) {
      const { owner, keys } = await shake({ change: { answer: flip(at) } });
      // Nothing is believed without its signature, so all that is signed gives one error; before it is looked at
      // there are only the form and who it claims to be.
      const expected =
        at < 4 || at === 5
          ? 'ERR_FRAME_FORMAT'
          : at === 4
            ? 'ERR_PEER_MISMATCH'
            : at === 7
              ? ['ERR_FRAME_FORMAT', 'ERR_IDENTITY_PARTY']
              : 'ERR_IDENTITY_KEY';
      if (!expected.includes(owner?.code ?? 'nobody') || keys.length > 0)
        throw new Error(`byte ${at}: ${owner?.code}, expected ${expected}`);
    }
  });

  it('of the finish counts', async () => {
    for (let at = 0; at < FINISH_BYTES; at++) {
      const { party, keys } = await shake({ change: { finish: flip(at) } });
      if (party === undefined || keys.length !== 1) throw new Error(`byte ${at} does not count`);
      expect(['ERR_FRAME_FORMAT', 'ERR_PEER_MISMATCH', 'ERR_IDENTITY_KEY']).toContain(party.code);
    }
  });

  it('and no byte may be missing or too many', async () => {
    for (const cut of [-1, -100, 1]) {
      const change = (bytes: Uint8Array): Uint8Array =>
        cut < 0 ? bytes.slice(0, cut) : concatBytes([bytes, new Uint8Array(cut)]);
      expect((await shake({ change: { hello: change } })).party?.code).toBe('ERR_FRAME_FORMAT');
      expect((await shake({ change: { answer: change } })).owner?.code).toBe('ERR_FRAME_FORMAT');
      expect((await shake({ change: { finish: change } })).party?.code).toBe('ERR_FRAME_FORMAT');
    }
  });
});

describe('the handshake on a link', () => {
  function link(): { here: MemoryLink; there: MemoryLink; a: Transport; b: Transport } {
    const [[here], [there]] = memoryLinks(1);
    return { here, there, a: linkTransport([here], 'party 1', 300), b: linkTransport([there], 'the data owner', 300) };
  }

  for (const transport of ['webrtc', 'websocket'] as const) {
    it(`goes on to a channel (${transport}), with what was sent in the same moment`, async () => {
      const { a, b, here } = link();
      const [owner, party] = await Promise.all([
        ownerHandshake(a, ownerTerms({ transport })),
        partyHandshake(b, partyTerms({ transport })),
      ]);
      expect(same(owner.pairKey, party.pairKey)).toBe(true);
      const up = new FramedChannel({ self: 0, peer: 1, session: SESSION, transport: owner.transport });
      const down = new FramedChannel({ self: 1, peer: 0, session: SESSION, transport: party.transport });
      const text = new TextEncoder().encode('marked-bytes-of-a-payload');
      await up.send('x', text);
      expect(same(await down.recv('x', text.length), text)).toBe(true);
      // On a WebSocket a proxy sees the bytes: they are sealed. On WebRTC nobody does.
      const wire = here.sent.map((message) => new TextDecoder('latin1').decode(message)).join('');
      expect(wire.includes('marked-bytes-of-a-payload')).toBe(transport === 'webrtc');
      await Promise.all([up.close(), down.close()]);
    });
  }

  it('ends with a silent peer at its time limit, on either side', async () => {
    for (const run of [
      (silent: Transport) => ownerHandshake(silent, { ...ownerTerms(), timeoutMs: 100 }),
      (silent: Transport) => partyHandshake(silent, { ...partyTerms(), timeoutMs: 100 }),
    ]) {
      const { a, here } = link();
      await failure('ERR_PEER_TIMEOUT', run(a));
      expect(here.closed).toBe(true);
    }
  });

  it('ends with its signal', async () => {
    const { a, here } = link();
    const stop = new AbortController();
    const running = failure('ERR_ABORTED', ownerHandshake(a, { ...ownerTerms(), signal: stop.signal }));
    stop.abort();
    await running;
    expect(here.closed).toBe(true);
  });

  it('ends with a peer that goes away, or sends something else', async () => {
    for (const [bytes, code] of [
      [NONE, 'ERR_PEER_CLOSED'],
      [new Uint8Array(50), 'ERR_PEER_CLOSED'],
      [new Uint8Array(PARTY_HELLO_BYTES), 'ERR_FRAME_FORMAT'],
      [new Uint8Array(PARTY_HELLO_BYTES + 1), 'ERR_FRAME_FORMAT'],
      [new Uint8Array(OWNER_HELLO_BYTES + PARTY_HELLO_BYTES), 'ERR_FRAME_FORMAT'],
    ] as const) {
      for (const run of [
        (t: Transport) => ownerHandshake(t, ownerTerms()),
        (t: Transport) => partyHandshake(t, partyTerms()),
      ]) {
        const { a, b } = link();
        const running = outcome(run(a));
        // What this side says first has come: its keys take a moment to make. A party says nothing before its owner.
        const said = new Promise((resolve) => {
          b.open({ data: resolve, end: () => undefined, error: () => undefined });
        });
        await Promise.race([said, new Promise((resolve) => setTimeout(resolve, 200))]);
        if (bytes.length > 0) void b.write(bytes, NONE);
        await b.close();
        expect(await running).toBe(code);
      }
    }
  });

  it('refuses frames before the handshake is over, on either side', async () => {
    // A hello with a frame behind it, in one message.
    const { a, b } = link();
    const running = failure('ERR_FRAME_FORMAT', partyHandshake(b, partyTerms()));
    a.open({ data: () => undefined, end: () => undefined, error: () => undefined });
    void a.write((await OwnerHandshake.begin(ownerTerms())).hello, new Uint8Array(40));
    await running;
    // An answer with one.
    const { a: c, here } = link();
    const refused = failure('ERR_FRAME_FORMAT', ownerHandshake(c, ownerTerms()));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const answer = (await (await PartyHandshake.begin(partyTerms())).answer(here.sent[0].slice(8))).hello;
    here.receive(concatBytes([new Uint8Array(8), answer, Uint8Array.of(1)]));
    await refused;
  });

  it('tells a refused owner why before it closes', async () => {
    const { a, b } = link();
    const party = failure('ERR_MODEL_HASH', partyHandshake(b, partyTerms()));
    const error = await failure('ERR_MODEL_HASH', ownerHandshake(a, ownerTerms({ modelHash: new Uint8Array(32) })));
    expect(error.message).toContain('party 1');
    await party;
  });

  it('runs over a channel that is open already', async () => {
    const [a, b] = memoryPair(0, 1);
    const [key, agreed] = await Promise.all([ownerHandshakeOn(a, ownerTerms()), partyHandshakeOn(b, partyTerms())]);
    expect(same(key, agreed.pairKey)).toBe(true);
    expect(same(agreed.modelHash, MODEL)).toBe(true);
    const [c, d] = memoryPair(0, 1);
    const refused = failure('ERR_MODEL_HASH', partyHandshakeOn(d, partyTerms()));
    await failure('ERR_MODEL_HASH', ownerHandshakeOn(c, ownerTerms({ modelHash: new Uint8Array(32) })));
    await refused;
  });
});

describe('what the handshake holds', () => {
  it('cannot be printed, and is gone when it was used', async () => {
    const owner = await OwnerHandshake.begin(ownerTerms());
    const party = await PartyHandshake.begin(partyTerms());
    const { hello } = await party.answer(owner.hello);
    const { finish, secrets } = await owner.finish(hello);
    const key = secrets.pairKey();
    const records = secrets.recordKeys('owner');
    const held = { key, send: records.send, receive: records.receive };
    for (const thing of [secrets, owner, party]) expect(secretsIn(printed(thing), held)).toEqual([]);
    expect(secretsIn(printed(key), held), 'positive control of the search').toEqual(['key']);
    expect(same(party.confirm(finish).pairKey(), key)).toBe(true);
    secrets.wipe();
    expect(secrets.pairKey().every((byte) => byte === 0)).toBe(true);
    expect(() => party.confirm(finish)).toThrow(TercetError);
  });
});
