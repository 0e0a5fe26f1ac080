// `npm test`: every lane that this machine can run, and a line for each that it cannot. A skip is a failure where
// it was asked for (REQUIRE_*=1). A lane that fails does not keep the others from running: one run says all that is
// wrong. On a shared machine (CI) a test that fails is tried once more, and the report says so: its timing is
// nobody's, and a fault of ours fails again.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { NO_CHROMIUM, findChromium } from './find-chromium.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** So `scripts/docs.mjs` ends where it cannot install. */
const NO_REGISTRY = 75;

const failed = [];

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0) failed.push(args.join(' '));
}

function skipped(lane, reason) {
  console.log(`lane ${lane}: skipped, ${reason}`);
  if (process.env[`REQUIRE_${lane.toUpperCase()}`] === '1') {
    failed.push(`the lane ${lane} did not run, though REQUIRE_${lane.toUpperCase()}=1`);
  }
}

const shared = process.env.CI !== undefined;
const vitest = ['node_modules/vitest/vitest.mjs', 'run', ...(shared ? ['--retry', '1'] : [])];
const playwright = ['node_modules/@playwright/test/cli.js', 'test', ...(shared ? ['--retries', '1'] : [])];
console.log('lane check: types, lint, format, nothing unused');
run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json']);
run(process.execPath, ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.']);
run(process.execPath, ['node_modules/knip/bin/knip.js']);
run(process.execPath, ['scripts/api.mjs', '--check']);
console.log('lane wasm: the committed module is what its sources build');
run(process.execPath, ['scripts/build-wasm.mjs', '--check']);
console.log('lane shaders: the committed strings are what shaders/ says');
run(process.execPath, ['scripts/build-shaders.mjs', '--check']);
console.log('lane unit');
run(process.execPath, [...vitest, '--project', 'unit']);
console.log('lane cli');
run(process.execPath, [...vitest, '--project', 'cli']);

console.log('lane packed: what npm pack makes, installed');
run(process.execPath, ['scripts/examples.mjs', '--linked']);

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
  run(process.execPath, [...vitest, '--project', 'gpu']);
}

const chromium = findChromium();
if (chromium === undefined) skipped('browser', NO_CHROMIUM);
else {
  console.log(`lane browser: ${chromium}`);
  run(process.execPath, [...vitest, '--project', 'browser']);
  run(process.execPath, playwright);
  console.log('lane browser: the tours');
  run(process.execPath, ['scripts/demo.mjs', ...(shared ? ['--retries', '1'] : [])]);
}

if (failed.length > 0) {
  console.error(`failed:\n${failed.map((what) => `  ${what}`).join('\n')}`);
  process.exit(1);
}
