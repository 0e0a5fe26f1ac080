/**
 * What a run will cost a compute party, from the request's shape and the model's public configuration and plan
 * alone: arithmetic on a few numbers, microseconds, before anything is built, stored or sent. A party asks it of
 * every stranger's request (`daemon/budgets.ts`), an owner of its batches.
 *
 * It follows the forward passes gadget by gadget, so bytes are those of `Circuit.cost`, exactly for a text or a
 * prompt; generated tokens are counted at their mean position. Declared: bytes and rounds never below the
 * circuits', and at most `PRICE_SLACK` and `ROUND_SLACK` above; memory never below what the engine of either
 * compute party holds, and at most `MEMORY_SLACK` times that beside messages in flight and the circuit
 * (test/session/price.test.ts).
 */
import type { RunShape } from '../ml/models/run.ts';
import { wireLength } from '../compute/ring.ts';
import type { ModelConfig } from '../ml/config.ts';
import { isChecked } from '../ml/models/guards.ts';
import { classifierActivation, headActivation } from '../ml/models/head.ts';
import type { ModelPlan } from '../ml/models/plan.ts';
import { outputShape, rowScale } from '../ml/models/run.ts';
import type { GeluRange } from '../mpc/secure/activation.ts';
import { entryRing } from '../mpc/secure/normalise.ts';
import { WIDENING } from '../mpc/protocol/semi-honest/circuit.ts';
import { LOOKUP_WORDS } from '../mpc/protocol/frame/point-rows.ts';
import { Link } from '../mpc/protocol/frame/party.ts';
import type { Cost, Widening } from '../mpc/protocol/types.ts';
import { WIRE_BYTES } from './circuits.ts';
import {
  type Attention,
  TANH_BITS,
  Tally,
  activate,
  attend,
  contextBits,
  normalise,
  normaliseCentred,
  relu,
  tanh,
} from './gadget-costs.ts';
import type { WeightMode } from './request.ts';

/** Share by which the bytes of generated tokens may exceed the truth, on every link. */
export const PRICE_SLACK = 0.03;
/** The same of rounds: they are counted gadget after gadget, and circuits let some of them overlap. */
export const ROUND_SLACK = 0.25;
/** Factor by which the memory of a price may exceed what the larger compute party holds. */
export const MEMORY_SLACK = 2.25;

/** Of all steps of a run together. */
export interface Price extends Cost {
  /** Bytes on all links of a run. */
  readonly traffic: number;
  /** Bytes that a compute party holds at the worst moment, the model itself left out. */
  readonly memory: number;
}

// ── the forward passes, as in ml/models ──────────────────────────────────────

/**
 * Rows that P0 chooses or mixes of (sequences, tokens), which are masked if they are chosen.
 * @param of what: normalised rows, those that are lifted for affine maps as well, or sums
 */
function choose(
  t: Tally,
  config: ModelConfig,
  { sequences, tokens, rows }: RunShape,
  of: 'normed' | 'lifted' | 'sums',
): void {
  const C = config.hiddenSize;
  t.input(64, sequences * rows * tokens);
  t.lift(64, sequences * rows * tokens);
  if (of === 'normed') t.liftWidened(entryRing(C), 64, sequences * tokens * C);
  else if (of === 'sums' || !t.secret) t.liftAdditive(64, sequences * tokens * C);
  const scale = rowScale(config);
  t.product(64 - scale, sequences * rows * C);
  t.rounds(1);
  if (scale === 0) return;
  t.truncate(64, scale, sequences * rows * C);
  t.rounds(1);
}

/** The norm behind a block of an encoder: of rows less the mean of their residual. */
function blockEnd(t: Tally, rows: number, d: number, range: ModelPlan['head']): void {
  t.affine(rows);
  normaliseCentred(t, rows, d, range);
}

function feedForward(t: Tally, config: ModelConfig, rows: number, range: GeluRange): void {
  const { hiddenSize: C, intermediateSize: F, activation } = config;
  t.widenedOperand(entryRing(C), rows * C);
  t.affine(rows * F);
  activate(t, rows * F, activation, range);
  t.operand(rows * F);
  t.affine(rows * C);
}

