/**
 * A dealer in place of the owner's dealing (docs/adr/0023): the same answer, what is sent by whom, and everything that
 * a dealer, or somebody in its place, may do wrong.
 */
import { describe, expect, it } from 'vitest';
import { TercetError, asTercetError } from '../../src/core/errors.ts';
import { PairPrg, executionKey } from '../../src/mpc/prg/prg.ts';
import { memoryPair } from '../../src/testing/memory-link.ts';
import type { Channel, EndId } from '../../src/net/wire/types.ts';
import { sendControl } from '../../src/session/control.ts';
import { dealerProof, firstStep } from '../../src/session/dealing.ts';
import { type DealerOptions, serveDealing } from '../../src/session/dealer.ts';
import { circuitFor } from '../../src/session/circuit-for.ts';
import { type ServedModel, serveSession } from '../../src/session/compute.ts';
import { PATIENCE } from '../../src/session/place.ts';
import { ownerParameters } from '../../src/session/owner-parameters.ts';
import { OwnerSession } from '../../src/session/owner.ts';
import type { Request } from '../../src/session/request.ts';
import { randomWeights } from '../../src/ml/models/random.ts';
import { failure } from '../failure.ts';
import { seeded } from '../support/simulate.ts';
import { INPUT, MODEL, REQUEST, kernels, prepared, servedModel } from './harness.ts';

const DEALER = 'd1'.repeat(32);
const DEALT: Request = { ...REQUEST, dealer: DEALER };
const SESSION = seeded(16, 1, 1);

interface World {
  readonly owner: Promise<OwnerSession>;
  readonly ends: readonly Promise<unknown>[];
  readonly dealer: Promise<unknown>;
  /** The owner's ends, by the end at the other side. */
  readonly links: ReadonlyMap<EndId, Channel>;
  /** The dealer's ends of its links to party 1 and 2, and to the owner. */
  readonly dealerLinks: readonly [Channel, Channel, Channel];
  readonly sent: { readonly from: EndId; readonly to: EndId; readonly tag: string; readonly bytes: number }[];
}

interface WorldOptions {
  readonly request?: Request;
  readonly model?: ServedModel;
  /** What stands in the dealer's place. */
  readonly serve?: (options: DealerOptions, world: Pick<World, 'dealerLinks'>) => Promise<unknown>;
  readonly tap?: (from: EndId, to: EndId, tag: string, bytes: Uint8Array) => Uint8Array | undefined | void;
  readonly dealMs?: number;
  readonly changed?: Partial<DealerOptions>;
}

function world({ request = DEALT, model = MODEL, serve, tap, dealMs = 5_000, changed }: WorldOptions = {}): World {
  const sent: World['sent'] = [];
  const watch = {
    timeoutMs: 20_000,
    tap: ({ from, to }: { from: EndId; to: EndId }, tag: string, bytes: Uint8Array) => {
      sent.push({ from, to, tag, bytes: bytes.length });
      return tap?.(from, to, tag, bytes) ?? undefined;
    },
  };
  const [own1, one0] = memoryPair(0, 1, watch);
  const [own2, two0] = memoryPair(0, 2, watch);
  const [own3, dealer0] = memoryPair(0, 3, watch);
  const [one2, two1] = memoryPair(1, 2, watch);
  const [dealer1, one3] = memoryPair(3, 1, watch);
  const [dealer2, two3] = memoryPair(3, 2, watch);
  const party = (id: 1 | 2, owner: Channel, peer: Channel, fromDealer: Channel) =>
    serveSession({
      id,
      owner,
      pairKey: seeded(32, 7, id),
      connectPeer: async () => peer,
      expect: () => ({ channel: Promise.resolve(fromDealer), cancel: () => undefined }),
      session: SESSION,
      models: [model],
      kernels,
      now: () => performance.now(),
      peakMemory: () => 1,
      patience: { ...PATIENCE, dealMs },
    }).catch(asTercetError);
  const links = new Map<EndId, Channel>([
    [1, own1],
    [2, own2],
    [3, own3],
  ]);
  const ends = [party(1, one0, one2, one3), party(2, two0, two1, two3)];
  const dealerLinks = [dealer1, dealer2, dealer0] as const;
  const options: DealerOptions = {
    identity: DEALER,
    owner: dealer0,
    session: SESSION,
    check: () => undefined,
    connect: async (to) => (to === 1 ? dealer1 : dealer2),
    kernels,
    now: () => performance.now(),
    ...changed,
  };
  const dealer = (serve === undefined ? serveDealing(options) : serve(options, { dealerLinks })).catch(asTercetError);
  const owner = OwnerSession.open({
    config: model.config,
    request,
    channels: links,
    session: SESSION,
    pairKeys: [seeded(32, 7, 1), seeded(32, 7, 2)],
    kernels,
    parameters: ownerParameters(model.config, undefined),
    now: () => performance.now(),
    peakMemory: () => 1,
  });
  owner.catch(() => undefined);
  return { owner, ends, dealer, links, dealerLinks, sent };
}

/** Payload bytes of an end's messages by the end of their tag's first part. */
function bytesOf(sent: World['sent'], from: EndId, phase: string): number {
  return sent
    .filter((message) => message.from === from && message.tag.split('/')[0].endsWith(phase))
    .reduce((sum, { bytes }) => sum + bytes, 0);
}

describe('a dealer', () => {
  it('deals instead of the owner: the same answer word for word, the same rounds, and the owner sends its input alone', async () => {
    const alone = await prepared();
    const expected = await alone.session.run(INPUT);
    const { owner, ends, dealer, sent } = world();
    const session = await owner;
    await session.prepare();
    const result = await session.run(INPUT);
    // The same keys and masks: not only close.
    expect(result.logits).toEqual(expected.logits);
    expect(result.rounds).toBe(expected.rounds);
    expect(await Promise.all(ends)).toEqual(['answered', 'answered']);
    expect(await dealer).toBe(undefined);
    const { cost } = circuitFor(MODEL.config, MODEL.plan, REQUEST);
    const ahead = cost.p0ToP1Ahead + cost.p0ToP2Ahead;
    expect(ahead).toBeGreaterThan(1000);
    expect(bytesOf(sent, 3, '-deal')).toBe(ahead);
    expect(bytesOf(sent, 3, '-input')).toBe(0);
    expect(bytesOf(sent, 0, '-deal')).toBe(0);
    expect(bytesOf(sent, 0, '-input')).toBe(cost.p0ToP1Input + cost.p0ToP2Input);
    // Positive control: without a dealer the owner deals.
    expect(alone.sent.some(({ from, tag }) => from === 0 && tag.includes('-deal'))).toBe(true);
  });
});
void [PairPrg, executionKey, dealerProof, firstStep, sendControl, TercetError, randomWeights, servedModel, failure];
