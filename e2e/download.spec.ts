/** What the browser downloads: a few small files, checked, and never a weight. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { App } from './support/app.ts';
import type { Deployment } from './support/deployment.ts';
import type { Front } from './support/front.ts';
import { expect, test as base } from './support/test.ts';

/** Gzipped, at level 9, as the server has it. Before the page can be drawn: its document, styles and entry script. */
const PAINT_LIMIT = 60_000;
/** Up to the first answer on WASM over WebRTC: all of that, the party with its kernels, and the model's public files. */
const ANSWER_LIMIT = 250_000;

/** Words of `compute/kernels/wasm/memory.ts`. */
const OF_KERNELS = 'a stream needs a 32-byte key';

const TEXT = 'The capital of Norway is [MASK].';
const MODEL = '/models/capitals-bert';
const TOKENIZER = `${MODEL}/vocab.txt`;
const OWN = /^\/(|theme\.js|icon\.svg|assets\/[\w.-]+\.(js|css|wasm))$/;
const PUBLIC = ['/tercet.json', `${MODEL}/config.json`, TOKENIZER, `${MODEL}/tokenizer_config.json`];
const PARTY = /^\/v1\/(party|health|sessions\/[0-9a-f]{32}\/rtc)$/;

interface Through {
  readonly front: Front;
  /** The page, loaded or not, through the server in front. */
  readonly tab: App;
}

const test = base.extend<Through>({
  front: async ({ deployment }, use) => {
    const front = await deployment.front();
    await use(front);
    await front.stop();
  },
  tab: async ({ page, front }, use) => use(new App(page, front.url)),
});

/** Addresses of all that came, and which of it is neither the app, nor a public file, nor a party's interface. */
function watch(
  { page, url }: App,
  deployment: Deployment,
): { readonly all: URL[]; strangers(more: readonly string[]): string[] } {
  const all: URL[] = [];
  page.on('response', (response) => all.push(new URL(response.url())));
  const allowed = ({ origin, pathname }: URL, more: readonly string[]): boolean => {
    if (origin === new URL(url).origin)
      return OWN.test(pathname) || PUBLIC.includes(pathname) || more.includes(pathname);
    return [deployment.partyUrl(1), deployment.partyUrl(2)].includes(origin) && PARTY.test(pathname);
  };
  return { all, strangers: (more) => all.filter((address) => !allowed(address, more)).map(({ href }) => href) };
}

test('the page weighs little, loads its own files and four public ones, talks to the two parties, and complains of nothing', async ({
  tab,
  front,
  deployment,
}) => {
  const { all, strangers } = watch(tab, deployment);
  await tab.open();
  expect((await tab.ask(TEXT))[0].word).toBe('oslo');
  expect(strangers([])).toEqual([]);
  expect(tab.complaints.filter((line) => !line.startsWith('warning'))).toEqual([]);
  expect(await tab.violations()).toEqual([]);

  // What the server was asked for is what the browser tells: nothing escapes the watch.
  const own = all.filter(({ origin }) => origin === new URL(front.url).origin).map(({ pathname }) => pathname);
  expect(new Set(own)).toEqual(new Set(front.served.map(({ path }) => path)));
  for (const path of PUBLIC) expect(own).toContain(path);

  // What the document itself names comes before the first picture; the rest is fetched when it is needed.
  const document = await (await fetch(front.url)).text();
  const first = [...document.matchAll(/(?:src|href)="\.\/([^"]+\.(?:js|css|svg))"/g)].map(([, name]) => `/${name}`);
  expect(first.length).toBeGreaterThan(2);
  const gzipped = new Map<string, number>();
  for (const path of new Set(own)) {
    const body = new Uint8Array(await (await fetch(new URL(path, front.url))).arrayBuffer());
    gzipped.set(path, gzipSync(body, { level: 9 }).length);
    console.log(`  ${String(gzipped.get(path)).padStart(7)} of ${String(body.length).padStart(7)} bytes  ${path}`);
  }
  const paint = [...new Set(['/', ...first])].reduce((total, path) => total + (gzipped.get(path) ?? 0), 0);
  const answer = [...gzipped.values()].reduce((total, bytes) => total + bytes, 0);
  console.log(`  gzipped: first paint ${paint} of ${PAINT_LIMIT} bytes, first answer ${answer} of ${ANSWER_LIMIT}`);
  expect(own.some((path) => path.endsWith('.wasm'))).toBe(true);
  // What a first answer does not need: records of WebSockets, byte-level vocabularies, other tasks, batches.
  expect(own.filter((path) => /sodium|sealed|library|more-tasks|room|webgpu/.test(path))).toEqual([]);
  // Kernels stand in one file, which the worker of the party and those of its kernels both import.
  const bodies = await Promise.all(
    [...gzipped.keys()]
      .filter((path) => path.endsWith('.js'))
      .map(async (path) => (await fetch(new URL(path, front.url))).text()),
  );
  expect(bodies.filter((body) => body.includes(OF_KERNELS)).length, 'copies of the kernels').toBe(1);
  expect(paint).toBeLessThan(PAINT_LIMIT);
  expect(answer).toBeLessThan(ANSWER_LIMIT);

  // Controls: a page that loads something else is seen by all three.
  await tab.page.evaluate(async () => {
    await fetch('https://elsewhere.example/').catch(() => undefined);
    await fetch('models/capitals-bert/model.safetensors');
  });
  expect(strangers([])).toEqual([`${front.url}models/capitals-bert/model.safetensors`]);
  await expect.poll(() => tab.violations()).toEqual(['connect-src https://elsewhere.example/']);
  expect(tab.complaints.filter((line) => line.startsWith('error')).length).toBeGreaterThan(0);
});

