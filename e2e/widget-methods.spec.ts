/**
 * What a page of another origin does with its card: it ends a run, styles the parts, moves the element, and gives it
 * the focus. What of it a page could misuse is in widget-hostile.spec.ts.
 */
import type { Page } from '@playwright/test';
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

type Card = HTMLElementTagNameMap['tercet-infer'];

/** Calls in the page, whose promises a test waits for later. */
const CALLS = `${LISTEN}
window.call = () => {
  window.outcome = document.querySelector('#card').run().then(
    (answer) => answer.labels[0].label, ({ name, code }) => name + ' ' + code);
};`;

declare global {
  interface Window {
    call(): void;
    outcome: Promise<string>;
  }
}

const stateOf = (page: Page) => page.locator('#card').evaluate((element: Card) => element.state);
const outcomeOf = (page: Page) => page.evaluate(() => window.outcome);
const typesOf = async (page: Page) => (await heard(page)).map(({ type }) => type);

test('abort() ends a run of the page and one of its visitor, and one that waits for its model', async ({
  page,
  deployment,
  host,
}) => {
  await page.goto(host.page('abort', { body: tag('share-result name="mood" required'), script: CALLS }));
  await page.waitForFunction(() => document.querySelector('tercet-infer')?.shadowRoot !== null);
  // Nothing runs yet: nothing is ended, and nothing is wrong.
  await page.locator('#card').evaluate((element: Card) => element.abort());
  // Called before there is a model, and taken back.
  await page.evaluate(() => {
    window.call();
    document.querySelector('tercet-infer')?.abort();
  });
  expect(await outcomeOf(page)).toBe('TercetError ERR_ABORTED');
  const card = await cardOf(page);
  expect(await stateOf(page)).toBe('ready');

  await card.locator('#text').fill(TEXT);
  await page.locator('h1').click();
  // Taken back at once, while the text is still looked at.
  await page.evaluate(() => {
    window.call();
    document.querySelector('tercet-infer')?.abort();
  });
  expect(await outcomeOf(page)).toBe('TercetError ERR_ABORTED');
  // A party that is held: the run cannot end by itself.
  await deployment.party(2).signal('SIGSTOP');
  try {
    await page.evaluate(() => window.call());
    await expect.poll(() => stateOf(page)).toBe('running');
    await expect(card.locator('#run')).toHaveText('Stop');
    await page.locator('#card').evaluate((element: Card) => element.abort());
    expect(await outcomeOf(page)).toBe('TercetError ERR_ABORTED');
    await expect.poll(() => stateOf(page)).toBe('ready');
    await expect(card.locator('[data-bind="readyText"]')).toContainText('Stopped on all three parties.');
    await expect(card.locator('#answer')).toBeHidden();
  } finally {
    await deployment.party(2).signal('SIGCONT');
  }
  // Neither party works on it any more; what they may have is a place that waits for the next text.
  for (const id of [1, 2] as const)
    await expect
      .poll(async () => deployment.places(id).then(({ taken, idle }) => taken - idle), { timeout: PATIENCE_MS })
      .toBe(0);
  const seen = await page.locator('#card').evaluate(({ value, result, validity }: Card) => ({
    value,
    result,
    missing: validity.valueMissing,
  }));
  expect(seen).toEqual({ value: '', result: undefined, missing: true });

  // The visitor's own run, ended by the page.
  await deployment.party(2).signal('SIGSTOP');
  try {
    await press(card);
    await expect.poll(() => stateOf(page)).toBe('running');
    await page.locator('#card').evaluate((element: Card) => element.abort());
    await expect(card.locator('[data-bind="readyText"]')).toContainText('Stopped on all three parties.');
  } finally {
    await deployment.party(2).signal('SIGCONT');
  }
  // What was asked for is no error, and no answer was heard.
  const told = await typesOf(page);
  expect(told).toEqual(expect.arrayContaining(['ready', 'fallback', 'progress']));
  expect(told.filter((type) => type === 'result' || type === 'error')).toEqual([]);
  // The next run goes through.
  await page.locator('h1').click();
  await page.evaluate(() => window.call());
  expect(await outcomeOf(page)).toBe('POSITIVE');
});

test('parts take the page’s styles, and nothing else of the card does', async ({ page, host }) => {
  const styles = `
    tercet-infer::part(placeholder) { background-color: rgb(4, 5, 6); border: 7px dashed rgb(7, 8, 9); }
    #card::part(frame) { border: 5px solid rgb(1, 2, 3); border-radius: 21px; }
    #card { --tercet-height: 600px; inline-size: 420px; }
    iframe, .wait { display: none; opacity: 0; }`;
  const far = '<div style="height: 4000px">far away</div>';
  await page.goto(host.page('parts', { body: `<style>${styles}</style>${far}${tag()}${far}${tag('', 'other')}` }));
  const inside = (id: string, what: string) =>
    page.locator(id).evaluate((element, selector) => {
      const node = element.shadowRoot?.querySelector(selector);
      if (node === null || node === undefined) return undefined;
      const style = getComputedStyle(node);
      const { width, height } = node.getBoundingClientRect();
      const { display, opacity, borderTopWidth, borderTopStyle, borderTopColor, borderRadius, backgroundColor } = style;
      return {
        ...{ display, opacity, borderRadius, backgroundColor, width, height },
        border: `${borderTopWidth} ${borderTopStyle} ${borderTopColor}`,
      };
    }, what);
  await page.waitForFunction(() => document.querySelector('tercet-infer')?.shadowRoot !== null);
  // `display: none` and `opacity: 0` are for iframes of the page itself.
  const shown = { display: 'block', opacity: '1' };
  for (const id of ['#card', '#other'])
    expect(await inside(id, '.wait')).toMatchObject({
      ...shown,
      backgroundColor: 'rgb(4, 5, 6)',
      border: '7px dashed rgb(7, 8, 9)',
    });
  for (const id of ['#card', '#other']) {
    await page.locator(id).scrollIntoViewIfNeeded();
    await cardOf(page, id, false);
  }
  expect(await inside('#card', 'iframe')).toEqual({
    ...shown,
    backgroundColor: 'rgba(0, 0, 0, 0)',
    border: '5px solid rgb(1, 2, 3)',
    borderRadius: '21px',
    width: 420,
    height: 600,
  });
  // Control: the card that the selector does not name keeps its own look.
  expect(await inside('#other', 'iframe')).toMatchObject({ ...shown, border: /^0px/, borderRadius: '6px' });
});

