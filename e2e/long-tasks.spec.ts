/**
 * How the page cuts its work: one long task would hold up a slow device for a second. What one task does is counted
 * by what it changes in the document, never by a clock.
 */
import { expect, test } from './support/scripted.ts';

interface Turn {
  /** Nodes that were added in one go. */
  readonly added: number;
  /** What is there, or shown, at the end of it. */
  readonly tasks: boolean;
  readonly figures: boolean;
  readonly loaded: boolean;
  readonly answer: boolean;
  readonly evidence: boolean;
  readonly worked: boolean;
  readonly cost: boolean;
}

/** Nodes of one go, of about 600 that a run changes: the largest are the rows of what each party saw. */
const MOST_ADDED = 140;

test('wiring, first drawing and loading are tasks of their own; the evidence follows the answer, part by part', async ({
  page,
  scripted,
}) => {
  await page.addInitScript(() => {
    const turns: Turn[] = [];
    Object.assign(globalThis, { turns });
    const there = (selector: string) => document.querySelector(selector) !== null;
    const shown = (selector: string) => there(`${selector}:not([hidden])`);
    // Observers are called when a task, or a callback of the browser, is over.
    new MutationObserver((records) => {
      turns.push({
        added: records
          .flatMap(({ addedNodes }) => [...addedNodes])
          .reduce((sum, node) => sum + (node instanceof Element ? 1 + node.querySelectorAll('*').length : 0), 0),
        tasks: there('#tasks input'),
        figures: (document.querySelector('[data-hex]')?.textContent ?? '') !== '',
        loaded: there('#examples button'),
        answer: shown('.slot-in[data-when="result"]'),
        evidence: shown('#saw'),
        worked: shown('#saw:not([hidden]) .worked'),
        cost: shown('.band[aria-labelledby="cost-h"]'),
      });
    }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  });
  await page.goto(`${scripted}?script=ok&pace=5`);
  await expect(page.locator('#run')).toBeEnabled();
  await page.locator('#run').click();
  await expect(page.locator('#saw')).toBeVisible();
  await expect(page.locator('#cost-note')).toBeVisible();
  const turns = await page.evaluate(() => (globalThis as unknown as { readonly turns: Turn[] }).turns);

  const first = (name: Exclude<keyof Turn, 'added'>) => turns.findIndex((turn) => turn[name]);
  const order = (['tasks', 'loaded', 'answer', 'evidence', 'worked', 'cost'] as const).map(first);
  expect(order[0]).toBeGreaterThanOrEqual(0);
  for (const [i, turn] of order.entries()) if (i > 0) expect(turn, `${order}`).toBeGreaterThan(order[i - 1]);
  // The drawing has its turn while the model is loaded.
  expect(first('figures')).toBeGreaterThan(order[0]);
  expect(first('figures')).toBeLessThan(order[2]);
  expect(first('figures')).not.toBe(order[1]);
  for (const { added } of turns.slice(order[1])) expect(added).toBeLessThan(MOST_ADDED);
});

test('nothing is measured in the task that changed it: that would lay out the page there and then', async ({
  page,
  scripted,
}) => {
  await page.addInitScript(() => {
    const seen = { early: [] as string[], measured: 0 };
    Object.assign(globalThis, { seen });
    // What was changed and has not been reported yet was changed in this task.
    const changes = new MutationObserver(() => undefined);
    changes.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    const watch = (type: { readonly prototype: object }, name: string): void => {
      const real = Reflect.get(type.prototype, name) as (...args: unknown[]) => unknown;
      Reflect.set(type.prototype, name, function (this: unknown, ...args: unknown[]) {
        seen.measured++;
        if (changes.takeRecords().length > 0) seen.early.push(`${name} ${new Error().stack}`);
        return real.apply(this, args);
      });
    };
    watch(Element, 'getBoundingClientRect');
    watch(SVGTextContentElement, 'getComputedTextLength');
  });
  await page.goto(`${scripted}?script=ok&pace=5`);
  await expect(page.locator('#run')).toBeEnabled();
  // As the form does: Playwright itself measures what it clicks.
  await page.evaluate(() => document.querySelector<HTMLButtonElement>('#run')?.click());
  await expect(page.locator('#cost-note')).toBeVisible();
  const seen = await page.evaluate(
    () => (globalThis as unknown as { readonly seen: { readonly early: string[]; readonly measured: number } }).seen,
  );
  expect(seen.measured).toBeGreaterThan(0);
  expect(seen.early).toEqual([]);
});

test('while a run goes, form and picture change in turns, and what moves is moved without the page’s thread', async ({
  page,
  scripted,
}) => {
  await page.addInitScript(() => {
    const turns = { form: 0, picture: 0, both: 0 };
    Object.assign(globalThis, { turns });
    let before: string | undefined;
    new MutationObserver((records) => {
      const inside = (id: string) =>
        records.some(({ target }) => (target.parentElement ?? document.body).closest(id) !== null);
      const now = document.querySelector('.slot-in:not([hidden])')?.getAttribute('data-when') ?? undefined;
      const [form, picture] = [inside('#ask'), inside('#how')];
      // When it begins and ends all of it changes.
      if (now === 'running' && before === now) {
        if (form && picture) turns.both++;
        else if (form) turns.form++;
        else if (picture) turns.picture++;
      }
      before = now;
    }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  });
  await page.goto(`${scripted}?script=hold-run`);
  await page.locator('#run').click();
  await expect(page.locator('[data-bind="stepTitle"]')).toContainText(/ayer 7 of 12/);
  await expect(page.locator('html')).toHaveAttribute('data-moving', 'p12');
  const { turns, moved } = await page.evaluate(() => ({
    turns: (globalThis as unknown as { readonly turns: { form: number; picture: number; both: number } }).turns,
    moved: document.getAnimations().map((animation) => {
      const { effect } = animation;
      const frames = effect instanceof KeyframeEffect ? effect.getKeyframes() : [];
      return frames.map(({ computedOffset: _, offset: __, easing: ___, composite: ____, ...what }) =>
        Object.keys(what),
      );
    }),
  }));
  expect(turns.both).toBe(0);
  expect(turns.form).toBeGreaterThan(1);
  expect(turns.picture).toBeGreaterThan(1);
  expect(moved.length).toBeGreaterThan(0);
  expect(new Set(moved.flat(2))).toEqual(new Set(['translate']));
});

test('an answer whose evidence does not come says so in its place', async ({ page, scripted }) => {
  let refused = 0;
  await page.route(/\/evidence[^/]*\.js$/, (route) => {
    refused++;
    return route.abort();
  });
  await page.goto(`${scripted}?script=ok&pace=5`);
  await expect(page.locator('#run')).toBeEnabled();
  await page.locator('#run').click();
  await expect(page.locator('#saw')).toContainText('could not be loaded. Check your network, then reload the page.');
  await expect(page.locator('#saw table')).toHaveCount(0);
  expect(refused).toBe(1);
});
