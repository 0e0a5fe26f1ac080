/**
 * A dealer in place of the owner's dealing (docs/adr/0026): the same answer, what is sent by whom, and everything that
 * a dealer, or somebody in its place, may do wrong.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OT_SIBLINGS } from '../../src/compute/kernels/ot-base.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { TercetError, asTercetError } from '../../src/core/errors.ts';
import { toHex } from '../../src/core/bytes.ts';
import { firstStep } from '../../src/mpc/prg/gate-id.ts';
import { PairPrg } from '../../src/mpc/prg/prg.ts';
import { asEnd } from '../../src/net/wire/as-end.ts';
import { memoryPair } from '../../src/net/simulated/memory-link.ts';
import type { Channel, EndId } from '../../src/net/wire/types.ts';
import { type Json, sendControl, sendFailure } from '../../src/session/control.ts';
import {
  type ExecutionKeys,
  type HandOver,
  dealerProof,
  executionKeys,
  recvHandOver,
  sendHandOver,
} from '../../src/session/dealing.ts';
import { type DealerOptions, serveDealing } from '../../src/session/dealer.ts';
import { circuitFor } from '../../src/session/circuit-for.ts';
import { serveSession } from '../../src/session/compute.ts';
import type { ServedModel } from '../../src/session/model.ts';
import { PATIENCE } from '../../src/session/place.ts';
import { ownerParameters } from '../../src/session/owner-parameters.ts';
import { OwnerSession } from '../../src/session/owner.ts';
import type { Request } from '../../src/session/request.ts';
import { parseModelConfig } from '../../src/ml/config.ts';
import { randomWeights } from '../../src/ml/models/random.ts';
import type { WeightSource } from '../../src/ml/models/weights.ts';
import { Enrolment } from '../../src/net/enrolment/enrolment.ts';
import { issuePermit } from '../../src/net/enrolment/permit.ts';
import { createIdentity } from '../../src/net/identity/identity.ts';
import { failure } from '../failure.ts';
import { ARCHITECTURES, planOf, shapesOf } from '../support/architectures.ts';
import { seeded } from '../support/simulate.ts';
import { TINY } from '../ml/tiny-bert.ts';
import { INPUT, REQUEST, SHAPE, prepared, servedModel, servedSecret, source, start } from './harness.ts';

/** Of all parties: the readable ones are slow where masks of whole matrices, or transfers, are made. */
const on = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });
afterAll(() => on.close());
const MODEL = await servedModel(source, on);

const DEALER = 'd1'.repeat(32);
const DEALT: Request = { ...REQUEST, dealer: DEALER };
const SESSION = seeded(16, 1, 1);

const GPT2 = parseModelConfig({
  ...{ model_type: 'gpt2', architectures: ['GPT2LMHeadModel'], activation_function: 'gelu_new', n_embd: 8, n_layer: 1 },
  ...{ n_head: 2, n_positions: 32, vocab_size: 20, layer_norm_epsilon: 1e-5 },
});

const TEXT_SHAPE = { sequences: 1, tokens: 4, rows: 0, padded: false, pair: false, steps: 2 } as const;

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
  /** What party 1 and party 2 serve, with secret weights. */
  readonly secret?: Awaited<ReturnType<typeof secretModel>>;
  /** What the owner shows for its dealer; the model owner's, unless a test says otherwise. */
  readonly permit?: Uint8Array | 'none';
  /** What stands in the dealer's place. */
  readonly serve?: ((options: DealerOptions, world: Pick<World, 'dealerLinks'>) => Promise<unknown>) | undefined;
  readonly tap?: (from: EndId, to: EndId, tag: string, bytes: Uint8Array) => Uint8Array | undefined | void;
  readonly dealMs?: number;
  readonly changed?: Partial<DealerOptions> | undefined;
}

/** The same model with secret weights, of an owner that allows `DEALER`. */
async function secretModel(weights: WeightSource) {
  const { parties, seeds } = await servedSecret(weights, on);
  const key = await createIdentity();
  const [{ hash: sharing }] = parties;
  const enrolment = new Enrolment({ sharing, publicKey: key.publicKey });
  const served = parties.map((party) => ({ ...party, enrolment }));
  const allow = (dealer: string, of = sharing) => issuePermit({ sharing: of, dealer }, key);
  return { parties: served, seeds, allow, sharing };
}

