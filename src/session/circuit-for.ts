/** A circuit at once, for its cost and for tests: sessions share theirs and pause while they build (`circuits.ts`). */
import type { ModelConfig } from '../ml/config.ts';
import type { ModelPlan } from '../ml/models/plan.ts';
import { buildModel } from '../ml/models/secure-at-once.ts';
import type { Circuit } from '../mpc/protocol/frame/circuit.ts';
import { builderFor } from './circuits.ts';
import type { Request } from './request.ts';

/**
 * The circuit of one step of a request, at once: for tools. Sessions share theirs and build without holding up the
 * thread (`circuits.ts`).
 */
export function circuitFor(config: ModelConfig, plan: ModelPlan, request: Request, step = 0): Circuit {
  const builder = builderFor(request);
  buildModel(builder, { ...request, config, plan }, step);
  return builder.finish();
}
