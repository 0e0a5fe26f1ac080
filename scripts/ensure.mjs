// Installs and builds what is missing or stale, then returns: the first half of `npm start` and `npm test`. Only
// Node.js and npm are assumed.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`tercet: ERR_ARGUMENT: Node.js ${process.versions.node} is too old — install Node.js 20.19 or newer`);
  process.exit(2);
}

/** Runs a command with its output on stderr, so that stdout stays the command's own (JSON). */
function run(command, args) {
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (status !== 0) process.exit(status ?? 1);
}

function newest(dir) {
  let time = 0;
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) time = Math.max(time, statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs);
  }
  return time;
}

const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
const installed = join(root, 'node_modules', '.tercet-lock');
if (!existsSync(installed) || readFileSync(installed, 'utf8') !== lock) {
  console.error('tercet: installing dependencies (once)');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(installed, lock);
}

const built = join(root, 'dist', '.built');
const page = ['index.html', 'widget.html', 'widget-frame.html', 'vite.config.ts', 'vite.widget.config.ts'].map((file) => statSync(join(root, file)).mtimeMs);
if (
  !existsSync(built) ||
  Math.max(newest(join(root, 'src')), newest(join(root, 'public')), ...page) > statSync(built).mtimeMs
) {
  console.error('tercet: building');
  run('npm', ['run', '-s', 'build']);
  writeFileSync(built, '');
}
