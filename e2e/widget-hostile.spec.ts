/**
 * Pages that frame the card to get at what they should not have. Each attack has a control: the same card answers its
 * visitor.
 */
import type { Page } from '@playwright/test';
import { Host } from './support/host.ts';
import {
  LISTEN,
  LONG_MS,
  PATIENCE_MS,
  TEXT,
  answered,
  cardOf,
  expect,
  heard,
  press,
  run,
  tag,
  test,
} from './support/widget.ts';

test.setTimeout(LONG_MS);

/** A page that frames the card by itself, without the script: it greets as it likes. */
function framing(site: string, script: string): { readonly body: string; readonly script: string } {
  const body = `<iframe id="raw" src="${site}widget-frame.html" width="400" height="700"></iframe>`;
  return {
    body,
    script: `${LISTEN}
      window.got = [];
      const own = (more = {}) => ({ model: 'sst2-bert', task: 'text-classification', deployment: '${site}tercet.json', device: 'wasm', shareResult: false, page: 'p', ...more });
      const look = { theme: '', lang: '', dir: '', disabled: false, strings: {}, colours: {} };
      const frame = document.querySelector('#raw');
      const connect = (nonce, setup, to = '${site.slice(0, -1)}') => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = ({ data }) => got.push(data);
        frame.contentWindow.postMessage({ tercet: 'connect', version: 1, nonce, setup, look }, to, [port2]);
        return port1;
      };
      ${script}`,
  };
}

declare global {
  interface Window {
    got: { readonly op: string }[];
  }
}

async function rawCard(page: Page) {
  const card = await (await page.locator('#raw').elementHandle())?.contentFrame();
  if (card === null || card === undefined) throw new Error('no frame');
  return card;
}

test('replayed greetings: a second port, with other terms, meets nobody', async ({ page, deployment, host }) => {
  const script = `
    addEventListener('message', ({ data, source }) => {
      if (source !== frame.contentWindow || data.tercet !== 'hello') return;
      window.wrong = connect('another nonce', own({ shareResult: true }));
      window.first = connect(data.nonce, own());
      window.second = connect(data.nonce, own({ shareResult: true }));
      second.postMessage({ op: 'run', call: 7 });
      wrong.postMessage({ op: 'run', call: 8 });
    });`;
  await page.goto(host.page('replay', framing(deployment.url, script)));
  const card = await rawCard(page);
  await run(card);
  await answered(card);
  const got = await page.evaluate(() => window.got);
  expect(got.filter(({ op }) => op === 'result')).toEqual([{ op: 'result', detail: { answer: undefined } }]);
  expect(JSON.stringify(got)).not.toMatch(/POSITIVE|"call"/);
  await expect(card.locator('#shares')).toBeHidden();
});

test('a flood: the card stops listening, and goes on for its visitor', async ({ page, deployment, host }) => {
  const script = `
    addEventListener('message', ({ data, source }) => {
      if (source !== frame.contentWindow || data.tercet !== 'hello') return;
      window.port = connect(data.nonce, own({ shareResult: true }));
      for (let i = 0; i < 20_000; i++) port.postMessage({ op: 'prepare', call: i });
      port.postMessage({ op: 'look', look: { ...look, theme: 'dark' } });
    });`;
  await page.goto(host.page('flood', framing(deployment.url, script)));
  const card = await rawCard(page);
  await run(card);
  await answered(card);
  const got = await page.evaluate(() => window.got);
  // A burst was heard; what came behind it was not, and an answer goes to nobody who floods.
  expect(got.filter(({ op }) => op === 'done' || op === 'failed').length).toBeLessThan(100);
  expect(got.filter(({ op }) => op === 'result')).toEqual([]);
  await expect(card.locator('html')).not.toHaveAttribute('data-theme', 'dark');
});

test('another origin on the page: neither the card nor the page takes its greetings', async ({
  page,
  deployment,
  host,
}) => {
  const stranger = await Host.start(deployment.url);
  try {
    const attack = `
      window.got = [];
      const { port1, port2 } = new MessageChannel();
      addEventListener('message', ({ data }) => got.push(data));
      parent.postMessage({ tercet: 'hello', version: 1, nonce: 'mine' }, '*');
      const target = parent.frames[0];
      for (const nonce of ['mine', '']) target.postMessage({ tercet: 'connect', version: 1, nonce, setup: {}, look: {} }, '*');
      target.postMessage({ op: 'run', call: 1 }, '*', [port2]);`;
    const bad = stranger.page('bad', { body: '', script: attack });
    // The card's frame is the first of the page's own: the stranger can name it.
    const body = `<iframe id="raw" src="${deployment.url}widget-frame.html" width="400" height="700"></iframe>${tag()}<iframe id="bad" src="${bad}"></iframe>`;
    await page.goto(host.page('strangers', { body, script: LISTEN }));
    const bystander = await (await page.locator('#bad').elementHandle())?.contentFrame();
    const raw = await rawCard(page);
    const card = await cardOf(page);
    await run(card);
    await answered(card);
    expect(await bystander?.evaluate(() => window.got)).toEqual([]);
    // A card that no page answered has no model, and does nothing.
    await expect(raw.locator('#run')).toBeDisabled();
    expect((await heard(page)).filter(({ type }) => type === 'result')).toHaveLength(1);
  } finally {
    await stranger.stop();
  }
});