function world({
  request = DEALT,
  secret,
  model = secret?.parties[0] ?? MODEL,
  permit,
  serve,
  tap,
  dealMs = 60_000,
  changed,
}: WorldOptions = {}): World {
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
      models: [secret?.parties[id - 1] ?? model],
      kernels: on,
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
    kernels: on,
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
    kernels: on,
    parameters: ownerParameters(model.config, secret?.seeds),
    ...(secret === undefined || permit === 'none'
      ? {}
      : { permitted: { seeds: secret.seeds.slice(), permit: permit ?? secret.allow(DEALER) } }),
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
    const alone = await prepared({ model: MODEL, on });
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

  it('deals the base of transfers as well: the same answer, and the owner sends nothing ahead', async () => {
    const alone = await prepared({ request: { ...REQUEST, widening: 'ot' }, model: MODEL, on });
    const expected = await alone.session.run(INPUT);
    const { owner, ends, dealer, sent } = world({ request: { ...DEALT, widening: 'ot' } });
    const session = await owner;
    await session.prepare();
    expect((await session.run(INPUT)).logits).toEqual(expected.logits);
    expect(await Promise.all(ends)).toEqual(['answered', 'answered']);
    expect(await dealer).toBe(undefined);
    const { cost } = circuitFor(MODEL.config, MODEL.plan, { ...REQUEST, widening: 'ot' });
    expect(bytesOf(sent, 3, '-deal')).toBe(cost.p0ToP1Ahead + cost.p0ToP2Ahead);
    // A base for each direction: widenings, and selections that are widened at once.
    expect(bytesOf(sent, 3, 'ot-base-deal')).toBe(2 * OT_SIBLINGS);
    expect(bytesOf(sent, 0, '-deal')).toBe(0);
    // Of transfers nothing goes to who deals, and nothing comes from there but their base.
    expect(sent.filter(({ to, tag }) => to === 3 && !tag.startsWith('control/')).map(({ tag }) => tag)).toEqual([]);
    expect(sent.filter(({ from, tag }) => from === 3 && tag.includes('widen'))).toEqual([]);
    // Positive control: with the dealer's words it sends some for every widening.
    const words = world();
    await (await words.owner).prepare();
    expect(words.sent.filter(({ from, tag }) => from === 3 && tag.includes('widen')).length).toBeGreaterThan(5);
    await (await words.owner).discard();
  });

  it('deals every step of a text, as the owner would', async () => {
    const model = await servedModel(randomWeights(GPT2, 6), on);
    const request: Request = { model: model.hash, protocol: '3pc_semi_honest', weights: 'open', ...TEXT_SHAPE };
    const text = async (session: OwnerSession) => {
      await session.prepare();
      const logits = [(await session.run([{ inputIds: [2, 9, 4, 17], rows: [] }])).logits];
      for (const step of [1, 2]) {
        await session.prepare();
        logits.push((await session.next({ tokenId: 3 + step, position: 3 + step })).logits);
      }
      return logits;
    };
    const alone = await text((await prepared({ model, request, on })).session);
    const { owner, ends, dealer, sent } = world({ model, request: { ...request, dealer: DEALER } });
    expect(await text(await owner)).toEqual(alone);
    expect(await Promise.all(ends)).toEqual(['answered', 'answered']);
    expect(await dealer).toBe(undefined);
    expect(bytesOf(sent, 0, '-deal')).toBe(0);
  });

  it('is left with the owner: a text that nobody wants ends at all four', async () => {
    const { owner, ends, dealer } = world();
    const session = await owner;
    await session.prepare();
    await session.discard();
    expect(await Promise.all(ends)).toEqual(['discarded', 'discarded']);
    expect(await dealer).toBe(undefined);
    await failure('ERR_STATE', () => session.run(INPUT));
  });
});

/** A text of secret weights, dealt or not: its logits, step by step, and how it ended at the parties. */
async function told(started: Pick<World, 'owner' | 'ends'>, text: readonly number[], steps: number) {
  const session = await started.owner;
  await session.prepare();
  const logits = [(await session.run([{ inputIds: text, rows: steps > 0 ? [] : [2] }])).logits];
  for (let step = 1; step <= steps; step++) {
    await session.prepare();
    const position = text.length + step - 1;
    logits.push((await session.next({ tokenId: 3 + step, position })).logits);
  }
  return { logits, ends: await Promise.all(started.ends) };
}

