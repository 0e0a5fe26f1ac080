import * as net from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { failure } from '../failure.ts';
import type { TercetError } from '../../src/core/errors.ts';
import type { SessionChannel } from '../../src/net/wire/channel.ts';
import { createCertificates, credentialsOf } from '../../src/net/tls/certificates.ts';
import type { Certified } from '../../src/net/tls/credentials.ts';
import { decodeHello, encodeHello } from '../../src/net/tls/hello.ts';
import { withProfile } from '../../src/net/simulated/paced.ts';
import type { ConnectOptions } from '../../src/net/tls/connect-options.ts';
import { connectTls } from '../../src/net/tls/connect.ts';
import { type ListenOptions, type TlsListener, listenTls } from '../../src/net/tls/listener.ts';
import type { PartyId } from '../../src/net/wire/types.ts';
import { type PairOptions, channelConformance } from './conformance.ts';
import { SESSION, greetedClient, rawClient, secured, testCertificates, until } from './helpers.ts';
import { type Ends, tlsEnds } from './native.ts';

const OTHER_SESSION = SESSION.map((byte) => byte ^ 0xff);

/** Who has the TLS of the links under test. */
let ends: Ends;

const cleanups: (() => unknown)[] = [];

async function cleanup(): Promise<void> {
  for (const run of cleanups.splice(0).reverse()) await run();
}

async function credentials(party: PartyId): Promise<Certified> {
  return credentialsOf(await testCertificates(), party);
}

async function listen(
  options: Partial<ListenOptions> = {},
): Promise<{ listener: TlsListener; refused: TercetError[] }> {
  const refused: TercetError[] = [];
  const listener = await listenTls({
    self: 2,
    credentials: await credentials(2),
    timeoutMs: 5000,
    native: ends.listener,
    onRefused: (error) => refused.push(error),
    ...options,
  });
  cleanups.push(() => listener.close());
  return { listener, refused };
}

async function connect(listener: TlsListener, options: Partial<ConnectOptions> = {}): Promise<SessionChannel> {
  const self = options.self ?? 1;
  const channel = await connectTls({
    self,
    peer: 2,
    host: '127.0.0.1',
    port: listener.port,
    credentials: await credentials(self as PartyId),
    session: SESSION,
    timeoutMs: 5000,
    native: ends.connector,
    ...options,
  });
  cleanups.push(() => channel.abort(new Error('test over')));
  return channel;
}

async function tlsPair({ timeoutMs, highWaterBytes }: PairOptions): Promise<[SessionChannel, SessionChannel]> {
  const limits = { recvTimeoutMs: timeoutMs, highWaterBytes };
  const { listener } = await listen(limits);
  return Promise.all([connect(listener, limits), listener.accept({ peer: 1, session: SESSION })]);
}

/** Party 1 on its way to party 2, which is supposed to listen there. */
async function toPort(port: number) {
  return {
    self: 1,
    peer: 2,
    host: '127.0.0.1',
    port,
    credentials: await credentials(1),
    session: SESSION,
    native: ends.connector,
  } as const;
}

function track(socket: TLSSocket | net.Socket): void {
  cleanups.push(() => socket.destroy());
}

