// Builds wasm/ into the modules of src/compute/kernels/wasm, byte for byte the same from any folder: tercet.wasm;
// owner.wasm, which is as much of it as a page needs; proof.wasm, which only a mode with proofs loads; and fold.wasm,
// for who has the weights of a model. `--check` builds aside and compares.
//
// Debian's rustc on purpose: it is the toolchain with a packaged wasm32 standard library, and one pinned compiler
// gives one output. The crate has no dependencies, so rustc is called without cargo.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/**
 * Name of a module, its root in wasm/src, and the most bytes that it may have. With `offsets` addresses in loops keep
 * their constant offsets, which loads of WebAssembly have for nothing: LLVM's loop strength reduction makes additions
 * of them, a third of the instructions of the loop of `limbs.rs`. With `scalar` vectors are there where sources have
 * them: products of 64-bit lanes, which LLVM makes of words side by side, are ten instructions on x86.
 */
const modules = [
  { name: 'tercet', source: 'lib.rs', limit: 136 * 1024, offsets: true, imports: true },
  // What dealing costs is the same at both levels, and pages load a fifth less.
  { name: 'owner', source: 'lib.rs', cfg: 'owner', limit: 80 * 1024, level: 2, offsets: true },
  { name: 'proof', source: 'proofs.rs', limit: 96 * 1024, scalar: true },
  { name: 'fold', source: 'fold.rs', limit: 16 * 1024 },
];
const rustc = '/usr/bin/rustc';
const check = process.argv.includes('--check');

/** Whether rustc, the wasm32 core library and the linker are there. */
function toolchain() {
  if (!existsSync(rustc)) return false;
  const libdir = spawnSync(rustc, ['--print', 'target-libdir', '--target', 'wasm32-unknown-unknown'], {
    encoding: 'utf8',
  });
  return (
    libdir.status === 0 &&
    existsSync(libdir.stdout.trim()) &&
    ['/usr/bin/rust-lld', '/usr/bin/wasm-ld'].some((path) => existsSync(path))
  );
}

if (!toolchain()) {
  console.log('skipped: no toolchain (apt-get install rustc libstd-rust-dev-wasm32 lld)');
  process.exit(check ? 0 : 1);
}

/** Builds one module; the exit status. */
function build({ name, source, cfg, limit, level = 3, offsets = false, scalar = false, imports = false }, temporary) {
  const target = join(root, `src/compute/kernels/wasm/${name}.wasm`);
  const out = join(temporary, `${name}.wasm`);
  const flags = [
    ...['--edition', '2021', '--crate-type', 'cdylib', '--crate-name', name, '--target', 'wasm32-unknown-unknown'],
    // Every engine with SIMD128 also has bulk memory, which makes copies and fills one instruction.
    ...[
      '-C',
      'target-feature=+simd128,+bulk-memory',
      '-C',
      `opt-level=${level}`,
      '-C',
      'lto=fat',
      '-C',
      'embed-bitcode=yes',
    ],
    ...['-C', 'panic=abort', '-C', 'codegen-units=1', '-C', 'strip=symbols'],
    // A small stack at the bottom of the memory: the host wipes it after every call, because spilled registers hold
    // shares.
    // Where it ends and the constants begin is exported, so that the host does not repeat the number.
    ...['-C', 'link-arg=-zstack-size=16384', '-C', 'link-arg=--stack-first', '-C', 'link-arg=--export=__global_base'],
    ...(imports ? ['-C', 'link-arg=--import-memory', '-C', 'link-arg=--max-memory=4294967296'] : []),
    ...(cfg === undefined ? [] : ['--cfg', cfg]),
    ...(offsets ? ['-C', 'llvm-args=-disable-lsr'] : []),
    ...(scalar ? ['-C', 'no-vectorize-loops', '-C', 'no-vectorize-slp'] : []),
    // No host path in the output.
    ...['--remap-path-prefix', `${join(root, 'wasm')}=/tercet`],
    ...['-D', 'warnings', '-o', out, join(root, 'wasm/src', source)],
  ];
  // A clean environment: RUSTFLAGS and wrappers of the caller must not change the bytes.
  const built = spawnSync(rustc, flags, { stdio: 'inherit', env: { PATH: '/usr/bin:/bin' }, cwd: temporary });
  if (built.status !== 0) return built.status ?? 1;
  const bytes = readFileSync(out);
  if (bytes.length > limit) {
    console.error(`${name}.wasm is ${bytes.length} bytes, more than ${limit}`);
    return 1;
  }
  if (!check) {
    writeFileSync(target, bytes);
    console.log(`${name}.wasm: ${bytes.length} bytes`);
    return 0;
  }
  if (existsSync(target) && bytes.equals(readFileSync(target))) {
    console.log(`${name}.wasm is up to date`);
    return 0;
  }
  const version = spawnSync(rustc, ['--version'], { encoding: 'utf8' }).stdout.trim();
  console.error(`${name}.wasm differs from what ${version} builds (committed: rustc 1.63.0): run npm run build:wasm`);
  return 1;
}

const temporary = mkdtempSync(join(tmpdir(), 'tercet-wasm-'));
let status = 0;
for (const module of modules) status ||= build(module, temporary);
rmSync(temporary, { recursive: true, force: true });
process.exit(status);
