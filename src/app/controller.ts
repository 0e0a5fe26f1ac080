/**
 * Talks to the SDK: loads a model, prepares while somebody types, runs, stops. Everything it learns becomes an event of the store.
 *
 * One model at a time. A new choice of task or settings drops the old model with all that was prepared for it; events of a dropped model are ignored.
 */
import { kindOf } from '../core/errors.ts';
import type { Model, PretrainedOptions } from '../sdk/types.ts';
import { type Need, ask, checkedText, needOf, prepareOptions, sameNeed } from './asking.ts';
import { type Failure, failureOf } from './errors.ts';
import type { Sdk } from './port.ts';
import { isRefusal, problemOf } from './problems.ts';
import { type Settings, entryOf, weightsOf } from './state.ts';
import type { Store } from './store.ts';
import type { Job, Subject } from './subject.ts';

/** A pause in typing that is worth preparing in. */
const PAUSE_MS = 400;

interface Prepared {
  readonly need: Need;
  readonly abort: AbortController;
  /** Resolves to whether it may be used. Never rejects. */
  readonly done: Promise<boolean>;
}

export class Controller {
  readonly #sdk: Sdk;
  readonly #store: Store;
  readonly #now: () => number;
  readonly #tickMs: number;
  #model: Model | undefined;
  #generation = 0;
  #prepared: Prepared | undefined;
  #run: AbortController | undefined;
  #loading: AbortController | undefined;
  /** For secret weights: in memory only, and in no state that a view or a report prints. */
  #credential: Blob | undefined;
  /** After a fault of the device or a bug the model is made anew before the next run. */
  #broken = false;
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(sdk: Sdk, store: Store, now: () => number, tickMs: number) {
    this.#sdk = sdk;
    this.#store = store;
    this.#now = now;
    this.#tickMs = tickMs;
  }

