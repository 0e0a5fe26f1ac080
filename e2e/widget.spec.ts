/** `<tercet-infer>` on a page of another origin that behaves: what it gets, and where it works. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './support/command.ts';
import { LISTEN, LONG_MS, TEXT, answered, cardOf, expect, heard, run, tag, test } from './support/widget.ts';

test.setTimeout(LONG_MS);

const SHOTS = join(ROOT, 'test-results', 'widget');

test('a text is typed into a frame that comes when it is needed, and the page gets neither text nor answer', async ({
  page,
  deployment,
  host,
}) => {
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  const far = '<div style="height: 4000px">far away</div>';
  const body = `${far}<form id="form">${tag('name="mood" required')}</form>${far}${tag('', 'other')}`;
  await page.goto(host.page('plain', { body, script: LISTEN }));
  await page.waitForFunction(() => document.querySelector('tercet-infer')?.shadowRoot !== null);
  // Nothing but the one script, until somebody comes near.
  const own = new URL(deployment.url).origin;
  expect(asked.filter((url) => url.startsWith(own))).toHaveLength(1);
  await page.locator('#card').scrollIntoViewIfNeeded();
  const card = await cardOf(page);
  expect(new URL(card.url()).origin).toBe(own);
  expect(host.origin).not.toBe(own);

  await run(card);
  await answered(card);
  const told = await heard(page);
  expect(told.map(({ type }) => type).filter((type) => type === 'ready' || type === 'result')).toEqual([
    'ready',
    'result',
  ]);
  expect(told.find(({ type }) => type === 'ready')?.detail).toEqual({
    model: 'sst2-bert',
    task: 'text-classification',
    device: 'wasm',
  });
  expect(told.find(({ type }) => type === 'progress')?.detail).toEqual({
    phase: expect.any(String),
    progress: expect.any(Number),
  });
  // Control: there is an answer in the frame, and all that the page heard has nothing of it.
  expect(JSON.stringify(told)).not.toMatch(/Ludmila|POSITIVE|tokens|bytes/);
  const seen = await page.locator('#card').evaluate((element: HTMLElementTagNameMap['tercet-infer']) => ({
    value: element.value,
    result: element.result,
    form: element.form?.id,
    valid: element.validity.valid,
    entries: [...new FormData(element.form ?? undefined).keys()],
    document: element.shadowRoot?.querySelector('iframe')?.contentDocument ?? null,
    markup: element.shadowRoot?.innerHTML,
  }));
  expect(seen).toMatchObject({ value: '', result: undefined, form: 'form', valid: true, entries: [], document: null });
  expect(seen.markup).not.toMatch(/Ludmila|POSITIVE/);

  // The other one is still far away. Focus starts it too, and goes into the frame.
  const other = page.locator('#other iframe');
  await expect(other).toHaveCount(0);
  await page.locator('#other').evaluate((element: HTMLElement) => element.focus({ preventScroll: true }));
  await expect(other).toBeFocused();
});

test('a page with a strict policy: two cards in a shadow tree share a worker, and a form gets the answer', async ({
  page,
  deployment,
  host,
}) => {
  const site = new URL(deployment.url).origin;
  const headers = {
    'content-security-policy': [
      `default-src 'none'; script-src 'self' ${site}; frame-src ${site}; base-uri 'none'; form-action 'none'`,
      "require-trusted-types-for 'script'; trusted-types 'none'",
    ].join('; '),
  };
  // Made by a script, in a shadow tree, as components do it.
  const script = `${LISTEN}
    const root = document.querySelector('#app').attachShadow({ mode: 'open' });
    const form = document.createElement('form');
    const set = form.appendChild(document.createElement('fieldset'));
    for (const id of ['card', 'other']) {
      const card = document.createElement('tercet-infer');
      Object.assign(card, { id, model: 'sst2-bert', task: 'text-classification',
        shareResult: true, name: id, required: true });
      set.append(card);
    }
    root.append(form);`;
  await page.goto(host.page('strict', { body: '<div id="app"></div>', script, headers }));
  const card = await cardOf(page);
  const other = await cardOf(page, '#other');
  const places = await Promise.all([card, other].map((one) => one.locator('html').getAttribute('data-party')));
  expect(places.sort()).toEqual(['following', 'leading']);
  expect(page.workers().filter((worker) => /\/worker-/.test(worker.url()))).toHaveLength(1);
  // It says to whom the answer goes.
  await expect(card.locator('#shares')).toHaveText(`When you run, this page gets the answer: ${host.origin}`);

  const form = () =>
    page.locator('form').evaluate((element: HTMLFormElement) => ({
      valid: element.checkValidity(),
      entries: Object.fromEntries(new FormData(element)),
    }));
  expect(await form()).toEqual({ valid: false, entries: {} });
  const validity = () =>
    page.locator('#card').evaluate(({ validity, validationMessage }: HTMLElementTagNameMap['tercet-infer']) => ({
      missing: validity.valueMissing,
      says: validationMessage,
    }));
  expect(await validity()).toEqual({ missing: true, says: 'Run it first.' });
  // A browser shows what is missing where it can focus it.
  expect(await page.locator('form').evaluate((element: HTMLFormElement) => element.reportValidity())).toBe(false);
  await expect(page.locator('#card iframe')).toBeFocused();
  await run(card);
  await answered(card);
  await run(other, 'Two hours that nobody gives back to me.');
  await answered(other, 'NEGATIVE');
  expect(await form()).toEqual({ valid: true, entries: { card: 'POSITIVE', other: 'NEGATIVE' } });
  expect(await validity()).toEqual({ missing: false, says: '' });
  const results = (await heard(page)).filter(({ type }) => type === 'result');
  expect(results[0]?.detail).toEqual({
    answer: {
      task: 'text-classification',
      labels: expect.arrayContaining([{ label: 'POSITIVE', score: expect.any(Number) }]),
    },
  });
  // The answer, and nothing that repeats the text.
  expect(JSON.stringify(results)).not.toContain('Ludmila');

  // A call of the page, a reset, and a fieldset that disables.
  await page.locator('h1').click();
  const again = await page.locator('#card').evaluate((element: HTMLElementTagNameMap['tercet-infer']) => element.run());
  // Another run has other roundings.
  expect(again).toMatchObject({ task: 'text-classification', labels: [{ label: 'POSITIVE' }, { label: 'NEGATIVE' }] });
  await page.locator('form').evaluate((element: HTMLFormElement) => element.reset());
  await expect(card.locator('#text')).toHaveValue('');
  expect(await form()).toEqual({ valid: false, entries: {} });
  const fieldset = (disabled: boolean) =>
    page.locator('fieldset').evaluate((set: HTMLFieldSetElement, to) => Object.assign(set, { disabled: to }), disabled);
  await fieldset(true);
  for (const one of [card, other]) await expect(one.locator('#text')).toBeDisabled();
  // What is disabled is neither sent nor missed.
  expect(await form()).toEqual({ valid: true, entries: {} });
  await fieldset(false);
  await expect(card.locator('#text')).toBeEnabled();
  await page.locator('#card').evaluate((element) => element.toggleAttribute('disabled', true));
  await expect(card.locator('#text')).toBeDisabled();
  await expect(other.locator('#text')).toBeEnabled();
  expect(await page.evaluate(() => window.refused)).toEqual([]);

  // Moved to another place of the page: another frame, which works, and the one that followed too.
  await page.locator('#card').evaluate((element) => {
    element.removeAttribute('disabled');
    document.body.prepend(element);
  });
  const moved = await cardOf(page);
  await run(moved);
  await answered(moved);
  // Its party ran in the frame that is gone: it says so, and the next run has another.
  await expect(other.locator('html')).toHaveAttribute('data-party', /./);
  await expect(async () => {
    if (await other.locator('#error').isVisible()) await other.locator('#run').click({ timeout: 1_000 });
    await expect(other.locator('#run')).toBeEnabled({ timeout: 1_000 });
  }).toPass();
});

test('a page in a sandbox, which has no origin and no storage', async ({ page, host }) => {
  host.page('inner', { body: tag(), script: LISTEN });
  const outer = host.page('outer', {
    body: '<iframe id="box" sandbox="allow-scripts" src="/inner" width="500" height="700"></iframe>',
  });
  await page.goto(outer);
  const inner = await (await page.locator('#box').elementHandle())?.contentFrame();
  if (inner === null || inner === undefined) throw new Error('no sandbox');
  const card = await cardOf(inner);
  expect(
    await card.evaluate(() => {
      try {
        return [self.origin, localStorage.length];
      } catch (error) {
        return [self.origin, (error as Error).name];
      }
    }),
  ).toEqual(['null', 'SecurityError']);
  await run(card);
  await answered(card);
  // No shared worker there: it has one of its own.
  await expect(card.locator('html')).toHaveAttribute('data-party', 'alone');
  expect((await heard(inner)).map(({ type }) => type)).toContain('result');
});

test('inline on the page of its own server, under a policy with Trusted Types', async ({ page, deployment }) => {
  const { script, integrity } = (await (await fetch(`${deployment.url}widget.json`)).json()) as Record<string, string>;
  const parties = [1, 2].map((id) => deployment.partyUrl(id as 1 | 2));
  const policy = `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self' ${parties.join(' ')} ${parties.join(' ').replaceAll('http', 'ws')}; require-trusted-types-for 'script'; trusted-types tercet`;
  await page.route(`${deployment.url}mine`, (route) =>
    route.fulfill({
      contentType: 'text/html',
      headers: { 'content-security-policy': policy },
      body: `<!doctype html><script type="module" src="${script}" integrity="${integrity}" crossorigin></script><script src="mine.js"></script>${tag('mode="inline"')}`,
    }),
  );
  await page.route(`${deployment.url}mine.js`, (route) =>
    route.fulfill({ contentType: 'text/javascript', body: LISTEN }),
  );
  await page.goto(`${deployment.url}mine`);
  await page.waitForFunction(() => document.querySelector('tercet-infer')?.shadowRoot !== null);
  const answer = await page
    .locator('#card')
    .evaluate((element: HTMLElementTagNameMap['tercet-infer'], text) => element.run(text), TEXT);
  expect(answer).toMatchObject({ task: 'text-classification', labels: [{ label: 'POSITIVE' }, { label: 'NEGATIVE' }] });
  expect((await heard(page)).map(({ type }) => type)).toEqual(expect.arrayContaining(['ready', 'progress', 'result']));

  // Ended by the page, and by its next call. A party is held: no run ends by itself.
  await deployment.party(2).signal('SIGSTOP');
  const card = page.locator('#card');
  try {
    const ended = await card.evaluate(async (element: HTMLElementTagNameMap['tercet-infer'], text) => {
      const outcome = () =>
        element.run(text).then(
          () => 'answered',
          (error: Error & { code?: string }) => error.code,
        );
      const first = outcome();
      while (element.state !== 'running') await new Promise((resolve) => setTimeout(resolve));
      element.abort();
      const states = [await first, element.state];
      const second = outcome();
      const third = outcome();
      states.push(await second, element.state);
      element.abort();
      return [...states, await third, element.state];
    }, TEXT);
    expect(ended).toEqual(['ERR_ABORTED', 'ready', 'ERR_ABORTED', 'running', 'ERR_ABORTED', 'ready']);
  } finally {
    await deployment.party(2).signal('SIGCONT');
  }
  expect((await heard(page)).filter(({ type }) => type === 'error')).toEqual([]);
  expect(
    await card.evaluate((element: HTMLElementTagNameMap['tercet-infer'], text) => element.run(text), TEXT),
  ).toEqual(expect.objectContaining({ task: 'text-classification' }));
  expect(await page.evaluate(() => window.refused)).toEqual([]);
  await expect(page.locator('#card iframe')).toHaveCount(0);
});

test('words, direction, colours and widths are the page’s to choose', async ({ page, host }) => {
  await page.setViewportSize({ width: 1200, height: 700 });
  const body = `<style>#card{--tercet-accent:#006644;width:380px}#small{width:280px}</style><div style="display:flex;gap:20px" dir="rtl" lang="he">${tag('theme="dark"', 'small')}${tag()}</div>`;
  await page.goto(host.page('looks', { body, script: LISTEN }));
  const card = await cardOf(page);
  const small = await cardOf(page, '#small');
  await page.locator('#card').evaluate((element: HTMLElementTagNameMap['tercet-infer']) => {
    element.strings = {
      'Your text': 'הטקסט שלך',
      'Run privately': 'להריץ בפרטיות',
      // A figure that is left out: not taken.
      '{1} tokens, padded to {2}': 'אסימונים',
      Answer: 'תשובה',
      'Classify a sentence': 'סיווג משפט',
    };
  });
  await expect(card.locator('[data-bind="runLabel"]')).toHaveText('להריץ בפרטיות');
  await expect(card.locator('label[for="text"]')).toHaveText('הטקסט שלך');
  await expect(card.locator('[data-bind="tokens"]')).toHaveText(/^\d+ tokens, padded to 16$/);
  expect(await card.locator('html').evaluate((root: HTMLElement) => [root.dir, root.lang])).toEqual(['rtl', 'he']);
  expect(await card.locator('.stays').evaluate((node) => getComputedStyle(node).color)).toBe('rgb(0, 102, 68)');
  for (const frame of [card, small])
    expect(await frame.locator('html').evaluate((root) => root.scrollWidth - root.clientWidth)).toBe(0);
  const heights = () =>
    Promise.all(['#card', '#small'].map(async (id) => (await page.locator(id).boundingBox())?.height));
  const before = await heights();
  await run(small, 'A film of many words, none of which says much.');
  await answered(small, 'NEGATIVE');
  // Under a notice, in the smallest card, the answer is seen all the same.
  await expect(small.locator('#answer')).toBeInViewport({ ratio: 1 });
  // The height says nothing of a text.
  expect(await heights()).toEqual(before);
  await page.screenshot({ path: join(SHOTS, 'rtl-and-dark-280.png') });
});

test('the page where one chooses: live, and the tag that the server prints', async ({ page, deployment }) => {
  await page.goto(`${deployment.url}widget.html`);
  const card = await cardOf(page, '#live tercet-infer');
  const printed = /^<script type="module".*\n<tercet-infer .*$/m.exec(deployment.siteLog)?.[0];
  await expect(page.locator('#tag')).toHaveText(printed ?? 'no tag');
  await page.screenshot({ path: join(SHOTS, 'generator.png'), fullPage: true });
  await run(card, 'The capital of France is [MASK].');
  await expect(card.locator('#answer')).toHaveText('The capital of France is paris.');
  // The hash is that of the file: a browser would not run it otherwise.
  const { script } = JSON.parse(readFileSync(join(ROOT, 'dist/app/widget.json'), 'utf8')) as { script: string };
  expect(printed).toContain(`src="${deployment.url}${script}"`);
  await page.locator('#gen-model').selectOption('sst2-bert');
  await expect(page.locator('#tag')).toContainText('model="sst2-bert" task="text-classification"');
  await page.locator('#gen-share').check();
  await expect(page.locator('#tag')).toContainText(' share-result>');
  await expect((await cardOf(page, '#live tercet-infer')).locator('#shares')).toBeVisible();
});
