/** Runs of `aby3` whose messages are proved, by all three parties (PROTOCOL §17.4). */
import { describe, expect, it } from 'vitest';
import { INPUTS_OF_ALL, PARAMETERS_OF_ALL, everyGate } from '../support/all-gates.ts';
import { parameterView } from '../support/parameters.ts';
import { type ProvedSetting, runProved, symmetricCircuit, wasm } from '../support/proved.ts';
import { simulate } from '../support/simulate.ts';
import { QUICK } from '../support/tamper.ts';

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
