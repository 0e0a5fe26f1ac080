/** The deployment document, the buckets of padding, and the pipeline's own refusals. */
import { describe, expect, it } from 'vitest';
import { bucketFor, bucketsOf } from '../../src/owner/buckets.ts';
import { capabilitiesOf } from '../../src/owner/capabilities.ts';
import { loadDeployment, parseDeployment } from '../../src/owner/deployment.ts';
import type { Environment } from '../../src/owner/environment.ts';
import { serversHealth } from '../../src/owner/health.ts';
import { NODE_BASE } from '../../src/owner/environment-node.ts';
import { besideDeployment } from '../../src/owner/model-files.ts';
import { toEnvelope, fromEnvelope } from '../../src/sdk/worker/result-envelope.ts';
import { TercetError } from '../../src/core/errors.ts';
import { failure } from '../failure.ts';

const HEX = 'ab'.repeat(32);
const OTHER = 'cd'.repeat(32);
const GOOD = {
  version: 1,
  parties: [
    { url: 'https://alder.example', identity: HEX, operator: 'Alder', place: 'Frankfurt' },
    { url: 'http://127.0.0.1:7202', identity: OTHER },
  ],
  models: 'models',
  entries: [
    {
      id: 'tiny',
      task: 'fill-mask',
      title: 'tiny',
      weights: { open: HEX },
      files: { 'config.json': { sha256: HEX, bytes: 3 } },
      examples: [{ label: 'one', text: 'x [MASK]' }],
    },
  ],
};

/** GOOD with one place changed. */
function changed(path: readonly (string | number)[], value: unknown): unknown {
  const copy = structuredClone(GOOD) as unknown as Record<string | number, unknown>;
  let at = copy;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
  at[path[path.length - 1]] = value;
  return copy;
}

describe('a deployment', () => {
  it('is read as it was written', () => {
    expect(parseDeployment(GOOD)).toEqual({ ...GOOD, iceServers: [] });
    expect(parseDeployment({ ...GOOD, iceServers: [{ urls: 'stun:stun.example:3478' }] }).iceServers).toEqual([
      { urls: ['stun:stun.example:3478'] },
    ]);
  });

  it.each([
    ['question-answering', { question: 'who?' }],
    ['token-classification', {}],
    ['text-generation', {}],
    ['feature-extraction', {}],
  ])('may have a model for %s, with a question where there is one to ask', async (task, more) => {
    const examples = [{ label: 'one', text: 'x', ...more }];
    const entry = { ...GOOD.entries[0], task, examples };
    expect(parseDeployment(changed(['entries'], [entry])).entries[0]).toEqual(entry);
    const hub = { repository: 'acme/tiny', commit: '0123456789'.repeat(4) };
    expect(parseDeployment(changed(['entries'], [{ ...entry, hub }])).entries[0]).toEqual({ ...entry, hub });
    const without = {
      ...entry,
      examples: [{ label: 'one', text: 'x', ...('question' in more ? {} : { question: 'who?' }) }],
    };
    expect(
      (await failure('ERR_MODEL_CONFIG', () => parseDeployment(changed(['entries'], [without])))).message,
    ).toContain('entries[0].examples[0].question');
  });

  it.each<[string, unknown]>([
    ['version', changed(['version'], 2)],
    ['parties', changed(['parties'], GOOD.parties.slice(1))],
    ['parties[0].url', changed(['parties', 0, 'url'], 'http://alder.example')],
    ['parties[0].url', changed(['parties', 0, 'url'], 'javascript:alert(1)')],
    ['parties[1].url', changed(['parties', 1, 'url'], 'http://127.0.0.1.example')],
    ['parties[0].identity', changed(['parties', 0, 'identity'], HEX.toUpperCase())],
    // One party in both places.
    ['parties[1].identity', changed(['parties', 1, 'identity'], HEX)],
    ['parties[1].url', changed(['parties', 1, 'url'], 'https://alder.example/')],
    ['parties[1].url', changed(['parties', 1, 'url'], 'https://ALDER.example:443?x')],
    ['parties[1].operator', changed(['parties', 1, 'operator'], 7)],
    ['entries', changed(['entries'], { tiny: {} })],
    ['entries[0].id', changed(['entries', 0, 'id'], '../tiny')],
    ['entries[0].task', changed(['entries', 0, 'task'], 'translation')],
    ['entries[0].weights.open', changed(['entries', 0, 'weights', 'open'], 'ab')],
    ['entries[0].files', changed(['entries', 0, 'files'], { '../../etc/passwd': { sha256: HEX, bytes: 1 } })],
    ['entries[0].files.config.json.sha256', changed(['entries', 0, 'files', 'config.json'], { sha256: 'x', bytes: 1 })],
    ['entries[0].files.config.json.bytes', changed(['entries', 0, 'files', 'config.json', 'bytes'], -1)],
    [
      'entries[0].files.config.json.bytes',
      changed(['entries', 0, 'files', 'config.json', 'bytes'], 64 * 1024 * 1024 + 1),
    ],
    ['entries[0].examples[0].text', changed(['entries', 0, 'examples', 0], { label: 'x' })],
    ['iceServers[0].urls', { ...GOOD, iceServers: [{ urls: 'https://x' }] }],
    ['the document', null],
  ])('with a wrong %s is refused, and the field is named', async (field, value) => {
    expect((await failure('ERR_MODEL_CONFIG', () => parseDeployment(value))).message).toContain(field);
  });
});

