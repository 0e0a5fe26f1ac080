/** A data owner of one model, its two compute parties as processes, and the same model in the clear beside them. */
import { Cleanup } from '../core/abort.ts';
import type { WasmKernels } from '../compute/kernels/wasm/kernels.ts';
import { serveLocally } from '../daemon/serve-locally.ts';
import type { WeightSource } from '../ml/models/weights.ts';
import { SEMI_HONEST } from '../mpc/protocol/registry.ts';
import type { ProtocolId } from '../mpc/protocol/types.ts';
import { loadCredentials } from '../net/tls/certificates.ts';
import { type Comparison, compareWithPlaintext, marginOf } from '../node/compare.ts';
import { defaultThreads } from '../node/defaults.ts';
import { nodeProving, wasmKernels } from '../node/kernels.ts';
import { type ModelLocation, type OpenedModel, openModel } from '../node/model.ts';
import { tlsRunContext } from '../node/tls-owner.ts';
import type { TaskPlan } from '../owner/predict-plan.ts';
import { type RunResult, Runner } from '../owner/runner.ts';
import type { TaskAnswer } from '../owner/task-plans.ts';
import type { WeightMode } from '../session/request.ts';
import type { SuiteContext } from './rows.ts';

export interface Compared {
  readonly model: OpenedModel;
  /** One session with the same two parties. */
  run(plan: TaskPlan<TaskAnswer[]>): Promise<ComparedRun>;
  stop(): Promise<void>;
}

interface ComparedRun {
  readonly answer: TaskAnswer;
  readonly comparison: Comparison;
  /** `marginOf` its choices. */
  readonly margin: number;
}

/** The answer of a run, and the plaintext model's outputs beside its own. */
export async function compareRun(
  plan: TaskPlan<TaskAnswer[]>,
  { value, outputs, steps, sent }: RunResult<TaskAnswer[]>,
  weights: WeightSource,
  kernels: WasmKernels,
): Promise<ComparedRun> {
  const opened = plan.decoder === undefined ? outputs : steps.map(({ logits }) => logits);
  const comparison = await compareWithPlaintext(weights, plan.inputs, opened, sent, kernels);
  return { answer: value[0], comparison, margin: marginOf(weights.config, opened, comparison.outputs) };
}

export async function compared(
  location: ModelLocation,
  weights: WeightMode,
  { certificates, protocol }: { readonly certificates: string; readonly protocol: ProtocolId },
  { entry, signal }: SuiteContext,
): Promise<Compared> {
  const cleanup = new Cleanup();
  try {
    const threads = defaultThreads();
    const local = cleanup.add(
      await serveLocally({
        entry,
        model: location,
        weights,
        protocol,
        device: 'auto',
        threads,
        certificates,
        stay: true,
        signal,
      }),
      (serving) => serving.stop(),
    );
    const model = await openModel(location, { weights: true, signal });
    const kernels: WasmKernels = await wasmKernels(threads);
    const context = tlsRunContext(
      { addresses: local.addresses, credentials: await loadCredentials(certificates, 0) },
      {
        config: model.config,
        terms: { protocol, weights, model: local.credential?.sharing },
        proving: protocol === SEMI_HONEST.id ? undefined : await nodeProving(),
        credential: local.credential,
        kernels,
      },
    );
    const runner = cleanup.add(new Runner(context), (run) => run.dispose());
    const plainWeights = await model.weights();
    return {
      model,
      run: async (plan) => compareRun(plan, await runner.run(plan, { signal }), plainWeights, kernels),
      stop: () => cleanup.run(),
    };
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}
