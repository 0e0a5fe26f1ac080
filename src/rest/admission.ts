/**
 * Who may run, and when: so many texts a minute for each key, so many requests of a key at once, so many runs in all,
 * and a queue that ends. Of those that wait, the one whose key has fewest runs is next.
 */
import { abortedError } from '../core/abort.ts';
import { Problem } from './problem.ts';

export interface AdmissionLimits {
  /** Runs at a time. */
  readonly runs: number;
  /** Requests that may wait beside them. */
  readonly queue: number;
  /** Requests of one key, waiting ones included. */
  readonly perKey: number;
  /** Texts of one key in a minute; as many at once after a quiet minute. */
  readonly textsPerMinute: number;
}

interface Caller {
  /** Requests under way, and those of them that run. */
  requests: number;
  running: number;
  /** Texts that it may send now. */
  allowance: number;
  since: number;
}

interface Waiting {
  readonly caller: Caller;
  readonly go: () => void;
}

/** A run that may begin. */
export interface Turn {
  /** Milliseconds that it waited. */
  readonly waitedMs: number;
  end(): void;
}

const MINUTE_MS = 60_000;
/** What a run is taken to last before one has ended, in milliseconds. */
const FIRST_GUESS_MS = 2_000;
/** How much the last run counts in the mean. */
const WEIGHT = 0.2;

export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #now: () => number;
  /** By key: there are as many as keys. */
  readonly #callers = new Map<string, Caller>();
  readonly #waiting: Waiting[] = [];
  #running = 0;
  #meanMs = FIRST_GUESS_MS;

  constructor(limits: AdmissionLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * @param key name of the key, or of the callers of this machine together
   * @param texts of the request
   * @param signal leaves the queue
   * @throws {Problem} with status 429 and the seconds to wait
   */
  async enter(key: string, texts: number, signal: AbortSignal): Promise<Turn> {
    const caller = this.#caller(key);
    if (caller.requests >= this.#limits.perKey) throw Problem.own('ERR_KEY_BUSY', this.#seconds(1));
    if (this.#running >= this.#limits.runs && this.#waiting.length >= this.#limits.queue)
      throw Problem.own('ERR_QUEUE_FULL', this.#seconds(this.#waiting.length));
    this.#spend(caller, texts);
    caller.requests++;
    const start = this.#now();
    try {
      await this.#turn(caller, signal);
    } catch (error) {
      caller.requests--;
      throw error;
    }
    const begun = this.#now();
    let ended = false;
    return {
      waitedMs: begun - start,
      end: () => {
        if (ended) return;
        ended = true;
        this.#meanMs += WEIGHT * (this.#now() - begun - this.#meanMs);
        caller.requests--;
        caller.running--;
        this.#running--;
        this.#next();
      },
    };
  }

  #caller(key: string): Caller {
    const known = this.#callers.get(key);
    if (known !== undefined) return known;
    const caller = { requests: 0, running: 0, allowance: this.#limits.textsPerMinute, since: this.#now() };
    this.#callers.set(key, caller);
    return caller;
  }

  /** Takes texts out of what a minute gives. */
  #spend(caller: Caller, texts: number): void {
    const { textsPerMinute } = this.#limits;
    const now = this.#now();
    const gained = ((now - caller.since) * textsPerMinute) / MINUTE_MS;
    caller.allowance = Math.min(textsPerMinute, caller.allowance + gained);
    caller.since = now;
    if (caller.allowance < texts) {
      const missing = Math.min(texts, textsPerMinute) - caller.allowance;
      throw Problem.own('ERR_RATE', Math.max(1, Math.ceil((missing * 60) / textsPerMinute)));
    }
    caller.allowance -= texts;
  }

  #turn(caller: Caller, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw abortedError();
    if (this.#running < this.#limits.runs) {
      this.#begin(caller);
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(abortedError());
      };
      const waiting: Waiting = {
        caller,
        go: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(waiting);
    });
  }

  #begin(caller: Caller): void {
    caller.running++;
    this.#running++;
  }

  #next(): void {
    if (this.#running >= this.#limits.runs) return;
    const fewest = Math.min(...this.#waiting.map(({ caller }) => caller.running));
    const next = this.#waiting.findIndex(({ caller }) => caller.running === fewest);
    const [waiting] = next === -1 ? [] : this.#waiting.splice(next, 1);
    if (waiting === undefined) return;
    this.#begin(waiting.caller);
    waiting.go();
  }

  /** Until so many runs are over. */
  #seconds(runs: number): number {
    return Math.max(1, Math.ceil((this.#meanMs * Math.max(1, runs)) / this.#limits.runs / 1000));
  }
}
