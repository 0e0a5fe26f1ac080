// Pictures of every state of the page, over the scripted SDK and the built files, with the policy as a header as a
// real host sends it. node dev/scripted/shots.mjs [folder] [name …]
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { chromiumPath } from '../../scripts/find-chromium.mjs';
import { build, preview } from 'vite';

const CSP =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const [folder = 'dist/shots', ...names] = process.argv.slice(2);
const root = fileURLToPath(new URL('../../', import.meta.url));
const configFile = fileURLToPath(new URL('./vite.config.ts', import.meta.url));

const type = async (page, text = 'The capital of France is [MASK]') => {
  await page.locator('#text').fill('');
  await page.locator('#text').pressSequentially(text, { delay: 5 });
};
const ready = (page) => page.getByText(/^Ready for/).waitFor();
const run = (page) => page.locator('#run').click();
const answered = async (page) => {
  await type(page, 'The capital of France is [MASK].');
  await ready(page);
  await run(page);
  await page.locator('[data-when="result"] >> nth=0').waitFor();
};
const failed = async (page) => {
  await run(page);
  await page.locator('#error h3').waitFor();
};
const endedBadly = async (page) => {
  await type(page);
  await ready(page);
  await failed(page);
};
const settings = async (page) => {
  await page.getByRole('button', { name: 'Settings', exact: true }).click();
  await page.waitForTimeout(200);
};
const still = (page) => page.waitForTimeout(300);
const withDealer = async (page) => {
  await settings(page);
  await page.locator('#set-dealer-dealer').check({ force: true });
  await page.keyboard.press('Escape');
  await still(page);
};
const held = async (page) => {
  await type(page);
  await ready(page);
  await run(page);
  await page.getByText('Layer 7 of 12').waitFor();
  await page.waitForTimeout(500);
};

const pick = async (page, name) => {
  await page.getByRole('radio', { name }).check({ force: true });
  await page.locator('#run:not([disabled])').waitFor();
  await page
    .getByText(/tokens, padded/)
    .first()
    .waitFor();
};
const result = (page) => page.locator('[data-when="result"] >> nth=0').waitFor();
/** Chooses a task, and runs its first example. */
const example = (name) => async (page) => {
  await pick(page, name);
  await run(page);
  await result(page);
};
const form = (name) => async (page) => {
  await pick(page, name);
  await still(page);
};
const growing = async (page) => {
  await pick(page, 'Continue a text');
  await run(page);
  await page
    .getByText(/^7 of 20 pieces/)
    .first()
    .waitFor();
  await page.waitForTimeout(300);
};
/** The page without its room for letters: WCAG 1.4.12. */
const spaced = (page) =>
  page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(
      '* { letter-spacing: 0.12em !important; word-spacing: 0.16em !important; line-height: 1.5 !important; } p { margin-bottom: 2em !important; }',
    );
    document.adoptedStyleSheets = [sheet];
  });
const LOW = { width: 1280, height: 720 };
const DARK = { height: 1500, colorScheme: 'dark' };
/** As tall as form and answer. */
const PHONE = { width: 390, height: 1800 };
const DESK = { height: 1500 };

