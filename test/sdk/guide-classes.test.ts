/**
 * The classes of the user guide are views on a model and nothing more: the same answers, each share sent once, every
 * run counted, and nothing of a text in what they print.
 */
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { WasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { TercetError } from '../../src/core/errors.ts';
import type { Model, PartyHealth } from '../../src/owner/types/index.ts';
import { openByPeers } from '../../src/sdk/local/data-owner.ts';
import {
  DataOwnerParty,
  MetricsCollector,
  MpcCoordinator,
  checkPartyConnectivity,
  getHealthStatus,
} from '../../src/sdk/node.ts';
import { OwnerParty } from '../../src/sdk/owner-party.ts';
import { runTask } from '../../src/sdk/any-task.ts';
import { failure, thrown } from '../failure.ts';
import { memorySite } from './memory-site.ts';

const TEXT = 'the [MASK] sat';
let model: Model;
/** Of the runs that the model was asked for. */
let prepared: number[] = [];

beforeAll(async () => {
  const module = await loadNodeModule();
  const wasm = () => new WasmKernels({ party: PartyOperations, module, threads: 0 });
  const real = await (await memorySite('filler', undefined, wasm())).load({}, wasm());
  model = new Proxy(real, {
    get(target, property) {
      const value = Reflect.get(target, property, target) as unknown;
      if (property === 'prepare')
        return (length: number, options: object) => {
          prepared.push(length);
          return target.prepare(length, options);
        };
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
});
afterAll(() => model.dispose());

describe('DataOwnerParty', () => {
  it('shares, distributes and gives the result; shares are sent once', async () => {
    prepared = [];
    const party = new OwnerParty(async () => ({ model }));
    await failure('ERR_STATE', party.shareInput(TEXT), /not started/);
    await party.start();
    await failure('ERR_STATE', party.getComputationResult(), /nothing was distributed/);
    const shares = await party.shareInput(TEXT);
    expect(prepared).toEqual([shares.paddedTokens]);
    expect(`${inspect(shares, { depth: 9, showHidden: true })}${JSON.stringify(shares)}`).not.toContain('sat');
    const second = await party.shareInput(TEXT);
    party.distributeShares(shares);
    thrown('ERR_STATE', () => party.distributeShares(second));
    const result = await party.getComputationResult();
    if (result.task !== 'fill-mask') throw new Error(result.task);
    expect(result.predictions).toHaveLength(5);
    expect(result.cost.preparedAhead).toBe(true);
    expect(await party.getComputationResult()).toBe(result);
    thrown('ERR_STATE', () => party.distributeShares(shares));
    // What another party made is nothing here.
    thrown('ERR_STATE', () => new OwnerParty(async () => ({ model })).distributeShares(second));
  });

  it('says what is wrong with a text before anything is dealt', async () => {
    const party = new OwnerParty(async () => ({ model }));
    await party.start();
    prepared = [];
    await failure('ERR_NO_MASK', party.shareInput('no blank'));
    expect(prepared).toEqual([]);
  });

  it('ends at the end of a block, and may be started again when it did not open', async () => {
    const ends: string[] = [];
    const held = { dispose: async () => void ends.push('model') } as unknown as Model;
    let fails = true;
    const open = async () => {
      if (fails) throw new TercetError('ERR_DOWNLOAD', 'nothing there', 'try again');
      return { model: held, close: async () => void ends.push('links') };
    };
    {
      await using party = new OwnerParty(open);
      await failure('ERR_DOWNLOAD', party.start());
      fails = false;
      await party.start();
      expect(ends).toEqual([]);
    }
    expect(ends).toEqual(['model', 'links']);
  });

  const peers = ['127.0.0.1:7001', '127.0.0.1:7002'] as const;
  const pins = ['a'.repeat(64), 'b'.repeat(64)] as const;
  it.each([
    ['another number', { model: 'capitals-bert', partyId: 1, peers }, /party 0/],
    [
      'an option that has no effect',
      { model: 'capitals-bert', peers, identities: pins, transport: 'webrtc' },
      /no option/,
    ],
    ['no proof', { model: 'capitals-bert', peers }, /proof of who is there/],
    ['two proofs', { model: 'capitals-bert', peers, identities: pins, tlsCert: 'a' }, /proof of who is there/],
    ['half a certificate', { model: 'capitals-bert', peers, tlsCert: 'a' }, /belong together/],
    ['one party twice', { model: 'capitals-bert', peers, identities: [pins[0], pins[0]] }, /one party twice/],
    ['no key', { model: 'capitals-bert', peers, identities: ['x', pins[1]] }, /no public key/],
    ['an address', { model: 'capitals-bert', peers: ['here', peers[1]], identities: pins }, /HOST:PORT/],
  ])('refuses %s', async (_what, options, says) => {
    const party = new DataOwnerParty(options as unknown as ConstructorParameters<typeof DataOwnerParty>[0]);
    await failure('ERR_ARGUMENT', party.start(), says);
  });

  it('refuses a model that is nowhere', () =>
    failure('ERR_MODEL_NOT_FOUND', openByPeers({ model: 'nowhere', peers, identities: pins }), /capitals-bert/));
});

describe('MpcCoordinator', () => {
  it.each([
    ['two parties', { numParties: 2 }, /three parties/],
    ['parties elsewhere', { local: false }, /this machine/],
    ['three ports', { ports: [8001, 8002, 8003] }, /two numbers/],
    ['what it does not know', { gpu: true }, /no option/],
  ])('refuses %s', (_what, options, says) => {
    expect(thrown('ERR_ARGUMENT', () => new MpcCoordinator(options as object)).message).toMatch(says);
  });

  it('runs nothing before its parties, and stops nothing twice', async () => {
    const coordinator = new MpcCoordinator();
    await failure('ERR_STATE', coordinator.runInference(TEXT));
    await coordinator.stopAllParties();
    await coordinator[Symbol.asyncDispose]();
  });
});

it('a text of the wrong kind is refused, by the task of the model', async () => {
  await failure('ERR_ARGUMENT', runTask(model, { question: 'who', context: 'the cat' }), /no questions/);
  const reader = { task: 'question-answering', id: 'reader' } as unknown as Model;
  await failure('ERR_ARGUMENT', runTask(reader, 'who'), /answers questions/);
});

const up = (party: 1 | 2, more: Partial<PartyHealth> = {}): PartyHealth => ({
  party,
  ok: true,
  milliseconds: 3,
  ...more,
});
const down = (code: 'ERR_IDENTITY_KEY' | 'ERR_PEER_UNREACHABLE'): PartyHealth => ({
  ...{ party: 2, ok: false, error: new TercetError(code, 'no', 'ask') },
});
const asked = (...parties: readonly PartyHealth[]) => ({
  device: 'wasm' as const,
  health: async () => parties as never,
});

describe('MetricsCollector', () => {
  it('counts the runs of the model that it gives back, and what they took', async () => {
    let now = 0;
    const collector = new MetricsCollector(() => now);
    await failure('ERR_STATE', collector.getMetrics());
    const timing = { totalMs: 500, computeMs: 250 };
    const cost = { timing, peakMemoryBytes: [3e6, 0, 0], sentBytes: [40, 0, 0] };
    const watched = collector.start({
      device: 'webgpu',
      health: asked(up(1), up(2, { milliseconds: 8 })).health,
      predict: async (text: string) => {
        if (text === '') throw new TercetError('ERR_TEXT_EMPTY', 'no text', 'give one');
        return { cost };
      },
      embed: async () => ({ costs: [cost, { ...cost, timing: { ...timing, totalMs: 1500 } }] }),
      generate: async () => ({ cost }),
    } as unknown as Model);
    thrown('ERR_STATE', () => collector.start(model));
    await failure('ERR_TEXT_EMPTY', watched.predict(''));
    await watched.predict(TEXT);
    await watched.generate(TEXT);
    await watched.embed(TEXT);
    now = 4_000;
    expect(await collector.getMetrics()).toEqual({
      ...{ runs: 4, failures: 1, inferenceTime: 1.5, meanInferenceTime: 0.75 },
      ...{ gpuUtilization: 0.25, memoryUsageMb: 3, networkLatency: 8, sentBytes: 160 },
    });
  });
});

describe('health', () => {
  it.each([
    [[up(1), up(2)], 'healthy', 'connected', 'proved'],
    [[up(1), up(2, { load: 'full' })], 'busy', 'connected', 'proved'],
    [[up(1), down('ERR_PEER_UNREACHABLE')], 'down', 'disconnected', 'unproved'],
    [[up(1), down('ERR_IDENTITY_KEY')], 'down', 'disconnected', 'violated'],
  ] as const)('%#', async (parties, status, networkStatus, securityStatus) => {
    const said = await getHealthStatus(asked(...parties));
    expect(said).toEqual({ status, networkStatus, securityStatus, gpuAvailable: false, parties });
  });

  it('tells each party by its number', async () => {
    expect([...(await checkPartyConnectivity(asked(up(1), down('ERR_IDENTITY_KEY'))))]).toEqual([
      [1, 'connected'],
      [2, 'ERR_IDENTITY_KEY'],
    ]);
  });
});