describe('a program, which has no page', () => {
  const nothing = { fetch: () => Promise.reject(new Error('nothing is asked for')), signal: undefined };

  it('is told that a relative address is none, and asks nobody', async () => {
    await failure('ERR_ARGUMENT', () => loadDeployment('/tercet.json', NODE_BASE, nothing));
    const document = parseDeployment(GOOD);
    const { base } = await loadDeployment(document, NODE_BASE, nothing);
    const read = besideDeployment(document, document.entries[0], base, nothing);
    await failure('ERR_ARGUMENT', () => read('config.json', () => undefined));
    // Control: a page asks for both.
    const paged = besideDeployment(document, document.entries[0], 'http://127.0.0.1/', nothing);
    await failure('ERR_DOWNLOAD', () => paged('config.json', () => undefined));
    await failure('ERR_DOWNLOAD', () => loadDeployment('/tercet.json', 'http://127.0.0.1/', nothing));
  });
});

describe('health', () => {
  it('is asked for below the address of each party, where a proxy has it below a path', async () => {
    const asked: string[] = [];
    const deployment = parseDeployment(changed(['parties', 0, 'url'], 'https://proxy.example/alder/'));
    const fetch = async (url: string) => {
      asked.push(url);
      return Response.json({ identity: url.startsWith('https') ? HEX : OTHER });
    };
    const found = await serversHealth(deployment, undefined, { fetch, now: () => 0 } as unknown as Environment);
    expect(asked).toEqual(
      ['https://proxy.example/alder', 'http://127.0.0.1:7202'].flatMap((party) => [
        `${party}/v1/party`,
        `${party}/v1/health`,
      ]),
    );
    expect(found.map(({ ok }) => ok)).toEqual([true, true]);
  });

  it('is asked of a chosen dealer too, which is named as one', async () => {
    const dealer = { url: 'https://dealer.example', identity: 'ef'.repeat(32) };
    const answer = (identity: string) => async (url: string) =>
      Response.json(
        url.endsWith('health') ? { status: 'full' } : { identity: url.includes('dealer') ? identity : HEX },
      );
    const ask = (identity: string) =>
      serversHealth(parseDeployment(GOOD), dealer, { fetch: answer(identity), now: () => 0 } as unknown as Environment);
    expect((await ask(dealer.identity))[2]).toMatchObject({ party: 3, ok: true, load: 'full' });
    const { ok, error } = (await ask(HEX))[2];
    expect(ok).toBe(false);
    expect(error).toMatchObject({ code: 'ERR_IDENTITY_KEY', message: expect.stringMatching(/^the dealer shows/) });
  });
});

