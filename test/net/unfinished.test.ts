/** Who gives way when connections that prove nothing crowd a listener; and links that stand ahead of their session. */
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { failure } from '../failure.ts';
import { addressGroup } from '../../src/net/wire/address-group.ts';
import { credentialsOf } from '../../src/net/tls/certificates.ts';
import { connectSpare, connectTls } from '../../src/net/tls/connect.ts';
import { type TlsListener, listenTls } from '../../src/net/tls/listener.ts';
import { Unfinished } from '../../src/net/wire/unfinished.ts';
import { SESSION, testCertificates } from './helpers.ts';

describe('an address', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:1:2::9', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', 'unknown'],
    [undefined, 'unknown'],
  ])('%s counts as %s', (address, group) => {
    expect(addressGroup(address)).toBe(group);
  });
});

describe('unfinished connections', () => {
  function crowd(max: number, perAddress: number, reserved: readonly string[] = []) {
    const dropped: string[] = [];
    const unfinished = new Unfinished({ max, perAddress }, (group) => reserved.includes(group));
    const add = (key: string, address: string) => unfinished.add(key, address, () => dropped.push(key));
    return { unfinished, dropped, add };
  }

  it('of one address drop the oldest of that address, and nobody else’s', () => {
    const { add, dropped, unfinished } = crowd(10, 3);
    add('honest', '192.0.2.1');
    for (let i = 0; i < 6; i++) add(`s${i}`, '192.0.2.66');
    expect(dropped).toEqual(['s0', 's1', 's2']);
    expect(unfinished.count).toBe(4);
  });

  it('of many addresses drop the oldest of the address that has most', () => {
    const { add, dropped } = crowd(5, 4);
    add('honest', '192.0.2.1');
    for (let i = 0; i < 4; i++) add(`s${i}`, '192.0.2.66');
    add('another', '192.0.2.2');
    expect(dropped).toEqual(['s0']);
  });

  it('never drop those of an address that a party is known at for others, until they are the only ones', () => {
    const { add, dropped } = crowd(3, 3, ['192.0.2.1']);
    for (const key of ['p0', 'p1']) add(key, '192.0.2.1');
    for (let i = 0; i < 5; i++) add(`s${i}`, `192.0.2.${100 + i}`);
    expect(dropped).toEqual(['s0', 's1', 's2', 's3']);
  });

  it('are not counted once they have proved who they are', () => {
    const { add, dropped, unfinished } = crowd(2, 2);
    for (let i = 0; i < 20; i++) {
      add(`link${i}`, '192.0.2.1');
      unfinished.remove(`link${i}`);
    }
    add('last', '192.0.2.1');
    expect(dropped).toEqual([]);
  });
});

describe('a spare link', () => {
  const open: TlsListener[] = [];
  afterEach(async () => {
    for (const listener of open.splice(0)) await listener.close();
  });

  async function listen(): Promise<TlsListener> {
    const listener = await listenTls({
      self: 1,
      credentials: credentialsOf(await testCertificates(), 1),
      timeoutMs: 5_000,
    });
    open.push(listener);
    return listener;
  }
  const to = async (listener: TlsListener, self: 0 | 2 = 2) =>
    ({
      self,
      peer: 1,
      host: '127.0.0.1',
      port: listener.port,
      credentials: credentialsOf(await testCertificates(), self),
    }) as const;

  it('becomes the link of a session, without a new connection, and carries messages both ways', async () => {
    const listener = await listen();
    const spare = await connectSpare(await to(listener));
    const [mine, theirs] = await Promise.all([
      spare.claim(SESSION, 5_000),
      listener.accept({ peer: 2, session: SESSION }),
    ]);
    await Promise.all([mine.send('x', Uint8Array.of(7)), theirs.send('y', Uint8Array.of(9))]);
    expect([...(await theirs.recv('x', 1)), ...(await mine.recv('y', 1))]).toEqual([7, 9]);
    expect(spare.open).toBe(false);
    await failure('ERR_PEER_CLOSED', spare.claim(SESSION, 5_000));
    await Promise.all([mine.close(), theirs.close()]);
  });

  it('that is given up while its answer is under way is not taken: the next link of the session is', async () => {
    const listener = await listen();
    // Between the two; what the listener says can be held back.
    let held = false;
    const between = createServer((socket) => {
      const out = connect(listener.port, '127.0.0.1');
      socket.pipe(out);
      out.on('data', (bytes) => held || socket.write(bytes));
      for (const [one, other] of [
        [socket, out],
        [out, socket],
      ])
        one.on('error', () => undefined).on('close', () => other.destroy());
    });
    await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve));
    const { port } = between.address() as AddressInfo;
    const spare = await connectSpare({ ...(await to(listener)), port });
    held = true;
    const taken = listener.accept({ peer: 2, session: SESSION });
    await failure('ERR_PEER_TIMEOUT', spare.claim(SESSION, 300));
    const mine = await connectTls({ ...(await to(listener)), session: SESSION });
    const theirs = await taken;
    await Promise.all([mine.send('x', Uint8Array.of(7)), theirs.send('y', Uint8Array.of(9))]);
    expect([...(await theirs.recv('x', 1)), ...(await mine.recv('y', 1))]).toEqual([7, 9]);
    await Promise.all([mine.close(), theirs.close()]);
    between.close();
  });

  it('is nobody’s until it is claimed, and knows when the other side is gone', async () => {
    const listener = await listen();
    const spare = await connectSpare(await to(listener));
    await failure('ERR_PEER_TIMEOUT', listener.acceptAny({ timeoutMs: 100 }));
    await listener.close();
    await spare.ended;
    expect(spare.open).toBe(false);
  });

  it('is for compute parties: an owner’s link without a session is answered, and hung up', async () => {
    const listener = await listen();
    // It learned that the party is there, and who it is. It holds no place.
    const asked = await connectSpare(await to(listener, 0));
    await asked.ended;
    expect(asked.open).toBe(false);
    expect(listener.peerLinks).toBe(0);
    // Control: with one it is taken.
    const [owner] = await Promise.all([
      connectTls({ ...(await to(listener, 0)), session: SESSION }),
      listener.acceptAny(),
    ]);
    owner.abort(new Error('over'));
  });

  it('of a compute party finds room when owners have filled their places', async () => {
    const listener = await listen();
    const session = (i: number) => SESSION.map((byte) => byte ^ i);
    const owners = await Promise.all(
      Array.from({ length: 16 }, async (_, i) => connectTls({ ...(await to(listener, 0)), session: session(i) })),
    );
    await failure('ERR_PEER_UNREACHABLE', connectTls({ ...(await to(listener, 0)), session: session(99) }));
    const peer = await connectTls({ ...(await to(listener)), session: SESSION });
    expect((await listener.accept({ peer: 2, session: SESSION })).peer).toBe(2);
    for (const link of [...owners, peer]) link.abort(new Error('over'));
  });
});
