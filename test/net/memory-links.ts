/** Message links inside one process, with somebody in between who may change what goes over them. */
import { MAX_MESSAGE_BYTES, type MessageLink, type MessageLinkEvents } from '../../src/net/chunks/link.ts';
import { nextTurn } from '../../src/core/event-loop.ts';

/** Sees a message; what it returns is delivered in its place. */
export type Tap = (message: Uint8Array) => readonly Uint8Array[];

export class MemoryLink implements MessageLink {
  readonly maxMessageBytes: number;
  /** What was sent into the link, for tests that look. */
  readonly sent: Uint8Array[] = [];
  peer: MemoryLink | undefined;
  tap: Tap = (message) => [message];
  closed = false;
  #events: MessageLinkEvents | undefined;

  constructor(maxMessageBytes = MAX_MESSAGE_BYTES) {
    this.maxMessageBytes = maxMessageBytes;
  }

  open(events: MessageLinkEvents): void {
    this.#events = events;
  }

  send(message: Uint8Array<ArrayBuffer>): boolean {
    if (this.closed) return false;
    this.sent.push(message);
    for (const changed of this.tap(message)) nextTurn(() => this.peer?.receive(changed));
    return true;
  }

  /** Delivers a message as if the other side had sent it. */
  receive(message: Uint8Array): void {
    if (!this.closed) this.#events?.message(message.slice());
  }

  receiveText(): void {
    this.#events?.foreign();
  }

  close(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.closed) return;
    this.closed = true;
    this.#events?.closed(undefined);
    const peer = this.peer;
    // Behind what is under way.
    nextTurn(() => nextTurn(() => peer?.destroy()));
  }
}

export function memoryLinks(count: number, maxMessageBytes?: number): [MemoryLink[], MemoryLink[]] {
  const here = Array.from({ length: count }, () => new MemoryLink(maxMessageBytes));
  const there = Array.from({ length: count }, () => new MemoryLink(maxMessageBytes));
  here.forEach((link, i) => {
    link.peer = there[i];
    there[i].peer = link;
  });
  return [here, there];
}
