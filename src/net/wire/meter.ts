/**
 * Counts what crosses one channel. A message counts as sent when `send` takes it, as received when `recv` hands it
 * out.
 */

import { frameBytes } from './frame.ts';
import type { LinkStats } from './types.ts';

/** The part of a tag before the first '/': the unit of the cost table. */
function tagPrefix(tag: string): string {
  const slash = tag.indexOf('/');
  return slash < 0 ? tag : tag.slice(0, slash);
}

/**
 * The live statistics of a channel.
 *
 * Only tags that this side sent or asked for are counted, so a peer cannot grow the tables; they have no prototype,
 * so a tag such as `__proto__` is an ordinary key. `wireBytes` are frames before TLS, which adds about 0.14 % to
 * large ones.
 */
export class LinkMeter {
  readonly stats: LinkStats = {
    sentPayloadBytes: 0,
    sentWireBytes: 0,
    sentFrames: 0,
    receivedPayloadBytes: 0,
    receivedWireBytes: 0,
    receivedFrames: 0,
    sentByTag: emptyTable(),
    receivedByTag: emptyTable(),
  };

  sent(tag: string, payloadLength: number): void {
    this.stats.sentPayloadBytes += payloadLength;
    this.stats.sentWireBytes += frameBytes(tag, payloadLength);
    this.stats.sentFrames++;
    add(this.stats.sentByTag, tag, payloadLength);
  }

  received(tag: string, payloadLength: number): void {
    this.stats.receivedPayloadBytes += payloadLength;
    this.stats.receivedWireBytes += frameBytes(tag, payloadLength);
    this.stats.receivedFrames++;
    add(this.stats.receivedByTag, tag, payloadLength);
  }
}

function emptyTable(): Record<string, number> {
  return Object.create(null) as Record<string, number>;
}

function add(table: Record<string, number>, tag: string, bytes: number): void {
  const prefix = tagPrefix(tag);
  table[prefix] = (table[prefix] ?? 0) + bytes;
}
