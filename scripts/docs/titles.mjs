// Words of the menu: the title of each document.
import { readFileSync } from 'node:fs';
import { ROOT } from './pages.mjs';

/** Where the title says too little beside others. */
const SHORT = { 'README.md': 'Overview', 'docs/TASKS.md': 'All tasks', 'bench/results/README.md': 'Measurements' };

export function menuText(source) {
  const title = /^# (.*)$/m.exec(readFileSync(`${ROOT}${source}`, 'utf8'));
  if (title === null) throw new Error(`${source} has no title`);
  return SHORT[source] ?? title[1];
}
