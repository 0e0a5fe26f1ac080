/**
 * Vectors in device memory and who frees them. An arena belongs to one scope: `sweep` releases what the scope
 * made and does not need any more. A handle that the program lets go of without a sweep is released when the
 * collector finds it, so that vectors made outside of scopes do not pile up.
 */
import { TercetError, invariant } from '../../../core/errors.ts';
import { type DeviceWords, laneBytes } from '../../ring.ts';
import type { Commands } from './commands.ts';
import type { Block } from './pool.ts';

/** Where the words of a vector are; without a block once they are freed. */
interface Place {
  readonly commands: Commands;
  block: Block | undefined;
}

/** A handle: says how many words there are, never what they are. */
export class DeviceVector implements DeviceWords {
  readonly k: number;
  readonly length: number;
  readonly #place: Place;

  constructor(k: number, length: number, place: Place) {
    this.k = k;
    this.length = length;
    this.#place = place;
  }

  /** The words, for commands of the device that they are on. */
  blockOf(commands: Commands): Block {
    invariant(this.#place.commands === commands, 'a vector of another backend');
    if (this.#place.block === undefined)
      throw new TercetError('ERR_STATE', 'a vector was freed by a sweep', 'this is a bug in Tercet, please report it');
    return this.#place.block;
  }

  /** Identifies the memory. */
  get place(): object {
    return this.#place;
  }
}

export class Arena {
  readonly #commands: Commands;
  readonly #places = new Set<Place>();
  readonly #dropped = new FinalizationRegistry<Place>((place) => this.#release(place));

  constructor(commands: Commands) {
    this.#commands = commands;
  }

  get count(): number {
    return this.#places.size;
  }

  make(k: number, length: number): DeviceVector {
    const place: Place = { commands: this.#commands, block: this.#commands.take(laneBytes(k) * length) };
    this.#places.add(place);
    const vector = new DeviceVector(k, length, place);
    this.#dropped.register(vector, place);
    return vector;
  }

  /**
   * Releases every vector but the live ones. After a failure there is nothing to release into: the buffers go when
   * the kernels are closed.
   */
  sweep(live: Iterable<unknown>): void {
    const kept = new Set<object>();
    for (const value of live) if (value instanceof DeviceVector) kept.add(value.place);
    for (const place of this.#places) if (!kept.has(place)) this.#release(place);
  }

  #release(place: Place): void {
    const { block } = place;
    if (block === undefined) return;
    place.block = undefined;
    this.#places.delete(place);
    if (!this.#commands.fault.failed) this.#commands.release(block);
  }
}
