/** Pieces, one by one → text that only ever grows, and ends before a stop text. */

import type { Tokenizer } from '../tokenizers/tokenizer.ts';

/**
 * Character of a piece → the byte that it stands for: printable Latin-1 stands for itself, the 68 others for U+0100
 * and on, in their order.
 */
const BYTE_OF: ReadonlyMap<string, number> = byteAlphabet();

/** The first stop text that is complete, and so also where the text ends. */
interface Found {
  readonly at: number;
}

/**
 * Turns generated ids into text as they come.
 *
 * A character whose bytes are split over pieces comes when its last byte is there; if it never comes, it is left
 * out. What may be the beginning of a stop text is held back until it is known. Whatever way ids are cut into
 * pushes, the whole text is the same.
 */
export class TextStream {
  readonly #tokenizer: Tokenizer;
  readonly #stops: readonly string[];
  readonly #silent: ReadonlySet<number>;
  readonly #text: PieceText;
  #held = '';
  #stopped = false;

  /**
   * @param stops texts of one or more units
   * @param prompt pieces that stand before: words that are put together with spaces begin with one behind others
   */
  constructor(tokenizer: Tokenizer, stops: readonly string[] = [], prompt: readonly number[] = []) {
    this.#tokenizer = tokenizer;
    this.#stops = stops;
    this.#silent = tokenizer.specialIds;
    this.#text = tokenizer.family === 'bert' ? new Words(tokenizer, prompt) : new Bytes();
  }

  /** Whether a stop text was found: there is no more text. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /**
   * The text that became certain with this piece; may be empty. @throws {TercetError} ERR_RANGE when there is no
   * such piece.
   */
  push(id: number): string {
    const piece = this.#tokenizer.decodeToken(id);
    if (this.#stopped || this.#silent.has(id)) return '';
    return this.#take(this.#text.push(piece, id));
  }

  #take(text: string): string {
    this.#held += text;
    const found = this.#find();
    if (found !== undefined) {
      this.#stopped = true;
      return this.#release(found.at, this.#held.length);
    }
    const certain = this.#held.length - this.#promising();
    return this.#release(certain, certain);
  }

  /** What was held back because of stop texts; an incomplete character is dropped. Call it once, at the end. */
  flush(): string {
    const text = this.#stopped ? '' : this.#take(this.#text.flush());
    if (this.#stopped) return text;
    return text + this.#release(this.#held.length, this.#held.length);
  }

  #release(shown: number, dropped: number): string {
    const text = this.#held.slice(0, shown);
    this.#held = this.#held.slice(dropped);
    return text;
  }

  /**
   * The stop text that ends first, and of those the longest: this does not depend on how the text was cut into
   * pieces.
   */
  #find(): Found | undefined {
    let found: { at: number; end: number } | undefined;
    for (const stop of this.#stops) {
      const at = this.#held.indexOf(stop);
      const end = at + stop.length;
      if (at >= 0 && (found === undefined || end < found.end || (end === found.end && at < found.at)))
        found = { at, end };
    }
    return found;
  }

  /** Units at the end of what is held that may be the beginning of a stop text. */
  #promising(): number {
    for (let from = Math.max(0, this.#held.length - this.#longest()); from < this.#held.length; from++) {
      const tail = this.#held.slice(from);
      if (this.#stops.some((stop) => stop.startsWith(tail))) return tail.length;
    }
    return 0;
  }

  #longest(): number {
    return this.#stops.reduce((longest, stop) => Math.max(longest, stop.length - 1), 0);
  }
}

/** Pieces → text that will not change any more. */
interface PieceText {
  push(piece: string, id: number): string;
  /** What was not certain, but for an incomplete character. */
  flush(): string;
}

class Bytes implements PieceText {
  // A byte order mark is a character like others here.
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  push(piece: string): string {
    return this.#decoder.decode(bytesOf(piece), { stream: true });
  }

  flush(): string {
    return '';
  }
}

/** Units at the end of a text of words that what follows may still draw together: `n ' t` becomes `n't`. */
const UNCERTAIN = 8;

/** BERT's pieces: the tokenizer puts them together, spaces between words and none before punctuation. */
class Words implements PieceText {
  readonly #tokenizer: Tokenizer;
  readonly #ids: number[];
  #shown: number;

  constructor(tokenizer: Tokenizer, prompt: readonly number[]) {
    this.#tokenizer = tokenizer;
    this.#ids = [...prompt];
    this.#shown = this.#whole().length;
  }

  push(_piece: string, id: number): string {
    this.#ids.push(id);
    const whole = this.#whole();
    return this.#show(whole, Math.max(0, whole.length - UNCERTAIN));
  }

  flush(): string {
    const whole = this.#whole();
    return this.#show(whole, whole.length);
  }

  #whole(): string {
    const { specialIds } = this.#tokenizer;
    return this.#tokenizer.decode(this.#ids.filter((id) => !specialIds.has(id)));
  }

  #show(whole: string, to: number): string {
    const text = whole.slice(this.#shown, to);
    this.#shown = Math.max(this.#shown, to);
    return text;
  }
}

/** An added token may have characters that stand for no byte: it is text as it is. */
function bytesOf(piece: string): Uint8Array {
  const bytes = Array.from(piece, (character) => BYTE_OF.get(character));
  return bytes.every((byte) => byte !== undefined) ? Uint8Array.from(bytes) : new TextEncoder().encode(piece);
}

function byteAlphabet(): Map<string, number> {
  const printable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  const alphabet = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) alphabet.set(String.fromCodePoint(printable(byte) ? byte : next++), byte);
  return alphabet;
}
