/**
 * Records of ChaCha20-Poly1305 over a transport, for links whose encryption ends at somebody else's proxy
 * (WebSocket behind a TLS terminator).
 *
 *   offset  size  field
 *        0     4  length n of the sealed part, tag included: 16 .. 64 KiB + 16, little-endian
 *        4     1  kind: 0 data, 1 the end
 *        5     3  reserved, 0
 *        8     n  sealed bytes; the header is authenticated with them
 *
 * Each direction has a key of its own and counts its records in the nonce: a record that is changed, left out,
 * repeated, swapped or sent back fails, and an end that the peer did not send is no end. Keys come from the
 * handshake and are wiped with the link. SECURITY: test/net/sealed.test.ts.
 */
import { concatBytes } from '../../core/bytes.ts';
import { TercetError } from '../../core/errors.ts';
import type { Transport, TransportEvents } from '../wire/channel.ts';
import type { Sodium } from '../identity/sodium.ts';

const HEADER_BYTES = 8;
const TAG_BYTES = 16;
const MAX_PLAIN_BYTES = 64 * 1024;
const DATA = 0;
const END = 1;
const EMPTY = new Uint8Array(0);

export interface RecordKeys {
  /** 32 bytes each, owned by the transport from here on. */
  readonly send: Uint8Array;
  readonly receive: Uint8Array;
}

export class SealedTransport implements Transport {
  readonly #inner: Transport;
  readonly #sodium: typeof Sodium;
  readonly #keys: RecordKeys;
  readonly #sendNonce = new Uint8Array(12);
  readonly #receiveNonce = new Uint8Array(12);
  #events: TransportEvents | undefined;
  /** The part of a record that has come. */
  #partial: Uint8Array[] = [];
  #partialBytes = 0;
  #endSeen = false;
  #failed = false;
  #closing = false;

  constructor(inner: Transport, keys: RecordKeys, sodium: typeof Sodium) {
    this.#inner = inner;
    this.#keys = keys;
    this.#sodium = sodium;
  }

  open(events: TransportEvents): void {
    this.#events = events;
    this.#inner.open({
      data: (bytes) => this.#onData(bytes),
      end: () => this.#onEnd(),
      error: (error) => this.#fail(error),
    });
  }

  write(header: Uint8Array, payload: Uint8Array): Promise<void> | undefined {
    if (this.#closing || this.#failed) return Promise.reject(cut());
    const first = payload.subarray(0, MAX_PLAIN_BYTES - header.length);
    let room = this.#writeRecord(DATA, concatBytes([header, first]));
    for (let at = first.length; at < payload.length; at += MAX_PLAIN_BYTES) {
      room = this.#writeRecord(DATA, payload.subarray(at, at + MAX_PLAIN_BYTES), room);
    }
    return room;
  }

  pause(paused: boolean): void {
    this.#inner.pause(paused);
  }

  async close(): Promise<void> {
    if (!this.#closing && !this.#failed) {
      this.#writeRecord(END, EMPTY)?.catch(() => undefined);
      this.#closing = true;
    }
    await this.#inner.close();
    this.#wipe();
  }

  destroy(): void {
    this.#failed = true;
    this.#inner.destroy();
    this.#wipe();
  }

  /**
   * `earlier` is what the record before had to wait for: the newer wait covers it, but its failure must be heard by
   * somebody.
   */
  #writeRecord(kind: number, plain: Uint8Array, earlier?: Promise<void>): Promise<void> | undefined {
    earlier?.catch(() => undefined);
    const header = new Uint8Array(HEADER_BYTES);
    new DataView(header.buffer).setUint32(0, plain.length + TAG_BYTES, true);
    header[4] = kind;
    const sealed = this.#sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
      plain,
      header,
      null,
      this.#sendNonce,
      this.#keys.send,
    );
    count(this.#sendNonce);
    return this.#inner.write(header, sealed);
  }

  #onData(bytes: Uint8Array): void {
    if (this.#failed) return;
    // The bytes are lent for the length of this call; a record is kept until it is whole.
    this.#partial.push(bytes.slice());
    this.#partialBytes += bytes.length;
    let rest: Uint8Array | undefined;
    try {
      while (!this.#failed && this.#partialBytes >= (rest === undefined ? this.#needed() : recordBytes(rest))) {
        rest ??= this.#partial.length === 1 ? this.#partial[0] : concatBytes(this.#partial);
        const length = recordBytes(rest);
        if (rest.length < length) break;
        const record = rest.subarray(0, length);
        rest = rest.subarray(length);
        this.#partialBytes = rest.length;
        this.#openRecord(record);
      }
    } catch (error) {
      this.#inner.destroy();
      this.#fail(error as Error);
      return;
    }
    if (rest !== undefined) this.#partial = rest.length > 0 ? [rest] : [];
  }

  /** Bytes of the record under way, as far as they are known; parts are put together only when it may be whole. */
  #needed(): number {
    if (this.#partial[0].length < HEADER_BYTES && this.#partial.length > 1)
      this.#partial = [concatBytes(this.#partial)];
    return recordBytes(this.#partial[0]);
  }

  #openRecord(record: Uint8Array): void {
    if (this.#endSeen) throw forged();
    const header = record.subarray(0, HEADER_BYTES);
    let plain: Uint8Array;
    try {
      plain = this.#sodium.crypto_aead_chacha20poly1305_ietf_decrypt(
        null,
        record.subarray(HEADER_BYTES),
        header,
        this.#receiveNonce,
        this.#keys.receive,
      );
    } catch {
      throw forged();
    }
    count(this.#receiveNonce);
    if (header[4] === END) {
      this.#endSeen = true;
      this.#events?.end();
    } else this.#events?.data(plain);
  }

  #onEnd(): void {
    // An end without the peer's own record of it is somebody else's.
    if (!this.#endSeen) this.#fail(cut());
  }

  #fail(error: Error): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#wipe();
    this.#events?.error(error);
  }

  #wipe(): void {
    this.#keys.send.fill(0);
    this.#keys.receive.fill(0);
    // Nothing may be sealed under a wiped key.
    this.#failed = true;
    this.#partial = [];
    this.#partialBytes = 0;
  }
}

/**
 * Bytes of the record that begins with `bytes`; of the header alone as long as that is not there. @throws
 * {TercetError} for a header that no record has
 */
function recordBytes(bytes: Uint8Array): number {
  if (bytes.length < HEADER_BYTES) return HEADER_BYTES;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const known = bytes[4] === DATA || (bytes[4] === END && length === TAG_BYTES);
  if (!known || bytes[5] !== 0 || bytes[6] !== 0 || bytes[7] !== 0) throw forged();
  if (length < TAG_BYTES || length > MAX_PLAIN_BYTES + TAG_BYTES)
    throw new TercetError('ERR_FRAME_LENGTH', `a record of ${length} bytes`, HINT);
  return HEADER_BYTES + length;
}

/** Adds one to a nonce: 96 bits, of which no link uses more than 53. */
function count(nonce: Uint8Array): void {
  for (let i = 0; i < nonce.length; i++) {
    nonce[i]++;
    if (nonce[i] !== 0) return;
  }
}

const HINT =
  'somebody between the parties changes what they send: use another network, or ask the operator about the proxy';

function forged(): TercetError {
  return new TercetError('ERR_FRAME_FORMAT', 'a record of the link does not open with the key of this link', HINT);
}

function cut(): TercetError {
  return new TercetError(
    'ERR_PEER_CLOSED',
    'the link was cut',
    'look at the output of the other party, then run again',
  );
}
