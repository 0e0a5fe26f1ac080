/** A party that gives the place of a session away says so, and its owner hears that whatever it was waiting for. */
import { describe, expect, it } from 'vitest';
import type { TercetError } from '../../src/core/errors.ts';
import { isFinding } from '../../src/core/told.ts';
import { type BuiltCircuit, Circuits } from '../../src/session/circuits.ts';
import type { Channel } from '../../src/net/wire/types.ts';
import { type Place, ownPlace } from '../../src/session/place.ts';
import { circuits, start } from './harness.ts';
import { sending, toy } from './proved-toy.ts';

/** A place that somebody else needs once `wanted` is aborted. */
function placeFor(wanted: AbortController): Place {
  return { ...ownPlace(), wanted: wanted.signal };
}

/** Something that others wait for until it is opened. */
function door(): { readonly opens: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const opens = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opens, open };
}

/** Circuits that are built no sooner than a door opens. */
class Late extends Circuits {
  readonly #until: Promise<void>;
  readonly #asked: () => void;

  constructor(until: Promise<void>, asked: () => void) {
    super();
    this.#until = until;
    this.#asked = asked;
  }

  override async get(...asked: Parameters<Circuits['get']>): Promise<BuiltCircuit> {
    this.#asked();
    await this.#until;
    return circuits.get(...asked);
  }
}

const failure = (work: Promise<unknown>): Promise<TercetError> =>
  work.then(
    () => expect.unreachable('it ended well'),
    (error: unknown) => error as TercetError,
  );

describe('the place of a session that is agreed on', () => {
  for (const offered of [false, true])
    it(`is lost at party 2 before party 1 has ${offered ? 'failed' : 'offered'}: ERR_PEER_LET_GO`, async () => {
      const [wanted, other] = [new AbortController(), door()];
      const run = start({
        compute: (id) => (id === 1 ? { checkRequest: () => other.opens } : { place: placeFor(wanted) }),
      });
      const ended = failure(run.owner);
      // Party 2 has asked for its link to party 1, and made its offer.
      await expect.poll(() => run.sent.some(({ from, tag }) => from === 2 && tag === 'control/offer')).toBe(true);
      wanted.abort();
      expect(await run.ends[1]).toMatchObject({ code: 'ERR_PEER_LET_GO' });
      // Party 1 goes on, and finds that the other one is gone.
      if (offered) other.open();
      expect(await ended).toMatchObject({ code: 'ERR_PEER_LET_GO', party: 2 });
      other.open();
      expect(await run.ends[0]).toMatchObject({ code: 'ERR_PEER_CLOSED' });
    });

  for (const party of [1, 2] as const)
    it(`is lost at party ${party} while the owner builds its circuit: ERR_PEER_LET_GO`, async () => {
      const [wanted, building, built] = [new AbortController(), door(), door()];
      const run = start({
        circuits: new Late(built.opens, building.open),
        compute: (id) => ({ circuits, ...(id === party ? { place: placeFor(wanted) } : {}) }),
      });
      const ended = failure(run.owner);
      await building.opens;
      wanted.abort();
      expect(await run.ends[party - 1]).toMatchObject({ code: 'ERR_PEER_LET_GO' });
      built.open();
      expect(await ended).toMatchObject({ code: 'ERR_PEER_LET_GO', party });
      await Promise.all(run.ends);
    });

  it.each([
    ['open', 1, 'before', 'ERR_PEER_LET_GO'],
    ['open', 2, 'before', 'ERR_PEER_LET_GO'],
    ['secret', 1, 'before', 'ERR_PEER_LET_GO'],
    ['secret', 2, 'before', 'ERR_PEER_LET_GO'],
    // In place of the anchor that its owner waits for. Party 2 says then that its link to party 1 broke.
    ['secret', 1, 'while', 'ERR_PEER_LET_GO'],
    ['secret', 2, 'while', 'ERR_PEER_LET_GO'],
    // What is no word that can be read says that the party goes, and no more.
    ['secret', 2, 'while, in no words,', 'ERR_PEER_CLOSED'],
  ] as const)(
    'with %s weights is lost at party %i %s a proved run is dealt: %s',
    async (weights, party, when, code) => {
      const [wanted, waits, late] = [new AbortController(), door(), door()];
      const run = toy(weights, {
        compute: (id) => (id === party ? { place: placeFor(wanted) } : {}),
        corrupt: (self, channel) => {
          if (when === 'while, in no words,' && self === party && channel.peer === 0)
            return sending(channel, (tag, bytes, send) =>
              send(tag, tag === 'control/ready' ? bytes.map((byte) => byte ^ 255) : bytes),
            );
          // What the other party says of the session comes late: this one waits, and its owner may deal.
          if (self !== 0 && self !== party && channel.peer === party)
            return sending(channel, async (tag, bytes, send) => {
              if (tag === 'binding/nonce') await Promise.race([late.opens, channel.ended]);
              return send(tag, bytes);
            });
          if (self !== 0 || channel.peer !== 2) return channel;
          const recv: Channel['recv'] = (tag, ...expected) => {
            if (tag.startsWith('proof-anchor')) waits.open();
            return channel.recv(tag, ...expected);
          };
          return { ...sending(channel, (tag, bytes, send) => send(tag, bytes)), recv };
        },
      });
      const session = await run.owner;
      let ended: Promise<TercetError> | undefined;
      if (when !== 'before') {
        ended = failure(session.prepare());
        await waits.opens;
      }
      wanted.abort();
      expect(await run.ends[party - 1]).toMatchObject({ code: 'ERR_PEER_LET_GO' });
      await run.channels[party - 1].ended;
      expect(await (ended ?? failure(session.prepare()))).toMatchObject({ code, party });
      late.open();
      await Promise.all(run.ends);
    },
  );

  it.each([
    ['a party that was caught cheating', true, { code: 'ERR_SECURITY_VIOLATION', phase: 'proof' }],
    // Control: the same words beside a party that only leaves are heard.
    ['a party that leaves', false, { code: 'ERR_PEER_LET_GO', party: 1 }],
  ] as const)(
    'the owner hears beside %s what it has found itself, or else the word',
    async (_who, cheats, expected) => {
      const [wanted, waits, gone] = [new AbortController(), door(), door()];
      const run = toy('secret', {
        compute: (id) => (id === 1 ? { place: placeFor(wanted) } : {}),
        corrupt: (self, channel) => {
          if (self !== 2) return channel;
          const lying = sending(channel, async (tag, bytes, send) => {
            // Party 1 waits for it until its place is lost.
            if (tag === 'binding/nonce') return;
            if (channel.peer !== 0 || !tag.startsWith('proof-anchor')) return send(tag, bytes);
            waits.open();
            await gone.opens;
            if (cheats) await send(tag, bytes.slice(1));
            await channel.close();
          });
          return { ...lying, abort: () => undefined };
        },
      });
      const ended = failure((await run.owner).prepare());
      await waits.opens;
      wanted.abort();
      expect(await run.ends[0]).toMatchObject({ code: 'ERR_PEER_LET_GO' });
      await run.channels[0].ended;
      gone.open();
      const error = await ended;
      expect(error).toMatchObject(expected);
      expect(isFinding(error)).toBe(cheats);
      await run.ends[1];
    },
  );

  it('is not lost to the same owner where nobody needs it', async () => {
    const wanted = new AbortController();
    const run = start({ compute: () => ({ place: placeFor(wanted) }) });
    const session = await run.owner;
    await session.prepare();
    await session.discard();
    expect(await Promise.all(run.ends)).toEqual(['discarded', 'discarded']);
  });
});
