/**
 * The order in which party 1 lets runs compute (ADR 60). A few compute at a time and the others wait, so an early
 * run is not slowed by later ones. When one ends, the next is of the address that has fewest at work, and of its
 * runs the one that is due first. A run is due when it has waited for as long as it takes itself: short ones pass
 * long ones, and only for so long. One that is much shorter than what is left of all that compute need not wait.
 */
import { addressGroup } from '../net/wire/address-group.ts';
import type { Before, Turn, Turns } from '../session/turn.ts';

export interface TurnsOptions {
  /** Runs that compute at a time. */
  readonly slots: number;
  readonly now: () => number;
}

/** While one waits for a message, another one computes. With more of them all would end late. */
export const MAX_RUNNING = 2;

/** A run is short beside others that have this many times its work left. */
const SHORT = 8;
/**
 * A run that has not moved between so many looks leaves its slot to another one: its owner may have sent its text to
 * one party alone. Looks are counted, not time, in which this process may have been held up as well.
 */
const STILL_LOOKS = 5;
const LOOK_MS = 1_000;
/** Work in a millisecond, before any run was measured. */
const FIRST_PACE = 100_000;
/** Share of a new measurement in the pace. */
const FRESH = 0.3;

interface Entry {
  readonly group: string;
  readonly work: number;
  readonly due: number;
  readonly start: () => void;
  share: number;
  /** When it began; undefined while it waits. */
  began: number | undefined;
  /** Looks since it moved. */
  still: number;
}

export class RunTurns {
  readonly #options: TurnsOptions;
  readonly #waiting = new Set<Entry>();
  readonly #running = new Set<Entry>();
  /** Work in a millisecond of a run among others. */
  #pace: number | undefined;
  #check: ReturnType<typeof setTimeout> | undefined;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  get counts(): { readonly running: number; readonly waiting: number } {
    return { running: this.#running.size, waiting: this.#waiting.size };
  }

  /** Those of an owner at an address. */
  of(address: string): Turns {
    const group = addressGroup(address);
    return { ask: (work) => this.#ask(group, work) };
  }

  #ask(group: string, work: number): Turn {
    const now = this.#options.now();
    let start = (): void => undefined;
    const granted = new Promise<void>((resolve) => {
      start = resolve;
    });
    const due = now + this.#msOf(work);
    const entry: Entry = { group, work, due, start, share: 0, began: undefined, still: 0 };
    this.#waiting.add(entry);
    this.#fill();
    const before = () => this.#before(entry);
    return {
      granted,
      get before() {
        return before();
      },
      moved: (share) => {
        entry.share = share;
        entry.still = 0;
      },
      end: () => this.#end(entry),
    };
  }

  #msOf(work: number): number {
    return work / (this.#pace ?? FIRST_PACE);
  }

  /** Lets begin who may. */
  #fill(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#waiting.delete(next);
      this.#running.add(next);
      next.began = this.#options.now();
      next.start();
    }
    if (this.#check !== undefined || this.#waiting.size === 0 || this.#running.size === 0) return;
    this.#check = setTimeout(() => this.#look(), LOOK_MS);
    (this.#check as { unref?: () => void }).unref?.();
  }

  /** At one that stands still: nothing else happens to it. */
  #look(): void {
    this.#check = undefined;
    for (const entry of this.#running) entry.still++;
    this.#fill();
  }

  #next(): Entry | undefined {
    const { slots } = this.#options;
    const first = this.#inOrder().at(0);
    if (first === undefined) return undefined;
    const moving = this.#moving();
    if (moving.length < slots) return first;
    if (moving.length >= 2 * slots) return undefined;
    const least = Math.min(...moving.map(({ work, share }) => work * (1 - share)));
    return this.#inOrder().find(({ work }) => work * SHORT <= least);
  }

  #moving(): Entry[] {
    return [...this.#running].filter(({ still }) => still < STILL_LOOKS);
  }

  /** Who waits, the next one first. */
  #inOrder(): Entry[] {
    const sizes = new Map<string, number>();
    for (const { group } of this.#running) sizes.set(group, (sizes.get(group) ?? 0) + 1);
    const size = ({ group }: Entry) => sizes.get(group) ?? 0;
    return [...this.#waiting].sort((a, b) => size(a) - size(b) || a.due - b.due);
  }

  #before(entry: Entry): Before | undefined {
    if (entry.began !== undefined) return undefined;
    const earlier = this.#inOrder();
    const ahead = earlier.slice(0, Math.max(0, earlier.indexOf(entry)));
    const runs = ahead.length + Math.max(0, this.#running.size - this.#options.slots + 1);
    if (this.#pace === undefined) return { runs };
    const left = [...this.#running, ...ahead].reduce((sum, { work, share }) => sum + work * (1 - share), 0);
    return { runs, ms: Math.ceil(this.#msOf(left) / this.#options.slots) };
  }

  #end(entry: Entry): void {
    this.#waiting.delete(entry);
    if (this.#running.delete(entry) && entry.began !== undefined && entry.share >= 1) {
      const pace = entry.work / Math.max(1, this.#options.now() - entry.began);
      this.#pace = this.#pace === undefined ? pace : FRESH * pace + (1 - FRESH) * this.#pace;
    }
    this.#fill();
  }
}
