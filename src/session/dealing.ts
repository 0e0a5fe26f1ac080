/**
 * What the owner of an execution, the dealer that it names, and the compute parties say of the dealing
 * (docs/adr/0026-a-dealer.md).
 *
 * The owner hands over the two keys of this one execution, never a pair key, and what the circuit is made of. For
 * secret weights also the seeds of their masks, where the model's owner allows it (docs/adr/0036-a-permit-to-deal.md).
 * The dealer opens links of its own, in a session of their own that follows from the owner's, and proves to either
 * compute party that it holds that party's key: keys of another execution are refused before a word is dealt.
 */
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { printable } from '../core/bytes.ts';
import { TercetError } from '../core/errors.ts';
import { CAPS, type ModelConfig } from '../ml/config.ts';
import { MODEL_TYPES, TRAITS } from '../ml/model-types.ts';
import type { ModelPlan } from '../ml/models/plan.ts';
import { firstStep } from '../mpc/prg/gate-id.ts';
import { executionKey } from '../mpc/prg/prg.ts';
import { SEEDS_BYTES } from '../net/enrolment/credential-terms.ts';
import { SESSION_BYTES } from '../net/wire/frame.ts';
import { encodeTranscript } from '../net/wire/transcript.ts';
import type { Channel } from '../net/wire/types.ts';
import { planFromJson, planToJson } from './agreement.ts';
import { type Fields, type Json, recvControl, sendControl } from './control.ts';
import { checkDealt } from './dealt.ts';
import { type Request, SESSION_VERSION, misfit, shapeFromJson, wideningFromJson } from './request.ts';

const KEYS = 'control/keys';
const SEEDS = 'control/seeds';
const KEY_BYTES = 32;

/** The keys of one execution, with party 1 and with party 2. */
export type ExecutionKeys = readonly [Uint8Array, Uint8Array];

/** What a dealer is handed in place of the pair keys. @param pairKeys may be wiped afterwards */
export function executionKeys(pairKeys: readonly [Uint8Array, Uint8Array], session: Uint8Array): ExecutionKeys {
  return [executionKey(pairKeys[0], firstStep(session)), executionKey(pairKeys[1], firstStep(session))];
}

/** The session of the dealer's own links: a name, like the owner's, and never the same one. */
export function dealerSession(session: Uint8Array): Uint8Array {
  return sha256(encodeTranscript('tercet/1 dealer session', [session])).slice(0, SESSION_BYTES);
}

/** What only a holder of a key of this execution can say. Says nothing of the key. @param key of the execution */
export function dealerProof(key: Uint8Array, session: Uint8Array): Uint8Array {
  return hkdf(sha256, key, session, new TextEncoder().encode('tercet/1 dealer has the key'), KEY_BYTES);
}

/** All that dealing needs beside the keys: public, and the same at all parties. */
export interface HandOver {
  readonly request: Request;
  readonly config: ModelConfig;
  readonly plan: ModelPlan;
  /** Of the first step's circuit. */
  readonly circuit: string;
}

/** What an owner hands over in secret. */
export interface Secrets {
  readonly keys: ExecutionKeys;
  /** Of the masks of secret weights, 64 bytes. */
  readonly seeds: Uint8Array | undefined;
}

/** The owner's side. What is secret is copied: the caller wipes its own. */
export async function sendHandOver(channel: Channel, handOver: HandOver, { keys, seeds }: Secrets): Promise<void> {
  const { request, config, plan, circuit } = handOver;
  const { model, dealer: _named, ...terms } = request;
  await sendControl(channel, 'hand-over', {
    version: SESSION_VERSION,
    request: { ...terms, model: model ?? null },
    config: configToJson(config),
    plan: planToJson(plan),
    circuit,
  });
  const both = new Uint8Array(2 * KEY_BYTES);
  both.set(keys[0]);
  both.set(keys[1], KEY_BYTES);
  await channel.send(KEYS, both);
  if (seeds !== undefined) await channel.send(SEEDS, seeds.slice());
}

