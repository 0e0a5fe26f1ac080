/** Party 2's links ahead of their sessions, and that none from before a violation is used behind it. */
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { PeerLinks } from '../../src/daemon/peer-links.ts';
import { credentialsOf } from '../../src/net/tls/certificates.ts';
import { type TlsListener, listenTls } from '../../src/net/tls/listener.ts';
import { SESSION, testCertificates, until } from '../net/helpers.ts';

/** Between the parties: connections in their order, each of which can be held back. */
class Between {
  readonly connections: { readonly socket: Socket; bytes: number; closed: boolean }[] = [];
  readonly #held: (() => void)[] = [];
  #holding = false;
  readonly #server: Server;

  constructor(port: number) {
    this.#server = createServer((socket) => {
      const connection = { socket, bytes: 0, closed: false };
      this.connections.push(connection);
      const out = connect(port, '127.0.0.1');
      socket.on('data', (bytes) => {
        connection.bytes += bytes.length;
        if (this.#holding) this.#held.push(() => out.write(bytes));
        else out.write(bytes);
      });
      out.pipe(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          connection.closed = true;
          out.destroy();
        });
      out.on('error', () => undefined).on('close', () => socket.destroy());
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  hold(): void {
    this.#holding = true;
  }

  letGo(): void {
    this.#holding = false;
    for (const write of this.#held.splice(0)) write();
  }

  close(): void {
    for (const { socket } of this.connections) socket.destroy();
    this.#server.close();
  }
}

let [listener, between, links]: [TlsListener | undefined, Between | undefined, PeerLinks | undefined] = [
  undefined,
  undefined,
  undefined,
];
afterEach(async () => {
  await links?.close();
  between?.close();
  await listener?.close();
});

async function world(): Promise<{
  readonly listener: TlsListener;
  readonly between: Between;
  keep(spare: number): PeerLinks;
}> {
  const certificates = await testCertificates();
  const listens = await listenTls({ self: 1, credentials: credentialsOf(certificates, 1), timeoutMs: 20_000 });
  const inBetween = new Between(listens.port);
  const port = await inBetween.listen();
  [listener, between] = [listens, inBetween];
  return {
    listener: listens,
    between: inBetween,
    keep(spare) {
      const kept = new PeerLinks({
        ...{ self: 2, peer: 1, host: '127.0.0.1', port, recvTimeoutMs: 20_000, timeoutMs: 20_000, spare },
        credentials: () => credentialsOf(certificates, 2),
      });
      links = kept;
      return kept;
    },
  };
}

/** Which connection carries the link of a session. */
async function carrier(
  { listener, between }: { readonly listener: TlsListener; readonly between: Between },
  of: PeerLinks,
) {
  const [mine, theirs] = await Promise.all([
    of.open(SESSION, new AbortController().signal),
    listener.accept({ peer: 2, session: SESSION }),
  ]);
  const before = between.connections.map(({ bytes }) => bytes);
  await mine.send('x', new Uint8Array(50_000));
  await theirs.recv('x', 50_000);
  const carried = between.connections.map(({ bytes }, i) => bytes - (before[i] ?? 0));
  await Promise.all([mine.close(), theirs.close()]);
  return carried.findIndex((bytes) => bytes >= 50_000);
}

it('links that stand are let go when they are renewed, and the next session has one that began later', async () => {
  const met = await world();
  const kept = met.keep(2);
  await until(() => kept.spare === 2);
  // Control: without a renewal it is the first of them.
  expect(await carrier(met, kept)).toBe(0);
  await until(() => kept.spare === 2);
  const before = met.between.connections.length;
  kept.renew();
  expect(kept.spare).toBe(0);
  expect(await carrier(met, kept)).toBeGreaterThanOrEqual(before);
  expect(met.between.connections.slice(0, before).every(({ closed }) => closed)).toBe(true);
});

it('one whose handshake is under way meanwhile is let go when it stands', async () => {
  const met = await world();
  met.between.hold();
  const kept = met.keep(1);
  await until(() => met.between.connections.length === 1 && met.between.connections[0].bytes > 0);
  kept.renew();
  met.between.letGo();
  await until(() => kept.spare === 1);
  expect(met.between.connections).toHaveLength(2);
  expect(await carrier(met, kept)).toBe(1);
  expect(met.between.connections[0].closed).toBe(true);
});