/** @param from bits of its rows before they were widened */
function head(t: Tally, config: ModelConfig, plan: ModelPlan, rows: number, from: number): void {
  const { hiddenSize: C, vocabSize, numLabels } = config;
  t.widenedOperand(from, rows * C);
  switch (config.head) {
    case 'masked-lm':
      t.affine(rows * C);
      activate(t, rows * C, headActivation(config), plan.headActivation);
      normalise(t, rows, C, plan.head);
      t.widenedOperand(entryRing(C), rows * C);
      t.affine(rows * vocabSize);
      break;
    case 'sequence-classification':
      t.affine(rows * C);
      if (classifierActivation(config) === 'relu') {
        relu(t, rows * C);
        t.operand(rows * C);
      } else {
        tanh(t, rows * C);
        t.widenedOperand(TANH_BITS, rows * C);
      }
      t.affine(rows * numLabels);
      break;
    case 'causal-lm':
      t.affine(rows * vocabSize);
      break;
    case 'none':
      t.affine(rows * C);
      break;
    case 'question-answering':
    case 'token-classification':
      t.affine(rows * numLabels);
      break;
    default:
      config.head satisfies never;
  }
  if (t.secret) t.rounds(2);
}

function encoder(t: Tally, config: ModelConfig, plan: ModelPlan, shape: RunShape): void {
  const { sequences: B, tokens: T, rows, padded, pair } = shape;
  const { hiddenSize: C, heads, layers, vocabSize } = config;
  const N = B * T;
  t.lookup(N, vocabSize, C);
  t.rounds(1);
  if (pair) {
    t.input(64, N);
    t.operand(N * C, 'masked');
    t.affine(N * C);
  }
  normaliseCentred(t, N, C, plan.embedding);
  if (padded) {
    t.input(1, N);
    t.input(8, N);
  }
  for (let i = 0; i < layers; i++) {
    const last = i === layers - 1;
    // As wantedRows in ml/models/encoder-secure.ts takes them.
    const chosen = last && config.head === 'masked-lm';
    const first = last && config.head === 'sequence-classification';
    const r = chosen ? B * rows : first ? B : N;
    if (chosen) choose(t, config, shape, 'lifted');
    t.widenedOperand(entryRing(C), N * C);
    if (chosen) t.operand(r * C, 'masked');
    if (first) t.widenedOperand(entryRing(C), r * C);
    t.affine(r * C);
    t.affine(2 * N * C);
    const mask = padded ? 'real' : 'none';
    attend(t, {
      heads: B * heads,
      queries: r / B,
      keys: T,
      fresh: T,
      width: C / heads,
      treeBits: plan.treeBits[i],
      mask,
      widths: [T],
      chosen,
      checked: plan.checks !== null,
    });
    t.widenedOperand(contextBits([T]), r * C);
    t.affine(r * C);
    blockEnd(t, r, C, plan.norms[2 * i]);
    feedForward(t, config, r, plan.activation[i]);
    blockEnd(t, r, C, plan.norms[2 * i + 1]);
    if (t.secret) t.rounds(2);
  }
  outputs(t, config, plan, shape);
}

/** From the last states to what P0 receives. */
function outputs(t: Tally, config: ModelConfig, plan: ModelPlan, shape: RunShape): void {
  const mixed = config.head === 'none' && shape.rows > 0;
  if (mixed) choose(t, config, shape, 'normed');
  const out = outputShape({ config, ...shape });
  head(t, config, plan, out.rows, mixed ? 64 - rowScale(config) : entryRing(config.hiddenSize));
  t.output(out.rows * out.width);
}

/** The blocks of a layer of GPT-2 behind its first norm: r queries of the residual stream. */
function blocks(
  t: Tally,
  config: ModelConfig,
  plan: ModelPlan,
  i: number,
  r: number,
  attention: Omit<Attention, 'width' | 'treeBits' | 'checked'>,
): void {
  const { hiddenSize: C, heads } = config;
  t.affine(r * C);
  attend(t, { ...attention, width: C / heads, treeBits: plan.treeBits[i], checked: plan.checks !== null });
  t.widenedOperand(contextBits(attention.widths), r * C);
  t.affine(r * C);
  normaliseCentred(t, r, C, plan.norms[2 * i + 1]);
  feedForward(t, config, r, plan.activation[i]);
  if (t.secret) t.rounds(2);
}

