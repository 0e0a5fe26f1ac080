/**
 * What the page around the card may ask for: to load, and to run what stands in the box.
 *
 * Security: a page never runs a text under the hands of its writer. With `share-result` it would read along, letter
 * by letter, through the answers.
 */
import type { Controller } from '../../app/controller.ts';
import type { State } from '../../app/state.ts';
import type { Store } from '../../app/store.ts';
import { handedOver } from '../answer.ts';
import type { ToFrame } from '../messages.ts';
import type { Host } from './host-link.ts';

export class Calls {
  readonly #store: Store;
  readonly #controller: Controller;
  readonly #host: Host;
  /** How often the page has ended what it asked for. */
  #aborts = 0;
  /** That figure when the call was made whose text is looked at: it is no run yet that could be stopped. */
  #starting: number | undefined;

  constructor(store: Store, controller: Controller, host: Host) {
    this.#store = store;
    this.#controller = controller;
    this.#host = host;
    store.subscribe(({ slot }) => {
      if (slot === 'running' && this.#starting !== undefined && this.#starting !== this.#aborts) controller.stop();
    });
  }

  take({ op, call }: Extract<ToFrame, { readonly call: number }>, shared: boolean): void {
    void this.#answer(op, call, shared).catch(() => this.#failed(call, 'ERR_INTERNAL', 'the call failed'));
  }

  /** Ends the run that goes, and those that wait for a model. */
  abort(): void {
    this.#aborts++;
    this.#controller.stop();
  }

  async #answer(op: 'run' | 'prepare', call: number, shared: boolean): Promise<void> {
    const aborts = this.#aborts;
    const loaded = await this.#until(({ model, slot }) => model !== undefined || slot === 'error');
    if (loaded.model === undefined) {
      this.#failed(call, loaded.trouble?.failure.code ?? 'ERR_INTERNAL', 'the model could not be loaded');
      return;
    }
    if (op === 'prepare') {
      this.#host.tell({ op: 'done', call, answer: undefined });
      return;
    }
    if (aborts !== this.#aborts) {
      this.#failed(call, 'ERR_ABORTED', 'the run was stopped');
      return;
    }
    if (loaded.slot === 'running') {
      this.#failed(call, 'ERR_STATE', 'a run goes already');
      return;
    }
    if (document.activeElement?.matches('input, textarea') === true && document.hasFocus()) {
      this.#failed(call, 'ERR_STATE', 'somebody types in the frame');
      return;
    }
    const before = loaded.outcome;
    this.#starting = aborts;
    await this.#controller.run();
    this.#starting = undefined;
    const { outcome, trouble, slot } = this.#store.state;
    if (outcome !== undefined && outcome !== before)
      this.#host.tell({ op: 'done', call, answer: shared ? handedOver(outcome.answer) : undefined });
    else if (slot === 'error') this.#failed(call, trouble?.failure.code ?? 'ERR_INTERNAL', 'the run failed');
    else if (this.#store.state.stopped) this.#failed(call, 'ERR_ABORTED', 'the run was stopped');
    // What is wrong with a text is said in the frame.
    else this.#failed(call, 'ERR_STATE', 'nothing was run: the frame says why');
  }

  #failed(call: number, code: string, message: string): void {
    this.#host.tell({ op: 'failed', call, code, message });
  }

  #until(reached: (state: State) => boolean): Promise<State> {
    const { state } = this.#store;
    if (reached(state)) return Promise.resolve(state);
    return new Promise((resolve) => {
      this.#store.subscribe((now) => reached(now) && resolve(now));
    });
  }
}
