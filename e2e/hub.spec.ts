/**
 * Models from a hub in a real browser, which hides redirects and takes compressed answers: the hub, where it keeps
 * large files, and the page are of three origins.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test as base, expect } from '@playwright/test';
import { COMMIT, TestHub, type Trouble } from '../test/hub/server.ts';
import type { HubSource } from '../src/sdk/index.ts';
import type { Loaded } from './pages/hub/load.ts';
import { ROOT } from './support/command.ts';
import { Deployment } from './support/deployment.ts';
import { buildPage } from './support/page.ts';

declare global {
  interface Window {
    load(id: string, text: string, hub: boolean | HubSource): Promise<Loaded>;
    loadWithoutCaches(id: string, text: string, hub: boolean | HubSource): Promise<Loaded>;
  }
}

const ID = 'acme/model';
const TEXT = 'The capital of France is [MASK].';
/** The word list lies where large files lie, and is reached by a redirect to another origin. */
const LARGE = ['vocab.txt', 'model.safetensors'];
const FILES = ['config.json', 'tokenizer_config.json', 'vocab.txt'];

interface Place {
  readonly hub: TestHub;
  readonly deployment: Deployment;
}

const test = base.extend<
  { ask: (hub: boolean | HubSource, how?: 'load' | 'loadWithoutCaches') => Promise<Loaded> },
  { place: Place }
