/**
 * What a run will cost whose messages are proved, from the request's shape alone: an upper bound. It is as cheap as
 * that of a run that proves nothing (`price.ts`), which it is made of. Nothing is built for it. `proofPrice` says
 * exactly what the proofs of a circuit cost.
 *
 * Declared: traffic and memory never below those of the circuit and its proofs
 * (test/session/proved-price.test.ts).
 */
import type { ModelConfig } from '../ml/config.ts';
import { listParameters } from '../ml/models/parameters.ts';
import type { ModelPlan } from '../ml/models/plan.ts';
import type { RunShape } from '../ml/models/run.ts';
import { PARAMETERS } from '../mpc/proof/soundness.ts';
import { PART_OF_SEVERAL } from '../mpc/protocol/malicious/proving/plan.ts';
import { type ServedModel, planFor } from './model.ts';
import { type Price, priceOf } from './price.ts';
import type { CodedRequest, SecurityLevel, WeightMode } from './request.ts';

/** Bytes that a prover keeps for a segment before it is cut, if it has one. The same at all parties. */
export const SEGMENT_BYTES = 2 ** 30;

/** Bytes of complete sharing for each byte of the other protocol: 1.46 where it is most (measured). */
const TRAFFIC = 1.6;
/** Rounds of each party's proof, and of a gate that waits for another half-round. */
const ROUNDS = 1.25;
/** What a segment's proof sends, and what it takes to and fro: a claim matrix and less than 20 rounds of each prime. */
const SEGMENT_TRAFFIC = { 128: 100_000, 256: 180_000 } as const;
const SEGMENT_ROUNDS = 32;
/** Bytes that provers keep for each byte of traffic. */
const KEPT_OF_TRAFFIC = 12;
/** And for each row of a weight: scalars of its relations, and at most 64 sums, twice where weights are secret. */
const KEPT_OF_ROW = 64;
const KEPT_OF_SUM = 32;
/** Of each number for `aby3`, against `3pc_malicious`. */
const SYMMETRIC = 1.6;
/** Folded public tables: cosines of 20 bits in six functions are 27 MB. */
const TABLES = 2 ** 26;

/**
 * The price of a run of `3pc_malicious`.
 * @param plan that of the protocol
 * @param level of two primes, scalars and folded tables are there for each
 */
export function provedPriceOf(
  config: ModelConfig,
  plan: ModelPlan,
  weights: WeightMode,
  shape: RunShape,
  level: SecurityLevel = 128,
): Price {
  const { steps } = shape;
  const base = priceOf(config, plan, weights, shape);
  const prompt = steps === 0 ? base.traffic : priceOf(config, plan, weights, { ...shape, steps: 0 }).traffic;
  // Steps grow evenly from none on, so the last one is below twice their mean.
  const step = steps === 0 ? 0 : (2 * (base.traffic - prompt)) / steps;
  const weighed = listParameters(config).map(({ rows, cols }) => {
    // A row may stand on the diagonal of a square.
    const inner = rows === 1 ? Math.min(cols, config.hiddenSize) : rows;
    return inner * (KEPT_OF_ROW + KEPT_OF_SUM * Math.min(cols, 64));
  });
  const parameters = weighed.reduce((sum, bytes) => sum + bytes, 0);
  const all = KEPT_OF_TRAFFIC * base.traffic + (steps + 1) * parameters;
  // What is kept is at least half of a segment, or one relation that is larger. Every step has segments of its own.
  const segments =
    (weights === 'secret' ? 3 : 2) * (steps + 1 + Math.ceil((2 * all) / (PART_OF_SEVERAL * SEGMENT_BYTES)));
  const atOnce = KEPT_OF_TRAFFIC * Math.max(prompt, step) + parameters;
  const kept = Math.min(atOnce, SEGMENT_BYTES + Math.max(...weighed));
  return {
    ...base,
    rounds: Math.ceil(ROUNDS * base.rounds) + SEGMENT_ROUNDS * segments,
    traffic: Math.ceil(TRAFFIC * base.traffic) + SEGMENT_TRAFFIC[level] * segments,
    memory: Math.ceil(TRAFFIC * base.memory) + PARAMETERS[level].primes * (kept + TABLES),
  };
}

/** The price of a request for a model, by its protocol. @throws {TercetError} as `planFor` */
export function priceOfRequest(model: ServedModel, request: CodedRequest | Omit<CodedRequest, 'dealt'>): Price {
  const { config } = model;
  const { protocol, weights, widening, securityLevel } = request;
  const plan = planFor(model, request);
  if (protocol === '3pc_semi_honest') return priceOf(config, plan, weights, request, widening);
  const price = provedPriceOf(config, plan, weights, request, securityLevel);
  return protocol === 'aby3' ? symmetric(price) : price;
}

/** Parts of products on three links, whole words of P0, and a proof more. */
function symmetric(price: Price): Price {
  const [rounds, traffic, memory] = [price.rounds, price.traffic, price.memory].map((one) =>
    Math.ceil(SYMMETRIC * one),
  );
  return { ...price, rounds, traffic, memory };
}
