/**
 * What precedes the frames on a fresh transport: exact reads for a handshake, then the transport goes on to a
 * channel, with what came early.
 */
import { concatBytes } from '../../core/bytes.ts';
import { TercetError } from '../../core/errors.ts';
import type { Transport, TransportEvents } from './channel.ts';

/**
 * Bytes that may come before the channel takes over; a peer that follows the protocol is stopped by its window long
 * before.
 */
const MAX_EARLY_BYTES = 16 * 1024 * 1024;

interface Reader {
  readonly length: number;
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

export class Preamble implements Transport {
  readonly #inner: Transport;
  #early: Uint8Array = new Uint8Array(0);
  #reader: Reader | undefined;
  #events: TransportEvents | undefined;
  #ended = false;
  #error: Error | undefined;

  /** Opens `inner`. */
  constructor(inner: Transport) {
    this.#inner = inner;
    inner.open({
      data: (bytes) => this.#onData(bytes),
      end: () => this.#onEnd(),
      error: (error) => this.#onError(error),
    });
  }

  /** The next `length` bytes. One read at a time, before `open`. Rejects when the link ends first. */
  read(length: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#reader = { length, resolve, reject };
      this.#feed();
    });
  }

  /** Bytes that have come and were not read. */
  get early(): number {
    return this.#early.length;
  }

  open(events: TransportEvents): void {
    this.#events = events;
    const early = this.#early;
    this.#early = new Uint8Array(0);
    if (early.length > 0) events.data(early);
    if (this.#ended) events.end();
    if (this.#error !== undefined) events.error(this.#error);
  }

  write(header: Uint8Array, payload: Uint8Array): Promise<void> | undefined {
    return this.#inner.write(header, payload);
  }

  pause(paused: boolean): void {
    this.#inner.pause(paused);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  destroy(): void {
    this.#inner.destroy();
  }

  #onData(bytes: Uint8Array): void {
    if (this.#events !== undefined) this.#events.data(bytes);
    else if (this.#early.length + bytes.length > MAX_EARLY_BYTES) {
      this.#inner.destroy();
      this.#onError(
        new TercetError(
          'ERR_FRAME_LENGTH',
          'the peer sent too much before the link was open',
          'check that all parties run the same version',
        ),
      );
    } else {
      this.#early = concatBytes([this.#early, bytes]);
      this.#feed();
    }
  }

  #onEnd(): void {
    this.#ended = true;
    if (this.#events !== undefined) this.#events.end();
    else this.#feed();
  }

  #onError(error: Error): void {
    this.#error ??= error;
    if (this.#events !== undefined) this.#events.error(error);
    else this.#feed();
  }

  #feed(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    if (this.#early.length >= reader.length) {
      this.#reader = undefined;
      const bytes = this.#early.slice(0, reader.length);
      this.#early = this.#early.slice(reader.length);
      reader.resolve(bytes);
    } else if (this.#ended || this.#error !== undefined) {
      this.#reader = undefined;
      reader.reject(
        this.#error ??
          new TercetError(
            'ERR_PEER_CLOSED',
            'the peer closed the link inside the handshake',
            'look at the output of the other party, then run again',
          ),
      );
    }
  }
}
