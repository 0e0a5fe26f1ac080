/**
 * The thread's side: opens links, encrypts and decrypts, and reads frames out of what comes. Frames cross to the other
 * thread without being copied.
 *
 * Security model: a header is checked before its payload is allocated, here as in any channel. No more than
 * WINDOW_BYTES of frames are under way to the other thread, which may be busy: beyond that the peer is slowed down.
 */
import { asTercetError } from '../../core/errors.ts';
import { type SpareLink, spareLink, standingLink } from '../tls/connect.ts';
import type { LinkLimits } from '../tls/connect-options.ts';
import { type StandingLink, exportedBy, transportOn } from '../tls/tls-link.ts';
import type { ChannelTransport } from '../wire/channel.ts';
import { type Frame, FrameParser } from '../wire/frame.ts';
import { type FromThread, type ToThread, frameCost, sentError } from './messages.ts';

/** Bytes of frames that the other thread may not have taken yet. */
const WINDOW_BYTES = 16 * 1024 * 1024;
/**
 * Bytes that have room again before the other thread hears of it: a message for each of many short frames costs more
 * than the frames. Far less than what lets it wait.
 */
const ROOM_BYTES = 256 * 1024;
/** A payload above this is announced before it has come. */
const ANNOUNCED_BYTES = 64 * 1024;

type Post = (message: FromThread, transfer?: ArrayBuffer[]) => void;

/** A link of a session. */
class ServedLink {
  readonly #id: number;
  readonly #post: Post;
  readonly #transport: ChannelTransport;
  readonly #parser: FrameParser;
  #frames: Frame[] = [];
  /** Bytes of frames that were handed over and not taken. */
  #untaken = 0;
  /** Bytes that have room again, and nobody was told of. */
  #room = 0;
  #full = false;
  #paused = false;
  #over = false;

  constructor(id: number, link: StandingLink, limits: LinkLimits, post: Post) {
    this.#id = id;
    this.#post = post;
    this.#parser = new FrameParser(link.hello.session, {
      onHeader: (header) => {
        if (header.payloadLength <= ANNOUNCED_BYTES) return;
        this.#hand();
        post({ kind: 'header', id, header });
      },
      onFrame: (frame) => this.#frames.push(frame),
    });
    this.#transport = transportOn(link, limits);
    const exported = { owner: exportedBy(link, 'owner'), k12: exportedBy(link, 'k12') };
    post({ kind: 'standing', id, where: link.where, session: link.hello.session, exported });
    this.#transport.open({
      data: (bytes) => this.#take(bytes),
      header: (header) => post({ kind: 'header', id, header }),
      frame: (frame) => {
        this.#frames.push(frame);
        this.#hand();
      },
      end: () => post({ kind: 'end', id }),
      error: (error) => this.#fail(error),
    });
  }

  write(header: Uint8Array, payload: Uint8Array): void {
    const room = () => {
      this.#room += header.length + payload.length;
      if (this.#room < ROOM_BYTES) return;
      this.#post({ kind: 'room', id: this.#id, bytes: this.#room });
      this.#room = 0;
    };
    // Why a link is over it says by itself.
    void (this.#transport.write(header, payload, 'given') ?? Promise.resolve()).then(room, () => undefined);
    // The other thread gathers.
    this.#transport.flush?.();
  }

  taken(bytes: number): void {
    this.#untaken -= bytes;
    if (this.#full && this.#untaken <= WINDOW_BYTES / 2) this.#slow({ full: false });
  }

  pause(paused: boolean): void {
    this.#slow({ paused });
  }

  async close(): Promise<void> {
    await this.#transport.close();
    this.#post({ kind: 'closed', id: this.#id });
  }

  destroy(): void {
    this.#transport.destroy();
  }

  #take(bytes: Uint8Array): void {
    try {
      this.#parser.push(bytes);
    } catch (error) {
      this.#hand();
      this.#fail(error as Error);
    }
    this.#hand();
  }

  /** Hands over the frames that are complete: in order, before whatever is said next. */
  #hand(): void {
    const frames = this.#frames;
    if (frames.length === 0) return;
    this.#frames = [];
    for (const frame of frames) this.#untaken += frameCost(frame);
    const buffers = frames.map(({ payload }) => payload.buffer as ArrayBuffer);
    this.#post({ kind: 'frames', id: this.#id, frames }, buffers);
    if (!this.#full && this.#untaken > WINDOW_BYTES) this.#slow({ full: true });
  }

  #slow({ full = this.#full, paused = this.#paused }: { full?: boolean; paused?: boolean }): void {
    const before = this.#full || this.#paused;
    this.#full = full;
    this.#paused = paused;
    if (before !== (full || paused)) this.#transport.pause(full || paused);
  }

  /** The first reason is told. */
  #fail(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#post({ kind: 'error', id: this.#id, error: sentError(asTercetError(error)) });
    this.#transport.destroy();
  }
}

/** All links of a thread. Returns what takes its messages. */
export function serveLinks(post: Post): (message: ToThread) => void {
  const opening = new Map<number, AbortController>();
  const spares = new Map<number, { readonly link: SpareLink<StandingLink>; readonly limits: LinkLimits }>();
  const links = new Map<number, ServedLink>();

  /** Opens something for `id`; it can be given up meanwhile. */
  async function open(id: number, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const abort = new AbortController();
    opening.set(id, abort);
    try {
      await work(abort.signal);
    } catch (error) {
      post({ kind: 'failed', id, error: sentError(asTercetError(error)) });
    } finally {
      opening.delete(id);
    }
  }
  function serve(id: number, link: StandingLink, limits: LinkLimits): void {
    links.set(id, new ServedLink(id, link, limits, post));
    link.bytes.on('close', () => links.delete(id));
  }

  function forget(id: number): void {
    opening.get(id)?.abort();
    spares.get(id)?.link.close();
    spares.delete(id);
    links.get(id)?.destroy();
    links.delete(id);
  }

  return (message) => {
    const { id } = message;
    switch (message.kind) {
      case 'connect': {
        const { options } = message;
        void open(id, async (signal) => serve(id, await standingLink({ ...options, signal }), options));
        return;
      }
      case 'spare': {
        const { options } = message;
        void open(id, async (signal) => {
          const link = await spareLink({ ...options, signal }, (standing) => standing);
          spares.set(id, { link, limits: options });
          post({ kind: 'spare', id });
          void link.ended.then(() => post({ kind: 'gone', id }));
        });
        return;
      }
      case 'claim': {
        const { session, timeoutMs } = message;
        void open(id, async (signal) => {
          const spare = spares.get(id);
          spares.delete(id);
          if (spare !== undefined) serve(id, await spare.link.claim(session, timeoutMs, signal), spare.limits);
        });
        return;
      }
      case 'abort':
        opening.get(id)?.abort();
        return;
      case 'write':
        links.get(id)?.write(message.header, message.payload);
        return;
      case 'taken':
        links.get(id)?.taken(message.bytes);
        return;
      case 'pause':
        links.get(id)?.pause(message.paused);
        return;
      case 'close':
        void links.get(id)?.close();
        return;
      case 'destroy':
        forget(id);
        return;
    }
  };
}