>({
  place: [
    async ({ browserName: _ }, use) => {
      const app = await buildPage('hub');
      const hub = new TestHub({ real: true });
      await hub.start();
      try {
        for (const file of [...FILES, 'model.safetensors'])
          hub.files.set(file, {
            bytes: readFileSync(join(ROOT, 'models', 'capitals-bert', file)),
            large: LARGE.includes(file),
          });
        const deployment = await Deployment.start({
          app: app.folder,
          tasks: ['fill-mask'],
          hub: { model: ID, endpoint: hub.url, origins: [hub.url, hub.cdnUrl] },
        });
        await use({ hub, deployment });
        await deployment.stop();
      } finally {
        await hub.stop();
        app.remove();
      }
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  ask: async ({ page, place: { hub, deployment } }, use) => {
    hub.requests.length = 0;
    hub.troubles.clear();
    await page.goto(deployment.url);
    await page.waitForFunction(() => 'load' in window);
    await use((option, how = 'load') =>
      page.evaluate(([id, text, from, name]) => window[name](id, text, from), [ID, TEXT, option, how] as const),
    );
  },
});

test('a page loads what it needs from the hub, answers, and loads it from the cache of the browser after that', async ({
  ask,
  page,
  place: { hub, deployment },
}) => {
  const own: string[] = [];
  page.on('request', (request) => own.push(new URL(request.url()).pathname));
  // Cookies know no ports: the hub of this machine would get the page's.
  await page.context().addCookies([{ name: 'page', value: '1', url: deployment.url }]);
  const first = await ask({ endpoint: hub.url });
  expect(first).toMatchObject({ answer: 'paris' });
  expect(new Set(first.fetched)).toEqual(new Set(FILES));
  expect(own.filter((path) => path.startsWith('/models/'))).toEqual([]);

  // Simple requests at one commit: no question before, none that tells which page asks, and none for a weight.
  for (const { method, referer, cookie, authorization, url } of hub.requests) {
    expect({ method, referer, cookie, authorization }).toEqual({
      method: 'GET',
      referer: undefined,
      cookie: undefined,
      authorization: undefined,
    });
    expect(url).toMatch(
      /^\/(acme\/model\/resolve|api\/resolve-cache\/models\/acme\/model)\/1234567890abcdef1234567890abcdef12345678\/|^\/blobs\//,
    );
  }
  const asked = hub.requests.map(({ at, url }) => `${at} ${url.split('/').at(-1)}`);
  expect(asked).toHaveLength(6);
  expect(new Set(asked)).toEqual(new Set(['cdn vocab.txt', ...FILES.map((file) => `hub ${file}`)]));
  // The control for what a browser does to a hub's answers, without which this test would prove little.
  const seen = await page.evaluate(async (url) => {
    const [small, large] = await Promise.all(
      ['config.json', 'vocab.txt'].map((file) => fetch(`${url}/${file}`, { method: 'HEAD', redirect: 'manual' })),
    );
    const followed = await fetch(`${url}/config.json`, { method: 'HEAD' });
    return { small: small.type, large: large.type, length: Number(followed.headers.get('content-length')) };
  }, `${hub.url}/${ID}/resolve/${COMMIT}`);
  expect(seen).toMatchObject({ small: 'opaqueredirect', large: 'opaqueredirect' });
  expect(seen.length).toBeLessThan(hub.files.get('config.json')?.bytes.length ?? 0);

  // And for what a page would tell the hub of itself where nobody says otherwise.
  hub.requests.length = 0;
  await page.evaluate(
    (url) => fetch(url, { mode: 'no-cors', credentials: 'include', referrerPolicy: 'unsafe-url' }),
    `${hub.url}/${ID}/resolve/${COMMIT}/config.json`,
  );
  expect(hub.requests[0]).toMatchObject({ cookie: 'page=1', referer: deployment.url });

  hub.requests.length = 0;
  await page.goto(deployment.url);
  await page.waitForFunction(() => 'load' in window);
  const again = await ask({ endpoint: hub.url });
  expect(again).toMatchObject({ answer: 'paris', fetched: [] });
  expect(again.downloadedBytes).toBeLessThan((first.downloadedBytes ?? 0) / 10);
  expect(await ask({ endpoint: hub.url, offline: true })).toMatchObject({ answer: 'paris', fetched: [] });
  expect(hub.requests).toEqual([]);
});

test('a browser that refuses its caches keeps the files in memory for as long as the model is loaded', async ({
  ask,
  page,
  place: { hub },
}) => {
  for (const _visit of [1, 2]) {
    const { answer, fetched } = await ask({ endpoint: hub.url }, 'loadWithoutCaches');
    expect(answer).toBe('paris');
    expect(fetched).toHaveLength(3);
  }
  expect(hub.requests.filter(({ at }) => at === 'cdn')).toHaveLength(2);
  expect(await page.evaluate(() => caches.keys())).toEqual([]);
});

test('a download that breaks goes on where it stopped', async ({ ask, place: { hub } }) => {
  hub.troubles.set('vocab.txt', { kind: 'cut', after: 10_000, times: 1 });
  expect(await ask({ endpoint: hub.url })).toMatchObject({ answer: 'paris' });
  expect(hub.requests.filter(({ at }) => at === 'cdn').map(({ range }) => range)).toEqual([
    undefined,
    expect.stringMatching(/^bytes=[1-9]\d*-$/),
  ]);
  expect(
    hub.requests.some(({ preflight }) => preflight),
    'a simple request',
  ).toBe(false);
});

const TROUBLES: readonly [what: string, trouble: Trouble, error: RegExp][] = [
  ['a file that was changed', { kind: 'corrupt' }, /ERR_INTEGRITY: .* is not the one that is pinned: its hash differs/],
  ['a web page', { kind: 'html' }, /ERR_DOWNLOAD: a web page came/],
  ['a refusal', { kind: 'status', status: 401 }, /ERR_DOWNLOAD: .* \(status 401\)/],
  ['an absent file', { kind: 'status', status: 404 }, /ERR_MODEL_NOT_FOUND: the hub has no /],
];
for (const [what, trouble, error] of TROUBLES) {
  test(`${what} is refused, nothing of it is kept, and it is loaded afresh when the hub is mended`, async ({
    ask,
    page,
    place: { hub },
  }) => {
    for (const file of ['config.json', 'vocab.txt']) {
      await page.evaluate(() => caches.delete('tercet-hub'));
      hub.troubles.set(file, trouble);
      expect((await ask({ endpoint: hub.url })).error).toMatch(error);
      hub.troubles.clear();
      const mended = await ask({ endpoint: hub.url });
      expect(mended).toMatchObject({ answer: 'paris' });
      expect(mended.fetched).toContain(file);
    }
  });
}

for (const how of ['load', 'loadWithoutCaches'] as const)
  test(`an error is of its class ${how === 'load' ? 'in the page, behind the worker' : 'in a worker'}`, async ({
    ask,
    page,
    place: { hub },
  }) => {
    await page.evaluate(() => caches.delete('tercet-hub'));
    const thrown = async (trouble: Trouble): Promise<readonly string[] | undefined> => {
      hub.troubles.set('vocab.txt', trouble);
      const { classes } = await ask({ endpoint: hub.url }, how);
      hub.troubles.clear();
      return classes;
    };
    expect(await thrown({ kind: 'corrupt' })).toEqual(['SecurityViolationError', 'TercetError']);
    expect(await thrown({ kind: 'status', status: 401 })).toEqual(['NetworkError', 'TercetError']);
    expect(await thrown({ kind: 'status', status: 404 })).toEqual(['TercetError']);
  });

test('a hub that the page may not ask is said so', async ({ ask, place: { hub } }) => {
  expect((await ask({ endpoint: hub.url.replace('127.0.0.1', 'localhost') })).error).toMatch(
    /ERR_DOWNLOAD: the hub at localhost:\d+ does not answer.*connect-src/,
  );
  // It would have answered under that name too.
  expect(hub.requests).toEqual([]);
  expect((await ask({ endpoint: hub.url, offline: true })).error).toMatch(/ERR_MODEL_NOT_FOUND: .*not in the cache/);
});
