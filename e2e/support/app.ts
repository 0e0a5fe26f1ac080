/** The web app as its user meets it: the few things that one does, the few things that one reads. */
import type { TextKey } from '../../src/app/page-keys.ts';
import { join } from 'node:path';
import { type Locator, type Page, expect } from '@playwright/test';
import { ROOT } from './command.ts';
import { begins, enabled } from './soon.ts';
import { type Blocked, type Connection, connections, violations, watchWire } from './wire.ts';

export interface Score {
  readonly word: string;
  /** 0 to 1, as the page shows it: to a tenth of a per cent. */
  readonly score: number;
}

export type TaskName =
  | 'Fill a blank'
  | 'Classify a sentence'
  | 'Answer a question'
  | 'Find names'
  | 'Continue a text'
  | 'Sort by your own labels';

type Look = 'light' | 'dark' | 'narrow';
/** The states that people look at in every form. */
export const EVERY_LOOK: readonly Look[] = ['light', 'dark', 'narrow'];

/** Of about 100. At 20 ms each way these take longer than a double click. */
const MIDDLE_ROUNDS = 24;
const SHOTS = join(ROOT, 'test-results', 'states');
const WIDE = { width: 1440, height: 1000 };
const NARROW = { width: 390, height: 844 };

export class App {
  readonly page: Page;
  readonly url: string;
  /** Longest wait for a model or an answer. */
  patienceMs = 20_000;
  /** What the page and its workers complained of on the console, and errors that nobody caught. */
  readonly complaints: string[] = [];
  /** Signalling requests to a party: one for each WebRTC link that was asked for. */
  readonly signalled: string[] = [];

