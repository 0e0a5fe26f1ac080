/**
 * What the three parties agree on before anything secret moves: protocol, model, plan, shapes, and with them one
 * circuit, compared by hash.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { toHex } from '../core/bytes.ts';
import { TercetError } from '../core/errors.ts';
import type { ModelConfig } from '../ml/config.ts';
import type { ModelPlan, RangeCheckPlan } from '../ml/models/plan.ts';
import type { GeluRange } from '../mpc/secure/activation.ts';
import type { NormaliseRange } from '../mpc/secure/normalise.ts';
import { fingerprint } from '../mpc/protocol/frame/fingerprint.ts';
import type { Fields, Json } from './control.ts';

export { fingerprint };

/** What a compute party says of its model: all of it public. */
export interface Offer {
  /** SHA-256 of the weights file, or of the random source's description. */
  readonly model: string;
  /** SHA-256 of the checked configuration. */
  readonly config: string;
  readonly plan: ModelPlan;
  readonly device: string;
  /** This party's nonce, where the run is proved. */
  readonly nonce?: Uint8Array | undefined;
}

/** SHA-256 of a configuration: what P0 downloaded and what the compute parties loaded must be the same. */
export function configHash(config: ModelConfig): string {
  return toHex(
    sha256(new TextEncoder().encode(JSON.stringify(Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1))))),
  );
}

/** A plan as it travels. */
export function planToJson(plan: ModelPlan): Json {
  const { checks } = plan;
  return {
    ...plan,
    activation: [...plan.activation],
    treeBits: [...plan.treeBits],
    norms: [...plan.norms],
    checks:
      checks === null
        ? null
        : { ...checks, activation: [...checks.activation], spread: [...checks.spread], value: [...checks.value] },
  };
}

export function offerToJson(offer: Offer): Json {
  const { model, config, device, plan, nonce } = offer;
  return { model, config, device, plan: planToJson(plan), nonce: nonce && toHex(nonce) };
}

const GELU: readonly GeluRange[] = ['narrow', 'wide', 'far'];
const NORMS: readonly NormaliseRange[] = ['fine', 'normal', 'coarse', 'broad'];

/** Tokens of a sample: more than any model takes. */
const MOST_SAMPLED = 16_384;
/** Largest log2 of a reach: Z_2^64 at scale 32. */
const MOST_REACH = 31;

/** Reads what is checked from untrusted data. Sizes of tables are bounded, because they are built. */
function checksFromJson(
  fields: Fields,
  layers: number,
  treeBits: readonly number[],
  fail: () => TercetError,
): RangeCheckPlan {
  const size = (value: unknown, least: number, most: number): number | null => {
    if (value !== null && !(Number.isInteger(value) && (value as number) >= least && (value as number) <= most))
      throw fail();
    return value as number | null;
  };
  const each = (key: string, least: (i: number) => number, most: number) => {
    const values = fields.list(key, layers);
    if (values.length !== layers) throw fail();
    return values.map((value, i) => size(value, least(i), most));
  };
  const one = (key: string) => size(fields.numberOrNull(key), 0, MOST_REACH);
  return {
    activation: each('activation', () => 0, MOST_REACH),
    headActivation: one('headActivation'),
    spread: each('spread', (i) => treeBits[i], 12),
    value: each('value', () => 0, MOST_REACH),
    logit: one('logit'),
    margin: fields.number('margin'),
    sampled: fields.integer('sampled', MOST_SAMPLED),
  };
}

/** Reads a plan from untrusted data: every entry one of the known variants, one for every place of the model. */
export function planFromJson(fields: Fields, layers: number, fail: () => TercetError): ModelPlan {
  const each = <T>(key: string, length: number, allowed: readonly T[]): T[] => {
    const values = fields.list(key, length);
    if (values.length !== length || !values.every((value) => allowed.includes(value as T))) throw fail();
    return values as T[];
  };
  const basis = fields.oneOf('basis', ['proved', 'measured']);
  const treeBits = each<8 | 9>('treeBits', layers, [8, 9]);
  const checks = fields.isNull('checks') ? null : checksFromJson(fields.object('checks'), layers, treeBits, fail);
  // What was only measured is never taken without its checks.
  if ((basis === 'proved') !== (checks === null)) throw fail();
  return {
    basis,
    activation: each('activation', layers, GELU),
    headActivation: fields.oneOf('headActivation', GELU),
    treeBits,
    norms: each('norms', 2 * layers, NORMS),
    embedding: fields.oneOf('embedding', NORMS),
    head: fields.oneOf('head', NORMS),
    checks,
  };
}

/** Reads an offer from an untrusted message. */
export function offerFromJson(fields: Fields, config: ModelConfig, fail: () => TercetError): Offer {
  return {
    model: fields.string('model'),
    config: fields.string('config'),
    device: fields.string('device'),
    plan: planFromJson(fields.object('plan'), config.layers, fail),
    nonce: fields.has('nonce') ? fields.hex('nonce', 32) : undefined,
  };
}

/** @throws {TercetError} ERR_PEER_MISMATCH unless both compute parties hold P0's model. */
export function checkOffers(
  offers: readonly [Offer, Offer],
  config: ModelConfig,
  model: string | undefined,
): ModelPlan {
  const own = configHash(config);
  const [one, two] = offers;
  for (const [i, offer] of offers.entries()) {
    if (model === undefined || offer.model === model) continue;
    throw new TercetError(
      'ERR_MODEL_HASH',
      `party ${i + 1} runs another model than the one that was asked for`,
      'choose the model again, and tell the operator',
      {
        party: i === 0 ? 1 : 2,
      },
    );
  }
  if (one.config !== own || two.config !== own)
    throw mismatch('a compute party has another config.json than the data owner');
  if (one.model !== two.model) throw mismatch('the compute parties have different weights');
  if (JSON.stringify(one.plan) !== JSON.stringify(two.plan))
    throw mismatch('the compute parties derived different plans from the weights');
  return one.plan;
}

export function mismatch(what: string): TercetError {
  return new TercetError(
    'ERR_PEER_MISMATCH',
    what,
    'give all three parties the same model and the same version of Tercet',
  );
}
