/**
 * The plan of a model whose weights alone prove too little: what one step can reach is proved, and what does not
 * fit is checked in every run (ADR 20).
 *
 * Go through a circuit in the order of its gates. If a value leaves its domain anywhere, there is a first one.
 * Everything before it is inside and right, so the rows that it is made of are normalised, and the bounds of
 * `provedRanges` hold for it: norms of one map, or of GPT-2's residual stream as the domain of the LayerNorm before
 * holds it and one block adds to it. So each value has a finite reach that no text exceeds without another value
 * having been outside before it. A reach inside the gadget's domain needs no check. A reach beyond it gives the
 * check the size of its table, in which the value cannot wrap. A reach at which the ring itself would wrap is
 * refused.
 *
 * What the samples show decides only which variants are taken, so that ordinary texts are not refused; it decides
 * nothing about being right: a measurement that is wrong, or was changed, can make a plan dearer or refuse a text,
 * and cannot leave out a check or a bound.
 */
import { TercetError } from '../core/errors.ts';
import { GELU_DOMAIN, type GeluRange } from '../mpc/secure/activation.ts';
import { MAX_ATTENTION, valueDomain } from '../mpc/secure/attention-form.ts';
import { acceptedSpread, spreadBits, spreadDomain } from '../mpc/secure/attention.ts';
import type { Reading } from '../mpc/secure/measure.ts';
import {
  type NormaliseRange,
  acceptedVariance,
  varianceDomain,
  wholeVariance,
  wrappingVariance,
} from '../mpc/secure/normalise.ts';
import { accepted } from '../mpc/secure/range-check.ts';
import type { ModelConfig } from './config.ts';
import { LOGIT_DOMAIN, activationDomain, headDomain } from './models/domains.ts';
import type { ModelPlan } from './models/plan.ts';
import { type ModelRanges, finestNorm, hasGeluHead, tooFar } from './ranges.ts';

/**
 * How much further than the samples a text should be able to go before it is refused, of values; of variances its
 * square.
 */
const WANTED_MARGIN = 3;
/** The smallest margin with which a model is taken. */
const LEAST_MARGIN = 1.5;
/**
 * For the protocol's own error in what a reach is computed from: the declared one of a normalised row at the lower
 * end of its domain.
 */
const SLACK = 1.01;
/** Magnitudes at scale 32 in Z_2^64 wrap from here. */
const RING_REACH = 31;

/**
 * Raised with every change to what a measurement gives: samples, sample texts, the float model, its kernels. Kept
 * measurements of another version are not taken (`node/measurements.ts`).
 */
export const MEASUREMENT = 1;

/** What samples show, without any margin. */
export interface MeasuredRanges extends Omit<ModelRanges, 'added'> {
  readonly leastVariance: readonly number[];
  readonly leastEmbeddingVariance: number;
  readonly leastHeadVariance: number;
  /** Tokens of the longest sample. */
  readonly sampled: number;
}

export interface PlanOptions {
  /** The widest variants instead of the cheapest that fit. */
  readonly wide?: boolean;
}

/** One variant of a gadget, for a value whose reach is known. */
interface Variant<V> {
  readonly variant: V;
  /** Up to here it is right. */
  readonly domain: number;
  /** Up to here its check never refuses. */
  readonly accepted: number;
}

/** A variant that was taken, and whether it needs a check. */
interface Choice<V> {
  readonly variant: V;
  readonly checked: boolean;
}

/** Collects the margins of everything that is checked. */
class Margins {
  least = 99;

  /** @param power 2 for variances */
  take(limit: number, seen: number, power = 1): void {
    if (seen > 0) this.least = Math.min(this.least, (limit / seen) ** (1 / power));
  }
}

/**
 * The first variant that proves the reach, or that the samples fit with the wanted margin; else the widest that
 * they fit with the least one.
 */
function choose<V>(
  what: string,
  variants: readonly Variant<V>[],
  reach: number,
  seen: number,
  margins: Margins,
): Choice<V> {
  for (const { variant, domain, accepted: most } of variants) {
    if (reach < domain) return { variant, checked: false };
    if (seen * WANTED_MARGIN > most) continue;
    margins.take(most, seen);
    return { variant, checked: true };
  }
  const widest = variants[variants.length - 1];
  if (seen * LEAST_MARGIN > widest.accepted) throw tooFar(what, seen * LEAST_MARGIN, widest.accepted);
  margins.take(widest.accepted, seen);
  return { variant: widest.variant, checked: true };
}

