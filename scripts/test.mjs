// `npm test`: every lane that this machine can run, and a line for each that it cannot. A skip is a failure where it was asked for (REQUIRE_*=1).
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0) process.exit(status ?? 1);
}

const vitest = ['node_modules/vitest/vitest.mjs', 'run'];
console.log('lane check: types, lint, format');
run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json']);
run(process.execPath, ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.']);
console.log('lane wasm: the committed module is what its sources build');
run(process.execPath, ['scripts/build-wasm.mjs', '--check']);
console.log('lane unit');
run(process.execPath, [...vitest, '--project', 'unit']);
console.log('lane cli');
run(process.execPath, [...vitest, '--project', 'cli']);

for (const lane of ['gpu', 'browser']) {
  console.log(`lane ${lane}: skipped, there is nothing to run on it yet`);
  if (process.env[`REQUIRE_${lane.toUpperCase()}`] === '1') {
    console.error(`REQUIRE_${lane.toUpperCase()}=1, and the lane ${lane} did not run`);
    process.exit(1);
  }
}
