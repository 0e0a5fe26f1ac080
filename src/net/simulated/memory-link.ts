/**
 * Two ends of a link inside one process, for tests and single-process runs. The bytes go through the same frame
 * encoder, parser and inbox as on a real link, so the same checks hold. Not a security boundary: both parties share
 * the process.
 */

import { TercetError } from '../../core/errors.ts';
import { concatBytes } from '../../core/bytes.ts';
import { FramedChannel, type SessionChannel, type Transport, type TransportEvents } from '../wire/channel.ts';
import { SESSION_BYTES, encodeHeader } from '../wire/frame.ts';
import { withProfile } from './paced.ts';
import { Queue } from '../wire/queue.ts';
import { nextTurn } from '../../core/event-loop.ts';
import type { Channel, LinkProfile, EndId } from '../wire/types.ts';

/** Bytes under way beyond which `send` waits. */
const HIGH_WATER_BYTES = 8 * 1024 * 1024;

interface Direction {
  readonly from: EndId;
  readonly to: EndId;
}

export interface MemoryOptions {
  /** Model of latency and rate: one for both directions, or by direction. */
  readonly profile?: LinkProfile | ((from: EndId, to: EndId) => LinkProfile | undefined) | undefined;
  /** Longest wait of one `recv` (default 120 s). */
  readonly timeoutMs?: number | undefined;
  /** Unclaimed bytes beyond which the sender is slowed down (default 64 MiB). */
  readonly highWaterBytes?: number | undefined;
  /**
   * Sees a copy of every payload under way; may return another payload (of any length, under a fresh valid header)
   * to deliver instead.
   */
  readonly tap?: ((direction: Direction, tag: string, bytes: Uint8Array) => Uint8Array | void) | undefined;
  /** Sees every whole frame as bytes, after `tap`; may return other bytes, valid or not, to deliver instead. */
  readonly wire?: ((direction: Direction, frame: Uint8Array) => Uint8Array | void) | undefined;
}

/** A connected pair of channels: the first is party `a`'s end, the second party `b`'s. */
export function memoryPair(a: EndId, b: EndId, options: MemoryOptions = {}): [Channel, Channel] {
  const session = crypto.getRandomValues(new Uint8Array(SESSION_BYTES));
  const there = new Pipe();
  const back = new Pipe();
  return [memoryEnd(a, b, session, there, back, options), memoryEnd(b, a, session, back, there, options)];
}

function memoryEnd(
  self: EndId,
  peer: EndId,
  session: Uint8Array,
  out: Pipe,
  into: Pipe,
  options: MemoryOptions,
): Channel {
  const transport = new MemoryTransport({ from: self, to: peer }, session, out, into, options);
  const { timeoutMs, highWaterBytes } = options;
  const channel: SessionChannel = new FramedChannel({ self, peer, session, transport, timeoutMs, highWaterBytes });
  const profile = typeof options.profile === 'function' ? options.profile(self, peer) : options.profile;
  return profile === undefined ? channel : withProfile(channel, profile);
}

class MemoryTransport implements Transport {
  readonly #direction: Direction;
  readonly #session: Uint8Array;
  readonly #out: Pipe;
  readonly #in: Pipe;
  readonly #options: MemoryOptions;
  #sequence = 0;

  constructor(direction: Direction, session: Uint8Array, out: Pipe, into: Pipe, options: MemoryOptions) {
    this.#direction = direction;
    this.#session = session;
    this.#out = out;
    this.#in = into;
    this.#options = options;
  }

  open(events: TransportEvents): void {
    this.#in.open(events);
  }

  write(header: Uint8Array, payload: Uint8Array): Promise<void> | undefined {
    return this.#out.write(this.#intercept(header, payload));
  }

  pause(paused: boolean): void {
    this.#in.pause(paused);
  }

  /** The pipe is memory and outlives this end: what is under way still arrives, without waiting here. */
  async close(): Promise<void> {
    this.#in.discard();
    this.#out.end();
  }

  destroy(): void {
    this.#in.discard();
    this.#out.abandon();
  }

  /** The frame to deliver: always a copy, so that the sender's buffer is never aliased. */
  #intercept(header: Uint8Array, payload: Uint8Array): Uint8Array {
    const sequence = this.#sequence++;
    let frame = concatBytes([header, payload]);
    const { tap, wire } = this.#options;
    if (tap !== undefined) {
      const tag = String.fromCharCode(...header.subarray(header.length - header[2]));
      const other = tap(this.#direction, tag, Uint8Array.from(payload));
      if (other !== undefined)
        frame = concatBytes([encodeHeader(this.#session, { tag, sequence, payloadLength: other.length }), other]);
    }
    return wire?.(this.#direction, frame) ?? frame;
  }
}

/** One direction: chunks in order, delivered one event-loop turn apart, held back while the reader is paused. */
class Pipe {
  #events: TransportEvents | undefined;
  readonly #chunks = new Queue<Uint8Array>();
  readonly #waiting = new Set<{ resolve: () => void; reject: (error: Error) => void }>();
  #bytes = 0;
  #paused = false;
  #scheduled = false;
  #ended = false;
  #discarding = false;

  open(events: TransportEvents): void {
    this.#events = events;
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#ended || this.#discarding) return Promise.reject(gone());
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    this.#schedule();
    if (this.#bytes <= HIGH_WATER_BYTES) return undefined;
    return new Promise((resolve, reject) => this.#waiting.add({ resolve, reject }));
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    this.#schedule();
  }

  /** The writer is done: what is under way is still delivered, then the end. */
  end(): void {
    this.#ended = true;
    this.#schedule();
  }

  /** The writer is gone: what is under way is lost, the end still arrives. */
  abandon(): void {
    this.#drop();
    this.end();
  }

  /** The reader is gone: nothing is delivered any more. */
  discard(): void {
    this.#discarding = true;
    this.#drop();
  }

  #drop(): void {
    this.#chunks.clear();
    this.#bytes = 0;
    for (const waiter of this.#waiting) waiter.reject(gone());
    this.#waiting.clear();
  }

  #schedule(): void {
    if (this.#scheduled || this.#paused || this.#discarding) return;
    if (this.#chunks.size === 0 && !this.#ended) return;
    this.#scheduled = true;
    nextTurn(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    if (this.#paused || this.#discarding) return;
    const chunk = this.#chunks.shift();
    if (chunk === undefined) {
      if (this.#ended) {
        this.#discarding = true;
        this.#events?.end();
      }
      return;
    }
    this.#bytes -= chunk.length;
    this.#events?.data(chunk);
    if (this.#bytes <= HIGH_WATER_BYTES) {
      for (const waiter of this.#waiting) waiter.resolve();
      this.#waiting.clear();
    }
    this.#schedule();
  }
}

function gone(): TercetError {
  return new TercetError(
    'ERR_PEER_CLOSED',
    'the peer closed the link',
    'look at the output of the other party, then run again',
  );
}
