// `npm test`: every lane that this machine can run, and a line for each that it cannot. A skip is a failure where
// it was asked for (REQUIRE_*=1). A lane that fails does not keep the others from running: one run says all that is
// wrong. On a shared machine (CI) a test that fails is tried once more, and the report says so: its timing is
// nobody's, and a fault of ours fails again. There the end of what a failed lane said comes once more at the end: of a
// long log its end is what is looked at.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { NO_CHROMIUM, findChromium } from './find-chromium.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** So `scripts/docs.mjs` ends where it cannot install. */
const NO_REGISTRY = 75;

/** How much of a failed lane is said again, in lines: its summary, as the runners print it. */
const LAST_LINES = 40;

const DRAIN_MS = 5000;

const shared = process.env.CI !== undefined;
const failed = [];
const ends = [];

async function run(command, args) {
  const stdio = ['inherit', ...(shared ? ['pipe', 'pipe'] : ['inherit', 'inherit'])];
  const lane = spawn(command, args, { cwd: root, stdio });
  let said = '';
  for (const [from, to] of [
    [lane.stdout, process.stdout],
    [lane.stderr, process.stderr],
  ])
    from?.on('data', (chunk) => {
      to.write(chunk);
      said = (said + chunk).slice(-LAST_LINES * 200);
    });
  const closed = once(lane, 'close');
  const [status] = await once(lane, 'exit');
  // What it said is here once its pipes are closed; a process that it left behind may hold them open for ever.
  await Promise.race([closed, setTimeout(DRAIN_MS)]);
  lane.stdout?.destroy();
  lane.stderr?.destroy();
  if (status === 0) return;
  failed.push(args.join(' '));
  if (shared) ends.push(...said.trimEnd().split('\n').slice(-LAST_LINES));
}

function skipped(lane, reason) {
  console.log(`lane ${lane}: skipped, ${reason}`);
  if (process.env[`REQUIRE_${lane.toUpperCase()}`] === '1') {
    failed.push(`the lane ${lane} did not run, though REQUIRE_${lane.toUpperCase()}=1`);
  }
}

const vitest = ['node_modules/vitest/vitest.mjs', 'run', ...(shared ? ['--retry', '1'] : [])];
const playwright = ['node_modules/@playwright/test/cli.js', 'test', ...(shared ? ['--retries', '1'] : [])];
console.log('lane check: types, lint, format, nothing unused');
await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json']);
await run(process.execPath, ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.']);
await run(process.execPath, ['node_modules/knip/bin/knip.js']);
await run(process.execPath, ['scripts/api.mjs', '--check']);
console.log('lane wasm: the committed module is what its sources build');
await run(process.execPath, ['scripts/build-wasm.mjs', '--check']);
console.log('lane shaders: the committed strings are what shaders/ says');
await run(process.execPath, ['scripts/build-shaders.mjs', '--check']);
console.log('lane unit');
await run(process.execPath, [...vitest, '--project', 'unit']);
console.log('lane cli');
await run(process.execPath, [...vitest, '--project', 'cli']);

console.log('lane packed: what npm pack makes, installed');
await run(process.execPath, ['scripts/examples.mjs', '--linked', ...(shared ? ['--retries', '1'] : [])]);

console.log('lane docs: the site, with live widgets');
const docs = spawnSync(process.execPath, ['scripts/docs.mjs', '--deployment', 'https://tercet.example/tercet.json'], {
  cwd: root,
  stdio: 'inherit',
});
if (docs.status === NO_REGISTRY) skipped('docs', 'what the site is built with could not be installed');
else if (docs.status !== 0) failed.push('scripts/docs.mjs');

const probe = spawnSync(process.execPath, ['scripts/probe-webgpu.mjs'], { cwd: root, encoding: 'utf8' });
const gpu = JSON.parse(probe.stdout || '{ "reason": "the probe of WebGPU ended without an answer" }');
if (gpu.adapter === undefined) skipped('gpu', gpu.reason);
else {
  console.log(`lane gpu: ${gpu.adapter}`);
  await run(process.execPath, [...vitest, '--project', 'gpu']);
}

const chromium = findChromium();
if (chromium === undefined) skipped('browser', NO_CHROMIUM);
else {
  console.log(`lane browser: ${chromium}`);
  await run(process.execPath, [...vitest, '--project', 'browser']);
  await run(process.execPath, playwright);
  console.log('lane browser: the tours');
  await run(process.execPath, ['scripts/demo.mjs', ...(shared ? ['--retries', '1'] : [])]);
}

if (failed.length > 0) {
  if (ends.length > 0) console.error(`\nwhat the failed lanes said last:\n${ends.join('\n')}\n`);
  console.error(`failed:\n${failed.map((what) => `  ${what}`).join('\n')}`);
  process.exit(1);
}
