/**
 * The wire format of a link: one frame per message, and the parser that reads frames out of a byte stream.
 *
 *   offset  size  field
 *        0     1  magic 0x54 ('T')
 *        1     1  version 1
 *        2     1  tag length t, 1..120
 *        3     1  reserved, 0
 *        4     4  sequence number, from 0, per direction
 *        8     4  payload length n, at most 64 MiB
 *       12    16  session
 *       28     t  tag, printable ASCII without space
 *     28+t     n  payload
 *
 * Integers are little-endian. Every byte that the parser sees is hostile: a header is checked in full before a
 * single payload byte is allocated, and then exactly the announced length is allocated, once. A frame authenticates
 * nothing by itself; integrity and the identity of the peer come from TLS, the session and the sequence number
 * catch mixed-up runs and lost or repeated messages.
 */

import { equalBytes, unwritten } from '../../core/bytes.ts';
import { TercetError } from '../../core/errors.ts';

const FRAME_MAGIC = 0x54;
const FRAME_VERSION = 1;
export const SESSION_BYTES = 16;
const MAX_TAG_BYTES = 120;
export const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;
/** Header bytes before the tag. */
export const FIXED_HEADER_BYTES = 12 + SESSION_BYTES;
export const MAX_SEQUENCE = 0xffff_ffff;

const HINT = 'the peer does not follow the protocol: check that all parties run the same version';

export interface FrameHeader {
  readonly tag: string;
  readonly sequence: number;
  readonly payloadLength: number;
}

export interface Frame extends FrameHeader {
  /** A buffer of its own, exactly as long as the payload, at offset 0. */
  readonly payload: Uint8Array;
}

/** Whether `tag` can be sent: 1 to 120 printable ASCII characters, no space. */
function isTag(tag: string): boolean {
  return tag.length <= MAX_TAG_BYTES && /^[!-~]+$/.test(tag);
}

/** Bytes of one frame on the wire (before TLS). */
export function frameBytes(tag: string, payloadLength: number): number {
  return FIXED_HEADER_BYTES + tag.length + payloadLength;
}

/**
 * Checks what a caller wants to send or receive.
 *
 * @throws TercetError ERR_ARGUMENT for a bad tag or a length that is no integer in 0..MAX_PAYLOAD_BYTES
 */
export function checkMessage(tag: string, payloadLength: number): void {
  if (!isTag(tag))
    throw new TercetError('ERR_ARGUMENT', 'bad message tag', `use 1 to ${MAX_TAG_BYTES} printable ASCII characters`);
  if (!Number.isInteger(payloadLength) || payloadLength < 0 || payloadLength > MAX_PAYLOAD_BYTES) {
    throw new TercetError(
      'ERR_ARGUMENT',
      `message ${tag} of ${payloadLength} bytes`,
      `split it into parts of at most ${MAX_PAYLOAD_BYTES} bytes`,
    );
  }
}

/**
 * The header of one frame, tag included; the payload follows it on the wire as it is.
 *
 * @throws TercetError ERR_ARGUMENT for a bad tag, length or session; ERR_STATE once the sequence numbers of the
 * link are used up
 */
export function encodeHeader(session: Uint8Array, header: FrameHeader): Uint8Array {
  const { tag, sequence, payloadLength } = header;
  checkMessage(tag, payloadLength);
  checkSession(session);
  if (!Number.isInteger(sequence) || sequence < 0 || sequence > MAX_SEQUENCE) {
    throw new TercetError('ERR_STATE', 'the link has used all its sequence numbers', 'open a new session');
  }
  const out = new Uint8Array(FIXED_HEADER_BYTES + tag.length);
  const view = new DataView(out.buffer);
  out[0] = FRAME_MAGIC;
  out[1] = FRAME_VERSION;
  out[2] = tag.length;
  view.setUint32(4, sequence, true);
  view.setUint32(8, payloadLength, true);
  out.set(session, 12);
  for (let i = 0; i < tag.length; i++) out[FIXED_HEADER_BYTES + i] = tag.charCodeAt(i);
  return out;
}

/** @throws TercetError ERR_ARGUMENT unless `session` has 16 bytes */
export function checkSession(session: Uint8Array): void {
  if (session.length !== SESSION_BYTES) {
    throw new TercetError(
      'ERR_ARGUMENT',
      `session of ${session.length} bytes`,
      `a session identifier has ${SESSION_BYTES} bytes`,
    );
  }
}

export interface FrameSink {
  /** Sees a checked header before its payload is allocated; what it throws ends the parser. */
  onHeader?(header: FrameHeader): void;
  onFrame(frame: Frame): void;
}

/**
 * Reads the frames of one direction of one session out of chunks of any size.
 *
 * Memory: one partial header, and one payload buffer of at most MAX_PAYLOAD_BYTES. Chunks are copied, never kept.
 * After an error the parser stays failed: every later `push` throws the same error.
 */
export class FrameParser {
  readonly #session: Uint8Array;
  readonly #sink: FrameSink;
  readonly #head = new Uint8Array(FIXED_HEADER_BYTES + MAX_TAG_BYTES);
  #headFilled = 0;
  #header: FrameHeader | undefined;
  #payload = new Uint8Array(0);
  #payloadFilled = 0;
  #sequence: number;
  #error: unknown;

