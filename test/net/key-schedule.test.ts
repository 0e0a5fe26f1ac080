/** The keys of one link, as a table: every one another, every one bound to every byte of the transcript, and each direction with a key of its own. */
import { sha256 } from '@noble/hashes/sha2.js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { concatBytes, toHex } from '../../src/core/bytes.ts';
import { OWNER_HELLO_BYTES, PARTY_HELLO_BYTES } from '../../src/net/handshake/messages.ts';
import { OwnerHandshake } from '../../src/net/handshake/owner.ts';
import { PartyHandshake } from '../../src/net/handshake/party.ts';
import { Ephemeral, LinkSecrets } from '../../src/net/handshake/secrets.ts';
import { createIdentity } from '../../src/net/identity.ts';
import { loadSodium } from '../../src/net/sodium.ts';
import { SESSION } from './helpers.ts';

afterEach(() => vi.restoreAllMocks());

const sodium = await loadSodium();
const [own, peer] = [sodium.crypto_box_keypair(), sodium.crypto_box_keypair()];

/** One exchange with keys that do not change, so that only the transcript does. */
function agree(transcript: Uint8Array, peerKey = peer.publicKey): LinkSecrets {
  return new LinkSecrets(sodium.crypto_scalarmult(own.privateKey, peerKey), sha256(transcript));
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

  it('are the same for the same exchange and transcript: the control', () => {
    expect(keysOf(agree(transcript))).toEqual(keysOf(agree(transcript.slice())));
  });

  it('differ pairwise: pair key, both record keys, confirmation, credential, verdicts', () => {
    const keys = Object.values(keysOf(agree(transcript)));
    expect(keys).toHaveLength(7);
    expect(new Set(keys).size).toBe(7);
    expect(keys.every((key) => key.length === 64)).toBe(true);
  });

  it('all change with every byte of the transcript, with its length and with the peer’s key, and none takes the value of another', () => {
    const base = keysOf(agree(transcript));
    const others = Array.from(transcript, (byte, at) => transcript.with(at, byte ^ 1));
    const seen = new Set(Object.values(base));
    const variants = [
      ...others.map((other) => agree(other)),
      agree(transcript.subarray(1)),
      agree(concatBytes([transcript, Uint8Array.of(0)])),
      agree(transcript, sodium.crypto_box_keypair().publicKey),
    ];
    for (const secrets of variants) for (const key of Object.values(keysOf(secrets))) seen.add(key);
    expect(seen.size).toBe(7 * (1 + variants.length));
  });

  it('are made from both hellos as they went over the link, on both sides', async () => {
    const made = vi.spyOn(Ephemeral.prototype, 'agree');
    const identity = await createIdentity();
    const hash = (byte: number) => new Uint8Array(32).fill(byte);
    const terms = { transport: 'websocket', party: 1, session: SESSION, signallingHash: hash(3) } as const;
    const owner = await OwnerHandshake.begin({ ...terms, identity: identity.publicKey, modelHash: hash(1), parametersHash: hash(2) });
    const party = await PartyHandshake.begin({ ...terms, identity, admit: () => undefined });
    const { hello } = await party.answer(owner.hello);
    const { finish, secrets } = await owner.finish(hello);
    const said = toHex(concatBytes([owner.hello, hello]));
    expect(made.mock.calls.map(([, transcript]) => toHex(transcript))).toEqual([said, said]);
    expect(keysOf(party.confirm(finish))).toEqual(keysOf(secrets));
  });
});
