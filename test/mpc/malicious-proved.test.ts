import { describe, expect, it } from 'vitest';
import { wordAt } from '../../src/compute/ring.ts';
import { INPUTS_OF_ALL, PARAMETERS_OF_ALL, everyGate } from '../support/all-gates.ts';
import { parameterView } from '../support/parameters.ts';
import { completeCircuit, runProved } from '../support/proved.ts';

describe.each(['open', 'secret'] as const)('%s', (weights) => {
  it.each([2 ** 30, 2000])('every gate, segments of %i bytes', { timeout: 300_000 }, async (segmentBytes) => {
    const t = performance.now();
    const circuit = completeCircuit((g) => everyGate(g), weights);
    const ended = await runProved(circuit, INPUTS_OF_ALL, {
      weights, segmentBytes, timeoutMs: 100000,
      parameters: (id, kernels) => parameterView(weights, id, kernels, PARAMETERS_OF_ALL),
    });
    for (const p of ended) if (p.error) throw p.error;
    console.log(weights, segmentBytes, performance.now() - t, [...(ended[0].outputs ?? [])].map(([n, w]) => `${n} ${w.data.join()}`).join('; '));
  });
});
