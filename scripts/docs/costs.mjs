// Tables of the page of costs: what `tercet model inspect` says of the embedded models, and the kept declared costs.
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { declaredTables } from '../results-costs.mjs';
import { ROOT } from './pages.mjs';

const PLACE = /^<!-- made: costs -->\n[\s\S]*?^<!-- end -->\n/m;
const FENCE = '```';

/** What the command prints on each embedded model. */
export function inspected() {
  return readdirSync(`${ROOT}models`)
    .sort()
    .map((name) => {
      const args = ['dist/cli/main.js', 'model', 'inspect', '--model', `models/${name}`];
      return { name, printed: execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' }) };
    });
}

/** The page with its tables. @param models what `inspected` gives */
export function withCosts(page, models) {
  const declared = JSON.parse(readFileSync(`${ROOT}bench/results/declared.json`, 'utf8'));
  const [bytes, uplink] = declaredTables({ declared });
  const tables = [
    '## The embedded models\n',
    ...models.map(({ name, printed }) => `### ${name}\n\n${FENCE}\n${trimmed(printed)}\n${FENCE}\n`),
    '## BERT-base and GPT-2 small, by plan\n',
    `${bytes}\n`,
    'Seconds of a page’s uplink. *Prepared*: only what goes with the text is sent after the button.\n',
    `${uplink}\n`,
  ];
  if (!PLACE.test(page)) throw new Error('docs/COSTS.md has no place for its tables');
  return page.replace(PLACE, () => tables.join('\n'));
}

const trimmed = (text) => text.replace(/^\s*\n/, '').trimEnd();
