/**
 * Public parameters of gates and local nodes, and the bytes of each, so that a circuit can be hashed: of every value
 * others, and none the beginning of another's. A step's circuit has ten thousand nodes, so they are few and written in
 * place.
 */
import { sha256 } from '@noble/hashes/sha2.js';

/** A public parameter of a node. */
export type Trait =
  | string
  | number
  | bigint
  | boolean
  | undefined
  | ArrayBufferView
  | readonly Trait[]
  | { readonly [name: string]: Trait };

/** First byte of a value; from `SMALL` on it is a number below 128. */
const [NOTHING, FALSE, TRUE, INTEGER, FLOAT, TEXT, WIDE_TEXT, BIG, BIGGER, BYTES, DIGEST, LIST, RECORD] = Array.from(
  { length: 13 },
  (_, i) => i,
);
const SMALL = 128;

/** Bytes of a table from which on its hash is written. */
const LONG = 256;
/** Of tables, which nobody writes to: several gates have them, and so has every circuit. */
const DIGESTS = new WeakMap<ArrayBufferView, Uint8Array>();

function digestOf(table: ArrayBufferView, bytes: Uint8Array): Uint8Array {
  const digest = DIGESTS.get(table) ?? sha256(bytes);
  DIGESTS.set(table, digest);
  return digest;
}

/** Writes traits one behind the other. */
export class TraitWriter {
  #bytes = new Uint8Array(1 << 12);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** What was written since the last call. Good until the next value. */
  take(): Uint8Array {
    const bytes = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return bytes;
  }

  write(trait: Trait): void {
    if (typeof trait === 'number') this.number(trait);
    else if (typeof trait === 'string') this.text(trait);
    else if (trait === undefined) this.#byte(NOTHING);
    else if (typeof trait === 'boolean') this.#byte(trait ? TRUE : FALSE);
    else if (typeof trait === 'bigint') this.#big(trait);
    else if (ArrayBuffer.isView(trait)) this.#table(trait);
    else if (Array.isArray(trait)) this.#list(trait);
    else this.#record(trait as { readonly [name: string]: Trait });
  }

  /** So many values follow, as those of one list. */
  list(count: number): void {
    this.#byte(LIST);
    this.number(count);
  }

  number(n: number): void {
    if ((n & 127) === n) {
      this.#byte(SMALL | n);
      return;
    }
    const whole = (n | 0) === n;
    this.#byte(whole ? INTEGER : FLOAT);
    const at = this.#room(whole ? 4 : 8);
    if (whole) this.#view.setInt32(at, n, true);
    else this.#view.setFloat64(at, n, true);
  }

  text(text: string): void {
    const start = this.#length;
    this.#byte(TEXT);
    this.number(text.length);
    const at = this.#room(text.length);
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      this.#bytes[at + i] = code;
      if (code < 128) continue;
      this.#length = start;
      this.#wide(text);
      break;
    }
  }

  /** A text beyond ASCII, by its code units: nothing is lost, whatever it holds. */
  #wide(text: string): void {
    this.#byte(WIDE_TEXT);
    this.number(text.length);
    const at = this.#room(2 * text.length);
    for (let i = 0; i < text.length; i++) this.#view.setUint16(at + 2 * i, text.charCodeAt(i), true);
  }

  #big(n: bigint): void {
    const whole = BigInt.asIntN(64, n) === n;
    this.#byte(whole ? BIG : BIGGER);
    if (whole) {
      const at = this.#room(8);
      this.#view.setBigInt64(at, n, true);
    } else this.text(n.toString());
  }

  #table(table: ArrayBufferView): void {
    const bytes = new Uint8Array(table.buffer, table.byteOffset, table.byteLength);
    const written = bytes.length < LONG ? bytes : digestOf(table, bytes);
    this.#byte(written === bytes ? BYTES : DIGEST);
    this.text(table.constructor.name);
    this.number(written.length);
    const at = this.#room(written.length);
    this.#bytes.set(written, at);
  }

  #list(traits: readonly Trait[]): void {
    this.list(traits.length);
    for (const trait of traits) this.write(trait);
  }

  /** Whatever the order of its names, and without those that are not there. */
  #record(traits: { readonly [name: string]: Trait }): void {
    const entries = Object.entries(traits).filter(([, value]) => value !== undefined);
    this.#byte(RECORD);
    this.number(entries.length);
    for (const [name, value] of entries.sort(([a], [b]) => (a < b ? -1 : 1))) {
      this.text(name);
      this.write(value);
    }
  }

  #byte(byte: number): void {
    const at = this.#room(1);
    this.#bytes[at] = byte;
  }

  /** Where so many bytes go. */
  #room(length: number): number {
    const at = this.#length;
    this.#length += length;
    if (this.#length <= this.#bytes.length) return at;
    const grown = new Uint8Array(2 * this.#length);
    grown.set(this.#bytes.subarray(0, at));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
    return at;
  }
}

/** SHA-256 of a value. */
export function traitHash(trait: Trait): Uint8Array {
  const writer = new TraitWriter();
  writer.write(trait);
  return sha256(writer.take());
}
