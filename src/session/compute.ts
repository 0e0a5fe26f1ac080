/**
 * A compute party's session (P1 or P2): answers one request of the data owner. Knows nothing of Node; the daemon
 * hands in links and weights.
 */
import type { RingKernels } from '../compute/kernels/types.ts';
import { sleep } from '../core/abort.ts';
import { equalBytes, toHex } from '../core/bytes.ts';
import { TercetError, asTercetError } from '../core/errors.ts';
import { Refusal } from '../core/told.ts';
import { traceContextOf } from '../core/trace-context.ts';
import type { ModelConfig } from '../ml/config.ts';
import type { ModelPlan } from '../ml/models/plan.ts';
import { firstStep } from '../mpc/prg/gate-id.ts';
import { PairPrg, executionKey } from '../mpc/prg/prg.ts';
import type { Trace } from '../mpc/protocol/trace.ts';
import { Engine, type Progress } from '../mpc/protocol/frame/engine.ts';
import { type Kept, wipeKept } from '../mpc/protocol/frame/kept.ts';
import type { ParameterView } from '../mpc/protocol/frame/party.ts';
import { PRESENTED_BYTES, absentCredential } from '../net/enrolment/credential-terms.ts';
import type { Enrolment } from '../net/enrolment/enrolment.ts';
import { PERMIT_BYTES } from '../net/enrolment/permit.ts';
import type { Channel, EndId, PartyId, PeerChannel } from '../net/wire/types.ts';
import { configHash, mismatch, offerToJson } from './agreement.ts';
import { compareBinding, linkName, sessionBinding } from './binding.ts';
import { Circuits } from './circuits.ts';
import { type Fields, recvControl, sendControl, sendFailure } from './control.ts';
import { dealt, provingMs } from './deal-wait.ts';
import { dealerProof } from './dealing.ts';
import { checkDealt } from './dealt.ts';
import { FirstEnd, isEndOfLink } from './first-end.ts';
import { waitForInput } from './input-wait.ts';
import { type ComingDealer, PartyDealer, whileThere } from './party-dealer.ts';
import { type Proving, type Walk, protocolNamed, provingOf, violated } from './proving.ts';
import { PATIENCE, type Patience, type Place, awaitOwner, inTime, msFor, ownPlace } from './place.ts';
import { ProvedParty } from './proved-party.ts';
import { reportOf, reportToJson } from './report.ts';
import { type Request, SESSION_VERSION, type WeightMode, misfit, shapeFromJson, wideningFromJson } from './request.ts';
import { OwnerAndDealer } from './roles.ts';
import { StatusSender } from './status.ts';
import { OWNER_LEAVES_MS } from './timing.ts';
import { ALONE, type Turn, type Turns, awaitTurn, followTurn, workOf } from './turn.ts';

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

/** @param presented what the owner presented with its request: a link that had a handshake carried it there instead */
export type CheckRequest = (
  request: Request,
  model: ServedModel,
  presented: Uint8Array | undefined,
) => void | Promise<void>;

export interface ComputeOptions {
  readonly id: 1 | 2;
  readonly owner: Channel;
  /** With the owner, 32 bytes. Wiped here. */
  readonly pairKey: Uint8Array;
  /**
   * Throws unless the request is the one that this party signed, where it signed one, its owner may make it, and it
   * is within the budgets. Asked before anything is built.
   */
  readonly checkRequest?: CheckRequest | undefined;
  /** Expects the dealer that a request names, from now on. Absent: such requests are refused. */
  readonly expect?: ((request: Request) => ComingDealer) | undefined;
  /** Opens the link to the other compute party, once the owner has asked for something. */
  readonly connectPeer: () => Promise<PeerChannel>;
  /** What proves its messages. Absent: `3pc_malicious` is refused. */
  readonly proving?: Proving | undefined;
  readonly session: Uint8Array;
  readonly models: readonly ServedModel[];
  readonly kernels: RingKernels;
  /** Shared by the sessions of a party; own ones without it. */
  readonly circuits?: Circuits | undefined;
  readonly now: () => number;
  readonly peakMemory: () => number;
  readonly signal?: AbortSignal | undefined;
  /** Where others may need the place of this session. */
  readonly place?: Place | undefined;
  readonly patience?: Patience | undefined;
  /** Of party 1: when runs may compute. Absent: at once. */
  readonly turns?: Turns | undefined;
  onProgress?(progress: Progress): void;
  /** The rounds of a step are done: so many, and those of its proofs. */
  onRounds?(rounds: number, proofs: number): void;
  /** The trace that the owner says it is of: chosen by a stranger, and a trace context whatever it says. */
  onTraceContext?(traceparent: string): void;
  /** Steps of this party, as it works on them. Never asked for over a link. */
  readonly trace?: Trace | undefined;
}

