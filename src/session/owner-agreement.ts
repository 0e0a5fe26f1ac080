/** How a data owner's session begins: owner and compute parties agree on model, plan and circuit. */
import { abortedError } from '../core/abort.ts';
import { equalBytes, toHex } from '../core/bytes.ts';
import { SecurityViolationError, TercetError, invariant } from '../core/errors.ts';
import type { ModelPlan } from '../ml/models/plan.ts';
import { absentCredential } from '../net/enrolment/credential-terms.ts';
import { type Offer, checkOffers, offerFromJson } from './agreement.ts';
import { linkName } from './binding.ts';
import { type BuiltCircuit, Circuits, type RequestBuilder } from './circuits.ts';
import { recvControl, sendControl } from './control.ts';
import { checkDealt } from './dealt.ts';
import { withBoth } from './fault-attribution.ts';
import { HandedOver } from './handed-over.ts';
import { type ProvingSession, provingOf } from './proving.ts';
import { explained, explainedBy } from './last-word.ts';
import { type OwnerOptions, abortAll, channelTo } from './owner-options.ts';
import { type Request, SESSION_VERSION, checkShape } from './request.ts';

/** What all three parties hold to. */
export interface Agreed {
  readonly plan: ModelPlan;
  readonly circuits: Circuits;
  /** What circuits of the request are built with; undefined: as `Circuits` does. */
  readonly builder: ((request: Request) => RequestBuilder) | undefined;
  /** Of the first step. */
  readonly built: BuiltCircuit;
  /** Who deals in place of the owner, which then never deals itself. */
  readonly dealer: HandedOver | undefined;
  /** Of a run whose messages are proved. */
  readonly proved: ProvedOwner | undefined;
  readonly agreeMs: number;
}

/**
 * Agrees with both compute parties, then calls `begin`. The keys are wiped behind it: the generators have keys of
 * their own by then. A failure of either breaks both links.
 */
export async function withAgreement<T>(options: OwnerOptions, begin: (agreed: Agreed) => T): Promise<T> {
  const { channels, request, config, pairKeys, presented, permitted, traceparent } = options;
  checkShape(config, request);
  if (request.dealer !== undefined) {
    checkDealt(request);
    channelTo(channels, 3);
    if (request.weights === 'secret' && permitted === undefined) throw absentCredential('dealer');
  }
  const proving = provingOf(request, options.proving);
  const start = options.now();
  const stop = () => abortAll(channels, abortedError());
  options.signal?.addEventListener('abort', stop);
  try {
    if (options.signal?.aborted === true) throw abortedError();
    invariant(
      !equalBytes(pairKeys[0], pairKeys[1]),
      'both compute parties have one key: each would know all that the other knows',
    );
    const mine = proving?.begin(0);
    const names = [linkName(pairKeys[0]), linkName(pairKeys[1])] as const;
    const links = { '1': toHex(names[0]), '2': toHex(names[1]) };
    const ask = async (peer: 1 | 2): Promise<Offer> => {
      const channel = channelTo(channels, peer);
      const model = request.model ?? null;
      const asked = {
        version: SESSION_VERSION,
        ...request,
        model,
        links,
        credential: presented && toHex(presented[peer - 1]),
        permit: permitted && toHex(permitted.permit),
        nonce: mine && toHex(mine.nonce),
        traceparent,
      };
      const offered = recvControl(channel, 'offer');
      offered.catch(() => undefined);
      // A party that has no place says so and hangs up before it is asked.
      await sendControl(channel, 'request', asked).catch((error: unknown) => explained(error, offered));
      const malformed = () =>
        new TercetError('ERR_FRAME_FORMAT', `party ${peer} sent a malformed offer`, 'check its version', {
          party: peer,
        });
      return offerFromJson(await offered, config, malformed);
    };
    const offers = await bothOffers(channels, ask);
    const plan = checkOffers(offers, config, request.model);
    const circuits = options.circuits ?? new Circuits();
    const builder = proving && ((asked: Request) => proving.builder(asked));
    const built = await circuits.get(config, plan, request, 0, builder);
    const proved = mine === undefined ? undefined : agreeOn(mine, offers, names);
    const begins = { circuit: built.hash, session: proved && toHex(proved.session) };
    await withBoth(async (peer) => {
      const channel = channelTo(channels, peer);
      // Meanwhile the party may have given the place to somebody else.
      await sendControl(channel, 'start', begins).catch((error: unknown) => explainedBy(channel, 'ready', error));
    });
    const handOver = { request, config, plan, circuit: built.hash };
    const dealer =
      request.dealer === undefined
        ? undefined
        : HandedOver.of(channelTo(channels, 3), handOver, {
            pairKeys,
            session: options.session,
            seeds: permitted?.seeds,
          });
    return begin({ plan, circuits, builder, built, dealer, proved, agreeMs: options.now() - start });
  } catch (thrown) {
    permitted?.seeds.fill(0);
    throw abortAll(channels, options.signal?.aborted === true ? abortedError() : thrown);
  } finally {
    options.signal?.removeEventListener('abort', stop);
    // The generators have keys of their own by now, derived for this execution.
    for (const pairKey of pairKeys) pairKey.fill(0);
  }
}

/**
 * Waits for both. A party that has offered waits only for the other one's offer, and may let go of the session
 * meanwhile; then the other one fails too, and the cause is what the first says.
 */
async function bothOffers(
  channels: OwnerOptions['channels'],
  ask: (peer: 1 | 2) => Promise<Offer>,
): Promise<readonly [Offer, Offer]> {
  const asked = { 1: ask(1), 2: ask(2) };
  return withBoth(async (peer) => {
    const offer = await asked[peer];
    const channel = channelTo(channels, peer);
    const never = new Promise<never>(() => undefined);
    const other = asked[peer === 1 ? 2 : 1].then(
      () => undefined,
      () => never,
    );
    const ended = await Promise.race([other, channel.ended]);
    return ended === undefined ? offer : explainedBy(channel, 'ready', ended);
  });
}

/** A run whose messages are proved, at its owner. */
interface ProvedOwner {
  readonly mine: ProvingSession;
  /** What all three nonces make. */
  readonly session: Uint8Array;
  /** Hash of the model that both compute parties serve. */
  readonly model: string;
}

/** @throws {SecurityViolationError} where a compute party gave no nonce */
function agreeOn(
  mine: ProvingSession,
  [one, two]: readonly [Offer, Offer],
  names: readonly [Uint8Array, Uint8Array],
): ProvedOwner {
  if (one.nonce === undefined || two.nonce === undefined) throw new SecurityViolationError('agreement');
  return { mine, session: mine.agree([mine.nonce, one.nonce, two.nonce], names), model: one.model };
}
