/**
 * A carrier of whole messages: a data channel, the port to one in another thread, or a WebSocket. What
 * `ChunkTransport` runs on.
 */

/**
 * Longest message that either end sends or takes, header included: below what every WebRTC stack allows that is not
 * ancient.
 */
export const MAX_MESSAGE_BYTES = 64 * 1024;

/**
 * Bytes in a carrier's own queue above which it reports itself full, and below which it has room again (Chromium
 * breaks at 16 MiB).
 */
export const LINK_HIGH_WATER_BYTES = 4 * 1024 * 1024;
export const LINK_LOW_WATER_BYTES = 1024 * 1024;

export interface MessageLinkEvents {
  /** One message of the peer; the bytes are the listener's. */
  message(bytes: Uint8Array): void;
  /** A message that is no bytes at all: the peer does not follow the protocol. */
  foreign(): void;
  /** A link that was full can take more. */
  room(): void;
  /** The link is gone. Called once, also after `close` and `destroy`. */
  closed(error: Error | undefined): void;
}

export interface MessageLink {
  readonly maxMessageBytes: number;
  /** Begins delivery, with what came before. Called once. */
  open(events: MessageLinkEvents): void;
  /**
   * Takes one message, whose bytes are the link's from here on. Returns false once it is full, and until `room` has
   * been called.
   */
  send(message: Uint8Array<ArrayBuffer>): boolean;
  /** Ends the link after what was sent. */
  close(): void;
  /** Ends the link now. */
  destroy(): void;
}
