/**
 * The keys of one link, as a table: every one another, every one bound to every byte of the transcript, and each
 * direction with a key of its own.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, toHex } from '../../src/core/bytes.ts';
import { agreementKey } from '../../src/net/identity/curves.ts';
import { OWNER_HELLO_BYTES, PARTY_HELLO_BYTES } from '../../src/net/handshake/messages.ts';
import { OwnerHandshake } from '../../src/net/handshake/owner.ts';
import { PartyHandshake } from '../../src/net/handshake/party.ts';
import { Ephemeral, type LinkSecrets } from '../../src/net/handshake/secrets.ts';
import { createIdentity } from '../../src/net/identity/identity.ts';
import { SESSION } from './helpers.ts';

afterEach(() => vi.restoreAllMocks());

vi.mock('../../src/net/identity/curves.ts', async (original) => {
  const curves = await original<typeof import('../../src/net/identity/curves.ts')>();
  return { ...curves, agreementKey: vi.fn(curves.agreementKey) };
});

const PEER = new Uint8Array(32).fill(9);

/** One exchange with a shared secret that depends on the peer alone, so that only the transcript changes. */
async function agree(transcript: Uint8Array, peerKey: Uint8Array = PEER): Promise<LinkSecrets> {
  vi.mocked(agreementKey).mockResolvedValueOnce({
    publicKey: new Uint8Array(32).fill(5),
    agree: async (peer) => sha256(peer),
    wipe: () => undefined,
  });
  return (await Ephemeral.create()).agree(peerKey, transcript);
}

/** Every secret of a link under its use. */
function keysOf(secrets: LinkSecrets): Readonly<Record<string, string>> {
  const [owner, party] = [secrets.recordKeys('owner'), secrets.recordKeys('party')];
  // What one side sends under the other one opens with: the same key, and so not in the table twice.
  expect([toHex(party.receive), toHex(party.send)]).toEqual([toHex(owner.send), toHex(owner.receive)]);
  const keys = {
    pair: secrets.pairKey(),
    'records to the party': owner.send,
    'records to the owner': owner.receive,
    confirmation: secrets.confirmation(),
    credential: secrets.credentialKey(),
    verdict: secrets.verdict(0),
    'another verdict': secrets.verdict(1),
  };
  return Object.fromEntries(Object.entries(keys).map(([use, key]) => [use, toHex(key)]));
}

describe('the keys of a link', () => {
  const transcript = Uint8Array.from({ length: OWNER_HELLO_BYTES + PARTY_HELLO_BYTES }, (_, i) => (i * 7) % 251);

  it('are the same for the same exchange and transcript: the control', async () => {
    expect(keysOf(await agree(transcript))).toEqual(keysOf(await agree(transcript.slice())));
  });

  it('differ pairwise: pair key, both record keys, confirmation, credential, verdicts', async () => {
    const keys = Object.values(keysOf(await agree(transcript)));
    expect(keys).toHaveLength(7);
    expect(new Set(keys).size).toBe(7);
    expect(keys.every((key) => key.length === 64)).toBe(true);
  });

  it('all change with every byte of the transcript, with its length and with the peer’s key, and none takes the value of another', async () => {
    const base = keysOf(await agree(transcript));
    const others = Array.from(transcript, (byte, at) => transcript.with(at, byte ^ 1));
    const seen = new Set(Object.values(base));
    const changed: [Uint8Array, Uint8Array?][] = [
      ...others.map((other): [Uint8Array] => [other]),
      [transcript.subarray(1)],
      [concatBytes([transcript, Uint8Array.of(0)])],
      [transcript, PEER.with(0, 1)],
    ];
    const variants: LinkSecrets[] = [];
    for (const [other, peerKey] of changed) variants.push(await agree(other, peerKey));
    for (const secrets of variants) for (const key of Object.values(keysOf(secrets))) seen.add(key);
    expect(seen.size).toBe(7 * (1 + variants.length));
  });

  it('are made from both hellos as they went over the link, on both sides', async () => {
    const made = vi.spyOn(Ephemeral.prototype, 'agree');
    const identity = await createIdentity();
    const hash = (byte: number) => new Uint8Array(32).fill(byte);
    const terms = { transport: 'websocket', party: 1, session: SESSION, signallingHash: hash(3) } as const;
    const owner = await OwnerHandshake.begin({
      ...terms,
      identity: identity.publicKey,
      modelHash: hash(1),
      requestCode: hash(2),
    });
    const party = await PartyHandshake.begin({ ...terms, identity, admit: () => undefined });
    const { hello } = await party.answer(owner.hello);
    const { finish, secrets } = await owner.finish(hello);
    const said = toHex(concatBytes([owner.hello, hello]));
    expect(made.mock.calls.map(([, transcript]) => toHex(transcript))).toEqual([said, said]);
    expect(keysOf(party.confirm(finish))).toEqual(keysOf(secrets));
  });
});
