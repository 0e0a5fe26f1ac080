/** Turns of runs at party 1: who computes when, by a clock of the test; and many owners at once of two real parties. */
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RunTurns } from '../../src/daemon/turns.ts';
import { memoryPair } from '../../src/net/simulated/memory-link.ts';
import { releaseWebRtc } from '../../src/net/webrtc/node.ts';
import { type Before, type Turn, awaitTurn, followTurn, workOf } from '../../src/session/turn.ts';
import { failure } from '../failure.ts';
import { until } from '../net/helpers.ts';
import { INPUT } from '../session/harness.ts';
import { Parties } from './parties.ts';

/** Work of a millisecond of one processor, as the scheduler takes it before it has measured anything. */
const MS = 100_000;

interface Job {
  readonly name: string;
  readonly at: number;
  readonly ms: number;
  readonly address?: string;
}

/**
 * Runs jobs on one processor that those which compute share evenly, millisecond by millisecond: a machine that nothing
 * is won on by doing two things at once.
 */
class Machine {
  readonly turns: RunTurns;
  readonly ends = new Map<string, number>();
  readonly order: string[] = [];
  #now = 0;

  constructor(slots: number) {
    this.turns = new RunTurns({ slots, now: () => this.#now });
  }

  async run(jobs: readonly Job[], until = Number.POSITIVE_INFINITY): Promise<void> {
    const asked = new Map<Job, Turn>();
    const left = new Map<Job, number>();
    for (; this.ends.size < jobs.length && this.#now < until; this.#now++) {
      for (const job of jobs.filter(({ at }) => at === this.#now)) {
        const turn = this.turns.of(job.address ?? '192.0.2.1').ask(job.ms * MS);
        asked.set(job, turn);
        void turn.granted.then(() => {
          this.order.push(job.name);
          left.set(job, job.ms);
        });
      }
      await vi.advanceTimersByTimeAsync(1);
      const share = 1 / left.size;
      for (const [job, ms] of left) {
        left.set(job, ms - share);
        asked.get(job)?.moved(1 - Math.max(0, ms - share) / job.ms);
        if (ms - share > 1e-9) continue;
        left.delete(job);
        this.ends.set(job.name, this.#now + 1);
        asked.get(job)?.moved(1);
        asked.get(job)?.end();
      }
    }
  }

  wait(job: Job): number {
    return (this.ends.get(job.name) ?? Number.POSITIVE_INFINITY) - job.at;
  }
}

describe('turns', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const many = (count: number, ms: number, more: Partial<Job> = {}): Job[] =>
    Array.from({ length: count }, (_, i) => ({ name: `${more.address ?? ''}${i}`, at: 0, ms, ...more }));
  const meanOf = (machine: Machine, jobs: readonly Job[]) =>
    jobs.reduce((sum, job) => sum + machine.wait(job), 0) / jobs.length;

  it('of four at once: two and two, so the mean wait is three quarters of what it is for all together', async () => {
    const jobs = many(4, 100);
    const [machine, together] = [new Machine(2), new Machine(4)];
    await machine.run(jobs);
    await together.run(jobs);
    expect([meanOf(machine, jobs), meanOf(together, jobs)]).toEqual([300, 400]);
    expect(machine.order).toEqual(['0', '1', '2', '3']);
    // Nobody ends later for it.
    for (const job of jobs) expect(machine.wait(job)).toBeLessThanOrEqual(together.wait(job));
  });

  it('go to a short run before long ones that wait, and to a long one when it is due: none is starved', async () => {
    const long: Job = { name: 'long', at: 1, ms: 400 };
    // More short ones than the machine can do: without the rule the long one would wait for ever.
    const short = Array.from({ length: 100 }, (_, i): Job => ({ name: `s${i}`, at: 10 * i, ms: 20 }));
    const machine = new Machine(1);
    await machine.run([...short, long]);
    const begun = machine.order.indexOf('long');
    expect(begun).toBeGreaterThan(3);
    // Those that came before it was due are all that passed it.
    expect(begun).toBeLessThanOrEqual(42);
  });

  it('need not be waited for by a run that is much shorter than what is left of those at work', async () => {
    const long = many(2, 4_000);
    const short: Job = { name: 'short', at: 100, ms: 60 };
    const alike: Job = { name: 'alike', at: 100, ms: 3_000 };
    const machine = new Machine(2);
    await machine.run([...long, short, alike]);
    expect(machine.wait(short)).toBeLessThan(200);
    expect(machine.order).toEqual(['0', '1', 'short', 'alike']);
    expect(machine.wait(alike)).toBeGreaterThan(8_000);
  });

  it('go round between addresses: one that floods does not keep another from its answer', async () => {
    const flood = many(40, 100, { address: '192.0.2.66' });
    const other: Job = { name: 'other', at: 50, ms: 100, address: '192.0.2.7' };
    const machine = new Machine(2);
    await machine.run([...flood, other]);
    // Behind the two that computed when it came.
    expect(machine.order.indexOf('other')).toBe(2);
    // Control: of one and the same address it is the last.
    const same = new Machine(2);
    await same.run([...flood, { ...other, address: '192.0.2.66' }]);
    expect(same.order.indexOf('other')).toBe(40);
  });

  it('are lost by a run that stands still, and by one that is given up', async () => {
    let now = 0;
    const turns = new RunTurns({ slots: 1, now: () => now });
    const pass = async (ms: number) => {
      now += ms;
      await vi.advanceTimersByTimeAsync(ms);
    };
    const [still, second, third] = [1, 2, 3].map((i) => turns.of(`192.0.2.${i}`).ask(MS));
    expect([still.before, second.before?.runs, third.before?.runs]).toEqual([undefined, 1, 2]);
    await pass(4_000);
    expect(second.before).toBeDefined();
    await pass(2_000);
    expect(second.before).toBeUndefined();
    expect(third.before).toBeDefined();
    second.end();
    expect(third.before).toBeUndefined();
    still.end();
    third.end();
    third.end();
    expect(turns.counts).toEqual({ running: 0, waiting: 0 });
    // A run that leaves the queue is not waited for.
    const [one, two, three] = [1, 2, 3].map((i) => turns.of(`192.0.2.${i}`).ask(MS));
    two.end();
    expect(three.before?.runs).toBe(1);
    one.end();
    expect(three.before).toBeUndefined();
    three.end();
  });

  it('say how long the wait is, once a run was measured', async () => {
    const machine = new Machine(1);
    await machine.run([{ name: 'first', at: 0, ms: 200 }]);
    const [running, waiting, last] = [1, 1, 1].map(() => machine.turns.of('192.0.2.1').ask(100 * MS));
    const about = (runs: number, ms: number) => ({ runs, ms: expect.closeTo(ms, -1) as number });
    expect(waiting.before).toEqual(about(1, 100));
    expect(last.before).toEqual(about(2, 200));
    running.moved(0.5);
    expect(waiting.before).toEqual(about(1, 50));
    for (const turn of [running, waiting, last]) turn.end();
  });

  it('price a proved run higher than one that proves nothing', () => {
    const cost = { p1ToP2: 1e6, p2ToP1: 2e6, rounds: 10 };
    expect(workOf(cost, true)).toBeGreaterThan(4 * workOf(cost, false));
  });
});

describe('the word of a turn', () => {
  function pair() {
    const [peer, other] = memoryPair(1, 2);
    const [owner, far] = memoryPair(1, 0);
    return { peer, other, owner, far };
  }

  it('comes from party 1 alone, and every second until then that the run waits', async () => {
    const { peer, other, owner } = pair();
    const heard: Before[] = [];
    let start = (): void => undefined;
    let before: Before | undefined = { runs: 2, ms: 30 };
    const granted = new Promise<void>((resolve) => {
      start = resolve;
    });
    const turn: Turn = {
      granted,
      moved: () => undefined,
      end: () => undefined,
      get before() {
        return before;
      },
    };
    let begun = false;
    const follows = followTurn(other).then(() => {
      begun = true;
    });
    const waits = awaitTurn({ owner, peer }, turn, (now) => heard.push(now));
    await until(() => heard.length === 2);
    expect([begun, heard]).toEqual([false, [before, before]]);
    before = undefined;
    start();
    await Promise.all([waits, follows]);
  });

  it('is not waited for when a link ends, nor taken for another word', async () => {
    const waiting: Turn = {
      ...{ granted: new Promise<void>(() => undefined), before: { runs: 1 } },
      ...{ moved: () => undefined, end: () => undefined },
    };
    const gone = pair();
    const waits = awaitTurn(gone, waiting, () => undefined);
    await gone.far.close();
    await expect(waits).rejects.toThrow();
    const { peer, other } = pair();
    await peer.send('control/turn', Uint8Array.of(7));
    await failure('ERR_FRAME_FORMAT', followTurn(other));
  });
});

describe('owners at once of two parties', () => {
  const started: Parties[] = [];
  afterEach(async () => {
    for (const parties of started.splice(0)) await parties.stop();
  });
  afterAll(releaseWebRtc);

  async function start(): Promise<Parties> {
    const parties = await Parties.start(() => ({ maxRunning: 1 }));
    started.push(parties);
    return parties;
  }

  it('compute in the order of party 1, whatever the order in which their texts reach party 2', async () => {
    const parties = await start();
    const heard: Before[][] = [[], [], [], []];
    const owners = await Promise.all(
      heard.map((list, i) =>
        parties.prepare({
          late: [150 * i, 150 * (3 - i)],
          onStatus: ({ before }) => {
            if (before !== undefined) list.push(before);
          },
        }),
      ),
    );
    const ended: number[] = [];
    await Promise.all(owners.map((owner, i) => owner.run(INPUT).then(() => ended.push(i))));
    expect(ended).toEqual([0, 1, 2, 3]);
    // Each of those that waited was told of it, and the first did not wait.
    expect(heard.map((list) => list[0]?.runs ?? 0)).toEqual([0, 1, 2, 3]);
    await parties.serves();
  });

  it('may leave while they wait: who is behind them is served', async () => {
    const parties = await start();
    const waiting = new AbortController();
    const [first, second, third] = await Promise.all([
      // Party 2 has no text of it for a while, and so it computes for as long.
      parties.prepare({ late: [0, 3_000] }),
      parties.prepare({
        late: [100, 100],
        signal: waiting.signal,
        onStatus: ({ before }) => before && waiting.abort(),
      }),
      parties.prepare({ late: [300, 300] }),
    ]);
    const left = failure('ERR_ABORTED', second.run(INPUT));
    await Promise.all([first.run(INPUT), third.run(INPUT), left]);
    await vi.waitFor(async () => expect((await parties.one.health())['status']).toBe('free'), 10_000);
  });
});
