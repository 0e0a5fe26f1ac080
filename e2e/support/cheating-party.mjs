/**
 * A compute party that cheats when it is told to: the compiled daemon with kernels that make other tables. SIGUSR2
 * turns that on and off. Party 1 sends the tables of selections, so it is party 1 that can cheat so.
 */
import { totalmem } from 'node:os';
import { join } from 'node:path';

const compiled = (name) => import(new URL(`../../dist/${name}.js`, import.meta.url).href);
const { runDaemon } = await compiled('daemon/daemon');
const { defaultLimits } = await compiled('daemon/budgets');
const { OperatorLog } = await compiled('daemon/log');
const { ensureIdentity, ensureOwnCertificate } = await compiled('net/identity/identity-node');
const { nodeKernels } = await compiled('node/kernels');

const { id, port, web, other, models, origins } = JSON.parse(process.argv[2]);
const folder = join(process.env['TERCET_HOME'], 'certificates');
const say = (line) => process.stderr.write(`${line}\n`);

let cheats = false;
process.on('SIGUSR2', () => {
  cheats = !cheats;
  say(`tercet: party ${id} ${cheats ? 'cheats' : 'follows the protocol'}`);
});

/** One bit of every table is another, while it cheats. */
async function openKernels(device, threads) {
  const opened = await nodeKernels(device, threads);
  const { kernels } = opened;
  const scope = kernels.scope.bind(kernels);
  kernels.scope = () => {
    const own = scope();
    const tableOf = own.selectionTable.bind(own);
    return Object.assign(own, {
      selectionTable: async (...given) => {
        const bytes = await tableOf(...given);
        if (cheats) bytes[0] ^= 1;
        return bytes;
      },
    });
  };
  return opened;
}

const identity = await ensureIdentity(folder, id);
const { key, cert } = await ensureOwnCertificate(folder, id);
const log = new OperatorLog({ party: id, now: () => Date.now(), write: say });
await runDaemon({
  ...{ id, host: '127.0.0.1', port, identity, openKernels },
  credentials: { own: { key, cert }, pins: { [3 - id]: other } },
  models: models.map((path) => ({ weights: 'open', model: { kind: 'folder', path } })),
  ...{ device: 'wasm', threads: 1, recvTimeoutMs: 300_000, maxSessions: 8, once: false },
  budgets: defaultLimits(totalmem()),
  web: { identity, host: '127.0.0.1', port: web, origins, iceServers: [] },
  signal: new AbortController().signal,
  onWeb: ({ url, identity: shown }) => say(`tercet: party ${id} serves browsers at ${url}, identity ${shown}`),
  onFailure: (error, session) => log.failed(error, session),
});
