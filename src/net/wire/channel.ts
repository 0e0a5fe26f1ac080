/**
 * The channel that every transport shares: frames out, inbox in, one error for both.
 *
 * A transport moves bytes in order and knows nothing of frames; this class numbers and checks messages. The first
 * error is final: it destroys the transport, and every pending and later call rejects with it.
 */

import { TercetError } from '../../core/errors.ts';
import { type Frame, type FrameHeader, MAX_SEQUENCE, checkMessage, encodeHeader } from './frame.ts';
import { DEFAULT_TIMEOUT_MS, Inbox } from './inbox.ts';
import { LinkMeter } from './meter.ts';
import { startTimer } from '../../core/event-loop.ts';
import type { Channel, LinkStats, EndId } from './types.ts';

export interface TransportEvents {
  /** Bytes of the peer. They are copied before the call returns. */
  data(bytes: Uint8Array): void;
  /** The peer sends nothing more. */
  end(): void;
  /** The link broke. */
  error(error: Error): void;
}

export interface Transport {
  /** Begins delivery. Called once, before anything else. */
  open(events: TransportEvents): void;
  /**
   * Takes one frame, in the order of the calls, and may keep the payload until it is written. Returns nothing if
   * more can be taken at once, else a promise that resolves when it can and rejects if the link ends first.
   * @param given the payload is the transport's from here on
   */
  write(header: Uint8Array, payload: Uint8Array, given?: 'given'): Promise<void> | undefined;
  /** Where short frames are gathered: they go now. */
  flush?(): void;
  /** Asks to stop or to go on delivering. */
  pause(paused: boolean): void;
  /**
   * Writes what was taken, tells the peer that nothing follows, releases everything. Takes bounded time and never
   * rejects.
   */
  close(): Promise<void>;
  /** Releases everything now. Safe to call at any time, any number of times. */
  destroy(): void;
}

/** What a transport that parses frames itself says instead of `data`. */
export interface FrameEvents extends TransportEvents {
  /** A header that was checked, of a payload that may still be on its way. */
  header(header: FrameHeader): void;
  frame(frame: Frame): void;
}

/** A transport of bytes, or of frames. */
export type ChannelTransport = Omit<Transport, 'open'> & { open(events: FrameEvents): void };

export interface ChannelOptions {
  readonly self: EndId;
  readonly peer: EndId;
  readonly session: Uint8Array;
  readonly transport: ChannelTransport;
  /** Longest wait of one `recv`, or of one `send` for room (default 120 s); Infinity waits for ever. */
  readonly timeoutMs?: number | undefined;
  /** Unclaimed bytes beyond which the peer is slowed down (default 64 MiB). */
  readonly highWaterBytes?: number | undefined;
}

/** What both makers of channels hand out: a channel that knows its session. */
export type SessionChannel = Channel & { readonly session: Uint8Array };

/** What both ends of a link derive from its handshake, each for one use. */
export type LinkUse = 'owner' | 'k12';

/**
 * A channel that can name its link: 32 bytes that both ends hold, and no other link has. @throws {TercetError}
 * ERR_PEER_CLOSED once the link is gone
 */
export type BoundChannel = SessionChannel & {
  binding(): Uint8Array;
  /** The same for another use: neither says anything of the other. */
  exported(use: LinkUse): Uint8Array;
};

export class FramedChannel implements SessionChannel {
  readonly self: EndId;
  readonly peer: EndId;
  readonly session: Uint8Array;
  readonly #meter = new LinkMeter();
  readonly #inbox: Inbox;
  readonly #transport: ChannelTransport;
  readonly #timeoutMs: number;
  #sequence = 0;
  /** Why nothing can be sent any more. The inbox may still hold messages if the peer closed in good order. */
  #sendError: Error | undefined;
  #closing: Promise<void> | undefined;
  readonly ended: Promise<Error>;
  #end: (reason: Error) => void = () => undefined;

  constructor(options: ChannelOptions) {
    this.self = options.self;
    this.peer = options.peer;
    this.session = Uint8Array.from(options.session);
    this.#transport = options.transport;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#inbox = new Inbox({
      session: this.session,
      meter: this.#meter,
      timeoutMs: this.#timeoutMs,
      highWaterBytes: options.highWaterBytes,
      pause: (paused) => this.#transport.pause(paused),
      onFailure: (error) => this.#fail(error),
    });
    this.#transport.open({
      data: (bytes) => this.#inbox.push(bytes),
      header: (header) => this.#inbox.header(header),
      frame: (frame) => this.#inbox.frame(frame),
      end: () => this.#peerClosed(peerClosed()),
      error: (error) => this.#broken(error),
    });
  }

  get stats(): LinkStats {
    return this.#meter.stats;
  }

  /**
   * @throws TercetError ERR_ARGUMENT for a bad tag or more than 64 MiB (the channel survives), ERR_STATE after
   * `close` or 2^32 messages, ERR_PEER_CLOSED once the peer is gone, ERR_PEER_TIMEOUT if it takes nothing for too
   * long, or the error that ended the channel
   */
  async send(tag: string, bytes: Uint8Array, given?: 'given'): Promise<void> {
    if (this.#sendError !== undefined) throw this.#sendError;
    checkMessage(tag, bytes.length);
    if (this.#sequence > MAX_SEQUENCE)
      throw new TercetError('ERR_STATE', 'the link has used all its sequence numbers', 'open a new session');
    const header = encodeHeader(this.session, { tag, sequence: this.#sequence++, payloadLength: bytes.length });
    this.#meter.sent(tag, bytes.length);
    const room = this.#transport.write(header, bytes, given);
    if (room === undefined) return;
    const timer = startTimer(this.#timeoutMs, () => this.#fail(sendTimedOut(tag, this.#timeoutMs)));
    try {
      await room;
    } catch (error) {
      throw this.#sendError ?? error;
    } finally {
      clearTimeout(timer);
    }
  }

  flush(): void {
    this.#transport.flush?.();
  }

  /** @throws what `Inbox.recv` throws */
  recv(tag: string, byteLength: number, instead?: string): Promise<Uint8Array> {
    return this.#inbox.recv(tag, byteLength, instead);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  abort(error: Error): void {
    this.#fail(error);
  }

  async #close(): Promise<void> {
    if (this.#inbox.error !== undefined) return;
    const closed = new TercetError('ERR_STATE', 'the link was closed by this side', 'open a new link');
    this.#stop(closed);
    this.#inbox.fail(closed);
    await this.#transport.close();
  }

  #broken(error: Error): void {
    // A peer that is gone ends the link like one that closed: what has arrived in full is still good.
    if (error instanceof TercetError && error.code === 'ERR_PEER_CLOSED') this.#peerClosed(error);
    else this.#fail(error);
  }

  #peerClosed(error: Error): void {
    this.#stop(error);
    this.#inbox.end();
  }

  /** The first reason stays. */
  #stop(reason: Error): void {
    this.#sendError ??= reason;
    this.#end(this.#sendError);
  }

  #fail(error: Error): void {
    this.#stop(error);
    this.#inbox.fail(error);
    this.#transport.destroy();
  }
}

function peerClosed(): TercetError {
  return new TercetError(
    'ERR_PEER_CLOSED',
    'the peer closed the link',
    'look at the output of the other party, then run again',
  );
}

function sendTimedOut(tag: string, timeoutMs: number): TercetError {
  const what = `the peer did not take ${tag} within ${timeoutMs / 1000} s`;
  return new TercetError('ERR_PEER_TIMEOUT', what, 'check that the other party still runs and that the network is up');
}
