/** An owner on a slow line that deals to one compute party before the other: who waits how long, and who is late. */
import { describe, expect, it } from 'vitest';
import type { TercetError } from '../../src/core/errors.ts';
import { CircuitBuilder } from '../../src/mpc/protocol/semi-honest/circuit.ts';
import type { Gates, Widening } from '../../src/mpc/protocol/types.ts';
import { circuitFor } from '../../src/session/circuit-for.ts';
import { dealtBefore } from '../../src/session/deal-wait.ts';
import { PATIENCE } from '../../src/session/place.ts';
import { MODEL, REQUEST, start } from './harness.ts';

const { gates } = circuitFor(MODEL.config, MODEL.plan, REQUEST);
const before = dealtBefore({ gates }, 1) ?? 0;

/** Bytes of the first message that is dealt to P1. */
const firstWord = gates.map(({ cost }) => cost.p0ToP1Ahead ?? 0).find((size) => size > 0) ?? 0;

/** A line on which that message takes two and a half seconds. */
const slow = { latencyMs: 0, bitsPerSecond: (8 * firstWord) / 2.5 };

/** What is dealt to P2 before P1 has anything may take twenty seconds; a first word has one second more. */
const patience = { ...PATIENCE, dealMs: 1000, bytesPerSecond: before / 20 };

describe('dealing gate by gate', () => {
  it('brings each compute party its first words behind those of the other', () => {
    const build = (widening: Widening, of: (g: Gates) => void) => {
      const builder = new CircuitBuilder('open', { widening });
      of(builder);
      return builder.finish();
    };
    const wide = (g: Gates) => {
      const [x, bit] = [g.input('x', [16], 20, 0), g.input('bit', [16], 1, 0)];
      g.choose([bit], [x], Uint8Array.of(0, 0));
      g.choose([bit], [x], Uint8Array.of(0, 0), { widen: 64 });
    };
    // Two choices of 40 bytes each, the second with a word to P1; a base goes first.
    expect([1, 2].map((id) => dealtBefore(build('dealer', wide), id as 1 | 2))).toEqual([80, 0]);
    expect([1, 2].map((id) => dealtBefore(build('ot', wide), id as 1 | 2))).toEqual([undefined, 0]);
    const plain = (g: Gates) => void g.widen(g.input('x', [16], 20, 0), 64);
    expect([1, 2].map((id) => dealtBefore(build('dealer', plain), id as 1 | 2))).toEqual([undefined, 0]);
    expect([1, 2].map((id) => dealtBefore(build('ot', plain), id as 1 | 2))).toEqual([0, undefined]);
  });

  it('an owner that is at work for P2 for longer than a first word may take is not late at P1', async () => {
    expect(before).toBeGreaterThan(1000);
    const run = start({
      compute: () => ({ patience }),
      profile: (from, to) => (from === 0 && to === 1 ? slow : undefined),
    });
    const session = await run.owner;
    await session.prepare();
    await session.discard();
    expect(await Promise.all(run.ends)).toEqual(['discarded', 'discarded']);
  }, 60_000);

  it('an owner whose first word is later than that loses its place, ERR_PEER_TIMEOUT', async () => {
    const run = start({
      compute: () => ({ patience: { ...patience, bytesPerSecond: 1e9 } }),
      profile: (from, to) => (from === 0 && to === 1 ? slow : undefined),
    });
    const session = await run.owner;
    session.prepare().catch(() => undefined);
    const end = (await run.ends[0]) as TercetError;
    expect(end.code).toBe('ERR_PEER_TIMEOUT');
    expect(end.message).toContain('deal');
    for (const party of [1, 2] as const) run.kill(party);
    await Promise.all(run.ends);
  }, 60_000);
});
