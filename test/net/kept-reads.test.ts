import { EventEmitter } from 'node:events';
import type { OnReadOpts } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { connectTls } from '../../src/net/tls/connect.ts';
import { credentialsOf } from '../../src/net/tls/certificates.ts';
import { readHello } from '../../src/net/tls/hello-io.ts';
import { encodeHello } from '../../src/net/tls/hello.ts';
import { KeptReads } from '../../src/net/tls/kept-reads.ts';
import { listenTls } from '../../src/net/tls/listener.ts';
import { SESSION, pattern, same, testCertificates } from './helpers.ts';

/** A connection whose reads the test makes. */
function connection() {
  const calls: string[] = [];
  const emitter = new EventEmitter();
  const socket = Object.assign(emitter, {
    pause: () => calls.push('pause'),
    resume: () => calls.push('resume'),
    destroy: () => calls.push('destroy'),
  });
  let onread: OnReadOpts | undefined;
  const reads = new KeptReads((option) => {
    onread = option;
    return socket as unknown as TLSSocket;
  });
  const kept = onread?.buffer as Uint8Array;
  /** What Node does: the bytes at the start of the buffer, and their number. */
  const read = (bytes: Uint8Array): void => {
    kept.set(bytes);
    onread?.callback(bytes.length, kept);
  };
  return { reads, read, kept, calls };
}

describe('reads into a kept buffer', () => {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const run of cleanups.splice(0).reverse()) await run();
  });

  it('shows what a read brought, and nothing of the reads before it', () => {
    const { reads, read } = connection();
    const seen: number[][] = [];
    reads.on('data', (bytes) => seen.push([...bytes]));
    read(Uint8Array.of(1, 2, 3, 4));
    read(Uint8Array.of(9));
    expect(seen).toEqual([[1, 2, 3, 4], [9]]);
  });

  it('has a buffer for every connection', () => {
    const [one, two] = [connection(), connection()];
    expect(one.kept.buffer).not.toBe(two.kept.buffer);
    one.read(pattern(100, 1));
    expect(two.kept.every((byte) => byte === 0)).toBe(true);
  });

  it('keeps a copy of what comes while nobody listens, in order', () => {
    const { reads, read } = connection();
    read(Uint8Array.of(1, 2));
    read(Uint8Array.of(3));
    const seen: number[] = [];
    reads.on('data', (bytes) => seen.push(...bytes));
    // Still paused: what was held comes first.
    read(Uint8Array.of(4));
    expect(seen).toEqual([]);
    reads.resume();
    read(Uint8Array.of(5));
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });

  it('loses nothing that comes behind a greeting, in reads of its own', async () => {
    const { reads, read, calls } = connection();
    const greeting = readHello(reads);
    read(encodeHello({ from: 1, to: 2, status: 'ok', session: SESSION }));
    // The read under way goes on after the pause.
    read(Uint8Array.of(7, 8));
    expect(calls).toEqual(['resume', 'pause']);
    expect((await greeting).rest).toEqual(new Uint8Array(0));
    const seen: number[] = [];
    reads.on('data', (bytes) => seen.push(...bytes));
    reads.resume();
    expect(seen).toEqual([7, 8]);
  });

  it('takes a listener away, and no other one', () => {
    const { reads, read } = connection();
    const seen: number[] = [];
    const listener = (bytes: Uint8Array) => seen.push(...bytes);
    reads.on('data', listener);
    reads.removeListener('data', () => undefined);
    read(Uint8Array.of(1));
    reads.removeListener('data', listener);
    read(Uint8Array.of(2));
    expect(seen).toEqual([1]);
  });

  it('carries a flood of small and large messages that begins with the greeting', async () => {
    const certificates = await testCertificates();
    const listener = await listenTls({ self: 1, credentials: credentialsOf(certificates, 1), timeoutMs: 10_000 });
    cleanups.push(() => listener.close());
    const accepted = listener.accept({ peer: 2, session: SESSION });
    const connecting = connectTls({
      ...{ self: 2, peer: 1, host: '127.0.0.1', port: listener.port, session: SESSION },
      credentials: credentialsOf(certificates, 2),
      timeoutMs: 10_000,
    });
    const sender = await accepted;
    cleanups.push(() => sender.close());
    const lengths = [0, 1, 300_000, 16_384, 5, 70_000, 16_385, 2];
    const sent = (async () => {
      for (const [i, length] of lengths.entries()) await sender.send(`m/${i}`, pattern(length, i));
    })();
    const channel = await connecting;
    cleanups.push(() => channel.close());
    for (const [i, length] of lengths.entries())
      expect(same(await channel.recv(`m/${i}`, length), pattern(length, i))).toBe(true);
    await sent;
  });
});