describe('a dealer for secret weights', () => {
  let secret: Awaited<ReturnType<typeof secretModel>>;
  beforeAll(async () => {
    secret = await secretModel(source);
  });

  it.each([
    ['a blank', source, SHAPE, INPUT[0].inputIds, 1],
    ['a text that goes on', randomWeights(GPT2, 6), TEXT_SHAPE, [2, 9, 4, 17], 2],
  ] as const)(
    'deals %s instead of the owner, who keeps its look-ups: the same answer word for word',
    async (_name, weights, shape, text, tables) => {
      const secret = await secretModel(weights);
      const [model] = secret.parties;
      const request: Request = { model: model.hash, protocol: '3pc_semi_honest', weights: 'secret', ...shape };
      const alone = start({
        model,
        request,
        seeds: secret.seeds,
        on,
        compute: (id) => ({ models: [secret.parties[id - 1]] }),
      });
      const expected = await told(alone, text, shape.steps);
      const { sent, dealer, ...started } = world({ secret, request: { ...request, dealer: DEALER } });
      expect(await told(started, text, shape.steps)).toEqual({ ...expected, ends: ['answered', 'answered'] });
      expect(await dealer).toBe(undefined);
      const costs = Array.from(
        { length: shape.steps + 1 },
        (_, step) => circuitFor(model.config, model.plan, request, step).cost,
      );
      const sum = (of: (cost: (typeof costs)[number]) => number) => costs.reduce((total, cost) => total + of(cost), 0);
      expect(bytesOf(sent, 3, '-deal')).toBe(sum((cost) => cost.p0ToP1Ahead + cost.p0ToP2Ahead));
      expect(bytesOf(sent, 3, '-input')).toBe(0);
      expect(bytesOf(sent, 0, '-deal')).toBe(0);
      expect(bytesOf(sent, 0, '-input')).toBe(sum((cost) => cost.p0ToP1Input + cost.p0ToP2Input));
      // Beyond open weights: the word Γ2 of every looked-up row of every secret table, which depends on the token.
      const open = circuitFor(model.config, model.plan, { ...request, weights: 'open' }).cost;
      expect(costs[0].p0ToP2Input - open.p0ToP2Input).toBe(tables * 8 * model.config.hiddenSize * shape.tokens);
    },
  );

  it('sees the same whatever the text and whatever the weights: keys, seeds, shapes, and that it is done', async () => {
    const view = async (weights: WeightSource, text: readonly number[]) => {
      const made = await secretModel(weights);
      // The plan is public and follows from the weights; here the weights alone differ.
      const secret = { ...made, parties: made.parties.map((party) => ({ ...party, plan: MODEL.plan })) };
      const heard: string[] = [];
      const others: string[] = [];
      const request: Request = { ...DEALT, weights: 'secret', model: secret.sharing };
      const run = world({
        secret,
        request,
        tap: (from, to, tag, bytes) => void (to === 3 ? heard : others).push(`${from} ${to} ${tag} ${toHex(bytes)}`),
      });
      await told(run, text, 0);
      return {
        heard: heard.toSorted((a, b) => (a < b ? -1 : 1)),
        others: others.filter((message) => message.startsWith('0 2 lookup-input')),
      };
    };
    const [{ inputIds }] = INPUT;
    const one = await view(source, inputIds);
    const two = await view(randomWeights(TINY, 6), [2, 11, 4, 5, 3]);
    expect(one.heard.length).toBeGreaterThan(4);
    expect(one.heard.some((message) => message.includes('control/seeds'))).toBe(true);
    expect(two.heard).toEqual(one.heard);
    // Positive control: what the owner sends to party 2 for its look-ups does depend on the text.
    expect(one.others.length).toBeGreaterThan(1);
    expect(two.others).not.toEqual(one.others);
  });

  it('is allowed by the model owner alone: each compute party refuses any other dealer, sharing or signature', async () => {
    const request: Request = { ...DEALT, weights: 'secret', model: secret.sharing };
    const refused = async (permit: Uint8Array) => {
      const { owner, ends, sent } = world({ secret, request, permit });
      await failure('ERR_CREDENTIAL_DEALER', () => owner);
      for (const end of await Promise.all(ends)) expect(end).toMatchObject({ code: 'ERR_CREDENTIAL_DEALER' });
      // Neither party went on to the other one, and nobody was handed anything.
      expect(sent.filter(({ from, to }) => from + to === 3 && from !== 0 && to !== 0)).toEqual([]);
      expect(sent.filter(({ from, to }) => from === 0 && to === 3)).toEqual([]);
    };
    await refused(secret.allow('d2'.repeat(32)));
    await refused(secret.allow(DEALER, 'ab'.repeat(32)));
    await refused(issuePermit({ sharing: secret.sharing, dealer: DEALER }, await createIdentity()));
    // Positive control.
    const { owner, ends } = world({ secret, request });
    const session = await owner;
    await session.prepare();
    await session.discard();
    expect(await Promise.all(ends)).toEqual(['discarded', 'discarded']);
  });

  it('is refused by the owner itself without a permit, before anything is sent', async () => {
    const { owner, sent } = world({ secret, request: { ...DEALT, weights: 'secret' }, permit: 'none' });
    await failure('ERR_CREDENTIAL_DEALER', () => owner);
    expect(sent.filter(({ from }) => from === 0)).toEqual([]);
  });

  it('is handed one attempt: a second hand-over on its link ends it, and so does one without seeds', async () => {
    const request: Request = { ...DEALT, weights: 'secret', model: secret.sharing };
    const [{ config, plan }] = secret.parties;
    const handOver = { request, config, plan, circuit: 'ab'.repeat(32) };
    const keys = [seeded(32, 1, 1), seeded(32, 1, 2)] as const;
    const { owner, ends, dealer, links } = world({ secret, request });
    const session = await owner;
    await session.prepare();
    const link = links.get(3) as Channel;
    await sendHandOver(link, handOver, { keys, seeds: secret.seeds }).catch(() => undefined);
    await session.run(INPUT);
    expect(await Promise.all(ends)).toEqual(['answered', 'answered']);
    expect(await dealer).toBe(undefined);
    const [own, there] = memoryPair(0, 3, { timeoutMs: 300 });
    await sendHandOver(own, handOver, { keys, seeds: undefined });
    await failure('ERR_PEER_TIMEOUT', () => recvHandOver(there, DEALER));
  });
});

