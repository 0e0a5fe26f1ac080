// Pages in Chromium: what a person would do on each, and what is shown then.
import { chromium } from 'playwright-core';
import { chromiumPath } from '../find-chromium.mjs';

/** Nobody is asked for anything but the servers of the pages. */
const ARGS = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--no-first-run'];
const PATIENCE_MS = 180_000;

/**
 * Chromium drops a click into a frame that looks out for what covers it, as the card does, if that frame moved within
 * the last half second.
 */
const STILL_MS = 600;

/** Writes into a card and presses its button, as a person does it: the card is scrolled to, and stands still. */
async function ask(page, place, text) {
  const card = page.frameLocator(`${place} iframe`);
  await page.locator(`${place} iframe`).scrollIntoViewIfNeeded();
  await card.locator('#text').fill(text);
  await card.locator('#run:enabled').scrollIntoViewIfNeeded();
  await page.waitForTimeout(STILL_MS);
  await card.locator('#run:enabled').click();
}

/** What to do on a page, and what it shows then. */
export const PAGES = {
  html: async (page) => {
    await page.locator('button:enabled').click();
    await page.getByText(/^paris \d/).waitFor();
  },
  vite: async (page) => {
    await page.locator('button:enabled').click();
    await page.locator('mark', { hasText: 'Berlin' }).waitFor();
  },
  react: async (page) => {
    await page.locator('button:enabled').click();
    await page.locator('output', { hasText: 'Gustave Eiffel' }).waitFor();
  },
  worker: async (page) => {
    await page.getByText(/^NEGATIVE .* Dull/).waitFor();
  },
  'widget-csp': async (page) => {
    await ask(page, 'tercet-infer', 'What a warm and funny letter.');
    await page.getByText('Readers sound POSITIVE.').waitFor();
  },
  'widget-frameworks': async (page) => {
    for (const [place, text, label] of [
      ['react', 'What a warm and funny letter.', 'POSITIVE'],
      ['vue', 'Dull from its first line.', 'NEGATIVE'],
    ]) {
      await ask(page, `#${place}`, text);
      await page.locator(`#${place}`, { hasText: `heard: ${label}` }).waitFor();
    }
  },
};
/** Pages that stand on an origin of their own, and how they are served there. */
export const HOSTS = {
  'widget-csp': { args: ['server.mjs'], address: (url) => url },
  'widget-frameworks': {
    args: ['../node_modules/vite/bin/vite.js', 'preview', '--host', '127.0.0.1', '--port', '41730'],
    address: (url, tercet) => `${url}?tercet=${encodeURIComponent(tercet)}`,
  },
};
/** A page of a bundler that shows the answer in its title. */
export const TITLED = async (page) => {
  await page.waitForFunction(() => document.title !== 'wait');
  const title = await page.title();
  if (title !== 'paris') throw new Error(title);
};

export async function openBrowser() {
  const args = [...ARGS, '--disable-features=LocalNetworkAccessChecks'];
  const browser = await chromium.launch({ executablePath: chromiumPath(), args });
  return {
    /** Does what a person does, and fails on anything that the page complains of. */
    async visit(url, act) {
      const page = await browser.newPage();
      page.setDefaultTimeout(PATIENCE_MS);
      const complaints = [];
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => {
        // Browsers ask for an icon by themselves.
        const icon = message.location().url.endsWith('/favicon.ico');
        if (message.type() === 'error' && !icon) complaints.push(message.text());
      });
      try {
        await page.goto(url);
        await act(page);
        if (complaints.length > 0) throw new Error('the page complains');
      } catch (error) {
        throw new Error(`${error.message}\n${complaints.join('\n')}`, { cause: error });
      } finally {
        await page.close();
      }
    },
    close: () => browser.close(),
  };
}
