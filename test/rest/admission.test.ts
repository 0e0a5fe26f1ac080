/** Who may run, and when: limits by key and in all, with a clock of the test's own. */
import { describe, expect, it } from 'vitest';
import { Admission, type AdmissionLimits } from '../../src/rest/admission.ts';
import { Problem } from '../../src/rest/problem.ts';
import { failure } from '../failure.ts';

const LIMITS: AdmissionLimits = { runs: 1, queue: 2, perKey: 2, textsPerMinute: 6 };
const never = new AbortController().signal;

async function refused(work: Promise<unknown>): Promise<[string, number | undefined]> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Problem) return [error.code, error.retryAfter];
    throw error;
  }
  throw new Error('it was let in');
}

describe('admission', () => {
  it('gives so many texts a minute, as many at once after a quiet minute, and says when to come again', async () => {
    let now = 0;
    const admission = new Admission(LIMITS, () => now);
    (await admission.enter('a', 5, never)).end();
    expect(await refused(admission.enter('a', 2, never))).toEqual(['ERR_RATE', 10]);
    // Another key has its own.
    (await admission.enter('b', 6, never)).end();
    now += 10_000;
    (await admission.enter('a', 2, never)).end();
    now += 3_600_000;
    expect(await refused(admission.enter('a', 7, never))).toEqual(['ERR_RATE', 1]);
    (await admission.enter('a', 6, never)).end();
  });

  it('bounds what one key has under way, and the queue', async () => {
    const admission = new Admission({ ...LIMITS, textsPerMinute: 100 }, () => 0);
    const first = await admission.enter('a', 1, never);
    const second = admission.enter('a', 1, never);
    expect((await refused(admission.enter('a', 1, never)))[0]).toBe('ERR_KEY_BUSY');
    const third = admission.enter('b', 1, never);
    expect((await refused(admission.enter('c', 1, never)))[0]).toBe('ERR_QUEUE_FULL');
    expect([admission.running, admission.waiting]).toEqual([1, 2]);
    first.end();
    // Said twice, it is over once.
    first.end();
    (await second).end();
    (await third).end();
    expect([admission.running, admission.waiting]).toEqual([0, 0]);
  });

  it('takes the one next whose key has fewest runs', async () => {
    const admission = new Admission({ runs: 2, queue: 9, perKey: 9, textsPerMinute: 99 }, () => 0);
    const order: string[] = [];
    const turns = await Promise.all([admission.enter('greedy', 1, never), admission.enter('greedy', 1, never)]);
    const waits = ['greedy', 'greedy', 'modest'].map(async (key) => {
      const turn = await admission.enter(key, 1, never);
      order.push(key);
      turn.end();
    });
    turns[0].end();
    await Promise.all(waits);
    expect(order).toEqual(['modest', 'greedy', 'greedy']);
    turns[1].end();
  });

  it('forgets who leaves the queue, and takes nobody who has left already', async () => {
    const admission = new Admission({ ...LIMITS, textsPerMinute: 100 }, () => 0);
    const first = await admission.enter('a', 1, never);
    const control = new AbortController();
    const left = admission.enter('a', 1, control.signal);
    control.abort();
    await failure('ERR_ABORTED', left);
    await failure('ERR_ABORTED', admission.enter('a', 1, AbortSignal.abort()));
    first.end();
    // Its places are free: none leaked.
    const both = await admission.enter('a', 1, never);
    expect([admission.running, admission.waiting]).toEqual([1, 0]);
    both.end();
  });
});
