/**
 * How far the compute parties are: public facts (half-round, gate, bytes between them), told to the data owner
 * while it waits.
 *
 * The reports travel on the owner's own links, before the output. They are also how a compute party notices that
 * its owner left: one that cannot be sent ends the session. A party that waits for the other one repeats its last
 * report, so that of two silent parties the owner sees which one is still there.
 */
import type { Progress } from '../mpc/protocol/frame/engine.ts';
import type { Channel } from '../net/wire/types.ts';
import { type Fields, recvControl, sendControl } from './control.ts';
import type { Before } from './turn.ts';

const NAME = 'status';
const INTERVAL_MS = 100;
/** A report is repeated after so long without another. */
const REPEAT_MS = 1_000;

export interface Status {
  /** Half-rounds done, of all. */
  readonly done: number;
  readonly total: number;
  /** Number of the gate that the party works on. */
  readonly gate: number;
  /** Payload bytes between the compute parties so far, both ways. */
  readonly between: number;
  readonly last: boolean;
  /** While it waits for its turn: what for. */
  readonly before?: Before | undefined;
}

/** Of a party that waits for the text: `leave` asks the owner to give its place up. */
interface Waiting {
  readonly leave: boolean;
}

/** Answers an owner that is prepared, or asks it to leave. */
export async function sendWaiting(owner: Channel, leave: boolean): Promise<void> {
  await sendControl(owner, NAME, { leave });
}

export class StatusSender {
  readonly #owner: Channel;
  readonly #peer: Channel;
  readonly #now: () => number;
  readonly #onLost: (error: unknown) => void;
  #sent = Number.NEGATIVE_INFINITY;
  #tail: Promise<void> = Promise.resolve();
  /** Written to: parties report every gate, and few of them are told. */
  #latest: { done: number; total: number; gate: number } | undefined;
  #repeat: ReturnType<typeof setInterval> | undefined;

  constructor(owner: Channel, peer: Channel, now: () => number, onLost: (error: unknown) => void) {
    this.#owner = owner;
    this.#peer = peer;
    this.#now = now;
    this.#onLost = onLost;
  }

  /** The first half-round comes, or is waited for. @param total half-rounds. Call `stop`, whatever happens. */
  begin(total: number): void {
    this.#latest = { done: 0, total, gate: 0 };
    this.#repeat = setInterval(() => {
      if (this.#latest !== undefined && this.#now() - this.#sent >= REPEAT_MS)
        this.#send({ ...this.#latest, between: this.#between(), last: false });
    }, REPEAT_MS);
  }

  /** It is not the run's turn yet. */
  waits(before: Before): void {
    if (this.#latest !== undefined) this.#send({ ...this.#latest, between: this.#between(), last: false, before });
  }

  stop(): void {
    clearInterval(this.#repeat);
    this.#latest = undefined;
  }

  /** At most one report per INTERVAL_MS. Never waits. */
  progress({ done, total, gate }: Progress): void {
    // Behind the last report there is none.
    if (this.#latest === undefined) return;
    this.#latest.done = done;
    this.#latest.total = total;
    this.#latest.gate = gate;
    if (this.#now() - this.#sent < INTERVAL_MS) return;
    this.#send({ done, total, gate, between: this.#between(), last: false });
  }

  /** The last report: the output follows. */
  async finish(total: number): Promise<void> {
    this.stop();
    this.#send({ done: total, total, gate: 0, between: this.#between(), last: true });
    await this.#tail;
  }

  #between(): number {
    const { sentPayloadBytes, receivedPayloadBytes } = this.#peer.stats;
    return sentPayloadBytes + receivedPayloadBytes;
  }

  #send(status: Status): void {
    this.#sent = this.#now();
    const body = { ...status, before: status.before && { ...status.before } };
    this.#tail = this.#tail.then(() => sendControl(this.#owner, NAME, body));
    this.#tail.catch(this.#onLost);
  }
}

function read(fields: Fields): Status | Waiting {
  if (fields.has('leave')) return { leave: fields.boolean('leave') };
  return {
    done: fields.integer('done', 1e6),
    total: fields.integer('total', 1e6),
    gate: fields.integer('gate', 1e6),
    between: fields.integer('between', Number.MAX_SAFE_INTEGER),
    last: fields.boolean('last'),
    before: fields.has('before') ? readBefore(fields.object('before')) : undefined,
  };
}

function readBefore(fields: Fields): Before {
  const runs = fields.integer('runs', 1e6);
  return { runs, ms: fields.has('ms') ? fields.integer('ms', 1e9) : undefined };
}

/**
 * Reads what a party says from the moment that it is prepared, until its last report.
 * @param onLeave the party asks for its place. @throws {TercetError} the party's own error when it says that it failed.
 */
export async function followStatus(
  channel: Channel,
  onStatus: (status: Status) => void,
  onLeave: () => void,
): Promise<void> {
  for (;;) {
    const status = read(await recvControl(channel, NAME));
    if ('leave' in status) {
      if (status.leave) onLeave();
      continue;
    }
    onStatus(status);
    if (status.last) return;
  }
}
