/**
 * What links by the thread of Rust have beside what all links have (tls.test.ts, credentials.test.ts,
 * link-thread.test.ts run on them as well): bounds, keys, and what is done where the library lacks it.
 */
import { connect as connectTcp } from 'node:net';
import * as tls from 'node:tls';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { NativeSocket, otherTls } from '../../src/net/native/native-socket.ts';
import { type Links, NativeTls, ORDER, loadTls } from '../../src/net/native/native-tls.ts';
import { createAuthority, createRequest, issueCertificate } from '../../src/net/tls/authority.ts';
import { credentialsOf } from '../../src/net/tls/certificates.ts';
import { readHello } from '../../src/net/tls/hello-io.ts';
import { encodeHello, partyName } from '../../src/net/tls/hello.ts';
import { connectTls } from '../../src/net/tls/connect.ts';
import { listenTls } from '../../src/net/tls/listener.ts';
import { linkTls } from '../../src/node/native-tls.ts';
import { failure } from '../failure.ts';
import type { Channel } from '../../src/net/wire/types.ts';
import { SESSION, pattern, rawClient, same, secured, sleep, testCertificates, until } from './helpers.ts';
import { library } from './native.ts';

describe('where the library has no TLS', () => {
  it('links are by Node, and the party says so', () => {
    const missing = { library: '/nowhere/tercet.node' };
    expect(linkTls('native', missing)).toMatchObject({
      tls: undefined,
      summary: 'TLS of Node, for the native library that was built does not load here',
    });
    for (const [device, of] of [
      ['wasm', missing],
      ['webgpu', missing],
      ['native', undefined],
    ] as const)
      if (of !== undefined || library === undefined)
        expect(linkTls(device, of)).toMatchObject({ tls: undefined, summary: undefined });
  });
});

