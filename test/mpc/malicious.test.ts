/** Complete sharing, the messages of `3pc_malicious`, in the conformance suite. */
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { CompleteBuilder } from '../../src/mpc/protocol/malicious/circuit.ts';
import { COMPLETE_ROUNDING } from '../../src/mpc/protocol/malicious/rounding.ts';
import { parameterView } from '../support/parameters.ts';
import { measured } from '../support/simulate.ts';
import { protocolConformance } from './conformance.suite.ts';
import { smallBert } from './small-bert.suite.ts';

const wasm = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });

protocolConformance({
  info: { id: '3pc_malicious', truncation: COMPLETE_ROUNDING },
  rounding: (weights) => new CompleteBuilder(weights).rounding,
  widenings: ['dealer'],
  behind: 1,
  run: (build, inputs, { weights, parameters, seed, fast }) =>
    measured(build, inputs, {
      sharing: 'complete',
      weights,
      seed,
      kernels: () => (fast === true ? wasm : new ReferenceKernels()),
      parameters: (id, kernels) => parameterView(weights, id, kernels, parameters),
    }),
});

smallBert('complete', COMPLETE_ROUNDING);
