/**
 * A connected socket as a transport: writes without copying large payloads, reads with back-pressure, closes in
 * bounded time.
 *
 * The socket is described by its shape, so this file needs nothing of Node.
 */

import { concatBytes } from '../../core/bytes.ts';
import type { TercetError } from '../../core/errors.ts';
import { letGo, wholeBuffer } from '../../core/let-go.ts';
import type { Transport, TransportEvents } from '../wire/channel.ts';
import { Queue } from '../wire/queue.ts';

/** What is used of `tls.TLSSocket`. */
export interface ByteSocket {
  readonly destroyed: boolean;
  readonly writableEnded: boolean;
  write(bytes: Uint8Array, done: (error?: Error | null) => void): boolean;
  end(): unknown;
  destroy(): unknown;
  pause(): unknown;
  resume(): unknown;
  on(event: 'data', listener: (bytes: Uint8Array) => void): unknown;
  on(event: 'end' | 'close' | 'finish', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** Bytes taken but not yet written beyond which `send` waits. */
const HIGH_WATER_BYTES = 8 * 1024 * 1024;
/** Payloads are written in slices, so that encryption and the network overlap. */
const SLICE_BYTES = 128 * 1024;
/** Chunks below this are gathered into one write; a payload below it is copied next to its header. */
const SMALL_BYTES = 32 * 1024;
/** Bytes of short chunks that are gathered, and milliseconds that they wait: the peer has work to begin with. */
const GATHERED_BYTES = 16 * 1024;
const GATHERED_MS = 0.5;
/** How long a graceful close waits for the peer's end once everything is written. */
const LINGER_MS = 1000;

export interface SocketTransportOptions {
  /** Bytes that arrived before the transport took over. */
  readonly early: Uint8Array;
  /** Longest time that `close` spends on writing what was taken. */
  readonly flushTimeoutMs: number;
  /** Runs something behind all that can go on at once, and before anything is waited for. */
  readonly later: (work: () => void) => void;
  /** Names an error of the socket; called with undefined if it closed without one. */
  readonly explain: (error: Error | undefined) => TercetError;
}

/** Takes over `socket`, which must be paused and without listeners that consume data. */
export class SocketTransport implements Transport {
  readonly #socket: ByteSocket;
  readonly #options: SocketTransportOptions;
  readonly #chunks = new Queue<Uint8Array>();
  /** Payloads that are this side's alone. */
  readonly #given = new WeakSet<ArrayBufferLike>();
  readonly #waiting = new Set<{ resolve: () => void; reject: (error: Error) => void }>();
  /** Bytes taken whose write has not been reported done. */
  #outstanding = 0;
  #writing = false;
  /** Bytes of short chunks that were taken since nothing was to be written, and when the first was. */
  #gathered = 0;
  #since = 0;
  #ending = false;
  #closed = false;
  #paused = false;
  #error: Error | undefined;

  constructor(socket: ByteSocket, options: SocketTransportOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  open(events: TransportEvents): void {
    const socket = this.#socket;
    socket.on('data', (bytes) => events.data(bytes));
    socket.on('end', () => events.end());
    socket.on('error', (error) => {
      this.#error ??= error;
      // After the handshake Node reports a broken TLS record but leaves the socket open.
      socket.destroy();
    });
    socket.on('close', () => {
      this.#closed = true;
      const error = this.#options.explain(this.#error);
      this.#drop(error);
      events.error(error);
    });
    if (this.#options.early.length > 0) events.data(this.#options.early);
    if (socket.destroyed) events.error(this.#options.explain(undefined));
    else if (!this.#paused) socket.resume();
  }

  write(header: Uint8Array, payload: Uint8Array, given?: 'given'): Promise<void> | undefined {
    if (this.#ending || this.#socket.destroyed || this.#socket.writableEnded)
      return Promise.reject(this.#options.explain(this.#error));
    const own = given && wholeBuffer(payload);
    if (own !== undefined) this.#given.add(own);
    if (payload.length === 0) this.#chunks.push(header);
    else if (payload.length < SMALL_BYTES) {
      this.#chunks.push(concatBytes([header, payload]));
      this.#read(payload);
    } else {
      this.#chunks.push(header);
      for (let at = 0; at < payload.length; at += SLICE_BYTES)
        this.#chunks.push(payload.subarray(at, at + SLICE_BYTES));
    }
    this.#outstanding += header.length + payload.length;
    this.#gather(header.length + payload.length);
    if (this.#outstanding <= HIGH_WATER_BYTES) return undefined;
    return new Promise((resolve, reject) => this.#waiting.add({ resolve, reject }));
  }

  /** A write takes longer than a short frame, and gates send several in a row: they go in one. */
  #gather(bytes: number): void {
    if (this.#writing) return;
    if (this.#gathered === 0) {
      this.#since = performance.now();
      this.#options.later(() => this.#pump());
    }
    this.#gathered += bytes;
    if (this.#gathered > GATHERED_BYTES || performance.now() - this.#since > GATHERED_MS) this.#pump();
  }

  flush(): void {
    this.#pump();
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    if (paused) this.#socket.pause();
    else this.#socket.resume();
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      const socket = this.#socket;
      if (this.#closed || socket.destroyed) return resolve();
      let timer = setTimeout(() => this.destroy(), this.#options.flushTimeoutMs);
      socket.on('finish', () => {
        clearTimeout(timer);
        if (!this.#closed) timer = setTimeout(() => this.destroy(), LINGER_MS);
      });
      socket.on('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#ending = true;
      // What still arrives is dropped by the inbox, which has ended; reading it lets the peer's end through.
      this.pause(false);
      this.#pump();
    });
  }

  destroy(): void {
    this.#socket.destroy();
    this.#drop(this.#options.explain(this.#error));
  }

  /** One write at a time: its completion is the pace of the network. */
  #pump(): void {
    if (this.#writing) return;
    this.#gathered = 0;
    const chunk = this.#nextChunk();
    if (chunk === undefined) {
      if (this.#ending) this.#socket.end();
      return;
    }
    if (this.#socket.destroyed || this.#socket.writableEnded) {
      this.#drop(this.#options.explain(this.#error));
      return;
    }
    this.#writing = true;
    this.#socket.write(chunk, (error) => {
      this.#writing = false;
      // A failed write is followed by 'close', which reports it.
      if (error) return;
      this.#outstanding -= chunk.length;
      this.#read(chunk);
      if (this.#outstanding <= HIGH_WATER_BYTES) this.#release();
      this.#pump();
    });
  }

  /** The next large chunk as it is, or the next small ones in one buffer. */
  #nextChunk(): Uint8Array | undefined {
    const first = this.#chunks.shift();
    if (first === undefined || first.length >= SMALL_BYTES) return first;
    const parts = [first];
    let length = first.length;
    for (
      let next = this.#chunks.peek();
      next !== undefined && length + next.length <= 2 * SMALL_BYTES;
      next = this.#chunks.peek()
    ) {
      parts.push(next);
      length += next.length;
      this.#chunks.shift();
    }
    if (parts.length === 1) return first;
    const together = concatBytes(parts);
    for (const part of parts) this.#read(part);
    return together;
  }

  /** Lets go of a payload that was given, behind its last bytes: slices are read in order, and each once. */
  #read({ buffer, byteOffset, byteLength }: Uint8Array): void {
    if (byteOffset + byteLength === buffer.byteLength && this.#given.delete(buffer)) letGo(new Uint8Array(buffer));
  }

  #release(): void {
    for (const waiter of this.#waiting) waiter.resolve();
    this.#waiting.clear();
  }

  #drop(error: Error): void {
    this.#chunks.clear();
    for (const waiter of this.#waiting) waiter.reject(error);
    this.#waiting.clear();
  }
}