/** How a session ended well: with an answer, or before there was a text. */
export type SessionEnd = 'answered' | 'discarded';

/**
 * Serves one session from the request to the report. Any failure ends it for all parties, and is told to P0 where
 * P0 listens.
 */
export async function serveSession(options: ComputeOptions): Promise<SessionEnd> {
  const { owner, id, kernels, session, circuits = new Circuits(), place = ownPlace(), patience = PATIENCE } = options;
  const { turns = ALONE } = options;
  const channels = new Map<PartyId, Channel>([[0, owner]]);
  // The name of the next control message that P0 waits for: where a failure can be told.
  let expected: string | undefined = 'offer';
  const abort = (error: unknown) => {
    for (const channel of channels.values()) channel.abort(asTercetError(error));
  };
  const stop = () => abort(new TercetError('ERR_ABORTED', 'this party is shutting down', 'run again when it is back'));
  const stopped = (): boolean => options.signal?.aborted === true;
  options.signal?.addEventListener('abort', stop);
  const first = new FirstEnd();
  first.watch(owner);
  let prg: PairPrg | undefined;
  let engine: Walk | undefined;
  let kept: Kept = new Map();
  let asked: Asked | undefined;
  // Whether a run is proved, and its text may be on the way.
  let promised = false;
  let status: StatusSender | undefined;
  let dealer: PartyDealer | undefined;
  let turn: Turn | undefined;
  try {
    if (stopped()) stop();
    prg = PairPrg.of(options.pairKey, firstStep(session));
    const own = linkName(options.pairKey);
    const fields = await awaitOwner(place, recvControl(owner, 'request'), patience.requestMs, 'ask for a run');
    asked = Refusal.from(() => readRequest(fields, options));
    const { request, model, plan, names, proved } = asked;
    if (!equalBytes(names[id - 1], own)) throw mismatch('the request is not one of this link');
    const presented = fields.has('credential') ? fields.hex('credential', PRESENTED_BYTES) : undefined;
    Refusal.from(() => tellContext(fields, options));
    await Refusal.of(async () => options.checkRequest?.(request, model, presented));
    // Before the offer, after which an owner sends its dealer.
    const permit = fields.has('permit') ? fields.hex('permit', PERMIT_BYTES) : undefined;
    await Refusal.of(() => checkPermit(request, model, permit, id));
    if (request.dealer !== undefined) dealer = Refusal.from(() => expectDealer(options, request));
    // Only now: an owner that reached this party alone must not keep it waiting for the other one.
    const peer = await options.connectPeer();
    channels.set(id === 1 ? 2 : 1, peer);
    first.watch(peer);
    // The party may have been stopped meanwhile.
    if (stopped()) stop();
    const bound = compareBinding(peer, sessionBinding(session, request, model.hash, names));
    const same = bound.then(() => proved?.meet(peer, names));
    same.catch(() => undefined);
    await sendControl(
      owner,
      'offer',
      offerToJson({
        ...{ model: model.hash, config: configHash(model.config), plan, device: kernels.name },
        nonce: proved?.nonce,
      }),
    );
    expected = 'ready';
    for (let step = 0; ; step++) {
      const built = await circuits.get(model.config, plan, request, step, proved?.builder);
      const { circuit, hash } = built;
      const draws: PairPrg = prg;
      const reports = new StatusSender(owner, peer, options.now, abort);
      status = reports;
      const prepared = await stepBegins(step, owner, async () => {
        const told = recvControl(owner, step === 0 ? 'start' : 'step');
        const [start] = await awaitOwner(place, Promise.all([told, same]), patience.startMs, 'begin');
        if (start.string('circuit') !== hash) throw mismatch('the data owner built another circuit');
        proved?.check(start, step);
        const source = await sourceOf(owner, dealer, hash, patience);
        const walk = {
          kernels,
          parameters: model.parameters,
          channels: new Map([...channels, [0, source.p0] as const]),
          kept,
          signal: options.signal,
          trace: options.trace === undefined ? undefined : { step, now: options.now, report: options.trace },
          onProgress: (progress: Progress) => {
            if (progress.phase === 'online') {
              reports.progress(progress);
              turn?.moved(progress.done / progress.total);
            }
            options.onProgress?.(progress);
          },
        };
        engine =
          proved?.walk({ ...walk, built, request, plan, model: model.hash }, peer, options.pairKey) ??
          new Engine({ ...walk, id, circuit, k01: id === 1 ? draws : undefined, k02: id === 2 ? draws : undefined });
        // Both parties wait for all of it: what one gets ahead depends on what the other is dealt.
        const dealing = dealt(engine, source.deals, patience, circuit, id);
        await (dealer === undefined ? dealing : whileThere(owner, dealing));
        await dealer?.taken();
        await sendControl(owner, 'ready', {});
        expected = 'status';
        return waitForInput(owner, peer, place, patience, step === 0 ? 'prepared' : 'between');
      });
      if (!prepared || engine === undefined) {
        place.leaves();
        await closeAll(channels, dealer);
        return step === 0 ? 'discarded' : 'answered';
      }
      promised = proved !== undefined;
      const { p0ToP1Input, p0ToP2Input, p1ToP0 } = circuit.cost;
      reports.begin(2 * circuit.cost.rounds);
      await inTime(
        engine.input(),
        patience.textMs + msFor(Math.max(p0ToP1Input, p0ToP2Input), patience),
        'send its text',
      );
      if (id === 1) {
        turn = turns.ask(workOf(circuit.cost, proved !== undefined));
        await awaitTurn({ owner, peer }, turn, (before) => reports.waits(before));
      } else await followTurn(peer);
      // Where P0 has a part in the rounds, its links carry nothing else meanwhile.
      const alone = circuit.owner !== undefined;
      if (alone) await reports.finish(2 * circuit.cost.rounds);
      // While this party waits for the other one. Its error shows when the circuit is asked for.
      if (step < request.steps)
        circuits.get(model.config, plan, request, step + 1, proved?.builder).catch(() => undefined);
      await engine.online();
      turn?.moved(1);
      turn?.end();
      options.onRounds?.(circuit.cost.rounds, engine.proofs?.exchanges ?? 0);
      if (!alone) await reports.finish(2 * circuit.cost.rounds);
      expected = undefined;
      const answerMs = patience.textMs + msFor(p1ToP0, patience) + provingMs(circuit, patience);
      await inTime(engine.output(), answerMs, 'take its answer');
      await sendControl(
        owner,
        'report',
        reportToJson(reportOf(withDealer(channels, dealer), options.peakMemory(), kernels.name, engine.proofs?.ms)),
      );
      if (step === request.steps) break;
      kept = engine.kept;
      prg = draws.next();
      draws.wipe();
      expected = 'ready';
      // Until the next text: all that there was to prove is proved, and nothing that is dealt follows from a text.
      promised = false;
    }
    place.leaves();
    await closeAll(channels, dealer);
    return 'answered';
  } catch (error) {
    place.leaves();
    const own = asTercetError(error);
    const failure = promised ? violated(own) : first.beforeText(own);
    // A proved run says nothing more: whoever broke it learns no cause.
    const word = promised ? undefined : expected;
    // The other compute party is cut off at once; P0 gets the failure before its link goes.
    for (const [peer, channel] of channels) if (peer !== 0 || word === undefined) channel.abort(failure);
    await Promise.all([dealer?.failed(failure), word === undefined ? undefined : farewell(owner, word, failure)]);
    throw failure;
  } finally {
    options.signal?.removeEventListener('abort', stop);
    options.pairKey.fill(0);
    turn?.end();
    status?.stop();
    prg?.wipe();
    engine?.clear();
    wipeKept(kept);
    asked?.proved?.end();
  }
}

