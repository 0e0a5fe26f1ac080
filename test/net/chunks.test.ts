import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/core/bytes.ts';
import type { TercetError } from '../../src/core/errors.ts';
import type { Transport } from '../../src/net/wire/channel.ts';
import { MAX_MESSAGE_BYTES } from '../../src/net/chunks/link.ts';
import { CHUNK_HEADER_BYTES, newChunk, readChunk } from '../../src/net/chunks/message.ts';
import { WINDOW_BYTES, linkTransport } from '../../src/net/chunks/transport.ts';
import { pattern, same, sleep, until } from './helpers.ts';
import { type MemoryLink, memoryLinks } from './memory-links.ts';

const NONE = new Uint8Array(0);

/** What one end of a stream has seen. */
interface Seen {
  bytes: number;
  readonly parts: Uint8Array[];
  ended: boolean;
  error: TercetError | undefined;
}

function watch(transport: Transport): Seen {
  const seen: Seen = { bytes: 0, parts: [], ended: false, error: undefined };
  transport.open({
    data: (bytes) => {
      seen.parts.push(bytes.slice());
      seen.bytes += bytes.length;
    },
    end: () => {
      seen.ended = true;
    },
    error: (error) => {
      seen.error ??= error as TercetError;
    },
  });
  return seen;
}

function streams(
  count = 1,
  maxMessageBytes?: number,
): { a: Transport; b: Transport; seenA: Seen; seenB: Seen; here: MemoryLink[]; there: MemoryLink[] } {
  const [here, there] = memoryLinks(count, maxMessageBytes);
  const a = linkTransport(here, 'party 2', 500);
  const b = linkTransport(there, 'party 1', 500);
  return { a, b, seenA: watch(a), seenB: watch(b), here, there };
}

/** A stream whose peer is the test itself. */
function victim(count = 1): { seen: Seen; links: MemoryLink[]; transport: Transport } {
  const [links] = memoryLinks(count);
  const transport = linkTransport(links, 'party 1', 500);
  return { seen: watch(transport), links, transport };
}

function data(number: number, payload: Uint8Array): Uint8Array {
  const chunk = newChunk('data', number, payload.length);
  chunk.set(payload, CHUNK_HEADER_BYTES);
  return chunk;
}

describe('a stream over message links', () => {
  for (const count of [1, 3]) {
    it(`keeps bytes and order over ${count} link(s), in chunks of at most 64 KiB`, async () => {
      const { a, seenB, here } = streams(count);
      const sent = pattern(20_000_000, 4);
      for (let at = 0; at < sent.length; at += 3_000_000)
        await a.write(sent.subarray(at, at + 100), sent.subarray(at + 100, at + 3_000_000));
      await until(() => seenB.bytes === sent.length);
      expect(same(concatBytes(seenB.parts), sent)).toBe(true);
      for (const link of here) {
        expect(Math.max(...link.sent.map((message) => message.length))).toBe(MAX_MESSAGE_BYTES);
        expect(link.sent.length).toBeGreaterThan(20_000_000 / MAX_MESSAGE_BYTES / count / 2);
      }
    });
  }

  it('keeps to the longest message that a link takes', async () => {
    const { a, seenB, here } = streams(1, 1000);
    await a.write(NONE, pattern(10_000));
    await until(() => seenB.bytes === 10_000);
    expect(Math.max(...here[0].sent.map((message) => message.length))).toBe(1000);
  });

  it('puts the small messages of one turn into one chunk', async () => {
    const { a, seenB, here } = streams();
    for (let i = 0; i < 100; i++) void a.write(Uint8Array.of(i), NONE);
    await until(() => seenB.bytes === 100);
    expect(here[0].sent.length).toBe(1);
  });

  it('puts swapped messages back in order', async () => {
    const { a, seenB, here } = streams();
    const sent = pattern(600_000, 9);
    here[0].tap = swapPairs();
    await a.write(NONE, sent);
    await until(() => seenB.bytes >= 9 * 65_528);
    await a.close();
    expect(same(concatBytes(seenB.parts), sent)).toBe(true);
  });

  it('stops a sender whose peer does not read, and lets it go on', async () => {
    const { a, b, seenB } = streams();
    b.pause(true);
    const part = new Uint8Array(1 << 20);
    let taken = 0;
    const sending = (async () => {
      for (; taken < 40; taken++) await a.write(NONE, part);
    })();
    await sleep(100);
    expect(seenB.bytes).toBe(WINDOW_BYTES);
    expect(taken).toBeLessThan(16);
    b.pause(false);
    await sending;
    await until(() => seenB.bytes === 40 << 20);
  });

  it('delivers what was sent before its end, and ends both sides', async () => {
    const { a, seenA, seenB, here } = streams(2);
    void a.write(NONE, pattern(1_000_000));
    await a.close();
    expect(seenB).toMatchObject({ bytes: 1_000_000, ended: true });
    await until(() => here.every((link) => link.closed) && seenB.error !== undefined);
    expect(seenA.ended).toBe(false);
  });

  it('ends in bounded time when the peer does not acknowledge, or does not read', async () => {
    const { transport, links } = victim();
    const begin = performance.now();
    await transport.close();
    expect(performance.now() - begin).toBeLessThan(1500);
    expect(links[0].closed).toBe(true);
    const full = victim();
    void full.transport.write(NONE, new Uint8Array(2 * WINDOW_BYTES))?.catch(() => undefined);
    await full.transport.close();
    expect(full.links[0].closed).toBe(true);
  });

  it('reports a link that closes before the end, also one of several', async () => {
    const { a, seenB, here, there } = streams(3);
    await a.write(NONE, pattern(1000));
    await until(() => seenB.bytes === 1000);
    here[1].destroy();
    await until(() => seenB.error !== undefined);
    expect(seenB).toMatchObject({
      ended: false,
      error: { code: 'ERR_PEER_CLOSED', message: 'party 1 closed the link' },
    });
    await until(() => there.every((link) => link.closed));
    await expect(a.write(NONE, NONE)).rejects.toMatchObject({ code: 'ERR_PEER_CLOSED' });
  });

  it('frees a sender that waits when the link ends', async () => {
    const { transport } = victim();
    const waiting = transport.write(NONE, new Uint8Array(4 * WINDOW_BYTES));
    transport.destroy();
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_PEER_CLOSED' });
  });
});

