/**
 * A byte stream over one or several message links: chunks with numbers, credit from the reader, an acknowledged end.
 *
 * Neither a data channel nor a browser's WebSocket can be told to stop reading, so the reader says how much it has
 * room for (`credit`), and a peer that sends more is cut off. The credit also bounds what this side can have under
 * way, and with it every queue between here and the wire. Chunks go to the links in turn, as each has room: one
 * SCTP association is limited by its window on a long path, several together are not.
 */
import { TercetError } from '../../core/errors.ts';
import type { Transport, TransportEvents } from '../wire/channel.ts';
import { Queue } from '../wire/queue.ts';
import { MAX_MESSAGE_BYTES, type MessageLink } from './link.ts';
import { CHUNK_HEADER_BYTES, type Chunk, newChunk, readChunk } from './message.ts';
import { Reassembly } from './reassembly.ts';

/**
 * Payload bytes that a sender may be ahead of what its peer's reader has taken. The same on both sides: part of the
 * protocol.
 */
export const WINDOW_BYTES = 8 * 1024 * 1024;
/** Bytes taken but not yet given to a link beyond which `send` waits. */
const HIGH_WATER_BYTES = 4 * 1024 * 1024;
/** How long a graceful close waits for the peer's word that it has everything. */
const LINGER_MS = 2000;
const MAX_NUMBER = 0xffff_ffff;

interface ChunkOptions {
  /** Longest time that `close` spends on sending what was taken. */
  readonly flushTimeoutMs: number;
  /** Names the end of a link; called with undefined if it closed without an error. */
  readonly explain: (error: Error | undefined) => TercetError;
}

interface Lane {
  readonly link: MessageLink;
  full: boolean;
}

class ChunkTransport implements Transport {
  readonly #lanes: readonly Lane[];
  readonly #options: ChunkOptions;
  readonly #reassembly = new Reassembly();
  readonly #pieces = new Queue<Uint8Array>();
  readonly #waiting = new Set<{ resolve: () => void; reject: (error: Error) => void }>();
  #events: TransportEvents | undefined;
  #queued = 0;
  #turn = 0;
  #scheduled = false;
  /** Sending: the next number, payload bytes sent, and how many the peer has room for. */
  #number = 0;
  #sent = 0;
  #allowed = WINDOW_BYTES;
  /** Receiving: payload bytes arrived, handed on, and allowed to come. */
  #arrived = 0;
  #delivered = 0;
  #granted = WINDOW_BYTES;
  #paused = false;
  #ending = false;
  #finSent = false;
  #peerEnded = false;
  #dead = false;
  #onFinished: (() => void) | undefined;
  #linger: ReturnType<typeof setTimeout> | undefined;

  constructor(links: readonly MessageLink[], options: ChunkOptions) {
    this.#lanes = links.map((link) => ({ link, full: false }));
    this.#options = options;
  }