  /**
   * @param sequence of the first frame
   * @throws TercetError ERR_ARGUMENT unless `session` has 16 bytes
   */
  constructor(session: Uint8Array, sink: FrameSink, sequence = 0) {
    checkSession(session);
    this.#sequence = sequence;
    this.#session = Uint8Array.from(session);
    this.#sink = sink;
  }

  /** True inside a frame: a stream that ends now was cut. */
  get partial(): boolean {
    return this.#headFilled > 0;
  }

  /**
   * Takes the next bytes of the stream and hands every completed frame to the sink, in order.
   *
   * @throws TercetError ERR_FRAME_FORMAT (magic, version, reserved byte, tag), ERR_FRAME_SESSION, ERR_FRAME_SEQUENCE,
   * ERR_FRAME_LENGTH (announced length above the cap), or whatever the sink throws
   */
  push(bytes: Uint8Array): void {
    if (this.#error !== undefined) throw this.#error;
    try {
      let at = 0;
      while (at < bytes.length)
        at = this.#header === undefined ? this.#readHeader(bytes, at) : this.#readPayload(bytes, at, this.#header);
    } catch (error) {
      this.#error = error;
      this.#payload = new Uint8Array(0);
      throw error;
    }
  }

  #readHeader(bytes: Uint8Array, from: number): number {
    // The fixed part first: its tag length says how long the header is.
    const fixed = this.#headFilled < FIXED_HEADER_BYTES;
    const end = fixed ? FIXED_HEADER_BYTES : FIXED_HEADER_BYTES + this.#head[2];
    const take = Math.min(end - this.#headFilled, bytes.length - from);
    this.#head.set(bytes.subarray(from, from + take), this.#headFilled);
    this.#headFilled += take;
    if (this.#headFilled < end) return from + take;
    if (fixed) this.#checkFixed();
    else this.#begin(this.#decode());
    return from + take;
  }

  #checkFixed(): void {
    const head = this.#head;
    if (head[0] !== FRAME_MAGIC)
      throw new TercetError('ERR_FRAME_FORMAT', 'a frame does not begin with the frame mark', HINT);
    if (head[1] !== FRAME_VERSION)
      throw new TercetError('ERR_FRAME_FORMAT', `frame version ${head[1]}, expected ${FRAME_VERSION}`, HINT);
    if (head[3] !== 0) throw new TercetError('ERR_FRAME_FORMAT', 'the reserved byte of a frame is not zero', HINT);
    if (head[2] < 1 || head[2] > MAX_TAG_BYTES)
      throw new TercetError('ERR_FRAME_FORMAT', `tag of ${head[2]} bytes`, HINT);
    if (!equalBytes(head.subarray(12, FIXED_HEADER_BYTES), this.#session)) {
      throw new TercetError(
        'ERR_FRAME_SESSION',
        'a frame belongs to another session',
        'restart all parties for a new session',
      );
    }
    const view = new DataView(head.buffer);
    const sequence = view.getUint32(4, true);
    if (sequence !== this.#sequence) {
      throw new TercetError(
        'ERR_FRAME_SEQUENCE',
        `frame number ${sequence}, expected ${this.#sequence}`,
        'a message was lost or repeated: run again',
      );
    }
    const length = view.getUint32(8, true);
    if (length > MAX_PAYLOAD_BYTES) {
      throw new TercetError(
        'ERR_FRAME_LENGTH',
        `a frame announces ${length} bytes, at most ${MAX_PAYLOAD_BYTES} are allowed`,
        HINT,
      );
    }
  }

  #decode(): FrameHeader {
    let tag = '';
    for (let i = FIXED_HEADER_BYTES; i < this.#headFilled; i++) {
      const char = this.#head[i];
      if (char < 0x21 || char > 0x7e)
        throw new TercetError('ERR_FRAME_FORMAT', 'a tag holds other than printable ASCII characters', HINT);
      tag += String.fromCharCode(char);
    }
    return { tag, sequence: this.#sequence, payloadLength: new DataView(this.#head.buffer).getUint32(8, true) };
  }

  #begin(header: FrameHeader): void {
    this.#sink.onHeader?.(header);
    // Nobody sees it before it is filled.
    this.#payload = unwritten(header.payloadLength);
    this.#payloadFilled = 0;
    this.#header = header;
    if (header.payloadLength === 0) this.#finish(header);
  }

  #readPayload(bytes: Uint8Array, from: number, header: FrameHeader): number {
    const take = Math.min(header.payloadLength - this.#payloadFilled, bytes.length - from);
    this.#payload.set(bytes.subarray(from, from + take), this.#payloadFilled);
    this.#payloadFilled += take;
    if (this.#payloadFilled === header.payloadLength) this.#finish(header);
    return from + take;
  }

  #finish(header: FrameHeader): void {
    const payload = this.#payload;
    this.#payload = new Uint8Array(0);
    this.#header = undefined;
    this.#headFilled = 0;
    this.#sequence++;
    this.#sink.onFrame({ ...header, payload });
  }
}
