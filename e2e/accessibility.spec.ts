/**
 * The page without a pointer, without sight of colour or motion, and on the narrowest screen. All of it is the
 * page's own, so no party runs; e2e/tasks.spec.ts has every task by keyboard among real ones.
 */
import type { Page } from '@playwright/test';
import { App } from './support/app.ts';
import { expect, test } from './support/scripted.ts';

const TEXT = 'The capital of France is [MASK].';

/** @param script what happens, @param pace how fast */
async function open(page: Page, url: string, script: string, pace = 40): Promise<App> {
  const app = new App(page, `${url}?script=${script}&pace=${pace}&fallback`);
  await app.open();
  return app;
}

/** What the focus is on: its accessible name, as far as the page gives one by label, attribute or content. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const node = document.activeElement as HTMLElement | null;
    const labels =
      node instanceof HTMLInputElement || node instanceof HTMLTextAreaElement
        ? [...(node.labels ?? [])].map((label) => label.textContent)
        : [];
    return (node?.getAttribute('aria-label') ?? labels[0] ?? node?.textContent ?? '').trim().replace(/\s+/g, ' ');
  });
}

/** Controls of the accessibility tree without a name. */
async function nameless(app: App): Promise<string[]> {
  const tree = await app.page.locator('body').ariaSnapshot();
  return tree
    .split('\n')
    .filter((line) =>
      /^\s*- (button|link|textbox|radio|checkbox|combobox|slider|tab|progressbar|dialog|img|table|region|navigation)\b(?! ")/.test(
        line,
      ),
    );
}