/** Something else in the dealer's place: it reads what it is handed and goes on as `act` says. */
function instead(
  act: (links: World['dealerLinks'], keys: ExecutionKeys, handOver: HandOver) => Promise<void>,
): WorldOptions['serve'] {
  return async ({ owner }, { dealerLinks }) => {
    const { handOver, secrets } = await recvHandOver(owner, DEALER);
    await act(dealerLinks, secrets.keys, handOver);
  };
}

/** What an honest dealer says first, with the keys of an attempt. */
async function begin(
  [one, two]: World['dealerLinks'],
  keys: ExecutionKeys,
  { circuit }: Pick<HandOver, 'circuit'>,
  session = SESSION,
): Promise<void> {
  for (const [i, channel] of [one, two].entries())
    await sendControl(channel, 'deal', { circuit, key: toHex(dealerProof(keys[i], session)) });
}

describe('a dealer that does not follow the protocol', () => {
  it('and drops out is named: at the owner, and at both compute parties', async () => {
    const serve = instead(async (links, keys, handOver) => {
      await begin(links, keys, handOver);
      for (const link of links) link.abort(new Error('gone'));
    });
    const { owner, ends } = world({ serve });
    const error = await failure('ERR_PEER_CLOSED', async () => (await owner).prepare());
    expect(error.party).toBe(3);
    expect(error.message).toContain('the dealer');
    for (const end of await Promise.all(ends)) expect(end).toMatchObject({ code: 'ERR_PEER_CLOSED' });
    expect(((await ends[0]) as TercetError).party).toBe(3);
  });

  it('and never comes is named, after the time that dealing has', async () => {
    const { owner, ends } = world({ serve: instead(() => new Promise(() => undefined)), dealMs: 300 });
    const error = await failure('ERR_PEER_TIMEOUT', async () => (await owner).prepare());
    expect(error.party).toBe(3);
    for (const end of await Promise.all(ends)) expect(end).toMatchObject({ code: 'ERR_PEER_TIMEOUT', party: 3 });
  });

  it('and sends a message of another length is refused by the party that it goes to', async () => {
    const { owner, ends } = world({
      tap: (from, to, tag, bytes) => (from === 3 && to === 2 && tag.includes('-deal/') ? bytes.slice(1) : undefined),
    });
    const error = await failure('ERR_FRAME_LENGTH', async () => (await owner).prepare());
    expect(error.party).toBe(3);
    expect(await ends[1]).toMatchObject({ code: 'ERR_FRAME_LENGTH', party: 3 });
  });

  it('and has the keys of an old attempt is refused before it deals a word', async () => {
    const old = seeded(16, 9, 9);
    const serve = instead(async (links, _keys, handOver) => {
      const keys = executionKeys([seeded(32, 7, 1), seeded(32, 7, 2)], old);
      await begin(links, keys, handOver, old);
    });
    const { owner, ends, sent } = world({ serve });
    const error = await failure('ERR_PEER_MISMATCH', async () => (await owner).prepare());
    expect(error.party).toBe(3);
    for (const end of await Promise.all(ends)) expect(end).toMatchObject({ code: 'ERR_PEER_MISMATCH', party: 3 });
    expect(bytesOf(sent, 3, '-deal')).toBe(0);
  });

  it('and comes before its owner has begun is let go with the session', async () => {
    const { owner, ends, dealerLinks, links } = world({ serve: () => new Promise(() => undefined) });
    await owner;
    for (const party of [1, 2] as const) links.get(party)?.abort(new Error('gone'));
    await Promise.all(ends);
    for (const link of dealerLinks.slice(0, 2)) expect(await link.ended).toMatchObject({ code: 'ERR_PEER_CLOSED' });
  });

  it('and deals another circuit is refused', async () => {
    const serve = instead((links, keys) => begin(links, keys, { circuit: 'ab'.repeat(32) }));
    const error = await failure('ERR_PEER_MISMATCH', async () => (await world({ serve }).owner).prepare());
    expect(error.party).toBe(3);
  });

  it('cannot send an input: its link carries what is dealt and nothing else', async () => {
    const serve = instead(async (links, keys, handOver) => {
      await begin(links, keys, handOver);
      await links[1].send('lookup-input/0', new Uint8Array(8));
    });
    const { owner, ends } = world({ serve });
    const error = await failure('ERR_FRAME_TAG', async () => (await owner).prepare());
    expect(error.party).toBe(3);
    expect(await ends[1]).toMatchObject({ code: 'ERR_FRAME_TAG', party: 3 });
  });

  it('gets no output, and no report of how far the parties are', async () => {
    const { owner, sent } = world();
    const session = await owner;
    await session.prepare();
    await session.run(INPUT);
    const toDealer = sent.filter(({ to, from }) => to === 3 && from !== 0);
    expect(new Set(toDealer.map(({ tag }) => tag))).toEqual(new Set(['control/dealt-length', 'control/dealt']));
    // Positive control: the owner gets both.
    const toOwner = sent.filter(({ to, from }) => to === 0 && from === 1).map(({ tag }) => tag.split('/')[0]);
    expect(toOwner).toContain('output-output');
  });
});

