/** Short frames for the thread of a link are gathered: in order, soon, and never past what is said behind them. */
import { nextTick } from 'node:process';
import { describe, expect, it } from 'vitest';
import type { ToThread } from '../../src/net/thread/messages.ts';
import { ThreadTransport } from '../../src/net/thread/thread-transport.ts';
import { sleep } from './helpers.ts';

const frame = (first: number, payload: number): [header: Uint8Array, payload: Uint8Array] => [
  Uint8Array.of(first),
  new Uint8Array(payload).fill(first),
];

/** A transport, what it tells its thread, and the bytes of all writes in order. */
function watched() {
  const told: ToThread[] = [];
  const crossed: (ArrayBuffer | undefined)[] = [];
  const transport = new ThreadTransport(
    7,
    (message, given) => {
      told.push(message);
      crossed.push(given);
    },
    () => undefined,
    nextTick,
  );
  const written = () =>
    told.flatMap((message) => (message.kind === 'write' ? [...message.header, ...message.payload] : []));
  return { transport, told, crossed, written };
}

describe('frames for the thread of a link', () => {
  it('go in one message where they are written in a row, and before anything is waited for', async () => {
    const { transport, told, written } = watched();
    // As gates do: one behind the other, without a turn of the event loop.
    for (const first of [1, 2, 3]) {
      transport.write(...frame(first, 2));
      await Promise.resolve();
    }
    expect(told).toEqual([]);
    await sleep(0);
    expect(told.map(({ kind, id }) => [kind, id])).toEqual([['write', 7]]);
    expect(written()).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3]);
  });

  it('go at once where nothing more follows', () => {
    const { transport, told, written } = watched();
    transport.write(...frame(1, 1));
    transport.write(...frame(2, 1));
    transport.flush();
    expect(told.length).toBe(1);
    expect(written()).toEqual([1, 1, 2, 2]);
  });

  it('keep their order with a long one, which goes by itself', async () => {
    const { transport, told, written } = watched();
    transport.write(...frame(1, 3));
    transport.write(...frame(2, 1 << 16));
    transport.write(...frame(3, 3));
    await sleep(0);
    const lengths = told.map((message) => message.kind === 'write' && message.header.length + message.payload.length);
    expect(lengths).toEqual([4, 1 + (1 << 16), 4]);
    expect([written()[0], written()[4], written().at(-1)]).toEqual([1, 2, 3]);
  });

  it('do not wait for others once they have waited', () => {
    const { transport, told } = watched();
    transport.write(...frame(1, 1));
    const start = performance.now();
    while (performance.now() - start < 5);
    transport.write(...frame(2, 1));
    expect(told.length).toBe(1);
  });

  it('are no more than a message holds', async () => {
    const { transport, told, written } = watched();
    for (let i = 0; i < 100; i++) transport.write(...frame(i, 4000));
    await sleep(0);
    const lengths = told.map((message) => (message.kind === 'write' ? message.header.length : 0));
    expect(Math.max(...lengths)).toBeLessThanOrEqual(1 << 14);
    expect(written().filter((_, at) => at % 4001 === 0)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  it('are handed over before the link is paused, closed or destroyed', async () => {
    for (const end of ['pause', 'close', 'destroy'] as const) {
      const { transport, told } = watched();
      transport.write(...frame(1, 1));
      if (end === 'pause') transport.pause(true);
      else void transport[end]();
      await sleep(0);
      expect(told.map(({ kind }) => kind)).toEqual(['write', end]);
    }
  });

  it('are copied: who wrote them may go on', async () => {
    const { transport, written } = watched();
    const [header, payload] = frame(1, 3);
    transport.write(header, payload);
    payload.fill(9);
    await sleep(0);
    expect(written()).toEqual([1, 1, 1, 1]);
  });

  it('cross as they are where they are given and long, and have a buffer of their own', async () => {
    const { transport, told, crossed } = watched();
    const [header, payload] = frame(1, 1 << 16);
    transport.write(header, payload, 'given');
    transport.write(header, payload);
    transport.write(header, payload.subarray(1), 'given');
    transport.write(header, payload.slice(0, 10), 'given');
    await sleep(0);
    expect(told.length).toBe(4);
    expect(crossed).toEqual([payload.buffer, undefined, undefined, undefined]);
  });
});
