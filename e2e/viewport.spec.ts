/**
 * What the page is for stands in the window: the button at the start, then progress, answer or error, without
 * anybody scrolling.
 */
import type { Locator, Page } from '@playwright/test';
import { expect, test } from './support/scripted.ts';

const WINDOWS = [
  [1280, 720],
  [1366, 657],
  [1440, 900],
  [390, 844],
] as const;
/**
 * Without a notice there is more room, so two do there. The form of the second is the tallest of those with an
 * answer of one line.
 */
const SOME = ['Fill a blank', 'Sort by your own labels'] as const;
const TASKS = [
  'Fill a blank',
  'Classify a sentence',
  'Answer a question',
  'Find names',
  'Continue a text',
  'Sort by your own labels',
] as const;

interface Box {
  readonly top: number;
  readonly bottom: number;
}

/** Until the page has stopped moving. */
async function still(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const frame = () => new Promise<void>((resolve) => requestAnimationFrame(() => resolve()));
    for (let same = 0, last = -1; same < 4; ) {
      await frame();
      same = scrollY === last ? same + 1 : 0;
      last = scrollY;
    }
  });
}

/** Until a click is no part of a double click that began then. */
async function past(page: Page, pressedAt: number): Promise<void> {
  await page.waitForFunction((at) => performance.now() - at > 420, pressedAt);
}

async function boxOf(node: Locator): Promise<Box> {
  await expect(node).toBeVisible();
  return node.evaluate((element) => {
    const { top, bottom } = element.getBoundingClientRect();
    return { top, bottom };
  });
}

async function expectInside(page: Page, node: Locator, what: string): Promise<void> {
  // What comes in begins to move the page.
  await expect(node).toBeVisible();
  await still(page);
  const { top, bottom } = await boxOf(node);
  const height = await page.evaluate(() => innerHeight);
  expect(top, `top of ${what}`).toBeGreaterThanOrEqual(0);
  expect(bottom, `bottom of ${what} in a window of ${height}`).toBeLessThanOrEqual(height);
}

async function open(page: Page, url: string, script: string, notice: boolean): Promise<void> {
  await page.goto(`${url}?script=${script}&pace=40${notice ? '&fallback' : ''}`);
  await expect(page.locator('#run')).toBeEnabled();
  await expect(page.locator('#notices .notice')).toHaveCount(notice ? 1 : 0);
}

async function choose(page: Page, task: string): Promise<void> {
  await page.evaluate(() => scrollTo(0, 0));
  const radio = page.getByRole('radio', { name: task });
  // Behind a run it is there again in the next frame.
  await expect(radio).toBeEnabled();
  await radio.check({ force: true });
  await expect(page.locator('#run')).toBeEnabled();
  await still(page);
}

for (const [width, height] of WINDOWS) {
  for (const notice of [false, true]) {
    test(`${width} × ${height}${notice ? ' with a notice' : ''}: the button, the progress, the answer and the error of ${notice ? 'every task' : 'two tasks'} are in the window`, async ({
      page,
      scripted,
    }) => {
      // Up to ten runs that are drawn; seconds each on a busy machine.
      test.slow();
      await page.setViewportSize({ width, height });
      // The half with a notice asks for less motion too.
      await page.emulateMedia({ reducedMotion: notice ? 'reduce' : 'no-preference' });
      const run = page.locator('#run');

      await open(page, scripted, 'ok', notice);
      for (const task of notice ? TASKS : SOME) {
        await choose(page, task);
        // On a phone the forms with more fields are longer than the window.
        if (width >= 1240 || task === SOME[0]) await expectInside(page, run, `the button of “${task}”`);
        await run.click();
        await expect(page.locator('html')).toHaveAttribute('data-phase', 'done');
        const answer =
          { 'Find names': '#scores .passage', 'Continue a text': '[data-when="result"] .growing' }[task as string] ??
          '#answer';
        await expectInside(page, page.locator(answer), `the answer of “${task}”`);
        if (task === 'Fill a blank')
          await expectInside(page, page.locator('#scores tbody tr').nth(2), 'three of the words');
      }

      await open(page, scripted, 'hold-run', notice);
      for (const task of SOME) {
        await choose(page, task);
        await run.click();
        const pressedAt = await page.evaluate(() => performance.now());
        await expect(page.locator('[data-bind="stepTitle"]')).toContainText(/ayer 7 of 12/);
        await expectInside(page, run, `Stop of “${task}”`);
        await expectInside(page, page.locator('#layers'), `the progress of “${task}”`);
        // The next page ends the last run.
        if (task === SOME.at(-1)) break;
        // A second click sooner would be a double click, and so would the next task's.
        await past(page, pressedAt);
        await run.click();
        await past(page, await page.evaluate(() => performance.now()));
      }

      await open(page, scripted, 'peer-lost', notice);
      for (const task of SOME) {
        await choose(page, task);
        await run.click();
        await expectInside(page, page.locator('#error'), `the error of “${task}”`);
      }
    });
  }
}

test('whoever scrolled since the button is left where they are', async ({ page, scripted }) => {
  await page.setViewportSize({ width: 1280, height: 720 });
  await page.goto(`${scripted}?script=peer-lost`);
  await page.locator('#run').click();
  await still(page);
  await page.mouse.wheel(0, 900);
  await expect.poll(() => page.evaluate(() => scrollY)).toBeGreaterThan(500);
  await still(page);
  const there = await page.evaluate(() => scrollY);
  await expect(page.locator('html')).toHaveAttribute('data-phase', 'lost');
  await still(page);
  expect(await page.evaluate(() => scrollY)).toBe(there);
});

test('the title is two lines and the tasks are one row in a wide face, and a long text scrolls in its box', async ({
  page,
  scripted,
}) => {
  await page.setViewportSize({ width: 1280, height: 720 });
  await open(page, scripted, 'ok', false);
  await page.evaluate(() => document.documentElement.style.setProperty('--serif', '"DejaVu Serif"'));
  await page.evaluate(() => document.documentElement.style.setProperty('--sans', '"DejaVu Sans"'));
  const lines = await page
    .locator('h1')
    .evaluate((node) => node.getBoundingClientRect().height / Number.parseFloat(getComputedStyle(node).lineHeight));
  expect(Math.round(lines)).toBe(2);
  const tops = await page
    .locator('#tasks label:visible')
    .evaluateAll((labels) => labels.map((label) => Math.round(label.getBoundingClientRect().top)));
  expect(tops).toHaveLength(TASKS.length);
  expect(new Set(tops).size, 'rows of tasks').toBe(1);
  await page.locator('#text').fill('WWWW MMMM WWWW MMMM WWWW MMMM WWWW MMMM [MASK]');
  for (const [width, drawing] of [
    [1280, '.tri-wide'],
    [390, '.tri-narrow'],
  ] as const) {
    await page.setViewportSize({ width, height: 720 });
    const words = await page.locator(`${drawing} .words`).boundingBox();
    const territory = await page.locator(`${drawing} .zone-p0 .zone-box`).boundingBox();
    expect((words?.x ?? 0) + (words?.width ?? 1e9), `wide words in ${drawing}`).toBeLessThanOrEqual(
      (territory?.x ?? 0) + (territory?.width ?? 0),
    );
  }
  await page.setViewportSize({ width: 1280, height: 720 });
  await page.locator('#text').fill('word '.repeat(4000));
  await expectInside(page, page.locator('#run'), 'the button under 4,000 words');
  expect(
    await page.locator('#text').evaluate((node) => node.scrollHeight - node.clientHeight),
    'scrolls inside',
  ).toBeGreaterThan(1000);
});
