/**
 * What an answer says of a run, by its protocol: the halves of a word that left open to it, times are of what they say,
 * and of rounds that the owner is in it tells how far they are.
 */
import { describe, expect, it } from 'vitest';
import type { Protocol } from '../../src/owner/types/index.ts';
import { provingWith } from '../../src/session/proved-session.ts';
import { symmetric } from '../../src/session/symmetric.ts';
import { proofWasm, wasm } from '../support/proved.ts';
import { QUICK } from '../support/tamper.ts';
import { memorySite } from './memory-site.ts';

const proving = provingWith({ kernels: proofWasm, symmetric, parameters: QUICK });
const site = await memorySite('filler', undefined, wasm, { proving });
const sum = (words: readonly string[]) =>
  BigInt.asUintN(
    64,
    words.reduce((total, word) => total + BigInt(`0x${word}`), 0n),
  );

describe.each(['3pc_semi_honest', '3pc_malicious', 'aby3'] as const)('a run of %s', (protocol: Protocol) => {
  it('shows halves that open to the word that was written, bytes, times and progress', {
    timeout: 120_000,
  }, async () => {
    const before = site.events.length;
    await using model = { ...{ it: await site.load({ protocol }) }, [Symbol.asyncDispose]: () => model.it.dispose() };
    const { captured, cost } = await model.it.predict('paris is the [MASK] of france');
    expect([sum(captured.sum.words), sum(captured.sum.otherWords)]).toEqual([1n, 0n]);
    // Halves of the same word are two random numbers, and no two words have the same.
    const shown = captured.tokens.flatMap(({ p1, p2 }) => [p1, p2]);
    expect(shown.length).toBeGreaterThan(10);
    expect(new Set(shown).size).toBe(shown.length);
    for (const half of shown) expect(half).toHaveLength(16);

    const { between } = cost.links;
    expect(between.rounds).toBe(between.totalRounds);
    // A round has a message: what both sent is told, and not what they had sent before the rounds.
    expect(between.bytes).toBeGreaterThan(20 * between.rounds);
    // P0's own proofs of aby3 come behind the rounds, and are no part of them.
    expect(cost.timing.computeMs).toBeGreaterThan(0.2 * (cost.timing.computeMs + cost.timing.outputMs));
    const layers = site.events.slice(before).flatMap((event) => (event.status === 'layer' ? [event] : []));
    const [first] = layers;
    expect(first.progress).toBeLessThan(0.5);
    expect(layers.at(-1)?.progress).toBe(1);
    expect(layers.map(({ progress }) => progress)).toEqual(
      layers.map(({ progress }) => progress).sort((a, b) => a - b),
    );
    const behind = (party: 1 | 2) =>
      site.events.slice(before).some((event) => event.status === 'heard' && event.party === party);
    expect([behind(1), behind(2)]).toEqual([true, true]);
    // More than begun and done.
    expect(layers.some(({ progress }) => progress > 0 && progress < 1)).toBe(true);
  });
});
