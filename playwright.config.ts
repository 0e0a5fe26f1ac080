import { defineConfig } from '@playwright/test';
import { ARGS, chromium } from './e2e/support/browser.ts';

/**
 * The web app in a browser, with two compute parties and the page's server as processes. One worker: three parties
 * and a browser are enough for two cores.
 */
// biome-ignore lint/style/noDefaultExport: Playwright reads a default export
export default defineConfig({
  testDir: 'e2e',
  // Emptied at every start: pictures and tours beside it stay.
  outputDir: 'test-results/runs',
  reporter: 'list',
  workers: 1,
  fullyParallel: false,
  retries: 0,
  forbidOnly: true,
  timeout: 60_000,
  expect: { timeout: 20_000 },
  use: {
    browserName: 'chromium',
    viewport: { width: 1440, height: 1000 },
    colorScheme: 'light',
    launchOptions: { executablePath: chromium(), args: [...ARGS] },
  },
});
