/**
 * A dealer's session: deals one execution instead of its owner (docs/adr/0026-a-dealer.md).
 *
 * It is P0's dealing and nothing else: the same engine, with the keys of this execution, the shapes, and links that
 * carry what is dealt. It gets no input and no output. Together with either compute party it could read the text, so
 * it is chosen by the owner, by identity, for each run. For secret weights it gets the seeds of their masks, and could
 * so read the weights as well: the model's owner allows it, by identity (docs/adr/0036-a-permit-to-deal.md).
 */
import type { RingKernels } from '../compute/kernels/types.ts';
import { toHex } from '../core/bytes.ts';
import { TercetError, asTercetError, invariant } from '../core/errors.ts';
import { Refusal } from '../core/told.ts';
import { firstStep } from '../mpc/prg/gate-id.ts';
import { PairPrg } from '../mpc/prg/prg.ts';
import { Engine, type Progress } from '../mpc/protocol/frame/engine.ts';
import type { Kept } from '../mpc/protocol/frame/kept.ts';
import type { Trace } from '../mpc/protocol/trace.ts';
import type { Channel, PartyId } from '../net/wire/types.ts';
import { mismatch } from './agreement.ts';
import { Circuits } from './circuits.ts';
import { recvControl, sendControl, sendFailure } from './control.ts';
import { type HandOver, dealerProof, recvHandOver } from './dealing.ts';
import { withBoth } from './fault-attribution.ts';
import { type OwnerParameters, ownerParameters } from './owner-parameters.ts';
import { whileThere } from './party-dealer.ts';
import { PATIENCE, type Patience, type Place, awaitOwner, ownPlace } from './place.ts';
import { explained } from './last-word.ts';

export interface DealerOptions {
  /** This dealer's own identity, 64 hex digits. */
  readonly identity: string;
  readonly owner: Channel;
  readonly session: Uint8Array;
  /** Throws unless this is what the handshake asked for, and within the budgets. Asked before anything is built. */
  readonly check: (handOver: HandOver) => void;
  /** Opens a link of this dealer to a compute party, in the session `dealerSession(session)`. */
  readonly connect: (party: 1 | 2, handOver: HandOver) => Promise<Channel>;
  readonly kernels: RingKernels;
  readonly circuits?: Circuits | undefined;
  readonly now: () => number;
  readonly place?: Place | undefined;
  readonly patience?: Patience | undefined;
  readonly signal?: AbortSignal | undefined;
  onProgress?(progress: Progress): void;
  /** Steps of this dealer, as it works on them. */
  readonly trace?: Trace | undefined;
}

/**
 * Deals until the owner has what it asked for, or leaves.
 * @throws {TercetError} why it failed; by then its links are gone, and the owner has been told where it listens
 */
export async function serveDealing(options: DealerOptions): Promise<void> {
  const { owner, session, identity, kernels, place = ownPlace(), patience = PATIENCE } = options;
  const { circuits = new Circuits() } = options;
  const channels = new Map<PartyId, Channel>();
  const prgs: PairPrg[] = [];
  let engine: Engine | undefined;
  let weights: OwnerParameters | undefined;
  const stop = () => {
    for (const channel of [owner, ...channels.values()]) channel.abort(asTercetError(options.signal?.reason));
  };
  options.signal?.addEventListener('abort', stop);
  try {
    if (options.signal?.aborted === true) stop();
    // The owner comes before it has agreed with the compute parties.
    const {
      handOver,
      secrets: { keys, seeds },
    } = await awaitOwner(
      place,
      Refusal.of(() => recvHandOver(owner, identity)),
      patience.requestMs + patience.startMs,
      'hand over',
    );
    prgs.push(PairPrg.ofExecution(keys[0], firstStep(session)), PairPrg.ofExecution(keys[1], firstStep(session)));
    const proofs = [dealerProof(keys[0], session), dealerProof(keys[1], session)] as const;
    Refusal.from(() => options.check(handOver));
    const { request, config, plan } = handOver;
    const parameters = ownerParameters(config, seeds);
    weights = parameters;
    seeds?.fill(0);
    let circuitHash = handOver.circuit;
    let kept: Kept = new Map();
    for (let step = 0; ; step++) {
      const { circuit, hash } = await circuits.get(config, plan, request, step);
      if (circuitHash !== hash) throw Refusal.from(() => mismatch('the dealer built another circuit'));
      if (step === 0)
        await withBoth(async (party) => {
          channels.set(party, await whileThere(owner, options.connect(party, handOver)));
        });
      const own = prgs.slice(-2);
      engine = new Engine({
        id: 0,
        circuit,
        kernels,
        parameters,
        channels,
        k01: own[0],
        k02: own[1],
        kept,
        signal: options.signal,
        trace: options.trace === undefined ? undefined : { step, now: options.now, report: options.trace },
        onProgress: (progress) => options.onProgress?.(progress),
      });
      await whileThere(owner, deal(engine, channels, proofs, hash));
      ({ kept } = engine);
      engine.clear('dealt');
      for (const prg of own) prgs.push(prg.next());
      for (const prg of own) prg.wipe();
      await sendControl(owner, 'dealt', {});
      if (step === request.steps) break;
      const next = await awaitOwner(place, following(owner), patience.holdMs, 'ask for the next step', 'between');
      // An owner that has seen enough of a text.
      if (next === undefined) break;
      circuitHash = next;
    }
    place.leaves();
    await Promise.all([...channels.values(), owner].map((channel) => channel.close()));
  } catch (thrown) {
    place.leaves();
    const failure = asTercetError(thrown);
    for (const channel of channels.values()) channel.abort(failure);
    await farewell(owner, failure);
    throw failure;
  } finally {
    options.signal?.removeEventListener('abort', stop);
    for (const prg of prgs) prg.wipe();
    engine?.clear();
    weights?.wipe();
  }
}

/** One step, to both compute parties, each of which says that it has all of it. */
async function deal(
  engine: Engine,
  channels: ReadonlyMap<PartyId, Channel>,
  proofs: readonly [Uint8Array, Uint8Array],
  circuit: string,
): Promise<void> {
  const to = (party: 1 | 2): Channel => {
    const channel = channels.get(party);
    invariant(channel !== undefined, `there is no channel to party ${party}`);
    return channel;
  };
  await withBoth((party) => sendControl(to(party), 'deal', { circuit, key: toHex(proofs[party - 1]) }));
  const taken = withBoth((party) => recvControl(to(party), 'dealt'));
  // A party that takes no more says why, and that explains a link that broke.
  const dealt = engine.deal().catch((error: unknown) => explained(error, taken));
  await Promise.all([dealt, taken]);
}

/** The circuit of the next step, or undefined where the owner has left. */
async function following(owner: Channel): Promise<string | undefined> {
  try {
    return (await recvControl(owner, 'step')).string('circuit');
  } catch (error) {
    if (error instanceof TercetError && error.code === 'ERR_PEER_CLOSED') return undefined;
    throw error;
  }
}

/** How long an owner may take to hear why its dealing failed. */
const FAREWELL_MS = 5_000;

async function farewell(owner: Channel, failure: TercetError): Promise<void> {
  const late = setTimeout(() => owner.abort(failure), FAREWELL_MS);
  await sendFailure(owner, 'dealt', failure)
    .then(() => owner.close())
    .catch(() => undefined);
  clearTimeout(late);
}
