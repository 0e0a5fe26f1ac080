/**
 * Makes a fast link behave like a slow one: a model of latency and rate on the sending side of any channel.
 *
 * A message leaves when the ones before it have left, takes its bytes at the rate of the link, and arrives one
 * latency later. Messages under way overlap, so latency is paid once per round trip, not once per message. For
 * measurements only; it protects nothing.
 */

import { TercetError } from '../../core/errors.ts';
import { checkMessage, frameBytes } from '../wire/frame.ts';
import { OtherMessage } from '../wire/inbox.ts';
import { LinkMeter } from '../wire/meter.ts';
import { Queue } from '../wire/queue.ts';
import { nextTurn } from '../../core/event-loop.ts';
import type { Channel, LinkProfile, LinkStats, EndId } from '../wire/types.ts';

/** Bytes waiting for the modelled link, beyond those in flight on it, before `send` waits. */
const HIGH_WATER_BYTES = 8 * 1024 * 1024;
/** Timers of the platform are this coarse; the rest of a wait is polled, one event-loop turn at a time. */
const TIMER_GRAIN_MS = 1.5;

interface Departure {
  readonly tag: string;
  readonly bytes: Uint8Array;
  readonly arrivesAt: number;
}

/**
 * `channel`, with what it sends delayed by `profile`. Wrap each end with the profile of its own sending direction.
 *
 * @throws TercetError ERR_ARGUMENT unless the latency is finite and not negative and the rate is positive
 */
export function withProfile(channel: Channel, profile: LinkProfile): Channel {
  const { latencyMs, bitsPerSecond } = profile;
  if (!(latencyMs >= 0 && latencyMs <= 60_000 && bitsPerSecond > 0)) {
    throw new TercetError('ERR_ARGUMENT', 'bad link profile', 'use a latency of 0 to 60000 ms and a positive rate');
  }
  return new PacedChannel(channel, profile);
}

class PacedChannel implements Channel {
  readonly #inner: Channel;
  readonly #bytesPerMs: number;
  readonly #latencyMs: number;
  readonly #capacity: number;
  /** Own counters: a message counts when `send` takes it, not when the model lets it go. */
  readonly #meter = new LinkMeter();
  readonly #departures = new Queue<Departure>();
  readonly #waiting = new Set<{ resolve: () => void; reject: (error: Error) => void }>();
  #queuedBytes = 0;
  #linkFreeAt = 0;
  #pumping: Promise<void> | undefined;
  #error: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(inner: Channel, profile: LinkProfile) {
    this.#inner = inner;
    this.#bytesPerMs = profile.bitsPerSecond / 8000;
    this.#latencyMs = profile.latencyMs;
    this.#capacity = HIGH_WATER_BYTES + this.#bytesPerMs * this.#latencyMs;
  }

  get self(): EndId {
    return this.#inner.self;
  }

  get peer(): EndId {
    return this.#inner.peer;
  }

  get ended(): Promise<Error> {
    return this.#inner.ended;
  }

  get stats(): LinkStats {
    return this.#meter.stats;
  }

  async send(tag: string, bytes: Uint8Array): Promise<void> {
    if (this.#error !== undefined) throw this.#error;
    checkMessage(tag, bytes.length);
    const wireBytes = frameBytes(tag, bytes.length);
    this.#linkFreeAt = Math.max(performance.now(), this.#linkFreeAt) + wireBytes / this.#bytesPerMs;
    this.#departures.push({ tag, bytes, arrivesAt: this.#linkFreeAt + this.#latencyMs });
    this.#queuedBytes += wireBytes;
    this.#meter.sent(tag, bytes.length);
    this.#pumping ??= this.#pump();
    if (this.#queuedBytes <= this.#capacity) return;
    await new Promise<void>((resolve, reject) => this.#waiting.add({ resolve, reject }));
  }

  async recv(tag: string, byteLength: number, instead?: string): Promise<Uint8Array> {
    try {
      const bytes = await this.#inner.recv(tag, byteLength, instead);
      this.#meter.received(tag, byteLength);
      return bytes;
    } catch (error) {
      // What a channel survives is a bad argument, and another message that was named.
      const survives = error instanceof OtherMessage || (error instanceof TercetError && error.code === 'ERR_ARGUMENT');
      if (!survives) this.#fail(error as Error);
      throw error;
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  abort(error: Error): void {
    this.#fail(error);
    this.#inner.abort(error);
  }

  async #close(): Promise<void> {
    this.#error ??= new TercetError('ERR_STATE', 'the link was closed by this side', 'open a new link');
    await this.#pumping;
    await this.#inner.close();
  }

  /** Hands every message to the inner channel at its time, in order. Never rejects: a failure ends the sending side. */
  async #pump(): Promise<void> {
    try {
      for (let next = this.#departures.peek(); next !== undefined; next = this.#departures.peek()) {
        await until(next.arrivesAt);
        if (this.#departures.peek() !== next) break;
        await this.#inner.send(next.tag, next.bytes);
        if (this.#departures.peek() !== next) break;
        this.#departures.shift();
        this.#queuedBytes -= frameBytes(next.tag, next.bytes.length);
        if (this.#queuedBytes <= this.#capacity) this.#release();
      }
    } catch (error) {
      this.#fail(error as Error);
    }
    this.#pumping = undefined;
  }

  #release(): void {
    for (const waiter of this.#waiting) waiter.resolve();
    this.#waiting.clear();
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#departures.clear();
    this.#queuedBytes = 0;
    for (const waiter of this.#waiting) waiter.reject(error);
    this.#waiting.clear();
  }
}

/** Resolves at `time` on the clock of `performance.now`, to a fraction of a millisecond. */
async function until(time: number): Promise<void> {
  for (let left = time - performance.now(); left > 0; left = time - performance.now()) {
    const wait = left - TIMER_GRAIN_MS;
    await new Promise<void>((resolve) => {
      if (wait >= 1) setTimeout(resolve, wait);
      else nextTurn(resolve);
    });
  }
}
