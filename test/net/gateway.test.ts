/** The party's gateway, asked by data owners in Node and by strangers. */
import { once } from 'node:events';
import * as net from 'node:net';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { failure } from '../failure.ts';
import { WebSocket } from 'ws';
import { toHex } from '../../src/core/bytes.ts';
import { createIdentity } from '../../src/net/identity/identity.ts';
import { MAX_BODY_BYTES } from '../../src/net/signalling/messages.ts';
import type { RtcAnswerer } from '../../src/net/webrtc/types.ts';
import { nodeAnswerer, nodeOfferer, releaseWebRtc } from '../../src/net/webrtc/node.ts';
import { printed, secretsIn } from '../support/secrets.ts';
import { SESSION, pattern, same, sleep, testCertificates, until } from './helpers.ts';
import {
  MODEL,
  type NodeWebSocket,
  ORIGIN,
  REQUEST_CODE,
  type TestGateway,
  closeGateways,
  owner,
  testGateway,
} from './owner-links.ts';
import { description } from './sdp.ts';

afterEach(closeGateways);
afterAll(releaseWebRtc);

/** Never connects. */
const nowhere: RtcAnswerer = {
  answer: async (offers) => ({
    descriptions: offers.map(() => description(5).replace('actpass', 'active')),
    opened: () => new Promise(() => undefined),
    close: () => undefined,
  }),
};

const session = (): string => toHex(crypto.getRandomValues(new Uint8Array(16)));

