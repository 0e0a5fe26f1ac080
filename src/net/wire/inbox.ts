/**
 * The receive side of every channel: matches what arrives with what the protocol asked for, and nothing else.
 *
 * Security model: the peer chooses the bytes, this side chooses what it accepts. A message is handed out only if it
 * is the next one of the session and has exactly the tag and length that `recv` named. Memory is bounded: beyond
 * `highWaterBytes` of unclaimed frames the transport is told to pause, and at most one payload (64 MiB) is in the
 * making. Errors are final.
 */

import { TercetError } from '../../core/errors.ts';
import { type Frame, type FrameHeader, FrameParser, checkMessage, frameBytes } from './frame.ts';
import type { LinkMeter } from './meter.ts';
import { Queue } from './queue.ts';
import { startTimer } from '../../core/event-loop.ts';

export const DEFAULT_TIMEOUT_MS = 120_000;
const DEFAULT_HIGH_WATER_BYTES = 64 * 1024 * 1024;
/** What a queued frame costs besides its bytes, so that a flood of empty frames is bounded too. */
const FRAME_OVERHEAD_BYTES = 512;
const OUT_OF_STEP = 'the parties are out of step: check that all run the same version, model and settings';

export interface InboxOptions {
  readonly session: Uint8Array;
  readonly meter: LinkMeter;
  /** Longest wait of one `recv`; Infinity waits for ever. */
  readonly timeoutMs?: number | undefined;
  readonly highWaterBytes?: number | undefined;
  /** Asks the transport to stop (true) or to go on (false) delivering. Bytes delivered while paused are still taken. */
  readonly pause?: (paused: boolean) => void;
  /** Called once, with the error that ended the inbox from the inside (bad frame, mismatch, time-out). */
  readonly onFailure?: (error: Error) => void;
}

interface Waiter extends Expected {
  readonly instead: string | undefined;
  readonly resolve: (payload: Uint8Array) => void;
  readonly reject: (error: Error) => void;
  readonly timer: ReturnType<typeof setTimeout> | undefined;
}

interface Expected {
  readonly tag: string;
  readonly byteLength: number;
}

export class Inbox {
  readonly #options: InboxOptions;
  readonly #timeoutMs: number;
  readonly #highWater: number;
  readonly #parser: FrameParser;
  readonly #frames = new Queue<Frame>();
  readonly #waiters = new Queue<Waiter>();
  #queuedBytes = 0;
  #paused = false;
  #ended = false;
  #error: Error | undefined;

