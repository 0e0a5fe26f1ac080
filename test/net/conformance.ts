/** What every kind of channel must do. */

import { afterEach, describe, expect, it } from 'vitest';
import { failure } from '../failure.ts';
import { concatBytes } from '../../src/core/bytes.ts';
import { FIXED_HEADER_BYTES } from '../../src/net/wire/frame.ts';
import type { Channel } from '../../src/net/wire/types.ts';
import { SESSION, frame, pattern, same, sleep } from './helpers.ts';

export interface PairOptions {
  readonly timeoutMs?: number;
  readonly highWaterBytes?: number;
}

/** The far end of a link in the hands of an attacker: any bytes, any end. */
interface RawEnd {
  write(bytes: Uint8Array): void;
  end(): void;
  destroy(): void;
}

export interface Maker {
  /** Party 1's and party 2's end of a fresh link. */
  pair(options: PairOptions): Promise<[Channel, Channel]>;
  /**
   * Party 2's end of a fresh link of session SESSION, and an attacker in the place of party 1; left out where only
   * the sending side differs.
   */
  raw?(options: PairOptions): Promise<{ channel: Channel; raw: RawEnd }>;
  /** Releases what the maker holds besides channels. */
  cleanup(): Promise<void>;
}

export function channelConformance(name: string, maker: Maker): void {
  const open: Channel[] = [];

  async function pair(options: PairOptions = {}): Promise<[Channel, Channel]> {
    const ends = await maker.pair({ timeoutMs: 20_000, ...options });
    open.push(...ends);
    return ends;
  }

  async function raw(options: PairOptions = {}): Promise<{ channel: Channel; raw: RawEnd }> {
    if (maker.raw === undefined) throw new Error('no raw end');
    const ends = await maker.raw({ timeoutMs: 20_000, ...options });
    open.push(ends.channel);
    return ends;
  }

  describe(`${name} channel`, () => {
    afterEach(async () => {
      for (const channel of open.splice(0)) channel.abort(new Error('test over'));
      await maker.cleanup();
    });

    it('knows its ends', async () => {
      const [a, b] = await pair();
      expect([a.self, a.peer, b.self, b.peer]).toEqual([1, 2, 2, 1]);
    });

    it('delivers in order, whether recv comes before or after the message', async () => {
      const [a, b] = await pair();
      const early = b.recv('x/0', 3);
      await a.send('x/0', Uint8Array.of(1, 2, 3));
      await a.send('x/1', Uint8Array.of(4));
      expect([...(await early)]).toEqual([1, 2, 3]);
      await sleep(20);
      expect([...(await b.recv('x/1', 1))]).toEqual([4]);
      const both = Promise.all([b.recv('y', 1), b.recv('z', 0)]);
      await a.send('y', Uint8Array.of(9));
      await a.send('z', new Uint8Array(0));
      expect((await both).map((bytes) => bytes.length)).toEqual([1, 0]);
    });

    it('carries 20 MB both ways at once', async () => {
      const [a, b] = await pair();
      const there = pattern(20_000_000, 1);
      const back = pattern(20_000_000, 2);
      const [, , gotB, gotA] = await Promise.all([
        a.send('big', there),
        b.send('big', back),
        b.recv('big', there.length),
        a.recv('big', back.length),
      ]);
      expect(same(gotB, there)).toBe(true);
      expect(same(gotA, back)).toBe(true);
      expect(gotA.byteOffset).toBe(0);
      expect(gotA.buffer.byteLength).toBe(gotA.length);
    });

    it('carries many messages of mixed size without waiting for each', async () => {
      const [a, b] = await pair();
      const count = 3000;
      const length = (i: number): number => (i % 500 === 0 ? 200_000 : (i * 37) % 700);
      const sends: Promise<void>[] = [];
      for (let i = 0; i < count; i++) sends.push(a.send(`m/${i}`, pattern(length(i), i)));
      for (let i = 0; i < count; i++) {
        if (!same(await b.recv(`m/${i}`, length(i)), pattern(length(i), i))) throw new Error(`message ${i} differs`);
      }
      await Promise.all(sends);
      expect(b.stats.receivedFrames).toBe(count);
    });

    it('carries messages that are given as it does others, also one that is a part of a buffer', async () => {
      const [a, b] = await pair();
      const lengths = [100, 20_000, 128 * 1024, 128 * 1024 + 1, 200_000, 2_000_000];
      const room = pattern(300_000, 9);
      const part = room.subarray(100_000);
      const sends: Promise<void>[] = [];
      for (const [i, length] of lengths.entries()) {
        sends.push(a.send(`g/${i}`, pattern(length, i), 'given'), a.send('part', part, 'given'));
        // Memory that was freed too early is taken here.
        pattern(length, 77);
      }
      for (const [i, length] of lengths.entries()) {
        expect(same(await b.recv(`g/${i}`, length), pattern(length, i))).toBe(true);
        expect(same(await b.recv('part', part.length), part)).toBe(true);
      }
      await Promise.all(sends);
      expect(room.length).toBe(300_000);
    });

    it('slows the sender down when the reader is slow', async () => {
      const [a, b] = await pair({ highWaterBytes: 1024 * 1024 });
      const part = pattern(1_000_000, 3);
      const count = 60;
      let sent = 0;
      const sending = (async () => {
        for (; sent < count; sent++) await a.send('part', part);
      })();
      await sleep(400);
      // 1 MiB here, 8 MiB in the sender, the rest in the buffers of the system.
      expect(sent).toBeLessThan(count - 10);
      for (let i = 0; i < count; i++)
        if (!same(await b.recv('part', part.length), part)) throw new Error('part differs');
      await sending;
      expect(sent).toBe(count);
    });

    it('counts exactly', async () => {
      const [a, b] = await pair();
      await a.send('mul/1', new Uint8Array(100));
      await a.send('mul/2', new Uint8Array(50));
      await a.send('open', new Uint8Array(7));
      await a.send('__proto__/x', new Uint8Array(1));
      expect(b.stats.receivedFrames).toBe(0);
      await b.recv('mul/1', 100);
      await b.recv('mul/2', 50);
      await b.recv('open', 7);
      await b.recv('__proto__/x', 1);
      const wire = 4 * FIXED_HEADER_BYTES + 5 + 5 + 4 + 11 + 158;
      expect(a.stats).toMatchObject({ sentPayloadBytes: 158, sentFrames: 4, sentWireBytes: wire, receivedFrames: 0 });
      expect(b.stats).toMatchObject({
        receivedPayloadBytes: 158,
        receivedFrames: 4,
        receivedWireBytes: wire,
        sentWireBytes: 0,
      });
      const byTag = [
        ['mul', 150],
        ['open', 7],
        ['__proto__', 1],
      ];
      expect(Object.entries(a.stats.sentByTag)).toEqual(byTag);
      expect(Object.entries(b.stats.receivedByTag)).toEqual(byTag);
    });

    it('delivers everything sent before a close, then reports the close', async () => {
      const [a, b] = await pair();
      const last = pattern(5_000_000, 5);
      await a.send('one', new Uint8Array(10));
      const sending = a.send('last', last);
      const closing = a.close();
      expect((await b.recv('one', 10)).length).toBe(10);
      expect(same(await b.recv('last', last.length), last)).toBe(true);
      await sending;
      await closing;
      await a.close();
      await failure('ERR_STATE', a.send('after', new Uint8Array(1)));
      await failure('ERR_STATE', a.recv('after', 1));
      await failure('ERR_PEER_CLOSED', b.recv('more', 1));
      await failure('ERR_PEER_CLOSED', b.send('more', new Uint8Array(1)));
      await failure('ERR_PEER_CLOSED', b.recv('more', 1));
      await b.close();
    });

    it('rejects a waiting recv when the peer closes', async () => {
      const [a, b] = await pair();
      const waiting = failure('ERR_PEER_CLOSED', b.recv('never', 1));
      await a.close();
      await waiting;
    });

    it('closes from both sides at once', async () => {
      const [a, b] = await pair();
      await Promise.all([a.close(), b.close()]);
    });

    it('aborts with the given error here and ERR_PEER_CLOSED there', async () => {
      const [a, b] = await pair();
      const reason = new Error('stop');
      const here = expect(a.recv('x', 1)).rejects.toBe(reason);
      const there = failure('ERR_PEER_CLOSED', b.recv('y', 1));
      a.abort(reason);
      await here;
      await there;
      await expect(a.send('x', new Uint8Array(1))).rejects.toBe(reason);
      await a.close();
    });

    it('frees a sender that waits for room when the link ends', async () => {
      const [a, b] = await pair({ highWaterBytes: 1024 * 1024 });
      const part = new Uint8Array(10_000_000);
      const sends = failure('ERR_PEER_CLOSED', Promise.all(Array.from({ length: 6 }, () => a.send('part', part))));
      await sleep(100);
      b.abort(new Error('stop'));
      await sends;
    });

    it('times out, on both sides of a message', async () => {
      const [a, b] = await pair({ timeoutMs: 150, highWaterBytes: 1024 * 1024 });
      const error = await failure('ERR_PEER_TIMEOUT', b.recv('late/1', 1));
      expect(error.message).toContain('late/1');
      await failure('ERR_PEER_TIMEOUT', b.recv('late/1', 1));
      await failure('ERR_PEER_CLOSED', a.recv('x', 1));
      const [c] = await pair({ timeoutMs: 150, highWaterBytes: 1024 * 1024 });
      const part = new Uint8Array(10_000_000);
      await failure('ERR_PEER_TIMEOUT', Promise.all(Array.from({ length: 6 }, () => c.send('part', part))));
    });

    it('refuses another tag or length, whether recv or the message came first', async () => {
      for (const recvFirst of [true, false]) {
        for (const [tag, length, code] of [
          ['b', 4, 'ERR_FRAME_TAG'],
          ['a', 5, 'ERR_FRAME_LENGTH'],
        ] as const) {
          const [a, b] = await pair();
          if (!recvFirst) {
            await a.send('a', new Uint8Array(4));
            await sleep(30);
          }
          const refused = failure(code, b.recv(tag, length));
          if (recvFirst) await a.send('a', new Uint8Array(4));
          const error = await refused;
          expect(error.message).toContain('message a');
          await failure(code, b.recv('a', 4));
          await failure(code, b.send('a', new Uint8Array(4)));
          await failure('ERR_PEER_CLOSED', a.recv('reply', 1));
        }
      }
    });

    it('survives a message that was named in place of another, whether recv or the message came first', async () => {
      for (const recvFirst of [true, false]) {
        const [a, b] = await pair();
        const send = async () => {
          await a.send('word', Uint8Array.of(1, 2));
          await a.send('more', Uint8Array.of(3));
        };
        if (!recvFirst) {
          await send();
          await sleep(30);
        }
        const refused = failure('ERR_FRAME_TAG', b.recv('a', 4, 'word'));
        if (recvFirst) await send();
        expect((await refused).message).toContain('got message word, expected a');
        expect([...(await b.recv('word', 2))]).toEqual([1, 2]);
        await b.send('reply', Uint8Array.of(4));
        expect([...(await a.recv('reply', 1))]).toEqual([4]);
        // One that was not named ends it as ever.
        await failure('ERR_FRAME_TAG', b.recv('a', 4, 'word'));
        await failure('ERR_FRAME_TAG', b.recv('more', 1));
      }
    });

    it('survives its own caller asking for the impossible', async () => {
      const [a, b] = await pair();
      await failure('ERR_ARGUMENT', a.send('', new Uint8Array(1)));
      await failure('ERR_ARGUMENT', a.send('with space', new Uint8Array(1)));
      await failure('ERR_ARGUMENT', a.send('t'.repeat(121), new Uint8Array(1)));
      await failure('ERR_ARGUMENT', a.send('big', new Uint8Array(64 * 1024 * 1024 + 1)));
      await failure('ERR_ARGUMENT', b.recv('x', -1));
      await failure('ERR_ARGUMENT', b.recv('x', 0.5));
      await a.send('x', Uint8Array.of(1));
      expect([...(await b.recv('x', 1))]).toEqual([1]);
    });

    // A wrapped channel has no wire of its own; the channel that it wraps is tested in its own right.
    if (maker.raw === undefined) return;
    describe('against raw bytes', () => {
      const good = frame('t', new Uint8Array(4));
      const changed = (at: number, value: number): Uint8Array =>
        Uint8Array.from(good, (byte, i) => (i === at ? value : byte));
      const announce = (length: number): Uint8Array => {
        const bytes = good.slice();
        new DataView(bytes.buffer, bytes.byteOffset).setUint32(8, length, true);
        return bytes;
      };

      for (const [what, bytes, code] of [
        ['another session', frame('t', new Uint8Array(4), 0, SESSION.slice().reverse()), 'ERR_FRAME_SESSION'],
        ['another sequence number', frame('t', new Uint8Array(4), 1), 'ERR_FRAME_SEQUENCE'],
        ['a repeated frame', concatBytes([good, good]), 'ERR_FRAME_SEQUENCE'],
        ['another magic', changed(0, 0x55), 'ERR_FRAME_FORMAT'],
        ['another version', changed(1, 2), 'ERR_FRAME_FORMAT'],
        ['an empty tag', changed(2, 0), 'ERR_FRAME_FORMAT'],
        ['a long tag', changed(2, 121), 'ERR_FRAME_FORMAT'],
        ['a reserved byte', changed(3, 1), 'ERR_FRAME_FORMAT'],
        ['a control character in the tag', changed(FIXED_HEADER_BYTES, 0x1b), 'ERR_FRAME_FORMAT'],
        ['another tag', frame('u', new Uint8Array(4)), 'ERR_FRAME_TAG'],
        ['another length', frame('t', new Uint8Array(5)), 'ERR_FRAME_LENGTH'],
        ['1 GB announced', announce(1_000_000_000), 'ERR_FRAME_LENGTH'],
        ['4 GB announced', announce(0xffff_ffff), 'ERR_FRAME_LENGTH'],
      ] as const) {
        it(`refuses ${what}`, async () => {
          const { channel, raw: attacker } = await raw();
          const first = channel.recv('t', 4);
          const second = channel.recv('t', 4);
          const outcome = Promise.allSettled([first, second]);
          attacker.write(bytes);
          const reason = (await outcome)[1];
          expect(reason).toMatchObject({ status: 'rejected', reason: { code } });
          await failure(code, channel.recv('t', 4));
          await failure(code, channel.send('t', new Uint8Array(1)));
        });
      }

      it('accepts a good frame, byte by byte (positive control)', async () => {
        const { channel, raw: attacker } = await raw();
        for (const byte of good) attacker.write(Uint8Array.of(byte));
        expect((await channel.recv('t', 4)).length).toBe(4);
      });

      it('refuses a wrong header before its payload has come', async () => {
        const { channel, raw: attacker } = await raw();
        const refused = failure('ERR_FRAME_LENGTH', channel.recv('t', 4));
        attacker.write(announce(64 * 1024 * 1024).subarray(0, FIXED_HEADER_BYTES + 1));
        await refused;
      });

      it('reports a cut frame as closed', async () => {
        for (const cut of [1, FIXED_HEADER_BYTES, good.length - 1]) {
          for (const how of ['end', 'destroy'] as const) {
            const { channel, raw: attacker } = await raw();
            const refused = failure('ERR_PEER_CLOSED', channel.recv('t', 4));
            attacker.write(good.subarray(0, cut));
            await sleep(20);
            attacker[how]();
            await refused;
          }
        }
      });
    });
  });
}
