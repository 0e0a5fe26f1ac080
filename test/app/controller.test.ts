import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Controller } from '../../src/app/controller.ts';
import { Store } from '../../src/app/store.ts';
import { TercetError } from '../../src/core/errors.ts';
import type {
  Capabilities,
  GenerateResult,
  Model,
  PredictResult,
  PrepareOptions,
  PretrainedOptions,
} from '../../src/owner/types/index.ts';
import { DEPLOYMENT } from '../../dev/scripted/scripted.ts';
import { links, predicted } from './support.ts';

const CAPABILITIES: Capabilities = {
  webgpu: { ok: true, detail: '' },
  wasm: { ok: true, detail: '' },
  webrtc: { ok: true, detail: '' },
  workers: { ok: true, detail: '' },
  threads: 1,
  crossOriginIsolated: false,
  device: 'webgpu',
};

/** A promise that the test settles. */
class Later<T> {
  resolve!: (value: T) => void;
  reject!: (error: unknown) => void;
  readonly promise = new Promise<T>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });
}

interface FakeModel {
  readonly model: Model;
  readonly prepares: {
    readonly length: number;
    readonly options: PrepareOptions | undefined;
    readonly signal: AbortSignal | undefined;
    readonly later: Later<void>;
  }[];
  readonly runs: {
    readonly text: string;
    readonly signal: AbortSignal | undefined;
    readonly later: Later<PredictResult>;
  }[];
  readonly generations: {
    readonly prompt: string;
    readonly signal: AbortSignal | undefined;
    readonly later: Later<GenerateResult>;
  }[];
}

/** A model whose every step waits for the test. */
function fakeModel(id: string, task: Model['task']): FakeModel {
  const prepares: FakeModel['prepares'] = [];
  const runs: FakeModel['runs'] = [];
  const generations: FakeModel['generations'] = [];
  const model: Model = {
    id,
    task,
    device: 'webgpu',
    layers: 4,
    maxTokens: 128,
    downloadedBytes: 1,
    async check(text) {
      const words = typeof text === 'string' ? text : text.context;
      const blanks = words.split('[MASK]').length - 1;
      const problem = blanks === 0 && task === 'fill-mask' ? { problem: new TercetError('ERR_NO_MASK', '', '') } : {};
      return { tokens: words.length, paddedTokens: words.length <= 40 ? 16 : 32, blanks, ...problem };
    },
    prepare(length, options) {
      const later = new Later<void>();
      prepares.push({ length, options, signal: options?.signal, later });
      return later.promise;
    },
    release: vi.fn(async () => undefined),
    predict(text, options) {
      const later = new Later<PredictResult>();
      runs.push({ text, signal: options?.signal, later });
      return later.promise;
    },
    labels: [],
    classify: () => new Later<never>().promise,
    classifyBatch: () => new Later<never>().promise,
    answerQuestion: () => new Later<never>().promise,
    extractEntities: () => new Later<never>().promise,
    embed: () => new Later<never>().promise,
    generate: (prompt, options) => {
      const later = new Later<GenerateResult>();
      generations.push({ prompt, signal: options?.signal, later });
      return Object.assign(later.promise, { async *[Symbol.asyncIterator]() {} });
    },
    async health() {
      return [
        { party: 1, ok: true },
        { party: 2, ok: true },
      ];
    },
    dispose: vi.fn(async () => undefined),
  };
  return { model, prepares, runs, generations };
}

async function setUp() {
  const made: (FakeModel & { readonly options: PretrainedOptions })[] = [];
  const store = new Store();
  const sdk = {
    loadDeployment: async () => DEPLOYMENT,
    capabilities: async () => CAPABILITIES,
    async fromPretrained(id: string, options: PretrainedOptions) {
      const task = DEPLOYMENT.entries.find((entry) => entry.id === id)?.task ?? 'fill-mask';
      const fake: FakeModel = fakeModel(id, task);
      made.push({ ...fake, options });
      return fake.model;
    },
  };
  const controller = new Controller(sdk, store, () => Date.now(), 100);
  await controller.start();
  await settle();
  return { store, controller, made };
}

/** Lets promises run without letting the pause in typing pass. */
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
const pause = (): Promise<unknown> => vi.advanceTimersByTimeAsync(500);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const SHORT = 'Paris is [MASK].';
const LONG = 'A sentence that is rather longer than the others and has a [MASK].';

