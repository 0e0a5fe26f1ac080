// What a compute party takes from its process's start until it is ready, with a model that it has loaded before:
// `node bench/second-start.mjs` after `npm run build`. Wall time means something on a quiet machine alone; CPU seconds
// are those that the kernel counts of the process with all its threads (/proc, so Linux only).
//   --model NAME      dimensions in bench/configs, written as a folder with random weights (default bert-base)
//   --folder DIR      a model folder in its place
//   --starts N        second starts (default 5)     --threads N   kernel threads (default 1)
//   --dist DIR        another build, which takes turns with this one's
//   --keep DIR        where the written model and what parties keep lie; used again if they are there
import { execFileSync, fork } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeModel } from './model-folder.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'bert-base' },
    folder: { type: 'string' },
    starts: { type: 'string', default: '5' },
    threads: { type: 'string', default: '1' },
    dist: { type: 'string' },
    keep: { type: 'string' },
  },
});

/** The state of a party is a folder of its own: nobody's keys are used. */
const PEER = '1'.repeat(64);
const TICKS = Number(execFileSync('getconf', ['CLK_TCK']).toString());

/** User and system time of a process with all its threads, in seconds, and its peak memory in megabytes. */
function taken(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  const peak = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
  return { user: Number(fields[11]) / TICKS, system: Number(fields[12]) / TICKS, peak };
}

async function start(dist, model, home) {
  const begun = performance.now();
  const args = ['party', '--party-id', '1', '--peer-identity', `2=${PEER}`, '--model', model];
  const child = fork(join(dist, 'cli/main.js'), [...args, '--device', 'wasm', '--threads', values.threads], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, TERCET_HOME: join(home, 'state'), TERCET_CACHE: join(home, 'cache') },
  });
  const ended = once(child, 'exit');
  await new Promise((ready, failed) => {
    child.on('message', ({ kind }) => kind === 'ready' && ready());
    child.on('exit', (code) => failed(new Error(`the party ended with ${code}`)));
  });
  const wall = (performance.now() - begun) / 1000;
  const spent = taken(child.pid);
  child.kill('SIGTERM');
  await ended;
  return { wall, ...spent, cpu: spent.user + spent.system };
}

const show = ({ wall, cpu, user, system, peak }) =>
  `${wall.toFixed(2)} s, CPU ${cpu.toFixed(2)} s (user ${user.toFixed(2)}, system ${system.toFixed(2)}), ${peak.toFixed(0)} MB`;

const place = values.keep === undefined ? mkdtempSync(join(tmpdir(), 'second-start-')) : resolve(values.keep);
try {
  const model = values.folder ?? join(place, values.model);
  if (values.folder === undefined && !existsSync(join(model, 'model.safetensors')))
    await writeModel(model, join(ROOT, `bench/configs/${values.model}.json`));
  const builds = [join(ROOT, 'dist'), ...(values.dist === undefined ? [] : [resolve(values.dist)])];
  const homes = builds.map((_, i) => join(place, `home-${i}`));
  for (const [i, build] of builds.entries())
    console.log(`${build}\n  first  ${show(await start(build, model, homes[i]))}`);
  for (let n = 0; n < Number(values.starts); n++)
    for (const [i, build] of builds.entries())
      console.log(`  ${i === 0 ? 'next ' : 'other'}  ${show(await start(build, model, homes[i]))}`);
} finally {
  if (values.keep === undefined) rmSync(place, { recursive: true, force: true });
}
