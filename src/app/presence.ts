/**
 * Whether somebody is at the page. Keys that are made ahead take a place at both parties, so they are made and kept
 * only for a page that is shown and in use: from the first sign of a person (a pointer that moves, a key, a touch),
 * which a page that a program fetches never has, until the tab is hidden for a while or left alone.
 */
export const HIDDEN_MS = 15_000;
export const IDLE_MS = 120_000;
/** The timer of idleness is moved at most this often. */
const STEP_MS = 1_000;

export type Left = 'hidden' | 'idle';

export class Presence {
  readonly #now: () => number;
  readonly #came: () => void;
  readonly #left: (why: Left) => void;
  #visible: boolean;
  /** Whether a person was seen at all. */
  #seen = false;
  #here = false;
  #movedAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(visible: boolean, now: () => number, on: { came(): void; left(why: Left): void }) {
    this.#visible = visible;
    this.#now = now;
    this.#came = () => on.came();
    this.#left = (why) => on.left(why);
  }

  /** Somebody did something. */
  sign(): void {
    if (!this.#visible) return;
    this.#seen = true;
    if (this.#here && this.#now() - this.#movedAt < STEP_MS) return;
    this.#movedAt = this.#now();
    this.#leaveIn(IDLE_MS, 'idle');
    if (this.#here) return;
    this.#here = true;
    this.#came();
  }

  /** The tab is shown, or hidden. */
  show(visible: boolean): void {
    this.#visible = visible;
    if (!visible) this.#leaveIn(HIDDEN_MS, 'hidden');
    else if (this.#seen) {
      // Whoever comes back to the tab is a person.
      this.#movedAt = Number.NEGATIVE_INFINITY;
      this.sign();
    }
  }

  /** The browser is about to stop the page: now, because no timer will come. */
  freeze(): void {
    clearTimeout(this.#timer);
    this.#leave('hidden');
  }

  #leaveIn(ms: number, why: Left): void {
    clearTimeout(this.#timer);
    if (this.#seen) this.#timer = setTimeout(() => this.#leave(why), ms);
  }

  #leave(why: Left): void {
    if (!this.#here) return;
    this.#here = false;
    this.#left(why);
  }
}
