/**
 * Models whose public files come from a hub: what is asked for, what is kept, and that the deployment's pins hold
 * whoever sends the files.
 */
import { describe, expect, it } from 'vitest';
import type { ModelEntry, PretrainedOptions } from '../../src/owner/types/index.ts';
import { testFile, testSharing } from '../support/enrolment.ts';
import { failure } from '../failure.ts';
import { memorySite } from './memory-site.ts';

const COMMIT = 'c0ffee'.padEnd(40, '0');
const FILES = ['config.json', 'tokenizer.json', 'tokenizer_config.json'];
const onHub = () => memorySite('filler', (entry) => ({ ...entry, hub: { repository: 'acme/filler', commit: COMMIT } }));

describe('a model whose files come from a hub', () => {
  it('is asked for at the commit that the deployment names, answers, and is kept', async () => {
    const site = await onHub();
    const model = await site.load({ hub: true });
    expect(site.addresses).toHaveLength(FILES.length);
    expect(new Set(site.addresses)).toEqual(
      new Set(FILES.map((file) => `https://huggingface.co/acme/filler/resolve/${COMMIT}/${file}`)),
    );
    expect(model.downloadedBytes).toBeGreaterThan(0);
    expect((await model.predict('the cat [MASK]')).predictions).toHaveLength(5);
    await model.dispose();
    const states = site.events
      .filter((event) => 'file' in event && event.file === 'config.json')
      .map(({ status }) => status);
    expect(states).toEqual(['initiate', 'download', 'progress', 'done']);

    site.fetched.length = 0;
    site.events.length = 0;
    for (const hub of [true, { offline: true }] as const) {
      const again = await site.load({ hub });
      expect(again.downloadedBytes).toBe(0);
      await again.dispose();
    }
    expect(site.fetched).toEqual([]);
    expect(
      site.events.filter((event) => 'file' in event && event.file === 'config.json').map(({ status }) => status),
    ).toEqual(['initiate', 'download', 'done', 'initiate', 'download', 'done']);
  });

  it('comes from the mirror that is named, and no hub is asked where none is', async () => {
    const site = await onHub();
    await (await site.load({ hub: { endpoint: 'https://mirror.example/hub/' } })).dispose();
    expect(
      site.addresses.every((address) =>
        address.startsWith(`https://mirror.example/hub/acme/filler/resolve/${COMMIT}/`),
      ),
    ).toBe(true);
    site.addresses.length = 0;
    for (const hub of [false, undefined]) await (await site.load({ hub } as PretrainedOptions)).dispose();
    expect(new Set(site.addresses.map((address) => new URL(address).host))).toEqual(new Set(['127.0.0.1']));
    expect(site.addresses).toHaveLength(2 * FILES.length);
  });

  it.each([
    ['a byte more', (real: Uint8Array) => Uint8Array.of(...real, 32), 'ERR_INTEGRITY', /longer than/],
    [
      'another bit',
      (real: Uint8Array) => real.map((byte, i) => (i === 3 ? byte ^ 1 : byte)),
      'ERR_INTEGRITY',
      /hash differs/,
    ],
  ] as const)(
    'is refused with %s than the deployment pins, and nothing is kept of it',
    async (_what, fault, code, says) => {
      const site = await onHub();
      const real = site.file('config.json');
      site.faults.set('config.json', fault(real));
      const error = await failure(code, () => site.load({ hub: true }));
      expect(error.message).toMatch(says);
      site.faults.clear();
      await (await site.load({ hub: true })).dispose();
    },
    20_000,
  );

  it('has nothing more from anywhere with secret weights: what opens them is in the credential', async () => {
    const sharing = await testSharing();
    const credential = await testFile(sharing, { expires: Math.floor(Date.now() / 1000) + 1000 });
    const site = await memorySite('filler', () => ({
      weights: { secret: sharing.sharing },
      hub: { repository: 'acme/filler', commit: COMMIT },
    }));
    for (const _load of [1, 2]) await (await site.load({ hub: true, weights: 'secret', credential })).dispose();
    expect(site.addresses.filter((address) => !address.startsWith('https://huggingface.co/'))).toEqual([]);
    expect([...new Set(site.fetched)].sort()).toEqual(['config.json', 'tokenizer.json', 'tokenizer_config.json']);
  });

  it('that is not kept cannot be loaded offline', async () => {
    const error = await failure('ERR_MODEL_NOT_FOUND', async () => (await onHub()).load({ hub: { offline: true } }));
    expect(error.line()).toMatch(/not in the cache.*without offline/);
  });

  it('needs a deployment that says where on the hub it is, and lists every file', async () => {
    const nowhere = await failure('ERR_ARGUMENT', async () => (await memorySite('filler')).load({ hub: true }));
    expect(nowhere.line()).toMatch(/tercet site --model/);
    const site = await memorySite('filler', ({ files: { 'config.json': _, ...files } }: ModelEntry) => ({
      files,
      hub: { repository: 'acme/filler', commit: COMMIT },
    }));
    expect((await failure('ERR_MODEL_CONFIG', () => site.load({ hub: true }))).message).toMatch(
      /lists no config\.json/,
    );
    expect(site.fetched).not.toContain('config.json');
  });

  it.each([
    'https://mirror.example',
    null,
    1,
    [],
    { url: 'https://mirror.example' },
    { endpoint: 3 },
    { offline: 'yes' },
  ])('does not guess what hub: %j means', async (hub) => {
    const site = await onHub();
    const error = await failure('ERR_ARGUMENT', () => site.load({ hub } as PretrainedOptions));
    expect(error.line()).toMatch(/endpoint: 'https/);
    expect(site.fetched).toEqual([]);
  });

  it('refuses an endpoint that is no address', async () => {
    const site = await onHub();
    await failure('ERR_ARGUMENT', () => site.load({ hub: { endpoint: 'mirror.example' } }));
  });

  it.each([
    [{ repository: '../x', commit: COMMIT }, /hub\.repository: expected org\/name/],
    [{ repository: 'acme/filler@main', commit: COMMIT }, /hub\.repository/],
    [{ repository: 'acme/filler', commit: 'main' }, /hub\.commit: expected 40 hex digits/],
  ])('refuses a deployment with %j', async (hub, says) => {
    const site = await memorySite('filler', () => ({ hub }));
    expect((await failure('ERR_MODEL_CONFIG', () => site.load())).message).toMatch(says);
  });
});
