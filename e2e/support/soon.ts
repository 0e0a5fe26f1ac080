/**
 * Waiting for what comes after a second or more. An expectation looks twice a second then, which costs a quarter of a
 * second each time; this looks twenty times. The expectation behind it says what is wrong where it never comes.
 */
import { type Frame, type Locator, type Page, errors, expect } from '@playwright/test';

/** Not at every frame: a busy graphics device draws none. */
const EVERY_MS = 50;

async function until(within: Page | Frame, holds: (arg: string[]) => boolean, arg: string[], timeout: number) {
  try {
    await within.waitForFunction(holds, arg, { timeout, polling: EVERY_MS });
  } catch (error) {
    if (!(error instanceof errors.TimeoutError)) throw error;
  }
}

/** Waits for a button of that selector that can be pressed. */
export async function enabled(within: Page | Frame, selector: string, timeout: number): Promise<void> {
  await until(
    within,
    ([wanted]) => document.querySelector(wanted ?? '')?.matches(':enabled') === true,
    [selector],
    timeout,
  );
  await expect(within.locator(selector)).toBeEnabled({ timeout: 1_000 });
}

/** Waits for words at the start of what stands in an element, the first one of a selector. */
export async function begins(within: Page | Frame, selector: string, words: string, timeout: number): Promise<Locator> {
  await until(
    within,
    ([wanted, text]) =>
      document
        .querySelector(wanted ?? '')
        ?.textContent.trim()
        .startsWith(text ?? '') === true,
    [selector, words],
    timeout,
  );
  return within.locator(selector).first();
}
