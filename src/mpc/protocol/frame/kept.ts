/**
 * What a party keeps of one step for the next (ADR 88): rows in memory of their own, with room behind them. The next
 * step writes its row there, so what was kept before is neither read nor copied.
 *
 * SECURITY: whoever reads a party's memory later finds no share. All of that memory is overwritten once no step takes
 * it up any more, also what a step wrote that came to no end. test/mpc/kept.test.ts, test/session/proved-steps.test.ts.
 */
import { type Words, lengthOf, zeros } from '../../../compute/ring.ts';
import type { Component } from '../../share/wire.ts';

/** The components that a party holds of every kept wire. */
export type Kept = ReadonlyMap<string, Readonly<Partial<Record<Component, KeptWords>>>>;

/** Of all words, what is left free for others behind them: an eighth, so that a text is moved every so many words. */
const ROOM = 8;
/** Words that are free at least. */
const LEAST_ROOM = 1 << 14;

interface Memory {
  readonly all: Words;
  /** Words that are written. */
  used: number;
}

export class KeptWords implements Words {
  readonly k: number;
  readonly data: Words['data'];
  readonly #memory: Memory;

  private constructor(memory: Memory) {
    this.k = memory.all.k;
    this.data = memory.all.data.subarray(0, memory.used);
    this.#memory = memory;
  }

  /** A copy. */
  static of(words: Words): KeptWords {
    const { length } = words.data;
    const all = zeros(length + Math.max(LEAST_ROOM, Math.ceil(length / ROOM)), words.k);
    write(all, words, 0);
    return new KeptWords({ all, used: length });
  }

  /** These and others behind them, in the same memory; undefined where there is no room, or no more. */
  with(others: readonly Words[]): KeptWords | undefined {
    const { all, used } = this.#memory;
    const count = others.reduce((sum, { data }) => sum + data.length, 0);
    // Another step that took these up may have written behind them.
    if (used !== this.data.length || used + count > all.data.length || others.some(({ k }) => k !== this.k)) return;
    for (const words of others) {
      write(all, words, this.#memory.used);
      this.#memory.used += lengthOf(words);
    }
    return new KeptWords(this.#memory);
  }

  sharesMemory(other: KeptWords): boolean {
    return this.#memory === other.#memory;
  }

  wipe(): void {
    const { buffer } = this.#memory.all.data;
    new Uint8Array(buffer).fill(0);
  }
}

function write({ data }: Words, words: Words, at: number): void {
  if (data instanceof Uint32Array) data.set(words.data as Uint32Array, at);
  else data.set(words.data as BigUint64Array, at);
}

/** Overwrites what a step kept, but for what lies in the memory of what another one keeps. */
export function wipeKept(kept: Kept, but: Kept = new Map()): void {
  for (const [name, parts] of kept) {
    for (const [component, words] of Object.entries(parts)) {
      const other = but.get(name)?.[component as Component];
      if (other === undefined || !words.sharesMemory(other)) words.wipe();
    }
  }
}