describe('an owner that named a dealer', () => {
  it('cannot deal as well: a dealt message on its link is refused by its tag', async () => {
    const { owner, ends, links } = world();
    const session = await owner;
    await session.prepare();
    await links.get(2)?.send('select-deal/3', new Uint8Array(8));
    await session.run(INPUT).catch(() => undefined);
    expect(await ends[1]).toMatchObject({ code: 'ERR_FRAME_TAG' });
  });

  it('hears through the dealer what a compute party said to it: the code, and which party', async () => {
    const serve = instead(([, , owner]) => {
      const report = new TercetError('ERR_PEER_BUSY', 'words of party 1', 'try again', { party: 1 });
      return sendFailure(owner, 'dealt', report);
    });
    const error = await failure('ERR_PEER_BUSY', async () => (await world({ serve }).owner).prepare());
    expect(error.party).toBe(1);
    // In words of a table, not in those that came.
    expect(error.message).toBe('party 1, says the dealer: all its places are taken');
  });

  it('is priced by the dealer before anything is built', async () => {
    const refusal = new TercetError('ERR_TOO_LARGE', 'too large', 'split');
    const { owner, dealer, sent } = world({
      changed: {
        check: () => {
          throw refusal;
        },
      },
    });
    const error = await failure('ERR_TOO_LARGE', async () => (await owner).prepare());
    expect(error.party).toBe(3);
    expect(await dealer).toMatchObject({ code: 'ERR_TOO_LARGE' });
    expect(sent.filter(({ from, to }) => from === 3 && to !== 0)).toEqual([]);
  });
});

