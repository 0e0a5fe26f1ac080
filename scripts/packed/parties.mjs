// The command line of the installed package: two compute parties on this machine, and the server of a page.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const START_MS = 300_000;

/** Starts a program; resolves, once it says `until`, to what matched and how to end it. */
export function start(args, { until, cwd, env = {}, waitMs = START_MS }) {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = () =>
    new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve();
      child.once('exit', resolve);
      child.kill('SIGINT');
    });
  return new Promise((resolve, reject) => {
    let log = '';
    const late = setTimeout(
      () => stop().then(() => reject(new Error(`${args.join(' ')} does not start: ${log}`))),
      waitMs,
    );
    const read = (chunk) => {
      log += chunk;
      const found = until.exec(log);
      if (found === null) return;
      clearTimeout(late);
      resolve({ found, stop });
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', () => {
      clearTimeout(late);
      reject(new Error(`${args.join(' ')} ended: ${log}`));
    });
  });
}

/** `tercet demo` with pages of ours. @param home in place of the user's folder */
export async function startDemo(installed, { home, app }) {
  const args = [
    join(installed, 'dist/cli/main.js'),
    'demo',
    '--no-open',
    '--no-example',
    '--port',
    '0',
    '--device',
    'wasm',
  ];
  const { found, stop } = await start([...args, '--app', app], {
    until: /In your browser: +(\S+)[\s\S]*credential: /,
    env: { TERCET_HOME: home },
  });
  return { url: found[1], stop };
}