test('moveBefore keeps the frame, its text, its run and its focus; another move takes a new frame', async ({
  page,
  deployment,
  host,
}) => {
  const body = `<input id="mine"><div id="first">${tag('share-result')}</div><div id="second"></div>`;
  await page.goto(host.page('moved', { body, script: CALLS }));
  const card = await cardOf(page);
  await card.locator('#text').fill(TEXT);
  await expect(page.locator('#card iframe')).toBeFocused();
  const moveTo = (place: string) =>
    page.evaluate((id) => {
      const [to, what] = [document.querySelector(id), document.querySelector('#card')];
      // The typings of TypeScript know the method from a later version on.
      if (to !== null) (to as Element & { moveBefore(node: Node | null, child: null): void }).moveBefore(what, null);
    }, place);
  await moveTo('#second');
  await expect(page.locator('#second > #card')).toHaveCount(1);
  await expect(page.locator('#card iframe')).toBeFocused();
  expect(card.isDetached()).toBe(false);
  await expect(card.locator('#text')).toHaveValue(TEXT);

  // In the middle of a run, and through an ordinary form of the page.
  await page.locator('#mine').focus();
  await deployment.party(2).signal('SIGSTOP');
  try {
    await page.evaluate(() => window.call());
    await expect.poll(() => stateOf(page)).toBe('running');
    await moveTo('#first');
  } finally {
    await deployment.party(2).signal('SIGCONT');
  }
  expect(await outcomeOf(page)).toBe('POSITIVE');
  await answered(card);
  expect(card.isDetached()).toBe(false);
  expect((await typesOf(page)).filter((type) => type === 'result')).toHaveLength(1);

  // An ordinary move, in the middle of a run: its call is told, and what was typed is gone with its frame.
  await deployment.party(2).signal('SIGSTOP');
  try {
    await page.evaluate(() => window.call());
    await expect.poll(() => stateOf(page)).toBe('running');
    await page.evaluate(() => {
      const what = document.querySelector('#card');
      // Twice at once: the frame of the place between is never needed.
      if (what !== null) for (const id of ['#second', '#first']) document.querySelector(id)?.append(what);
    });
  } finally {
    await deployment.party(2).signal('SIGCONT');
  }
  expect(await outcomeOf(page)).toBe('TercetError ERR_ABORTED');
  const fresh = await cardOf(page);
  expect(card.isDetached()).toBe(true);
  await expect(page.locator('#card iframe')).toHaveCount(1);
  await expect(fresh.locator('#text')).not.toHaveValue(TEXT);

  // Out of the document, and back into a shadow tree of another place.
  await page.evaluate(() => {
    const what = document.querySelector('#card') as Card;
    what.remove();
    what.abort();
    const root = document.querySelector('#second')?.attachShadow({ mode: 'open' });
    setTimeout(() => root?.append(what));
  });
  const back = await cardOf(page);
  await run(back, 'Two hours that nobody gives back to me.');
  await answered(back, 'NEGATIVE');
});

test('a card that starts takes the focus that it is given, and no other', async ({ page, host }) => {
  const far = '<div style="height: 3000px">far away</div>';
  const body = `<input id="mine">${far}<button id="before">before</button>${tag('device="wasm"')}<button id="after">after</button>${far}${tag('', 'other')}`;
  await page.goto(host.page('focus', { body, script: LISTEN }));
  await page.waitForFunction(() => document.querySelector('tercet-infer')?.shadowRoot !== null);
  // Somebody types elsewhere on the page, and a card comes near: it starts, and the focus stays.
  await page.locator('#mine').focus();
  await page.evaluate(() => scrollTo({ top: document.body.scrollHeight, behavior: 'instant' }));
  await cardOf(page, '#other');
  await expect(page.locator('#mine')).toBeFocused();

  // By keyboard: one step into the card, whose frame is made then, the next to what stands in it, and out of it.
  await page.locator('#before').evaluate((element) => element.focus({ preventScroll: true }));
  await page.keyboard.press('Tab');
  await expect(page.locator('#card iframe')).toBeFocused();
  const card = await cardOf(page);
  await expect(page.locator('#card iframe')).toBeFocused();
  await expect(page.locator('#card .wait')).toHaveCount(0);
  await page.keyboard.press('Tab');
  await expect(card.locator('#text')).toBeFocused();
  await page.keyboard.press('Control+A');
  await page.keyboard.type(TEXT);
  await expect(card.locator('#text')).toHaveValue(TEXT);
  await page.keyboard.press('Control+Enter');
  await answered(card);
  await expect(card.locator('#text')).toBeFocused();
  await page.keyboard.press('Shift+Tab');
  await expect(page.locator('#before')).toBeFocused();
});
