/** A WebSocket as a message link: the browser's, the worker's and the one of `ws` alike. */
import { LINK_HIGH_WATER_BYTES, MAX_MESSAGE_BYTES, type MessageLink, type MessageLinkEvents } from '../chunks/link.ts';
import { EarlyBuffer } from '../chunks/early-buffer.ts';

/** What is used of a WebSocket. */
export interface WebSocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
  /** `ws` only: without the closing handshake. */
  terminate?(): void;
  addEventListener(type: 'open' | 'close' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

const LOOK_MS = 50;

export class WebSocketLink implements MessageLink {
  readonly maxMessageBytes = MAX_MESSAGE_BYTES;
  readonly #socket: WebSocketLike;
  readonly #early = new EarlyBuffer(256, 256 * MAX_MESSAGE_BYTES);
  #full = false;
  #timer: ReturnType<typeof setInterval> | undefined;
  #closed = false;

  /** Takes the socket before anything can have arrived. */
  constructor(socket: WebSocketLike) {
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', ({ data }) => this.#onMessage(data));
    socket.addEventListener('error', () => this.destroy());
    socket.addEventListener('close', () => this.#onClose());
  }

  open(events: MessageLinkEvents): void {
    this.#early.open(events);
    if (this.#closed) events.closed(undefined);
  }

  send(message: Uint8Array<ArrayBuffer>): boolean {
    if (this.#closed) return false;
    this.#socket.send(message);
    if (!this.#full && this.#socket.bufferedAmount >= LINK_HIGH_WATER_BYTES) {
      this.#full = true;
      this.#timer = setInterval(() => this.#lookForRoom(), LOOK_MS);
    }
    return !this.#full;
  }

  close(): void {
    this.#socket.close(1000);
    this.#onClose();
  }

  destroy(): void {
    if (this.#socket.terminate === undefined) this.#socket.close(4000);
    else this.#socket.terminate();
    this.#onClose();
  }

  #onMessage(data: unknown): void {
    if (this.#closed) return;
    const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : undefined;
    this.#lookForRoom();
    if (!this.#early.take(bytes)) this.destroy();
  }

  /**
   * A WebSocket does not say when it has room again. When it is full there are megabytes under way, for which the
   * peer gives credit, and that is a message to look at; the clock is for a browser that counts late, and runs only
   * while the socket is full.
   */
  #lookForRoom(): void {
    if (!this.#full || this.#socket.bufferedAmount >= LINK_HIGH_WATER_BYTES) return;
    this.#full = false;
    clearInterval(this.#timer);
    this.#early.events?.room();
  }

  #onClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    this.#early.clear();
    this.#early.events?.closed(undefined);
  }
}
