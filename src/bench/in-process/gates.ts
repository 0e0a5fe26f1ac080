/**
 * Sessions of a protocol that proves, without its proofs. What an answer is follows from the gates: complete sharing,
 * the shift, the rounding. Proofs look at messages and change none, so many texts can do without
 * (test/bench/gates-only.test.ts).
 *
 * Insecure: all three parties are in this process, and nobody notices one that cheats.
 */
import { loadNodeProofModule } from '../../compute/kernels/wasm/node-worker.ts';
import { WasmProofKernels } from '../../compute/kernels/wasm/proof.ts';
import { TercetError, invariant } from '../../core/errors.ts';
import type { ProtocolId } from '../../mpc/protocol/types.ts';
import { wasmKernels } from '../../node/kernels.ts';
import { type ModelLocation, openModel } from '../../node/model.ts';
import { plansOf } from '../../node/model-plan.ts';
import { Circuits } from '../../session/circuits.ts';
import { provingWith } from '../../session/proved-session.ts';
import type { WeightMode } from '../../session/request.ts';
import { symmetric } from '../../session/symmetric.ts';
import { type Compared, compareRun } from '../compared.ts';
import { runTask } from './owner.ts';
import { HASH, seedsOf, servedBoth } from './served.ts';
import { sessionInProcess } from './session.ts';
import { withoutProofs } from './unproved.ts';

/** @throws {TercetError} ERR_PROTOCOL_UNAVAILABLE for a model without a plan for such protocols */
export async function gatesOnly(
  location: ModelLocation,
  weights: WeightMode,
  protocol: ProtocolId,
  signal: AbortSignal,
): Promise<Compared> {
  // One thread: what a text takes is then what it takes of a processor, and nothing waits for workers.
  const kernels = await wasmKernels(0);
  const model = await openModel(location, { weights: true, signal });
  const source = await model.weights();
  const { provedPlan } = await plansOf(model, source);
  if (provedPlan === undefined)
    throw new TercetError(
      'ERR_PROTOCOL_UNAVAILABLE',
      `${model.name} has no plan for ${protocol}`,
      'take another model',
    );
  const served = await servedBoth(source, weights, provedPlan, kernels);
  const proofs = new WasmProofKernels(await loadNodeProofModule());
  const proving = withoutProofs(provingWith({ kernels: proofs, symmetric }));
  const circuits = new Circuits();
  const terms = { protocol, weights, model: HASH };
  return {
    model,
    async run(plan) {
      const { value, errors } = await sessionInProcess({ served, kernels, circuits, proving, signal }, (end) =>
        runTask(plan, terms, seedsOf(weights), end),
      );
      for (const error of errors) if (error !== undefined) throw error;
      invariant(value !== undefined, 'an owner that did not fail has an answer');
      return compareRun(plan, value, source, kernels);
    },
    stop: () => kernels.close(),
  };
}
