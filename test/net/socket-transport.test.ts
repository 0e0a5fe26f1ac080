/** Short frames for a socket are gathered: one write for those of a half-round, in order, soon, and at once on request. */
import { nextTick } from 'node:process';
import { describe, expect, it } from 'vitest';
import { TercetError } from '../../src/core/errors.ts';
import { type ByteSocket, SocketTransport } from '../../src/net/tls/socket.ts';
import { sleep } from './helpers.ts';

/** A socket that takes what it is given, when `done` is called for it. */
function watched() {
  const writes: number[][] = [];
  let done: (() => void) | undefined;
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
  return { transport, writes, send, done: () => done?.() };
}

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
