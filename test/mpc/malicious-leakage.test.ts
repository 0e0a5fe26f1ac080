/**
 * What an abort tells (PROTOCOL §16.6): a party that poisons one entry of a table learns from it nothing about which
 * entry was chosen. At two bits of soundness aborts can be counted. Seeds are fixed: a count is the same in every run.
 */
import { expect, it } from 'vitest';
import { wordsFrom } from '../../src/compute/ring.ts';
import { asTercetError } from '../../src/core/errors.ts';
import type { ProofParameters } from '../../src/mpc/proof/soundness.ts';
import type { Gates, Inputs } from '../../src/mpc/protocol/types.ts';
import type { Channel, PartyId } from '../../src/net/wire/types.ts';
import { completeCircuit, runProved, wasm } from '../support/proved.ts';
import { simulate } from '../support/simulate.ts';

const TWO: ProofParameters = { sigma: 2, primeBits: 61, primes: 1, maskBits: 224, claimBits: 160 };
const INPUTS: Inputs = { tensors: { x: wordsFrom([2], 2) }, indices: {} };
const SESSIONS = 24;
const ENTRIES = 4;

function oneTable(g: Gates): void {
  g.output('y', g.table(g.input('x', [1], 2, 0), { bits: 2, entries: [3n, 5n, 8n, 13n] }, 8));
}

function poisoned(bytes: Uint8Array, entry: number): Uint8Array {
  const out = bytes.slice();
  out[entry]++;
  return out;
}

/** Whether the entry is the one that P2 takes: without proofs, the answer is wrong then, and only then. */
async function chosen(seed: number, entry: number): Promise<boolean> {
  const { outputs } = await simulate(oneTable, INPUTS, {
    ...{ sharing: 'complete', seed, kernels: () => wasm },
    // P0 compares two outputs: of the wrong one it stops, which tells P1 just this.
    tap: (from, _to, tag, bytes) => (from === 1 && tag.startsWith('select-12/') ? poisoned(bytes, entry) : undefined),
  }).catch(() => ({ outputs: new Map<string, { data: ArrayLike<unknown> }>() }));
  return Number(outputs.get('y')?.data[0] ?? Number.NaN) !== 8;
}

interface Abort {
  readonly chosen: boolean;
  readonly aborted: boolean;
  readonly lines: string;
  /** What was sent, by whom, in order of each link. */
  readonly sent: string;
}

async function session(seed: number, entry: number): Promise<Abort> {
  const sent: string[] = [];
  const corrupt = (id: PartyId, channel: Channel): Channel =>
    id !== 1
      ? channel
      : {
          ...{ self: channel.self, peer: channel.peer, stats: channel.stats, ended: channel.ended },
          recv: (tag, length) => channel.recv(tag, length),
          close: () => channel.close(),
          abort: (error) => channel.abort(error),
          send: (tag, bytes) => {
            // In place: P1 proves what it sent.
            if (tag.startsWith('select-12/')) bytes.set(poisoned(bytes, entry));
            return channel.send(tag, bytes);
          },
        };
  const ended = await runProved(completeCircuit(oneTable), INPUTS, {
    ...{ seed, proofParameters: TWO, corrupt, timeoutMs: 120_000 },
    tap: (from, to, tag, bytes) => {
      if (from === 2 && tag.startsWith('proof-')) sent.push(`${to} ${tag} ${bytes.length}`);
      return undefined;
    },
  });
  const errors = [0, 2].map((id) => ended[id].error);
  // Table entries are P1's statement: a session that its proof does not end may end by another one.
  const byItsProof = errors.some((error) => error !== undefined && asTercetError(error).party === 1);
  return {
    chosen: await chosen(seed, entry),
    aborted: byItsProof,
    lines: errors.map((error) => (error === undefined ? 'answered' : asTercetError(error).line())).join('\n'),
    sent: sent.join('\n'),
  };
}

it('aborts as often where the poisoned entry was chosen as where it was not', { timeout: 240_000 }, async () => {
  const runs: Abort[] = [];
  for (let seed = 1; seed <= SESSIONS; seed++)
    for (let entry = 0; entry < ENTRIES; entry++) runs.push(await session(seed, entry));
  const [hit, miss] = [true, false].map((which) => runs.filter((run) => run.chosen === which));
  // The control: without the proof, P0's comparison fails in one of four sessions, and always in the same one.
  expect(hit).toHaveLength(SESSIONS);
  expect(miss).toHaveLength(SESSIONS * (ENTRIES - 1));
  const rate = (some: readonly Abort[]) => some.filter(({ aborted }) => aborted).length / some.length;
  const expected = (1 - 2 ** -TWO.sigma) ** 2;
  for (const some of [hit, miss])
    expect(Math.abs(rate(some) - expected)).toBeLessThan(4 * Math.sqrt((expected * (1 - expected)) / some.length));
  // One error, and one time: what was said before it says nothing either.
  const kinds = (some: readonly Abort[], of: (run: Abort) => string) =>
    [...new Set(some.filter(({ aborted }) => aborted).map(of))].sort();
  expect(kinds(hit, ({ lines }) => lines)).toEqual(kinds(miss, ({ lines }) => lines));
  expect(kinds(hit, ({ lines }) => lines)).toHaveLength(1);
  expect(kinds(hit, ({ sent }) => sent)).toEqual(kinds(miss, ({ sent }) => sent));
});
