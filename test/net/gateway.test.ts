import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { releaseWebRtc } from '../../src/net/webrtc/node.ts';
import { closeGateways, owner, testGateway } from './owner-links.ts';
import { pattern, same } from './helpers.ts';

afterEach(closeGateways);
afterAll(releaseWebRtc);

describe('a data owner in Node', () => {
  for (const transport of ['webrtc', 'websocket'] as const) {
    it(`reaches a party over ${transport}, and both hold the same key`, async () => {
      const party = await testGateway();
      const [link, arrival] = await Promise.all([owner(party, { transport }), party.arrival()]);
      expect([link.transport, arrival.transport]).toEqual([transport, transport]);
      expect(same(link.key, arrival.key)).toBe(true);
      expect([link.channel.self, link.channel.peer, arrival.channel.self, arrival.channel.peer]).toEqual([0, 1, 1, 0]);
      const up = pattern(32 << 20, 1);
      const begin = performance.now();
      const sending = link.channel.send('up', up);
      expect(same(await arrival.channel.recv('up', up.length), up)).toBe(true);
      await sending;
      console.log(transport, 'MB/s', up.length / 1e3 / (performance.now() - begin), link.connectMs, link.handshakeMs);
      await Promise.all([link.channel.close(), arrival.channel.close()]);
    });
  }
});