it('a level of proofs is handed on with proofs, and not where there are none', async () => {
  const { store, controller, made } = await setUp();
  const { settings } = store.state;
  controller.setSettings({ ...settings, level: 256 });
  await settle();
  expect(made.at(-1)?.options.securityLevel).toBeUndefined();
  for (const protocol of ['3pc_malicious', 'aby3'] as const) {
    controller.setSettings({ ...settings, protocol, level: 256 });
    await settle();
    expect(made.at(-1)?.options).toMatchObject({ protocol, securityLevel: 256 });
  }
});

describe('preparing while somebody types', () => {
  it('waits for a pause, then prepares the bucket of the text once', async () => {
    const { store, controller, made } = await setUp();
    controller.edit({ text: 'Paris [MASK]' });
    controller.edit({ text: SHORT });
    await settle();
    expect(made[0].prepares).toHaveLength(0);
    await pause();
    controller.edit({ text: `${SHORT} ` });
    await pause();
    expect(made[0].prepares.map(({ length }) => length)).toEqual([16]);
    made[0].prepares[0].later.resolve();
    await settle();
    expect(store.state.preparation.status).toBe('ready');
  });

  it('prepares again for another bucket and drops the first', async () => {
    const { controller, made } = await setUp();
    controller.edit({ text: SHORT });
    await pause();
    controller.edit({ text: LONG });
    await pause();
    expect(made[0].prepares.map(({ length }) => length)).toEqual([16, 32]);
    expect(made[0].prepares[0].signal?.aborted).toBe(true);
    expect(made[0].prepares[1].signal?.aborted).toBe(false);
  });

  it('prepares nothing for a text that cannot run, or when it is turned off', async () => {
    const { store, controller, made } = await setUp();
    controller.edit({ text: 'no blank here' });
    await pause();
    controller.setSettings({ ...store.state.settings, prepareWhileTyping: false });
    controller.edit({ text: SHORT });
    await pause();
    expect(made).toHaveLength(1);
    expect(made[0].prepares).toHaveLength(0);
  });

  it('shows a failure, and does not try again at the next key', async () => {
    const { store, controller, made } = await setUp();
    controller.edit({ text: SHORT });
    await pause();
    made[0].prepares[0].later.reject(new TercetError('ERR_PEER_UNREACHABLE', '', ''));
    await settle();
    expect(store.state).toMatchObject({ slot: 'error', trouble: { failure: { code: 'ERR_PEER_UNREACHABLE' } } });
    controller.edit({ text: `${SHORT}!` });
    await pause();
    expect(made[0].prepares).toHaveLength(1);
  });
});

describe('the button', () => {
  it('waits for a preparation that is going, then asks once, then prepares the next run', async () => {
    const { store, controller, made } = await setUp();
    controller.edit({ text: SHORT });
    await pause();
    const run = controller.run();
    await settle();
    expect(store.state.slot).toBe('running');
    expect(made[0].runs).toHaveLength(0);
    made[0].prepares[0].later.resolve();
    await settle();
    made[0].runs[0].later.resolve(predicted(true));
    await run;
    expect(store.state.slot).toBe('result');
    await pause();
    expect(made[0].prepares).toHaveLength(2);
  });

  it('does not use keys of another bucket', async () => {
    const { controller, made } = await setUp();
    controller.edit({ text: SHORT });
    await pause();
    controller.edit({ text: LONG });
    void controller.run();
    await settle();
    expect(made[0].prepares[0].signal?.aborted).toBe(true);
    expect(made[0].runs.map(({ text }) => text)).toEqual([LONG]);
  });

  it('points at the text instead of running one that cannot run', async () => {
    const { store, controller, made } = await setUp();
    controller.edit({ text: 'no blank here' });
    await controller.run();
    expect(store.state).toMatchObject({ slot: 'idle', problemShown: true });
    expect(made[0].runs).toHaveLength(0);
  });

  it('stops: the signal fires, the text stays, a late answer is ignored', async () => {
    const { store, controller, made } = await setUp();
    controller.edit({ text: SHORT });
    const run = controller.run();
    await settle();
    controller.stop();
    expect(made[0].runs[0].signal?.aborted).toBe(true);
    expect(store.state).toMatchObject({ slot: 'idle', stopped: true, subject: { text: SHORT } });
    made[0].runs[0].later.resolve(predicted(false));
    await run;
    expect(store.state.outcome).toBeUndefined();
  });

  it('shows an error with the text still there, and runs again with the same model', async () => {
    const { store, controller, made } = await setUp();
    controller.edit({ text: SHORT });
    void controller.run();
    await settle();
    made[0].runs[0].later.reject(Object.assign(new TercetError('ERR_PEER_TIMEOUT', '', ''), { party: 2 }));
    await settle();
    expect(store.state).toMatchObject({ slot: 'error', subject: { text: SHORT }, trouble: { failure: { party: 2 } } });
    void controller.run();
    await settle();
    expect(made).toHaveLength(1);
    expect(made[0].runs).toHaveLength(2);
  });

  it('makes the model anew after a fault of the device', async () => {
    const { controller, made } = await setUp();
    controller.edit({ text: SHORT });
    void controller.run();
    await settle();
    made[0].runs[0].later.reject(new TercetError('ERR_DEVICE_LOST', '', ''));
    await settle();
    void controller.run();
    await settle();
    expect(made).toHaveLength(2);
    expect(made[1].runs).toHaveLength(1);
  });
});

