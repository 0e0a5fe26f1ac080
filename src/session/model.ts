/** What a compute party serves, and which of it a request names. */
import { TercetError } from '../core/errors.ts';
import type { ModelConfig } from '../ml/config.ts';
import type { ModelPlan } from '../ml/models/plan.ts';
import type { ParameterView } from '../mpc/protocol/frame/party.ts';
import type { Enrolment } from '../net/enrolment/enrolment.ts';
import { mismatch } from './agreement.ts';
import type { Request, WeightMode } from './request.ts';

/** The model that a compute party serves. */
export interface ServedModel {
  /** What operators call it. */
  readonly name: string;
  readonly config: ModelConfig;
  /** How `3pc_semi_honest` computes it. */
  readonly plan: ModelPlan;
  /**
   * How protocols do that are proved, whose gates round otherwise. Absent where this party does not prove, or no gadget
   * is wide enough.
   */
  readonly provedPlan?: ModelPlan | undefined;
  /** SHA-256 of the weights, compared between the compute parties. */
  readonly hash: string;
  readonly parameters: ParameterView;
  /**
   * Who may use it; undefined for a model that is open to everybody. Secret weights always have one outside of
   * tests.
   */
  readonly enrolment?: Enrolment;
}

/**
 * The plan of a model for a protocol: never that of another one.
 * @throws {TercetError} ERR_PROTOCOL_UNAVAILABLE for a model that has none
 */
export function planFor({ plan, provedPlan }: ServedModel, { protocol }: Pick<Request, 'protocol'>): ModelPlan {
  if (protocol === '3pc_semi_honest') return plan;
  if (provedPlan !== undefined) return provedPlan;
  throw new TercetError(
    'ERR_PROTOCOL_UNAVAILABLE',
    `this party has no plan of the model for ${protocol}`,
    'use 3pc_semi_honest, or have secret weights shared again with this version',
  );
}

/** The model with that hash, or the only one that is served when none is named. */
export function findModel(models: readonly ServedModel[], hash: string | undefined, weights: WeightMode): ServedModel {
  const named = hash === undefined ? models : models.filter((model) => model.hash === hash);
  if (named.length === 0)
    throw new TercetError(
      'ERR_MODEL_HASH',
      'this party does not serve the model that was asked for',
      'choose a model that it lists',
    );
  const fitting = named.filter((model) => model.parameters.weights === weights);
  if (fitting.length === 1) return fitting[0];
  if (fitting.length > 1) throw mismatch('this party serves several models and the request names none');
  const served = named[0].parameters.weights;
  throw new TercetError('ERR_PEER_MISMATCH', `this party serves ${served} weights`, `ask for weights "${served}"`);
}
