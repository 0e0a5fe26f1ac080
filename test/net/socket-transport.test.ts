/** Short frames for a socket are gathered: one write for those of a half-round, in order, soon, and at once on request. */
import { nextTick } from 'node:process';
import { describe, expect, it } from 'vitest';
import { TercetError } from '../../src/core/errors.ts';
import { type ByteSocket, SocketTransport } from '../../src/net/tls/socket.ts';
import { pattern, sleep } from './helpers.ts';

/** A socket that takes what it is given, when `done` is called for it. */
function watched() {
  const writes: number[][] = [];
  let done: ((error?: Error) => void) | undefined;
  const socket: ByteSocket = {
    destroyed: false,
    writableEnded: false,
    write: (bytes, taken) => {
      writes.push([...bytes]);
      done = taken;
      return true;
    },
    end: () => undefined,
    destroy: () => undefined,
    pause: () => undefined,
    resume: () => undefined,
    on: () => undefined,
  };
  const transport = new SocketTransport(socket, {
    early: new Uint8Array(0),
    flushTimeoutMs: 100,
    later: nextTick,
    explain: () => new TercetError('ERR_PEER_CLOSED', 'over', 'none'),
  });
  const send = (first: number, length = 1) =>
    void transport.write(Uint8Array.of(first), new Uint8Array(length).fill(first));
  return { transport, writes, send, done: (error?: Error) => done?.(error) };
}

const KB = 1024;

describe('frames for a socket', () => {
  it('go in one write where they are written in a row, and before anything is waited for', async () => {
    const { writes, send } = watched();
    for (const first of [1, 2, 3]) {
      send(first);
      await Promise.resolve();
    }
    expect(writes).toEqual([]);
    await sleep(0);
    expect(writes).toEqual([[1, 1, 2, 2, 3, 3]]);
  });

  it('go at once where nothing more follows', () => {
    const { transport, writes, send } = watched();
    send(1);
    send(2);
    transport.flush();
    expect(writes).toEqual([[1, 1, 2, 2]]);
  });

  it('do not wait for others once they have waited, nor behind many bytes', () => {
    const waited = watched();
    waited.send(1);
    const start = performance.now();
    while (performance.now() - start < 5);
    waited.send(2);
    expect(waited.writes).toEqual([[1, 1, 2, 2]]);
    const many = watched();
    for (let i = 0; i < 5; i++) many.send(i, 4000);
    expect(many.writes.map(({ length }) => length)).toEqual([5 * 4001]);
  });

  it('wait for the write before them, and go when it is done', () => {
    const { transport, writes, send, done } = watched();
    send(1);
    transport.flush();
    send(2);
    send(3);
    transport.flush();
    expect(writes.length).toBe(1);
    done();
    expect(writes).toEqual([
      [1, 1],
      [2, 2, 3, 3],
    ]);
  });
});

describe('a payload that is given', () => {
  const HEADER = Uint8Array.of(7);

  it('is let go when its last slice is written, and not before', () => {
    // The last slice goes by itself, or with the header of the next frame.
    for (const length of [160 * KB, 129 * KB]) {
      const { transport, writes, done } = watched();
      const [first, second] = [pattern(length, 1), pattern(length, 2)];
      const bytes = [...HEADER, ...first, ...HEADER, ...second];
      void transport.write(HEADER, first, 'given');
      void transport.write(HEADER, second, 'given');
      transport.flush();
      const left = [];
      for (let count = -1; count < writes.length; done()) {
        count = writes.length;
        left.push(first.length + second.length);
      }
      expect(writes.flat()).toEqual(bytes);
      expect(left.slice(0, 2)).toEqual([2 * length, 2 * length]);
      expect(left).toContain(length);
      expect([first.buffer.byteLength, second.buffer.byteLength]).toEqual([0, 0]);
    }
  });

  it('is let go at once where it was copied', () => {
    const { transport, writes } = watched();
    const payload = pattern(20 * KB);
    const bytes = [...HEADER, ...payload];
    void transport.write(HEADER, payload, 'given');
    expect(payload.length).toBe(0);
    transport.flush();
    expect(writes).toEqual([bytes]);
  });

  it('stays where the link ends before, or a write fails', () => {
    for (const failed of [false, true]) {
      const { transport, writes, done } = watched();
      const payload = pattern(256 * KB);
      void transport.write(HEADER, payload, 'given');
      transport.flush();
      done();
      expect(writes.length).toBe(2);
      if (failed) done(new Error('broken'));
      transport.destroy();
      expect(payload.length).toBe(256 * KB);
    }
  });

  it('stays where it is a part of a buffer, and so does one that is not given', () => {
    const { transport, writes, done } = watched();
    const room = pattern(256 * KB);
    void transport.write(HEADER, room.subarray(128 * KB), 'given');
    void transport.write(HEADER, room);
    transport.flush();
    for (let count = -1; count < writes.length; done()) count = writes.length;
    expect(writes.flat().length).toBe(2 + (128 + 256) * KB);
    expect(room.length).toBe(256 * KB);
  });
});
