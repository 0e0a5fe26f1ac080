// Two compute parties and the measuring page as processes, on this machine or in network namespaces.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { chromiumPath } from '../../scripts/find-chromium.mjs';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CLI = join(ROOT, 'dist/cli/main.js');
const MODELS = ['capitals-bert', 'sst2-bert'].map((model) => join(ROOT, 'models', model));

/** Builds the measuring page into `folder`. */
export async function buildPage(folder) {
  await build({
    configFile: false,
    root: join(ROOT, 'bench/browser'),
    base: './',
    logLevel: 'error',
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: 'es2023',
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
    worker: { format: 'es' },
  });
}

/** A process that says a line; the rest of what it says is kept for errors. */
export function start(prefix, args, env, said) {
  const [command, ...rest] = [...prefix, ...args];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let log = '';
  const found = new Promise((resolve, reject) => {
    const read = (chunk) => {
      log += chunk;
      const match = said.exec(log);
      if (match !== null) resolve(match);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('exit', (code) => reject(new Error(`${args.join(' ')} ended with ${code}:\n${log}`)));
  });
  return { child, found };
}

/**
 * @param hosts prefixes of the commands of party 1, party 2 and the page's server (`ip netns exec …`), and the
 * addresses that they listen on
 * @param tls arguments of the parties' certificates, where their addresses need them
 * @param models folders of what is served, with secret weights too unless `secret` is false
 */
export async function startAll({ page, home, hosts, site, tls = [], models = MODELS, secret = true }) {
  const children = [];
  // Each operator has a state folder of its own, and pins the other's identity.
  const homes = [1, 2].map((id) => join(home, `operator-${id}`));
  const identities = homes.map((folder, i) =>
    execFileSync(process.execPath, [CLI, 'identity', '--party-id', String(i + 1)], {
      env: { ...process.env, TERCET_HOME: folder },
    })
      .toString()
      .trim(),
  );
  const run = async (prefix, args, said, folder = home) => {
    const { child, found } = start(prefix, [process.execPath, CLI, ...args], { TERCET_HOME: folder }, said);
    children.push(child);
    return found;
  };
  const stop = () => {
    for (const child of children) child.kill('SIGTERM');
  };
  try {
    const shares = [];
    for (const model of secret ? models : []) {
      const out = join(home, basename(model));
      execFileSync(process.execPath, [CLI, 'model', 'share', '--model', model, '--out', out]);
      shares.push(out);
    }
    const served = (id) =>
      models.flatMap((model, i) => ['--model', model, ...(secret ? ['--shares', join(shares[i], `p${id}`)] : [])]);
    const party = (id, more) =>
      run(
        hosts[id - 1].prefix,
        [
          'party',
          '--party-id',
          String(id),
          '--host',
          hosts[id - 1].address,
          '--port',
          String(7100 + id),
          '--web',
          `${hosts[id - 1].address}:${7200 + id}`,
        ].concat(
          [
            '--peer-identity',
            `${3 - id}=${identities[2 - id]}`,
            '--origins',
            `http://${site}`,
            '--threads',
            '1',
            '--device',
            'wasm',
          ],
          tls,
          served(id),
          more,
        ),
        /serves browsers at (\S+), identity (\w+)/,
        homes[id - 1],
      );
    const one = await party(1, []);
    const two = await party(2, ['--peers', `1=${hosts[0].address}:7101`]);
    const scheme = tls.length > 0 ? 'https' : 'http';
    const urls = hosts.slice(0, 2).map(({ address }, i) => `${i + 1}=${scheme}://${address}:${7201 + i}`);
    await run(
      hosts[2].prefix,
      [
        'site',
        '--address',
        site,
        '--app',
        page,
        '--parties',
        urls.join(','),
        '--identities',
        `1=${one[2]},2=${two[2]}`,
      ].concat(models.flatMap((model, i) => ['--model', model, ...(secret ? ['--owner-shares', shares[i]] : [])])),
      /the web app is at/,
    );
    return { stop };
  } catch (error) {
    stop();
    throw error;
  }
}

export function workFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'tercet-bench-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export const CHROMIUM = chromiumPath();
export const FLAGS = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
];
