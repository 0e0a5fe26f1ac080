/**
 * A channel that shows what leaves through it: the latest bytes, counts of byte values, and the point-function keys
 * of the tokens. For the people whose browser this is; what is shown stays in it.
 */
import { toHex } from '../core/bytes.ts';
import { DPF_SEED } from '../compute/kernels/point-key.ts';
import { concatBytes } from '../core/bytes.ts';
import type { Channel, LinkStats, EndId } from '../net/wire/types.ts';
import type { LinkBytes } from './types/index.ts';

/** Bytes of a message that are counted: enough for a picture, and nothing that slows a link. */
const COUNTED = 4096;
const SAMPLE = 30;

export class CountingChannel implements Channel {
  readonly #inner: Channel;
  readonly #pointKeyLength: number;
  #sample: Uint8Array = new Uint8Array();
  readonly #histogram = new Array<number>(256).fill(0);
  #keys: Uint8Array = new Uint8Array();
  /** Whether the keys came before there were tokens. Where they did not, keys of a next step may follow. */
  #dealt = false;
  /** Of keys that were dealt: by how much they are turned. */
  #turns: Uint8Array = new Uint8Array();

  readonly #onReceived: () => void;

  /**
   * @param pointKeyLength bytes of the key that stands for a token
   * @param onReceived a message came
   */
  constructor(inner: Channel, pointKeyLength: number, onReceived: () => void = () => undefined) {
    this.#inner = inner;
    this.#onReceived = onReceived;
    this.#pointKeyLength = pointKeyLength;
  }

  get self(): EndId {
    return this.#inner.self;
  }

  get peer(): EndId {
    return this.#inner.peer;
  }

  get stats(): LinkStats {
    return this.#inner.stats;
  }

  get ended(): Promise<Error> {
    return this.#inner.ended;
  }

  /** First bytes of the latest message, hex; empty before the first. */
  get sample(): string {
    return toHex(this.#sample);
  }

  get histogram(): readonly number[] {
    return this.#histogram;
  }

  /** What this party received in place of the tokens. */
  get pointKeys(): Uint8Array {
    return this.#keys;
  }

  /** Of keys of random words: the distances to the tokens, packed. Empty where the keys are those of the tokens. */
  get turns(): Uint8Array {
    return this.#turns;
  }

  async send(tag: string, bytes: Uint8Array, given?: 'given'): Promise<void> {
    if (!tag.startsWith('control/')) this.#watch(tag, bytes);
    return this.#inner.send(tag, bytes, given);
  }

  async recv(tag: string, byteLength: number, instead?: string): Promise<Uint8Array> {
    const bytes = await this.#inner.recv(tag, byteLength, instead);
    this.#onReceived();
    return bytes;
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  abort(error: Error): void {
    this.#inner.abort(error);
  }

  /** The random parts of the first keys: what lies between them is public. */
  #seeds(): Uint8Array {
    const seed = (i: number) => this.#keys.subarray(i * this.#pointKeyLength, i * this.#pointKeyLength + DPF_SEED);
    return concatBytes([seed(0), seed(1)]).slice(0, SAMPLE);
  }

  #watch(tag: string, bytes: Uint8Array): void {
    if (bytes.length > 0) this.#sample = bytes.slice(0, SAMPLE);
    // The keys come first. With secret weights party 2 gets a second message under the same tag, which is no key.
    const dealt = tag.startsWith('lookup-deal');
    const sent = tag.startsWith('lookup-input');
    if ((dealt || sent) && this.#keys.length === 0) {
      this.#keys = bytes.slice();
      this.#sample = this.#seeds();
      this.#dealt = dealt;
    } else if (sent && this.#dealt && this.#turns.length === 0) this.#turns = bytes.slice();
    const counted = Math.min(bytes.length, COUNTED);
    for (let i = 0; i < counted; i++) this.#histogram[bytes[i]]++;
  }
}

/** Payload bytes by phase, from the tags that the gates send under. */
export function linkBytes({ sentByTag, receivedByTag }: LinkStats): LinkBytes {
  const sum = (byTag: Readonly<Record<string, number>>, phase: RegExp) =>
    Object.entries(byTag).reduce((total, [tag, bytes]) => (phase.test(tag) ? total + bytes : total), 0);
  return {
    ahead: sum(sentByTag, /-deal$/),
    input: sum(sentByTag, /-(input|0[12])$/),
    output: sum(receivedByTag, /-(output|20)$/),
  };
}
