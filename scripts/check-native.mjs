// Checks the native kernels of this processor and of arm64: every operation on lanes against its definition, the
// conformance suites against the kernels in a process of their own, and that no call leaves anything on the stack.
//
// arm64 needs a rustc with that target's standard library, a linker and an emulator; where one is missing it is
// skipped aloud. Debian has them: rustc-web with libstd-rust-web-dev:arm64, gcc-aarch64-linux-gnu, qemu-user.
//   --rustc PATH   --linker PATH   --emulator PATH   of arm64 (default: those on the path)
//   --lanes        the operations on lanes alone
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildProgram } from './native-program.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values: options } = parseArgs({
  options: {
    rustc: { type: 'string', default: 'rustc' },
    linker: { type: 'string', default: 'aarch64-linux-gnu-gcc' },
    emulator: { type: 'string', default: 'qemu-aarch64' },
    lanes: { type: 'boolean', default: false },
  },
});

const ARM64 = 'aarch64-unknown-linux-gnu';
const succeeds = (command, args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

/** Why arm64 cannot be checked here, or undefined. */
function missing() {
  const found = spawnSync(options.rustc, ['--target', ARM64, '--print', 'target-libdir'], { encoding: 'utf8' });
  if (found.status !== 0 || !existsSync(found.stdout.trim())) return `${options.rustc} has no library for ${ARM64}`;
  for (const tool of [options.linker, options.emulator]) if (!succeeds(tool, ['--version'])) return `no ${tool}`;
  return undefined;
}

const why = missing();
const checks = [
  { name: process.arch, run: [] },
  {
    name: 'arm64, emulated',
    rustc: options.rustc,
    // Static, so that the emulator needs no libraries.
    flags: ['--target', ARM64, '-C', 'target-feature=+crt-static', '-C', `linker=${options.linker}`],
    run: [options.emulator],
    skip: why,
  },
];

const folder = mkdtempSync(join(tmpdir(), 'tercet-native-'));
let failed = false;
for (const { name, rustc, flags, run, skip } of checks) {
  if (skip !== undefined) {
    console.log(`skipped: ${name} (${skip})`);
    continue;
  }
  const program = join(folder, name.split(',')[0]);
  const step = (command, args, env = {}) => {
    const ended = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
    return ended.status === 0;
  };
  console.log(`── ${name}`);
  const [command, ...rest] = [...run, program];
  failed ||= !(
    buildProgram(program, { rustc, flags }) &&
    step(command, rest) &&
    (options.lanes ||
      step('npx', ['vitest', 'run', '--project', 'unit', 'test/compute/distant.test.ts'], {
        DISTANT_KERNELS: [...run, program].join(' '),
      }))
  );
}
rmSync(folder, { recursive: true });
process.exit(failed ? 1 : 0);
