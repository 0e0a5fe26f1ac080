/**
 * A TLS connection whose reads land in one kept buffer. Node's streams make a buffer for every record otherwise, and
 * pass it through a queue: a third of what receiving takes.
 *
 * SECURITY: the buffer is this connection's alone and ends with it. Listeners see as many bytes as a read brought,
 * and copy what they keep. test/net/kept-reads.test.ts.
 */
import type { OnReadOpts } from 'node:net';
import type * as tls from 'node:tls';
import { concatBytes } from '../../core/bytes.ts';
import { Queue } from '../wire/queue.ts';
import type { GreetingSocket } from './hello-io.ts';
import type { ByteSocket } from './socket.ts';

/** A record of TLS: no read brings more (RFC 8446, 5.1). */
const RECORD_BYTES = 16 * 1024;

type Listener = (bytes: Uint8Array) => void;

/** Takes the place of the socket for whoever reads and writes. There is one `data` listener at a time. */
export class KeptReads implements ByteSocket, GreetingSocket {
  /** The connection, for all but its bytes. */
  readonly tls: tls.TLSSocket;
  #listener: Listener | undefined;
  /** What came while nobody listened: a read under way goes on after a pause, for no more than was received. */
  readonly #held = new Queue<Uint8Array>();

  /** @param connect opens the connection with this option of `tls.connect`. */
  constructor(connect: (onread: OnReadOpts) => tls.TLSSocket) {
    this.tls = connect({
      buffer: new Uint8Array(RECORD_BYTES),
      callback: (length, buffer) => {
        this.#take(new Uint8Array(buffer.buffer, buffer.byteOffset, length));
        return true;
      },
    });
  }

  get destroyed(): boolean {
    return this.tls.destroyed;
  }

  get writableEnded(): boolean {
    return this.tls.writableEnded;
  }

  write(bytes: Uint8Array, done?: (error?: Error | null) => void): boolean {
    return this.tls.write(bytes, done);
  }

  end(bytes?: Uint8Array): unknown {
    return bytes === undefined ? this.tls.end() : this.tls.end(bytes);
  }

  destroy(error?: Error): unknown {
    return this.tls.destroy(error);
  }

  pause(): unknown {
    return this.tls.pause();
  }

  resume(): unknown {
    if (this.#listener !== undefined && this.#held.size > 0) {
      const held: Uint8Array[] = [];
      for (let bytes = this.#held.shift(); bytes !== undefined; bytes = this.#held.shift()) held.push(bytes);
      this.#listener(concatBytes(held));
    }
    return this.tls.resume();
  }

  on(event: 'data', listener: Listener): unknown;
  on(event: 'end' | 'close' | 'finish', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: string, listener: (...args: never[]) => void): unknown {
    if (event !== 'data') return this.tls.on(event, listener as () => void);
    this.#listener = listener as Listener;
    return this;
  }

  removeListener(event: 'data' | 'close', listener: (...args: never[]) => void): unknown {
    if (event !== 'data') return this.tls.removeListener(event, listener as () => void);
    if (this.#listener === listener) this.#listener = undefined;
    return this;
  }

  #take(bytes: Uint8Array): void {
    if (this.#listener === undefined || this.#held.size > 0) this.#held.push(bytes.slice());
    else this.#listener(bytes);
  }
}
