/**
 * What a gate sees of the party it runs at: kernels, pairwise randomness, links, parameters and the components it
 * holds so far.
 */
import type { Matrix, RingKernels, Stream } from '../../../compute/kernels/types.ts';
import type { Pattern } from '../../../compute/pattern.ts';
import { type Vector, type Words, lengthOf, wireLength } from '../../../compute/ring.ts';
import { invariant } from '../../../core/errors.ts';
import type { Channel, PartyId } from '../../../net/wire/types.ts';
import type { PairPrg } from '../../prg/prg.ts';
import type { Masked } from '../../share/masked.ts';
import type { Component, Wire } from '../../share/wire.ts';
import type { Parameter } from '../types.ts';
import type { Trait } from './traits.ts';

/**
 * Which form of a parameter W = M − L1 − L2 is meant. Open weights exist only as 'clear'. Parties multiply by αM − L1
 * and βM − L2 (`halves-of-maps.ts`).
 */
export type Part = 'clear' | 'm' | 'l1' | 'l2' | 'm-l1' | 'm-l2' | 'l1+l2' | 'αm-l1' | 'βm-l2';

/** A party's view of the model. Asking for a part that this party must not have is an internal error. */
export interface ParameterView {
  readonly weights: 'open' | 'secret';
  /** As a kernel matrix (compute parties). */
  matrix(parameter: Parameter, part: Part): Promise<Matrix>;
  /**
   * As a flat vector over Z_2^64, made in the memory of `kernels`; P0 derives 'l1', 'l2' and 'l1+l2' from seeds. `rows`
   * selects rows.
   */
  words(kernels: RingKernels, parameter: Parameter, part: Part, rows?: readonly number[]): Promise<Vector>;
  /** Where the words of an own mask are drawn, where they are. */
  maskStream?(parameter: Parameter, part: 'l1' | 'l2'): Stream;
  /** An open matrix times bits of challenges, as `RingKernels.columns`; undefined where kernels cannot. */
  columns?(kernels: RingKernels, parameter: Parameter, v: BigUint64Array, sigma: number): Promise<Words | undefined>;
  /** An open matrix row by row, in the lanes of its integers; undefined where there are `words` alone. */
  signed?(kernels: RingKernels, parameter: Parameter): Promise<Int32Array | undefined>;
}

/** Payload bytes that went over the links of a party, as its steps sent and took them. */
export interface Traffic {
  sent: number;
  received: number;
}

/** A channel that carries only sealed words. Long messages travel in parts of at most PART bytes. */
export class Link {
  readonly #channel: Channel;
  readonly #kernels: RingKernels;
  readonly #traffic: Traffic | undefined;
  readonly #turns: Promise<void>[] = [];
  static readonly PART = 1 << 24;
  /** Messages that wait for the channel, beyond which the sender waits. */
  static readonly PENDING = 3;
  /** Bytes of a half-round that no link holds up. */
  static readonly SHORT = 1 << 18;
  #bytes = 0;
  #asked = 0;
  #onAsked: { readonly bytes: number; readonly resolve: () => void } | undefined;

  /** @param traffic counts what passes, where somebody asks. */
  constructor(channel: Channel, kernels: RingKernels, traffic?: Traffic) {
    this.#channel = channel;
    this.#kernels = kernels;
    this.#traffic = traffic;
  }

