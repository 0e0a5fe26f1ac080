/** WebRTC in Node, below the handshake: what a hostile description can and cannot do. */
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { afterAll, describe, expect, it } from 'vitest';
import { failure } from '../failure.ts';
import { nodeAnswerer, nodeOfferer, releaseWebRtc, serverUrls } from '../../src/net/webrtc/node.ts';
import { sleep } from './helpers.ts';
import { description } from './sdp.ts';

afterAll(releaseWebRtc);

/** Hears nothing. */
const SILENT = { message: () => undefined, foreign: () => undefined, room: () => undefined, closed: () => undefined };

describe('a TURN server', () => {
  it('is named to the library with its user, a STUN server without', () => {
    const urls = ['turn:relay.example:3478?transport=udp', 'turns:relay.example:443'];
    expect(serverUrls({ urls, username: '1700:ab', credential: 'p@ss/word' })).toEqual([
      'turn:1700%3Aab:p%40ss%2Fword@relay.example:3478?transport=udp',
      'turns:1700%3Aab:p%40ss%2Fword@relay.example:443',
    ]);
    expect(serverUrls({ urls: 'stun:stun.example:3478' })).toEqual(['stun:stun.example:3478']);
  });
});

describe('a party that answers over WebRTC', () => {
  it('sends nothing to the addresses in an offer; one behind a NAT does (positive control)', async () => {
    // Not loopback: a party's candidates are of the outer interfaces.
    const address = Object.values(networkInterfaces())
      .flatMap((each) => each ?? [])
      .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
    const host = address ?? '127.0.0.1';
    const victim = dgram.createSocket('udp4');
    victim.bind(0, host);
    await once(victim, 'listening');
    let packets = 0;
    victim.on('message', () => packets++);
    const offer = `${description(3)}a=candidate:1 1 UDP 2114977791 ${host} ${victim.address().port} typ host\r\n`;
    const strict = await nodeAnswerer().answer([offer]);
    await sleep(700);
    expect(packets).toBe(0);
    strict.close();
    const options = { iceServers: ['stun:127.0.0.1:9'], bindAddress: host };
    const knocking = await nodeAnswerer(options).answer([offer]);
    await sleep(700);
    expect(packets).toBeGreaterThan(0);
    knocking.close();
    victim.close();
  });

  it('keeps a link while garbage comes to its UDP port, of every kind that shares it', async () => {
    const offer = await nodeOfferer().offer({ associations: 1, iceServers: [] });
    const answer = await nodeAnswerer().answer(offer.descriptions);
    const places = [...answer.descriptions[0].matchAll(/^a=candidate:\S+ 1 UDP \d+ ([\d.]+) (\d+) typ host/gm)];
    expect(places.length).toBeGreaterThan(0);
    const stranger = dgram.createSocket('udp4');
    // First bytes of STUN, DTLS and RTP, then noise (RFC 7983).
    const garbage = [0, 1, 20, 22, 63, 128, 191, 255].map((first) =>
      Buffer.alloc(1 + first * 5, 0xa5).fill(first, 0, 1),
    );
    const flood = () => {
      for (const [, host, port] of places)
        for (const bytes of garbage) stranger.send(bytes, Number(port), host, () => undefined);
    };
    flood();
    await offer.accept(answer.descriptions);
    const [[mine], [theirs]] = await Promise.all([offer.opened(), answer.opened()]);
    for (let i = 0; i < 50; i++) flood();
    const heard = new Promise<Uint8Array>((resolve) => {
      theirs.open({ ...SILENT, message: (bytes) => resolve(Uint8Array.from(bytes)) });
    });
    mine.open(SILENT);
    mine.send(Uint8Array.of(7));
    expect([...(await heard)]).toEqual([7]);
    for (const each of [mine, theirs]) each.destroy();
    stranger.close();
  });

  it('gives a typed error for a description that the library refuses', async () => {
    await failure('ERR_LINK_BLOCKED', nodeAnswerer().answer([description(1).replace(/a=ice-.*\r\n/g, '')]));
    const offer = await nodeOfferer().offer({ associations: 1, iceServers: [] });
    await failure('ERR_LINK_BLOCKED', offer.accept(['v=0\r\n']));
    const opened = failure('ERR_LINK_BLOCKED', offer.opened());
    offer.close();
    await opened;
  });
});