function sideways(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

test('all of it works by keyboard, in reading order, and the answer is announced', async ({ page, scripted }) => {
  // Slow enough that what is said on the way can be read.
  const app = await open(page, scripted, 'ok', 4);
  const order: string[] = [];
  for (let last = ''; last !== 'Change the settings' && order.length < 30; ) {
    await page.keyboard.press('Tab');
    last = await focused(page);
    order.push(last);
    if (order.length === 1) await app.shot('focus-skip-link');
  }
  expect(order).toEqual([
    'Skip to the text box',
    'Tercet, home',
    ...['How it works', 'Limits', 'Words', 'Theme: auto', 'Settings'],
    ...['See what is available', 'Dismiss'],
    'Fill a blank',
    ...['Your text', 'Add a blank'],
    ...['a capital', 'a symptom', 'a contract'],
    ...['Run privately', 'Change the settings'],
  ]);

  // Settings open with the focus on their title, and give it back.
  await page.keyboard.press('Enter');
  await expect(app.settings).toBeVisible();
  await expect(app.settings.getByRole('heading', { name: 'Settings', exact: true })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(app.settings).toBeHidden();
  expect(await focused(page)).toBe('Change the settings');

  await page.reload();
  await app.ready();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(app.text).toBeFocused();
  await page.keyboard.press('Control+A');
  await page.keyboard.type(TEXT);
  await expect(app.text).toHaveValue(TEXT);
  await app.shot('focus-text');
  await expect(app.said).toHaveText('');
  await expect(app.said).toHaveAttribute('aria-live', 'polite');
  await page.keyboard.press('Control+Enter');
  await expect(app.said).toHaveText(/^(Running|Locked text sent|\d\d per cent)/);
  await expect(app.said).toHaveText(/^Done in [\d.]+\s?s\. Answer: paris\.$/);
  await expect(app.text).toBeFocused();

  // A run by the button is stopped by the same key on the same button.
  const held = await open(page, scripted, 'hold-run');
  await held.button.focus();
  await page.keyboard.press('Enter');
  const pressedAt = await page.evaluate(() => performance.now());
  await expect(held.bound('stepTitle')).toContainText('Layer 7');
  // Sooner it would be a double click.
  await page.waitForFunction((at) => performance.now() - at > 420, pressedAt);
  await expect(app.button).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(app.said).toHaveText('Stopped on all three parties. Nothing was opened.');
  await expect(app.button).toBeFocused();
});

test('a text that cannot run is refused in words that belong to its box', async ({ page, scripted }) => {
  const app = await open(page, scripted, 'ok');
  await app.run('There is none here.');
  await expect(app.text).toHaveAttribute('aria-invalid', 'true');
  await expect(app.text).toBeFocused();
  await expect(app.text).toHaveAccessibleDescription(/There is no blank in the text\..*What to do:/);
  await app.shot('error-no-blank', ['light', 'narrow']);
  await app.type(TEXT);
  await expect(app.text).not.toHaveAttribute('aria-invalid');
});

test('320 pixels need no sideways scroll', async ({ page, scripted }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  const running = await open(page, scripted, 'hold-run');
  await running.run(TEXT);
  await running.middle();
  expect(await sideways(page), 'running').toBe(0);
  const app = await open(page, scripted, 'ok');
  expect(await sideways(app.page), 'idle').toBe(0);
  await app.openSettings();
  expect(await sideways(app.page), 'settings').toBe(0);
  expect(await app.settings.evaluate((node) => node.scrollWidth - node.clientWidth), 'inside the settings').toBe(0);
  await app.closeSettings();
  await app.ask(TEXT);
  expect(await sideways(app.page), 'result').toBe(0);
  // Control: something wider is noticed.
  await app.page
    .locator('#main')
    .evaluate((node) => node.append(Object.assign(document.createElement('pre'), { textContent: 'wide '.repeat(80) })));
  expect(await sideways(app.page)).toBeGreaterThan(0);
});

for (const reducedMotion of ['no-preference', 'reduce'] as const) {
  test(`with motion set to ${reducedMotion}, ${reducedMotion === 'reduce' ? 'nothing moves' : 'the link that carries bytes moves'}`, async ({
    page,
    scripted,
  }) => {
    await page.emulateMedia({ reducedMotion });
    const app = await open(page, scripted, 'hold-run');
    await app.run(TEXT);
    await app.middle();
    await app.frame();
    const moving = await app.page.evaluate(
      () => document.getAnimations().filter(({ playState }) => playState === 'running').length,
    );
    // Without motion the link that is in use is marked all the same.
    await expect(app.page.locator('html')).toHaveAttribute('data-moving', 'p12');
    if (reducedMotion === 'reduce') expect(moving).toBe(0);
    else expect(moving).toBeGreaterThan(0);
  });
}

test('every control, picture and table has a name, in every state', async ({ page, scripted }) => {
  const running = await open(page, scripted, 'hold-run');
  await running.run(TEXT);
  await running.middle();
  await expect(page.getByRole('progressbar', { name: 'Model layers' })).toHaveAttribute(
    'aria-valuetext',
    /^Layer \d of 12, \d+/,
  );
  expect(await nameless(running), 'running').toEqual([]);
  const lost = await open(page, scripted, 'peer-lost');
  await lost.run(TEXT);
  await expect(lost.error).toBeVisible();
  await expect(page.getByRole('alert').filter({ hasText: 'What to do:' })).toBeVisible();
  expect(await nameless(lost), 'error').toEqual([]);
  const app = await open(page, scripted, 'ok');
  expect(await nameless(app), 'idle').toEqual([]);
  await app.openSettings();
  expect(await nameless(app), 'settings').toEqual([]);
  await app.closeSettings();
  await app.ask(TEXT);
  expect(await nameless(app), 'result').toEqual([]);
  // Landmarks, and one heading above all.
  for (const landmark of ['banner', 'main', 'contentinfo'] as const)
    await expect(page.getByRole(landmark)).toHaveCount(1);
  await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1);
  // Control: a control without a name is noticed.
  await page.locator('#form').evaluate((node) => node.append(document.createElement('button')));
  expect(await nameless(app)).toHaveLength(1);
});
