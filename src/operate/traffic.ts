/**
 * What the links of a session carried, by phase, told as it grows: to whoever operates a party or a dealer.
 *
 * SECURITY: a phase is one of a fixed list, read off the tags of this side's own program. test/party/traffic.test.ts.
 */

/** Phases of PROTOCOL §1.4, then proofs. What no gate and no proof sends is control. */
const PHASES = ['ahead', 'input', 'online', 'output', 'proofs', 'control'] as const;
type TrafficPhase = (typeof PHASES)[number];
type Direction = 'sent' | 'received';

/** What is counted of a link: a `Channel` has it. */
interface CountedLink {
  readonly peer: Carried['party'];
  /** Payload by tag: the part before the first '/'. */
  readonly stats: {
    readonly sentByTag: Readonly<Record<string, number>>;
    readonly receivedByTag: Readonly<Record<string, number>>;
  };
}

/** Payload that a link carried since it was told last. */
export interface Carried {
  readonly direction: Direction;
  /** The other end. */
  readonly party: 0 | 1 | 2 | 3;
  readonly phase: TrafficPhase;
  readonly bytes: number;
}

const BY_ENDING: ReadonlyMap<string, TrafficPhase> = new Map([
  ['deal', 'ahead'],
  ['ahead', 'ahead'],
  ['input', 'input'],
  ['12', 'online'],
  ['21', 'online'],
  ['01', 'online'],
  ['02', 'online'],
  ['20', 'online'],
  ['output', 'output'],
]);

/** @param tag the part before the first '/', as a link counts it */
export function phaseOf(tag: string): TrafficPhase {
  if (tag.startsWith('proof-')) return 'proofs';
  const dash = tag.lastIndexOf('-');
  return (dash > 0 ? BY_ENDING.get(tag.slice(dash + 1)) : undefined) ?? 'control';
}

type Sums = Record<Direction, Record<TrafficPhase, number>>;

export class SessionTraffic {
  readonly #links = new Map<CountedLink, Sums>();
  readonly #tell: (carried: readonly Carried[]) => void;

  constructor(tell: (carried: readonly Carried[]) => void) {
    this.#tell = tell;
  }

  /** Counts a link from its first byte on. */
  watch<C extends CountedLink>(channel: C): C {
    if (!this.#links.has(channel)) this.#links.set(channel, { sent: noBytes(), received: noBytes() });
    return channel;
  }

  /** Tells what came and went since it was asked last: behind a step, and at the end, however that came. */
  told(): void {
    const grown: Carried[] = [];
    for (const [channel, before] of this.#links) {
      const now = sumsOf(channel.stats);
      for (const direction of ['sent', 'received'] as const)
        for (const phase of PHASES) {
          const bytes = now[direction][phase] - before[direction][phase];
          if (bytes > 0) grown.push({ direction, party: channel.peer, phase, bytes });
        }
      this.#links.set(channel, now);
    }
    if (grown.length > 0) this.#tell(grown);
  }
}

const noBytes = (): Record<TrafficPhase, number> => ({
  ...{ ahead: 0, input: 0, online: 0, output: 0, proofs: 0, control: 0 },
});

function sumsOf({ sentByTag, receivedByTag }: CountedLink['stats']): Sums {
  const sums: Sums = { sent: noBytes(), received: noBytes() };
  for (const [tag, bytes] of Object.entries(sentByTag)) sums.sent[phaseOf(tag)] += bytes;
  for (const [tag, bytes] of Object.entries(receivedByTag)) sums.received[phaseOf(tag)] += bytes;
  return sums;
}
