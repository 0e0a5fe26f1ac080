import { describe, expect, it } from 'vitest';
import { failure } from '../failure.ts';
import { FramedChannel, type TransportEvents } from '../../src/net/wire/channel.ts';
import { memoryPair } from '../../src/net/simulated/memory-link.ts';
import { channelConformance } from './conformance.ts';
import { SESSION, same } from './helpers.ts';

channelConformance('memory', {
  pair: async (options) => memoryPair(1, 2, options),
  raw: async (options) => {
    let events: TransportEvents | undefined;
    const transport = {
      open: (given: TransportEvents) => {
        events = given;
      },
      write: () => undefined,
      pause: () => {},
      close: async () => {},
      destroy: () => {},
    };
    const channel = new FramedChannel({ self: 2, peer: 1, session: SESSION, transport, ...options });
    const later = (act: () => void) => setImmediate(act);
    return {
      channel,
      raw: {
        write: (bytes) => later(() => events?.data(bytes)),
        end: () => later(() => events?.end()),
        destroy: () => later(() => events?.end()),
      },
    };
  },
  cleanup: async () => {},
});

describe('memoryPair', () => {
  it('never aliases the buffer of the sender', async () => {
    const [a, b] = memoryPair(0, 1);
    const bytes = Uint8Array.of(1, 2, 3);
    const sending = a.send('x', bytes);
    bytes.fill(9);
    await sending;
    expect([...(await b.recv('x', 3))]).toEqual([1, 2, 3]);
  });

  it('shows every message to the tap, in both directions, as a copy', async () => {
    const seen: string[] = [];
    const [a, b] = memoryPair(0, 2, {
      tap: ({ from, to }, tag, bytes) => {
        seen.push(`${from}>${to} ${tag} ${bytes.length}`);
        bytes.fill(0);
      },
    });
    await a.send('up', Uint8Array.of(5));
    await b.send('down', Uint8Array.of(6, 7));
    expect([...(await b.recv('up', 1))]).toEqual([5]);
    expect([...(await a.recv('down', 2))]).toEqual([6, 7]);
    expect(seen).toEqual(['0>2 up 1', '2>0 down 2']);
  });

  it('delivers what the tap returns', async () => {
    const [a, b] = memoryPair(0, 1, {
      tap: (_direction, tag, bytes) => (tag === 'x' ? bytes.map((byte) => byte ^ 1) : undefined),
    });
    await a.send('x', Uint8Array.of(4));
    await a.send('y', Uint8Array.of(4));
    expect([...(await b.recv('x', 1)), ...(await b.recv('y', 1))]).toEqual([5, 4]);
  });

  it('checks what the tap returns like any message', async () => {
    const [a, b] = memoryPair(0, 1, { tap: () => new Uint8Array(2) });
    await a.send('x', Uint8Array.of(4));
    await failure('ERR_FRAME_LENGTH', b.recv('x', 1));
  });

  it('checks frames changed on the wire', async () => {
    const [a, b] = memoryPair(0, 1, {
      wire: (_direction, frame) => frame.map((byte, i) => (i === 4 ? byte + 1 : byte)),
    });
    await a.send('x', Uint8Array.of(4));
    await failure('ERR_FRAME_SEQUENCE', b.recv('x', 1));
  });

  it('moves 500 MB in seconds', { timeout: 60_000 }, async () => {
    const [a, b] = memoryPair(1, 2);
    const part = new Uint8Array(50_000_000).fill(1);
    const started = performance.now();
    for (let i = 0; i < 10; i++) {
      const [, got] = await Promise.all([a.send('p', part), b.recv('p', part.length)]);
      if (i === 0) expect(same(got, part)).toBe(true);
    }
    expect(performance.now() - started).toBeLessThan(15_000);
  });
});
