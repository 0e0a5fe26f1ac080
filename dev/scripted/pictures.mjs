// Pictures of every state of the page in every look, and sheets of them, over the scripted SDK and the built files,
// with the policy as a header as a real host sends it. npm run pictures [-- folder [state …] [--windows]]
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { build, preview } from 'vite';
import { chromiumPath } from '../../scripts/find-chromium.mjs';

const CSP =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const given = process.argv.slice(2);
const [folder = 'test-results/pictures', ...names] = given.filter((word) => word !== '--windows');
const root = fileURLToPath(new URL('../../', import.meta.url));
const configFile = fileURLToPath(new URL('./vite.config.ts', import.meta.url));

// What is looked at as a whole is changed while the state holds. With --windows also as it first stands in low
// windows, by which the page scrolls: they begin anew.
const DESK = { width: 1440, height: 900 };
const WHOLE = {
  desk: { ...DESK, colorScheme: 'light' },
  dark: { ...DESK, colorScheme: 'dark' },
  phone: { width: 390, height: 844, colorScheme: 'light' },
  'phone-dark': { width: 390, height: 844, colorScheme: 'dark' },
};
const WINDOWS = given.includes('--windows')
  ? { 1440: DESK, 1366: { width: 1366, height: 657 }, 1280: { width: 1280, height: 720 } }
  : {};

const FRANCE = 'The capital of France is [MASK].';
const ARABIC = 'عاصمة فرنسا هي [MASK] في أوروبا';
const run = (page) => page.locator('#run').click();
const says = (words) => (page) => page.getByText(words).first().waitFor();
const type = (text) => (page) => page.locator('#text').fill(text);
const ready = says(/^Ready for/);
const result = (page) => page.locator('[data-when="result"] >> nth=0').waitFor();
const failed = (page) => page.locator('#error h3').waitFor();
const problem = (page) => page.locator('#text-problem').waitFor();
const options = (page) => page.locator('#options summary').click();
const settings = (page) => page.getByRole('button', { name: 'Settings', exact: true }).click();
const close = (page) => page.keyboard.press('Escape');
const check = (selector) => (page) => page.locator(selector).check({ force: true });
const click = (name) => (page) => page.getByRole('button', { name, exact: true }).click();
const fill = (label, text) => (page) => page.getByLabel(label, { exact: true }).fill(text);
const pick = (name) => async (page) => {
  await page.getByRole('radio', { name }).check({ force: true });
  await says(/tokens?, padded/)(page);
};
const later = (ms) => (page) => page.waitForTimeout(ms);
const file = (page) =>
  page
    .locator('#credential-file')
    .setInputFiles({ name: 'alice.credential.json', mimeType: '', buffer: Buffer.from('{}') });
// The room for letters of WCAG 1.4.12.
const spaced = (page) =>
  page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(
      '* { letter-spacing: 0.12em !important; word-spacing: 0.16em !important; line-height: 1.5 !important; } p { margin-bottom: 2em !important; }',
    );
    document.adoptedStyleSheets = [sheet];
  });

const SORT = 'Sort by your own labels';
const CONTINUE = 'Continue a text';
const held = [type(FRANCE), ready, run, says('Layer 7 of 12'), later(500)];
const answered = [type(FRANCE), ready, run, result];
const lost = [type(FRANCE), ready, run, failed];
const example = (name) => [pick(name), run, result];
const proving = [settings, check('#set-protocol-3pc_malicious'), close, later(300)];
const dealt = [settings, check('#set-dealer-dealer'), close, later(300)];
const grown = [pick(CONTINUE), run, says(/^7 of 20 pieces/), later(300)];
const secret = [settings, check('#set-weights-secret'), close];

