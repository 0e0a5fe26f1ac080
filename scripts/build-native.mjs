// Builds native/, the kernels of compute parties as a library of this processor, into native/tercet.node. Needs cargo.
// `--aside` leaves it in native/target, where tests find it and parties do not.
import { spawnSync } from 'node:child_process';
import { copyFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FEATURES } from './native-features.mjs';

const crate = fileURLToPath(new URL('../native/', import.meta.url));
const LIBRARIES = { linux: 'libtercet_native.so', darwin: 'libtercet_native.dylib', win32: 'tercet_native.dll' };

if (!['x64', 'arm64'].includes(process.arch) || LIBRARIES[process.platform] === undefined) {
  console.error('native kernels are for x86-64 and arm64 processors: other machines take WebAssembly');
  process.exit(1);
}
// NEON is part of every arm64.
const features = process.arch === 'x64' ? `-C target-feature=${FEATURES} ` : '';
const env = { ...process.env, RUSTFLAGS: `${features}--remap-path-prefix ${crate}=/tercet` };
const built = spawnSync('cargo', ['build', '--release', '--locked'], { cwd: crate, stdio: 'inherit', env });
if (built.error !== undefined) {
  console.error('no cargo was found: install Rust 1.78 or newer');
  process.exit(1);
}
if (built.status !== 0) process.exit(built.status ?? 1);
if (process.argv.includes('--aside')) process.exit(0);
// A process may have the file of before open: it keeps that one.
const [made, target] = [join(crate, 'target/release', LIBRARIES[process.platform]), join(crate, 'tercet.node')];
copyFileSync(made, `${target}.new`);
renameSync(`${target}.new`, target);
console.log('native/tercet.node: taken by --device native, and by auto where there is no graphics device');
