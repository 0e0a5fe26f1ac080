/** A transport that says when it is over, whoever ended it. */
import type { Transport, TransportEvents } from './channel.ts';

export class ObservedTransport implements Transport {
  readonly #inner: Transport;
  readonly #onOver: () => void;

  /** `onOver` may be called more than once. */
  constructor(inner: Transport, onOver: () => void) {
    this.#inner = inner;
    this.#onOver = onOver;
  }

  open(events: TransportEvents): void {
    this.#inner.open({
      data: (bytes) => events.data(bytes),
      end: () => events.end(),
      error: (error) => {
        this.#onOver();
        events.error(error);
      },
    });
  }

  write(header: Uint8Array, payload: Uint8Array): Promise<void> | undefined {
    return this.#inner.write(header, payload);
  }

  pause(paused: boolean): void {
    this.#inner.pause(paused);
  }

  async close(): Promise<void> {
    await this.#inner.close();
    this.#onOver();
  }

  destroy(): void {
    this.#inner.destroy();
    this.#onOver();
  }
}
