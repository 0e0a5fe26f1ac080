/** The page on WebGPU, computed by SwiftShader on the processor: slow, and the same answer to the last bit. */
import { App } from './support/app.ts';
import { ARGS, SOFTWARE_WEBGPU, chromium } from './support/browser.ts';
import { expect, test } from './support/test.ts';

const TEXT = 'The capital of Norway is [MASK].';
const SLOW_MS = 300_000;

test('a software adapter is passed over for WASM, aloud; forced, WebGPU gives the same answer', async ({
  deployment,
  playwright,
}) => {
  test.setTimeout(SLOW_MS);
  // A browser of its own beside the parties that other files use.
  const browser = await playwright.chromium.launch({
    executablePath: chromium(),
    args: [...ARGS, ...SOFTWARE_WEBGPU],
  });
  try {
    const app = new App(await browser.newPage(), deployment.url);
    await app.open();
    const notice = app.notice.filter({
      hasText: 'The only graphics adapter here is a software one, so Tercet uses the processor (WASM).',
    });
    await expect(notice).toBeVisible();
    await expect(app.bound('p0.health')).toHaveText('this tab, WASM');
    await app.openSettings();
    await expect(app.page.locator('#set-device label').filter({ hasText: 'WebGPU' })).toContainText(
      'in software on the processor',
    );
    await app.closeSettings();
    await app.shot('software-adapter');
    const processor = await app.ask(TEXT);

    app.patienceMs = SLOW_MS;
    await app.choose('device', 'webgpu');
    await expect(notice, 'what was chosen is what is used').toHaveCount(0);
    await expect(app.bound('p0.health')).toHaveText('this tab, WebGPU');
    await expect(app.bound('config')).toContainText('WebGPU');
    const graphics = await app.ask(TEXT);
    expect(graphics).toEqual(processor);
    await expect(app.bound('p0.health')).toHaveText('this tab, WebGPU');
    expect((await app.sums()).map(({ total }) => total)).toEqual(['1', '0']);
    await app.shot('result-webgpu');
  } finally {
    await browser.close();
  }
});
