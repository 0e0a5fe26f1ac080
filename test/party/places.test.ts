/** Places of a compute party: earned by the next step in time, given up by who only waits. */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { memoryPair } from '../../src/net/simulated/memory-link.ts';
import { releaseWebRtc } from '../../src/net/webrtc/node.ts';
import { Places } from '../../src/daemon/places.ts';
import { waitForInput } from '../../src/session/input-wait.ts';
import { recvControl } from '../../src/session/control.ts';
import { PATIENCE, type Patience } from '../../src/session/place.ts';
import { failure } from '../failure.ts';
import { until } from '../net/helpers.ts';
import { INPUT } from '../session/harness.ts';
import { Parties, randomSession } from './parties.ts';

const started: Parties[] = [];
afterEach(async () => {
  for (const parties of started.splice(0)) await parties.stop();
});
afterAll(releaseWebRtc);

async function start(maxSessions: number, patience: Partial<Patience> = {}): Promise<Parties> {
  const parties = await Parties.start(() => ({ maxSessions, patience: { ...PATIENCE, ...patience } }));
  started.push(parties);
  return parties;
}

describe('places', () => {
  function places(max: number, perAddress = max) {
    let time = 0;
    const made = new Places({ max, perAddress, now: () => time });
    return { places: made, pass: (ms: number) => (time += ms) };
  }

  it('are given while there are any, and then refused while everybody works', async () => {
    const { places: p, pass } = places(2);
    const held = [await p.take('192.0.2.1'), await p.take('192.0.2.2')];
    for (const place of held) place.works();
    pass(60_000);
    await failure('ERR_PEER_BUSY', () => p.take('192.0.2.3'));
    expect([p.load, p.counts]).toEqual(['full', { max: 2, taken: 2, idle: 0 }]);
    held[0].end();
    expect(p.load).toBe('free');
    await p.take('192.0.2.3');
  });

  it('go from the one that has waited longest to the newcomer, who waits until it has left', async () => {
    const { places: p, pass } = places(2);
    const [a, b] = [await p.take('192.0.2.1'), await p.take('192.0.2.2')];
    b.waits('prepared');
    pass(1_000);
    a.waits('prepared');
    expect(p.load).toBe('busy');
    const coming = p.take('192.0.2.3');
    expect([a.wanted.aborted, b.wanted.aborted]).toEqual([false, true]);
    // Another one asks the next, not the same.
    const another = p.take('192.0.2.4');
    expect(a.wanted.aborted).toBe(true);
    await failure('ERR_PEER_BUSY', () => p.take('192.0.2.5'));
    b.end();
    a.end();
    (await coming).works();
    (await another).works();
    expect(p.counts).toEqual({ max: 2, taken: 2, idle: 0 });
  });

  it('that are being left are waited for: nobody else is asked, also when the owner has gone and the links have not', async () => {
    const { places: p } = places(2);
    const [a, b] = [await p.take('192.0.2.1'), await p.take('192.0.2.2')];
    a.waits('prepared');
    const [owner, party] = memoryPair(0, 2);
    const [peer] = memoryPair(2, 1);
    const waits = waitForInput(party, peer, b, PATIENCE, 'prepared');
    await owner.close();
    expect(await waits).toBe(false);
    const coming = p.take('192.0.2.3');
    expect([a.wanted.aborted, p.counts.idle]).toEqual([false, 1]);
    b.end();
    (await coming).works();
    // A session that is over is next, however young; then the one that waits.
    const c = await coming;
    c.leaves();
    expect(p.counts.idle).toBe(2);
    const [third, fourth] = [p.take('192.0.2.4'), p.take('192.0.2.5')];
    expect([c.wanted.aborted, a.wanted.aborted]).toEqual([false, true]);
    await failure('ERR_PEER_BUSY', () => p.take('192.0.2.6'));
    c.end();
    a.end();
    (await third).works();
    (await fourth).works();
    expect(p.load).toBe('full');
  });

  it('are given up by the address that has most, and of one that has as many as it may by itself alone', async () => {
    const { places: p } = places(4, 3);
    const held = await Promise.all(
      ['192.0.2.1', '192.0.2.66', '192.0.2.66', '192.0.2.66'].map((address) => p.take(address)),
    );
    for (const place of held) place.waits('prepared');
    void p.take('192.0.2.2').then((place) => place.works());
    expect(held.map(({ wanted }) => wanted.aborted)).toEqual([false, true, false, false]);
    held[1].end();
    await Promise.resolve();
    held[2].works();
    held[3].works();
    // Two of its own are at work, and it may have three.
    held[0].end();
    const third = await p.take('192.0.2.66');
    third.works();
    await failure('ERR_PEER_BUSY', () => p.take('192.0.2.66'));
  });

  it('leave an owner its first moments, and one that goes on with a text half a minute', async () => {
    const { places: p, pass } = places(1);
    const place = await p.take('192.0.2.1');
    await failure('ERR_PEER_BUSY', () => p.take('192.0.2.2'));
    pass(2_000);
    expect(p.load).toBe('busy');
    place.waits('between');
    pass(29_000);
    expect(p.load).toBe('full');
    pass(1_000);
    expect(p.load).toBe('busy');
  });
});

