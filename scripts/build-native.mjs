// Builds native/, the kernels of compute parties as a library of this processor, into native/tercet.node. Needs cargo.
// `--aside` leaves it in native/target, where tests find it and parties do not, and the program that tests run beside
// it.
import { spawnSync } from 'node:child_process';
import { copyFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { CRATE, FLAGS, buildProgram } from './native-program.mjs';

const LIBRARIES = { linux: 'libtercet_native.so', darwin: 'libtercet_native.dylib', win32: 'tercet_native.dll' };

if (!['x64', 'arm64'].includes(process.arch) || LIBRARIES[process.platform] === undefined) {
  console.error('native kernels are for x86-64 and arm64 processors: other machines take WebAssembly');
  process.exit(1);
}
const env = { ...process.env, RUSTFLAGS: [...FLAGS, '--remap-path-prefix', `${CRATE}=/tercet`].join(' ') };
const built = spawnSync('cargo', ['build', '--release', '--locked'], { cwd: CRATE, stdio: 'inherit', env });
if (built.error !== undefined) {
  console.error('no cargo was found: install Rust 1.78 or newer');
  process.exit(1);
}
if (built.status !== 0) process.exit(built.status ?? 1);
if (process.argv.includes('--aside')) process.exit(buildProgram(join(CRATE, 'target/check')) ? 0 : 1);
// A process may have the file of before open: it keeps that one.
const [made, target] = [join(CRATE, 'target/release', LIBRARIES[process.platform]), join(CRATE, 'tercet.node')];
copyFileSync(made, `${target}.new`);
renameSync(`${target}.new`, target);
console.log('native/tercet.node: taken by --device native, and by auto where there is no graphics device');