  open(events: TransportEvents): void {
    this.#events = events;
    for (const lane of this.#lanes) {
      lane.link.open({
        message: (bytes) => this.#onMessage(bytes),
        foreign: () =>
          this.#break(
            new TercetError(
              'ERR_FRAME_FORMAT',
              'the peer sent a text where bytes belong',
              'check that all parties run the same version',
            ),
          ),
        room: () => {
          lane.full = false;
          this.#pump();
        },
        closed: (error) => this.#break(this.#options.explain(error)),
      });
    }
  }

  write(header: Uint8Array, payload: Uint8Array): Promise<void> | undefined {
    if (this.#dead || this.#ending) return Promise.reject(this.#options.explain(undefined));
    this.#pieces.push(header);
    if (payload.length > 0) this.#pieces.push(payload);
    this.#queued += header.length + payload.length;
    this.#schedule();
    if (this.#queued <= HIGH_WATER_BYTES) return undefined;
    return new Promise((resolve, reject) => this.#waiting.add({ resolve, reject }));
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    this.#grant();
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#dead) return resolve();
      this.#ending = true;
      const flush = setTimeout(() => this.destroy(), this.#options.flushTimeoutMs);
      this.#onFinished = () => {
        clearTimeout(flush);
        resolve();
      };
      // What still arrives is dropped by the inbox, which has ended; the peer may need the credit to get to its own
      // end.
      this.pause(false);
      this.#pump();
    });
  }

  destroy(): void {
    this.#end(this.#options.explain(undefined), (link) => link.destroy());
  }

  /** In the next microtask, so that the small messages of one turn share a chunk. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (!this.#dead && this.#queued > 0 && this.#sent < this.#allowed) {
      const lane = this.#freeLane();
      if (lane === undefined) break;
      this.#sendChunk(lane);
    }
    if (this.#dead) return;
    if (this.#queued <= HIGH_WATER_BYTES) this.#release();
    if (this.#ending && this.#queued === 0 && !this.#finSent) this.#sendFin();
  }

  #freeLane(): Lane | undefined {
    for (let tried = 0; tried < this.#lanes.length; tried++) {
      const lane = this.#lanes[this.#turn];
      this.#turn = (this.#turn + 1) % this.#lanes.length;
      if (!lane.full) return lane;
    }
    return undefined;
  }

  #sendChunk(lane: Lane): void {
    if (this.#number > MAX_NUMBER) {
      this.#break(new TercetError('ERR_STATE', 'the link has used all its numbers', 'open a new session'));
      return;
    }
    const longest = Math.min(lane.link.maxMessageBytes, MAX_MESSAGE_BYTES) - CHUNK_HEADER_BYTES;
    const length = Math.min(longest, this.#queued, this.#allowed - this.#sent);
    const chunk = newChunk('data', this.#number++, length);
    for (let at = CHUNK_HEADER_BYTES; at < chunk.length; ) {
      const piece = this.#pieces.peek() as Uint8Array;
      const take = Math.min(piece.length, chunk.length - at);
      chunk.set(piece.subarray(0, take), at);
      at += take;
      if (take === piece.length) this.#pieces.shift();
      else this.#pieces.replaceFirst(piece.subarray(take));
    }
    this.#queued -= length;
    this.#sent += length;
    lane.full = !lane.link.send(chunk);
  }

  #sendFin(): void {
    this.#finSent = true;
    this.#linger = setTimeout(() => this.destroy(), LINGER_MS);
    this.#lanes[0].link.send(newChunk('fin', this.#number));
  }

  #onMessage(message: Uint8Array): void {
    if (this.#dead) return;
    try {
      const chunk = readChunk(message);
      if (chunk.kind === 'credit') this.#onCredit(chunk.number);
      else if (chunk.kind === 'fin-ack') this.#onFinAck();
      else this.#onNumbered(chunk);
    } catch (error) {
      this.#break(error as Error);
    }
  }

  #onNumbered(chunk: Chunk): void {
    this.#arrived += chunk.payload.length;
    if (this.#arrived > this.#granted) {
      throw new TercetError(
        'ERR_FRAME_LENGTH',
        'the peer sent more than it was given room for',
        'check that all parties run the same version',
      );
    }
    this.#reassembly.push(chunk, (next) => {
      // An earlier chunk of this loop may have ended the link.
      if (this.#dead) return;
      if (this.#peerEnded)
        throw new TercetError(
          'ERR_FRAME_SEQUENCE',
          'the peer sent more after its end',
          'check that all parties run the same version',
        );
      if (next.kind === 'fin') return this.#onFin();
      this.#delivered += next.payload.length;
      this.#events?.data(next.payload);
    });
    this.#grant();
  }

  #onCredit(allowed: number): void {
    if (allowed > this.#sent + WINDOW_BYTES)
      throw new TercetError(
        'ERR_FRAME_LENGTH',
        'the peer claims more room than there is',
        'check that all parties run the same version',
      );
    // Credits may overtake each other; only the largest counts.
    if (allowed > this.#allowed) this.#allowed = allowed;
    this.#pump();
  }

  #grant(): void {
    if (this.#paused || this.#dead || this.#events === undefined) return;
    const grant = this.#delivered + WINDOW_BYTES;
    if (grant - this.#granted < WINDOW_BYTES / 4) return;
    this.#granted = grant;
    this.#lanes[0].link.send(newChunk('credit', grant));
  }

  #onFin(): void {
    this.#peerEnded = true;
    this.#lanes[0].link.send(newChunk('fin-ack', 0));
    this.#events?.end();
  }

  #onFinAck(): void {
    if (!this.#finSent)
      throw new TercetError(
        'ERR_FRAME_SEQUENCE',
        'the peer acknowledged an end that was not sent',
        'check that all parties run the same version',
      );
    this.#end(this.#options.explain(undefined), (link) => link.close());
  }

  #break(error: Error): void {
    if (this.#dead) return;
    this.#end(error, (link) => link.destroy());
    this.#events?.error(error);
  }

  #end(error: Error, stop: (link: MessageLink) => void): void {
    if (this.#dead) return;
    this.#dead = true;
    clearTimeout(this.#linger);
    this.#pieces.clear();
    this.#queued = 0;
    this.#reassembly.clear();
    for (const { link } of this.#lanes) stop(link);
    for (const waiter of this.#waiting) waiter.reject(error);
    this.#waiting.clear();
    this.#onFinished?.();
  }

  #release(): void {
    for (const waiter of this.#waiting) waiter.resolve();
    this.#waiting.clear();
  }
}

/** The links of one peer as a transport for frames. */
export function linkTransport(links: readonly MessageLink[], who: string, flushTimeoutMs: number): Transport {
  return new ChunkTransport(links, {
    flushTimeoutMs,
    explain: (cause) =>
      new TercetError(
        'ERR_PEER_CLOSED',
        `${who} closed the link`,
        'look at the output of the other party, then run again',
        { cause },
      ),
  });
}