test('with secret weights nothing more, and nothing at all before there is a credential', async ({
  tab,
  front,
  deployment,
}) => {
  const { all, strangers } = watch(tab, deployment);
  await tab.open();
  const before = all.length;
  await tab.openSettings();
  await tab.page.locator('#set-weights-secret').check();
  await tab.closeSettings();
  await expect(tab.error).toContainText('This model is for enrolled owners');
  await expect(tab.page.locator('#credential-file')).toBeVisible();
  await expect(tab.button).toBeDisabled();
  await tab.shot('error-credential');
  // The health of the parties is asked for, and a worker of the app begins anew; no file of a model, and no link.
  const asked = all
    .slice(before)
    .filter(({ pathname }) => !OWN.test(pathname) && !['/v1/party', '/v1/health'].includes(pathname));
  expect(asked.map(({ pathname }) => pathname)).toEqual([]);
  await tab.page.locator('#credential-file').setInputFiles(deployment.credential('text-classification'));
  await expect(tab.error).toContainText('The credential is for another model');
  await tab.page.locator('#credential-file').setInputFiles(deployment.credential('fill-mask'));
  await tab.ready();
  expect((await tab.ask(TEXT))[0].word).toBe('oslo');
  expect(strangers([])).toEqual([]);
  expect(front.sizes(`${MODEL}/owner.seeds`)).toEqual([]);
  // What is in the file is in no address.
  const { certificate, key, seeds } = JSON.parse(readFileSync(deployment.credential('fill-mask'), 'utf8')) as Record<
    string,
    string
  >;
  for (const { href } of all)
    for (const secret of [certificate, key, seeds]) expect(href).not.toContain(secret.slice(34, 60));
  await tab.shot('secret-weights');
});

/** The one that is changed. */
const BYTE = 1_000;
for (const { name, type, body, title, detail } of [
  {
    name: 'is the start page of the server, status 200',
    type: 'text/html; charset=utf-8',
    body: () => '<!doctype html><html lang="en"><title>Welcome</title></html>',
    title: 'A web page came in place of a file',
    detail: 'the server sent a web page instead of vocab.txt',
  },
  {
    name: 'differs in one byte',
    type: 'application/json',
    body: (real: Uint8Array) => real.map((byte, i) => (i === BYTE ? byte ^ 1 : byte)),
    title: 'A file is not the one that was promised',
    detail: 'vocab.txt is not the file that this model was published with',
  },
] as const) {
  test(`a word list that ${name} is refused, and loaded afresh when the server is mended`, async ({ tab, front }) => {
    front.faults.set(TOKENIZER, { type, body });
    await tab.page.goto(tab.url);
    await expect(tab.error).toContainText(title);
    await expect(tab.error).toContainText('No text was sent.');
    await expect(tab.button).toBeDisabled();
    await tab.page.getByText('Details for a bug report').click();
    await expect(tab.page.locator('#tech')).toContainText(detail);
    await tab.shot(`error-tokenizer-${type.startsWith('text/html') ? 'html' : 'byte'}`);
    expect(front.sizes(TOKENIZER), 'and once more, past the cache').toHaveLength(2);

    front.faults.clear();
    await tab.error.getByRole('button', { name: 'Load again' }).click();
    await tab.ready();
    expect(front.sizes(TOKENIZER), 'asked for again, not taken from a cache').toHaveLength(3);
    await expect(tab.error).toBeHidden();
    expect((await tab.ask(TEXT))[0].word).toBe('oslo');
  });
}
