/** Owners of two addresses at the same pair of parties, on links in memory: one of them asks for all that it can get. */
import { expect, it } from 'vitest';
import { Budgets, defaultLimits } from '../../src/daemon/budgets.ts';
import { Sessions } from '../../src/daemon/sessions.ts';
import { TercetError } from '../../src/core/errors.ts';
import { memoryPair } from '../../src/net/simulated/memory-link.ts';
import type { Channel, PartyId } from '../../src/net/wire/types.ts';
import { ownerParameters } from '../../src/session/owner-parameters.ts';
import { OwnerSession } from '../../src/session/owner.ts';
import { INPUT, MODEL, REQUEST, circuits, kernels } from '../session/harness.ts';

const [FLOOD, OTHER] = ['192.0.2.66', '192.0.2.7'];
const TIMES = { timeoutMs: 60_000 };

class Pair {
  readonly #stop = new AbortController();
  /** Links of party 1 and party 2, by session. */
  readonly #between = new Map<string, readonly [Channel, Channel]>();
  readonly #sessions: readonly [Sessions, Sessions];

  constructor() {
    this.#sessions = [this.#party(1), this.#party(2)];
  }

  #party(id: 1 | 2): Sessions {
    return new Sessions({
      ...{ id, models: [MODEL], kernels, signal: this.#stop.signal, maxSessions: 8, maxRunning: 1 },
      budgets: new Budgets(id, defaultLimits(64e9)),
      connectPeer: async (session) => {
        const name = session.join(' ');
        const links = this.#between.get(name) ?? memoryPair(1, 2, TIMES);
        this.#between.set(name, links);
        return links[id - 1];
      },
    });
  }

  /** An owner's run from the beginning. */
  async run(address: string): Promise<void> {
    const session = crypto.getRandomValues(new Uint8Array(16));
    const keys = [crypto.getRandomValues(new Uint8Array(32)), crypto.getRandomValues(new Uint8Array(32))] as const;
    const channels = new Map<PartyId, Channel>();
    for (const [i, sessions] of this.#sessions.entries()) {
      const party = i === 0 ? 1 : 2;
      const [owner, channel] = memoryPair(0, party, TIMES);
      channels.set(party, owner);
      const pairKey = async () => keys[i].slice();
      const link = { channel, session, address, known: false, pairKey, checkRequest: () => undefined };
      sessions.serve(link).catch(() => undefined);
    }
    const owner = await OwnerSession.open({
      ...{ config: MODEL.config, request: REQUEST, session, kernels, circuits, channels },
      parameters: ownerParameters(MODEL.config, undefined),
      pairKeys: [keys[0].slice(), keys[1].slice()],
      now: () => performance.now(),
      peakMemory: () => 0,
    });
    await owner.run(INPUT);
  }
}

it('one address that asks for more than it may have does not keep another from its answer', {
  // A run is four seconds of this thread, and a dozen of them are begun.
  timeout: 300_000,
}, async () => {
  const pair = new Pair();
  await pair.run(OTHER);
  let going = true;
  const [answered, refused] = [[] as number[], [] as string[]];
  // Twelve owners of one address, who come again as soon as they are answered or sent away.
  const flood = Array.from({ length: 12 }, async () => {
    while (going) {
      try {
        await pair.run(FLOOD);
        answered.push(performance.now());
      } catch (error) {
        refused.push(error instanceof TercetError ? error.code : String(error));
        // Owners run in this thread too: eleven thousand that were sent away took a minute and a half of it.
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }
  });
  while (answered.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  for (let i = 0; i < 2; i++) {
    const before = answered.length;
    await pair.run(OTHER);
    // It had a place at once, and its turn came behind the run that computed when it asked, and what had its answer
    // under way: the four places of the flood would be more.
    expect(answered.length - before).toBeLessThanOrEqual(4);
  }
  going = false;
  await Promise.all(flood);
  // Control: it was sent away again and again, or had to give way.
  expect(refused.length).toBeGreaterThan(3);
  for (const code of refused) expect(['ERR_PEER_BUSY', 'ERR_PEER_LET_GO', 'ERR_PEER_CLOSED']).toContain(code);
});
