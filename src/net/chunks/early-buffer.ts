import type { MessageLinkEvents } from './link.ts';

/** Hands out the messages of a link in order: those that came before anybody listened too, up to a cap. */
export class EarlyBuffer {
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  readonly #messages: (Uint8Array | undefined)[] = [];
  #bytes = 0;
  #events: MessageLinkEvents | undefined;

  constructor(maxMessages: number, maxBytes: number) {
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
  }

  /** Whoever listens; nobody until `open`. */
  get events(): MessageLinkEvents | undefined {
    return this.#events;
  }

  open(events: MessageLinkEvents): void {
    this.#events = events;
    for (const message of this.#messages.splice(0)) this.#deliver(message);
  }

  /** Takes a message, `undefined` for one that is not binary. False: too much came before anybody listened. */
  take(message: Uint8Array | undefined): boolean {
    if (this.#events !== undefined) {
      this.#deliver(message);
      return true;
    }
    this.#bytes += message?.length ?? 0;
    this.#messages.push(message);
    return this.#messages.length <= this.#maxMessages && this.#bytes <= this.#maxBytes;
  }

  clear(): void {
    this.#messages.length = 0;
  }

  #deliver(message: Uint8Array | undefined): void {
    if (message === undefined) this.#events?.foreign();
    else this.#events?.message(message);
  }
}