  /**
   * Takes a message for sending, in order. Packing starts now and is not waited for, so that the next gate computes
   * while these words come back from a device; resolves when at most PENDING messages wait. A failure shows in a
   * later `send` or in `flush`.
   * @param given nobody has a use for these bytes any more. Words that are packed here are nobody else's
   */
  async send(tag: string, message: Masked, given?: 'given'): Promise<void> {
    const { payload } = message;
    const length = payload instanceof Uint8Array ? payload.length : wireLength(payload.k, lengthOf(payload));
    this.#bytes += length;
    if (this.#traffic !== undefined) this.#traffic.sent += length;
    const asBytes = payload instanceof Uint8Array;
    const bytes = asBytes ? Promise.resolve(payload) : this.#kernels.pack(payload);
    // Its error is reported when its turn comes.
    bytes.catch(() => undefined);
    const turn = (this.#turns[this.#turns.length - 1] ?? Promise.resolve()).then(async () =>
      this.#write(tag, await bytes, asBytes ? given : 'given'),
    );
    turn.catch(() => undefined);
    this.#turns.push(turn);
    while (this.#turns.length > Link.PENDING) await this.#turns.shift();
  }

  /** Resolves when the channel has taken every message, and gathers none of them any more. */
  async flush(): Promise<void> {
    while (this.#turns.length > 0) await this.#turns.shift();
    this.#bytes = 0;
    this.#channel.flush?.();
  }

  /** All of a half-round was sent, and the peer waits for it: it goes before anything else is computed. */
  async complete(): Promise<void> {
    if (this.#bytes <= Link.SHORT) await this.flush();
    this.#bytes = 0;
  }

  /** Bytes that gates have asked for so far. */
  get asked(): number {
    return this.#asked;
  }

  /** Resolves when they have asked for so many. One waits at a time. */
  whenAsked(bytes: number): Promise<void> {
    return new Promise((resolve) => {
      this.#onAsked = { bytes, resolve };
    });
  }

  #receive(tag: string, length: number): Promise<Uint8Array> {
    const message = this.#channel.recv(tag, length);
    this.#asked += length;
    if (this.#onAsked !== undefined && this.#asked >= this.#onAsked.bytes) this.#onAsked.resolve();
    return message;
  }

  async #write(tag: string, bytes: Uint8Array, given?: 'given'): Promise<void> {
    if (bytes.length <= Link.PART) return this.#channel.send(tag, bytes, given);
    for (let at = 0; at < bytes.length; at += Link.PART)
      await this.#channel.send(tag, bytes.subarray(at, at + Link.PART));
  }

  async recvBytes(tag: string, length: number): Promise<Uint8Array> {
    if (this.#traffic !== undefined) this.#traffic.received += length;
    if (length <= Link.PART) return this.#receive(tag, length);
    const out = new Uint8Array(length);
    for (let at = 0; at < length; at += Link.PART)
      out.set(await this.#receive(tag, Math.min(Link.PART, length - at)), at);
    return out;
  }

  async recv(tag: string, k: number, count: number): Promise<Vector> {
    return this.#kernels.unpack(await this.recvBytes(tag, wireLength(k, count)), k, count);
  }
}

/** Where the words of a wire come from: those of another one, by a pattern. */
export interface Origin {
  readonly wire: Wire;
  readonly pattern: Pattern;
}

export interface Party {
  readonly id: PartyId;
  readonly kernels: RingKernels;
  readonly parameters: ParameterView;
  /** Shared with P1 (at P0) or P0 (at P1). */
  readonly k01?: PairPrg | undefined;
  /** Shared with P2 (at P0) or P0 (at P2). */
  readonly k02?: PairPrg | undefined;
  /** Shared by P1 and P2, where masks of products are (PROTOCOL §17). */
  readonly k12?: PairPrg | undefined;
  link(peer: PartyId): Link;
  /**
   * Bytes that this party alone knows, of its own generator and never of a pair's: whoever shared them would share what
   * they hide.
   */
  random(length: number): Uint8Array;
  /** A component of a wire, computed or re-derived on demand. */
  value(wire: Wire, component: Component): Promise<Vector>;
  /** How many low bits of a wire anybody reads. */
  bitsRead(wire: Wire): number;
  /** Stores a component that a message brought. */
  put(wire: Wire, component: Component, words: Vector): void;
  /** Words that a gate keeps between phases, as a vector or in wire form. Taken once, as what they were kept. */
  keep(gate: object, words: Vector | Uint8Array): void;
  take(gate: object): Vector;
  takeBytes(gate: object): Uint8Array;
  /** What `takeBytes` would give, left in place. */
  peekBytes(gate: object): Uint8Array;
  /** Between two looks at a gate: memory of vectors that are neither held here nor named is used again from here on. */
  sweep(also: readonly unknown[]): void;
  /** A component that the step before kept under this name. */
  keptBefore(name: string, component: Component): Words;
  /**
   * A wire whose words include those of this one, which local operations only moved and cut to fewer bits, and where
   * they lie. Undefined where it is made otherwise.
   */
  origin(wire: Wire): Origin | undefined;
}

/** What a circuit says of a parameter that it uses. */
export function parameterTraits({ name, rows, cols, scale, lookup }: Parameter): Trait {
  return { name, rows, cols, scale, lookup };
}

/** The generator that this party shares with another one. */
export function prgWith(party: Party, peer: PartyId): PairPrg {
  const prg = [party.k01, party.k02, party.k12][party.id + peer - 1];
  invariant(prg !== undefined, `party ${party.id} shares no generator with party ${peer}`);
  return prg;
}

/** The generator that this party shares with P0's partner on side 1 or 2. */
export function prgOf(party: Party, side: 1 | 2): PairPrg {
  const prg = side === 1 ? party.k01 : party.k02;
  invariant(prg !== undefined, `party ${party.id} does not share key 0${side}`);
  return prg;
}
