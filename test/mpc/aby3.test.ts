/** The messages of `aby3` in the conformance suite, a small model, and what P0 has to do in the rounds. */
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { Aby3Builder } from '../../src/mpc/protocol/aby3/circuit.ts';
import { COMPLETE_ROUNDING } from '../../src/mpc/protocol/malicious/rounding.ts';
import { parameterView } from '../support/parameters.ts';
import { measured } from '../support/simulate.ts';
import { protocolConformance } from './conformance.suite.ts';
import { smallBert } from './small-bert.suite.ts';

const wasm = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });

protocolConformance({
  info: { id: 'aby3', truncation: COMPLETE_ROUNDING },
  rounding: (weights) => new Aby3Builder(weights).rounding,
  widenings: ['dealer'],
  behind: 0,
  run: (build, inputs, { weights, parameters, seed, fast }) =>
    measured(build, inputs, {
      ...{ sharing: 'complete', aby3: true, weights, seed },
      kernels: () => (fast === true ? wasm : new ReferenceKernels()),
      parameters: (id, kernels) => parameterView(weights, id, kernels, parameters),
    }),
});

smallBert('complete', COMPLETE_ROUNDING, undefined, { aby3: true });