function magnitude<V>(variant: V, domain: number): Variant<V> {
  return { variant, domain, accepted: accepted(domain) };
}

/** The public size of a magnitude's check. */
function reachBits(what: string, choice: Choice<unknown>, reach: number): number | null {
  if (!choice.checked) return null;
  const bits = Math.ceil(Math.log2(reach));
  if (bits > RING_REACH) throw tooFar(what, reach, 2 ** RING_REACH);
  return bits;
}

/** The last variant alone where the widest are wanted. */
function widestIf<V>(wide: boolean, variants: readonly V[]): readonly V[] {
  return wide ? variants.slice(-1) : variants;
}

const GELU_RANGES: readonly GeluRange[] = ['narrow', 'wide', 'far'];
const NORM_RANGES: readonly NormaliseRange[] = ['fine', 'normal', 'coarse', 'broad'];

/**
 * @param reading of the protocol that the plan is for
 * @param reach what `provedRanges` says @throws {TercetError} ERR_RANGE when the samples or the ring leave no
 * variant
 */
export function checkedPlan(
  config: ModelConfig,
  reach: ModelRanges,
  measured: MeasuredRanges,
  reading: Reading,
  { wide = false }: PlanOptions = {},
): ModelPlan {
  const margins = new Margins();
  const activations = (what: string, bound: number, seen: number) => {
    // Only a proof takes the narrow variant: it wraps at once, the others saturate.
    const variants = GELU_RANGES.filter((range) => range !== 'narrow' || bound < GELU_DOMAIN.narrow).map((range) =>
      magnitude(range, GELU_DOMAIN[range]),
    );
    return choose(what, widestIf(wide, variants), bound, seen, margins);
  };
  const single = (what: string, domain: number, bound: number, seen: number) =>
    choose(what, [magnitude<GeluRange>('narrow', domain)], bound, seen, margins);

  const inner = reach.activation.map((bound, i) => {
    const what = `an activation of layer ${i + 1}`;
    const far = bound * SLACK;
    const relu = config.activation === 'relu';
    const choice = relu
      ? single(what, activationDomain(config, 'narrow'), far, measured.activation[i])
      : activations(what, far, measured.activation[i]);
    return { ...choice, reach: reachBits(what, choice, far) };
  });

  const headReach = reach.headActivation * SLACK;
  const headWhat = "the head's activation";
  const head = hasGeluHead(config)
    ? activations(headWhat, headReach, measured.headActivation)
    : single(headWhat, headDomain(config, 'narrow'), headReach, measured.headActivation);

  const scores = reach.spread.map((bound, i) => {
    const what = `the spread of attention scores in a row of layer ${i + 1}`;
    const far = bound * SLACK;
    const variants = ([8, 9] as const)
      .filter((bits) => far < spreadDomain(bits, reading) || spreadBits(far, bits, reading) !== undefined)
      .map((bits) => ({
        variant: bits,
        domain: spreadDomain(bits, reading),
        accepted: acceptedSpread(bits, reading),
      }));
    if (variants.length === 0) throw tooFar(what, far, 2 ** 13);
    const choice = choose(what, widestIf(wide, variants), far, measured.spread[i], margins);
    return { ...choice, bits: choice.checked ? (spreadBits(far, choice.variant, reading) ?? null) : null };
  });

  const valueLimit = valueDomain(Math.min(config.maxPositions, MAX_ATTENTION));
  const values = reach.value.map((bound, i) => {
    const what = `an attention value of layer ${i + 1}`;
    return reachBits(what, single(what, valueLimit, bound * SLACK, measured.value[i]), bound * SLACK);
  });

  const outputs = single('an output', LOGIT_DOMAIN, reach.logit * SLACK, measured.logit);
  const norms = planNorms(config, reach, measured, margins, wide);
  return {
    basis: 'measured',
    activation: inner.map(({ variant }) => variant),
    headActivation: head.variant,
    treeBits: scores.map(({ variant }) => variant),
    ...norms,
    checks: {
      activation: inner.map(({ reach: bits }) => bits),
      headActivation: reachBits(headWhat, head, headReach),
      spread: scores.map(({ bits }) => bits),
      value: values,
      logit: reachBits('an output', outputs, reach.logit * SLACK),
      margin: Math.floor(margins.least * 10) / 10,
      sampled: measured.sampled,
    },
  };
}

