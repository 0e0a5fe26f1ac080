/**
 * Throughput of a link between a data owner and a party: so many bytes up, so many down, every byte compared. The
 * same functions on both ends, in a browser and in Node.
 */
import { TercetError } from '../core/errors.ts';
import type { Channel } from '../net/wire/types.ts';

/** Messages are of this size; the last one may be shorter. */
const PART_BYTES = 1024 * 1024;

export interface LinkLoad {
  readonly upBytes: number;
  readonly downBytes: number;
}

/** Megabytes (10^6) per second, from the first byte sent to the last one acknowledged as correct. */
export interface LinkRates {
  readonly up: number;
  readonly down: number;
}

/** The data owner's end. */
export async function measureLink(channel: Channel, { upBytes, downBytes }: LinkLoad): Promise<LinkRates> {
  const begin = performance.now();
  await sendParts(channel, 'bench/up', upBytes);
  await channel.recv('bench/up-done', 1);
  const middle = performance.now();
  await receiveParts(channel, 'bench/down', downBytes);
  await channel.send('bench/down-done', new Uint8Array(1));
  return { up: rate(upBytes, middle - begin), down: rate(downBytes, performance.now() - middle) };
}

/** The party's end. */
export async function answerLink(channel: Channel, { upBytes, downBytes }: LinkLoad): Promise<void> {
  await receiveParts(channel, 'bench/up', upBytes);
  await channel.send('bench/up-done', new Uint8Array(1));
  await sendParts(channel, 'bench/down', downBytes);
  await channel.recv('bench/down-done', 1);
}

async function sendParts(channel: Channel, tag: string, bytes: number): Promise<void> {
  for (let at = 0; at < bytes; at += PART_BYTES) await channel.send(tag, partAt(at, Math.min(PART_BYTES, bytes - at)));
}

async function receiveParts(channel: Channel, tag: string, bytes: number): Promise<void> {
  for (let at = 0; at < bytes; at += PART_BYTES) {
    const expected = partAt(at, Math.min(PART_BYTES, bytes - at));
    const got = await channel.recv(tag, expected.length);
    for (let i = 0; i < got.length; i++) {
      if (got[i] !== expected[i])
        throw new TercetError(
          'ERR_INTEGRITY',
          `byte ${at + i} of ${tag} differs`,
          'this is a bug in Tercet, please report it',
        );
    }
  }
}

/** Bytes that depend on their position in the stream, so that nothing lost, repeated or swapped goes unseen. */
function partAt(at: number, length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(at / 4 + i + 1, 0x9e3779b1);
  return new Uint8Array(words.buffer, 0, length);
}

function rate(bytes: number, ms: number): number {
  return bytes / 1e3 / ms;
}
