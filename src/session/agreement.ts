/** What the three parties agree on before anything secret moves: protocol, model, plan, shapes, and with them one circuit, compared by hash. */
import { sha256 } from '@noble/hashes/sha2.js';
import { toHex } from '../core/bytes.ts';
import { TercetError } from '../core/errors.ts';
import type { BertConfig } from '../ml/config.ts';
import { type BertPlan, type BertRun, buildBert } from '../ml/models/bert-secure.ts';
import type { GeluRange } from '../mpc/secure/activation.ts';
import type { NormaliseRange } from '../mpc/secure/normalise.ts';
import { type Circuit, CircuitBuilder } from '../mpc/protocol/semi-honest/circuit.ts';
import type { ProtocolId } from '../mpc/protocol/types.ts';
import type { Fields, Json } from './control.ts';

export const SESSION_VERSION = 2;

export type WeightMode = 'open' | 'secret';

/** What P0 asks for. */
export interface Request {
  /** Which of the parties' models: the SHA-256 that the owner pins, or undefined where they serve one. */
  readonly model?: string | undefined;
  readonly protocol: ProtocolId;
  readonly weights: WeightMode;
  /** Positions, with padding. */
  readonly tokens: number;
  readonly masks: number;
  /** Whether padding may be among them, hidden from the compute parties. */
  readonly padded: boolean;
}

/** SHA-256 of what a request asks for beside the model, in hex: signed by each party before anything is sent. */
export function requestHash({ protocol, weights, tokens, masks, padded }: Request): string {
  return toHex(sha256(new TextEncoder().encode(JSON.stringify([SESSION_VERSION, protocol, weights, tokens, masks, padded]))));
}

/** What a compute party says of its model: all of it public. */
export interface Offer {
  /** SHA-256 of the weights file, or of the random source's description. */
  readonly model: string;
  /** SHA-256 of the checked configuration. */
  readonly config: string;
  readonly plan: BertPlan;
  readonly device: string;
}

/** The circuit of a request: the same at every party, because it is made from public data only. */
export function circuitFor(config: BertConfig, plan: BertPlan, request: Request): Circuit {
  const run: BertRun = { config, plan, tokens: request.tokens, masks: request.masks, padded: request.padded };
  const builder = new CircuitBuilder(request.weights);
  buildBert(builder, run);
  return builder.finish();
}

/** SHA-256 over every gate's relation, path, shape, ring, scale and half-rounds. */
export function fingerprint(circuit: Circuit): string {
  const lines = circuit.gates.map((gate) =>
    [
      gate.relation,
      gate.path,
      gate.out?.shape.join('x'),
      gate.out?.k,
      gate.out?.scale,
      gate.half12,
      gate.half21,
      gate.inputs.map((x) => `${x.id}:${x.k}:${x.scale}`).join(','),
    ].join('|'),
  );
  return toHex(sha256(new TextEncoder().encode([circuit.weights, ...lines].join('\n'))));
}

/** SHA-256 of a configuration: what P0 downloaded and what the compute parties loaded must be the same. */
export function configHash(config: BertConfig): string {
  return toHex(sha256(new TextEncoder().encode(JSON.stringify(Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1))))));
}

function planToJson(plan: BertPlan): Json {
  return { ...plan, gelu: [...plan.gelu], treeBits: [...plan.treeBits], residual: [...plan.residual] };
}

export function offerToJson(offer: Offer): Json {
  return { model: offer.model, config: offer.config, device: offer.device, plan: planToJson(offer.plan) };
}

const GELU: readonly GeluRange[] = ['narrow', 'wide', 'far'];
const ROWS: readonly NormaliseRange[] = ['fine', 'normal', 'coarse'];

/** Reads a plan from an untrusted message: every entry one of the known variants, one for every place of the model. */
function planFromJson(fields: Fields, layers: number, fail: () => TercetError): BertPlan {
  const each = <T>(key: string, length: number, allowed: readonly T[]): T[] => {
    const values = fields.list(key, length);
    if (values.length !== length || !values.every((value) => allowed.includes(value as T))) throw fail();
    return values as T[];
  };
  return {
    gelu: each('gelu', layers, GELU),
    headGelu: fields.oneOf('headGelu', GELU),
    treeBits: each<8 | 9>('treeBits', layers, [8, 9]),
    residual: each<'normal' | 'coarse'>('residual', 2 * layers, ['normal', 'coarse']),
    embedding: fields.oneOf('embedding', ROWS),
    head: fields.oneOf('head', ROWS),
  };
}

/** Reads an offer from an untrusted message. */
export function offerFromJson(fields: Fields, config: BertConfig, fail: () => TercetError): Offer {
  return {
    model: fields.string('model'),
    config: fields.string('config'),
    device: fields.string('device'),
    plan: planFromJson(fields.object('plan'), config.layers, fail),
  };
}

/** @throws {TercetError} ERR_PEER_MISMATCH unless both compute parties hold P0's model. */
export function checkOffers(offers: readonly [Offer, Offer], config: BertConfig, model: string | undefined): BertPlan {
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
  if (one.config !== own || two.config !== own) throw mismatch('a compute party has another config.json than the data owner');
  if (one.model !== two.model) throw mismatch('the compute parties have different weights');
  if (JSON.stringify(one.plan) !== JSON.stringify(two.plan)) throw mismatch('the compute parties derived different plans from the weights');
  return one.plan;
}

export function mismatch(what: string): TercetError {
  return new TercetError('ERR_PEER_MISMATCH', what, 'give all three parties the same model and the same version of Tercet');
}
