// How Rust sources of native kernels are compiled: for the library and for the program that tests run (native/check).
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const CRATE = fileURLToPath(new URL('../native/', import.meta.url));

/** What x86-64 processors with AVX2 have, which the library asks for when it is loaded. NEON is part of every arm64. */
const FEATURES = { x64: ['-C', 'target-feature=+avx2,+bmi1,+bmi2,+fma,+lzcnt,+popcnt'] };

/** Flags of rustc for this processor. */
export const FLAGS = FEATURES[process.arch] ?? [];

/** Compiles the program. It has no dependencies, so rustc is called without cargo. Whether it was compiled. */
export function buildProgram(out, { rustc = 'rustc', flags = FLAGS } = {}) {
  const fast = ['--edition', '2021', '-C', 'opt-level=3', '-D', 'warnings'];
  return (
    spawnSync(rustc, [...fast, ...flags, '-o', out, join(CRATE, 'check/main.rs')], { stdio: 'inherit' }).status === 0
  );
}
