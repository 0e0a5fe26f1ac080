/** A data owner in a real browser: worker, page and party over WebRTC and WebSocket. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { failure } from '../failure.ts';
import { answerLink } from '../../src/bench/link.ts';
import { toHex } from '../../src/core/bytes.ts';
import { createIdentity } from '../../src/net/identity/identity.ts';
import { nodeAnswerer, releaseWebRtc } from '../../src/net/webrtc/node.ts';
import { until } from '../net/helpers.ts';
import { MODEL, REQUEST_CODE, type TestGateway, closeGateways, testGateway } from '../net/owner-links.ts';
import type { Command } from './page/worker.ts';
import { type Site, openSite } from './site.ts';

const MIB = 1 << 20;
let site: Site;

beforeAll(async () => {
  site = await openSite();
});

afterEach(closeGateways);

afterAll(async () => {
  await site.close();
  await releaseWebRtc();
});

/** What the page is to do with a gateway; a session of its own each time. */
function command({ gateway, identity }: TestGateway, options: Partial<Command> = {}): Command {
  return {
    party: 1,
    address: { url: gateway.url, identity: identity.publicKey },
    session: toHex(crypto.getRandomValues(new Uint8Array(16))),
    modelHash: MODEL,
    requestCode: REQUEST_CODE,
    timeoutMs: 10_000,
    task: 'hold',
    upBytes: 32 * MIB,
    downBytes: 4 * MIB,
    ...options,
  };
}

const gatewayFor = (options: Parameters<typeof testGateway>[0] = {}): Promise<TestGateway> =>
  testGateway({ origins: [site.origin], ...options });

describe('a data owner in Chromium', () => {
  for (const [transport, associations] of [
    ['webrtc', 1],
    ['webrtc', 4],
    ['websocket', 1],
  ] as const) {
    it(`sends 32 MiB and receives 4 MiB over ${transport} × ${associations}, byte for byte`, async () => {
      const party = await gatewayFor();
      const page = await site.open();
      const asked = command(party, { transport, associations, task: 'measure' });
      const running = page.evaluate((arg) => window.run(arg), asked);
      const arrival = await party.arrival();
      await answerLink(arrival.channel, asked);
      const outcome = await running;
      expect(outcome.error).toBeUndefined();
      expect(outcome).toMatchObject({ transport, key: [...arrival.pairKey].join(), fallbacks: [] });
      await arrival.channel.close();
      await until(() => party.gateway.links.live === 0);
      const { rates, connectMs, handshakeMs } = outcome;
      console.log(
        `${transport} × ${associations}: up ${rates?.up.toFixed(1)} MB/s, down ${rates?.down.toFixed(1)} MB/s, link ${connectMs?.toFixed(0)} ms, handshake ${handshakeMs?.toFixed(0)} ms`,
      );
      await page.close();
    });
  }

  for (const transport of ['webrtc', 'websocket'] as const) {
    it(`is slowed down by a party that does not read (${transport})`, async () => {
      const party = await gatewayFor({ highWaterBytes: MIB });
      const page = await site.open();
      const outcome = await page.evaluate((arg) => window.run(arg), command(party, { transport, task: 'flood' }));
      // 8 MiB of window, 4 MiB waiting in the transport, 1 MiB and a message at the party.
      expect(outcome.taken).toBeLessThan(16 * MIB);
      expect(outcome.taken).toBeGreaterThan(4 * MIB);
      await page.close();
    });

    it(`that reloads its page ends the link at the party in bounded time (${transport})`, async () => {
      const party = await gatewayFor();
      const page = await site.open();
      await page.evaluate((arg) => window.run(arg), command(party, { transport }));
      const { channel } = await party.arrival();
      const ended = failure('ERR_PEER_CLOSED', channel.recv('never', 1));
      const begin = performance.now();
      await page.reload();
      await ended;
      expect(performance.now() - begin).toBeLessThan(5000);
      await until(() => party.gateway.links.live === 0);
      await page.close();
    });
  }

  it('whose worker is stopped by its page ends the link too', async () => {
    const party = await gatewayFor();
    const page = await site.open();
    await page.evaluate((arg) => window.run(arg), command(party, { transport: 'webrtc' }));
    const { channel } = await party.arrival();
    const ended = failure('ERR_PEER_CLOSED', channel.recv('never', 1));
    await page.evaluate(() => window.stop());
    await ended;
    await page.close();
  });

  it('falls back to a WebSocket where UDP does not get through, and says so', async () => {
    const real = nodeAnswerer();
    // What a firewall makes of it: the answer arrives, and no address in it can be reached.
    const party = await gatewayFor({
      answerer: {
        answer: async (offers) => {
          const answer = await real.answer(offers);
          return {
            ...answer,
            descriptions: answer.descriptions.map((sdp) => sdp.replaceAll(/a=candidate:.*\r\n/g, '')),
          };
        },
      },
    });
    const page = await site.open();
    const outcome = await page.evaluate(
      (arg) => window.run(arg),
      command(party, { transport: 'auto', timeoutMs: 2000 }),
    );
    expect(outcome.error).toBeUndefined();
    expect(outcome).toMatchObject({
      transport: 'websocket',
      fallbacks: [{ from: 'webrtc', to: 'websocket', reason: expect.stringContaining('no WebRTC link') }],
    });
    expect((await party.arrival()).transport).toBe('websocket');
    // Asked for WebRTC alone, it gets none.
    const alone = await page.evaluate(
      (arg) => window.run(arg),
      command(party, { transport: 'webrtc', timeoutMs: 1000 }),
    );
    expect(alone.error?.code).toBe('ERR_LINK_BLOCKED');
    await page.close();
  });

  it('refuses a party with another identity, and does not try another transport', async () => {
    const party = await gatewayFor();
    const page = await site.open();
    const stranger = await createIdentity();
    const outcome = await page.evaluate(
      (arg) => window.run(arg),
      command(party, { address: { url: party.gateway.url, identity: stranger.publicKey } }),
    );
    expect(outcome).toMatchObject({ fallbacks: [], error: { code: 'ERR_IDENTITY_KEY' } });
    await page.close();
  });

  it('is told when its page may not use the party', async () => {
    const party = await testGateway({ origins: ['https://other.example'] });
    const page = await site.open();
    const outcome = await page.evaluate((arg) => window.run(arg), command(party));
    // The browser hides why; the hint names it.
    expect(outcome.error?.code).toBe('ERR_PEER_UNREACHABLE');
    expect(outcome.error?.hint).toContain('origin');
    await page.close();
  });
});
