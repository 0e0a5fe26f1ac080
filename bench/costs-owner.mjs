// The data owner of `bench/parties.mjs`, in a process of its own: one short run that warms up, then one for each `run`
// that it is sent. The row comes as JSON; messages to the parent are `ready`, then what every run took.
import { readFileSync } from 'node:fs';
import { relaxCollector } from '../dist/daemon/gc.js';
import { OwnerCredential } from '../dist/net/enrolment/credential.js';
import { nodeKernels } from '../dist/node/kernels.js';
import { openModel } from '../dist/node/model.js';
import { tlsRunContext } from '../dist/node/tls-owner.js';
import { totalsOf } from '../dist/owner/cost.js';
import { planIds, spreadIds } from '../dist/owner/id-plan.js';
import { Runner } from '../dist/owner/runner.js';
import { WIDENINGS } from '../dist/session/run-plan.js';

const WARM_TOKENS = 16;
// As `tercet infer` does.
relaxCollector();
const asked = JSON.parse(process.argv[2]);
const { configPath, addresses, dealer, pins, credentialFile, weights, plan, tokens } = asked;
const { sequences = 1, threads, device = 'wasm' } = asked;

const { config } = await openModel({ kind: 'random', seed: 1, configPath }, { weights: false });
const credential = credentialFile === undefined ? undefined : await OwnerCredential.read(readFileSync(credentialFile));
const runner = new Runner(
  tlsRunContext(
    { addresses, dealer, credentials: { pins } },
    {
      config,
      terms: {
        protocol: '3pc_semi_honest',
        weights,
        model: credential?.sharing,
        widening: WIDENINGS[plan],
        ...(dealer === undefined ? {} : { dealer: pins[3] }),
      },
      credential,
      kernels: (await nodeKernels(device, threads)).kernels,
    },
  ),
);
const { signal } = new AbortController();
const run = async (length, texts, more) =>
  totalsOf(
    (await runner.run(planIds(config, spreadIds(config, length, texts), { newTokens: more }), { signal })).steps,
  );

async function measure(newTokens) {
  const before = process.cpuUsage();
  const { rounds, timing, reports } = await run(tokens, sequences, newTokens);
  const { user, system } = process.cpuUsage(before);
  const [p0, p1, p2] = reports.map(({ sentBytes, receivedBytes }) => ({ sentBytes, receivedBytes }));
  process.send({
    kind: 'measured',
    cpuS: (user + system) / 1e6,
    cost: { p0, p1, p2, rounds },
    timing: { preprocessMs: Math.round(timing.preprocessMs), onlineMs: Math.round(timing.onlineMs) },
  });
}

await run(WARM_TOKENS, 1, 1);
process.on('message', async ({ kind, newTokens }) => {
  if (kind === 'run') await measure(newTokens);
  else {
    await runner.dispose();
    process.disconnect();
  }
});
process.send({ kind: 'ready' });
