import * as tls from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { failure } from '../failure.ts';
import type { TercetError } from '../../src/core/errors.ts';
import type { BoundChannel } from '../../src/net/wire/channel.ts';
import { type Certificates, createCertificates, credentialsOf } from '../../src/net/tls/certificates.ts';
import { type SpareLink, connectSpare, connectTls } from '../../src/net/tls/connect.ts';
import { HELLO_BYTES, encodeHello } from '../../src/net/tls/hello.ts';
import { type TlsListener, listenTls } from '../../src/net/tls/listener.ts';
import { LinkThread } from '../../src/net/thread/link-thread-node.ts';
import { frameCost } from '../../src/net/thread/messages.ts';
import { serveLinks } from '../../src/net/thread/serve-links.ts';
import { type PairOptions, channelConformance } from './conformance.ts';
import { SESSION, pattern, same, sleep, testCertificates, until } from './helpers.ts';
import { tlsEnds } from './native.ts';

const cleanups: (() => unknown)[] = [];

async function cleanup(): Promise<void> {
  for (const run of cleanups.splice(0).reverse()) await run();
}

type Maker = Pick<LinkThread, 'connect' | 'connectSpare'>;

/** Of all tests, as of all sessions of a party: a thread of Node or, where it was built, that of the library. */
const ofNode = new LinkThread();
afterAll(() => ofNode.close());
const MAKERS: readonly (readonly [string, Maker])[] = [
  ['thread', ofNode],
  ...tlsEnds()
    .filter(({ connector, listener }) => connector !== undefined && listener === undefined)
    .map(({ connector: native }): [string, Maker] => [
      'library',
      {
        connect: (options) => connectTls({ ...options, native }),
        connectSpare: (options) => connectSpare({ ...options, native }),
      },
    ]),
];
let thread: Maker = ofNode;

async function listen(options: PairOptions = {}): Promise<TlsListener> {
  const listener = await listenTls({
    self: 1,
    credentials: credentialsOf(await testCertificates(), 1),
    timeoutMs: 20_000,
    recvTimeoutMs: options.timeoutMs,
    highWaterBytes: options.highWaterBytes,
  });
  cleanups.push(() => listener.close());
  return listener;
}

async function toPort(port: number, { timeoutMs, highWaterBytes }: PairOptions = {}, from?: Certificates) {
  return {
    self: 2,
    peer: 1,
    ...{ host: '127.0.0.1', port, session: SESSION, timeoutMs: 20_000 },
    credentials: credentialsOf(from ?? (await testCertificates()), 2),
    recvTimeoutMs: timeoutMs,
    highWaterBytes,
  } as const;
}

async function threadPair(options: PairOptions = {}): Promise<[BoundChannel, BoundChannel]> {
  const listener = await listen(options);
  const connecting = thread.connect(await toPort(listener.port, options));
  return Promise.all([listener.accept({ peer: 2, session: SESSION }), connecting]);
}