describe('buckets', () => {
  it('end with the model’s maximum, without repeats, in order', () => {
    expect(bucketsOf(undefined, 128)).toEqual([16, 32, 64, 128]);
    expect(bucketsOf(undefined, 10)).toEqual([10]);
    expect(bucketsOf([64, 8, 64, 1000], 512)).toEqual([8, 64, 512]);
    expect([2, 16, 17, 128, 129].map((tokens) => bucketFor(bucketsOf(undefined, 128), tokens))).toEqual([
      16,
      16,
      32,
      128,
      undefined,
    ]);
  });

  it('are cut where a model has no positions left for what follows, and hold nothing that does not fit', () => {
    const buckets = bucketsOf([16, 32], 40);
    expect([8, 20, 30].map((tokens) => bucketFor(buckets, tokens, 10))).toEqual([16, 30, 30]);
    expect(bucketFor(buckets, 31, 10)).toBeUndefined();
  });

  it.each([[[0]], [[1.5]], [[Number.NaN]]])('of %j are refused', async (wanted) => {
    await failure('ERR_ARGUMENT', () => bucketsOf(wanted, 128));
  });
});

describe('errors across a port', () => {
  it('keep code, hint and party, and a code that is none becomes an internal error', async () => {
    const sent = structuredClone(
      await toEnvelope(async () => {
        throw new TercetError('ERR_PEER_CLOSED', 'party 2: gone', 'run again', {
          party: 2,
          cause: new Error('inside'),
        });
      }),
    );
    const error = await failure('ERR_PEER_CLOSED', () => fromEnvelope(sent));
    expect([error.hint, error.party, error.cause]).toEqual(['run again', 2, undefined]);
    await failure('ERR_INTERNAL', () =>
      fromEnvelope({ ok: false, error: { code: 'ERR_NEW', message: 'x', hint: 'y', party: undefined } }),
    );
    expect(fromEnvelope(await toEnvelope(async () => 5))).toBe(5);
  });
});

describe('capabilities', () => {
  const place = {
    gpu: undefined,
    secureContext: true,
    webrtc: true,
    workers: true,
    threads: 1,
    crossOriginIsolated: false,
  };
  const adapter = (info: Partial<GPUAdapterInfo>) =>
    ({
      requestAdapter: async () => ({
        info: { vendor: '', architecture: '', device: '', description: '', isFallbackAdapter: false, ...info },
      }),
    }) as unknown as GPU;

  it.each([
    ['no-api', { ...place }],
    ['insecure-context', { ...place, secureContext: false, gpu: adapter({}) }],
    ['no-adapter', { ...place, gpu: { requestAdapter: async () => null } as unknown as GPU }],
    ['no-adapter', { ...place, gpu: { requestAdapter: async () => Promise.reject(new Error('x')) } as unknown as GPU }],
  ])('say why WebGPU is not there (%s), and take WebAssembly', async (reason, where) => {
    const { webgpu, device } = await capabilitiesOf(where);
    expect(webgpu).toMatchObject({ ok: false, reason });
    expect(device).toBe('wasm');
  });

  it('take a graphics device, but not one that is software', async () => {
    expect(
      (await capabilitiesOf({ ...place, gpu: adapter({ vendor: 'nvidia', architecture: 'hopper' }) })).device,
    ).toBe('webgpu');
    const software = await capabilitiesOf({
      ...place,
      gpu: adapter({ vendor: 'google', architecture: 'swiftshader' }),
    });
    expect(software.device).toBe('wasm');
    expect(software.webgpu).toMatchObject({ ok: true, detail: expect.stringContaining('in software') });
    expect((await capabilitiesOf({ ...place, webrtc: false })).webrtc).toMatchObject({ ok: false, reason: 'no-api' });
  });
});
