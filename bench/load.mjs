// Many owners at once against one pair of parties: `node bench/load.mjs` after `npm run build`.
//
// Every owner runs its texts one after the other; who is refused for want of a place comes again. Every answer is
// compared with the plaintext model's: nothing may be lost, and no owner may get another one's answer. All owners are
// in one process, so their own work is part of the times. Kept in bench/results/load.json.
//   --owners 1,4,16,64   rows            --runs N     of each owner (default 3)
//   --places N           of each party (default 8, as tercet party has it)
//   --at-a-time N        runs that compute at a time (default: as tercet party has it)
//   --architecture FILE  random weights of it, on ids: 16 tokens, or --tokens N
//   --together           all owners begin at once, and again when all are through: mean wait in single runs
//   --out FILE           where rows are kept ('-': nowhere)     --note TEXT  kept with them
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { keepResults } from '../dist/bench/rows.js';
import { idWorld, mean, quantile, textWorld } from './owners.mjs';
import { Pair } from './world.mjs';

const { values } = parseArgs({
  options: {
    owners: { type: 'string', default: '1,4,16,64' },
    runs: { type: 'string', default: '3' },
    places: { type: 'string', default: '8' },
    'at-a-time': { type: 'string' },
    architecture: { type: 'string' },
    tokens: { type: 'string', default: '16' },
    together: { type: 'boolean', default: false },
    out: { type: 'string', default: fileURLToPath(new URL('results/load.json', import.meta.url)) },
    note: { type: 'string' },
  },
});
const [runs, places] = [Number(values.runs), Number(values.places)];
const counts = values.owners.split(',').map(Number);
if (![runs, places, ...counts].every((count) => Number.isInteger(count) && count > 0))
  throw new Error('numbers, please');

/** What says that there is no place now, and nothing worse. */
const COME_AGAIN = ['ERR_PEER_BUSY', 'ERR_PEER_LET_GO'];
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function row(count, world, folder, single) {
  const turns = values['at-a-time'] === undefined ? [] : ['--max-running', values['at-a-time']];
  const limits = ['--max-memory', 'none', '--max-traffic', 'none', '--threads', '1', ...turns];
  const { serves } = world;
  const pair = await new Pair(folder, { serves, args: ['--max-sessions', String(places), ...limits] }).start();
  const { ask, close } = await world.open(pair, count);
  // The first run of a process takes longer: code is compiled, circuits are built.
  await ask(0, 0);
  const [times, refused, failed] = [[], {}, {}];
  let [mixed, peak] = [0, [0, 0]];
  const watch = setInterval(() => {
    peak = pair.memory().map((now, i) => Math.max(now, peak[i]));
  }, 250);
  const begin = performance.now();
  const said = setInterval(() => {
    const refusals = Object.values(refused).reduce((all, each) => all + each, 0);
    const seconds = Math.round((performance.now() - begin) / 1000);
    console.error(`${count} owners, ${seconds} s: ${times.length} of ${count * runs} answered, ${refusals} sent away`);
  }, 10_000);
  const answered = async (owner, run) => {
    const asked = performance.now();
    for (;;) {
      try {
        const why = await ask(owner, owner * runs + run);
        times.push(performance.now() - asked);
        if (why === undefined) return;
        mixed += 1;
        console.error(`owner ${owner}: ${why}`);
        return;
      } catch ({ code }) {
        const tally = COME_AGAIN.includes(code) ? refused : failed;
        tally[code] = (tally[code] ?? 0) + 1;
        if (tally === failed) return;
        await sleep(100 + 400 * Math.random());
      }
    }
  };
  const all = Array.from({ length: count }, (_, owner) => owner);
  const each = Array.from({ length: runs }, (_, run) => run);
  if (values.together) for (const run of each) await Promise.all(all.map((owner) => answered(owner, run)));
  else
    await Promise.all(
      all.map(async (owner) => {
        for (const run of each) await answered(owner, run);
      }),
    );
  const seconds = (performance.now() - begin) / 1000;
  clearInterval(watch);
  clearInterval(said);
  await close();
  await pair.stop();
  return {
    ...{ owners: count, runs: count * runs, answered: times.length, wrong: mixed, failed, refused },
    seconds: Number(seconds.toFixed(1)),
    perSecond: Number((times.length / seconds).toFixed(2)),
    meanMs: Math.round(mean(times)),
    ...(single === undefined ? {} : { inSingleRuns: Number((mean(times) / single).toFixed(2)) }),
    p50Ms: Math.round(quantile(times, 0.5) ?? Number.NaN),
    p95Ms: Math.round(quantile(times, 0.95) ?? Number.NaN),
    partyMemoryMb: peak,
    ownersMemoryMb: Math.round(process.memoryUsage().rss / 2 ** 20),
  };
}

const folder = mkdtempSync(join(tmpdir(), 'tercet-load-'));
try {
  const { architecture, tokens } = values;
  const world = architecture === undefined ? await textWorld() : await idWorld(resolve(architecture), Number(tokens));
  const rows = [];
  for (const count of counts) {
    const single = rows.find(({ owners }) => owners === 1)?.meanMs;
    rows.push(await row(count, world, join(folder, String(count)), single));
    console.log(JSON.stringify(rows.at(-1)));
  }
  if (values.out !== '-')
    keepResults(values.out, 'load', rows, ['node bench/load.mjs', ...process.argv.slice(2)].join(' '), values.note);
  const bad = rows.filter((each) => each.wrong > 0 || each.answered !== each.runs);
  if (bad.length > 0) throw new Error(`${bad.length} rows with answers that are lost or wrong`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