for (const pair of tlsEnds())
  describe(pair.name, () => {
    beforeAll(() => {
      ends = pair;
    });

    channelConformance('tls', {
      pair: tlsPair,
      raw: async ({ timeoutMs }) => {
        const { listener } = await listen({ recvTimeoutMs: timeoutMs });
        const socket = await greetedClient(listener.port, 1, 2, await credentials(1));
        track(socket);
        const channel = await listener.accept({ peer: 1, session: SESSION });
        return {
          channel,
          raw: { write: (bytes) => socket.write(bytes), end: () => socket.end(), destroy: () => socket.destroy() },
        };
      },
      cleanup,
    });

    channelConformance('paced tls', {
      pair: async (options) => {
        const [a, b] = await tlsPair(options);
        const profile = { latencyMs: 1, bitsPerSecond: 20e9 };
        return [withProfile(a, profile), withProfile(b, profile)];
      },
      cleanup,
    });

    describe('tls links', () => {
      afterEach(cleanup);

      describe('certificates', () => {
        it('connects with the right ones (positive control)', async () => {
          const { listener, refused } = await listen();
          const [a, b] = await Promise.all([connect(listener), listener.accept({ peer: 1, session: SESSION })]);
          await a.send('x', Uint8Array.of(7));
          expect([...(await b.recv('x', 1))]).toEqual([7]);
          expect(refused).toEqual([]);
        });

        it('refuses a connector of another authority, on both sides', async () => {
          const { listener, refused } = await listen();
          const foreign = credentialsOf(await createCertificates(), 1);
          const waiting = failure(
            'ERR_PEER_CERTIFICATE',
            listener.accept({ peer: 1, session: SESSION, timeoutMs: 700 }),
          );
          await failure('ERR_PEER_CERTIFICATE', connect(listener, { credentials: foreign }));
          // One that trusts the listener's authority all the same must be refused by the listener.
          const { ca } = await credentials(1);
          await failure('ERR_PEER_CERTIFICATE', connect(listener, { credentials: { ...foreign, ca } }));
          await until(() => refused.some(({ code }) => code === 'ERR_PEER_CERTIFICATE'));
          await waiting;
        });

        it('refuses a listener of another authority', async () => {
          const foreign = await createCertificates();
          const { ca } = await credentials(2);
          const { listener } = await listen({ credentials: { ...credentialsOf(foreign, 2), ca } });
          await failure('ERR_PEER_CERTIFICATE', connect(listener));
        });

        it('refuses the certificate of another party, on either side', async () => {
          const { listener, refused } = await listen();
          const waiting = failure(
            'ERR_PEER_CERTIFICATE',
            listener.accept({ peer: 1, session: SESSION, timeoutMs: 500 }),
          );
          // Party 0 that claims to be party 1, and party 1 with the listener's own certificate.
          await failure('ERR_PEER_CERTIFICATE', connect(listener, { self: 1, credentials: await credentials(0) }));
          await failure('ERR_PEER_CERTIFICATE', connect(listener, { self: 1, credentials: await credentials(2) }));
          await waiting;
          expect(refused.map(({ code }) => code)).toEqual(['ERR_PEER_CERTIFICATE', 'ERR_PEER_CERTIFICATE']);

          const swapped = await listen({ self: 2, credentials: await credentials(0) });
          await failure('ERR_PEER_CERTIFICATE', connect(swapped.listener));
        });

        it('refuses a wrong party behind the right port', async () => {
          // The connector wants party 0 and reaches party 2: the name in the certificate tells.
          const { listener } = await listen();
          await failure('ERR_PEER_CERTIFICATE', connect(listener, { peer: 0 }));
          await failure('ERR_ARGUMENT', connect(listener, { self: 2, peer: 2, credentials: await credentials(2) }));
        });

        it('refuses a connector without a certificate', async () => {
          const { listener, refused } = await listen();
          const socket = rawClient(listener.port, 2, { ca: (await credentials(1)).ca });
          track(socket);
          await until(() => refused.length > 0);
          expect(refused[0].code).toBe('ERR_PEER_CERTIFICATE');
        });

        it('refuses expired certificates, on either side', async () => {
          const old = await createCertificates({ now: new Date(Date.now() - 2 * 365 * 86_400_000) });
          const { ca } = await credentials(1);
          const trusting = await listen({ credentials: { ...(await credentials(2)), ca: `${ca}\n${old.ca}` } });
          await failure(
            'ERR_PEER_CERTIFICATE',
            connect(trusting.listener, { credentials: { ...credentialsOf(old, 1), ca } }),
          );
          await until(() => trusting.refused[0]?.code === 'ERR_PEER_CERTIFICATE');
          const stale = await listen({ credentials: { ...credentialsOf(old, 2), ca } });
          await failure(
            'ERR_PEER_CERTIFICATE',
            connect(stale.listener, { credentials: { ...(await credentials(1)), ca: old.ca } }),
          );
        });

        it('refuses unusable credentials at once', async () => {
          const bad = { ca: 'x', key: 'y', cert: 'z' };
          await failure('ERR_PEER_CERTIFICATE', listen({ credentials: bad }));
          const { listener } = await listen();
          await failure('ERR_PEER_CERTIFICATE', connect(listener, { credentials: bad }));
          const mixed = { ...(await credentials(1)), key: (await credentials(0)).key };
          await failure('ERR_PEER_CERTIFICATE', connect(listener, { credentials: mixed }));
        });

        it('refuses TLS below 1.3', async () => {
          const { listener, refused } = await listen();
          const socket = rawClient(listener.port, 2, { ...(await credentials(1)), maxVersion: 'TLSv1.2' });
          track(socket);
          await until(() => refused.length > 0);
          expect(refused[0].code).toBe('ERR_FRAME_FORMAT');
        });
      });

      describe('listener', () => {
        it('sorts links by party and session, whichever comes first', async () => {
          const { listener } = await listen();
          const early = await connect(listener, { session: OTHER_SESSION });
          const wanted = listener.accept({ peer: 1, session: SESSION });
          const any = listener.acceptAny({ peer: 0 });
          const [mine, owner] = await Promise.all([
            connect(listener),
            connect(listener, { self: 0, session: OTHER_SESSION }),
          ]);
          const [first, second, third] = await Promise.all([
            wanted,
            any,
            listener.accept({ peer: 1, session: OTHER_SESSION }),
          ]);
          expect([first.peer, ...first.session]).toEqual([1, ...SESSION]);
          expect([second.peer, ...second.session]).toEqual([0, ...OTHER_SESSION]);
          expect([third.peer, ...third.session]).toEqual([1, ...OTHER_SESSION]);
          for (const [from, to] of [
            [mine, first],
            [owner, second],
            [early, third],
          ]) {
            await from.send('x', Uint8Array.of(1));
            expect((await to.recv('x', 1)).length).toBe(1);
          }
        });

        it('drops a link whose session nobody waits for', async () => {
          const { listener, refused } = await listen({ timeoutMs: 300 });
          const waiting = failure('ERR_PEER_MISMATCH', listener.accept({ peer: 1, session: SESSION, timeoutMs: 1500 }));
          const lost = await connect(listener, { session: OTHER_SESSION });
          await failure('ERR_PEER_CLOSED', lost.recv('x', 1));
          expect(refused[0].code).toBe('ERR_PEER_MISMATCH');
          await waiting;
        });

        it('times out, aborts and closes', async () => {
          const { listener } = await listen();
          await failure('ERR_PEER_TIMEOUT', listener.accept({ peer: 1, session: SESSION, timeoutMs: 50 }));
          const abort = new AbortController();
          const aborted = failure(
            'ERR_ABORTED',
            listener.acceptAny({ signal: abort.signal, timeoutMs: Number.POSITIVE_INFINITY }),
          );
          abort.abort();
          await aborted;
          await failure('ERR_ABORTED', listener.acceptAny({ signal: abort.signal }));
          const closed = failure('ERR_ABORTED', listener.acceptAny());
          await listener.close();
          await closed;
          await failure('ERR_ABORTED', listener.acceptAny());
        });

        it('closes what nobody has claimed and leaves the rest', async () => {
          const { listener } = await listen();
          const [a, b] = await Promise.all([connect(listener), listener.accept({ peer: 1, session: SESSION })]);
          const unclaimed = await connect(listener, { session: OTHER_SESSION });
          await listener.close();
          await failure('ERR_PEER_CLOSED', unclaimed.recv('x', 1));
          await a.send('x', Uint8Array.of(1));
          expect((await b.recv('x', 1)).length).toBe(1);
        });

        it('reports a port in use', async () => {
          const { listener } = await listen();
          await failure('ERR_PEER_UNREACHABLE', listen({ port: listener.port }));
          await failure('ERR_ARGUMENT', listen({ port: 70_000 }));
        });

        it('outlives strangers: garbage, silence, hang-ups, before and after the handshake', async () => {
          const { listener, refused } = await listen({ timeoutMs: 400 });
          const waiting = listener.accept({ peer: 1, session: SESSION, timeoutMs: 10_000 });
          const stranger = (): net.Socket => {
            const socket = net.connect(listener.port, '127.0.0.1');
            socket.on('error', () => {});
            track(socket);
            return socket;
          };
          const settled = async (count: number, code: string): Promise<void> => {
            await until(() => refused.length >= count);
            expect(refused[count - 1].code).toBe(code);
          };
          stranger().write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
          await settled(1, 'ERR_FRAME_FORMAT');
          stranger();
          await settled(2, 'ERR_PEER_TIMEOUT');
          stranger().end();
          await settled(3, 'ERR_PEER_CLOSED');

          // From here on strangers have a certificate.
          const mine = await credentials(1);
          const insider = async (): Promise<TLSSocket> => {
            const socket = rawClient(listener.port, 2, { ...mine });
            track(socket);
            await secured(socket);
            return socket;
          };
          (await insider()).write(new Uint8Array(100).fill(0x41));
          await settled(4, 'ERR_FRAME_FORMAT');
          await insider();
          await settled(5, 'ERR_PEER_TIMEOUT');
          (await insider()).write(
            encodeHello({ from: 1, to: 2, status: 'ok', session: SESSION }).subarray(0, 10),
            (): void => {},
          );
          await settled(6, 'ERR_PEER_TIMEOUT');
          (await insider()).end();
          await settled(7, 'ERR_PEER_CLOSED');
          (await insider()).write(encodeHello({ from: 0, to: 2, status: 'ok', session: SESSION }));
          await settled(8, 'ERR_PEER_CERTIFICATE');
          (await insider()).write(encodeHello({ from: 1, to: 0, status: 'ok', session: SESSION }));
          await settled(9, 'ERR_PEER_MISMATCH');
          const newer = await insider();
          const answer = new Promise<Uint8Array>((resolve) => newer.once('data', resolve));
          newer.write(
            encodeHello({ from: 1, to: 2, status: 'ok', session: SESSION }).map((byte, i) =>
              i === 4 ? byte + 1 : byte,
            ),
          );
          await settled(10, 'ERR_PEER_MISMATCH');
          expect(decodeHello(await answer).status).toBe('mismatch');

          const [a, b] = await Promise.all([connect(listener), waiting]);
          await a.send('x', Uint8Array.of(1));
          expect((await b.recv('x', 1)).length).toBe(1);
        });

        it('takes frames that came with the greeting', async () => {
          const { listener } = await listen();
          const first = await connect(listener);
          await first.send('x', Uint8Array.of(3));
          await first.send('y', new Uint8Array(3_000_000));
          const b = await listener.accept({ peer: 1, session: SESSION });
          expect([...(await b.recv('x', 1))]).toEqual([3]);
          expect((await b.recv('y', 3_000_000)).length).toBe(3_000_000);
        });
      });

      describe('connector', () => {
        it('waits for a listener that starts late', async () => {
          const probe = await listen();
          const { port } = probe.listener;
          await probe.listener.close();
          const connecting = connectTls({
            self: 1,
            peer: 2,
            host: '127.0.0.1',
            port,
            credentials: await credentials(1),
            session: SESSION,
            timeoutMs: 10_000,
            native: ends.connector,
          });
          await new Promise((resolve) => setTimeout(resolve, 150));
          const { listener } = await listen({ port });
          const [a, b] = await Promise.all([connecting, listener.accept({ peer: 1, session: SESSION })]);
          await Promise.all([a.close(), b.close()]);
        });

        it('names host and port when nobody listens', async () => {
          const { listener } = await listen();
          const { port } = listener;
          await listener.close();
          const error = await failure(
            'ERR_PEER_UNREACHABLE',
            connectTls({
              self: 1,
              peer: 2,
              host: '127.0.0.1',
              port,
              credentials: await credentials(1),
              session: SESSION,
              timeoutMs: 200,
              native: ends.connector,
            }),
          );
          expect(error.message).toContain(`127.0.0.1:${port}`);
        });

        it('can be aborted, while it retries and while the other side is silent', async () => {
          const silent = net.createServer((socket) => track(socket));
          await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
          cleanups.push(() => silent.close());
          const { listener } = await listen();
          const dead = listener.port;
          await listener.close();
          for (const port of [dead, (silent.address() as net.AddressInfo).port]) {
            const abort = new AbortController();
            const options = await toPort(port);
            const connecting = failure('ERR_ABORTED', connectTls({ ...options, signal: abort.signal }));
            setTimeout(() => abort.abort(), 100);
            await connecting;
            await failure('ERR_ABORTED', connectTls({ ...options, signal: abort.signal }));
          }
        });

        it('reports a silent, a babbling and a vanishing other side', async () => {
          for (const [behave, code] of [
            [() => {}, 'ERR_PEER_TIMEOUT'],
            [(socket: net.Socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'), 'ERR_FRAME_FORMAT'],
            [(socket: net.Socket) => socket.destroy(), 'ERR_PEER_CLOSED'],
          ] as const) {
            const server = net.createServer((socket) => {
              socket.on('error', () => {});
              track(socket);
              behave(socket);
            });
            await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
            cleanups.push(() => server.close());
            const { port } = server.address() as net.AddressInfo;
            const options = await toPort(port);
            await failure(code, connectTls({ ...options, timeoutMs: 300 }));
          }
        });

        it('reports a name that does not resolve and a bad port', async () => {
          const options = {
            self: 1,
            peer: 2,
            credentials: await credentials(1),
            session: SESSION,
            timeoutMs: 5000,
            native: ends.connector,
          } as const;
          await failure('ERR_PEER_UNREACHABLE', connectTls({ ...options, host: 'no-such-host.invalid', port: 1 }));
          await failure('ERR_ARGUMENT', connectTls({ ...options, host: '127.0.0.1', port: -1 }));
          await failure(
            'ERR_ARGUMENT',
            connectTls({ ...options, host: '127.0.0.1', port: 1, session: new Uint8Array(3) }),
          );
        });
      });

      it('turns bytes that are no TLS into a typed error on an open link', async () => {
        const { listener } = await listen();
        let connection: net.Socket | undefined;
        // A meddler between the parties: forwards until told to inject.
        const meddler = net.createServer((socket) => {
          const onward = net.connect(listener.port, '127.0.0.1');
          for (const end of [socket, onward]) {
            end.on('error', () => {});
            track(end);
          }
          socket.on('close', () => onward.destroy());
          onward.on('close', () => socket.destroy());
          socket.pipe(onward);
          onward.pipe(socket);
          connection = onward;
        });
        await new Promise<void>((resolve) => meddler.listen(0, '127.0.0.1', resolve));
        cleanups.push(() => meddler.close());
        const { port } = meddler.address() as net.AddressInfo;
        const [a, b] = await Promise.all([connect(listener, { port }), listener.accept({ peer: 1, session: SESSION })]);
        await a.send('x', Uint8Array.of(1));
        await b.recv('x', 1);
        connection?.write(Uint8Array.of(23, 3, 3, 0, 32, ...new Uint8Array(32)));
        await failure('ERR_FRAME_FORMAT', b.recv('y', 1));
        // The other end sees the TLS alert, or just the end of the connection.
        await expect(a.recv('y', 1)).rejects.toMatchObject({
          code: expect.stringMatching(/^ERR_(FRAME_FORMAT|PEER_CLOSED)$/),
        });
      });
    });
  });