test('parties of the page’s own: refused, and never asked', async ({ page, host }) => {
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  const body = tag(`deployment="${host.origin}/tercet.json" share-result`);
  await page.goto(host.page('foreign', { body, script: LISTEN }));
  const card = await cardOf(page, '#card', false);
  await expect(card.locator('#error')).toContainText('names parties of its own');
  await expect(card.locator('#run')).toBeDisabled();
  expect(await heard(page)).toMatchObject([{ type: 'error', detail: { code: 'ERR_INSECURE' } }]);
  expect(asked.filter((url) => url.endsWith('tercet.json'))).toEqual([]);
});

test('a covered card, and one that somebody types in: the page is not given the answer', async ({ page, host }) => {
  const script = `${LISTEN} window.cover = () => {
    const cover = document.body.appendChild(document.createElement('div'));
    // Clicks go through it: what is pressed is not what is seen.
    Object.assign(cover.style, { position: 'fixed', inset: '0', background: 'white', pointerEvents: 'none', zIndex: '9' });
    cover.textContent = 'Win a prize';
  };`;
  await page.setViewportSize({ width: 800, height: 1000 });
  await page.goto(host.page('cover', { body: tag('share-result'), script }));
  const card = await cardOf(page);
  const results = async () => (await heard(page)).filter(({ type }) => type === 'result').map(({ detail }) => detail);
  await run(card);
  await answered(card);
  await expect.poll(results).toMatchObject([{ answer: { task: 'text-classification' } }]);

  // Under the hands of its writer a page runs nothing.
  await card.locator('#text').fill('A secret, half wri');
  await card.locator('#text').focus();
  const refused = await page.locator('#card').evaluate((element: HTMLElementTagNameMap['tercet-infer']) =>
    element.run().then(
      () => 'ran',
      (error: Error & { code?: string }) => error.code,
    ),
  );
  expect(refused).toBe('ERR_STATE');

  await page.evaluate(() => (window as unknown as { cover(): void }).cover());
  // A browser looks now and then: typed again until the card knows that it is covered.
  await expect(async () => {
    await card.locator('#text').fill('');
    await card.locator('#text').fill(TEXT);
    await expect(card.locator('#kept')).not.toHaveAttribute('hidden', { timeout: 500 });
  }).toPass();
  await press(card);
  await answered(card);
  await expect.poll(results).toHaveLength(2);
  expect((await results())[1]).toEqual({ answer: undefined });
  await expect(card.locator('#kept')).toBeVisible();
  expect(await page.locator('#card').evaluate((element: HTMLElementTagNameMap['tercet-infer']) => element.value)).toBe(
    '',
  );

  // Asked to share afterwards: another frame, and the text is gone.
  await page.locator('#card').evaluate((element) => element.removeAttribute('share-result'));
  const fresh = await cardOf(page);
  await expect(fresh.locator('#text')).not.toHaveValue(TEXT);
});

test('a frame that is taken away in a run: its call is rejected, and both parties have room again', async ({
  page,
  deployment,
  host,
}) => {
  await page.goto(host.page('removed', { body: tag('share-result'), script: LISTEN }));
  const card = await cardOf(page);
  await card.locator('#text').fill(TEXT);
  await page.locator('h1').click();
  await expect.poll(async () => (await deployment.places(1)).taken, { message: 'it has a session' }).toBe(1);
  await deployment.party(2).signal('SIGSTOP');
  const outcome = page.locator('#card').evaluate(async (element: HTMLElementTagNameMap['tercet-infer']) => {
    const going = element.run().then(
      () => 'answered',
      (error: Error & { code?: string }) => error.code,
    );
    while (element.state !== 'running') await new Promise((resolve) => setTimeout(resolve, 20));
    element.remove();
    return going;
  });
  expect(await outcome).toBe('ERR_ABORTED');
  await deployment.party(2).signal('SIGCONT');
  await deployment.deserted(PATIENCE_MS);
  expect((await heard(page)).filter(({ type }) => type === 'result')).toEqual([]);
});

test('the page of the app is framed by nobody', async ({ page, deployment, host }) => {
  const body = ['', 'widget.html'].map((name) => `<iframe src="${deployment.url}${name}"></iframe>`).join('');
  const refused: string[] = [];
  page.on('console', (message) => refused.push(message.text()));
  await page.goto(host.page('frames', { body }));
  await expect.poll(() => refused.filter((text) => text.includes("frame-ancestors 'none'"))).toHaveLength(2);
});