describe('a text that grows', () => {
  it('is stopped by the signal, and what had come stays', async () => {
    const { store, controller, made } = await setUp();
    controller.setTask('text-generation');
    await settle();
    controller.edit({ text: 'Once upon a time', pieces: '7' });
    const run = controller.run();
    await settle();
    const [asked] = made[1].generations;
    expect(asked.prompt).toBe('Once upon a time');
    made[1].options.progress_callback?.({ status: 'token', index: 0, text: ' there', links: links(1e6, 1e3, 10) });
    controller.stop();
    expect(asked.signal?.aborted).toBe(true);
    asked.later.reject(new TercetError('ERR_ABORTED', '', ''));
    await run;
    expect(store.state).toMatchObject({
      slot: 'stopped',
      stopped: true,
      kept: { pieces: [{ text: ' there' }] },
      subject: { text: 'Once upon a time' },
    });
  });

  it('has keys made for as many pieces as are asked for, and other keys for another number', async () => {
    const { controller, made } = await setUp();
    controller.setTask('text-generation');
    await settle();
    controller.edit({ text: 'Once upon a time', pieces: '7' });
    await pause();
    controller.edit({ pieces: '8' });
    await pause();
    expect(made[1].prepares.map(({ options }) => options?.maxNewTokens)).toEqual([7, 8]);
    expect(made[1].prepares[0].signal?.aborted).toBe(true);
  });
});