/** name → script, what to do, and how the page is looked at. */
const STATES = {
  idle: ['ok', still],
  'idle-dark': ['ok', still, { colorScheme: 'dark' }],
  preparing: [
    'hold-prepare',
    async (page) => {
      await type(page);
      await page.getByText(/: 12.7.MB sent/).waitFor();
    },
  ],
  ready: [
    'ok',
    async (page) => {
      await type(page);
      await ready(page);
    },
  ],
  'unprepared-run': [
    'hold-prepare',
    async (page) => {
      await run(page);
      await page.getByText(/: 12.7.MB sent/).waitFor();
    },
  ],
  running: ['hold-run', held],
  'running-dark': ['hold-run', held, { colorScheme: 'dark' }],
  result: ['ok', answered, { full: true }],
  'result-dark': ['ok', answered, { full: true, colorScheme: 'dark' }],
  classify: [
    'ok',
    async (page) => {
      await pick(page, 'Classify a sentence');
      await run(page);
      await page.locator('[data-when="result"] >> nth=0').waitFor();
    },
    { full: true },
  ],
  'question-form': ['ok', form('Answer a question')],
  question: ['ok', example('Answer a question'), DESK],
  'question-dark': ['ok', example('Answer a question'), DARK],
  'question-390': ['ok', example('Answer a question'), PHONE],
  'names-form': ['ok', form('Find names')],
  names: ['ok', example('Find names'), DESK],
  'names-dark': ['ok', example('Find names'), DARK],
  'names-390': ['ok', example('Find names'), PHONE],
  'generate-form': ['ok', form('Continue a text')],
  generate: ['ok', example('Continue a text'), DESK],
  'generate-dark': ['ok', example('Continue a text'), DARK],
  'generate-390': ['ok', example('Continue a text'), PHONE],
  'sort-form': ['ok', form('Sort by your own labels')],
  sort: ['ok', example('Sort by your own labels'), DESK],
  'sort-dark': ['ok', example('Sort by your own labels'), DARK],
  'sort-390': ['ok', example('Sort by your own labels'), PHONE],
  growing: ['hold-piece', growing],
  'growing-dark': ['hold-piece', growing, { colorScheme: 'dark' }],
  'growing-390': ['hold-piece', growing, PHONE],
  'stopped-text': [
    'hold-piece',
    async (page) => {
      await growing(page);
      await run(page);
      await still(page);
    },
  ],
  'lost-text': [
    'lost-piece',
    async (page) => {
      await pick(page, 'Continue a text');
      await run(page);
      await page.locator('#error h3').waitFor();
    },
    { full: true },
  ],
  options: [
    'ok',
    async (page) => {
      await pick(page, 'Continue a text');
      await page.locator('#options summary').click();
      await page.getByLabel('Temperature').fill('0.8');
      await page.getByLabel('Top-p').fill('2');
      await run(page);
      await page.locator('#text-problem').waitFor();
    },
  ],
  'options-390': [
    'ok',
    async (page) => {
      await pick(page, 'Continue a text');
      await page.locator('#options summary').click();
    },
    PHONE,
  ],
  'error-question': [
    'ok',
    async (page) => {
      await pick(page, 'Answer a question');
      await page.locator('#question').fill('');
      await run(page);
      await page.locator('#text-problem').waitFor();
    },
  ],
  'error-label': [
    'refuses-label',
    async (page) => {
      await pick(page, 'Sort by your own labels');
      await run(page);
      await page.locator('#text-problem').waitFor();
    },
  ],
  'no-names': [
    'ok',
    async (page) => {
      await pick(page, 'Find names');
      await page.getByRole('button', { name: 'none' }).click();
      await run(page);
      await result(page);
    },
  ],
  vector: ['vectors', example('Make a vector')],
  'question-320': ['ok', example('Answer a question'), { width: 320, height: 2000 }],
  'two-blanks': [
    'ok',
    async (page) => {
      await type(page, 'The capital of [MASK] is [MASK].');
      await ready(page);
      await run(page);
      await page.locator('[data-when="result"] >> nth=0').waitFor();
    },
  ],
  'error-peer': [
    'peer-lost',
    async (page) => {
      await type(page);
      await ready(page);
      await failed(page);
    },
  ],
  'error-identity': ['identity', failed],
  'error-ranges': ['outside', endedBadly],
  'error-ranges-390': ['outside', endedBadly, { width: 390, height: 844, full: true }],
  'error-unproved': ['unproved', endedBadly],
  'error-unproved-720': ['unproved', endedBadly, LOW],
  dealer: ['dealer', withDealer],
  'dealer-dark': ['dealer', withDealer, { colorScheme: 'dark' }],
  'dealer-390': ['dealer', withDealer, { width: 390, height: 844, full: true }],
  'dealer-720': ['dealer', withDealer, LOW],
  'error-device': [
    'device-lost',
    async (page) => {
      await type(page);
      await page.locator('#error h3').waitFor();
    },
  ],
  'error-load': ['load-fails', (page) => page.locator('#error h3').waitFor()],
  'error-link': ['link-blocked', failed],
  'error-reach': ['cannot-reach', failed, { full: true }],
  'error-input': [
    'ok',
    async (page) => {
      await type(page, 'There is nothing to fill in here.');
      await run(page);
      await page.locator('#text-problem').waitFor();
    },
  ],
  stopped: [
    'hold-run',
    async (page) => {
      await held(page);
      await run(page);
      await still(page);
    },
  ],
  fallback: ['fallback', still],
  settings: ['ok', settings],
  'settings-after': [
    'fallback',
    async (page) => {
      await answered(page);
      await settings(page);
    },
    { height: 1700 },
  ],
  'idle-720': ['ok', still, LOW],
  'fallback-720': ['fallback', still, LOW],
  'sort-form-720': ['fallback', form('Sort by your own labels'), LOW],
  'running-720': ['hold-run', held, LOW],
  'result-720': ['ok', answered, LOW],
  'error-peer-720': [
    'peer-lost',
    async (page) => {
      await type(page);
      await ready(page);
      await failed(page);
      await still(page);
    },
    LOW,
  ],
  silent: [
    'silent',
    async (page) => {
      await held(page);
      await page.getByText('No message from party 2').first().waitFor();
    },
  ],
  'silent-390': [
    'silent',
    async (page) => {
      await held(page);
      await page.getByText('No message from party 2').first().waitFor();
    },
    { width: 390, height: 844, full: true },
  ],
  full: ['full', still],
  away: ['away', still],
  long: [
    'ok',
    async (page) => {
      await page.locator('#text').fill('A long story without a blank. '.repeat(300));
      await run(page);
      await page.locator('#text-problem').waitFor();
    },
    LOW,
  ],
  rtl: [
    'ok',
    async (page) => {
      await type(page, 'عاصمة فرنسا هي [MASK] في أوروبا');
      await ready(page);
      await run(page);
      await result(page);
      await still(page);
    },
    { height: 1100 },
  ],
  'rtl-390': [
    'ok',
    (page) => type(page, 'عاصمة فرنسا هي [MASK] في أوروبا').then(() => ready(page)),
    { width: 390, height: 844, full: true },
  ],
  'stopped-again': [
    'ok',
    async (page) => {
      await answered(page);
      await run(page);
      await page.waitForTimeout(500);
      await run(page);
      await still(page);
    },
  ],
  spaced: [
    'ok',
    async (page) => {
      await answered(page);
      await spaced(page);
      await still(page);
    },
    { full: true },
  ],
  'spaced-390': [
    'ok',
    async (page) => {
      await answered(page);
      await spaced(page);
      await still(page);
    },
    { width: 390, height: 844, full: true },
  ],
  hover: [
    'ok',
    (page) =>
      page
        .locator('#run')
        .hover()
        .then(() => still(page)),
  ],
  'settings-end': [
    'ok',
    async (page) => {
      await settings(page);
      await page.locator('#settings').evaluate((sheet) => sheet.scrollTo(0, 400));
      await still(page);
    },
    LOW,
  ],
  'settings-bottom-390': [
    'ok',
    async (page) => {
      await settings(page);
      await page.locator('#set-prepare').scrollIntoViewIfNeeded();
      await still(page);
    },
    { width: 390, height: 844 },
  ],
  'idle-390': ['ok', still, { width: 390, height: 844, full: true }],
  'running-390-dark': ['hold-run', held, { width: 390, height: 844, full: true, colorScheme: 'dark' }],
  'result-390': ['ok', answered, { width: 390, height: 844, full: true }],
  'settings-390-dark': ['ok', settings, { width: 390, height: 844, colorScheme: 'dark' }],
  'error-390': [
    'peer-lost',
    async (page) => {
      await type(page);
      await ready(page);
      await failed(page);
    },
    { width: 390, height: 844, full: true },
  ],
  'result-320': ['ok', answered, { width: 320, height: 640, full: true }],
  'fallback-320': ['fallback', still, { width: 320, height: 640, full: true }],
  'idle-820': ['ok', still, { width: 820, height: 1180, full: true }],
  'forced-colours': ['hold-run', held, { forcedColors: 'active' }],
  'reduced-motion': ['hold-run', held, { reducedMotion: 'reduce' }],
};