/** Delivers every second message before the one that it follows. */
function swapPairs(): (message: Uint8Array) => readonly Uint8Array[] {
  let held: Uint8Array | undefined;
  return (message) => {
    const { kind } = readChunk(message);
    if (kind === 'data' && held === undefined) {
      held = message;
      return [];
    }
    const out = held === undefined ? [message] : [message, held];
    held = undefined;
    return out;
  };
}

describe('a peer that does not follow the rules', () => {
  const full = (number: number): Uint8Array => data(number, new Uint8Array(MAX_MESSAGE_BYTES - CHUNK_HEADER_BYTES));
  const changed = (at: number, value: number): Uint8Array =>
    data(0, Uint8Array.of(1)).map((byte, i) => (i === at ? value : byte));
  const credit = (bytes: number): Uint8Array => newChunk('credit', bytes);
  const flood = Array.from({ length: 129 }, (_, i) => full(i + 1));

  for (const [what, messages, code] of [
    ['a message too long', [new Uint8Array(MAX_MESSAGE_BYTES + 1)], 'ERR_FRAME_LENGTH'],
    ['a message too short', [new Uint8Array(7)], 'ERR_FRAME_LENGTH'],
    ['an empty message', [NONE], 'ERR_FRAME_LENGTH'],
    ['a chunk without payload', [newChunk('data', 0)], 'ERR_FRAME_LENGTH'],
    ['an end with payload', [newChunk('fin', 0, 1)], 'ERR_FRAME_LENGTH'],
    ['an unknown kind', [changed(4, 4)], 'ERR_FRAME_FORMAT'],
    ['a reserved byte', [changed(5, 1)], 'ERR_FRAME_FORMAT'],
    ['a reserved field', [changed(6, 1)], 'ERR_FRAME_FORMAT'],
    ['a chunk twice', [data(0, Uint8Array.of(1)), data(0, Uint8Array.of(1))], 'ERR_FRAME_SEQUENCE'],
    ['a chunk twice before its turn', [data(5, Uint8Array.of(1)), data(5, Uint8Array.of(1))], 'ERR_FRAME_SEQUENCE'],
    ['a chunk far ahead', [data(16_384, Uint8Array.of(1))], 'ERR_FRAME_SEQUENCE'],
    ['a chunk after the end', [newChunk('fin', 0), data(1, Uint8Array.of(1))], 'ERR_FRAME_SEQUENCE'],
    ['an acknowledgement of nothing', [newChunk('fin-ack', 0)], 'ERR_FRAME_SEQUENCE'],
    ['more credit than there is', [credit(WINDOW_BYTES + 1)], 'ERR_FRAME_LENGTH'],
    ['more bytes than it was given room for, out of order', flood, 'ERR_FRAME_LENGTH'],
  ] as const) {
    it(`is cut off for ${what}`, () => {
      const { seen, links } = victim();
      for (const message of messages) links[0].receive(message);
      expect(seen.error?.code).toBe(code);
      expect(links[0].closed).toBe(true);
    });
  }

  it('is cut off for a text', () => {
    const { seen, links } = victim();
    links[0].receiveText();
    expect(seen.error?.code).toBe('ERR_FRAME_FORMAT');
  });

  it('and one that does is not (positive control)', () => {
    const { seen, links } = victim();
    for (let i = 128; i >= 1; i--) links[0].receive(data(i, Uint8Array.of(i)));
    links[0].receive(data(0, Uint8Array.of(0)));
    links[0].receive(credit(WINDOW_BYTES));
    links[0].receive(credit(5));
    links[0].receive(newChunk('fin', 129));
    expect(seen).toMatchObject({ bytes: 129, ended: true, error: undefined });
  });

  it('finds no message that does anything else than being read or being refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), (bytes) => {
        const { seen, links } = victim();
        links[0].receive(bytes);
        return (
          seen.error === undefined ||
          ['ERR_FRAME_LENGTH', 'ERR_FRAME_FORMAT', 'ERR_FRAME_SEQUENCE'].includes(seen.error.code)
        );
      }),
    );
  });

  it('counts credit beyond 4 GiB', () => {
    const chunk = readChunk(newChunk('credit', 7 * 2 ** 32 + 9));
    expect(chunk).toMatchObject({ kind: 'credit', number: 7 * 2 ** 32 + 9 });
  });
});
