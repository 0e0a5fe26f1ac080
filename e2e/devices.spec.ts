/** Without WebGPU the page says why, cannot be talked into it, and computes on the processor. */
import { expect, test } from './support/test.ts';

const MISSING = /Not available\. This browser has (no WebGPU|WebGPU, but no graphics processor answered)\./;
const NOTICE = /so Tercet uses the processor \(WASM\)\./;

test('settings show WebGPU disabled, with the reason, and it cannot be forced', async ({ app }) => {
  await app.openSettings();
  const webgpu = app.page.locator('#set-device-webgpu');
  const option = app.page.locator('#set-device label', { has: webgpu });
  await expect(webgpu).toBeDisabled();
  await expect(option).toContainText(MISSING);
  await app.shot('settings-no-webgpu', ['light', 'dark', 'narrow']);

  // A list that says the same is not made anew under a pointer when the parties say how they are.
  const row = await option.elementHandle();
  const asked = app.page.waitForResponse(/\/health$/);
  await app.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await (await asked).finished();
  await app.frame();
  expect(await row?.evaluate((node) => node.isConnected)).toBe(true);

  // By pointer and by keyboard.
  await option.click({ force: true });
  await expect(webgpu).not.toBeChecked();
  await app.page.locator('#set-device-auto').focus();
  await app.page.keyboard.press('ArrowDown');
  await expect(webgpu).not.toBeChecked();
  // Control: the next one that is there was taken, so the keys and the list work.
  await expect(app.page.locator('#set-device-wasm')).toBeChecked();
  await app.closeSettings();
  await app.ready();
  await expect(app.bound('config')).toContainText('WASM');
  expect((await app.ask('The capital of Norway is [MASK].'))[0].word).toBe('oslo');
});

test('the fallback is said once, and can be dismissed', async ({ app, openTab }) => {
  await expect(app.notice.filter({ hasText: NOTICE })).toBeVisible();
  await app.shot('idle', ['light', 'dark', 'narrow']);
  await app.notice.getByRole('button', { name: 'See what is available' }).click();
  await expect(app.settings).toContainText(MISSING);
  await app.closeSettings();
  await app.notice.getByRole('button', { name: 'Dismiss' }).click();
  await expect(app.notice).toHaveCount(0);
  await expect(app.text).toBeFocused();
  // Not again in this tab, although the model is loaded anew, nor in a later visit: there is nothing to be done.
  await app.choose('transport', 'websocket');
  await expect(app.notice).toHaveCount(0);
  const other = await openTab();
  await expect(other.bound('config')).toContainText('WASM');
  await expect(other.notice).toHaveCount(0);
  // Where nobody dismissed it, asking for the processor by name ends it: that is no fallback.
  await other.page.evaluate(() => localStorage.clear());
  await other.page.reload();
  await expect(other.notice.filter({ hasText: NOTICE })).toBeVisible();
  await other.choose('device', 'wasm');
  await expect(other.notice).toHaveCount(0);
});
