/** A session of all three parties in this process, over links in memory. */
import type { RingKernels } from '../../compute/kernels/types.ts';
import { type TercetError, asTercetError } from '../../core/errors.ts';
import { type MemoryOptions, memoryPair } from '../../net/simulated/memory-link.ts';
import type { Channel, PartyId, PeerChannel } from '../../net/wire/types.ts';
import type { Circuits } from '../../session/circuits.ts';
import { type SessionEnd, serveSession } from '../../session/compute.ts';
import type { ServedModel } from '../../session/model.ts';
import type { OwnerOptions } from '../../session/owner-options.ts';
import { PATIENCE } from '../../session/place.ts';
import type { Proving } from '../../session/proving.ts';

/** All three parties have one thread between them: nobody is impatient. */
const PATIENT = {
  ...PATIENCE,
  ...{ requestMs: 600_000, startMs: 600_000, dealMs: 600_000, silenceMs: 600_000, textMs: 600_000 },
};

export interface SessionOptions {
  /** Of P1 and P2. */
  readonly served: readonly [ServedModel, ServedModel];
  readonly kernels: RingKernels;
  /** Shared by all parties. */
  readonly circuits: Circuits;
  readonly proving: Proving | undefined;
  /** The ends of a party's links, where it does not follow the protocol. */
  readonly corrupt?: ((self: PartyId, channel: Channel) => Channel) | undefined;
  readonly tap?: MemoryOptions['tap'];
  readonly signal?: AbortSignal | undefined;
  /** Longest wait of a party for one message. */
  readonly timeoutMs?: number | undefined;
  /** What the links' keys and the session are drawn by (default: this machine's generator). */
  readonly random?: ((length: number) => Uint8Array) | undefined;
}

/** What the owner of such a session has. */
export type OwnerEnd = Pick<
  OwnerOptions,
  'config' | 'kernels' | 'proving' | 'session' | 'pairKeys' | 'now' | 'peakMemory' | 'signal'
> & {
  readonly circuits: Circuits;
  readonly channels: readonly [Channel, Channel];
};

export interface SessionResult<T> {
  /** Undefined where the owner failed. */
  readonly value: T | undefined;
  /** Of P0, P1 and P2: why it failed, or undefined. */
  readonly errors: readonly (TercetError | undefined)[];
}

const drawn = (length: number) => crypto.getRandomValues(new Uint8Array(length));

/** A session to its end, whatever that is. */
export async function sessionInProcess<T>(
  options: SessionOptions,
  own: (end: OwnerEnd) => Promise<T>,
): Promise<SessionResult<T>> {
  const { served, kernels, circuits, proving, tap, signal, timeoutMs = 600_000, random = drawn } = options;
  const { corrupt = (_self, channel) => channel } = options;
  const session = random(16);
  const pairKeys = [random(32), random(32)] as const;
  const secret = random(32);
  const link = (a: PartyId, b: PartyId) => memoryPair(a, b, { timeoutMs, tap });
  const [own1, one0] = link(0, 1);
  const [own2, two0] = link(0, 2);
  const [one2, two1] = link(1, 2);
  const common = {
    ...{ session, kernels, circuits, proving, signal },
    now: () => performance.now(),
    peakMemory: () => 1,
  };
  const serve = (id: 1 | 2, owner: Channel, peer: Channel): Promise<SessionEnd | TercetError> =>
    serveSession({
      ...common,
      id,
      owner: corrupt(id, owner),
      pairKey: pairKeys[id - 1].slice(),
      connectPeer: async (): Promise<PeerChannel> => Object.assign(corrupt(id, peer), { secret: () => secret.slice() }),
      models: [served[id - 1]],
      patience: PATIENT,
    }).catch(asTercetError);
  const ends = [serve(1, one0, one2), serve(2, two0, two1)];
  let value: T | undefined;
  let failed: TercetError | undefined;
  try {
    value = await own({
      ...common,
      config: served[0].config,
      channels: [corrupt(0, own1), corrupt(0, own2)],
      pairKeys: [pairKeys[0].slice(), pairKeys[1].slice()],
    });
  } catch (error) {
    failed = asTercetError(error);
  }
  const others = (await Promise.all(ends)).map((end) => (typeof end === 'string' ? undefined : end));
  return { value, errors: [failed, ...others] };
}