/**
 * The dealer's side: all of it hostile until read here.
 * @param dealer the dealer's own identity
 * @throws {TercetError} ERR_FRAME_FORMAT, ERR_PEER_MISMATCH, ERR_PROTOCOL_UNAVAILABLE, and what the channel throws
 */
export async function recvHandOver(
  channel: Channel,
  dealer: string,
): Promise<{ readonly handOver: HandOver; readonly secrets: Secrets }> {
  const fields = await recvControl(channel, 'hand-over');
  const fail = () => malformed('the data owner sent a malformed "hand-over" message');
  const version = fields.integer('version', 1000);
  if (version !== SESSION_VERSION)
    throw unfit(`the data owner speaks session version ${version}, this dealer ${SESSION_VERSION}`);
  const asked = fields.object('request');
  const protocol = asked.string('protocol');
  const weights = asked.oneOf('weights', ['open', 'secret']);
  checkDealt({ protocol: protocol as Request['protocol'] });
  const config = configFromJson(fields.object('config'), fail);
  const shape = shapeFromJson(asked);
  const wrong = misfit(config, shape);
  if (wrong !== undefined) throw unfit(`the request does not fit the model: ${wrong}`);
  const request: Request = {
    model: asked.stringOrNull('model'),
    protocol: '3pc_semi_honest',
    weights,
    dealer,
    widening: wideningFromJson(asked),
    ...shape,
  };
  const plan = planFromJson(fields.object('plan'), config.layers, fail);
  const circuit = fields.string('circuit');
  const both = await channel.recv(KEYS, 2 * KEY_BYTES);
  const keys = [both.slice(0, KEY_BYTES), both.slice(KEY_BYTES)] as const;
  both.fill(0);
  const seeds = weights === 'secret' ? await channel.recv(SEEDS, SEEDS_BYTES) : undefined;
  return { handOver: { request, config, plan, circuit }, secrets: { keys, seeds } };
}

/** The sizes that a circuit is made of. Labels are for answers, which a dealer never sees. */
function configToJson(config: ModelConfig): Json {
  const { id2label: _labels, paddingId, ...rest } = config;
  return { ...rest, paddingId: paddingId ?? null };
}

function configFromJson(fields: Fields, fail: () => TercetError): ModelConfig {
  const size = (name: string, most: number, least = 1): number => {
    const value = fields.integer(name, most);
    if (value < least) throw fail();
    return value;
  };
  const hiddenSize = size('hiddenSize', CAPS.hidden);
  const heads = size('heads', CAPS.heads);
  const modelType = fields.oneOf('modelType', MODEL_TYPES);
  const layerNormEps = fields.number('layerNormEps');
  if (hiddenSize % heads !== 0 || !(layerNormEps > 0 && layerNormEps <= CAPS.layerNormEps)) throw fail();
  return {
    modelType,
    architecture: printable(fields.string('architecture'), 200),
    head: fields.oneOf('head', Object.values(TRAITS[modelType].heads)),
    hiddenSize,
    heads,
    layers: size('layers', CAPS.layers),
    intermediateSize: size('intermediateSize', CAPS.inner),
    vocabSize: size('vocabSize', CAPS.vocabulary),
    maxPositions: size('maxPositions', CAPS.positions),
    positionOffset: size('positionOffset', CAPS.positions, 0),
    paddingId: fields.isNull('paddingId') ? undefined : size('paddingId', CAPS.vocabulary, 0),
    typeVocabSize: size('typeVocabSize', CAPS.types, 0),
    layerNormEps,
    activation: fields.oneOf('activation', ['gelu', 'gelu_new', 'relu']),
    tieWordEmbeddings: fields.boolean('tieWordEmbeddings'),
    poolingLayer: fields.boolean('poolingLayer'),
    numLabels: size('numLabels', CAPS.vocabulary, 0),
    id2label: [],
  };
}

function malformed(what: string): TercetError {
  return new TercetError('ERR_FRAME_FORMAT', what, 'check that all parties run the same version', { party: 0 });
}

function unfit(what: string): TercetError {
  return new TercetError('ERR_PEER_MISMATCH', what, 'run the same version of Tercet on all parties', { party: 0 });
}
