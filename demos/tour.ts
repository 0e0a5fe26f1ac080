/**
 * A tour: what a person would show to colleagues, step by step. It asserts what it shows, and leaves numbered pictures, a
 * film, and a page that walks through them, in test-results/demos/NAME.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { ROOT } from '../e2e/support/command.ts';
import { expect } from '../e2e/support/test.ts';
import { test as widgetTest } from '../e2e/support/widget.ts';
import { Film } from './film.ts';

/** A busy machine, with all parties on it. */
export const PATIENCE_MS = 240_000;

interface Step {
  readonly picture: string;
  readonly title: string;
  readonly words: string;
}

const escaped = (text: string) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

class Tour {
  readonly folder: string;
  readonly #title: string;
  readonly #page: Page;
  readonly #steps: Step[] = [];
  #film: Film | undefined;
  #noFilm = 'the tour was not filmed';

  constructor(page: Page, name: string, title: string) {
    this.#page = page;
    this.#title = title;
    this.folder = join(ROOT, 'test-results', 'demos', name);
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder, { recursive: true });
  }

  /** Begins to film. A tour without a film is still one, and says why. */
  async film(): Promise<void> {
    try {
      this.#film = await Film.start(this.#page);
    } catch (error) {
      this.#noFilm = String(error).split('\n')[0];
    }
  }

  /** A picture, with what it shows in words. @param shown what is in the middle of it */
  async step(title: string, words: string, shown?: Locator): Promise<void> {
    await shown?.scrollIntoViewIfNeeded();
    const picture = `${String(this.#steps.length + 1).padStart(2, '0')}-${title.toLowerCase().replace(/\W+/g, '-')}.png`;
    await this.#page.screenshot({ path: join(this.folder, picture) });
    this.#steps.push({ picture, title, words });
  }

  /** Writes the page. */
  async end(): Promise<void> {
    const bytes = await this.#film?.end(join(this.folder, 'tour.webm')).catch((error: unknown) => {
      this.#noFilm = String(error).split('\n')[0];
    });
    if (this.#film !== undefined) expect(bytes, this.#noFilm).toBeGreaterThan(1000);
    const film =
      bytes === undefined
        ? `<p>There is no film: ${escaped(this.#noFilm)}.</p>`
        : '<video src="tour.webm" controls muted width="960"></video>';
    const steps = this.#steps.map(
      ({ picture, title, words }) =>
        `<section><h2>${escaped(title)}</h2><p>${escaped(words)}</p><img src="${picture}" alt="${escaped(title)}"></section>`,
    );
    writeFileSync(join(this.folder, 'index.html'), pageOf(this.#title, film, steps.join('\n')));
  }
}

function pageOf(title: string, film: string, steps: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>body{font:1.05rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#16202c}
img,video{max-width:100%;border:1px solid #ccd2d9;border-radius:6px}section{margin:3rem 0}h1,h2{line-height:1.2}</style>
<h1>${escaped(title)}</h1>
${film}
${steps}
</html>
`;
}

interface Toured {
  readonly tour: Tour;
}

/** `test` with a tour of the page, named by its file; the test's own name is its title. */
export const test = widgetTest.extend<Toured>({
  tour: async ({ page }, use, info) => {
    const tour = new Tour(page, basename(info.file, '.tour.ts'), info.title);
    await tour.film();
    await use(tour);
    await tour.end();
  },
});
test.setTimeout(600_000);

export { expect } from '../e2e/support/test.ts';
