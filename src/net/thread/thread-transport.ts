/**
 * A link in a thread of its own, as a transport of frames for a channel of this one.
 *
 * A message to a thread takes longer than a short frame, and gates send several in a row. So short frames are gathered,
 * and go when this thread has nothing else to do, or sooner where they have waited.
 */
import { wholeBuffer } from '../../core/let-go.ts';
import type { FrameEvents } from '../wire/channel.ts';
import { type FromThread, type ToThread, frameCost, receivedError } from './messages.ts';

/** Bytes under way to the thread beyond which `send` waits. */
const HIGH_WATER_BYTES = 4 * 1024 * 1024;
/** Bytes that are taken before the thread hears of it. */
const TAKEN_BYTES = 1024 * 1024;
/** Bytes of frames that are gathered at most. A longer frame goes by itself. */
const GATHERED_BYTES = 16 * 1024;
/** Milliseconds behind which the next frame does not wait: the peer has work to begin with. */
const GATHERED_MS = 0.5;

/** @param given a buffer that crosses as it is: this thread has no use for it any more */
export type PostToThread = (message: ToThread, given?: ArrayBuffer) => void;

const NOTHING = new Uint8Array(0);

export class ThreadTransport {
  readonly #id: number;
  readonly #send: PostToThread;
  /** The thread has nothing more to say of this link. */
  readonly #over: () => void;
  readonly #later: (work: () => void) => void;
  readonly #waiting = new Set<{ resolve: () => void; reject: (error: Error) => void }>();
  #events: FrameEvents | undefined;
  #outstanding = 0;
  #taken = 0;
  #error: Error | undefined;
  #destroyed = false;
  #closed: (() => void) | undefined;
  /** Frames that were taken and not handed over, and since when. */
  readonly #gathered = new Uint8Array(GATHERED_BYTES);
  #bytes = 0;
  #since = 0;

  /** @param later runs something behind all that can go on at once, and before anything is waited for */
  constructor(id: number, post: PostToThread, over: () => void, later: (work: () => void) => void) {
    this.#id = id;
    this.#send = post;
    this.#over = over;
    this.#later = later;
  }

  open(events: FrameEvents): void {
    this.#events = events;
  }

  /** The payload is copied: its owner may go on reading it. One that is given crosses as it is. */
  write(header: Uint8Array, payload: Uint8Array, given?: 'given'): Promise<void> | undefined {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    const bytes = header.length + payload.length;
    if (bytes > GATHERED_BYTES / 4)
      this.#post({ kind: 'write', id: this.#id, header, payload }, given && wholeBuffer(payload));
    else this.#gather(header, payload);
    this.#outstanding += bytes;
    if (this.#outstanding <= HIGH_WATER_BYTES) return undefined;
    return new Promise((resolve, reject) => this.#waiting.add({ resolve, reject }));
  }

  #gather(header: Uint8Array, payload: Uint8Array): void {
    if (this.#bytes + header.length + payload.length > GATHERED_BYTES) this.#hand();
    if (this.#bytes === 0) {
      this.#since = performance.now();
      this.#later(() => this.#hand());
    }
    this.#gathered.set(header, this.#bytes);
    this.#gathered.set(payload, this.#bytes + header.length);
    this.#bytes += header.length + payload.length;
    if (performance.now() - this.#since > GATHERED_MS) this.#hand();
  }

  flush(): void {
    this.#hand();
  }

  /** Hands over what was gathered. */
  #hand(): void {
    if (this.#bytes === 0) return;
    const header = this.#gathered.slice(0, this.#bytes);
    this.#bytes = 0;
    this.#send({ kind: 'write', id: this.#id, header, payload: NOTHING });
  }

  /** In order, behind the frames that were written. */
  #post(message: ToThread, given?: ArrayBuffer): void {
    this.#hand();
    this.#send(message, given);
  }

  pause(paused: boolean): void {
    this.#post({ kind: 'pause', id: this.#id, paused });
  }

  close(): Promise<void> {
    if (this.#destroyed || this.#error !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#closed = resolve;
      this.#post({ kind: 'close', id: this.#id });
    });
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#post({ kind: 'destroy', id: this.#id });
    this.#over();
    this.#closed?.();
  }

  /** What the thread says of this link. */
  handle(message: FromThread): void {
    switch (message.kind) {
      case 'header':
        this.#events?.header(message.header);
        return;
      case 'frames':
        for (const frame of message.frames) {
          this.#events?.frame(frame);
          this.#taken += frameCost(frame);
        }
        if (this.#taken < TAKEN_BYTES) return;
        this.#post({ kind: 'taken', id: this.#id, bytes: this.#taken });
        this.#taken = 0;
        return;
      case 'room':
        this.#outstanding -= message.bytes;
        if (this.#outstanding > HIGH_WATER_BYTES) return;
        for (const waiter of this.#waiting) waiter.resolve();
        this.#waiting.clear();
        return;
      case 'end':
        this.#events?.end();
        return;
      case 'error':
        this.fail(receivedError(message.error));
        return;
      case 'closed':
        this.#destroyed = true;
        this.#over();
        this.#closed?.();
        return;
      default:
    }
  }

  /** The link, or its whole thread, is gone. */
  fail(error: Error): void {
    this.#error ??= error;
    this.#over();
    this.#closed?.();
    for (const waiter of this.#waiting) waiter.reject(error);
    this.#waiting.clear();
    this.#events?.error(error);
  }
}
