/** An association in the page, as its worker sees it: a message link over a MessagePort, with credit both ways. */
import { LINK_HIGH_WATER_BYTES, MAX_MESSAGE_BYTES, type MessageLink, type MessageLinkEvents } from '../chunks/link.ts';
import type { PortMessage } from './port-protocol.ts';

/** Bytes taken from the page before it is told. */
const REPORT_BYTES = 1024 * 1024;

export class PortLink implements MessageLink {
  readonly maxMessageBytes: number;
  readonly #port: MessagePort;
  #events: MessageLinkEvents | undefined;
  /** Bytes that the page has not handed to the browser. */
  #waiting = 0;
  #unreported = 0;
  #full = false;
  #closed = false;

  constructor(port: MessagePort, maxMessageBytes: number) {
    this.#port = port;
    // 0 means that the browser does not say.
    this.maxMessageBytes = maxMessageBytes > 0 ? Math.min(maxMessageBytes, MAX_MESSAGE_BYTES) : 16 * 1024;
  }

  open(events: MessageLinkEvents): void {
    this.#events = events;
    // Setting the handler starts the port, which has kept everything until now.
    this.#port.onmessage = ({ data }: MessageEvent<PortMessage>) => this.#onMessage(data);
  }

  send(message: Uint8Array<ArrayBuffer>): boolean {
    if (this.#closed) return false;
    this.#waiting += message.byteLength;
    this.#port.postMessage(message.buffer satisfies PortMessage, [message.buffer]);
    if (this.#waiting >= LINK_HIGH_WATER_BYTES) this.#full = true;
    return !this.#full;
  }

  close(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.#closed) return;
    this.#port.postMessage(null satisfies PortMessage);
    this.#onClosed();
  }

  #onMessage(data: PortMessage): void {
    if (this.#closed) return;
    if (data === null) this.#onClosed();
    else if (typeof data === 'number') this.#onRoom(data);
    else {
      this.#unreported += data.byteLength;
      if (this.#unreported >= REPORT_BYTES) {
        this.#port.postMessage(this.#unreported satisfies PortMessage);
        this.#unreported = 0;
      }
      this.#events?.message(new Uint8Array(data));
    }
  }

  #onRoom(bytes: number): void {
    this.#waiting -= bytes;
    if (!this.#full || this.#waiting >= LINK_HIGH_WATER_BYTES / 2) return;
    this.#full = false;
    this.#events?.room();
  }

  #onClosed(): void {
    this.#closed = true;
    this.#port.onmessage = null;
    // In a later task: see PageAssociation.
    setTimeout(() => this.#port.close(), 0);
    this.#events?.closed(undefined);
  }
}
