/** What an owner asks of a compute party, and whether it may: all of it before anything is built. */
import { equalBytes, toHex } from '../core/bytes.ts';
import { TercetError } from '../core/errors.ts';
import { Refusal } from '../core/told.ts';
import { traceContextOf } from '../core/trace-context.ts';
import type { ModelPlan } from '../ml/models/plan.ts';
import { firstStep } from '../mpc/prg/gate-id.ts';
import { executionKey } from '../mpc/prg/prg.ts';
import { PRESENTED_BYTES, absentCredential } from '../net/enrolment/credential-terms.ts';
import { PERMIT_BYTES } from '../net/enrolment/permit.ts';
import { mismatch } from './agreement.ts';
import type { Fields } from './control.ts';
import { dealerProof } from './dealing.ts';
import { checkDealt } from './dealt.ts';
import { type ServedModel, findModel, planFor } from './model.ts';
import { type ComingDealer, PartyDealer } from './party-dealer.ts';
import { type Proving, protocolNamed, provingOf } from './proving.ts';
import { ProvedParty } from './proved-party.ts';
import { type Request, SESSION_VERSION, misfit, shapeFromJson, wideningFromJson } from './request.ts';

/** @param presented what the owner presented with its request: a link that had a handshake carried it there instead */
export type CheckRequest = (
  request: Request,
  model: ServedModel,
  presented: Uint8Array | undefined,
) => void | Promise<void>;

/** What a compute party judges a request by. */
export interface Terms {
  readonly id: 1 | 2;
  /** With the owner, 32 bytes. */
  readonly pairKey: Uint8Array;
  readonly session: Uint8Array;
  readonly models: readonly ServedModel[];
  /** What proves its messages. Absent: `3pc_malicious` is refused. */
  readonly proving?: Proving | undefined;
  /**
   * Throws unless the request is the one that this party signed, where it signed one, its owner may make it, and it
   * is within the budgets. Asked before anything is built.
   */
  readonly checkRequest?: CheckRequest | undefined;
  /** Expects the dealer that a request names, from now on. Absent: such requests are refused. */
  readonly expect?: ((request: Request) => ComingDealer) | undefined;
  /** The trace that the owner says it is of: chosen by a stranger, and a trace context whatever it says. */
  onTraceContext?(traceparent: string): void;
}

export interface Asked {
  readonly request: Request;
  readonly model: ServedModel;
  readonly plan: ModelPlan;
  /** Of a run whose messages are proved. */
  readonly proved: ProvedParty | undefined;
  /** Of the owner's links with party 1 and party 2. */
  readonly names: readonly [Uint8Array, Uint8Array];
}

/** @throws {TercetError} ERR_PEER_MISMATCH, ERR_MODEL_HASH, ERR_PROTOCOL_UNAVAILABLE: a `Refusal` */
export function readRequest(fields: Fields, terms: Terms): Asked {
  return Refusal.from(() => read(fields, terms));
}

/**
 * Judges a request that was read.
 * @param own name of the link that the request came over
 * @returns its dealer, which is expected from now on
 * @throws {TercetError} what `checkRequest` throws, ERR_CREDENTIAL_DEALER, ERR_PEER_MISMATCH: a `Refusal`
 */
export async function admit(
  { request, model, names }: Asked,
  fields: Fields,
  own: Uint8Array,
  terms: Terms,
): Promise<PartyDealer | undefined> {
  if (!equalBytes(names[terms.id - 1], own)) throw mismatch('the request is not one of this link');
  const presented = fields.has('credential') ? fields.hex('credential', PRESENTED_BYTES) : undefined;
  Refusal.from(() => tellContext(fields, terms));
  await Refusal.of(async () => terms.checkRequest?.(request, model, presented));
  // Before the offer, after which an owner sends its dealer.
  const permit = fields.has('permit') ? fields.hex('permit', PERMIT_BYTES) : undefined;
  await Refusal.of(() => checkPermit(request, model, permit, terms.id));
  return request.dealer === undefined ? undefined : Refusal.from(() => expectDealer(terms, request));
}

function read(fields: Fields, { id, models, proving }: Terms): Asked {
  const version = fields.integer('version', 1000);
  if (version !== SESSION_VERSION)
    throw mismatch(`the data owner speaks session version ${version}, this party ${SESSION_VERSION}`);
  const protocol = protocolNamed(fields.string('protocol'), proving?.protocols);
  const weights = fields.oneOf('weights', ['open', 'secret']);
  const hash = fields.stringOrNull('model');
  const model = findModel(models, hash, weights);
  const shape = shapeFromJson(fields);
  const wrong = misfit(model.config, shape);
  if (wrong !== undefined) throw mismatch(`the request does not fit the model: ${wrong}`);
  const links = fields.object('links');
  const dealer = fields.has('dealer') ? toHex(fields.hex('dealer', 32)) : undefined;
  const [widening, securityLevel] = [wideningFromJson(fields), securityLevelOf(fields)];
  const request = { model: hash, protocol, weights, widening, securityLevel, dealer, ...shape };
  const proofs = provingOf(request, proving);
  return {
    request,
    model,
    plan: planFor(model, request),
    proved: proofs === undefined ? undefined : new ProvedParty(id, proofs, fields.hex('nonce', 32)),
    names: [links.hex('1', 32), links.hex('2', 32)],
  };
}

/** @throws {TercetError} ERR_PEER_MISMATCH for a level that this version does not know */
function securityLevelOf(fields: Fields): 256 | undefined {
  const level = fields.has('securityLevel') ? fields.integer('securityLevel', 1000) : 128;
  if (level !== 128 && level !== 256) throw mismatch(`the data owner asks for level ${level}`);
  return level === 256 ? level : undefined;
}

/** @throws {TercetError} ERR_PEER_MISMATCH for what is no trace context */
function tellContext(fields: Fields, { onTraceContext }: Terms): void {
  if (!fields.has('traceparent')) return;
  const traceparent = fields.string('traceparent');
  if (traceContextOf(traceparent) === undefined) throw mismatch('the data owner sent a malformed trace context');
  onTraceContext?.(traceparent);
}

/**
 * Whether the dealer that an owner named may be handed the seeds of this model. Each party judges alone.
 * @throws {TercetError} ERR_CREDENTIAL_DEALER; ERR_PEER_MISMATCH for a permit that nothing asks for
 */
async function checkPermit(
  { dealer, weights }: Request,
  { enrolment }: ServedModel,
  permit: Uint8Array | undefined,
  party: 1 | 2,
): Promise<void> {
  if (dealer === undefined || weights === 'open') {
    if (permit === undefined) return;
    throw mismatch('the data owner shows a permit for a dealer that gets no seeds');
  }
  // SECURITY: who holds the seeds and meets one compute party has the weights. test/session/dealer.test.ts.
  if (enrolment === undefined) throw absentCredential('dealer', party);
  await enrolment.checkDealer(permit, dealer, party);
}

/** @throws {TercetError} ERR_PROTOCOL_UNAVAILABLE, ERR_PEER_MISMATCH where no dealer can come */
function expectDealer({ expect, pairKey, session }: Terms, request: Request): PartyDealer {
  checkDealt(request);
  if (expect === undefined)
    throw new TercetError(
      'ERR_PEER_MISMATCH',
      'a dealer has no way to this party',
      'leave out the dealer, or have the party pin identities or serve browsers',
    );
  const key = executionKey(pairKey, firstStep(session));
  const proof = dealerProof(key, session);
  key.fill(0);
  return new PartyDealer(expect(request), proof);
}
