/**
 * Connections that have not proved anything yet, in bounded number: in all, and from one address. Those that have
 * are not counted, so strangers cannot take the place of links in use.
 *
 * A newcomer is let in and the oldest gives way: first of its own address, else of the address that has most. So
 * one stranger is in the way of nobody but itself, and many connections that say nothing are in nobody's way.
 * Addresses from which another party's link stands keep their places against all others.
 */
import { addressGroup } from './address-group.ts';

export interface UnfinishedLimits {
  readonly max: number;
  readonly perAddress: number;
}

interface Connection {
  readonly group: string;
  readonly drop: () => void;
}

export class Unfinished {
  readonly #limits: UnfinishedLimits;
  readonly #reserved: (group: string) => boolean;
  /** In order of arrival. */
  readonly #connections = new Map<string, Connection>();

  /** @param reserved whether the connections of an address group are never dropped for those of another. */
  constructor(limits: UnfinishedLimits, reserved: (group: string) => boolean = () => false) {
    this.#limits = limits;
    this.#reserved = reserved;
  }

  get count(): number {
    return this.#connections.size;
  }

  /** @param key names the connection. @param drop ends it; called when it gives way. */
  add(key: string, address: string | undefined, drop: () => void): void {
    const group = addressGroup(address);
    const groups = new Map<string, string[]>();
    for (const [other, connection] of this.#connections)
      groups.set(connection.group, [...(groups.get(connection.group) ?? []), other]);
    const own = groups.get(group) ?? [];
    if (own.length >= this.#limits.perAddress) this.#giveWay(own[0]);
    else if (this.#connections.size >= this.#limits.max) {
      const open = [...groups].filter(([name]) => !this.#reserved(name)).map(([, keys]) => keys);
      // Of the largest groups the one whose first connection is the oldest: groups come in the order of their first.
      const crowd = open.reduce<string[]>((most, keys) => (keys.length > most.length ? keys : most), []);
      this.#giveWay(crowd[0] ?? own[0] ?? key);
    }
    this.#connections.set(key, { group, drop });
  }

  /** It has proved who it is, or it is gone. */
  remove(key: string): void {
    this.#connections.delete(key);
  }

  #giveWay(key: string): void {
    const connection = this.#connections.get(key);
    this.#connections.delete(key);
    connection?.drop();
  }
}
