/**
 * Holds the state and tells what changed. Events are handled at once, in order; listeners see each state with the
 * one before.
 */
import { reduce } from './reduce.ts';
import { type AppEvent, INITIAL, type State } from './state.ts';

export type Listener = (now: State, before: State) => void;

export class Store {
  #state: State = INITIAL;
  readonly #listeners: Listener[] = [];

  get state(): State {
    return this.#state;
  }

  subscribe(listener: Listener): void {
    this.#listeners.push(listener);
  }

  dispatch(event: AppEvent): void {
    const before = this.#state;
    this.#state = reduce(before, event);
    if (this.#state !== before) for (const listener of this.#listeners) listener(this.#state, before);
  }
}
