// A pair of parties under random faults: `node bench/soak.mjs` after `npm run build`. Thirty minutes, or --minutes N.
//
// Owners run texts without a pause. Every few seconds a party is killed and started again, stopped for a while, or
// told to end. With --loss, which needs root on Linux, all of it runs in a network namespace of its own, and packets
// get lost too: two of a hundred for five seconds where the kernel has netem, else all of them for 0.3 s. A run may
// fail, with a code that says why; no answer may be wrong, and nothing may hang. Kept in bench/results/soak.json.
// Memory is told at thirds, with the age of each process. --steady breaks nothing: then it shows whether it levels off.
//   --minutes N  --owners N (default 4)  --seed N  --loss  --steady  --out FILE ('-': nowhere)  --note TEXT
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { keepResults } from '../dist/bench/rows.js';
import { openOwners, plaintextAnswers, wrong } from './owners.mjs';
import { Pair, TEXTS } from './world.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    owners: { type: 'string', default: '4' },
    seed: { type: 'string', default: '1' },
    loss: { type: 'boolean', default: false },
    steady: { type: 'boolean', default: false },
    out: { type: 'string', default: fileURLToPath(new URL('results/soak.json', import.meta.url)) },
    note: { type: 'string' },
  },
});
const [minutes, count] = [Number(values.minutes), Number(values.owners)];
if (values.steady && values.loss) throw new Error('--steady breaks nothing: leave out --loss');
if (!(minutes > 0) || !(Number.isInteger(count) && count > 0)) throw new Error('numbers, please');

const INSIDE = 'SOAK_INSIDE';
const quietly = (command, ...args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;
if (values.loss && process.env[INSIDE] === undefined) {
  if (!quietly('unshare', '--net', 'ip', 'link', 'set', 'lo', 'up')) {
    console.error('--loss needs root, unshare and ip: no network namespace can be made here. Run it without --loss.');
    process.exit(2);
  }
  const inside = ['sh', '-c', 'ip link set lo up && exec "$0" "$@"', process.execPath, ...process.argv.slice(1)];
  const run = spawnSync('unshare', ['--net', ...inside], { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } });
  process.exit(run.status ?? 1);
}
const NETEM = ['dev', 'lo', 'root', 'netem', 'loss', '2%'];
const netem =
  values.loss && quietly('tc', 'qdisc', 'add', ...NETEM) && quietly('tc', 'qdisc', 'del', ...NETEM.slice(0, 3));

/** The same faults in the same order for a seed (mulberry32). */
let state = Number(values.seed) >>> 0;
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** A run that neither answers nor fails for this long hangs. */
const HANGS_MS = 120_000;

const folder = mkdtempSync(join(tmpdir(), 'tercet-soak-'));
try {
  const answers = await plaintextAnswers();
  const pair = await new Pair(folder, { args: ['--threads', '1', '--network-timeout', '20'] }).start();
  const { owners, close } = await openOwners(pair, count, { recvTimeoutMs: 20_000 });
  const end = Date.now() + minutes * 60_000;
  const [failed, faults] = [{}, {}];
  let [answered, bad, hung] = [0, 0, 0];
  const memory = [];
  /** A process that was started again has had fewer answers than all. */
  const remember = () => memory.push({ answered, memoryMb: pair.memory(), ageS: pair.ages() });
  remember();
  const thirds = [1, 2].map((third) => setTimeout(remember, (minutes * 60_000 * third) / 3));

  const restart = async (id, signal) => {
    const old = pair.processes[id - 1];
    const gone = new Promise((resolve) => old.once('exit', resolve));
    old.kill(signal);
    await gone;
    await (await pair.launch(id)).ready;
  };
  const pause = async (id) => {
    const { pid } = pair.processes[id - 1];
    process.kill(pid, 'SIGSTOP');
    await sleep(1_000 + 4_000 * random());
    process.kill(pid, 'SIGCONT');
  };
  const lose = async () => {
    const [begin, end, ms] = netem
      ? [['tc', 'qdisc', 'add', ...NETEM], ['tc', 'qdisc', 'del', ...NETEM.slice(0, 3)], 5_000]
      : [['ip', 'link', 'set', 'lo', 'down'], ['ip', 'link', 'set', 'lo', 'up'], 300];
    execFileSync(begin[0], begin.slice(1));
    await sleep(ms);
    execFileSync(end[0], end.slice(1));
  };
  const kinds = {
    kill: (id) => restart(id, 'SIGKILL'),
    restart: (id) => restart(id, 'SIGTERM'),
    pause,
    ...(values.loss ? { loss: lose } : {}),
  };
  const left = () => `${Math.max(0, Math.round((end - Date.now()) / 1000))} s left`;
  const said = setInterval(() => console.error(`${left()}: ${answered} answered, ${JSON.stringify(failed)}`), 30_000);
  const breaking = (async () => {
    if (values.steady) return;
    while (Date.now() < end) {
      await sleep(5_000 + 10_000 * random());
      if (Date.now() >= end) return;
      const kind = Object.keys(kinds)[Math.floor(random() * Object.keys(kinds).length)];
      faults[kind] = (faults[kind] ?? 0) + 1;
      const id = random() < 0.5 ? 1 : 2;
      console.error(`${left()}: ${kind} of party ${id}`);
      await kinds[kind](id);
    }
  })();
  const running = owners.map(async (owner, i) => {
    for (let run = 0; Date.now() < end; run++) {
      const text = TEXTS[(i * 7 + run) % TEXTS.length];
      const late = AbortSignal.timeout(HANGS_MS);
      try {
        const { predictions } = await owner.predict(text, { topK: 1, signal: late });
        answered += 1;
        if (wrong(predictions[0], answers.get(text)) !== undefined) bad += 1;
      } catch ({ code = 'unknown' }) {
        if (late.aborted) hung += 1;
        failed[code] = (failed[code] ?? 0) + 1;
        await sleep(250);
      }
    }
  });
  await Promise.all([breaking, ...running]);
  clearInterval(said);
  for (const timer of thirds) clearTimeout(timer);
  remember();
  // Behind all faults the pair serves as at the start.
  const [text] = TEXTS;
  const { predictions } = await owners[0].predict(text, { topK: 1 });
  const sound = wrong(predictions[0], answers.get(text)) === undefined;
  const row = {
    ...{ minutes, owners: count, seed: Number(values.seed), answered, wrong: bad, hung, failed, faults, sound },
    loss: values.loss ? (netem ? '2 % for 5 s' : 'all packets for 0.3 s') : 'none',
    steady: values.steady,
    memoryMbAtStart: memory[0].memoryMb,
    memoryMbAtEnd: memory[memory.length - 1].memoryMb,
    memory,
  };
  console.log(JSON.stringify(row));
  await close();
  await pair.stop();
  if (values.out !== '-')
    keepResults(values.out, 'soak', [row], ['node bench/soak.mjs', ...process.argv.slice(2)].join(' '), values.note);
  if (bad > 0 || hung > 0 || !sound || failed.unknown > 0) throw new Error('an answer was wrong, or something hung');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
