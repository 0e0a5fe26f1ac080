/**
 * What a compute party is ready to spend on its owners: memory and traffic, of one session, of the sessions of one
 * address, and of all. Every request is priced (`session/price.ts`) and weighed here before the handshake answers
 * it, and again, for good, before anything is built for it.
 *
 * Security: owners are strangers. One of them can use up the budget of its address and no more; IPv6 addresses
 * count by their network of 64 bits, because whoever has one has all of it. Behind a proxy all owners have the
 * proxy's address: give `address` what `total` has there.
 */
import { Refusal } from '../core/told.ts';
import { serverWords } from '../net/identity/identity-errors.ts';
import type { ServerId } from '../net/wire/types.ts';
import type { Price } from '../session/price.ts';

export type Scope = 'session' | 'address' | 'total';

/** Bytes by scope. */
export type Limits = Readonly<Record<Scope, number>>;

export interface BudgetLimits {
  readonly memory: Limits;
  /** On all links of a run, of sessions under way. */
  readonly traffic: Limits;
}

const GB = 1e9;

/**
 * Half of a machine's memory for all sessions, half of that for an address, and up to 8 GB of it for a session:
 * BERT-base with 16 texts of 128 tokens takes 3.5 GB.
 */
export function defaultLimits(machineBytes: number): BudgetLimits {
  const total = Math.floor(machineBytes / 2);
  const address = Math.floor(total / 2);
  return {
    memory: { session: Math.min(8 * GB, address), address, total },
    traffic: { session: 200 * GB, address: 400 * GB, total: 800 * GB },
  };
}

type Cost = Pick<Price, 'memory' | 'traffic'>;

const WHAT: Record<keyof BudgetLimits, string> = { memory: 'memory', traffic: 'traffic' };

function gigabytes(bytes: number): string {
  return `${Number((bytes / GB).toPrecision(2))} GB`;
}

export class Budgets {
  readonly #party: ServerId;
  readonly #limits: BudgetLimits;
  /** What is taken, by network of the owner. */
  readonly #taken = new Map<string, { memory: number; traffic: number }>();

  constructor(party: ServerId, limits: BudgetLimits) {
    this.#party = party;
    this.#limits = limits;
  }

  /**
   * Whether a run may begin now.
   * @throws {TercetError} ERR_TOO_LARGE for one that is larger than any session may be, ERR_PEER_BUSY while others
   * leave no room for it
   */
  check(price: Cost, address: string): void {
    for (const what of ['memory', 'traffic'] as const) {
      const limits = this.#limits[what];
      if (price[what] > limits.session) throw this.#tooLarge(what, price[what]);
      const own = this.#taken.get(networkOf(address))?.[what] ?? 0;
      if (own + price[what] > limits.address) throw this.#busy(what, 'address');
      if (this.taken[what] + price[what] > limits.total) throw this.#busy(what, 'total');
    }
  }

  /** Checks and takes. Returns the way to give it back, which counts once. */
  take(price: Cost, address: string): () => void {
    this.check(price, address);
    const network = networkOf(address);
    const add = (sign: 1 | -1) => {
      const own = this.#taken.get(network) ?? { memory: 0, traffic: 0 };
      own.memory += sign * price.memory;
      own.traffic += sign * price.traffic;
      if (own.traffic <= 0 && own.memory <= 0) this.#taken.delete(network);
      else this.#taken.set(network, own);
    };
    add(1);
    let given = false;
    return () => {
      if (!given) add(-1);
      given = true;
    };
  }

  /** Of all sessions under way. */
  get taken(): { readonly memory: number; readonly traffic: number } {
    const all = { memory: 0, traffic: 0 };
    for (const { memory, traffic } of this.#taken.values()) {
      all.memory += memory;
      all.traffic += traffic;
    }
    return all;
  }

  #tooLarge(what: keyof BudgetLimits, bytes: number): Refusal {
    const limit = this.#limits[what].session;
    const message = `a run of ${gigabytes(bytes)} of ${WHAT[what]}; ${serverWords(this.#party)} takes ${gigabytes(limit)} of it for a session`;
    return new Refusal('ERR_TOO_LARGE', message, 'shorten the text or split the batch', { party: this.#party });
  }

  #busy(what: keyof BudgetLimits, scope: Scope): Refusal {
    const whose = scope === 'address' ? 'runs of this address' : 'runs of others';
    const message = `${serverWords(this.#party)}: ${whose} leave no ${WHAT[what]} for another one (limit "${scope}", ${gigabytes(this.#limits[what][scope])})`;
    return new Refusal('ERR_PEER_BUSY', message, 'try again in a minute, or with a smaller batch', {
      party: this.#party,
    });
  }
}

/** An IPv4 address, or the network of 64 bits of an IPv6 one: what one owner has. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped !== null) return mapped[1];
  if (!address.includes(':')) return address;
  const [head, tail] = address.split('%')[0].toLowerCase().split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const all =
    tail === undefined
      ? left
      : [...left, ...new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
  return `${all
    .slice(0, 4)
    .map((part) => Number.parseInt(part, 16).toString(16))
    .join(':')}::/64`;
}