  constructor(page: Page, url: string) {
    this.page = page;
    this.url = url;
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning')
        this.complaints.push(`${message.type()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.complaints.push(`uncaught: ${error.message}`));
    page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith('/rtc'))
        this.signalled.push(new URL(request.url()).origin);
    });
  }

  /** Loads the page and waits until a model is there. */
  async open(blocked?: Blocked): Promise<void> {
    await watchWire(this.page, blocked);
    await this.page.goto(this.url);
    await this.ready();
  }

  async ready(): Promise<void> {
    await this.frame();
    await enabled(this.page, '#run', this.patienceMs);
  }

  get text(): Locator {
    return this.page.locator('#text');
  }

  /** Run, Stop, Run again: one button. */
  get button(): Locator {
    return this.page.locator('#run');
  }

  get error(): Locator {
    return this.page.locator('#error');
  }

  get notice(): Locator {
    return this.page.locator('#notices .notice');
  }

  get settings(): Locator {
    return this.page.getByRole('dialog', { name: 'Settings' });
  }

  /** The line beside the button. */
  get readiness(): Locator {
    return this.bound('readyText');
  }

  /** How far a text that grows is. */
  get growth(): Locator {
    return this.page.locator('[data-line]').first();
  }

  /** The polite live region. */
  get said(): Locator {
    return this.page.locator('#say');
  }

  /**
   * A figure or sentence that follows the state, by its name in the page. Both drawings and the tables hold the
   * same.
   */
  bound(name: TextKey): Locator {
    return this.page.locator(`[data-bind="${name}"]`).first();
  }

  /** Its value now, with plain spaces. */
  async figure(name: TextKey): Promise<string> {
    return plain(await this.bound(name).textContent());
  }

  async type(text: string): Promise<void> {
    await this.text.fill(text);
  }

  async run(text: string): Promise<void> {
    await this.type(text);
    await this.button.click();
  }

  /** Runs, and reads the answer. */
  async ask(text: string): Promise<readonly Score[]> {
    await this.type(text);
    return this.again();
  }

  /** Runs what stands in the form, and reads the answer to that run: one before it may stand there still. */
  async again(): Promise<readonly Score[]> {
    const begun = await this.leaves('done');
    await this.button.click();
    await begun();
    return this.answer();
  }

  /**
   * Waits, when called back, until the picture was once in another phase than this one. The page checks a text
   * before it leaves the answer of the text before: who looks at once would take that answer for the new one.
   */
  private async leaves(phase: string): Promise<() => Promise<void>> {
    const left = await this.page.evaluateHandle((stays) => {
      const root = document.documentElement;
      const moved = new Promise<void>((resolve) => {
        if (root.dataset['phase'] !== stays) resolve();
        else new MutationObserver(() => resolve()).observe(root, { attributeFilter: ['data-phase'] });
      });
      return { moved };
    }, phase);
    return () => left.evaluate(({ moved }) => moved);
  }

  async answer(): Promise<readonly Score[]> {
    await this.phase('done');
    const rows = await this.page
      .locator('#scores tbody tr')
      .evaluateAll((list) =>
        list.map((row) => [row.querySelector('.w')?.textContent ?? '', row.querySelector('.p')?.textContent ?? '']),
      );
    return rows.map(([word, score]) => ({ word, score: Number.parseFloat(score.replace(/[<>]/, '')) / 100 }));
  }

  /**
   * The sums that put one word back together: the two numbers that the keys open to, and what the page says they
   * add up to. They are drawn in a frame behind the answer's; until then those of the run before stand there, hidden.
   */
  async sums(): Promise<readonly { readonly keys: readonly bigint[]; readonly total: string }[]> {
    await expect(this.page.locator('.worked')).toBeVisible();
    const sums = this.page.locator('#sums .sum');
    const rows = await sums.evaluateAll((list) =>
      list.map((row) => [...row.querySelectorAll('code')].map((code) => code.textContent)),
    );
    return rows.map(([key1, key2, total]) => ({
      keys: [key1, key2].map((hex) => BigInt(`0x${hex.replaceAll(' ', '')}`)),
      total,
    }));
  }

  /** Waits for a phase of the picture. `compute`: the text has left, and the parties work on it. */
  async phase(phase: string): Promise<void> {
    // An expectation would look twice a second. Not at every frame either: a busy graphics device draws none.
    await this.page.waitForFunction((wanted) => document.documentElement.dataset['phase'] === wanted, phase, {
      timeout: this.patienceMs,
      polling: 100,
    });
  }

  /**
   * Waits until the parties are well inside a run: past the first rounds, and past the time in which a second click
   * is a double click.
   */
  async middle(): Promise<void> {
    await this.page.waitForFunction(
      (rounds) =>
        document.documentElement.dataset['phase'] === 'compute' &&
        Number(document.querySelector('[data-bind="rounds.now"]')?.textContent) >= rounds,
      MIDDLE_ROUNDS,
    );
  }

  /** Waits until keys and helper numbers for texts of that padded length are at the parties. */
  async prepared(length: number): Promise<void> {
    const said = await begins(this.page, '[data-bind="readyText"]', `Ready for ${length} tokens,`, this.patienceMs);
    await expect(said).toHaveText(new RegExp(`^Ready for ${length} tokens,`));
  }

  async task(name: TaskName): Promise<void> {
    const radio = this.page.getByRole('radio', { name });
    await expect(radio).toBeEnabled();
    await radio.check({ force: true });
    await this.ready();
  }

  /** A box of the form by its label. */
  box(label: string): Locator {
    return this.page.getByRole('textbox', { name: label, exact: true });
  }

  /** The words under a box that cannot run. */
  get problem(): Locator {
    return this.page.locator('#text-problem');
  }

  /** What was added to a text, wherever it is shown at the moment. */
  get added(): Locator {
    return this.page.locator('[data-added]:visible');
  }

  async openSettings(): Promise<void> {
    await this.page.getByRole('banner').getByRole('button', { name: 'Settings' }).click();
    await expect(this.settings).toBeVisible();
  }

  async closeSettings(): Promise<void> {
    await this.page.keyboard.press('Escape');
    await expect(this.settings).toBeHidden();
  }

  /** Chooses in the settings, and waits for the model to be loaded with that choice. */
  async choose(
    list: 'dealer' | 'device' | 'level' | 'protocol' | 'transport' | 'weights',
    value: string,
  ): Promise<void> {
    await this.openSettings();
    await this.page.locator(`#set-${list}-${value}`).check();
    await this.closeSettings();
    await this.ready();
  }

  /** @param credential the file that the model's owner gave */
  async secretWeights(credential: string): Promise<void> {
    await this.openSettings();
    await this.page.locator('#set-weights-secret').check();
    await this.closeSettings();
    await this.page.locator('#credential-file').setInputFiles(credential);
    await this.ready();
  }

  async prepareWhileTyping(wanted: boolean): Promise<void> {
    await this.openSettings();
    await this.page.getByRole('checkbox', { name: 'Prepare while I type' }).setChecked(wanted);
    await this.closeSettings();
  }

  connections(): Promise<readonly Connection[]> {
    return connections(this.page);
  }

  violations(): Promise<readonly string[]> {
    return violations(this.page);
  }

  /** Until what was done is drawn, and bars have come to rest. */
  async frame(): Promise<void> {
    await this.page.evaluate(async () => {
      await new Promise<void>((resolve) => {
        requestAnimationFrame(() => requestAnimationFrame(() => resolve()));
      });
      const ending = document
        .getAnimations()
        .filter(({ effect }) => effect?.getTiming().iterations !== Number.POSITIVE_INFINITY);
      await Promise.allSettled(ending.map(({ finished }) => finished));
    });
  }

  /**
   * Pictures of this state for people to look at: test-results/states/NAME.png, NAME-dark.png, NAME-narrow.png. They
   * prove nothing and take a minute in all, so they are taken with PICTURES=1 only.
   */
  async shot(name: string, looks: readonly Look[] = ['light']): Promise<void> {
    if (process.env['PICTURES'] !== '1') return;
    // Neither hovered over nor, with a sheet over it, longer than the window.
    await this.page.mouse.move(0, 0);
    const fullPage = !(await this.settings.isVisible());
    for (const look of looks) {
      await this.page.setViewportSize(look === 'narrow' ? NARROW : WIDE);
      await this.page.emulateMedia({ colorScheme: look === 'dark' ? 'dark' : 'light' });
      await this.frame();
      await this.page.screenshot({ path: join(SHOTS, `${name}${look === 'light' ? '' : `-${look}`}.png`), fullPage });
    }
    await this.page.setViewportSize(WIDE);
    await this.page.emulateMedia({ colorScheme: 'light' });
  }
}

/** Figures are written with no-break spaces. */
export function plain(text: string | null): string {
  return (text ?? '').replaceAll('\u00a0', ' ');
}
