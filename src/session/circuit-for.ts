/** A circuit at once, for its cost and for tests: sessions share theirs and pause while they build (`circuits.ts`). */
import type { ModelConfig } from '../ml/config.ts';
import type { ModelPlan } from '../ml/models/plan.ts';
import { buildModel } from '../ml/models/secure-at-once.ts';
import { type Circuit, CircuitBuilder, WIDENING } from '../mpc/protocol/semi-honest/circuit.ts';
import type { Widening } from '../mpc/protocol/types.ts';
import type { Request } from './request.ts';

/**
 * The circuit of one step of a request, at once: for tools. Sessions share theirs and build without holding up the
 * thread (`circuits.ts`).
 */
export function circuitFor(
  config: ModelConfig,
  plan: ModelPlan,
  request: Request,
  step = 0,
  widening: Widening = WIDENING,
): Circuit {
  const builder = new CircuitBuilder(request.weights, { widening });
  buildModel(builder, { ...request, config, plan }, step);
  return builder.finish();
}