describe('what an owner hands over', () => {
  it('is taken of every architecture with every head, all but its labels', async () => {
    const keys = [seeded(32, 1, 1), seeded(32, 1, 2)] as const;
    for (const [, config] of ARCHITECTURES) {
      const [own, there] = memoryPair(0, 3, { timeoutMs: 1000 });
      const request: Request = { ...DEALT, ...shapesOf(config)[0] };
      const handOver = { request, config, plan: planOf(config, 'wide', 8), circuit: 'ab'.repeat(32) };
      await sendHandOver(own, handOver, { keys, seeds: undefined });
      expect((await recvHandOver(there, DEALER)).handOver.config).toEqual({ ...config, id2label: [] });
    }
  });

  it('are the keys of this execution, from which no pair key follows, and of no other', () => {
    const pair = seeded(32, 7, 1);
    const [key] = executionKeys([pair, seeded(32, 7, 2)], SESSION);
    expect(toHex(key)).not.toBe(toHex(pair));
    expect(toHex(key)).not.toBe(toHex(executionKeys([pair, pair], seeded(16, 2, 2))[0]));
    // The same masks as the owner's own generator draws.
    const id = { gate: 1, purpose: 'mask2', table: 0, direction: 0 } as const;
    const own = PairPrg.of(pair, firstStep(SESSION)).claim(id, {}, 'λ2');
    const handed = PairPrg.ofExecution(key, firstStep(SESSION)).claim(id, {}, 'λ2');
    expect(toHex(handed.key)).toBe(toHex(own.key));
  });

  it.each([
    ['a size beyond any model', { config: { hiddenSize: 1e9 } }, 'ERR_FRAME_FORMAT'],
    ['sizes that do not fit together', { config: { heads: 7 } }, 'ERR_FRAME_FORMAT'],
    ['an ε that no model has', { config: { layerNormEps: 1e300 } }, 'ERR_FRAME_FORMAT'],
    ['an ε below zero', { config: { layerNormEps: -1 } }, 'ERR_FRAME_FORMAT'],
    ['a shape that the model does not have', { request: { tokens: 100_000 } }, 'ERR_PEER_MISMATCH'],
    ['another protocol', { request: { protocol: '3pc_malicious' } }, 'ERR_PROTOCOL_UNAVAILABLE'],
    ['a way to widen that nobody knows', { request: { widening: 'none' } }, 'ERR_FRAME_FORMAT'],
    ['another version', { version: 1 }, 'ERR_PEER_MISMATCH'],
  ] as const)('is refused with %s', async (_name, changed: Changed, code) => {
    const [owner, dealer] = memoryPair(0, 3, { timeoutMs: 5_000 });
    const said: Record<string, Json> = {};
    const recorder = { ...asChannel(owner), send: async (_tag: string, bytes: Uint8Array) => record(said, bytes) };
    const secrets = { keys: [seeded(32, 1, 1), seeded(32, 1, 2)] as const, seeds: undefined };
    const handOver = { request: DEALT, config: MODEL.config, plan: MODEL.plan, circuit: 'ab'.repeat(32) };
    await sendHandOver(recorder, handOver, secrets);
    const send = async (body: Changed) => {
      const { config, request } = said as { config: object; request: object };
      await sendControl(owner, 'hand-over', {
        ...said,
        ...body,
        config: { ...config, ...body.config },
        request: { ...request, ...body.request },
      } as Json);
      await owner.send('control/keys', new Uint8Array(64));
      return recvHandOver(dealer, DEALER);
    };
    await failure(code, () => send(changed));
    // Positive control: what the owner itself sends is read.
    const [again, there] = memoryPair(0, 3, { timeoutMs: 5_000 });
    await sendHandOver(again, handOver, secrets);
    expect((await recvHandOver(there, DEALER)).handOver.request).toEqual(DEALT);
  });
});

interface Changed {
  readonly version?: number;
  readonly config?: Readonly<Record<string, Json>>;
  readonly request?: Readonly<Record<string, Json>>;
}

function asChannel(channel: Channel): Channel {
  return asEnd(channel, {});
}

/** The body of a control message, as its owner would send it. */
function record(said: Record<string, Json>, bytes: Uint8Array): void {
  if (bytes[0] === 0x7b) Object.assign(said, JSON.parse(new TextDecoder().decode(bytes)));
}
