/** A dealer's half of the handshake: who is taken for one, where, and who is not. */
import { beforeAll, describe, expect, it } from 'vitest';
import { toHex } from '../../src/core/bytes.ts';
import { TercetError } from '../../src/core/errors.ts';
import { DealerDesk } from '../../src/daemon/dealer-desk.ts';
import { ownerHandshakeOn, partyHandshakeOn } from '../../src/net/handshake/handshake.ts';
import { NO_SIGNALLING } from '../../src/net/handshake/messages.ts';
import type { OwnerTerms } from '../../src/net/handshake/owner.ts';
import type { PartyTerms } from '../../src/net/handshake/party.ts';
import { type PartyIdentity, createIdentity } from '../../src/net/identity/identity.ts';
import type { Channel } from '../../src/net/wire/types.ts';
import { dealerSession } from '../../src/session/dealing.ts';
import { type Request, requestCode } from '../../src/session/request.ts';
import { memoryPair } from '../../src/net/simulated/memory-link.ts';
import { failure } from '../failure.ts';
import { SESSION } from './helpers.ts';

const MODEL = new Uint8Array(32).fill(0xaa);
const CODE = new Uint8Array(32).fill(0xbb);

let party: PartyIdentity;
let dealer: PartyIdentity;
let stranger: PartyIdentity;
beforeAll(async () => {
  [party, dealer, stranger] = await Promise.all([createIdentity(), createIdentity(), createIdentity()]);
});

interface Shake {
  readonly coming?: Partial<OwnerTerms>;
  readonly there?: Partial<PartyTerms>;
  readonly change?: (tag: string, bytes: Uint8Array) => Uint8Array | undefined;
}

/** What both ends say of one handshake on a link of its own. */
function shake({ coming, there, change }: Shake) {
  const [left, right] = memoryPair(0, 1, {
    timeoutMs: 500,
    tap: (_direction, tag, bytes) => change?.(tag, bytes),
  });
  const terms = { party: 1, session: SESSION, signallingHash: NO_SIGNALLING } as const;
  const asked = { ...terms, modelHash: MODEL, requestCode: CODE, identity: party.publicKey, ...coming };
  const atParty = partyHandshakeOn(right, { ...terms, identity: party, admit: () => undefined, ...there });
  const atDealer = ownerHandshakeOn(left, asked);
  for (const end of [atParty, atDealer]) end.catch(() => undefined);
  return { atParty, atDealer };
}

describe('a dealer in the handshake', () => {
  it('is taken with the identity that was named, and its link is a dealer’s from then on', async () => {
    const asked: string[] = [];
    const { atParty, atDealer } = shake({
      coming: { dealer },
      there: {
        admit: () => asked.push('owner'),
        dealerOf: () => {
          asked.push('dealer');
          return dealer.publicKey;
        },
      },
    });
    expect((await atParty).dealer).toBe(true);
    expect((await atParty).pairKey).toEqual(await atDealer);
    expect(asked).toEqual(['dealer']);
    // An owner is judged as one, on the same terms.
    const owner = shake({ there: { dealerOf: () => dealer.publicKey } });
    expect((await owner.atParty).dealer).toBe(false);
  });

  it('with another identity is refused', async () => {
    const { atParty } = shake({ coming: { dealer: stranger }, there: { dealerOf: () => dealer.publicKey } });
    await failure('ERR_IDENTITY_KEY', () => atParty);
  });

  it('that shows the proof of another link is refused', async () => {
    let kept: Uint8Array | undefined;
    const keep = (tag: string, bytes: Uint8Array) => {
      if (tag === 'handshake/dealer') kept = bytes.slice();
      return undefined;
    };
    await shake({ coming: { dealer }, there: { dealerOf: () => dealer.publicKey }, change: keep }).atParty;
    const replay = (tag: string) => (tag === 'handshake/dealer' ? kept : undefined);
    const again = shake({ coming: { dealer: stranger }, there: { dealerOf: () => dealer.publicKey }, change: replay });
    expect(kept).toBeDefined();
    await failure('ERR_IDENTITY_KEY', () => again.atParty);
  });

  it('is refused where dealers do not come, and where nobody waits for one, before any key is agreed', async () => {
    const nowhere = shake({ coming: { dealer } });
    await failure('ERR_PEER_MISMATCH', () => nowhere.atParty);
    await failure('ERR_PEER_CLOSED', () => nowhere.atDealer);
    const desk = new DealerDesk();
    const nobody = shake({ coming: { dealer }, there: { dealerOf: (asked) => desk.dealerOf(SESSION, asked) } });
    expect((await failure('ERR_PEER_MISMATCH', () => nobody.atParty)).party).toBe(3);
    await failure('ERR_PEER_MISMATCH', () => nobody.atDealer);
  });
});

describe('where a party expects dealers', () => {
  const request: Request = {
    ...{ model: toHex(MODEL), protocol: '3pc_semi_honest', weights: 'open', sequences: 1, tokens: 8, rows: 1 },
    ...{ padded: true, pair: false, steps: 0, dealer: 'd1'.repeat(32) },
  } as const;
  const asked = { modelHash: MODEL, requestCode: codeOf(request) };
  const link = dealerSession(SESSION);

  function codeOf(one: Request): Uint8Array {
    return Uint8Array.from(Buffer.from(requestCode(one), 'hex'));
  }

  it('the one that the owner of just this session and request named may come, once', async () => {
    const desk = new DealerDesk();
    const coming = desk.expect(SESSION, request);
    expect(desk.dealerOf(link, asked)).toBe(request.dealer);
    const refused: readonly [Uint8Array, typeof asked][] = [
      // The owner's own session, another session, another request, another model.
      [SESSION, asked],
      [dealerSession(new Uint8Array(16)), asked],
      [link, { ...asked, requestCode: codeOf({ ...request, tokens: 16 }) }],
      [link, { ...asked, modelHash: new Uint8Array(32) }],
    ];
    for (const [session, other] of refused)
      await failure('ERR_PEER_MISMATCH', async () => desk.dealerOf(session, other));
    const [first] = memoryPair(1, 3);
    desk.arrive(link, first);
    expect(await coming.channel).toBe(first);
    await failure('ERR_PEER_MISMATCH', async () => desk.dealerOf(link, asked));
    const [second] = memoryPair(1, 3);
    desk.arrive(link, second);
    expect(await ended(second)).toBe('ERR_PEER_MISMATCH');
  });

  it('is never one of the two compute parties', async () => {
    const [one, two] = ['e1', 'e2'].map((byte) => byte.repeat(32));
    const desk = new DealerDesk([one, two]);
    for (const dealer of [one, two])
      await failure('ERR_PEER_MISMATCH', async () => desk.expect(SESSION, { ...request, dealer }));
    desk.expect(SESSION, request).cancel();
  });

  it('nobody may come any more once the session is over', async () => {
    const desk = new DealerDesk();
    desk.expect(SESSION, request).cancel();
    await failure('ERR_PEER_MISMATCH', async () => desk.dealerOf(link, asked));
  });
});

async function ended(channel: Channel): Promise<string> {
  const error = await channel.ended;
  return error instanceof TercetError ? error.code : error.name;
}