  /** Fetches what the deployment offers, then the first model. Also the way back after a failed start. */
  async start(): Promise<void> {
    try {
      // Always anew: what failed may have been mended there.
      const [deployment, capabilities] = await Promise.all([this.#sdk.loadDeployment(), this.#sdk.capabilities()]);
      this.#store.dispatch({ type: 'capable', capabilities });
      this.#store.dispatch({ type: 'deployed', deployment });
    } catch (error) {
      this.#fail(failureOf(error));
      return;
    }
    await this.#load();
  }

  setTask(task: Job): void {
    this.#store.dispatch({ type: 'task', task });
    void this.#load();
  }

  setSettings(settings: Settings): void {
    const before = this.#store.state.settings;
    this.#store.dispatch({ type: 'settings', settings });
    const { prepareWhileTyping } = settings;
    if (prepareWhileTyping !== before.prepareWhileTyping && !prepareWhileTyping) this.#dropPrepared();
    const same = (Object.keys(settings) as (keyof Settings)[]).every((key) => key === 'prepareWhileTyping' || settings[key] === before[key]);
    if (!same) void this.#load();
  }

  /** The credential file of a model with secret weights. It is read by the party's worker, and by nobody else. */
  setCredential(file: File): void {
    this.#credential = file;
    this.#store.dispatch({ type: 'credential', name: file.name });
    void this.#load();
  }

  edit(change: Partial<Subject>): void {
    this.#store.dispatch({ type: 'edit', change });
    this.#prepareSoon();
    void this.#check();
  }

  /** The button: runs, or stops what runs. */
  async run(): Promise<void> {
    if (this.#broken) await this.#load();
    const model = this.#model;
    const { state } = this.#store;
    if (model === undefined || state.slot === 'running') return;
    const { subject, task } = state;
    clearTimeout(this.#pause);
    const check = await model.check(checkedText(state)).catch((error: unknown) => failureOf(error));
    // The form may have changed, or a second press come, while the check was away.
    if (this.#model !== model || this.#store.state.slot === 'running' || this.#store.state.subject !== subject) return;
    if ('code' in check) {
      this.#end(check);
      return;
    }
    this.#store.dispatch({ type: 'checked', subject, check });
    if (problemOf(this.#store.state) !== undefined) {
      this.#store.dispatch({ type: 'nag' });
      return;
    }
    const need = needOf(state, check);
    if (this.#prepared !== undefined && (need === undefined || !sameNeed(this.#prepared.need, need))) this.#dropPrepared();
    const abort = new AbortController();
    this.#run = abort;
    this.#store.dispatch({ type: 'run', now: this.#now() });
    const tick = setInterval(() => this.#store.dispatch({ type: 'tick', now: this.#now() }), this.#tickMs);
    try {
      await this.#prepared?.done;
      // Preparing may have failed, or the run been stopped, while it waited.
      if (this.#run !== abort) return;
      const answer = await ask(model, task, subject, abort.signal);
      if (this.#run !== abort) return;
      this.#store.dispatch({ type: 'answered', answer, subject, now: this.#now() });
      this.#prepared = undefined;
      // The same text again, or one of its length, then costs only the online phase.
      this.#prepareSoon();
    } catch (error) {
      if (this.#run === abort) this.#end(failureOf(error), task);
    } finally {
      clearInterval(tick);
      if (this.#run === abort) this.#run = undefined;
    }
  }

  stop(): void {
    if (this.#run === undefined) return;
    this.#end({ code: 'ERR_ABORTED', message: '', hint: '' });
  }

  async health(): Promise<void> {
    const model = this.#model;
    if (model === undefined) return;
    const health = await model.health().catch(() => undefined);
    if (health !== undefined && this.#model === model) this.#store.dispatch({ type: 'health', health });
  }

  /** Ends all that runs at all parties; for a page that goes away. */
  dispose(): void {
    this.#generation++;
    this.#loading?.abort();
    this.#run?.abort();
    this.#run = undefined;
    this.#dropPrepared();
    void this.#model?.dispose().catch(() => undefined);
    this.#model = undefined;
  }

  async #load(): Promise<void> {
    this.dispose();
    this.#broken = false;
    const generation = this.#generation;
    const { state } = this.#store;
    const entry = entryOf(state);
    if (entry === undefined) {
      this.#fail({ code: 'ERR_MODEL_NOT_FOUND', message: 'the deployment serves no model for this task', hint: '' });
      return;
    }
    this.#store.dispatch({ type: 'load' });
    const current = (): boolean => generation === this.#generation;
    const { protocol, device, transport } = state.settings;
    const loading = new AbortController();
    this.#loading = loading;
    const weights = weightsOf(state);
    const options: PretrainedOptions = {
      ...(state.deployment === undefined ? {} : { deployment: state.deployment }),
      protocol,
      weights,
      ...(weights === 'secret' && this.#credential !== undefined ? { credential: this.#credential } : {}),
      device,
      transport,
      signal: loading.signal,
      progress_callback: (event) => current() && this.#store.dispatch({ type: 'progress', event, now: this.#now() }),
      onFallback: (event) => current() && this.#store.dispatch({ type: 'fallback', event }),
    };
    try {
      const model = await this.#sdk.fromPretrained(entry.id, options);
      if (!current()) {
        await model.dispose();
        return;
      }
      this.#model = model;
      const { id, layers, maxTokens, downloadedBytes } = model;
      this.#store.dispatch({ type: 'loaded', model: { id, device: model.device, layers, maxTokens, downloadedBytes } });
      void this.#check();
      void this.health();
    } catch (error) {
      if (current()) this.#fail(failureOf(error));
    }
  }

  async #check(): Promise<void> {
    const { state } = this.#store;
    const check = await this.#model?.check(checkedText(state)).catch(() => undefined);
    if (check !== undefined) this.#store.dispatch({ type: 'checked', subject: state.subject, check });
  }

  #prepareSoon(): void {
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => void this.#prepare(), PAUSE_MS);
  }

  async #prepare(): Promise<void> {
    const model = this.#model;
    const { state } = this.#store;
    const { subject } = state;
    if (model === undefined || !state.settings.prepareWhileTyping) return;
    const check = await model.check(checkedText(state)).catch(() => undefined);
    const { state: now } = this.#store;
    // No keys for what cannot run, while a run goes, or while an error waits for a decision.
    if (check === undefined || this.#model !== model || now.subject !== subject || now.slot === 'running' || now.slot === 'error') return;
    const need = needOf(now, check);
    if (need === undefined || problemOf({ ...now, check }) !== undefined) return;
    if (this.#prepared !== undefined && sameNeed(this.#prepared.need, need)) return;
    this.#dropPrepared();
    const abort = new AbortController();
    this.#store.dispatch({ type: 'prepare', length: need.length, now: this.#now() });
    const done = model.prepare(need.length, { ...prepareOptions(need), signal: abort.signal }).then(
      () => {
        if (this.#prepared?.abort !== abort) return false;
        this.#store.dispatch({ type: 'prepared', now: this.#now() });
        return true;
      },
      (error: unknown) => {
        if (this.#prepared?.abort !== abort) return false;
        this.#prepared = undefined;
        // An answer that is being read stays: nothing of it is lost, and the next run will say what is wrong.
        const failure = failureOf(error);
        if (this.#store.state.slot === 'result') {
          this.#broken = isBroken(failure);
          this.#store.dispatch({ type: 'unprepared' });
          void this.health();
        } else this.#end(failure);
        return false;
      },
    );
    this.#prepared = { need, abort, done };
  }

  #dropPrepared(): void {
    clearTimeout(this.#pause);
    const prepared = this.#prepared;
    if (prepared === undefined) return;
    this.#prepared = undefined;
    prepared.abort.abort();
    this.#store.dispatch({ type: 'unprepared' });
  }

  /** Ends the run, if one goes, and what was prepared: keys of an ended run are never used. */
  #end(failure: Failure, task?: Job): void {
    const run = this.#run;
    this.#run = undefined;
    run?.abort();
    this.#broken = isBroken(failure);
    if (failure.code === 'ERR_ABORTED') this.#store.dispatch({ type: 'stopped', now: this.#now() });
    else if (task !== undefined && isRefusal(task, failure.code)) this.#store.dispatch({ type: 'refused', failure });
    else this.#fail(failure);
    this.#dropPrepared();
  }

  #fail(failure: Failure): void {
    this.#store.dispatch({ type: 'failed', failure, now: this.#now() });
    void this.health();
  }
}

/** Whether the model must be made anew before it can run again. */
function isBroken({ code }: Failure): boolean {
  const kind = kindOf(code);
  return kind === 'device' || kind === 'internal';
}
