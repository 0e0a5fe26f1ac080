/**
 * A compute party's session (P1 or P2): answers one request of the data owner. Knows nothing of Node; the daemon
 * hands in links and weights.
 */
import type { RingKernels } from '../compute/kernels/types.ts';
import { sleep } from '../core/abort.ts';
import { TercetError, asTercetError } from '../core/errors.ts';
import { firstStep } from '../mpc/prg/gate-id.ts';
import { PairPrg } from '../mpc/prg/prg.ts';
import type { Trace } from '../mpc/protocol/trace.ts';
import { Engine, type Progress } from '../mpc/protocol/frame/engine.ts';
import { type Kept, wipeKept } from '../mpc/protocol/frame/kept.ts';
import type { Channel, EndId, PartyId, PeerChannel } from '../net/wire/types.ts';
import { type Asked, type Terms, admit, readRequest } from './admission.ts';
import { configHash, mismatch, offerToJson } from './agreement.ts';
import { compareBinding, linkName, sessionBinding } from './binding.ts';
import { type BuiltCircuit, Circuits } from './circuits.ts';
import { recvControl, sendControl, sendFailure } from './control.ts';
import { dealt, provingMs } from './deal-wait.ts';
import { FirstEnd, isEndOfLink } from './first-end.ts';
import { waitForInput } from './input-wait.ts';
import { type PartyDealer, whileThere } from './party-dealer.ts';
import { type Walk, violated } from './proving.ts';
import { PATIENCE, type Patience, type Place, awaitOwner, inTime, msFor, ownPlace } from './place.ts';
import { reportOf, reportToJson } from './report.ts';
import { OwnerAndDealer } from './roles.ts';
import { StatusSender } from './status.ts';
import { OWNER_LEAVES_MS } from './timing.ts';
import { ALONE, type Turn, type Turns, awaitTurn, followTurn, workOf } from './turn.ts';

export interface ComputeOptions extends Terms {
  readonly owner: Channel;
  /** With the owner, 32 bytes. Wiped here. */
  readonly pairKey: Uint8Array;
  /** Opens the link to the other compute party, once the owner has asked for something. */
  readonly connectPeer: () => Promise<PeerChannel>;
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
  const session = new Session(options);
  const stop = (): void => session.stop();
  options.signal?.addEventListener('abort', stop);
  try {
    const opened = await session.open();
    for (let step = 0; ; step++) {
      const prepared = await session.prepare(opened, step);
      if (prepared === undefined) return await session.close(step === 0 ? 'discarded' : 'answered');
      await session.compute(opened, prepared, step);
      if (step === opened.asked.request.steps) return await session.close('answered');
      session.next(prepared);
    }
  } catch (error) {
    throw await session.fail(error);
  } finally {
    options.signal?.removeEventListener('abort', stop);
    session.wipe();
  }
}

/** The request is taken, and both other parties are there. */
interface Opened {
  readonly asked: Asked;
  readonly peer: PeerChannel;
  /** Whether the other compute party takes part in the same session. */
  readonly same: Promise<unknown>;
}

/** All that is dealt for a step is there, and a text follows. */
interface Prepared {
  readonly built: BuiltCircuit;
  readonly engine: Walk;
  readonly status: StatusSender;
}

/** What a session holds, so that whatever ends it finds it. */
class Session {
  readonly #options: ComputeOptions;
  readonly #circuits: Circuits;
  readonly #place: Place;
  readonly #patience: Patience;
  readonly #channels: Map<PartyId, Channel>;
  readonly #first = new FirstEnd();
  /** The name of the next control message that P0 waits for: where a failure can be told. */
  #expected: string | undefined = 'offer';
  #prg: PairPrg | undefined;
  #asked: Asked | undefined;
  #dealer: PartyDealer | undefined;
  #status: StatusSender | undefined;
  #engine: Walk | undefined;
  #turn: Turn | undefined;
  #kept: Kept = new Map();
  /** Whether a run is proved, and its text may be on the way. */
  #promised = false;

  constructor(options: ComputeOptions) {
    const { owner, circuits = new Circuits(), place = ownPlace(), patience = PATIENCE } = options;
    this.#options = options;
    this.#circuits = circuits;
    this.#place = place;
    this.#patience = patience;
    this.#channels = new Map([[0, owner]]);
    this.#first.watch(owner);
  }

  stop(): void {
    this.#abort(new TercetError('ERR_ABORTED', 'this party is shutting down', 'run again when it is back'));
  }

