// Both compute parties of one embedded model as processes of this machine, for load, soak and Prometheus: identities
// are pinned, as between two operators. After `npm run build`.
import { execFileSync, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CLI = join(ROOT, 'dist/cli/main.js');
/** The smallest embedded model, and texts whose answers differ. */
export const MODEL = join(ROOT, 'models/capitals-bert');
const COUNTRIES =
  'France,Germany,Italy,Spain,Norway,Sweden,Poland,Austria,Greece,Hungary,Ireland,Denmark,Finland,Egypt,Japan,China';
export const TEXTS = COUNTRIES.split(',').map((country) => `The capital of ${country} is [MASK].`);

const children = new Set();
/** A process of the command line, and what it tells. */
export function started(args, home) {
  const env = { ...process.env, TERCET_HOME: home };
  const child = fork(CLI, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], env });
  children.add(child);
  child.on('exit', () => children.delete(child));
  const told = (kind) => {
    const promise = new Promise((resolve, reject) => {
      child.on('message', (message) => message.kind === kind && resolve(message));
      child.on('exit', (code) => reject(new Error(`${args[0]} ended with ${code} before it said "${kind}"`)));
    });
    promise.catch(() => undefined);
    return promise;
  };
  return { child, told };
}
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

/** Ports that nobody listens on now. */
export async function freePorts(count) {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise((resolve) => {
          const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

const command = (args, home) =>
  execFileSync(process.execPath, [CLI, ...args], { env: { ...process.env, TERCET_HOME: home } })
    .toString()
    .trim();

/** A pair of parties; each can be started again at its own port, as its operator would. */
export class Pair {
  constructor(folder, { args = [], metrics = false, serves = ['--model', MODEL] } = {}) {
    this.homes = [1, 2].map((id) => join(folder, `party-${id}`));
    this.pins = this.homes.map((home, i) => command(['identity', '--party-id', String(i + 1)], home));
    this.args = args;
    this.serves = serves;
    this.metrics = metrics;
    this.processes = [];
    this.since = [];
  }

  async start() {
    const ports = await freePorts(4);
    this.ports = ports.slice(0, 2);
    this.watched = ports.slice(2);
    await Promise.all((await Promise.all([this.launch(1), this.launch(2)])).map(({ ready }) => ready));
    return this;
  }

  /** Starts a party, and resolves when it listens. */
  async launch(id) {
    const { homes, pins, ports, watched, serves } = this;
    const { child, told } = started(
      [
        ...['party', '--party-id', String(id), '--port', String(ports[id - 1]), ...serves, '--device', 'wasm'],
        ...[
          '--peer-identity',
          `${3 - id}=${pins[2 - id]}`,
          ...(id === 2 ? ['--peers', `1=127.0.0.1:${ports[0]}`] : []),
        ],
        ...(this.metrics ? ['--metrics', `127.0.0.1:${watched[id - 1]}`] : []),
        ...this.args,
      ],
      homes[id - 1],
    );
    this.processes[id - 1] = child;
    this.since[id - 1] = Date.now();
    const ready = told('ready');
    await told('listening');
    return { child, ready };
  }

  get addresses() {
    return this.ports.map((port) => ({ host: '127.0.0.1', port }));
  }

  /** Of `tercet serve` and `tercet infer`. */
  get flags() {
    const [one, two] = this.ports;
    return ['--peers', `1=127.0.0.1:${one},2=127.0.0.1:${two}`, '--identities', `1=${this.pins[0]},2=${this.pins[1]}`];
  }

  /** Resident memory of both, in MB. */
  memory() {
    return this.processes.map(({ pid }) => {
      try {
        return Math.round(Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024);
      } catch {
        return 0;
      }
    });
  }

  /** For how many seconds each has run: memory of a process that was just started says little. */
  ages() {
    return this.since.map((at) => Math.round((Date.now() - at) / 1000));
  }

  async stop() {
    await Promise.all(
      this.processes.map((child) => {
        if (child.exitCode !== null || child.signalCode !== null) return undefined;
        const gone = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGCONT');
        child.kill('SIGTERM');
        setTimeout(() => child.kill('SIGKILL'), 3_000).unref();
        return gone;
      }),
    );
  }
}
