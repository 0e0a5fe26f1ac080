// Two organisations on two machines, a data owner on a third. Commands for a machine are started behind a prefix:
//   ON1="ssh alder" HOST1=alder.example  ON2="ssh birch" HOST2=birch.example  node run.mjs
// Keys stay where they are made. What crosses between operators is what `identity` prints.
import { spawn } from 'node:child_process';

const machine = (id) => ({
  on: (process.env[`ON${id}`] ?? '').split(' ').filter(Boolean),
  host: process.env[`HOST${id}`] ?? '127.0.0.1',
  port: process.env[`PORT${id}`] ?? String(7000 + id),
  home: process.env[`HOME${id}`] ?? `/tmp/tercet-party-${id}`,
});
const [one, two] = [1, 2].map(machine);
const owner = { on: (process.env.ON0 ?? '').split(' ').filter(Boolean), home: process.env.HOME0 ?? '/tmp/tercet-owner' };
const started = [];

/** Starts `tercet …` on a machine; resolves to what it printed when it says `until`, or ends. */
function tercet({ on, home }, args, until) {
  const [file, ...rest] = [...on, 'env', `TERCET_HOME=${home}`, process.env.TERCET ?? 'tercet', ...args];
  const child = spawn(file, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  started.push(child);
  return new Promise((resolve, reject) => {
    let [out, log] = ['', ''];
    child.stdout.on('data', (chunk) => (out += chunk));
    child.stderr.on('data', (chunk) => {
      log += chunk;
      if (until?.test(log)) resolve(out);
    });
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(out.trim()) : reject(new Error(log))));
  });
}

try {
  const [id1, id2] = await Promise.all([one, two].map((at, i) => tercet(at, ['identity', '--party-id', String(i + 1)])));
  console.log(`party 1 is ${id1.slice(0, 16)}… on ${one.host}\nparty 2 is ${id2.slice(0, 16)}… on ${two.host}`);

  const listen = (id, at, pin) => ['party', '--party-id', String(id), '--host', at.host, '--port', at.port, '--peer-identity', pin];
  await tercet(one, listen(1, one, `2=${id2}`), /party 1 computes on/);
  await tercet(two, [...listen(2, two, `1=${id1}`), '--peers', `1=${one.host}:${one.port}`], /party 2 computes on/);

  const answer = await tercet(owner, [
    ...['infer', '--json', '--text', 'The capital of Norway is [MASK].'],
    ...['--peers', `1=${one.host}:${one.port},2=${two.host}:${two.port}`, '--identities', `1=${id1},2=${id2}`],
  ]);
  const [{ token, score }] = JSON.parse(answer).result.predictions;
  console.log(`The capital of Norway is ${token} (${score.toFixed(3)})`);
} finally {
  for (const child of started) child.kill();
}
