/**
 * The pairwise keys from where they are made to where they end: one for each party, and none of them left after a
 * session, however it ends.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { toHex } from '../../src/core/bytes.ts';
import { memoryPair } from '../../src/net/simulated/memory-link.ts';
import { PairPrg } from '../../src/mpc/prg/prg.ts';
import { Engine } from '../../src/mpc/protocol/frame/engine.ts';
import { recvPairKey, sendPairKey } from '../../src/session/direct-key.ts';
import { OwnerSession } from '../../src/session/owner.ts';
import { failure } from '../failure.ts';
import { INPUT, MODEL, REQUEST, type Started, kernels, prepared } from './harness.ts';
import { seeded } from '../support/simulate.ts';

afterEach(() => vi.restoreAllMocks());

describe('keys that the owner sends', () => {
  it('are one for each party, fresh every time, and what each party receives is what the owner keeps for it', async () => {
    const seen: string[] = [];
    for (let run = 0; run < 3; run++) {
      const [[to1, at1], [to2, at2]] = [memoryPair(0, 1), memoryPair(0, 2)];
      const [keys, one, two] = await Promise.all([
        Promise.all([sendPairKey(to1), sendPairKey(to2)]),
        recvPairKey(at1),
        recvPairKey(at2),
      ]);
      expect([one, two]).toEqual([...keys]);
      seen.push(...keys.map(toHex));
    }
    expect(new Set(seen).size).toBe(6);
    expect(seen.every((key) => key.length === 64 && key !== '00'.repeat(32))).toBe(true);
  });

  it('must differ, whoever made them: the owner’s session does not begin with one key for both parties', async () => {
    const open = (keys: readonly [Uint8Array, Uint8Array]) =>
      OwnerSession.open({
        config: MODEL.config,
        request: REQUEST,
        channels: new Map([
          [1, memoryPair(0, 1, { timeoutMs: 50 })[0]],
          [2, memoryPair(0, 2, { timeoutMs: 50 })[0]],
        ]),
        session: seeded(16, 1, 1),
        pairKeys: keys,
        kernels,
        parameters: { weights: 'open', matrix: () => Promise.reject(), words: () => Promise.reject() },
        now: () => 0,
        peakMemory: () => 0,
      });
    const [same, different] = [
      [seeded(32, 7, 1), seeded(32, 7, 1)] as const,
      [seeded(32, 7, 1), seeded(32, 7, 2)] as const,
    ];
    await failure('ERR_INTERNAL', () => open(same));
    // Control: with two keys it goes on to ask the parties, which say nothing here.
    await failure('ERR_PEER_TIMEOUT', () => open(different));
    // Either way it has wiped what it was given.
    expect([...same, ...different].flatMap((key) => [...key]).some((byte) => byte !== 0)).toBe(false);
  });
});

describe('after a session', () => {
  /** Every generator and engine that all three parties make, and the compute parties' keys. */
  async function watched(): Promise<{ started: Started & { session: OwnerSession }; left: () => string[] }> {
    const generators: PairPrg[] = [];
    const engines = new Set<Engine>();
    const { of } = PairPrg;
    vi.spyOn(PairPrg, 'of').mockImplementation((master, execution) => {
      const made = of.call(PairPrg, master, execution);
      generators.push(made);
      return made;
    });
    const { next } = PairPrg.prototype;
    vi.spyOn(PairPrg.prototype, 'next').mockImplementation(function (this: PairPrg) {
      const made = next.call(this);
      generators.push(made);
      return made;
    });
    const { deal } = Engine.prototype;
    vi.spyOn(Engine.prototype, 'deal').mockImplementation(function (this: Engine) {
      engines.add(this);
      return deal.call(this);
    });
    const cleared = vi.spyOn(Engine.prototype, 'clear');
    const keys = [seeded(32, 7, 1), seeded(32, 7, 2)];
    const started = await prepared({ compute: (id) => ({ pairKey: keys[id - 1] }) });
    expect(generators.length).toBe(4);
    expect(engines.size).toBe(3);
    const live = (generator: PairPrg) => {
      try {
        generator.claim({ gate: 1 << 20, purpose: 'weight', table: 9, direction: 0 }, {}, 'pads');
        return true;
      } catch (error) {
        return (error as { code?: string }).code !== 'ERR_STATE';
      }
    };
    // Control: before the end all of them are there.
    expect(generators.map(live)).toEqual(generators.map(() => true));
    const left = () => [
      ...generators.flatMap((generator, i) => (live(generator) ? [`generator ${i}`] : [])),
      ...keys.flatMap((key, i) => (key.some((byte) => byte !== 0) ? [`key of party ${i + 1}`] : [])),
      ...[...engines].flatMap((engine) =>
        cleared.mock.contexts.includes(engine) ? [] : [`values of party ${engine.id}`],
      ),
    ];
    return { started, left };
  }

  it.each<[string, (started: Started & { session: OwnerSession }) => Promise<unknown>]>([
    ['an answer', ({ session }) => session.run(INPUT)],
    ['a preparation that no text came for', ({ session }) => session.discard()],
    [
      'a party that is gone',
      ({ session, kill }) => {
        kill(2);
        return session.run(INPUT).catch(() => undefined);
      },
    ],
    [
      'an owner that is gone',
      async ({ session, channels }) => {
        for (const channel of channels) channel.abort(new Error('gone'));
        await session.run(INPUT).catch(() => undefined);
      },
    ],
  ])('that ends with %s, no party has a key, a generator or a value left', async (_name, end) => {
    const { started, left } = await watched();
    expect(left().length).toBeGreaterThan(4);
    await end(started);
    await Promise.all(started.ends);
    expect(left()).toEqual([]);
  });
});