/** name → script, and what is done. */
const STATES = {
  idle: ['ok'],
  loading: ['hold-load', says(/^Loading the word list/)],
  fallback: ['fallback'],
  preparing: ['hold-prepare', type(FRANCE), says(/: 12.7.MB sent/)],
  ready: ['ok', type(FRANCE), ready],
  'stale-ready': ['leaves', type(FRANCE), ready, settings, close, says(/^Prepared, but party 2/)],
  'let-go': ['lets-go', type(FRANCE), says(/^A party needed the place/)],
  'unprepared-run': ['hold-prepare', run, says(/: 12.7.MB sent/)],
  running: ['hold-run', ...held],
  silent: ['silent', ...held, says('No message from party 2')],
  result: ['ok', ...answered],
  'result-fallback': ['fallback', ...answered],
  'two-blanks': ['ok', type('The capital of [MASK] is [MASK].'), ready, run, result],
  rtl: ['ok', type(ARABIC), ready, run, result],
  classify: ['ok', ...example('Classify a sentence')],
  'question-form': ['ok', pick('Answer a question')],
  question: ['ok', ...example('Answer a question')],
  'names-form': ['ok', pick('Find names')],
  names: ['ok', ...example('Find names')],
  'no-names': ['ok', pick('Find names'), click('none'), run, result],
  'generate-form': ['ok', pick(CONTINUE)],
  options: ['ok', pick(CONTINUE), options, fill('Temperature', '0.8'), fill('Top-p', '2'), run, problem],
  growing: ['hold-piece', ...grown],
  'stopped-text': ['hold-piece', ...grown, run, later(300)],
  'lost-text': ['lost-piece', pick(CONTINUE), run, failed],
  generate: ['ok', ...example(CONTINUE)],
  'sort-form': ['ok', pick(SORT)],
  sort: ['ok', ...example(SORT)],
  vector: ['vectors', ...example('Make a vector')],
  stopped: ['hold-run', ...held, run, later(300)],
  'stopped-again': ['ok', ...answered, run, later(500), run, later(300)],
  credential: ['ok', pick('Classify a sentence'), ...secret, failed],
  secret: ['ok', pick('Classify a sentence'), ...secret, failed, file, says(/tokens?, padded/), run, result],
  dealer: ['dealer', ...dealt],
  'dealer-result': ['dealer', ...dealt, ...answered],
  'dealer-away': ['dealer-away', ...dealt],
  proved: ['ok', ...proving, ...answered],
  'proved-running': ['hold-run', ...proving, ...held],
  'settings-level': ['ok', ...proving, settings],
  full: ['full', later(300)],
  away: ['away', later(300)],
  'error-input': ['ok', type('There is nothing to fill in here.'), run, problem],
  'error-question': ['ok', pick('Answer a question'), fill('Question', ''), run, problem],
  'error-label': ['refuses-label', pick(SORT), run, problem],
  long: ['ok', type('A long story without a blank. '.repeat(300)), run, problem],
  'error-load': ['load-fails', failed],
  'error-link': ['link-blocked', run, failed],
  'error-reach': ['cannot-reach', run, failed],
  'error-identity': ['identity', run, failed],
  'error-unproved': ['unproved', run, failed],
  'error-peer': ['peer-lost', ...lost],
  'error-device': ['device-lost', type(FRANCE), failed],
  'error-ranges': ['outside', ...lost],
  spaced: ['ok', ...answered, spaced],
  settings: ['ok', settings],
  'settings-after': ['fallback', ...answered, settings],
  'settings-end': ['dealer', ...dealt, settings, (page) => page.locator('#set-prepare').scrollIntoViewIfNeeded()],
};

await build({ configFile, root, logLevel: 'warn' });
const server = await preview({
  configFile,
  root,
  preview: { port: 0, host: '127.0.0.1', headers: { 'Content-Security-Policy': CSP } },
});
const url = `http://127.0.0.1:${server.httpServer.address().port}/`;
const browser = await chromium.launch({
  executablePath: chromiumPath(),
  args: [
    '--no-sandbox',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
  ],
});
mkdirSync(folder, { recursive: true });
const taken = new Map([...Object.keys(WHOLE), ...Object.keys(WINDOWS)].map((look) => [look, []]));
let complained = false;

/** Brings a page into a state, and lets it be photographed. */
async function inState(name, look, photograph) {
  const [script, ...acts] = STATES[name];
  const page = await browser.newPage({ viewport: { width: look.width, height: look.height }, colorScheme: 'light' });
  page.setDefaultTimeout(60_000);
  const complaints = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => request.url().startsWith(url) || complaints.push(`asked for ${request.url()}`));
  try {
    await page.goto(`${url}?script=${script}`);
    if (!script.includes('load')) await page.locator('#run:not([disabled])').waitFor();
    for (const act of [...acts, later(250)]) await act(page);
  } catch (error) {
    complaints.push(String(error));
  }
  await photograph(page, complaints);
  for (const complaint of complaints) process.stdout.write(`${name}: ${complaint}\n`);
  complained ||= complaints.length > 0;
  await page.close();
}

async function take(page, name, look, fullPage) {
  await page.mouse.move(0, 0);
  // What lies below the window is not laid out there, and would be empty here.
  if (fullPage)
    await page.evaluate(() => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync('.band { content-visibility: visible; }');
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    });
  const path = join(folder, `${name}-${look}.png`);
  await page.screenshot({ path, fullPage });
  taken.get(look).push(path);
}

/** Six pictures beside each other, to be looked at at once. */
async function sheets(look, paths) {
  const page = await browser.newPage({ viewport: { width: 2400, height: 1600 } });
  for (let i = 0; i * 6 < paths.length; i++) {
    const figures = paths
      .slice(6 * i, 6 * i + 6)
      .map((path) => `<figure>${path.split('/').at(-1)}<img src="${pathToFileURL(path)}"></figure>`);
    const html = join(folder, 'sheet.html');
    writeFileSync(
      html,
      `<style>body{margin:0;display:flex}figure{margin:4px;font:16px sans-serif}img{display:block;width:390px}</style>${figures.join('')}`,
    );
    await page.goto(pathToFileURL(html).href);
    await page.screenshot({ path: join(folder, `sheet-${look}-${i}.png`), fullPage: true });
  }
  await page.close();
}

for (const name of Object.keys(STATES)) {
  if (names.length > 0 && !names.includes(name)) continue;
  await inState(name, DESK, async (page, complaints) => {
    for (const [look, { colorScheme, ...size }] of Object.entries(WHOLE)) {
      await page.setViewportSize(size);
      await page.emulateMedia({ colorScheme });
      await page.waitForTimeout(150);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) complaints.push(`${wide} px wider than a window of ${size.width}`);
      await take(page, name, look, !name.startsWith('settings'));
    }
  });
  for (const [look, size] of Object.entries(WINDOWS))
    await inState(name, size, (page) => take(page, name, look, false));
  process.stdout.write(`${name}\n`);
}
for (const [look, paths] of taken)
  await sheets(
    look,
    paths.map((path) => resolve(path)),
  );
await browser.close();
await new Promise((done) => server.httpServer.close(done));
process.exitCode = complained ? 1 : 0;