function prompt(t: Tally, config: ModelConfig, plan: ModelPlan, shape: RunShape): void {
  const { sequences: B, tokens: T, rows, padded } = shape;
  const { hiddenSize: C, heads, layers, vocabSize, maxPositions } = config;
  const N = B * T;
  const language = config.head === 'causal-lm';
  t.lookup(N, vocabSize, C);
  t.lookup(N, maxPositions, C);
  t.rounds(1);
  if (language && padded) {
    t.input(1, N);
    t.input(8, N);
  }
  for (let i = 0; i < layers; i++) {
    normaliseCentred(t, N, C, plan.norms[2 * i]);
    t.widenedOperand(entryRing(C), N * C);
    t.affine(2 * N * C);
    const all = { heads: B * heads, keys: T, fresh: T, widths: [T], kept: shape.steps > 0 };
    if (!language || i < layers - 1) blocks(t, config, plan, i, N, { ...all, queries: T, mask: 'causal' });
    else {
      if (rows > 0) choose(t, config, shape, 'sums');
      normaliseCentred(t, B, C, plan.norms[2 * i], rows > 0 ? 'masked' : 'additive');
      t.widenedOperand(entryRing(C), B * C);
      blocks(t, config, plan, i, B, { ...all, queries: 1, mask: padded ? 'real' : 'none' });
    }
  }
  finish(t, config, plan, shape, language ? B : N);
}

function finish(t: Tally, config: ModelConfig, plan: ModelPlan, shape: RunShape, r: number): void {
  normaliseCentred(t, r, config.hiddenSize, plan.head);
  outputs(t, config, plan, shape);
}

/** One token that sees `keys` positions, itself included: the mean of several such tokens. */
function step(
  t: Tally,
  config: ModelConfig,
  plan: ModelPlan,
  shape: RunShape,
  keys: number,
  widths: readonly number[],
): void {
  const { hiddenSize: C, heads, layers, vocabSize, maxPositions } = config;
  t.lookup(1, vocabSize, C);
  t.lookup(1, maxPositions, C);
  t.rounds(1);
  if (shape.padded) {
    t.input(1, keys);
    t.input(8, keys);
  }
  for (let i = 0; i < layers; i++) {
    normaliseCentred(t, 1, C, plan.norms[2 * i]);
    t.widenedOperand(entryRing(C), C);
    t.affine(2 * C);
    blocks(t, config, plan, i, 1, {
      heads,
      queries: 1,
      keys,
      fresh: 1,
      kept: true,
      mask: shape.padded ? 'real' : 'none',
      widths,
    });
  }
  finish(t, config, plan, shape, 1);
}

/** Bytes of messages that wait in parts while a party computes. */
const IN_FLIGHT = (Link.PENDING + 1) * Link.PART;
/** Wires of a circuit for each of its gates. */
const WIRES = 4;

/**
 * Bytes of vectors that are alive beside what was dealt: the most of attention, feed-forward block, head and
 * look-up, in 64-bit words (measured).
 */
function working(config: ModelConfig, shape: RunShape): number {
  const { hiddenSize: C, heads, intermediateSize: F, vocabSize: V } = config;
  const { sequences: B, tokens: T } = shape;
  const out = outputShape({ config, ...shape });
  const attention = 11 * B * heads * T * T + 6 * B * T * C;
  const feedForward = 3 * B * T * F + 6 * B * T * C;
  const answer = 3 * out.rows * (out.width + C);
  const lookup = 2 * Math.min(B * T * V, LOOKUP_WORDS + V);
  return 8 * Math.max(attention, feedForward, answer, lookup);
}

/**
 * Share by which range checks may enlarge a link's bytes, and rounds that each step may be longer: upper bounds for
 * the smallest models, the usual cost is a tenth (ADR 20).
 */
const CHECKED_BYTES = { p0ToP2Ahead: 1.35, p1ToP2: 1.85, p2ToP1: 1.45 } as const;
const CHECKED_ROUNDS = 12;
/** The same where the least variances alone are checked: a few bits a row. */
const LEAST_BYTES = { p0ToP2Ahead: 1.03, p1ToP2: 1.03, p2ToP1: 1.03 } as const;

