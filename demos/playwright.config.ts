import { defineConfig } from '@playwright/test';
import base from '../playwright.config.ts';

/** Tours for people: as the tests of the page are run, and slower where somebody watches. */
// biome-ignore lint/style/noDefaultExport: Playwright reads a default export
export default defineConfig(base, {
  testDir: 'tours',
  testMatch: '*.tour.ts',
  outputDir: '../test-results/demo-runs',
  timeout: 600_000,
  use: { launchOptions: { ...base.use?.launchOptions, slowMo: Number(process.env['DEMO_SLOW_MS'] ?? 0) } },
});