function closeAll(channels: ReadonlyMap<PartyId, Channel>, dealer: PartyDealer | undefined): Promise<unknown> {
  return Promise.all([...[...channels.values()].map((channel) => channel.close()), dealer?.close()]);
}

function withDealer(
  channels: ReadonlyMap<PartyId, Channel>,
  dealer: PartyDealer | undefined,
): ReadonlyMap<EndId, Channel> {
  return dealer?.channel === undefined ? channels : new Map<EndId, Channel>([...channels, [3, dealer.channel]]);
}

/** @throws {TercetError} ERR_PROTOCOL_UNAVAILABLE, ERR_PEER_MISMATCH where no dealer can come */
function expectDealer({ expect, pairKey, session }: ComputeOptions, request: Request): PartyDealer {
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

/** Where the messages of a step come from: its dealing, and all that stands in P0's place. */
async function sourceOf(
  owner: Channel,
  dealer: PartyDealer | undefined,
  circuit: string,
  patience: Patience,
): Promise<{ readonly deals: Channel; readonly p0: Channel }> {
  if (dealer === undefined) return { deals: owner, p0: owner };
  const deals = await dealer.begins(circuit, owner, patience);
  return { deals, p0: new OwnerAndDealer(owner, deals) };
}

/** How long an owner may take to hear why its session failed. */
const FAREWELL_MS = 5_000;

async function farewell(owner: Channel, name: string, failure: TercetError): Promise<void> {
  const said = sendFailure(owner, name, failure).then(() => owner.close());
  // A link that was closed in good order may still carry the last word.
  const late = setTimeout(() => owner.abort(failure), FAREWELL_MS);
  await said.catch(() => undefined);
  clearTimeout(late);
}

/**
 * Whether a step's input follows. An owner that has seen enough of a generated text leaves in the middle of what it
 * deals ahead, which is no failure: it had its answer. A proved run says of every link that ends that it is a
 * violation.
 */
async function stepBegins(step: number, owner: Channel, prepare: () => Promise<boolean>): Promise<boolean> {
  try {
    return await prepare();
  } catch (error) {
    if (step === 0 || !isEndOfLink(error)) throw error;
    const byOwner = owner.ended.then((why) => asTercetError(why).code === 'ERR_PEER_CLOSED');
    const left = await Promise.race([byOwner, sleep(OWNER_LEAVES_MS).then(() => false)]);
    if (!left) throw error;
    return false;
  }
}

interface Asked {
  readonly request: Request;
  readonly model: ServedModel;
  readonly plan: ModelPlan;
  /** Of a run whose messages are proved. */
  readonly proved: ProvedParty | undefined;
  /** Of the owner's links with party 1 and party 2. */
  readonly names: readonly [Uint8Array, Uint8Array];
}

function readRequest(fields: Fields, { id, models, proving }: ComputeOptions): Asked {
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
function tellContext(fields: Fields, { onTraceContext }: ComputeOptions): void {
  if (!fields.has('traceparent')) return;
  const traceparent = fields.string('traceparent');
  if (traceContextOf(traceparent) === undefined) throw mismatch('the data owner sent a malformed trace context');
  onTraceContext?.(traceparent);
}

/** The model with that hash, or the only one that is served when none is named. */
function findModel(models: readonly ServedModel[], hash: string | undefined, weights: WeightMode): ServedModel {
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
