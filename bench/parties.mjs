// Three or four processes of this machine that run one model, and what the kernel counts of each (/proc, so Linux
// only). Used by the benchmarks of costs; importing this file starts nothing.
import { execFileSync, fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CLI = join(ROOT, 'dist/cli/main.js');
const OWNER = join(ROOT, 'bench/costs-owner.mjs');

// ── processes, and what the kernel counts of them ────────────────────────────

const TICKS = Number(execFileSync('getconf', ['CLK_TCK']).toString());
/** User and system time of a process with all its threads, in seconds. */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}
const peakOf = (pid) => 1024 * Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
/** From here on the peak is that of what follows. */
const forgetPeak = (pid) => writeFileSync(`/proc/${pid}/clear_refs`, '5');

const children = new Set();
function started(program, args, home) {
  const child = fork(program, args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, TERCET_HOME: home },
  });
  children.add(child);
  child.on('exit', () => children.delete(child));
  const told = (kind) =>
    new Promise((resolve, reject) => {
      const settle = (done) => {
        child.off('message', take);
        child.off('exit', end);
        done();
      };
      const take = (message) => message.kind === kind && settle(() => resolve(message));
      const end = (code) => settle(() => reject(new Error(`${args[0]} ended with ${code} before it said "${kind}"`)));
      child.on('message', take);
      child.on('exit', end);
    });
  return { child, told };
}
const stop = () => {
  for (const child of children) child.kill('SIGTERM');
};
process.on('exit', stop);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

// ── parties of one model ─────────────────────────────────────────────────────

async function startWorld({ model, weights, dealer: dealt, device = 'wasm' }, folder) {
  const homes = ['one', 'two', 'dealer', 'owner'].map((name) => join(folder, name));
  const command = (args, home) =>
    execFileSync(process.execPath, [CLI, ...args], { env: { ...process.env, TERCET_HOME: home } })
      .toString()
      .trim();
  const configPath = join(ROOT, `bench/configs/${model}.json`);
  const random = ['--random-weights', '1', '--architecture', configPath];
  const pins = {
    1: command(['identity', '--party-id', '1'], homes[0]),
    2: command(['identity', '--party-id', '2'], homes[1]),
    3: command(['identity', '--dealer'], homes[2]),
  };
  const sharing = join(folder, 'sharing');
  const credentialFile = join(folder, 'owner.credential.json');
  if (weights === 'secret') {
    command(['model', 'share', ...random, '--out', sharing], homes[3]);
    const whom = ['--sharing', sharing, '--name', 'bench', '--dealer', pins[3]];
    command(['owner', 'enrol', ...whom, '--out', credentialFile], homes[3]);
  }
  const served = (id) => (weights === 'secret' ? ['--shares', join(sharing, `p${id}`)] : random);
  const limits = ['--max-memory', 'none', '--max-traffic', 'none'];
  const party = async (id, more) => {
    const args = ['party', '--party-id', String(id), '--peer-identity', `${3 - id}=${pins[3 - id]}`, ...served(id)];
    const { child, told } = started(CLI, [...args, ...limits, '--device', device, ...more], homes[id - 1]);
    const ready = told('ready');
    ready.catch(() => undefined);
    return { child, ready, port: (await told('listening')).port };
  };
  const one = await party(1, []);
  const two = await party(2, ['--peers', `1=127.0.0.1:${one.port}`]);
  await Promise.all([one.ready, two.ready]);
  const processes = { p1: one.child, p2: two.child };
  let dealer;
  if (dealt) {
    const pair = `1=127.0.0.1:${one.port},2=127.0.0.1:${two.port}`;
    const args = ['dealer', '--parties', pair, '--identities', `1=${pins[1]},2=${pins[2]}`, ...limits];
    const { child, told } = started(CLI, args, homes[2]);
    dealer = { host: '127.0.0.1', port: (await told('listening')).port };
    processes.dealer = child;
  }
  const addresses = [one, two].map(({ port }) => ({ host: '127.0.0.1', port }));
  return {
    configPath,
    addresses,
    dealer,
    pins,
    processes,
    home: homes[3],
    ...(weights === 'secret' ? { credentialFile } : {}),
  };
}

/**
 * Runs of an owner of its own, one after the other in the same processes, as every party sees each.
 * @param asked weights, plan, tokens, newTokens, threads, and the device of the owner
 * @param use is given what makes and measures one run, of as many new tokens as are named
 */
async function measuring(world, asked, dealer, use) {
  const { processes, home, ...rest } = world;
  const { child, told } = started(
    OWNER,
    [JSON.stringify({ ...rest, dealer: dealer ? rest.dealer : undefined, ...asked })],
    home,
  );
  const ended = new Promise((resolve) => child.on('exit', resolve));
  await told('ready');
  const servers = Object.entries(processes).filter(([name]) => name !== 'dealer' || dealer);
  const one = async (newTokens) => {
    const before = servers.map(([, { pid }]) => cpuOf(pid));
    for (const [, { pid }] of [['p0', child], ...servers]) forgetPeak(pid);
    const measured = told('measured');
    child.send({ kind: 'run', newTokens });
    const { cpuS, cost, timing } = await measured;
    const all = [
      ['p0', { cpuS, peakBytes: peakOf(child.pid) }],
      ...servers.map(([name, { pid }], i) => [name, { cpuS: cpuOf(pid) - before[i], peakBytes: peakOf(pid) }]),
    ];
    return {
      cost,
      timing,
      cpuS: Object.fromEntries(all.map(([name, taken]) => [name, taken.cpuS])),
      peakBytes: Object.fromEntries(all.map(([name, taken]) => [name, taken.peakBytes])),
    };
  };
  const result = await use(one);
  child.send({ kind: 'end' });
  await ended;
  return result;
}

/**
 * Parties with a model of random weights, for as long as `use` takes.
 * @param asked model (of bench/configs), weights, and whether there is a dealer
 * @param use is given `measured`, of one run, and `measuring`, of several in the same processes
 */
export async function withParties(asked, use) {
  const folder = mkdtempSync(join(tmpdir(), 'tercet-costs-'));
  try {
    const world = await startWorld(asked, folder);
    const runs = (run, dealer, of) => measuring(world, { weights: asked.weights, threads: 1, ...run }, dealer, of);
    return await use({
      measuring: runs,
      measured: ({ newTokens, ...run }, dealer) => runs(run, dealer, (one) => one(newTokens)),
    });
  } finally {
    stop();
    await Promise.all([...children].map((child) => new Promise((resolve) => child.on('exit', resolve))));
    rmSync(folder, { recursive: true, force: true });
  }
}
