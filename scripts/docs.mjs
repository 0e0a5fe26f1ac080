// `npm run docs [-- --deployment URL --base /docs/]`: the documentation as a static site, in docs/site/dist. Documents
// are those of the repository; a link that leads nowhere fails it. With a deployment, task pages have live widgets.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { apiPages } from './docs/api.mjs';
import { checkSite } from './docs/check.mjs';
import { inspected, withCosts } from './docs/costs.mjs';
import { widgetHead, widgetScript, withWidgets } from './docs/live.mjs';
import { ROOT, SOURCES, asText, placeOf, withLinks } from './docs/pages.mjs';

const SITE = join(ROOT, 'docs/site');
const PAGES = join(SITE, '.pages');

const { values } = parseArgs({ options: { deployment: { type: 'string' }, base: { type: 'string' } } });
const deployment = values.deployment === undefined ? undefined : new URL(values.deployment).href;

/** What `scripts/test.mjs` takes for a reason to skip: nothing is wrong here, and there is no registry. */
const NOT_INSTALLED = 75;

/** Installs what the site is built with: by its own lock file, once. */
function install() {
  const lock = readFileSync(join(SITE, 'package-lock.json'), 'utf8');
  const installed = join(SITE, 'node_modules/.tercet-lock');
  if (existsSync(installed) && readFileSync(installed, 'utf8') === lock) return;
  try {
    run('npm', ['ci', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']);
  } catch (error) {
    console.error(error.message);
    process.exit(NOT_INSTALLED);
  }
  writeFileSync(installed, lock);
}

function run(command, args, env = {}) {
  const shell = process.platform === 'win32' && command === 'npm';
  const { status } = spawnSync(command, args, { cwd: SITE, stdio: 'inherit', shell, env: { ...process.env, ...env } });
  if (status !== 0) throw new Error(`${command} ${args[0]} failed`);
}

function write(place, text) {
  const path = join(PAGES, place);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

install();
rmSync(PAGES, { recursive: true, force: true });
const script = deployment === undefined ? undefined : widgetScript();
for (const source of SOURCES) {
  const text = readFileSync(join(ROOT, source), 'utf8');
  const made = source === 'docs/COSTS.md' ? withCosts(text, inspected()) : text;
  write(`${placeOf(source)}.md`, withWidgets(withLinks(source, asText(made)), deployment));
}
apiPages(SITE, join(PAGES, 'api'));
cpSync(join(ROOT, 'docs/pictures'), join(PAGES, 'public/pictures'), { recursive: true });
cpSync(join(ROOT, 'public/icon.svg'), join(PAGES, 'public/icon.svg'));
const head = deployment === undefined ? [] : [widgetHead(deployment, script)];
const more = values.base === undefined ? [] : ['--base', values.base];
run(process.execPath, ['node_modules/vitepress/bin/vitepress.js', 'build', ...more], {
  TERCET_DOCS_HEAD: JSON.stringify(head),
});
const { pages } = checkSite(join(SITE, 'dist'), { base: values.base ?? '/', deployment });
console.log(
  `  ${pages} pages in docs/site/dist; look at them with: npx --prefix docs/site vitepress preview docs/site`,
);
