/**
 * What a protocol sees of a link: ordered, tagged messages of known length. A protocol never owns a socket.
 *
 * Imports nothing of Node. Channels in memory, over TLS, WebRTC and WebSocket implement it.
 */

/** The parties of the protocol: 0 the data owner, 1 and 2 the compute parties. */
export type PartyId = 0 | 1 | 2;

/** Who may be at an end of a link: a party, or 3, a dealer (docs/adr/0023). */
export type EndId = PartyId | 3;

/** Who answers a link of a data owner: a compute party, or a dealer. */
export type ServerId = 1 | 2 | 3;

/**
 * Bytes and messages of one link, counted at the channel: frames with their headers (`wireBytes`) and payloads
 * (`payloadBytes`).
 */
export interface LinkStats {
  sentPayloadBytes: number;
  sentWireBytes: number;
  sentFrames: number;
  receivedPayloadBytes: number;
  receivedWireBytes: number;
  receivedFrames: number;
  /** Payload bytes by tag prefix (the part before the first '/'), for the cost table. */
  sentByTag: Record<string, number>;
  receivedByTag: Record<string, number>;
}

/**
 * A reliable, ordered link to one peer.
 *
 * Every message carries session, sequence, tag and length; the receiver says beforehand which tag and length it
 * expects, and anything else is a typed peer error that closes the channel for good. After an error every pending
 * and later call rejects with it.
 */
export interface Channel {
  readonly self: EndId;
  readonly peer: EndId;
  readonly stats: LinkStats;
  /**
   * Resolves, with why, as soon as nothing can be sent any more: the peer is gone, the link broke, or this side
   * ended it. Never rejects.
   */
  readonly ended: Promise<Error>;
  /**
   * Sends `bytes` under `tag`. Resolves when the channel can take more (back-pressure), not when the peer has read it.
   * The channel may keep the buffer until it is written: the caller must not change it afterwards.
   * @param given nobody has a use for the buffer any more: the channel may hand it on, and frees it once it is written
   */
  send(tag: string, bytes: Uint8Array, given?: 'given'): Promise<void>;
  /** Short messages may be gathered for a moment. Whoever waits for the peer next says so: they go now. */
  flush?(): void;
  /**
   * Receives the next message, which must have exactly this tag and length. The result is owned by the caller.
   * @param instead tag of a message that may come in its place: then this rejects with `OtherMessage`, the channel
   * goes on, and that message is the next one
   */
  recv(tag: string, byteLength: number, instead?: string): Promise<Uint8Array>;
  /** Tells the peer that nothing follows, and releases the link. Safe to call twice. */
  close(): Promise<void>;
  /** Ends the link with an error; the peer sees ERR_PEER_CLOSED. */
  abort(error: Error): void;
}

/** The link between the compute parties. */
export type PeerChannel = Channel & {
  /**
   * 32 bytes that the handshake of this link gave both its ends and nobody else. Owned by the caller. Absent where
   * there was none: nothing can be proved over it. @throws {TercetError} ERR_PEER_CLOSED once the link is gone
   */
  secret?(): Uint8Array;
};

/** One-way latency and rate of a link, as a model (memory channel, metering) or for `tc netem`. */
export interface LinkProfile {
  readonly latencyMs: number;
  readonly bitsPerSecond: number;
}