function addChecks({ cost, transfers }: Tally, plan: ModelPlan, { sequences, tokens, steps }: RunShape): void {
  const share = plan.checks === null ? LEAST_BYTES : CHECKED_BYTES;
  for (const key of ['p0ToP2Ahead', 'p1ToP2', 'p2ToP1'] as const) cost[key] = Math.ceil(cost[key] * share[key]);
  // What is sent ahead for transfers grows with the widenings of the checks.
  if (transfers) cost.p2ToP1Ahead = Math.ceil(cost.p2ToP1Ahead * share.p0ToP2Ahead);
  // Which positions are text, where nothing but a check asks for it, and the bits themselves.
  cost.p0ToP1Input += wireLength(1, sequences * tokens) + sequences * tokens;
  cost.p1ToP0 += wireLength(1, sequences) * (steps + 1);
  cost.rounds += CHECKED_ROUNDS * (steps + 1);
}

function dearestChecks(layers: number): ModelPlan['checks'] {
  const each = (value: number) => new Array<number>(layers).fill(value);
  return {
    activation: each(31),
    headActivation: 31,
    spread: each(12),
    value: each(31),
    logit: 31,
    margin: 0,
    sampled: 0,
  };
}

/** The dearest plan that a model may have: for an owner that has not been told its plan yet. */
export function dearestPlan({ layers }: Pick<ModelConfig, 'layers'>): ModelPlan {
  const each = <T>(count: number, value: T) => new Array<T>(count).fill(value);
  const shared = { basis: 'measured', headActivation: 'far', embedding: 'broad', head: 'broad' } as const;
  return {
    ...shared,
    activation: each(layers, 'far' as const),
    treeBits: each(layers, 9 as const),
    norms: each(2 * layers, 'broad' as const),
    checks: dearestChecks(layers),
  };
}

/**
 * The price of a run.
 * @example priceOf(config, plan, 'open', { sequences: 1, tokens: 128, rows: 1, padded: true, pair: false, steps: 0
 * }).memory
 * @param shape one that `misfit` has let pass
 * @param widening how the circuit's widenings get the wrap
 */
export function priceOf(
  config: ModelConfig,
  plan: ModelPlan,
  weights: WeightMode,
  shape: RunShape,
  widening: Widening = WIDENING,
): Price {
  const { sequences, tokens, steps } = shape;
  const first = new Tally(weights, false, widening);
  if (config.modelType === 'gpt2') prompt(first, config, plan, shape);
  else encoder(first, config, plan, shape);
  const all = new Tally(weights, false, widening);
  all.add(first, 1);
  if (steps > 0) {
    // A token's cost grows evenly with the positions before it, so all of them cost as much as those at the mean.
    const mean = new Tally(weights, true, widening);
    step(
      mean,
      config,
      plan,
      shape,
      tokens + Math.ceil((steps + 1) / 2),
      Array.from({ length: steps }, (_, i) => tokens + i + 1),
    );
    all.add(mean, steps);
  }
  if (isChecked(config, plan)) for (const tally of [first, all]) addChecks(tally, plan, shape);
  const { rounds, ...links } = all.cost;
  const traffic = Object.values(links).reduce((sum, bytes) => sum + bytes, 0);
  // Everything that is dealt ahead waits at a party until it is used; a step's share of it is small beside the
  // prompt's.
  const { p0ToP1Ahead, p2ToP1Ahead, p0ToP2Ahead, p1ToP2Ahead } = first.cost;
  const dealt = Math.max(p0ToP1Ahead + p2ToP1Ahead + first.kept[0], p0ToP2Ahead + p1ToP2Ahead + first.kept[1]);
  // Keys and values of every position, two components each, of one step and of the next.
  const kept = steps > 0 ? 64 * config.hiddenSize * config.layers * sequences * (tokens + steps) : 0;
  const memory =
    dealt + working(config, shape) + kept + Math.min(IN_FLIGHT, first.cost.p1ToP2) + WIRES * WIRE_BYTES * first.gates;
  return { ...links, rounds, traffic, memory };
}
