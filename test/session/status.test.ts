/**
 * Reports of how far a compute party is: a party that waits repeats its last one, so that the owner can tell it
 * from one that is gone.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryPair } from '../../src/net/simulated/memory-link.ts';
import { type Status, StatusSender, followStatus } from '../../src/session/status.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] }));
afterEach(() => void vi.useRealTimers());

/** Time passes, and what was sent arrives. */
async function pass(seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    await vi.advanceTimersByTimeAsync(1_000);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}

function watched() {
  const [owner, party] = memoryPair(0, 1);
  const [, peer] = memoryPair(1, 2);
  const sender = new StatusSender(
    party,
    peer,
    () => Date.now(),
    () => undefined,
  );
  const heard: Status[] = [];
  const followed = followStatus(
    owner,
    (status) => heard.push(status),
    () => undefined,
  );
  return { sender, heard, followed };
}

describe('reports to the data owner', () => {
  it('come once a second from a party that waits, the same again', async () => {
    const { sender, heard, followed } = watched();
    sender.begin(10);
    sender.progress({ done: 3, total: 10, gate: 7, section: '', phase: 'online' });
    await pass(3);
    expect(heard).toHaveLength(4);
    expect(new Set(heard.map(({ done, gate, last }) => `${done} ${gate} ${last}`))).toEqual(new Set(['3 7 false']));
    await sender.finish(10);
    await followed;
    expect(heard.at(-1)).toMatchObject({ done: 10, last: true });
  });

  it('come before the first half-round too, and never after the end', async () => {
    const { sender, heard } = watched();
    sender.begin(10);
    await pass(2);
    expect(heard.map(({ done }) => done)).toEqual([0, 0]);
    sender.stop();
    await pass(5);
    expect(heard).toHaveLength(2);
    expect(vi.getTimerCount()).toBe(0);
  });
});
