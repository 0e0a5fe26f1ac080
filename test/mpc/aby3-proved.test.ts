/** Runs of `aby3` whose messages are proved, by all three parties (PROTOCOL §17.4). */
import { describe, expect, it } from 'vitest';
import { wordsFrom } from '../../src/compute/ring.ts';
import { failure } from '../failure.ts';
import { INPUTS_OF_ALL, PARAMETERS_OF_ALL, everyGate } from '../support/all-gates.ts';
import { parameterView } from '../support/parameters.ts';
import { type ProvedSetting, runProved, symmetricCircuit, wasm } from '../support/proved.ts';
import { simulate } from '../support/simulate.ts';
import {
  type Cell,
  QUICK,
  SMALL_PARAMETERS,
  SYMMETRIC_INPUTS,
  controlOf,
  expectedOf,
  rowOf,
  symmetricCells,
  symmetricSmall,
  tampered,
} from '../support/tamper.ts';

describe.each(['open', 'secret'] as const)('every gate, %s weights', (weights) => {
  const parameters: ProvedSetting['parameters'] = (id, kernels) =>
    parameterView(weights, id, kernels, PARAMETERS_OF_ALL);

  it('opens what it opens without proofs, in one segment and in many', { timeout: 120_000 }, async () => {
    const circuit = symmetricCircuit((g) => everyGate(g), weights);
    const plain = await simulate((g) => everyGate(g), INPUTS_OF_ALL, {
      ...{ sharing: 'complete', aby3: true, weights, seed: 1, kernels: () => wasm, parameters },
    });
    for (const [segmentBytes, proofParameters] of [
      [2 ** 30, undefined],
      [2000, QUICK],
    ] as const) {
      const tags: string[] = [];
      const ended = await runProved(circuit, INPUTS_OF_ALL, {
        ...{ weights, segmentBytes, parameters, timeoutMs: 100_000 },
        ...(proofParameters === undefined ? {} : { proofParameters }),
        tap: (_from, _to, tag) => void tags.push(tag),
      });
      for (const { error } of ended) if (error !== undefined) throw error;
      expect(ended.map(({ wiped }) => wiped)).toEqual([true, true, true]);
      expect(ended[0].outputs).toEqual(plain.outputs);
      for (const proof of [0, 1, 2]) expect(tags.some((tag) => tag.startsWith(`proof-seed/${proof}`))).toBe(true);
      const segments = new Set(tags.filter((tag) => tag.startsWith('proof-verdict/')));
      expect(segments.size > 3).toBe(segmentBytes === 2000);
    }
  });
});

/** A drop mostly ends by a time-out, so two of them stand for the others. */
const DROPPED = ['product-20', 'select-02'];
const CELLS = [
  ...symmetricCells('open').filter(({ change, message }) => change !== 'drop' || DROPPED.includes(message)),
  ...symmetricCells('secret').filter(({ change }) => change === 'flip'),
];
const named = (cell: Cell) =>
  [`${cell.weights}: P${cell.cheater} to P${cell.to}, ${cell.message}: ${cell.change}`, cell] as const;

describe('a changed message', () => {
  it.each(['open', 'secret'] as const)('%s weights: what nobody changed is accepted and opens', async (weights) => {
    const { ended } = await tampered(undefined, weights, true, true);
    for (const { error } of ended) if (error !== undefined) throw error;
    expect(ended[0].outputs?.get('wide')).toEqual(wordsFrom([33 ** 2, 51 ** 2], 20));
    // (6, 4)² / 2 is (18, 8), within 1½: times W = (1, 2; 3, 4).
    const [a, b] = Array.from(ended[0].outputs?.get('behind')?.data ?? [], Number);
    expect(Math.abs(a - 42)).toBeLessThanOrEqual(1.5 * 4);
    expect(Math.abs(b - 68)).toBeLessThanOrEqual(1.5 * 6);
  });

  it('goes unnoticed where nothing is proved', async () => {
    // What opens at once P0 compares, with proofs and without.
    const cells = symmetricCells('open').filter(
      ({ change, message }) => change === 'flip' && !/output|lookup|select-21/.test(message),
    );
    for (const cell of cells) expect(await controlOf(cell), cell.message).toMatchObject({ outcome: 'accepted' });
    expect(cells.length).toBeGreaterThanOrEqual(8);
  });

  let same = 0;
  it.each(CELLS.map(named))('%s', async (_name, cell) => {
    const row = await rowOf(cell);
    const { phase, all } = expectedOf(cell);
    if (row.outcome === 'same') {
      same++;
      return;
    }
    expect(row).toMatchObject({ outcome: 'caught', clean: true });
    const caught = row.error.map((code) => code === 'ERR_SECURITY_VIOLATION');
    if (all) expect(caught, JSON.stringify(row)).toEqual([true, true]);
    if (phase !== undefined) expect(row.phase, JSON.stringify(row)).toContain(phase);
    expect(row.error.filter((code) => code !== undefined && code !== 'ERR_SECURITY_VIOLATION')).toEqual([]);
  });

  it('is another message in nine of ten cells', () => {
    expect(same).toBeLessThan(CELLS.length / 10);
  });
});

describe('the barrier', () => {
  // SECURITY: what W is owed it gets before a challenge of the proof is given out, P0 in the rounds as well.
  it.each([
    [2, 'product-20'],
    [0, 'select-02'],
    [0, 'product-01'],
  ] as const)('no challenge for P%i is given out while %s is held back', async (prover, held) => {
    const seeds = async (holds: boolean) => {
      const tags: string[] = [];
      const ended = await runProved(symmetricCircuit(symmetricSmall), SYMMETRIC_INPUTS, {
        ...{ proofParameters: QUICK, timeoutMs: holds ? 1000 : 20_000 },
        parameters: (id, kernels) => parameterView('open', id, kernels, SMALL_PARAMETERS),
        tap: (_from, _to, tag) => void tags.push(tag),
        corrupt: (id, channel) =>
          id !== prover || !holds
            ? channel
            : {
                ...{ self: channel.self, peer: channel.peer, stats: channel.stats, ended: channel.ended },
                send: async (tag, bytes) => (tag.startsWith(`${held}/`) ? undefined : channel.send(tag, bytes)),
                recv: (tag, length) => channel.recv(tag, length),
                close: () => channel.close(),
                abort: (error) => channel.abort(error),
              },
      });
      return { ended, found: tags.some((tag) => tag.startsWith(`proof-seed/${prover}.`)) };
    };
    expect((await seeds(false)).found).toBe(true);
    const { ended, found } = await seeds(true);
    expect(found).toBe(false);
    for (const id of [0, 1, 2])
      if (id !== prover) await failure('ERR_SECURITY_VIOLATION', Promise.reject(ended[id].error));
  });
});