describe('a party whose places are taken', () => {
  it('by owners that said nothing after their request serves the next one, and says so to who asks', async () => {
    const parties = await start(2);
    for (let i = 0; i < 2; i++) {
      const links = await parties.ask(randomSession());
      await Promise.all(links.map(({ channel }) => recvControl(channel, 'offer')));
    }
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    expect(await parties.one.health()).toMatchObject({ http: 200, ok: true, status: 'busy' });
    await parties.serves();
    expect(parties.one.failures.map(({ code }) => code)).toContain('ERR_PEER_LET_GO');
  });

  it('by prepared owners asks the oldest, which leaves without an error; the others can still send their text', async () => {
    const parties = await start(2);
    const [oldest, other] = [await parties.prepare(), await parties.prepare()];
    expect(await parties.one.health()).toMatchObject({
      http: 200,
      ok: true,
      status: 'busy',
      places: { max: 2, taken: 2, idle: 2 },
    });
    await parties.serves();
    await oldest.ended;
    const error = await failure('ERR_PEER_LET_GO', () => oldest.run(INPUT));
    expect([oldest.spent, error.kind]).toEqual([false, 'peer']);
    // Also at the second party, where the newcomer may meet the oldest on its way out.
    expect((await other.run(INPUT)).logits).toHaveLength(40);
    for (const { failures } of parties.parties) expect(failures.map(({ code }) => code)).toEqual([]);
  });
});

describe('an owner that takes its time', () => {
  it.each<[string, Partial<Patience>, RegExp]>([
    ['before its request', { requestMs: 1_500 }, /ask for a run/],
    ['before it begins', { startMs: 2_500 }, /begin/],
  ])('%s loses its place, and hears why', async (_when, patience, what) => {
    const parties = await start(1, patience);
    const session = randomSession();
    const links = await (patience.requestMs === undefined
      ? parties.ask(session)
      : Promise.all(([1, 2] as const).map((party) => parties.link(party, session))));
    await Promise.all(links.map(({ channel }) => channel.ended));
    await until(() => parties.one.failures.length === 1 && parties.two.failures.length === 1);
    const codes = parties.parties.flatMap(({ failures }) =>
      failures.filter(({ code }) => code === 'ERR_PEER_TIMEOUT').map(({ message }) => message),
    );
    expect(codes.some((message) => what.test(message))).toBe(true);
    await parties.serves();
  });

  it('to send a text is asked for the place after the longest hold, and leaves', async () => {
    const parties = await start(1, { holdMs: 300 });
    const owner = await parties.prepare();
    await owner.ended;
    await failure('ERR_PEER_LET_GO', () => owner.run(INPUT));
    await parties.serves();
  });
});
