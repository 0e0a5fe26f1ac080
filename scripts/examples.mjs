// `npm run examples [-- NAME …]`: packs once, installs the tarball as a user does, and runs every example and
// bundler on it; a bundler alone is `by-rollup`. `--linked`: the same as CI runs it, where what the package depends on
// is linked from here and not downloaded again. `--lock`: writes examples/package-lock.json again. `--retries 1`: what
// fails is tried once more, and the report says so.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundlerBuilds } from './packed/bundlers.mjs';
import { ROOT, exampleNames, installExamples, linkExamples, lockExamples, pack } from './packed/install.mjs';
import { lint } from './packed/lint.mjs';
import { checkManifest, checkWeb } from './packed/manifest.mjs';
import { HOSTS, PAGES, TITLED, openBrowser } from './packed/pages.mjs';
import { start, startDemo } from './packed/parties.mjs';
import { PROGRAMS } from './packed/programs.mjs';
import { typeChecks } from './packed/types.mjs';
import { findChromium } from './find-chromium.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { linked: { type: 'boolean' }, lock: { type: 'boolean' }, retries: { type: 'string', default: '0' } },
});
const retries = Number(values.retries);
const bundlers = positionals.filter((name) => name.startsWith('by-')).map((name) => name.slice(3));
const unknown = positionals.filter((name) => !name.startsWith('by-') && !exampleNames().includes(name));
if (unknown.length > 0) throw new Error(`there is no example ${unknown.join(', ')}: ${exampleNames().join(', ')}`);

const place = mkdtempSync(join(tmpdir(), 'tercet-packed-'));
const stops = [() => rmSync(place, { recursive: true, force: true })];
const failed = [];

async function step(name, run, left = retries) {
  const started = performance.now();
  try {
    const said = await run();
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`  ok      ${name} (${seconds} s)${said === undefined ? '' : `: ${said}`}`);
    return true;
  } catch (error) {
    const why = String(error.message).replace(/^/gm, '          ');
    console.log(`  ${left > 0 ? 'again  ' : 'failed '} ${name}\n${why}`);
    if (left > 0) return step(name, run, left - 1);
    failed.push(`${name}\n${why}`);
    return false;
  }
}

async function main() {
  if (values.lock) return lockExamples(join(place, 'lock'));
  const tarball = pack(place);
  const world = join(place, 'world');
  const { installed, names: there } = values.linked
    ? linkExamples(tarball, world, retries)
    : { installed: join(installExamples(tarball, world), 'node_modules/tercet'), names: exampleNames() };
  const missing = exampleNames().filter((name) => !there.includes(name));
  if (missing.length > 0) {
    console.log(`  skipped ${missing.join(', ')}, bundlers and lint: no registry was reached`);
    if (process.env.REQUIRE_PACKED === '1') failed.push('what the examples need could not be installed');
  }
  const chosen = (positionals.length > 0 ? positionals : exampleNames()).filter((name) => there.includes(name));

  await step('the package has what it names', () => checkManifest(installed));
  await step('dist/web stands alone', () => checkWeb(join(installed, 'dist/web')));
  if (missing.length === 0) await step('publint, are-the-types-wrong', () => lint(world, tarball));
  const tsc = join(values.linked ? ROOT : world, 'node_modules/typescript/bin/tsc');
  if (positionals.length === 0) for (const [name, check] of typeChecks(world, tsc)) await step(name, check);

  // Beside the app, whose widget stands on the pages of other origins: one pair of parties for all.
  const pages = join(place, 'pages');
  cpSync(join(installed, 'dist/app'), pages, { recursive: true });
  const names = missing.length > 0 ? [] : positionals.length > 0 ? bundlers : undefined;
  const titled = [];
  for (const [name, build] of bundlerBuilds({ folder: world, tools: world, pages, quick: values.linked, names }))
    if (await step(name, build)) titled.push(name.split(' ')[0]);
  for (const name of chosen.filter((one) => one in PAGES)) {
    const example = join(world, name);
    if (existsSync(join(example, 'tsconfig.json')))
      await step(`types of examples/${name}`, () => compile(tsc, example));
    buildPage(example, join(pages, name));
  }

  const demo = await startDemo(installed, { home: join(place, 'home'), app: pages });
  stops.push(demo.stop);
  const context = { world, installed, place, deployment: `${demo.url}tercet.json` };
  for (const name of chosen.filter((one) => one in PROGRAMS))
    await step(`examples/${name}`, () => PROGRAMS[name](context));
  if (findChromium() === undefined) return console.log('  skipped pages: there is no Chromium');
  const browser = await openBrowser();
  stops.push(browser.close);
  for (const name of titled)
    await step(`${name}, in a browser`, () => browser.visit(`${demo.url}by-${name}/index.html`, TITLED));
  for (const name of chosen.filter((one) => one in PAGES && !(one in HOSTS)))
    await step(`examples/${name}`, () => browser.visit(`${demo.url}${name}/index.html`, PAGES[name]));
  for (const name of chosen.filter((one) => one in HOSTS))
    await step(`examples/${name}`, () => onOwnOrigin(name, { world, browser, tercet: demo.url }));
}

/** Its own `npm run build`, where it has one. */
function buildPage(example, out) {
  const { scripts } = JSON.parse(readFileSync(join(example, 'package.json'), 'utf8'));
  if (scripts.build === undefined) return;
  execFileSync('npm', ['run', '-s', 'build'], { cwd: example, stdio: ['ignore', 'ignore', 'inherit'] });
  const app = /--app (\S+)/.exec(scripts.start);
  if (app !== null) cpSync(join(example, app[1]), out, { recursive: true });
}

function compile(tsc, example) {
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', example], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stdout);
}

/** The page of a stranger, with the widget of another server. */
async function onOwnOrigin(name, { world, browser, tercet }) {
  const { args, address } = HOSTS[name];
  const env = { TERCET: tercet, PORT: '0', NO_COLOR: '1' };
  const host = await start(args, { cwd: join(world, name), until: /(http:\/\/[\w.]+:\d+\/)/, env });
  stops.push(host.stop);
  await browser.visit(address(host.found[1], tercet), PAGES[name]);
}

try {
  await main();
} finally {
  for (const stop of stops.reverse()) await stop();
}
if (failed.length > 0) {
  console.error(`${failed.length} failed:\n${failed.map((what) => `  ${what}`).join('\n')}`);
  process.exitCode = 1;
}