for (const [name, maker] of MAKERS)
  describe(name, () => {
    beforeAll(() => {
      thread = maker;
    });

    channelConformance(name, {
      pair: threadPair,
      raw: async (options) => {
        const { key, cert, ca } = credentialsOf(await testCertificates(), 1);
        const sockets: tls.TLSSocket[] = [];
        const server = tls.createServer({ key, cert, ca, requestCert: true, ALPNProtocols: ['tercet/1'] }, (socket) => {
          sockets.push(socket);
          socket.on('error', () => undefined);
          socket.once('data', (hello: Buffer) => {
            expect(hello.length).toBe(HELLO_BYTES);
            socket.write(encodeHello({ from: 1, to: 2, status: 'ok', session: SESSION }));
            socket.resume();
          });
        });
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        cleanups.push(() => {
          for (const socket of sockets) socket.destroy();
          server.close();
        });
        const { port } = server.address() as { port: number };
        const channel = await thread.connect(await toPort(port, options));
        const [socket] = sockets;
        return {
          channel,
          raw: { write: (bytes) => socket.write(bytes), end: () => socket.end(), destroy: () => socket.destroy() },
        };
      },
      cleanup,
    });

    describe('links in a thread', () => {
      afterEach(cleanup);

      it('names the link as the other end does, for each use, until it is over', async () => {
        const [one, two] = await threadPair();
        expect(two.binding()).toEqual(one.binding());
        expect(two.exported('k12')).toEqual(one.exported('k12'));
        expect(two.exported('k12')).not.toEqual(two.binding());
        // A copy: whoever wipes it wipes no other one.
        two.exported('k12').fill(0);
        expect(two.exported('k12')).toEqual(one.exported('k12'));
        await two.close();
        expect(() => two.exported('k12')).toThrowError(expect.objectContaining({ code: 'ERR_PEER_CLOSED' }));
      });

      it('leaves this thread a message as it is: the sender keeps its buffer', async () => {
        const [one, two] = await threadPair();
        const words = pattern(100_000, 1);
        await two.send('x', words.subarray(10));
        expect(same(words, pattern(100_000, 1))).toBe(true);
        expect(same(await one.recv('x', 99_990), words.subarray(10))).toBe(true);
      });

      it('checks certificates like a connector of this thread, and says who did not prove itself', async () => {
        const listener = await listen();
        const foreign = await createCertificates();
        const options = await toPort(listener.port, {}, foreign);
        const there = await failure('ERR_PEER_CERTIFICATE', thread.connect(options));
        const here = await failure('ERR_PEER_CERTIFICATE', connectTls(options));
        // Who lacks an issuer may say so by another code than OpenSSL, which is sent the root as well.
        const said = ({ message, hint, party }: TercetError) => [message.replace(/\([A-Z_]+\)$/, ''), hint, party];
        expect(said(there)).toEqual(said(here));
      });

      it('retries a port where nobody listens, and can be given up', async () => {
        const listener = await listen();
        const options = await toPort(listener.port);
        await listener.close();
        await failure('ERR_PEER_UNREACHABLE', thread.connect({ ...options, timeoutMs: 200 }));
        const abort = new AbortController();
        const connecting = failure('ERR_ABORTED', thread.connect({ ...options, signal: abort.signal }));
        setTimeout(() => abort.abort(), 100);
        await connecting;
        await failure('ERR_ABORTED', thread.connect({ ...options, signal: abort.signal }));
      });

      it('has spare links that become those of a session, or end', async () => {
        const listener = await listen();
        const { session: _, ...options } = await toPort(listener.port);
        const spare = await thread.connectSpare(options);
        expect(spare.open).toBe(true);
        const [two, one] = await Promise.all([
          spare.claim(SESSION, 5000),
          listener.accept({ peer: 2, session: SESSION }),
        ]);
        expect(spare.open).toBe(false);
        await spare.ended;
        await one.send('x', Uint8Array.of(7));
        expect([...(await two.recv('x', 1))]).toEqual([7]);
        await failure('ERR_PEER_CLOSED', spare.claim(SESSION, 5000));
        const lost: SpareLink = await thread.connectSpare(options);
        listener.dropSpare();
        await lost.ended;
        await failure('ERR_PEER_CLOSED', lost.claim(SESSION, 5000));
        const left = await thread.connectSpare(options);
        left.close();
        await left.ended;
        expect(left.open).toBe(false);
      });

      it('hands no more than its window to a thread that is busy, and goes on when that has taken it', async () => {
        const listener = await listen();
        let handed = 0;
        let untaken = 0;
        // What the thread does, in this one: nothing is taken until the test says so.
        const tell = serveLinks((message) => {
          if (message.kind !== 'frames') return;
          for (const frame of message.frames) {
            handed++;
            untaken += frameCost(frame);
          }
        });
        tell({ kind: 'connect', id: 0, options: await toPort(listener.port) });
        cleanups.push(() => tell({ kind: 'destroy', id: 0 }));
        const sender = await listener.accept({ peer: 2, session: SESSION });
        const sending = (async () => {
          for (let i = 0; i < 60; i++) await sender.send('part', pattern(1_000_000, i));
        })();
        await until(() => untaken > 16 * 1024 * 1024, 30_000);
        await sleep(500);
        // One message that was under way is the most that comes beyond it.
        expect(untaken).toBeLessThan(16 * 1024 * 1024 + 2_000_000);
        expect(handed).toBeLessThan(20);
        while (handed < 60) {
          tell({ kind: 'taken', id: 0, bytes: untaken });
          untaken = 0;
          await sleep(5);
        }
        await sending;
      });

      it('closes with what was sent, and ends its thread', async () => {
        const own = new LinkThread();
        const listener = await listen();
        const options = await toPort(listener.port);
        const [one, two] = await Promise.all([listener.accept({ peer: 2, session: SESSION }), own.connect(options)]);
        const words = pattern(3_000_000, 4);
        await two.send('x', words);
        await Promise.all([two.close(), own.close()]);
        expect(same(await one.recv('x', words.length), words)).toBe(true);
        await one.ended;
      });
    });
  });
