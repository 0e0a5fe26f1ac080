/**
 * One session is one owner and one request at both compute parties: they compare it over their own link. And what
 * strangers are told when something fails.
 */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { toHex } from '../../src/core/bytes.ts';
import { createIdentity } from '../../src/net/identity/identity.ts';
import { releaseWebRtc } from '../../src/net/webrtc/node.ts';
import { linkName, sessionBinding } from '../../src/session/binding.ts';
import { recvControl, sendControl } from '../../src/session/control.ts';
import { SESSION_VERSION } from '../../src/session/request.ts';
import { failure } from '../failure.ts';
import { until } from '../net/helpers.ts';
import { seeded } from '../support/simulate.ts';
import { INPUT } from '../session/harness.ts';
import { Parties, randomSession } from './parties.ts';

const started: Parties[] = [];
afterEach(async () => {
  for (const parties of started.splice(0)) await parties.stop();
});
afterAll(releaseWebRtc);

async function start(...change: Parameters<typeof Parties.start>): Promise<Parties> {
  const parties = await Parties.start(...change);
  started.push(parties);
  return parties;
}

describe('the compute parties of a session', () => {
  it('refuse one whose owner asked each of them for another run, and serve the next', async () => {
    const parties = await start();
    const links = await parties.ask(randomSession(), [parties.request, { ...parties.request, tokens: 9 }]);
    for (const { channel } of links) {
      await recvControl(channel, 'offer');
      await failure('ERR_PEER_MISMATCH', () => recvControl(channel, 'ready'));
    }
    await until(() => parties.parties.every(({ failures }) => failures.length === 1));
    for (const { failures } of parties.parties) expect(failures[0].code).toBe('ERR_PEER_MISMATCH');
    // Control: the same owner with one request is served.
    const same = await parties.ask(randomSession());
    for (const { channel } of same) await recvControl(channel, 'offer');
    await parties.serves();
  });

  it('refuse one of two owners that chose the same session', async () => {
    const parties = await start();
    const session = randomSession();
    const [one, two] = [await parties.link(1, session), await parties.link(2, session)];
    const other = toHex(linkName(seeded(32, 1, 1)));
    await sendControl(one.channel, 'request', {
      version: SESSION_VERSION,
      ...parties.request,
      links: { '1': toHex(linkName(one.pairKey)), '2': other },
    });
    await sendControl(two.channel, 'request', {
      version: SESSION_VERSION,
      ...parties.request,
      links: { '1': other, '2': toHex(linkName(two.pairKey)) },
    });
    for (const { channel } of [one, two]) {
      await recvControl(channel, 'offer');
      await failure('ERR_PEER_MISMATCH', () => recvControl(channel, 'ready'));
    }
  });

  it('refuse a request that names another link than the one it came on', async () => {
    const parties = await start();
    const { channel } = await parties.link(1, randomSession());
    const links = { '1': '00'.repeat(32), '2': '00'.repeat(32) };
    await sendControl(channel, 'request', { version: SESSION_VERSION, ...parties.request, links });
    await failure('ERR_PEER_MISMATCH', () => recvControl(channel, 'offer'));
  });

  it('bind session, request, model and both links', () => {
    const request = {
      protocol: '3pc_semi_honest',
      weights: 'open',
      sequences: 1,
      tokens: 8,
      rows: 1,
      padded: true,
      pair: false,
      steps: 0,
    } as const;
    const [a, b] = [linkName(seeded(32, 1, 1)), linkName(seeded(32, 1, 2))];
    const session = seeded(16, 1, 3);
    const all = [
      sessionBinding(session, request, 'm', [a, b]),
      sessionBinding(seeded(16, 1, 4), request, 'm', [a, b]),
      sessionBinding(session, { ...request, rows: 2 }, 'm', [a, b]),
      sessionBinding(session, request, 'n', [a, b]),
      sessionBinding(session, request, 'm', [b, a]),
      sessionBinding(session, request, 'm', [a, a]),
      sessionBinding(session, { ...request, dealer: 'd1'.repeat(32) }, 'm', [a, b]),
      sessionBinding(session, { ...request, dealer: 'd2'.repeat(32) }, 'm', [a, b]),
    ].map(toHex);
    expect(new Set(all).size).toBe(all.length);
    expect(toHex(a)).not.toBe(toHex(seeded(32, 1, 1)));
  });
});

describe('a stranger', () => {
  it('that says it deals is refused by its first message, and takes no place', async () => {
    const parties = await start();
    const dealer = await createIdentity();
    const deals = () => parties.link(1, randomSession(), { ...parties.request, dealer: dealer.publicKey }, dealer);
    await failure('ERR_PEER_MISMATCH', deals);
    expect(await parties.one.health()).toMatchObject({ http: 200, places: { taken: 0 } });
    // Positive control: an owner of the same request is let in.
    await parties.link(1, randomSession(), { ...parties.request, dealer: dealer.publicKey });
    await expect.poll(() => parties.one.health()).toMatchObject({ places: { taken: 1 } });
  });

  it('hears nothing of the memory of the process, in which other owners’ load would show', async () => {
    const parties = await start();
    const { reports } = await (await parties.prepare()).run(INPUT);
    expect(reports.slice(1).map(({ peakMemoryBytes }) => peakMemoryBytes)).toEqual([0, 0]);
    // The rest of the report is there. Owners with a certificate hear of the memory too (test/cli/contract.test.ts).
    expect(reports.slice(1).every(({ sentBytes, device }) => sentBytes > 0 && device !== '')).toBe(true);
  });

  it('is told that the other party is not reached, and not where it is', async () => {
    const parties = await start((id) => (id === 2 ? { peer: { host: '127.0.0.1', port: 9 } } : {}));
    const links = await parties.ask(randomSession());
    const error = await failure('ERR_PEER_UNREACHABLE', () => recvControl(links[1].channel, 'offer'));
    expect(`${error.message} ${error.hint}`).not.toMatch(/127\.0|:9\b/);
    // The operator’s own error knows.
    await until(() => parties.two.failures.length === 1);
    expect(parties.two.failures[0].message).toContain('127.0.0.1:9');
  });
});
