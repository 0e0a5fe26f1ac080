/**
 * Talks to the SDK: loads a model, prepares while somebody types, runs, stops. Everything it learns becomes an
 * event of the store.
 *
 * One model at a time. A new choice of task or settings drops the old model with all that was prepared for it;
 * events of a dropped model are ignored.
 */
import { kindOf } from '../core/errors.ts';
import type { Model, PretrainedOptions, ProgressEvent } from '../owner/types/index.ts';
import { type Need, ask, checkedText, needOf, prepareOptions, sameNeed } from './requests.ts';
import { type Failure, failureOf } from './errors.ts';
import type { Sdk } from './port.ts';
import type { Left } from './presence.ts';
import { holdsPlace } from './selectors/labels.ts';
import { isRefusal, problemOf } from './problems.ts';
import { type Gone, type Settings, type State, dealerOf, entryOf, serversOf, weightsOf } from './state.ts';
import type { Store } from './store.ts';
import type { TaskKind, Form } from './form.ts';

/** A pause in typing that is worth preparing in. */
const PAUSE_MS = 400;
/**
 * From the first sign of a person until the example that stands in the box is prepared for: time to open the
 * settings first.
 */
const SETTLE_MS = 1_200;
/** How often the parties are asked how they are while somebody is there. */
const HEALTH_MS = 15_000;
/** The clock of what is made ahead. */
const AHEAD_TICK_MS = 500;

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
  /** Whether a person was seen, and how the page was left since. */
  #came = false;
  #away: Left | undefined;
  #choosing = false;
  #asking: ReturnType<typeof setInterval> | undefined;

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

  /** Somebody is at the page, for the first time or again. */
  came(): void {
    this.#came = true;
    this.#away = undefined;
    clearInterval(this.#asking);
    this.#asking = setInterval(() => void this.health(), HEALTH_MS);
    void this.health();
    this.#prepareSoon(SETTLE_MS);
  }

  /** Nobody is: what was prepared takes places that others wait for. */
  left(why: Left): void {
    this.#away = why;
    clearInterval(this.#asking);
    // A run that waits for its keys keeps them.
    if (this.#run === undefined) this.#dropPrepared(why);
  }

  /** Nothing is prepared unasked while somebody chooses what with. */
  choosing(now: boolean): void {
    this.#choosing = now;
    if (!now) this.#prepareSoon(SETTLE_MS);
  }

  setTask(task: TaskKind): void {
    this.#store.dispatch({ type: 'task', task });
    void this.#load();
  }

  setSettings(settings: Settings): void {
    const before = this.#store.state.settings;
    this.#store.dispatch({ type: 'settings', settings });
    const { prepareWhileTyping } = settings;
    if (prepareWhileTyping !== before.prepareWhileTyping && !prepareWhileTyping) this.#dropPrepared();
    const same = (Object.keys(settings) as (keyof Settings)[]).every(
      (key) => key === 'prepareWhileTyping' || settings[key] === before[key],
    );
    if (!same) void this.#load();
  }

  /** The credential file of a model with secret weights. It is read by the party's worker, and by nobody else. */
  setCredential(file: File): void {
    this.#credential = file;
    this.#store.dispatch({ type: 'credential', name: file.name });
    void this.#load();
  }

  edit(change: Partial<Form>): void {
    this.#store.dispatch({ type: 'edit', change });
    this.#prepareLater(PAUSE_MS, true);
    void this.#check();
  }

  /** The button: runs, or stops what runs. */
  async run(): Promise<void> {
    if (this.#broken) await this.#load();
    const model = this.#model;
    const { state } = this.#store;
    if (model === undefined || state.slot === 'running') return;
    const { subject, task } = state;
    this.#unpause();
    const check = await model.check(checkedText(state)).catch((error: unknown) => failureOf(error));
    // The form may have changed, or a second press come, while the check was away.
    if (this.#model !== model || this.#store.state.slot === 'running' || this.#store.state.subject !== subject) return;
    if ('code' in check) {
      this.#end(check);
      return;
    }
    this.#store.dispatch({ type: 'checked', subject, check });
    if (problemOf(this.#store.state) !== undefined) {
      this.#store.dispatch({ type: 'show-problem' });
      return;
    }
    const need = needOf(state, check);
    if (this.#prepared !== undefined && (need === undefined || !sameNeed(this.#prepared.need, need)))
      this.#dropPrepared();
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
      // It may have been the first sign of a party that was away.
      void this.health();
      // The same text again, or one of its length, then costs only the online phase.
      if (this.#away === undefined) this.#prepareLater(PAUSE_MS, false);
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
    if (health === undefined || this.#model !== model) return;
    const { state: before } = this.#store;
    this.#store.dispatch({ type: 'health', health });
    // Servers that are back, or have room again.
    const usable = (state: State): boolean =>
      serversOf(state).every((server) => server?.ok === true && server.load !== 'full');
    if (before.preparation.status === 'none' && usable(this.#store.state) && !usable(before))
      this.#prepareSoon(SETTLE_MS);
  }

  /** Ends all that runs at all parties; for a page that goes away. */
  dispose(): void {
    this.#generation++;
    this.#loading?.abort();
    this.#run?.abort();
    this.#run = undefined;
    this.#unpause();
    this.#prepared?.abort.abort();
    this.#prepared = undefined;
    void this.#model?.dispose().catch(() => undefined);
    this.#model = undefined;
  }

  async #load(): Promise<void> {
    this.dispose();
    this.#broken = false;
    const generation = this.#generation;
    const { state } = this.#store;
    const entry = entryOf(state);
    // Also of a model that then cannot be had: the one before is gone.
    this.#store.dispatch({ type: 'load' });
    if (entry === undefined) {
      this.#fail({ code: 'ERR_MODEL_NOT_FOUND', message: 'the deployment serves no model for this task', hint: '' });
      return;
    }
    const weights = weightsOf(state);
    if (entry.weights[weights] === undefined) {
      this.#fail({
        code: 'ERR_MODEL_NOT_FOUND',
        message: `${entry.id} is not served with ${weights} weights`,
        hint: '',
        found: 'weights',
      });
      return;
    }
    const current = (): boolean => generation === this.#generation;
    const { protocol, level, device, transport } = state.settings;
    const loading = new AbortController();
    this.#loading = loading;
    const options: PretrainedOptions = {
      deployment: state.deployment,
      protocol,
      securityLevel: protocol === '3pc_semi_honest' ? undefined : level,
      weights,
      // Where it is not used, it is not handed on at all.
      ...(weights === 'secret' && this.#credential !== undefined ? { credential: this.#credential } : {}),
      device,
      transport,
      dealer: dealerOf(state) === undefined ? undefined : true,
      signal: loading.signal,
      progress_callback: (event) => current() && this.#progress(event),
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
      this.#prepareSoon(SETTLE_MS);
    } catch (error) {
      if (current()) this.#fail(failureOf(error));
    }
  }

  async #check(): Promise<void> {
    const { state } = this.#store;
    const check = await this.#model?.check(checkedText(state)).catch(() => undefined);
    if (check !== undefined) this.#store.dispatch({ type: 'checked', subject: state.subject, check });
  }

  #progress(event: ProgressEvent): void {
    this.#store.dispatch({ type: 'progress', event, now: this.#now() });
    if (event.status !== 'released' || this.#prepared === undefined) return;
    this.#prepared = undefined;
    const asked = wasAsked(event.code);
    this.#store.dispatch({ type: 'unprepared', gone: event.reason === 'age' ? 'age' : asked ? 'asked' : 'lost' });
    void this.health();
    // Who was asked to give way does not press in again: the next text will.
    if (!asked) this.#prepareSoon(SETTLE_MS);
  }

  /** Nobody typed: only while a person is there, behind what somebody types, and without an error if it fails. */
  #prepareSoon(ms: number): void {
    if (this.#came && this.#away === undefined && this.#prepared === undefined && this.#pause === undefined)
      this.#prepareLater(ms, false);
  }

  #prepareLater(ms: number, typed: boolean): void {
    this.#unpause();
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      void this.#prepare(typed);
    }, ms);
  }

  #unpause(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
  }

  /** @param typed whether somebody typed for it and is to hear of an error. */
  async #prepare(typed: boolean): Promise<void> {
    const model = this.#model;
    const { state } = this.#store;
    const { subject } = state;
    if (model === undefined || !state.settings.prepareWhileTyping || (!typed && this.#choosing)) return;
    // A full server's next place is for somebody with a text.
    if (!typed && serversOf(state).some((server) => server?.load === 'full' && !holdsPlace(state))) return;
    const check = await model.check(checkedText(state)).catch(() => undefined);
    const { state: now } = this.#store;
    // No keys for what cannot run, while a run goes, or while an error waits for a decision.
    if (
      check === undefined ||
      this.#model !== model ||
      now.subject !== subject ||
      now.slot === 'running' ||
      now.slot === 'error'
    )
      return;
    const need = needOf(now, check);
    if (need === undefined || problemOf({ ...now, check }) !== undefined) return;
    if (this.#prepared !== undefined && sameNeed(this.#prepared.need, need)) return;
    this.#dropPrepared();
    const abort = new AbortController();
    this.#store.dispatch({ type: 'prepare', length: need.length, now: this.#now() });
    const tick = setInterval(() => this.#store.dispatch({ type: 'tick', now: this.#now() }), AHEAD_TICK_MS);
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
        if (this.#store.state.slot === 'result' || (!typed && this.#run === undefined)) {
          this.#broken = isBroken(failure);
          this.#store.dispatch({ type: 'unprepared', gone: wasAsked(failure.code) ? 'asked' : 'failed' });
          void this.health();
        } else this.#end(failure);
        return false;
      },
    );
    void done.finally(() => clearInterval(tick));
    this.#prepared = { need, abort, done };
  }

  #dropPrepared(gone?: Gone): void {
    this.#unpause();
    const prepared = this.#prepared;
    if (prepared === undefined) return;
    this.#prepared = undefined;
    prepared.abort.abort();
    // The signal reaches only what is being made. What is there is let go here, before anything else is asked of
    // the model.
    void this.#model?.release().catch(() => undefined);
    this.#store.dispatch({ type: 'unprepared', gone });
  }

  /** Ends the run, if one goes, and what was prepared: keys of an ended run are never used. */
  #end(failure: Failure, task?: TaskKind): void {
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

/** Whether a party wanted the place for somebody who has a text. */
function wasAsked(code: string | undefined): boolean {
  return code === 'ERR_PEER_LET_GO' || code === 'ERR_PEER_BUSY';
}

/** Whether the model must be made anew before it can run again. */
function isBroken({ code }: Failure): boolean {
  const kind = kindOf(code);
  return kind === 'device' || kind === 'internal';
}
