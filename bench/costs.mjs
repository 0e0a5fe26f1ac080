// CPU seconds and peak memory of every party, kept in bench/results/costs.json: `node bench/costs.mjs` after
// `npm run build`.
//
// BERT-base and GPT-2 small with random weights, by plan, with a dealer, with open and with secret weights. Parties
// are processes of this machine; the kernel counts what each takes (/proc, so Linux only). Compute parties have
// loaded the model before, and one short run has warmed everybody. A token of GPT-2 is the difference of two runs.
//   --only TEXT    rows whose name contains it         --runs N     median of N, by CPU seconds (default 1)
//   --out FILE     where rows are kept ('-': nowhere)  --note TEXT  kept with them: what else the machine did
import { execFileSync, fork } from 'node:child_process';
import { readFileSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { keepResults } from '../dist/bench/rows.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CLI = join(ROOT, 'dist/cli/main.js');
const OWNER = join(ROOT, 'bench/costs-owner.mjs');
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    runs: { type: 'string', default: '1' },
    out: { type: 'string', default: join(ROOT, 'bench/results/costs.json') },
    note: { type: 'string' },
  },
});

/** Further tokens of the longer of two runs. */
const FURTHER = 4;
const PREFIX = 128;
const wide = ['lan', 'wan-cloud'].map((plan) => ({ plan }));
const dealt = [{ plan: 'lan', dealer: true }];
const WORLDS = [
  { model: 'bert-base', weights: 'open', lengths: [16, 128], ways: [...wide, ...dealt] },
  { model: 'bert-base', weights: 'secret', lengths: [16, 128], ways: [...wide, ...dealt] },
  { model: 'gpt2', weights: 'open', lengths: [PREFIX], token: true, ways: [...wide, ...dealt] },
  { model: 'gpt2', weights: 'secret', lengths: [PREFIX], token: true, ways: [{ plan: 'lan' }] },
];
const nameOf = ({ model, weights, token }, { plan, dealer }, length) =>
  `${model}/${token ? `token behind ${length}` : length}/${weights}/${plan}${dealer ? '/dealer' : ''}`;

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
      child.on('message', (message) => message.kind === kind && resolve(message));
      child.on('exit', (code) => reject(new Error(`${args[0]} ended with ${code} before it said "${kind}"`)));
    });
  return { child, told };
}
const stop = () => {
  for (const child of children) child.kill('SIGTERM');
};
process.on('exit', stop);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

// ── parties of one model ─────────────────────────────────────────────────────

async function startWorld({ model, weights, ways }, folder) {
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
    const { child, told } = started(CLI, [...args, ...limits, '--device', 'wasm', ...more], homes[id - 1]);
    const ready = told('ready');
    ready.catch(() => undefined);
    return { child, ready, port: (await told('listening')).port };
  };
  const one = await party(1, []);
  const two = await party(2, ['--peers', `1=127.0.0.1:${one.port}`]);
  await Promise.all([one.ready, two.ready]);
  const processes = { p1: one.child, p2: two.child };
  let dealer;
  if (ways.some((way) => way.dealer)) {
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

/** One run of an owner of its own, as every party sees it. */
async function measured(world, asked, dealer) {
  const { processes, home, ...rest } = world;
  const { child, told } = started(
    OWNER,
    [JSON.stringify({ ...rest, dealer: dealer ? rest.dealer : undefined, ...asked })],
    home,
  );
  const ended = new Promise((resolve) => child.on('exit', resolve));
  await told('ready');
  const servers = Object.entries(processes).filter(([name]) => name !== 'dealer' || dealer);
  const before = servers.map(([, { pid }]) => cpuOf(pid));
  for (const [, { pid }] of servers) forgetPeak(pid);
  child.send('go');
  const { cpuS, peakBytes, cost, timing } = await told('measured');
  const all = [
    ['p0', { cpuS, peakBytes }],
    ...servers.map(([name, { pid }], i) => [name, { cpuS: cpuOf(pid) - before[i], peakBytes: peakOf(pid) }]),
  ];
  await ended;
  return {
    cost,
    timing,
    cpuS: Object.fromEntries(all.map(([name, taken]) => [name, taken.cpuS])),
    peakBytes: Object.fromEntries(all.map(([name, taken]) => [name, taken.peakBytes])),
  };
}

const sum = (object) => Object.values(object).reduce((total, value) => total + value, 0);

async function median(runs, of, one) {
  const all = [];
  for (let run = 0; run < runs; run++) all.push(await one());
  return all.sort((a, b) => of(a) - of(b))[runs >> 1];
}

/** What a step more takes: the difference of two runs, for each further token. */
function perToken(short, long) {
  const each = (pick) => (pick(long) - pick(short)) / FURTHER;
  const bytes = (party) => ({
    sentBytes: Math.round(each(({ cost }) => cost[party].sentBytes)),
    receivedBytes: Math.round(each(({ cost }) => cost[party].receivedBytes)),
  });
  return {
    cost: { p0: bytes('p0'), p1: bytes('p1'), p2: bytes('p2'), rounds: each(({ cost }) => cost.rounds) },
    timing: {
      preprocessMs: Math.round(each(({ timing }) => timing.preprocessMs)),
      onlineMs: Math.round(each(({ timing }) => timing.onlineMs)),
    },
    cpuS: Object.fromEntries(Object.keys(long.cpuS).map((party) => [party, each(({ cpuS }) => cpuS[party])])),
    peakBytes: long.peakBytes,
  };
}

// Kept after every row, so that what ends early has kept what it measured.
const command = ['node bench/costs.mjs', ...process.argv.slice(2)].join(' ');
const rows = [];
for (const world of WORLDS) {
  const wanted = world.lengths
    .flatMap((length) => world.ways.map((way) => ({ length, way, name: nameOf(world, way, length) })))
    .filter(({ name }) => name.includes(values.only));
  if (wanted.length === 0) continue;
  const folder = mkdtempSync(join(tmpdir(), 'tercet-costs-'));
  try {
    process.stderr.write(`  ${world.model}, ${world.weights} weights: starting\n`);
    const running = await startWorld({ ...world, ways: wanted.map(({ way }) => way) }, folder);
    for (const { length, way, name } of wanted) {
      process.stderr.write(`  ${name}\n`);
      const run = (newTokens) =>
        measured(
          running,
          { weights: world.weights, plan: way.plan, tokens: length, newTokens, threads: 1 },
          way.dealer === true,
        );
      const result = await median(
        Number(values.runs),
        ({ cpuS }) => sum(cpuS),
        async () => (world.token ? perToken(await run(1), await run(1 + FURTHER)) : run(1)),
      );
      const cpuS = Object.fromEntries(
        Object.entries(result.cpuS).map(([party, seconds]) => [party, Math.round(100 * seconds) / 100]),
      );
      rows.push({
        suite: 'costs',
        name,
        model: world.model,
        tokens: length,
        ...(world.token ? { perToken: true } : {}),
        weights: world.weights,
        plan: way.plan,
        dealer: way.dealer === true,
        ...result,
        cpuS: { ...cpuS, all: Math.round(100 * sum(result.cpuS)) / 100 },
      });
      process.stdout.write(`${JSON.stringify(rows.at(-1))}\n`);
      if (values.out !== '-') keepResults(values.out, 'costs', rows, command, values.note);
    }
  } finally {
    stop();
    await Promise.all([...children].map((child) => new Promise((resolve) => child.on('exit', resolve))));
    rmSync(folder, { recursive: true, force: true });
  }
}