await build({ configFile, root, logLevel: 'warn' });
const server = await preview({
  configFile,
  root,
  preview: { port: 4179, headers: { 'Content-Security-Policy': CSP } },
});
const browser = await chromium.launch({
  executablePath: chromiumPath(),
  args: [
    '--no-sandbox',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
    '--disable-quic',
  ],
});
mkdirSync(folder, { recursive: true });
let failures = 0;
for (const [name, [script, act, look = {}]] of Object.entries(STATES)) {
  if (names.length > 0 && !names.includes(name)) continue;
  const { width = 1440, height = 900, full = false, ...options } = look;
  const page = await browser.newPage({
    viewport: { width, height },
    deviceScaleFactor: width < 500 ? 2 : 1,
    ...options,
  });
  page.setDefaultTimeout(15_000);
  const complaints = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on(
    'request',
    (request) => request.url().startsWith('http://localhost:4179/') || complaints.push(`asked for ${request.url()}`),
  );
  try {
    await page.goto(`http://localhost:4179/?script=${script}`);
    await page.locator('#run:not([disabled])').waitFor(script === 'load-fails' ? { state: 'detached' } : {});
    await act(page);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) complaints.push(`${wide} px wider than the window`);
  } catch (error) {
    complaints.push(String(error));
  }
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: full });
  failures += complaints.length;
  process.stdout.write(`${name}${complaints.map((complaint) => `\n  ${complaint}`).join('')}\n`);
  await page.close();
}
await browser.close();
await new Promise((done) => server.httpServer.close(done));
process.exitCode = failures > 0 ? 1 : 0;