  constructor(options: InboxOptions) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#highWater = options.highWaterBytes ?? DEFAULT_HIGH_WATER_BYTES;
    this.#parser = new FrameParser(options.session, {
      onHeader: (header) => this.#onHeader(header),
      onFrame: (frame) => this.#onFrame(frame),
    });
  }

  /** The error that ended the inbox, if one did. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Takes bytes from the transport. Never throws: what is wrong with them ends the inbox. */
  push(bytes: Uint8Array): void {
    this.#taking(() => this.#parser.push(bytes));
  }

  /** A header, where frames are parsed before they get here. Never throws. */
  header(header: FrameHeader): void {
    this.#taking(() => this.#onHeader(header));
  }

  /** A frame, where frames are parsed before they get here. Never throws. */
  frame(frame: Frame): void {
    this.#taking(() => this.#onFrame(frame));
  }

  #taking(take: () => void): void {
    if (this.#error !== undefined || this.#ended) return;
    try {
      take();
    } catch (error) {
      this.#failFromInside(error as Error);
    }
  }

  /** The peer sends nothing more. What has arrived in full can still be received; then the link counts as closed. */
  end(): void {
    if (this.#error !== undefined || this.#ended) return;
    this.#ended = true;
    if (this.#waiters.size > 0) this.#failFromInside(this.#closedByPeer());
  }

  /**
   * Ends the inbox with `error`: everything pending and everything later rejects with it. Only the first error
   * counts.
   */
  fail(error: Error): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#frames.clear();
    this.#queuedBytes = 0;
    for (let waiter = this.#waiters.shift(); waiter !== undefined; waiter = this.#waiters.shift()) {
      clearTimeout(waiter.timer);
      waiter.reject(error);
    }
  }

  /**
   * The payload of the next message.
   *
   * @throws TercetError ERR_FRAME_TAG or ERR_FRAME_LENGTH if the next message is another one, ERR_PEER_TIMEOUT,
   * ERR_PEER_CLOSED if the peer closed before it, ERR_ARGUMENT for a tag or length that no message can have (the
   * channel survives that one), or the error that ended the channel before; {OtherMessage} for one with the tag
   * `instead`, which the channel survives as well
   */
  recv(tag: string, byteLength: number, instead?: string): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.#error !== undefined) return reject(this.#error);
      checkMessage(tag, byteLength);
      const frame = this.#frames.peek();
      if (frame !== undefined && frame.tag === instead) return reject(new OtherMessage(frame.tag, tag));
      this.#frames.shift();
      if (frame !== undefined) return this.#take(frame, { tag, byteLength }, resolve, reject);
      if (this.#ended) {
        this.#failFromInside(this.#closedByPeer());
        return reject(this.#error);
      }
      const timer = startTimer(this.#timeoutMs, () => this.#failFromInside(this.#timedOut(tag)));
      this.#waiters.push({ tag, byteLength, instead, resolve, reject, timer });
    });
  }

  #take(
    frame: Frame,
    expected: Expected,
    resolve: (payload: Uint8Array) => void,
    reject: (error: Error) => void,
  ): void {
    this.#queuedBytes -= queueCost(frame);
    const wrong = mismatch(frame, expected);
    if (wrong !== undefined) {
      this.#failFromInside(wrong);
      reject(wrong);
      return;
    }
    if (this.#paused && this.#queuedBytes <= this.#highWater / 2) this.#setPaused(false);
    this.#options.meter.received(frame.tag, frame.payloadLength);
    resolve(frame.payload);
  }

  /** Tells whoever waits first that another message comes, if that is the one it named. */
  #instead({ tag }: Pick<FrameHeader, 'tag'>): void {
    const waiter = this.#waiters.peek();
    if (waiter === undefined || waiter.instead !== tag) return;
    this.#waiters.shift();
    clearTimeout(waiter.timer);
    waiter.reject(new OtherMessage(tag, waiter.tag));
  }

  #onHeader(header: FrameHeader): void {
    this.#instead(header);
    const waiter = this.#waiters.peek();
    const wrong = waiter === undefined ? undefined : mismatch(header, waiter);
    if (wrong !== undefined) throw wrong;
  }

  #onFrame(frame: Frame): void {
    this.#instead(frame);
    const waiter = this.#waiters.peek();
    if (waiter === undefined) {
      this.#frames.push(frame);
      this.#queuedBytes += queueCost(frame);
      if (!this.#paused && this.#queuedBytes > this.#highWater) this.#setPaused(true);
      return;
    }
    // The waiter may have come after the header was checked.
    const wrong = mismatch(frame, waiter);
    if (wrong !== undefined) throw wrong;
    this.#waiters.shift();
    clearTimeout(waiter.timer);
    this.#options.meter.received(frame.tag, frame.payloadLength);
    waiter.resolve(frame.payload);
  }

  #setPaused(paused: boolean): void {
    this.#paused = paused;
    this.#options.pause?.(paused);
  }

  #failFromInside(error: Error): void {
    if (this.#error !== undefined) return;
    this.fail(error);
    this.#options.onFailure?.(error);
  }

  #closedByPeer(): TercetError {
    const what = this.#parser.partial
      ? 'the peer closed the link inside a message'
      : 'the peer closed the link before the expected message';
    return new TercetError('ERR_PEER_CLOSED', what, 'look at the output of the other party, then run again');
  }

  #timedOut(tag: string): TercetError {
    const what = `no ${tag} from the peer within ${this.#timeoutMs / 1000} s`;
    return new TercetError(
      'ERR_PEER_TIMEOUT',
      what,
      'check that the other party still runs and that the network is up',
    );
  }
}

/** A message that whoever received named beside the one it waited for. It can still be received. */
export class OtherMessage extends TercetError {
  constructor(got: string, expected: string) {
    super('ERR_FRAME_TAG', `got message ${got}, expected ${expected}`, OUT_OF_STEP);
  }
}

function queueCost(frame: Frame): number {
  return frameBytes(frame.tag, frame.payloadLength) + FRAME_OVERHEAD_BYTES;
}

function mismatch(got: FrameHeader, expected: Expected): TercetError | undefined {
  const hint = OUT_OF_STEP;
  if (got.tag !== expected.tag)
    return new TercetError('ERR_FRAME_TAG', `got message ${got.tag}, expected ${expected.tag}`, hint);
  if (got.payloadLength !== expected.byteLength) {
    return new TercetError(
      'ERR_FRAME_LENGTH',
      `message ${got.tag} has ${got.payloadLength} bytes, expected ${expected.byteLength}`,
      hint,
    );
  }
  return undefined;
}
