// CPU seconds and peak memory of every party, kept in bench/results/costs.json: `node bench/costs.mjs` after
// `npm run build`.
//
// BERT-base and GPT-2 small with random weights, by plan, with a dealer, with open and with secret weights. Parties
// are processes of this machine; the kernel counts what each takes (/proc, so Linux only). Compute parties have
// loaded the model before, and one short run has warmed everybody. A token of GPT-2 is the difference of two runs.
// A row is the median of runs in the same processes, by CPU seconds of all parties, with the highest peaks of any.
// `first` is the first of them, in which the functions become hot that the short run did not use.
//   --only TEXT    rows whose name contains it         --runs N     runs of a row (default 3)
//   --out FILE     where rows are kept ('-': nowhere)  --note TEXT  kept with them: what else the machine did
//   --device NAME  of the compute parties (default wasm)
//   --owner-device NAME  of the owner (default wasm)
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { keepResults } from '../dist/bench/rows.js';
import { withParties } from './parties.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    runs: { type: 'string', default: '3' },
    out: { type: 'string', default: join(ROOT, 'bench/results/costs.json') },
    note: { type: 'string' },
    device: { type: 'string', default: 'wasm' },
    'owner-device': { type: 'string', default: 'wasm' },
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

/** Devices, where they are not those of every other row: of the compute parties, and of the owner. */
const owner = values['owner-device'];
const devices = [values.device, ...(owner === 'wasm' ? [] : [`${owner} owner`])];
const device = devices.every((each) => each === 'wasm') ? undefined : devices.join(', ');
const runs = Number(values.runs);
const sum = (object) => Object.values(object).reduce((total, value) => total + value, 0);

/** The first of some runs, the median by CPU seconds, and the highest peaks. */
async function repeated(runs, one) {
  const all = [];
  for (let run = 0; run < runs; run++) all.push(await one());
  const median = [...all].sort((a, b) => sum(a.cpuS) - sum(b.cpuS))[runs >> 1];
  const highest = (party) => Math.max(...all.map(({ peakBytes }) => peakBytes[party]));
  return {
    first: all[0],
    median: {
      ...median,
      peakBytes: Object.fromEntries(Object.keys(median.peakBytes).map((party) => [party, highest(party)])),
    },
  };
}

/** CPU seconds of every party and of all, to a hundredth. */
function rounded(cpuS) {
  const hundredth = (seconds) => Math.round(100 * seconds) / 100;
  return {
    ...Object.fromEntries(Object.entries(cpuS).map(([party, seconds]) => [party, hundredth(seconds)])),
    all: hundredth(sum(cpuS)),
  };
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
    .filter(({ name }) => values.only === '' || name === values.only);
  if (wanted.length === 0) continue;
  process.stderr.write(`  ${world.model}, ${world.weights} weights: starting\n`);
  const { model, weights } = world;
  const dealer = wanted.some(({ way }) => way.dealer);
  await withParties({ model, weights, dealer, device: values.device }, async ({ measuring }) => {
    for (const { length, way, name } of wanted) {
      process.stderr.write(`  ${name}\n`);
      const { first, median } = await measuring({ plan: way.plan, tokens: length, device: owner }, way.dealer, (run) =>
        repeated(runs, async () => (world.token ? perToken(await run(1), await run(1 + FURTHER)) : run(1))),
      );
      rows.push({
        suite: 'costs',
        name: device === undefined ? name : `${name}/${device}`,
        model: world.model,
        ...(device === undefined ? {} : { device }),
        tokens: length,
        ...(world.token ? { perToken: true } : {}),
        weights: world.weights,
        plan: way.plan,
        dealer: way.dealer === true,
        runs,
        ...median,
        cpuS: rounded(median.cpuS),
        first: { timing: first.timing, cpuS: rounded(first.cpuS) },
      });
      process.stdout.write(`${JSON.stringify(rows.at(-1))}\n`);
      if (values.out !== '-') keepResults(values.out, 'costs', rows, command, values.note);
    }
  });
}
