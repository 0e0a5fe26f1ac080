/**
 * A model by its name on a hub, as users of the command line, compute parties and pages meet it: the hub is one of
 * this machine.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type PretrainedOptions, SecureTransformer } from '../../src/sdk/node.ts';
import { COMMIT, TestHub } from '../hub/server.ts';
import { ROOT, type Run, Workplace, expectFailure, expectSuccess } from './command.ts';

const place = new Workplace();
const hub = new TestHub();
const TIMEOUT = 120_000;
const NAME = 'acme/model';
const running: Run[] = [];

beforeAll(async () => {
  await hub.start();
  const source = join(ROOT, 'models', 'sst2-bert');
  for (const file of readdirSync(source))
    hub.files.set(file, { bytes: readFileSync(join(source, file)), large: file.endsWith('.safetensors') });
});
afterEach(() => void vi.unstubAllEnvs());
afterAll(async () => {
  for (const run of running) run.killAll();
  await hub.stop();
  place.close();
});

const env = (cache: string, more: Record<string, string> = {}) => ({
  env: { TERCET_HUB: hub.url, TERCET_CACHE: join(place.folder, cache), ...more },
  timeoutMs: TIMEOUT,
});
const site = (parties: string, identities: string) => [
  'site',
  '--address',
  '127.0.0.1:0',
  '--parties',
  parties,
  '--identities',
  identities,
  '--model',
  NAME,
];
const classify = ['infer', '--task', 'text-classification', '--model', NAME, '--text', 'A warm, funny film.', '--json'];

describe('org/name', () => {
  it('is answered by three local parties, which fetch every file once, and again without the network', {
    timeout: TIMEOUT,
  }, async () => {
    const ended = await place.run(classify, env('one'));
    expectSuccess(ended);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      model: NAME,
      result: { labels: [{ label: 'POSITIVE' }, { label: 'NEGATIVE' }] },
    });
    expect(
      hub.requests.filter(({ method, url }) => method === 'GET' && url.endsWith('model.safetensors')),
    ).toHaveLength(1);
    const before = hub.requests.length;
    expectSuccess(await place.run(classify, env('one', { TERCET_OFFLINE: '1' })));
    expect(hub.requests.length).toBe(before);
  });

  it('that is not in the cache is refused offline, and one that nobody has always', { timeout: TIMEOUT }, async () => {
    expectFailure(await place.run(classify, env('empty', { TERCET_OFFLINE: '1' })), {
      exit: 1,
      code: 'ERR_MODEL_NOT_FOUND',
      says: /not in the cache/,
    });
    expectFailure(await place.run(['model', 'inspect', '--model', 'acme/other'], env('empty')), {
      exit: 1,
      code: 'ERR_MODEL_NOT_FOUND',
      says: /acme\/other/,
    });
  });

  it('is what a page offers under that name, with its files pinned; a data owner with parties elsewhere fetches no weights', {
    timeout: TIMEOUT,
  }, async () => {
    const start = (args: string[], cache: string) => {
      const run = place.start(args, env(cache));
      running.push(run);
      return run;
    };
    const one = start(['party', '--party-id', '1', '--threads', '1', '--model', NAME], 'party one');
    const [, port] = await one.said(/listens on 127\.0\.0\.1:(\d+)$/m);
    // A download is told about; the parties share nothing but the hub.
    await one.said(/party 1 fetches model\.safetensors: 100 % of 4\.3 MB/);
    const two = start(
      ['party', '--party-id', '2', '--threads', '1', '--model', NAME, '--peers', `1=127.0.0.1:${port}`],
      'one',
    );
    const [, other] = await two.said(/listens on 127\.0\.0\.1:(\d+)$/m);
    const ended = await place.run([...classify, '--peers', `1=127.0.0.1:${port},2=127.0.0.1:${other}`], env('owner'));
    expectSuccess(ended);
    const folder = join(place.folder, 'owner', new URL(hub.url).host.replace(':', '_'), 'acme--model', COMMIT);
    expect(existsSync(join(folder, 'tokenizer.json'))).toBe(true);
    expect(existsSync(join(folder, 'model.safetensors'))).toBe(false);

    const [key, birch] = ['ab'.repeat(32), 'cd'.repeat(32)];
    const served = start(
      [
        ...site('1=http://127.0.0.1:1,2=http://127.0.0.1:2', `1=${key},2=${birch}`),
        '--hub-origins',
        hub.url,
        '--hub-origins',
        'https://*.hub.example',
      ],
      'one',
    );
    const [, url] = await served.said(/web app is at (\S+)/);
    const deployment = (await (await fetch(`${url}tercet.json`)).json()) as {
      entries: { id: string; files: Record<string, object> }[];
    };
    expect(deployment.entries).toMatchObject([
      { id: NAME, task: 'text-classification', hub: { repository: NAME, commit: COMMIT } },
    ]);
    const policy = (await fetch(url)).headers.get('content-security-policy');
    expect(policy).toContain(
      `connect-src 'self' http://127.0.0.1:1 ws://127.0.0.1:1 http://127.0.0.1:2 ws://127.0.0.1:2 ${hub.url} https://*.hub.example;`,
    );
    expect(Object.keys(deployment.entries[0].files)).toContain('tokenizer.json');
    const config = await fetch(`${url}models/${NAME}/config.json`);
    expect([config.status, await config.text()]).toEqual([
      200,
      readFileSync(join(ROOT, 'models', 'sst2-bert', 'config.json'), 'utf8'),
    ]);

    // A data owner in Node takes them from the hub as well, into the same cache, and needs it no more.
    vi.stubEnv('TERCET_HUB', hub.url);
    vi.stubEnv('TERCET_CACHE', join(place.folder, 'node'));
    hub.requests.length = 0;
    const load = (from: NonNullable<PretrainedOptions['hub']>) =>
      SecureTransformer.fromPretrained(NAME, { deployment: `${url}tercet.json`, hub: from, device: 'wasm' });
    const first = await load(true);
    await first.dispose();
    const files = ['config.json', 'tokenizer.json', 'tokenizer_config.json'];
    expect(new Set(hub.requests.map(({ method, url: asked }) => `${method} ${asked}`))).toEqual(
      new Set(files.map((file) => `GET /${NAME}/resolve/${COMMIT}/${file}`)),
    );
    const inCache = join(place.folder, 'node', new URL(hub.url).host.replace(':', '_'), 'acme--model', COMMIT);
    expect(new Set(readdirSync(inCache))).toEqual(new Set(files));
    hub.requests.length = 0;
    vi.stubEnv('TERCET_OFFLINE', '1');
    // What the machine forbids, no caller allows.
    const again = await load({ offline: false });
    await again.dispose();
    expect(again.downloadedBytes).toBeLessThan(first.downloadedBytes);
    expect(hub.requests).toEqual([]);
  });

  it.each([
    'hub.example',
    'http://hub.example',
    'https://hub.example/path',
    "https://hub.example 'unsafe-inline'",
    'https://a.*.example',
    '*',
  ])('a page may load from no %s', async (origin) => {
    const [key, birch] = ['ab'.repeat(32), 'cd'.repeat(32)];
    const ended = await place.run(
      [...site('1=http://127.0.0.1:1,2=http://127.0.0.1:2', `1=${key},2=${birch}`), '--hub-origins', origin],
      env('one'),
    );
    expectFailure(ended, { exit: 2, code: 'ERR_ARGUMENT', says: /--hub-origins/ });
  });
});