describe.skipIf(library === undefined)('TLS in a thread of Rust', () => {
  if (library === undefined) return;
  const file = library.library;
  const loaded = loadTls(file);
  const native = otherTls(loaded);
  afterAll(() => loaded.close());
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const run of cleanups.splice(0).reverse()) await run();
  });
  async function listen(rust = true) {
    const credentials = credentialsOf(await testCertificates(), 1);
    const listener = await listenTls({ self: 1, credentials, timeoutMs: 20_000, native: rust ? native : undefined });
    cleanups.push(() => listener.close());
    return listener;
  }

  it('hands no more than its window to a thread that is busy, and goes on when that has taken it', async () => {
    const listener = await listen(false);
    const socket = new NativeSocket(loaded, connectTcp({ host: '127.0.0.1', port: listener.port }));
    cleanups.push(() => socket.destroy());
    const greeting = readHello(socket);
    socket.once(
      'connect',
      () => void testCertificates().then((all) => socket.begin(credentialsOf(all, 2), partyName(1))),
    );
    socket.once('secureConnect', () => socket.write(encodeHello({ from: 2, to: 1, status: 'ok', session: SESSION })));
    const { rest } = await greeting;
    let handed = 0;
    let untaken = 0;
    socket.frames(SESSION, rest, (kind, _tag, _sequence, payload) => {
      if (kind !== 'frame') return;
      handed++;
      untaken += (payload as Uint8Array).length + 512;
    });
    const sender = await listener.accept({ peer: 2, session: SESSION });
    cleanups.push(() => sender.abort(new Error('test over')));
    const sending = (async () => {
      for (let i = 0; i < 60; i++) await sender.send('part', pattern(1_000_000, i));
    })();
    await until(() => untaken > 16 * 1024 * 1024, 30_000);
    await sleep(500);
    // One message that was under way is the most that comes beyond it.
    expect(untaken).toBeLessThan(16 * 1024 * 1024 + 2_000_000);
    expect(handed).toBeLessThan(20);
    while (handed < 60) {
      socket.order(ORDER.taken, untaken);
      untaken = 0;
      await sleep(5);
    }
    await sending;
  });

  it('carries messages of every size both ways, each in a buffer of its own', async () => {
    const listener = await listen();
    const credentials = credentialsOf(await testCertificates(), 2);
    const to = { self: 2, peer: 1, host: '127.0.0.1', port: listener.port, session: SESSION, native } as const;
    const ends = await Promise.all([
      connectTls({ ...to, credentials }),
      listener.accept({ peer: 2, session: SESSION }),
    ]);
    for (const end of ends) cleanups.push(() => end.close());
    // Around what is copied, announced, read at a time and kept for the next.
    const lengths = [0, 1, 2 ** 16 - 1, 2 ** 16, 2 ** 16 + 1, 300_000, 2 ** 20, 5, 3_000_001, 2 ** 20, 0, 2 ** 20];
    const carried = async (from: Channel, to: Channel, seed: number) => {
      const sent = (async () => {
        for (const [i, length] of lengths.entries())
          await from.send(`m/${i}`, pattern(length + 9, seed + i).subarray(9));
      })();
      const kept: Uint8Array[] = [];
      for (const [i, length] of lengths.entries()) kept.push(await to.recv(`m/${i}`, length));
      await sent;
      // All at the end: none is written over by another.
      for (const [i, bytes] of kept.entries()) {
        expect(same(bytes, pattern(lengths[i] + 9, seed + i).subarray(9))).toBe(true);
        expect([bytes.byteOffset, bytes.buffer.byteLength]).toEqual([0, lengths[i]]);
      }
    };
    const [two, one] = ends;
    await Promise.all([carried(one, two, 0), carried(two, one, 100)]);
  });

  it('has the suites of Node and no session to take up', async () => {
    const listener = await listen();
    const mine = credentialsOf(await testCertificates(), 2);
    const names: string[] = [];
    for (const ciphers of ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']) {
      const socket = rawClient(listener.port, 1, { ...mine, ciphers, ALPNProtocols: ['tercet/1'] });
      cleanups.push(() => socket.destroy());
      let tickets = 0;
      socket.on('session', () => tickets++);
      await secured(socket);
      names.push(`${socket.getCipher().name} ${socket.getProtocol()} ${String(socket.alpnProtocol)}`);
      await sleep(50);
      expect(tickets).toBe(0);
    }
    expect(names).toEqual([
      'TLS_AES_128_GCM_SHA256 TLSv1.3 tercet/1',
      'TLS_AES_256_GCM_SHA384 TLSv1.3 tercet/1',
      'TLS_CHACHA20_POLY1305_SHA256 TLSv1.3 tercet/1',
    ]);
    const other = rawClient(listener.port, 1, { ...mine, ALPNProtocols: ['other/1'] });
    await expect(secured(other)).rejects.toThrow('closed');
  });

  it('refuses a connector without a key, one that shows the certificate of another, and one below TLS 1.3', async () => {
    // Who listens is Node: what the library offers is seen there.
    const all = await testCertificates();
    const { key, cert, ca } = credentialsOf(all, 1);
    const server = tls.createServer({ key, cert, ca, maxVersion: 'TLSv1.2' });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => server.close());
    const { port } = server.address() as { port: number };
    const to = { self: 2, peer: 1, host: '127.0.0.1', port, session: SESSION, timeoutMs: 2000, native } as const;
    await failure('ERR_FRAME_FORMAT', connectTls({ ...to, credentials: credentialsOf(all, 2) }));
    const mixed = { ...credentialsOf(all, 2), key: all.parties[0].key };
    await failure('ERR_PEER_CERTIFICATE', connectTls({ ...to, credentials: mixed }));
  });

  it('believes no authority that has ended, or may not issue', async () => {
    const ended = await createAuthority({ now: new Date(Date.now() - 900 * 86_400_000), days: 365 });
    const { key, request } = await createRequest(2);
    const cert = await issueCertificate(await createAuthority(), request, { party: 2 });
    const listener = await listen();
    for (const ca of [ended.ca, cert])
      await failure(
        'ERR_PEER_CERTIFICATE',
        connectTls({
          ...{ self: 2, peer: 1, host: '127.0.0.1', port: listener.port, session: SESSION, timeoutMs: 5000, native },
          credentials: { key, cert, ca },
        }),
      );
  });

  it('leaves no key in the buffer that it crossed in', async () => {
    const credentials = credentialsOf(await testCertificates(), 2);
    const crossed: { readonly key: Uint8Array; readonly bytes: number }[] = [];
    const refuses: Links = () => ({
      open: (_link, _fd, _name, _chain, key) => {
        crossed.push({ key, bytes: key.filter((byte) => byte !== 0).length });
        return crossed.length > 1 ? 'ERR_SSL_OTHER' : undefined;
      },
      order: () => undefined,
      exported: () => undefined,
      hold: () => undefined,
      close: () => undefined,
    });
    const spied = new NativeTls(refuses);
    spied.open(0, credentials, undefined, () => undefined);
    expect(() => spied.open(0, credentials, undefined, () => undefined)).toThrow('ERR_SSL_OTHER');
    expect(crossed).toHaveLength(2);
    for (const { key, bytes } of crossed) {
      expect(bytes).toBeGreaterThan(60);
      expect(key.every((byte) => byte === 0)).toBe(true);
    }
  });

  it('refuses orders that are none', () => {
    const addon = { exports: {} as { links(told: () => void): Record<string, (...values: unknown[]) => unknown> } };
    process.dlopen(addon, file);
    const hub = addon.exports.links(() => undefined);
    for (const order of [[], [0], [0, 99], [0, 1, new Uint8Array(3), new Uint8Array(0)], [0, 2, 'x', 'y'], [0, 3, 1]])
      expect(() => hub.order(...order)).toThrow('no order');
    expect(() => hub.open(0, 'x')).toThrow('no link');
    expect(hub.exported(0, new Uint8Array(1), new Uint8Array(1))).toBeUndefined();
    hub.close();
    // It is over: nothing waits for an answer that nobody gives.
    expect(hub.exported(0, new Uint8Array(1), new Uint8Array(1))).toBeUndefined();
    hub.order(0, 5);
    hub.close();
  });

  it('counts the links that are open, and none when they have closed', async () => {
    const before = loaded.size;
    const listener = await listen();
    const credentials = credentialsOf(await testCertificates(), 2);
    const options = { self: 2, peer: 1, host: '127.0.0.1', port: listener.port, credentials, native } as const;
    const [one, two] = await Promise.all([
      listener.accept({ peer: 2, session: SESSION }),
      connectTls({ ...options, session: SESSION }),
    ]);
    expect(loaded.size).toBe(before + 2);
    await Promise.all([one.close(), two.close()]);
    await until(() => loaded.size === before);
  });
});