describe('keys for a page that is in use, and for no other', () => {
  const SETTLED = 1_300;

  it('makes none for an example that nobody came to, and makes them once somebody is there', async () => {
    const { controller, made } = await setUp();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(made[0].prepares).toHaveLength(0);
    controller.came();
    await vi.advanceTimersByTimeAsync(SETTLED);
    expect(made[0].prepares).toHaveLength(1);
  });

  it('lets them go when the page is left, says so, and makes new ones when somebody comes back', async () => {
    const { store, controller, made } = await setUp();
    controller.came();
    await vi.advanceTimersByTimeAsync(SETTLED);
    made[0].prepares[0].later.resolve();
    await settle();
    expect(store.state.preparation.status).toBe('ready');
    controller.left('hidden');
    expect(made[0].model.release).toHaveBeenCalledOnce();
    expect(store.state.preparation).toMatchObject({ status: 'none', gone: 'hidden' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(made[0].prepares, 'not while nobody is there').toHaveLength(1);
    controller.came();
    await vi.advanceTimersByTimeAsync(SETTLED);
    expect(made[0].prepares).toHaveLength(2);
  });

  it.each([
    ['age', undefined, 'age', 2],
    ['lost', 'ERR_PEER_CLOSED', 'lost', 2],
    // Who was asked to give way does not press in again.
    ['lost', 'ERR_PEER_BUSY', 'asked', 1],
  ] as const)('hears that they are gone (%s, %s)', async (reason, code, gone, prepares) => {
    const { store, controller, made } = await setUp();
    controller.came();
    await vi.advanceTimersByTimeAsync(SETTLED);
    made[0].prepares[0].later.resolve();
    await settle();
    made[0].options.progress_callback?.({
      status: 'released',
      length: 16,
      reason,
      ...(code === undefined ? {} : { code }),
    });
    expect(store.state.preparation).toMatchObject({ status: 'none', gone });
    await vi.advanceTimersByTimeAsync(SETTLED);
    expect(made[0].prepares).toHaveLength(prepares);
  });

  it('says it quietly when keys that nobody typed for cannot be made', async () => {
    const { store, controller, made } = await setUp();
    controller.came();
    await vi.advanceTimersByTimeAsync(SETTLED);
    made[0].prepares[0].later.reject(new TercetError('ERR_PEER_UNREACHABLE', '', ''));
    await settle();
    expect(store.state).toMatchObject({ slot: 'idle', trouble: undefined, preparation: { gone: 'failed' } });
  });

  it('prepares nothing unasked while the settings are open', async () => {
    const { controller, made } = await setUp();
    controller.came();
    controller.choosing(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(made[0].prepares).toHaveLength(0);
    controller.choosing(false);
    await vi.advanceTimersByTimeAsync(SETTLED);
    expect(made[0].prepares).toHaveLength(1);
  });

  it('asks the parties how they are while somebody is there, and after an answer', async () => {
    const { controller, made } = await setUp();
    const health = vi.spyOn(made[0].model, 'health');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(health).not.toHaveBeenCalled();
    controller.came();
    await vi.advanceTimersByTimeAsync(31_000);
    expect(health).toHaveBeenCalledTimes(3);
    controller.left('idle');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(health).toHaveBeenCalledTimes(3);
    controller.edit({ text: SHORT });
    const run = controller.run();
    await settle();
    made[0].runs[0].later.resolve(predicted(false));
    await run;
    expect(health).toHaveBeenCalledTimes(4);
  });
});

describe('a choice that the parties do not serve', () => {
  it('is refused before anything is loaded, and not replaced', async () => {
    const { store, controller, made } = await setUp();
    controller.setSettings({ ...store.state.settings, weights: 'secret' });
    await settle();
    expect(made, 'the model of before, and no other').toHaveLength(1);
    expect(store.state).toMatchObject({
      slot: 'error',
      model: undefined,
      trouble: { failure: { code: 'ERR_MODEL_NOT_FOUND', found: 'weights' } },
    });
    controller.setTask('text-classification');
    await settle();
    expect(made[1].options.weights).toBe('secret');
  });
});

describe('one model at a time', () => {
  it('drops the old one with what it says', async () => {
    const { store, controller, made } = await setUp();
    controller.edit({ text: SHORT });
    await pause();
    controller.setTask('text-classification');
    await settle();
    expect(made).toHaveLength(2);
    expect(made[0].model.dispose).toHaveBeenCalledOnce();
    expect(made[0].prepares[0].signal?.aborted).toBe(true);
    made[0].options.progress_callback?.({ status: 'handshake', party: 1, milliseconds: 1 });
    expect(store.state).toMatchObject({
      task: 'text-classification',
      subject: { text: SHORT },
      proved: [false, false],
    });
  });

  it('ends the run when the page goes away', async () => {
    const { controller, made } = await setUp();
    controller.edit({ text: SHORT });
    void controller.run();
    await settle();
    controller.dispose();
    expect(made[0].runs[0].signal?.aborted).toBe(true);
    expect(made[0].model.dispose).toHaveBeenCalledOnce();
  });
});

describe('a credential', () => {
  it('is given to the model with secret weights alone, and is in nothing that is shown or reported', async () => {
    const { store, controller, made } = await setUp();
    // Served with both kinds of weights.
    controller.setTask('text-classification');
    await settle();
    expect(made.at(-1)?.options).not.toHaveProperty('credential');
    const file = new File(['{"key":"never shown"}'], 'alice.credential.json');
    controller.setSettings({ ...store.state.settings, weights: 'secret' });
    await settle();
    expect(made.at(-1)?.options.weights).toBe('secret');
    expect(made.at(-1)?.options).not.toHaveProperty('credential');
    controller.setCredential(file);
    await settle();
    expect(made.at(-1)?.options).toMatchObject({ weights: 'secret', credential: file });
    expect(store.state.credential).toBe('alice.credential.json');
    expect(Object.values(store.state)).not.toContain(file);
    controller.setSettings({ ...store.state.settings, weights: 'open' });
    await settle();
    expect(made.at(-1)?.options.weights).toBe('open');
    expect(made.at(-1)?.options).not.toHaveProperty('credential');
  });
});
