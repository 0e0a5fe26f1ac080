/**
 * The semi-honest protocol in the conformance suite, and a whole small BERT at its declared cost, with open and
 * with secret weights.
 */
import { describe, expect, it } from 'vitest';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { wordsFrom } from '../../src/compute/ring.ts';
import { SEMI_HONEST } from '../../src/mpc/protocol/registry.ts';
import { parameterView } from '../support/parameters.ts';
import { measured } from '../support/simulate.ts';
import type { Gates } from '../../src/mpc/protocol/types.ts';
import { type ProtocolRunner, protocolConformance } from './conformance.suite.ts';
import { smallBert } from './small-bert.suite.ts';

const module = await loadNodeModule();
const wasm = await createWasmKernels({ party: PartyOperations, module, threads: 0 });

const runner: ProtocolRunner = {
  info: SEMI_HONEST,
  rounding: () => SEMI_HONEST.truncation,
  widenings: ['dealer', 'ot'],
  behind: 0,
  run: (build, inputs, { weights, parameters, seed, fast, widening }) =>
    measured(build, inputs, {
      weights,
      widening,
      seed,
      kernels: () => (fast === true ? wasm : new ReferenceKernels()),
      parameters: (id, kernels) => parameterView(weights, id, kernels, parameters),
    }),
};

protocolConformance(runner);

describe('a value that enters several products', () => {
  it('is sent to P2 once: also through reshapes, and not at all when it is a selection', async () => {
    const x = wordsFrom([1, 2, 3], 64);
    const bytes = async (build: (g: Gates) => void) =>
      (
        await measured(
          build,
          { tensors: { x, bit: wordsFrom([1, 0, 1], 1) }, indices: {} },
          { seed: 2, kernels: () => wasm },
        )
      ).sent[1][2];
    const value = (g: Gates) => g.input('x', [3], 64, 0);
    const three = await bytes((g) => {
      const w = value(g);
      for (const name of ['a', 'b']) g.output(name, g.mul(w, w));
      g.output('c', g.mul(g.reshape(w, [3, 1]), g.reshape(w, [3, 1])));
    });
    expect(three).toBe(24);
    const chosen = await bytes((g) => {
      const c = g.choose([g.input('bit', [3], 1, 0)], [value(g)], Uint8Array.of(255, 0));
      g.output('a', g.mul(c, c));
    });
    // The table of the choice: three elements, two entries of two words each.
    expect(chosen).toBe(3 * 2 * 2 * 8);
  });
});

smallBert('one-sided', SEMI_HONEST.truncation);