/**
 * Resolutions of all LayerNorms, in the order of use: what the domain of one holds bounds what the next one can
 * meet.
 */
function planNorms(
  config: ModelConfig,
  reach: ModelRanges,
  measured: MeasuredRanges,
  margins: Margins,
  wide: boolean,
): Pick<ModelPlan, 'norms' | 'embedding' | 'head'> {
  const d = config.hiddenSize;
  const resolution = (what: string, finest: NormaliseRange, bound: number, seen: number, least: number) => {
    const range = chooseNorm(what, d, finest, { bound: bound * SLACK, seen, least }, wide);
    const passes = acceptedVariance(d, range);
    if (bound * SLACK >= varianceDomain(d, range).max) margins.take(passes.max, seen, 2);
    margins.take(least, passes.min, 2);
    return range;
  };
  const stream = config.modelType === 'gpt2';
  let held = 0;
  /** What a LayerNorm of the residual stream can meet: what the one before it held, and what one block adds. */
  const streamed = (i: number, bound: number) =>
    stream && i > 0 ? Math.min(bound, (Math.sqrt(held) + reach.added[i - 1]) ** 2) : bound;
  const norms = reach.variance.map((bound, i) => {
    const most = streamed(i, bound);
    const range = resolution(
      `the variance of LayerNorm ${(i % 2) + 1} of layer ${(i >> 1) + 1}`,
      finestNorm(config),
      most,
      measured.variance[i],
      measured.leastVariance[i],
    );
    held = Math.min(most, varianceDomain(d, range).max);
    return range;
  });
  // By the architecture, not by what was measured: a measurement must not be able to leave a bound out.
  const encoder = !stream;
  const last = stream || config.head === 'masked-lm';
  return {
    norms,
    embedding: encoder
      ? resolution(
          'the variance of the embeddings',
          'fine',
          reach.embeddingVariance,
          measured.embeddingVariance,
          measured.leastEmbeddingVariance,
        )
      : 'fine',
    head: last
      ? resolution(
          'the variance of the last LayerNorm',
          'fine',
          streamed(reach.variance.length, reach.headVariance),
          measured.headVariance,
          measured.leastHeadVariance,
        )
      : 'fine',
  };
}

/**
 * The finest resolution that holds what was seen, in whose ring the bound does not wrap; where the widest is
 * wanted, one step coarser if the least variance allows it.
 */
function chooseNorm(
  what: string,
  d: number,
  finest: NormaliseRange,
  { bound, seen, least }: { readonly bound: number; readonly seen: number; readonly least: number },
  wide: boolean,
): NormaliseRange {
  if (bound >= wholeVariance(d)) throw tooFar(what, bound, wholeVariance(d));
  const ranges = NORM_RANGES.slice(NORM_RANGES.indexOf(finest)).filter((range) => bound < wrappingVariance(d, range));
  const holds = (range: NormaliseRange, margin: number) => {
    const { min, max } = acceptedVariance(d, range);
    return (bound < varianceDomain(d, range).max || seen * margin ** 2 <= max) && least >= min * margin ** 2;
  };
  for (const margin of [WANTED_MARGIN, LEAST_MARGIN]) {
    const fitting = ranges.filter((range) => holds(range, margin));
    if (fitting.length > 0) return fitting[wide ? Math.min(1, fitting.length - 1) : 0];
  }
  const high = Math.max(0, ...ranges.map((range) => acceptedVariance(d, range).max));
  if (seen * LEAST_MARGIN ** 2 > high) throw tooFar(what, seen * LEAST_MARGIN ** 2, high);
  throw new TercetError(
    'ERR_RANGE',
    `${what} is between ${least.toPrecision(2)} and ${seen.toPrecision(2)} and may reach ${bound.toPrecision(2)} in one step: no resolution holds all of it`,
    'this checkpoint needs wider gadgets than this version has',
  );
}
