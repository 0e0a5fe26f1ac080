// What `npm pack` makes, once, and places where it is installed: what users get is what is tested.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const EXAMPLES = join(ROOT, 'examples');
const shell = process.platform === 'win32';

const json = (path) => JSON.parse(readFileSync(path, 'utf8'));
const writeJson = (path, value) => writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
const npm = (cwd, ...args) =>
  execFileSync('npm', args, { cwd, shell, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' });

/** Packs what is built. Returns the path of the tarball. */
export function pack(folder) {
  return join(folder, npm(ROOT, 'pack', '--ignore-scripts', '--silent', '--pack-destination', folder).trim());
}

/**
 * The tarball in `folder/node_modules`, beside links to the dependencies that it declares and to no others: one that
 * is used and not declared is not found. Nothing is downloaded.
 */
function unpack(tarball, folder) {
  const modules = join(folder, 'node_modules');
  const target = join(modules, 'tercet');
  mkdirSync(target, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', target, '--strip-components=1']);
  const { dependencies, optionalDependencies = {} } = json(join(target, 'package.json'));
  for (const name of [...Object.keys(dependencies), ...Object.keys(optionalDependencies)]) {
    const installed = join(ROOT, 'node_modules', name);
    if (!existsSync(installed)) continue;
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(installed, join(modules, name), 'junction');
  }
  return target;
}

/** Names of the examples. */
export function exampleNames() {
  const folders = readdirSync(EXAMPLES, { withFileTypes: true });
  return folders.filter((entry) => existsSync(join(EXAMPLES, entry.name, 'package.json'))).map(({ name }) => name);
}

/** A copy of the examples whose packages do without this one: the lock file of the examples knows nothing of it. */
function copyWithout(folder) {
  cpSync(EXAMPLES, folder, { recursive: true, filter: (path) => !/[\\/](node_modules|dist)$/.test(path) });
  for (const name of exampleNames()) {
    const path = join(folder, name, 'package.json');
    const { dependencies, ...rest } = json(path);
    delete dependencies.tercet;
    writeJson(path, { ...rest, dependencies });
  }
}

/** Writes the lock file of the examples again, after a version was changed. */
export function lockExamples(folder) {
  copyWithout(folder);
  npm(folder, 'install', '--package-lock-only', '--no-audit', '--no-fund', '--silent');
  cpSync(join(folder, 'package-lock.json'), join(EXAMPLES, 'package-lock.json'));
}

/**
 * The examples as `installExamples` has them, but for the package itself: it is unpacked in a place of its own and
 * linked, so that it finds what it declares and nothing of theirs. Says which examples are to be had: without a
 * registry, those that need nothing of their own.
 */
export function linkExamples(tarball, folder, retries = 0) {
  copyWithout(folder);
  const reached = installLocked(folder, retries);
  const installed = unpack(tarball, join(folder, '..', 'alone'));
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  symlinkSync(installed, join(modules, 'tercet'), 'junction');
  const program = join(installed, json(join(installed, 'package.json')).bin.tercet);
  chmodSync(program, 0o755);
  if (!shell) symlinkSync(program, join(modules, '.bin/tercet'));
  return { installed, names: exampleNames().filter((name) => reached || needsNothing(join(folder, name))) };
}

function installLocked(folder, left) {
  try {
    npm(folder, 'ci', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel', 'error');
    return true;
  } catch {
    return left > 0 && installLocked(folder, left - 1);
  }
}

/** Whether an example does with the package alone: `copyWithout` took that one out. */
function needsNothing(example) {
  const { dependencies, devDependencies = {} } = json(join(example, 'package.json'));
  return Object.keys({ ...dependencies, ...devDependencies }).length === 0;
}

/** The examples as somebody has them who installed the tarball: what they need by their lock file, and then this. */
export function installExamples(tarball, folder) {
  copyWithout(folder);
  npm(folder, 'ci', '--no-audit', '--no-fund', '--silent');
  npm(folder, 'install', '--no-save', '--no-audit', '--no-fund', '--silent', tarball);
  return folder;
}
