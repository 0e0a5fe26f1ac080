// Ten thousand connections that prove nothing against a pair of parties: `node bench/crowd.mjs` after `npm run build`.
//
// They are held at the port of party 1 by an address of their own (127.0.0.2, so Linux), and one that is dropped
// comes back after ten seconds. Owners that come meanwhile must be answered, rightly; how often one had to try is
// told, and how many connections the system let it hold.
//   --connections N (default 10000)   --runs N owners' runs beside them (default 5)
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { textWorld } from './owners.mjs';
import { Pair } from './world.mjs';

const { values } = parseArgs({
  options: { connections: { type: 'string', default: '10000' }, runs: { type: 'string', default: '5' } },
});
const [wanted, runs] = [Number(values.connections), Number(values.runs)];
if (![wanted, runs].every((count) => Number.isInteger(count) && count > 0)) throw new Error('numbers, please');

const files = Number(execFileSync('sh', ['-c', 'ulimit -n']).toString());
/** One that is dropped comes again so soon. */
const AGAIN_MS = 10_000;
/** How often an owner tries a run. */
const TRIES = 10;
/** Of this process for everything else. */
const SPARE = 500;
const count = Number.isFinite(files) ? Math.min(wanted, files - SPARE) : wanted;
if (count < wanted)
  console.error(`a process may have ${files} files open here: ${count} connections (ulimit -n ${wanted + SPARE})`);

const folder = mkdtempSync(join(tmpdir(), 'tercet-crowd-'));
const crowd = new Set();
let [going, opened, dropped] = [true, 0, 0];
try {
  const world = await textWorld();
  const pair = await new Pair(folder, { args: ['--threads', '1'] }).start();
  const { ask, close } = await world.open(pair, 1);
  await ask(0, 0);
  const [port] = pair.ports;
  const hold = () => {
    if (!going) return;
    const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' });
    crowd.add(socket);
    socket.on('connect', () => opened++).on('error', () => undefined);
    socket.on('close', () => {
      crowd.delete(socket);
      dropped += 1;
      setTimeout(hold, AGAIN_MS).unref();
    });
    socket.resume();
  };
  for (let i = 0; i < count; i++) {
    hold();
    if (i % 200 === 199) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  while (opened < count) await new Promise((resolve) => setTimeout(resolve, 100));
  console.error(`${opened} connections were opened`);
  let [most, right, tries] = [0, 0, 0];
  const failed = {};
  for (let run = 0; run < runs; run++) {
    for (let tried = 0; tried < TRIES; tried++) {
      const answer = await ask(0, run).catch((error) => error);
      tries += 1;
      if (answer instanceof Error) {
        failed[answer.code] = (failed[answer.code] ?? 0) + 1;
        continue;
      }
      if (answer === undefined) right += 1;
      break;
    }
    most = Math.max(most, readdirSync(`/proc/${pair.processes[0].pid}/fd`).length);
  }
  console.log(
    JSON.stringify({ connections: count, opened, dropped, runs, right, tries, failed, mostFilesOfTheParty: most }),
  );
  going = false;
  for (const socket of crowd) socket.destroy();
  await close();
  await pair.stop();
  if (right !== runs) throw new Error('an owner was not answered');
} finally {
  going = false;
  rmSync(folder, { recursive: true, force: true });
}