function offer(changes: object = {}): RequestInit {
  const body = { nonce: '00'.repeat(32), model: MODEL, request: REQUEST_CODE, offers: [description(1)], ...changes };
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/** Status and code of a reply. */
async function ask(
  { gateway }: TestGateway,
  path: string,
  init?: RequestInit,
): Promise<{ status: number; code: string; headers: Headers }> {
  const response = await fetch(gateway.url + path, init);
  const text = await response.text();
  const code = text.startsWith('{') ? ((JSON.parse(text) as { code?: string }).code ?? '') : '';
  return { status: response.status, code, headers: response.headers };
}

describe('a data owner in Node', () => {
  for (const [transport, associations] of [
    ['webrtc', 1],
    ['webrtc', 3],
    ['websocket', 1],
  ] as const) {
    it(`reaches a party over ${transport} × ${associations}, and both hold the same key`, async () => {
      const party = await testGateway();
      const [link, arrival] = await Promise.all([owner(party, { transport, associations }), party.arrival()]);
      expect([link.transport, arrival.transport]).toEqual([transport, transport]);
      expect(same(link.pairKey, arrival.pairKey)).toBe(true);
      expect(arrival).toMatchObject({ modelHash: MODEL, requestCode: REQUEST_CODE });
      expect([link.channel.self, link.channel.peer, arrival.channel.self, arrival.channel.peer]).toEqual([0, 1, 1, 0]);
      const up = pattern(8 << 20, 1);
      const sending = link.channel.send('up', up);
      expect(same(await arrival.channel.recv('up', up.length), up)).toBe(true);
      await sending;
      expect(party.gateway.links).toEqual({ pending: 0, live: 1 });
      await Promise.all([link.channel.close(), arrival.channel.close()]);
      await until(() => party.gateway.links.live === 0);
      expect(party.refused).toEqual([]);
      for (const thing of [link, arrival]) expect(secretsIn(printed(thing), { key: link.pairKey })).toEqual([]);
    });
  }

  it('reaches one over TLS', async () => {
    const { ca, parties } = await testCertificates();
    const party = await testGateway({ tls: parties[1], host: '127.0.0.1' });
    // The certificate names localhost; trust in it is the test's own.
    const url = party.gateway.url.replace('127.0.0.1', 'localhost');
    class Trusting extends WebSocket {
      constructor(address: string, protocols: string[]) {
        super(address, protocols, { ca });
      }
    }
    const address = { url, identity: party.identity.publicKey };
    const [link] = await Promise.all([
      owner(party, { transport: 'websocket', address, WebSocket: Trusting as unknown as typeof NodeWebSocket }),
      party.arrival(),
    ]);
    await link.channel.close();
    // Without that trust the error names it.
    const error = await failure('ERR_PEER_CERTIFICATE', owner(party, { transport: 'websocket', address }));
    expect(error.message).toContain('party 1');
  });

  it('falls back once, and says so; not at all when the party is not the one', async () => {
    const party = await testGateway({ answerer: nowhere });
    const told: unknown[] = [];
    const [link] = await Promise.all([
      owner(party, { timeoutMs: 300, onFallback: (event) => told.push(event) }),
      party.arrival(),
    ]);
    expect(link.transport).toBe('websocket');
    expect(told).toEqual([{ from: 'webrtc', to: 'websocket', reason: 'no WebRTC link to party 1 within 0.3 s' }]);
    await link.channel.close();
    const stranger = await createIdentity();
    const address = { url: party.gateway.url, identity: stranger.publicKey };
    await failure(
      'ERR_IDENTITY_KEY',
      owner(party, { address, session: SESSION.slice().reverse(), onFallback: () => told.push('again') }),
    );
    await failure(
      'ERR_IDENTITY_KEY',
      owner(party, { address, session: SESSION.slice().reverse(), transport: 'websocket' }),
    );
    expect(told.length).toBe(1);
  });

  it('falls back at once where there is no WebRTC, here or there', async () => {
    const party = await testGateway({ answerer: undefined });
    for (const offerer of [undefined, nodeOfferer()]) {
      const told: string[] = [];
      const begin = performance.now();
      const [link, arrival] = await Promise.all([
        owner(party, {
          offerer,
          session: crypto.getRandomValues(new Uint8Array(16)),
          onFallback: ({ reason }) => told.push(reason),
        }),
        party.arrival(),
      ]);
      expect(performance.now() - begin).toBeLessThan(3000);
      expect(told.length).toBe(1);
      await Promise.all([link.channel.close(), arrival.channel.close()]);
    }
    await failure('ERR_LINK_BLOCKED', owner(party, { transport: 'webrtc' }));
  });

  it('is told by name what is wrong with the party’s model or the request, or that nobody is there', async () => {
    const party = await testGateway();
    for (const transport of ['webrtc', 'websocket'] as const) {
      for (const [changes, code] of [
        [{ modelHash: '00'.repeat(32) }, 'ERR_MODEL_HASH'],
        [{ requestCode: '00'.repeat(32) }, 'ERR_PEER_MISMATCH'],
        [{ party: 2 }, 'ERR_IDENTITY_PARTY'],
      ] as const) {
        const error = await failure(code, owner(party, { transport, ...changes }));
        expect(error.message).toMatch(/party [12]/);
      }
    }
    await party.gateway.close();
    for (const transport of ['auto', 'webrtc', 'websocket'] as const)
      await failure('ERR_PEER_UNREACHABLE', owner(party, { transport }));
  });

  it('leaves nothing behind when it gives up', async () => {
    const party = await testGateway({ answerer: nowhere });
    const stop = new AbortController();
    const running = failure('ERR_ABORTED', owner(party, { transport: 'webrtc', signal: stop.signal }));
    await until(() => party.gateway.links.pending === 1);
    stop.abort();
    await running;
    await until(() => party.gateway.links.pending === 0);
    await failure('ERR_ABORTED', owner(party, { signal: AbortSignal.abort() }));
  });

  it('refuses arguments that cannot be meant', async () => {
    const party = await testGateway();
    const identity = party.identity.publicKey;
    for (const changes of [
      { session: new Uint8Array(15) },
      { modelHash: 'AA'.repeat(32) },
      { requestCode: '' },
      { associations: 5 },
      { associations: 0.5 },
      { otherIdentity: 'x' },
      { address: { url: party.gateway.url, identity: identity.slice(1) } },
      { address: { url: 'http://example.org', identity } },
    ]) {
      await failure('ERR_ARGUMENT', owner(party, changes));
    }
  });
});

describe('a gateway', () => {
  it('says who it is and how it is', async () => {
    let ok = true;
    const party = await testGateway({ health: () => ({ ok, queue: 3 }) });
    const about = await (await fetch(`${party.gateway.url}/v1/party`)).json();
    expect(about).toEqual({
      version: '0.0.0',
      models: [{ id: 'tiny', weights: { open: MODEL } }],
      device: 'wasm',
      party: 1,
      identity: party.identity.publicKey,
      transports: ['webrtc', 'websocket'],
    });
    expect(await (await fetch(`${party.gateway.url}/v1/health`)).json()).toEqual({ ok: true, queue: 3 });
    ok = false;
    expect((await ask(party, '/v1/health')).status).toBe(503);
  });

  it('refuses what is no request of its interface', async () => {
    const party = await testGateway({ answerer: nowhere, limits: { perSecond: 1000 } });
    const rtc = `/v1/sessions/${session()}/rtc`;
    for (const [path, init, status, code] of [
      ['/', undefined, 404, 'ERR_PEER_MISMATCH'],
      [`/v1/sessions/${'A'.repeat(32)}/rtc`, offer(), 404, 'ERR_PEER_MISMATCH'],
      ['/v1/sessions/00/rtc', offer(), 404, 'ERR_PEER_MISMATCH'],
      ['/v1/party', { method: 'POST' }, 405, 'ERR_FRAME_FORMAT'],
      [rtc, { method: 'GET' }, 405, 'ERR_FRAME_FORMAT'],
      [rtc, { method: 'PATCH' }, 405, 'ERR_FRAME_FORMAT'],
      [rtc, { ...offer(), headers: { 'content-type': 'text/plain' } }, 415, 'ERR_FRAME_FORMAT'],
      [rtc, { ...offer(), body: '{' }, 400, 'ERR_FRAME_FORMAT'],
      [rtc, { ...offer(), body: '[]' }, 400, 'ERR_FRAME_FORMAT'],
      [rtc, offer({ nonce: '00' }), 400, 'ERR_FRAME_FORMAT'],
      [rtc, offer({ model: 7 }), 400, 'ERR_FRAME_FORMAT'],
      [rtc, offer({ offers: [] }), 400, 'ERR_FRAME_FORMAT'],
      [rtc, offer({ offers: new Array(5).fill(description(1)) }), 400, 'ERR_FRAME_FORMAT'],
      [rtc, offer({ offers: ['v=0\r\n'] }), 400, 'ERR_FRAME_FORMAT'],
      [rtc, offer({ offers: [description(1).replace('sha-256', 'sha-1')] }), 400, 'ERR_IDENTITY_FINGERPRINT'],
      [rtc, offer({ offers: [`${description(1)}${'a=x\r\n'.repeat(4000)}`] }), 400, 'ERR_FRAME_FORMAT'],
      [rtc, { ...offer(), body: 'x'.repeat(MAX_BODY_BYTES + 1) }, 413, 'ERR_FRAME_LENGTH'],
      [rtc, offer({ model: '00'.repeat(32) }), 404, 'ERR_MODEL_HASH'],
      [rtc, offer({ request: '00'.repeat(32) }), 409, 'ERR_PEER_MISMATCH'],
      [`/v1/sessions/${session()}/ws`, undefined, 426, 'ERR_LINK_BLOCKED'],
    ] as const) {
      const reply = await ask(party, path, init);
      expect([path, reply.status, reply.code]).toEqual([path, status, code]);
      expect(reply.headers.get('content-type')).toBe('application/problem+json');
      expect(party.gateway.links.pending).toBe(0);
    }
    const good = await ask(party, rtc, offer());
    expect([good.status, good.headers.get('location')]).toEqual([201, rtc]);
  });

  it('serves pages of the origins on its list alone', async () => {
    const party = await testGateway({ answerer: nowhere });
    const from = (origin: string, init: RequestInit = {}): RequestInit => ({
      ...init,
      headers: { ...init.headers, origin },
    });
    const allowed = await ask(party, '/v1/party', from(ORIGIN));
    expect([allowed.status, allowed.headers.get('access-control-allow-origin'), allowed.headers.get('vary')]).toEqual([
      200,
      ORIGIN,
      'origin',
    ]);
    const asked = await ask(party, `/v1/sessions/${session()}/rtc`, from(ORIGIN, { method: 'OPTIONS' }));
    expect([asked.status, asked.headers.get('access-control-allow-methods')]).toEqual([204, 'GET, POST, DELETE']);
    for (const origin of ['https://evil.example', 'null', `${ORIGIN}.evil.example`, ORIGIN.toUpperCase()]) {
      for (const init of [from(origin), from(origin, { method: 'OPTIONS' })]) {
        const refused = await ask(party, '/v1/party', init);
        expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([403, null]);
      }
      const socket = new WebSocket(
        `${party.gateway.url.replace('http', 'ws')}/v1/sessions/${session()}/ws`,
        ['tercet.1'],
        { origin },
      );
      const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
      expect(response.statusCode).toBe(403);
      socket.on('error', () => undefined).terminate();
    }
    const link = new WebSocket(`${party.gateway.url.replace('http', 'ws')}/v1/sessions/${session()}/ws`, ['tercet.1'], {
      origin: ORIGIN,
    });
    await once(link, 'open');
    link.terminate();
  });

  it('bounds what strangers can begin, and forgets it in time', async () => {
    const party = await testGateway({
      answerer: nowhere,
      limits: { pendingMs: 300, maxPending: 3, maxPendingPerAddress: 2, perSecond: 1000 },
    });
    const post = (): Promise<{ status: number; headers: Headers }> =>
      ask(party, `/v1/sessions/${session()}/rtc`, offer());
    expect([(await post()).status, (await post()).status]).toEqual([201, 201]);
    const refused = await post();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5']);
    await until(() => party.gateway.links.pending === 0);
    expect(party.refused.map(({ code }) => code)).toContain('ERR_PEER_TIMEOUT');
    expect((await post()).status).toBe(201);
    // Its owner may end it sooner.
    const own = `/v1/sessions/${session()}/rtc`;
    await ask(party, own, offer());
    expect(party.gateway.links.pending).toBe(2);
    // Who only knows the name of the session cannot, and is told nothing.
    expect((await ask(party, own, { method: 'DELETE' })).status).toBe(400);
    expect((await ask(party, own, { method: 'DELETE', body: JSON.stringify({ nonce: '11'.repeat(32) }) })).status).toBe(
      204,
    );
    expect(party.gateway.links.pending).toBe(2);
    expect((await ask(party, own, { method: 'DELETE', body: JSON.stringify({ nonce: '00'.repeat(32) }) })).status).toBe(
      204,
    );
    expect(party.gateway.links.pending).toBe(1);
  });

  it('bounds how fast strangers begin', async () => {
    const party = await testGateway({
      answerer: nowhere,
      limits: { perSecond: 1, maxPending: 100, maxPendingPerAddress: 100 },
    });
    const statuses: number[] = [];
    for (let i = 0; i < 6; i++) statuses.push((await ask(party, `/v1/sessions/${session()}/rtc`, offer())).status);
    expect(statuses).toEqual([201, 201, 201, 201, 429, 429]);
  });

  it('gives a session one link, out of reach of who knows its name', async () => {
    const party = await testGateway();
    const [link, arrival] = await Promise.all([owner(party, { transport: 'websocket' }), party.arrival()]);
    const path = `/v1/sessions/${toHex(SESSION)}`;
    expect(await ask(party, `${path}/rtc`, offer())).toMatchObject({ status: 409, code: 'ERR_STATE' });
    expect(
      (await ask(party, `${path}/rtc`, { method: 'DELETE', body: JSON.stringify({ nonce: '00'.repeat(32) }) })).status,
    ).toBe(204);
    await link.channel.send('x', Uint8Array.of(1));
    expect([...(await arrival.channel.recv('x', 1))]).toEqual([1]);
    await Promise.all([link.channel.close(), arrival.channel.close()]);
    // It is free again after that.
    const [again] = await Promise.all([owner(party, { transport: 'websocket' }), party.arrival()]);
    await again.channel.close();
  });

  it('cuts off a WebSocket that does not begin with the handshake', async () => {
    const party = await testGateway();
    for (const bytes of [new Uint8Array(300), new Uint8Array(70_000)]) {
      const socket = new WebSocket(`${party.gateway.url.replace('http', 'ws')}/v1/sessions/${session()}/ws`, [
        'tercet.1',
      ]);
      await once(socket, 'open');
      socket.on('error', () => undefined);
      socket.send(bytes);
      await once(socket, 'close');
    }
    await until(() => party.refused.length === 2);
    expect(party.gateway.links).toEqual({ pending: 0, live: 0 });
    // Another protocol, or none.
    for (const protocols of [[], ['chat']]) {
      const socket = new WebSocket(`${party.gateway.url.replace('http', 'ws')}/v1/sessions/${session()}/ws`, protocols);
      await once(socket, 'unexpected-response');
      socket.on('error', () => undefined).terminate();
    }
  });

  it('survives connections that say nothing, or nonsense', async () => {
    const party = await testGateway();
    const sockets = await Promise.all(
      [
        '',
        'GET / HTTP/1.1\r\nHost: x\r\n',
        '\x16\x03\x01\x00\xff',
        'POST /v1/party HTTP/1.1\r\nContent-Length: 99\r\nHost: x\r\n\r\n{',
      ].map(async (text) => {
        const socket = net.connect(party.gateway.port, '127.0.0.1');
        socket.on('error', () => undefined);
        await once(socket, 'connect');
        socket.write(text, 'latin1');
        return socket;
      }),
    );
    await sleep(50);
    expect((await ask(party, '/v1/health')).status).toBe(200);
    await party.gateway.close();
    for (const socket of sockets) socket.destroy();
  });

  it('leaves nothing running when it closes: links that stand, links under way, connections', async () => {
    const party = await testGateway();
    const [rtc, one] = await Promise.all([
      owner(party, { transport: 'webrtc', session: SESSION.slice().reverse() }),
      party.arrival(),
    ]);
    const [webSocket, two] = await Promise.all([owner(party, { transport: 'websocket' }), party.arrival()]);
    const under = await nodeOfferer().offer({ associations: 1, iceServers: [] });
    await ask(party, `/v1/sessions/${session()}/rtc`, offer({ offers: under.descriptions }));
    expect(party.gateway.links).toEqual({ pending: 1, live: 2 });
    const ends = [rtc.channel, webSocket.channel].map((channel) => failure('ERR_PEER_CLOSED', channel.recv('x', 1)));
    const mine = [one.channel, two.channel].map((channel) => failure('ERR_ABORTED', channel.recv('x', 1)));
    await party.gateway.close();
    await Promise.all([...ends, ...mine]);
    under.close();
    expect(party.gateway.links).toEqual({ pending: 0, live: 0 });
    await failure('ERR_PEER_UNREACHABLE', owner(party, { transport: 'websocket' }));
  });

  it('listens without TLS on this machine alone', async () => {
    await failure('ERR_ARGUMENT', testGateway({ host: '0.0.0.0' }));
    await failure('ERR_ARGUMENT', testGateway({ host: '192.0.2.1' }));
    const party = await testGateway();
    await failure('ERR_PEER_UNREACHABLE', testGateway({ port: party.gateway.port, answerer: nodeAnswerer() }));
  });
});