  /** From the request to the offer. */
  async open(): Promise<Opened> {
    const { owner, id, kernels, pairKey, session } = this.#options;
    this.#stopIfAborted();
    this.#prg = PairPrg.of(pairKey, firstStep(session));
    const own = linkName(pairKey);
    const waits = recvControl(owner, 'request');
    const fields = await awaitOwner(this.#place, waits, this.#patience.requestMs, 'ask for a run');
    const asked = readRequest(fields, this.#options);
    this.#asked = asked;
    this.#dealer = await admit(asked, fields, own, this.#options);
    // Only now: an owner that reached this party alone must not keep it waiting for the other one.
    const peer = await this.#options.connectPeer();
    this.#channels.set(id === 1 ? 2 : 1, peer);
    this.#first.watch(peer);
    // The party may have been stopped meanwhile.
    this.#stopIfAborted();
    const { request, model, plan, names, proved } = asked;
    const bound = compareBinding(peer, sessionBinding(session, request, model.hash, names));
    const same = bound.then(() => proved?.meet(peer, names));
    same.catch(() => undefined);
    const offer = { model: model.hash, config: configHash(model.config), plan, device: kernels.name };
    await sendControl(owner, 'offer', offerToJson({ ...offer, nonce: proved?.nonce }));
    this.#expected = 'ready';
    return { asked, peer, same };
  }

  /** Takes what is dealt for a step, and waits for its text. Undefined: none comes, and the owner has left. */
  async prepare(opened: Opened, step: number): Promise<Prepared | undefined> {
    const { asked, peer, same } = opened;
    const { owner, id, now } = this.#options;
    const [place, patience] = [this.#place, this.#patience];
    const built = await this.#circuit(asked, step);
    const status = new StatusSender(owner, peer, now, (error) => this.#abort(error));
    this.#status = status;
    return stepBegins(step, owner, async () => {
      const told = recvControl(owner, step === 0 ? 'start' : 'step');
      const [start] = await awaitOwner(place, Promise.all([told, same]), patience.startMs, 'begin');
      if (start.string('circuit') !== built.hash) throw mismatch('the data owner built another circuit');
      asked.proved?.check(start, step);
      const source = await sourceOf(owner, this.#dealer, built.hash, patience);
      const engine = this.#walk(opened, { built, status }, source.p0, step);
      this.#engine = engine;
      // Both parties wait for all of it: what one gets ahead depends on what the other is dealt.
      const dealing = dealt(engine, source.deals, patience, built.circuit, id);
      await (this.#dealer === undefined ? dealing : whileThere(owner, dealing));
      await this.#dealer?.taken();
      await sendControl(owner, 'ready', {});
      this.#expected = 'status';
      const follows = await waitForInput(owner, peer, place, patience, step === 0 ? 'prepared' : 'between');
      return follows ? { built, engine, status } : undefined;
    });
  }

  /** From a text to its answer and report. */
  async compute({ asked, peer }: Opened, { built, engine, status }: Prepared, step: number): Promise<void> {
    const { owner, id, turns = ALONE } = this.#options;
    const patience = this.#patience;
    const { cost, owner: inRounds } = built.circuit;
    this.#promised = asked.proved !== undefined;
    status.begin(2 * cost.rounds);
    const textMs = patience.textMs + msFor(Math.max(cost.p0ToP1Input, cost.p0ToP2Input), patience);
    await inTime(engine.input(), textMs, 'send its text');
    if (id === 1) {
      this.#turn = turns.ask(workOf(cost, asked.proved !== undefined));
      await awaitTurn({ owner, peer }, this.#turn, (before) => status.waits(before));
    } else await followTurn(peer);
    // Where P0 has a part in the rounds, its links carry nothing else meanwhile.
    const alone = inRounds !== undefined;
    if (alone) await status.finish(2 * cost.rounds);
    // While this party waits for the other one. Its error shows when the circuit is asked for.
    if (step < asked.request.steps) this.#circuit(asked, step + 1).catch(() => undefined);
    await engine.online();
    this.#turn?.moved(1);
    this.#turn?.end();
    this.#options.onRounds?.(cost.rounds, engine.proofs?.exchanges ?? 0);
    if (!alone) await status.finish(2 * cost.rounds);
    this.#expected = undefined;
    const answerMs = patience.textMs + msFor(cost.p1ToP0, patience) + provingMs(built.circuit, patience);
    await inTime(engine.output(), answerMs, 'take its answer');
    await this.#report(engine);
  }

  /** Another step follows. */
  next({ engine }: Prepared): void {
    this.#kept = engine.kept;
    const draws = this.#prg;
    this.#prg = draws?.next();
    draws?.wipe();
    this.#expected = 'ready';
    // Until the next text: all that there was to prove is proved, and nothing that is dealt follows from a text.
    this.#promised = false;
  }

  async close(end: SessionEnd): Promise<SessionEnd> {
    this.#place.leaves();
    await Promise.all([...[...this.#channels.values()].map((channel) => channel.close()), this.#dealer?.close()]);
    return end;
  }

  /** Ends the session for all parties. @returns what it failed with, as its audit gets it */
  async fail(error: unknown): Promise<TercetError> {
    this.#place.leaves();
    const own = asTercetError(error);
    const failure = this.#promised ? violated(own) : this.#first.beforeText(own);
    // A proved run says nothing more: whoever broke it learns no cause.
    const word = this.#promised ? undefined : this.#expected;
    // The other compute party is cut off at once; P0 gets the failure before its link goes.
    for (const [peer, channel] of this.#channels) if (peer !== 0 || word === undefined) channel.abort(failure);
    const told = word === undefined ? undefined : farewell(this.#options.owner, word, failure);
    await Promise.all([this.#dealer?.failed(failure), told]);
    return failure;
  }

  wipe(): void {
    this.#options.pairKey.fill(0);
    this.#turn?.end();
    this.#status?.stop();
    this.#prg?.wipe();
    this.#engine?.clear();
    wipeKept(this.#kept);
    this.#asked?.proved?.end();
  }

  #abort(error: unknown): void {
    for (const channel of this.#channels.values()) channel.abort(asTercetError(error));
  }

  #stopIfAborted(): void {
    if (this.#options.signal?.aborted === true) this.stop();
  }

  #circuit({ request, model, plan, proved }: Asked, step: number): Promise<BuiltCircuit> {
    return this.#circuits.get(model.config, plan, request, step, proved?.builder);
  }

  /** What computes a step: with its proofs, where it is proved. @param p0 all that stands in P0's place */
  #walk({ asked, peer }: Opened, { built, status }: Omit<Prepared, 'engine'>, p0: Channel, step: number): Walk {
    const { id, kernels, now, pairKey, signal, trace } = this.#options;
    const { request, model, plan, proved } = asked;
    const draws = this.#prg;
    const walk = {
      kernels,
      parameters: model.parameters,
      channels: new Map([...this.#channels, [0, p0] as const]),
      kept: this.#kept,
      signal,
      trace: trace === undefined ? undefined : { step, now, report: trace },
      onProgress: (progress: Progress) => {
        if (progress.phase === 'online') {
          status.progress(progress);
          this.#turn?.moved(progress.done / progress.total);
        }
        this.#options.onProgress?.(progress);
      },
    };
    return (
      proved?.walk({ ...walk, built, request, plan, model: model.hash }, peer, pairKey) ??
      new Engine({
        ...{ ...walk, id, circuit: built.circuit },
        ...{ k01: id === 1 ? draws : undefined, k02: id === 2 ? draws : undefined },
      })
    );
  }

  /** Of a step that is answered: what it cost, by link. */
  #report({ proofs }: Walk): Promise<void> {
    const { owner, kernels, peakMemory } = this.#options;
    const dealer = this.#dealer?.channel;
    const links = new Map<EndId, Channel>(this.#channels);
    if (dealer !== undefined) links.set(3, dealer);
    return sendControl(owner, 'report', reportToJson(reportOf(links, peakMemory(), kernels.name, proofs?.ms)));
  }
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
 * What is there once a step's input follows. An owner that has seen enough of a generated text leaves in the middle
 * of what it deals ahead, which is no failure: it had its answer. A proved run says of every link that ends that it
 * is a violation.
 */
async function stepBegins<T>(step: number, owner: Channel, prepare: () => Promise<T>): Promise<T | undefined> {
  try {
    return await prepare();
  } catch (error) {
    if (step === 0 || !isEndOfLink(error)) throw error;
    const byOwner = owner.ended.then((why) => asTercetError(why).code === 'ERR_PEER_CLOSED');
    const left = await Promise.race([byOwner, sleep(OWNER_LEAVES_MS).then(() => false)]);
    if (!left) throw error;
    return undefined;
  }
}
