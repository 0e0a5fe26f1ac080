/**
 * The places of a compute party: in all, and of one address. Who comes when all are taken waits for a place that is
 * being left; only where there is none, the session is asked to leave that has only waited for longest, first of the
 * address that has most. Who is at work is never disturbed.
 */
import type { TercetError } from '../core/errors.ts';
import { Refusal } from '../core/told.ts';
import { addressGroup } from '../net/wire/address-group.ts';
import type { Place, Waiting } from '../session/place.ts';

export interface PlacesOptions {
  readonly max: number;
  /** Of one address; this machine's own (a proxy, or tabs of its user) may have all. */
  readonly perAddress: number;
  readonly now: () => number;
}

export interface PlaceCounts {
  readonly max: number;
  readonly taken: number;
  /** Of those taken, how many would give way, or are being left. */
  readonly idle: number;
}

/**
 * Public: what newcomers may expect. `busy`: every place is taken, and one that only waits gives way. `full`: there
 * is none.
 */
export type Load = 'free' | 'busy' | 'full';

/**
 * How long a session may only wait before it gives way. An owner that follows the protocol takes its first steps,
 * and goes on with a text, much sooner.
 */
const GRACE_MS: Readonly<Record<Waiting, number>> = { prepared: 0, silent: 2_000, between: 30_000 };
/** Longest wait of a newcomer for a place that is being left: the last words of a session take less. */
const HANDOVER_MS = 12_000;

export interface Held extends Place {
  /** The session is over. */
  end(): void;
}

interface Entry extends Held {
  readonly group: string;
  readonly control: AbortController;
  waiting: { readonly what: Waiting; readonly since: number } | undefined;
  leaving: boolean;
  /** Who gets the place next. */
  heir: { readonly group: string; readonly take: (place: Held) => void } | undefined;
}

export class Places {
  readonly #options: PlacesOptions;
  readonly #entries = new Set<Entry>();
  #draining = false;

  constructor(options: PlacesOptions) {
    this.#options = options;
  }

  get counts(): PlaceCounts {
    return {
      max: this.#options.max,
      taken: this.#entries.size,
      idle: [...this.#entries].filter((entry) => isBeingLeft(entry) || this.#gives(entry)).length,
    };
  }

  get load(): Load {
    const { max, taken, idle } = this.counts;
    if (this.#draining) return 'full';
    return taken < max ? 'free' : idle > 0 ? 'busy' : 'full';
  }

  /** @throws {TercetError} ERR_PEER_BUSY when nobody gives way */
  async take(address: string): Promise<Held> {
    if (this.#draining) throw busy(STOPPING);
    const { max, perAddress } = this.#options;
    const group = addressGroup(address);
    const all = [...this.#entries];
    const own = all.filter((entry) => entry.group === group);
    const crowded = own.length >= (isLocal(group) ? max : perAddress);
    if (all.length < max && !crowded) return this.#hold(group);
    const among = crowded ? own : all;
    // An owner that leaves is on its way out at both parties: so they do not ask two for the place of one.
    const next = among.find(isBeingLeft) ?? this.#idlest(among);
    if (next === undefined)
      throw busy(
        crowded && all.length < max
          ? 'this address has as many places as one may have'
          : 'all places of this party are in use',
      );
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        next.heir = undefined;
        reject(busy('all places of this party are in use'));
      }, HANDOVER_MS);
      const take = (place: Held) => {
        clearTimeout(timer);
        resolve(place);
      };
      next.heir = { group, take };
      if (!next.leaving) next.control.abort();
    });
  }

  /** Takes nobody any more, and asks whoever only waits for a text to leave. Who is at work goes on. */
  drain(): void {
    this.#draining = true;
    for (const entry of this.#entries) this.#letGo(entry);
  }

  /** @throws {TercetError} ERR_PEER_BUSY where nobody is taken any more */
  open(): void {
    if (this.#draining) throw busy(STOPPING);
  }

  #letGo({ waiting, control }: Entry): void {
    // Between two words of a text an owner is at work.
    if (this.#draining && waiting !== undefined && waiting.what !== 'between') control.abort();
  }

  #hold(group: string): Held {
    const control = new AbortController();
    const entry: Entry = {
      group,
      control,
      heir: undefined,
      leaving: false,
      waiting: { what: 'silent', since: this.#options.now() },
      wanted: control.signal,
      waits: (what) => {
        entry.waiting = { what, since: this.#options.now() };
        this.#letGo(entry);
      },
      works: () => {
        entry.waiting = undefined;
      },
      leaves: () => {
        entry.waiting = undefined;
        entry.leaving = true;
      },
      end: () => {
        if (!this.#entries.delete(entry)) return;
        // At once, so that nobody comes in between.
        if (entry.heir !== undefined) entry.heir.take(this.#hold(entry.heir.group));
      },
    };
    this.#entries.add(entry);
    return entry;
  }

  #gives({ waiting, control }: Entry): boolean {
    return (
      waiting !== undefined && !control.signal.aborted && this.#options.now() - waiting.since >= GRACE_MS[waiting.what]
    );
  }

  #idlest(entries: readonly Entry[]): Entry | undefined {
    const sizes = new Map<string, number>();
    for (const { group } of entries) sizes.set(group, (sizes.get(group) ?? 0) + 1);
    const since = ({ waiting }: Entry) => waiting?.since ?? Number.POSITIVE_INFINITY;
    return entries
      .filter((entry) => this.#gives(entry))
      .sort((a, b) => (sizes.get(b.group) ?? 0) - (sizes.get(a.group) ?? 0) || since(a) - since(b))
      .at(0);
  }
}

/** And nobody waits for it yet. */
function isBeingLeft({ leaving, heir }: Entry): boolean {
  return leaving && heir === undefined;
}

function isLocal(group: string): boolean {
  return group.startsWith('127.') || group === addressGroup('::1');
}

const STOPPING = 'this party is about to stop';

function busy(what: string): TercetError {
  return new Refusal('ERR_PEER_BUSY', what, 'try again in a minute');
}
