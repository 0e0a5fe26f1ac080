// The Chromium or Chrome of this machine, for tests in a browser. Nothing is downloaded. Only the path in
// CHROMIUM_PATH counts, where that is set.
import { existsSync } from 'node:fs';
import { env } from 'node:process';

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

export const NO_CHROMIUM =
  'there is no Chromium here: install it (Debian, Ubuntu: apt-get install chromium) or name a Chromium or Chrome in CHROMIUM_PATH';

export function findChromium() {
  const { CHROMIUM_PATH: named = '' } = env;
  return (named === '' ? PLACES : [named]).find((path) => existsSync(path));
}

/** The same, where there has to be one. */
export function chromiumPath() {
  const path = findChromium();
  if (path === undefined) throw new Error(NO_CHROMIUM);
  return path;
}
