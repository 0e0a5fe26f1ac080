// `npm run demo [-- NAME … --headed --slow --retries N]`: tours through the app and the widget (demos/tours). Each
// asserts what it shows, and leaves pictures, a film and a page in test-results/demos/NAME.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const tours = readdirSync(`${root}demos/tours`).map((name) => name.replace('.tour.ts', ''));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { headed: { type: 'boolean' }, slow: { type: 'boolean' }, retries: { type: 'string' } },
});
const unknown = positionals.filter((name) => !tours.includes(name));
if (unknown.length > 0) {
  console.error(`there is no tour ${unknown.join(', ')}: ${tours.join(', ')}`);
  process.exit(2);
}
const chosen = positionals.length > 0 ? positionals : tours;
const { status } = spawnSync(
  process.execPath,
  [
    ...['node_modules/@playwright/test/cli.js', 'test', '--config', 'demos/playwright.config.ts'],
    ...(values.headed ? ['--headed'] : []),
    ...(values.retries === undefined ? [] : ['--retries', values.retries]),
    ...chosen.map((name) => `/${name}\\.tour`),
  ],
  { cwd: root, stdio: 'inherit', env: { ...process.env, ...(values.slow ? { DEMO_SLOW_MS: '600' } : {}) } },
);
if (status === 0) for (const name of chosen) console.log(`  test-results/demos/${name}/index.html`);
process.exit(status ?? 1);
