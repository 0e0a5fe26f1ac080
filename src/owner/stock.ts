/**
 * Runs that are made ahead for whoever comes next: of every shape that was lately asked for, so many. For a service,
 * where requests of the same model and length follow each other. A run is taken once, or let go: with age, when a
 * party needs its place, or when nobody asks for its shape any more.
 */
import type { RunShape } from '../ml/models/run.ts';
import { Circuits } from '../session/circuits.ts';
import { type Preparation, startPreparing } from './prepared-run.ts';
import { PREPARED_FOR_MS, waited } from './preprocessing-pool.ts';
import type { RunContext } from './run-context.ts';
import type { Lease, RunPool } from './run-pool.ts';

export interface StockOptions {
  /** Runs of one shape. */
  readonly each: number;
  /** Shapes; of more, the one that was asked for longest ago goes. */
  readonly shapes: number;
  /** A shape that nobody asked for so long is kept no more, in milliseconds (default: 10 minutes). */
  readonly idleMs?: number;
  /** No run is made for so long after one could not be made, or a party asked for its place (default: 30 s). */
  readonly pauseMs?: number;
}

interface Kept {
  readonly preparation: Preparation;
  readonly age: ReturnType<typeof setTimeout>;
}

interface Shelf {
  readonly shape: RunShape;
  readonly kept: Set<Kept>;
  askedAt: number;
}

export class Stock implements RunPool {
  readonly #context: RunContext;
  readonly #options: Required<StockOptions>;
  readonly #circuits = new Circuits();
  /** The one that was asked for last is the last. */
  readonly #shelves = new Map<string, Shelf>();
  #notBefore = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(context: RunContext, options: StockOptions) {
    this.#context = context;
    this.#options = { idleMs: 10 * 60_000, pauseMs: 30_000, ...options };
  }

  /** Runs that stand, or are being made. */
  get size(): number {
    return [...this.#shelves.values()].reduce((all, { kept }) => all + kept.size, 0);
  }

  async prepare(shape: RunShape, signal: AbortSignal | undefined): Promise<void> {
    const shelf = this.#shelf(shape);
    this.#fill(shelf);
    const [first] = shelf.kept;
    if (first !== undefined) await waited(first.preparation, signal ?? new AbortController().signal);
  }

  async take(shape: RunShape, signal: AbortSignal): Promise<Lease> {
    const shelf = this.#shelf(shape);
    try {
      for (const kept of shelf.kept) {
        this.#remove(shelf, kept);
        if (kept.preparation.broken) continue;
        try {
          return { prepared: await waited(kept.preparation, signal), ahead: true };
        } catch (error) {
          if (signal.aborted) throw error;
        }
      }
      return await this.fresh(shape, signal);
    } finally {
      this.#fill(shelf);
    }
  }

  async fresh(shape: RunShape, signal: AbortSignal): Promise<Lease> {
    const preparation = startPreparing(this.#context, { shape, circuits: this.#circuits, ahead: false });
    return { prepared: await waited(preparation, signal), ahead: false };
  }

  async clear(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await Promise.all([...this.#shelves.values()].map((shelf) => this.#clear(shelf)));
    this.#shelves.clear();
  }

  #shelf(shape: RunShape): Shelf {
    const key = JSON.stringify(Object.entries(shape).sort(([a], [b]) => (a < b ? -1 : 1)));
    const shelf = this.#shelves.get(key) ?? { shape, kept: new Set<Kept>(), askedAt: 0 };
    shelf.askedAt = this.#context.environment.now();
    this.#shelves.delete(key);
    this.#shelves.set(key, shelf);
    for (const [oldest, old] of [...this.#shelves].slice(0, Math.max(0, this.#shelves.size - this.#options.shapes))) {
      this.#shelves.delete(oldest);
      this.#clear(old).catch(() => undefined);
    }
    return shelf;
  }

  #fill(shelf: Shelf): void {
    const now = this.#context.environment.now();
    if (this.#closed || ![...this.#shelves.values()].includes(shelf)) return;
    if (now < this.#notBefore) {
      this.#later();
      return;
    }
    if (now - shelf.askedAt >= this.#options.idleMs) return;
    while (shelf.kept.size < this.#options.each) this.#add(shelf);
  }

  #add(shelf: Shelf): void {
    const letGo = () => this.#lost(shelf, kept);
    const preparation = startPreparing(this.#context, {
      shape: shelf.shape,
      circuits: this.#circuits,
      ahead: true,
      onLetGo: letGo,
    });
    const old = () => {
      this.#drop(shelf, kept);
      this.#fill(shelf);
    };
    const age = setTimeout(old, PREPARED_FOR_MS);
    age.unref?.();
    const kept: Kept = { preparation, age };
    shelf.kept.add(kept);
    preparation.run.then(({ session }) => session.ended.then(letGo), letGo);
  }

  /** It could not be made, or is not there any more, and nobody here asked for that: the parties have better to do. */
  #lost(shelf: Shelf, kept: Kept): void {
    if (!shelf.kept.has(kept)) return;
    this.#drop(shelf, kept);
    this.#notBefore = this.#context.environment.now() + this.#options.pauseMs;
    this.#later();
  }

  /** Fills what is missing when it may. */
  #later(): void {
    if (this.#closed || this.#retry !== undefined) return;
    const retry = () => {
      this.#retry = undefined;
      for (const shelf of this.#shelves.values()) this.#fill(shelf);
    };
    this.#retry = setTimeout(retry, Math.max(0, this.#notBefore - this.#context.environment.now()) + 1);
    this.#retry.unref?.();
  }

  #remove(shelf: Shelf, kept: Kept): void {
    clearTimeout(kept.age);
    shelf.kept.delete(kept);
  }

  #drop(shelf: Shelf, kept: Kept): void {
    this.#remove(shelf, kept);
    kept.preparation.drop().catch(() => undefined);
  }

  async #clear(shelf: Shelf): Promise<void> {
    const all = [...shelf.kept];
    for (const kept of all) this.#remove(shelf, kept);
    await Promise.all(all.map(({ preparation }) => preparation.drop().catch(() => undefined)));
  }
}
