// Where the CPU of a proved run goes: `node bench/proof-cost.mjs` after `npm run build`. Nothing is kept.
//
// One batch of a model, all three parties in this process and thread, without sockets. The same text runs under
// `3pc_semi_honest`, under complete sharing without proofs, and proved. Seconds are those of this process (user and
// system), so another load of the machine moves them little. Kernels run to their end before they return, so the
// time of a call is its work.
//   --model NAME      folder of models/, or a configuration file (random weights)  (default tiny-gpt2)
//   --tokens N        ids of the text (default 16)      --weights open|secret     (default open)
//   --runs N          of each (default 1)               --segment-mib N           (default 1024)
//   --only proved     leaves the other two out: for `node --cpu-prof`
//   --proofs webgpu   proofs on the graphics device (default wasm); says how many operations ran where, and why
//   --device native   everything by the kernels that `npm run build:native` has built (default wasm)
import { loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { WebGpuProofKernels } from '../dist/compute/kernels/webgpu/proof-engine.js';
import { DeviceProofs } from '../dist/compute/kernels/webgpu/proof.js';
import { WasmProofKernels } from '../dist/compute/kernels/wasm/proof.js';
import { linkProofs } from '../dist/compute/kernels/wasm/node-native.js';
import { builtLibrary, loadNodeProofModule, nodeBackend } from '../dist/compute/kernels/wasm/node-worker.js';
import { createWasmKernels } from '../dist/compute/kernels/wasm/kernels.js';
import { wordsFrom } from '../dist/compute/ring.js';
import { modelPlan } from '../dist/ml/measured-ranges.js';
import { parameterEncoder } from '../dist/ml/models/folding.js';
import { listParameters } from '../dist/ml/models/parameters.js';
import { buildModel } from '../dist/ml/models/secure-at-once.js';
import { PARAMETERS } from '../dist/mpc/proof/soundness.js';
import { firstStep } from '../dist/mpc/prg/gate-id.js';
import { PairPrg } from '../dist/mpc/prg/prg.js';
import { Engine } from '../dist/mpc/protocol/frame/engine.js';
import { CompleteBuilder } from '../dist/mpc/protocol/malicious/circuit.js';
import { COMPLETE_ROUNDING } from '../dist/mpc/protocol/malicious/rounding.js';
import { ProvedRun } from '../dist/mpc/protocol/malicious/proving/run.js';
import { planProofs } from '../dist/mpc/protocol/malicious/proving/plan.js';
import { SEMI_HONEST } from '../dist/mpc/protocol/registry.js';
import { CircuitBuilder } from '../dist/mpc/protocol/semi-honest/circuit.js';
import { nodeKernels } from '../dist/node/kernels.js';
import { openModel } from '../dist/node/model.js';
import { spreadIds } from '../dist/owner/id-plan.js';
import { ownerInputs } from '../dist/session/inputs.js';
import { OpenParameters } from '../dist/session/open-parameters.js';
import { ownerParameters } from '../dist/session/owner-parameters.js';
import { SharedParameters, maskParameter, ownerSeeds } from '../dist/session/secret-parameters.js';
import { memoryPair } from '../dist/net/simulated/memory-link.js';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'tiny-gpt2' },
    tokens: { type: 'string', default: '16' },
    weights: { type: 'string', default: 'open' },
    runs: { type: 'string', default: '1' },
    only: { type: 'string' },
    'segment-mib': { type: 'string', default: '1024' },
    proofs: { type: 'string', default: 'wasm' },
    device: { type: 'string', default: 'wasm' },
  },
});
const { weights } = values;
if (!['wasm', 'webgpu'].includes(values.proofs)) throw new Error('--proofs is wasm or webgpu');
if (!['wasm', 'native'].includes(values.device)) throw new Error('--device is wasm or native');
const library = values.device === 'native' ? builtLibrary() : undefined;
if (values.device === 'native' && library === undefined) throw new Error('npm run build:native first');
// Complete sharing without proofs is measured as well, which nothing else may build.
process.env.VITEST ??= 'proof-cost';
const TIMEOUT_MS = 3_600_000;
const SEEDS = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];

const NOBODY = { gate: async () => {}, dealt: async (_party, _gate, release) => release(), half: async () => {} };

/** Parts of a proof, by the kernels that do them. */
const PARTS = {
  digest: ['digest', 'columns', 'digestEntries', 'weights', 'multiply', 'combineRows', 'combineColumns', 'draw'],
  claims: ['matrixClaims', 'tableSums', 'tableClaims', 'choiceClaims'],
  fold: ['loadTable', 'foldTable', 'digitWeights', 'foldEntries', 'lookUp', 'lookupRound', 'choiceRound'],
  tables: ['publicTable', 'clearTable'],
  tail: ['tailRound', 'tailFold', 'tailDot', 'terms', 'termsDot'],
};

const cpuS = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** The same kernels; calls and seconds of each are added up. */
function counted(kernels, spent, names) {
  return new Proxy(kernels, {
    get(target, name) {
      const value = target[name];
      if (typeof value !== 'function') return value;
      return (...operands) => {
        const [at, bound] = [performance.now(), value.apply(target, operands)];
        if (names !== undefined && !names.includes(name)) return bound;
        const done = () => {
          const known = spent.get(name) ?? { calls: 0, seconds: 0 };
          spent.set(name, { calls: known.calls + 1, seconds: known.seconds + (performance.now() - at) / 1000 });
        };
        // A device is waited for, with what others run there meanwhile.
        if (values.proofs === 'webgpu' && bound instanceof Promise) return bound.finally(done);
        done();
        return bound;
      };
    },
  });
}

function linksOfThree() {
  const channels = [new Map(), new Map(), new Map()];
  for (const [a, b] of [
    [0, 1],
    [0, 2],
    [1, 2],
  ]) {
    const [left, right] = memoryPair(a, b, { timeoutMs: TIMEOUT_MS });
    channels[a].set(b, left);
    channels[b].set(a, right);
  }
  return channels;
}

const session = () => crypto.getRandomValues(new Uint8Array(16));

/** Seconds of all three parties for one text. */
async function measured(ofParty, inputs) {
  const links = linksOfThree();
  const [keys, id] = [[0, 1, 2].map((n) => new Uint8Array(32).fill(n + 1)), session()];
  const parties = [0, 1, 2].map((party) => ofParty(party, links[party], keys, id));
  const [before, at] = [cpuS(), performance.now()];
  await Promise.all(parties.map((run, party) => run(party === 0 ? inputs : undefined)));
  return { seconds: cpuS() - before, wall: (performance.now() - at) / 1000 };
}

function plain(circuit, kernels, parameters) {
  return (id, channels, [k01, k02], execution) => {
    const prg = (key) => PairPrg.of(key, firstStep(execution));
    const engine = new Engine({
      ...{ id, circuit, kernels, channels, parameters: parameters[id] },
      ...(id === 2 ? {} : { k01: prg(k01) }),
      ...(id === 1 ? {} : { k02: prg(k02) }),
      // An engine refuses complete sharing that nobody looks at: here it is the cost of that alone.
      ...(circuit.sharing === 'complete' ? { observer: NOBODY } : {}),
    });
    return async (inputs) => {
      await engine.deal();
      await engine.input(inputs);
      await engine.online();
      return engine.output();
    };
  };
}

function proved(circuit, kernels, parameters, proofKernels) {
  return (id, channels, keys, execution) => {
    const others = [0, 1, 2].filter((peer) => peer !== id);
    const run = new ProvedRun({
      ...{ id, circuit, kernels, channels, proofKernels, session: execution, parameters: parameters[id] },
      keys: new Map(others.map((peer) => [peer, keys[id + peer - 1].slice()])),
      proofParameters: PARAMETERS[128],
      segmentBytes: Number(values['segment-mib']) * 2 ** 20,
      agreement: new Uint8Array(32),
    });
    return (inputs) => run.run(inputs);
  };
}

/** What the three parties hold of the weights: P0 has none of open ones. */
async function views(source, kernels) {
  const encode = parameterEncoder(source);
  if (weights === 'open') {
    const view = await OpenParameters.load(source, kernels, encode, undefined, encode);
    return [view, view, view];
  }
  const masked = new Map();
  for (const [number, parameter] of listParameters(source.config).entries()) {
    const words = wordsFrom(Array.from(await encode(parameter), BigInt), 64);
    masked.set(parameter.name, (await maskParameter(kernels, SEEDS, number, words)).data);
  }
  const read = async ({ name }) => masked.get(name).slice();
  const party = (id) => SharedParameters.load(id, source.config, SEEDS[id - 1], read, kernels, true);
  return [ownerParameters(source.config, ownerSeeds(SEEDS)), await party(1), await party(2)];
}

const kind = values.model.endsWith('.json')
  ? { kind: 'random', seed: 1, configPath: values.model }
  : { kind: 'folder', path: join(ROOT, 'models', values.model) };
const source = await (await openModel(kind)).weights();
const { config } = source;
const kernels = await createWasmKernels(await nodeBackend(0, library));
const beside = values.proofs === 'webgpu' ? await nodeKernels('webgpu', 0) : undefined;
const tokens = Number(values.tokens);
const rows = config.head === 'masked-lm' ? 1 : 0;
const shape = { sequences: 1, tokens, rows, padded: false, pair: false, steps: 0 };
const [inputIds] = spreadIds(config, tokens, 1);
const inputs = ownerInputs([{ inputIds, rows: rows === 0 ? [] : [0] }], shape, config);
const parameters = await views(source, kernels);

function built(builder, plan) {
  buildModel(builder, { ...shape, config, plan }, 0);
  return builder.finish();
}

const complete = built(new CompleteBuilder(weights), await modelPlan(source, COMPLETE_ROUNDING));
const segments = planProofs(complete, undefined, Number(values['segment-mib']) * 2 ** 20);
const relations = segments.map(({ proof, relations: of }) => `S${proof}: ${of.length}`).join(', ');
console.log(`${values.model}, ${tokens} tokens, ${weights} weights; relations ${relations}`);

const all = { 'semi-honest': [], 'without proofs': [], proved: [] };
for (let i = 0; i < Number(values.runs); i++) {
  if (values.only === undefined) {
    const slim = built(new CircuitBuilder(weights), await modelPlan(source, SEMI_HONEST.truncation));
    all['semi-honest'].push((await measured(plain(slim, kernels, parameters), inputs)).seconds);
    all['without proofs'].push((await measured(plain(complete, kernels, parameters), inputs)).seconds);
  }
  const spent = new Map();
  const near = new WasmProofKernels(linkProofs(library ?? (await loadNodeProofModule())));
  const engine = beside === undefined ? near : new WebGpuProofKernels(new DeviceProofs(beside.kernels.commands), near);
  const proofKernels = counted(engine, spent);
  const ring = counted(kernels, spent, ['clearTable']);
  const { seconds: took, wall } = await measured(proved(complete, ring, parameters, proofKernels), inputs);
  all.proved.push(took);
  const base = all['without proofs'].at(-1) ?? 0;
  // A kernel that waits for a core waits as long as all else: its share of the wall time is its share of the CPU.
  for (const one of spent.values()) one.seconds *= took / wall;
  let rest = took - base;
  for (const [part, names] of Object.entries(PARTS)) {
    const of = names.flatMap((name) => (spent.has(name) ? [[name, spent.get(name)]] : []));
    const seconds = of.reduce((sum, [, one]) => sum + one.seconds, 0);
    rest -= seconds;
    const each = of.map(([name, one]) => `${name} ${one.seconds.toFixed(2)} s in ${one.calls}`).join(', ');
    console.log(`  ${part.padEnd(7)} ${seconds.toFixed(2)} s  (${each})`);
  }
  for (const [reason, count] of engine.counts ?? [])
    console.log(`  ${String(count).padStart(7)} operations: ${reason}`);
  console.log(`  other   ${rest.toFixed(2)} s${base === 0 ? ', with the run itself' : ''}`);
}
for (const [name, seconds] of Object.entries(all)) {
  if (seconds.length === 0) continue;
  const ratio = Math.min(...seconds) / Math.min(...(all['semi-honest'].length > 0 ? all['semi-honest'] : seconds));
  console.log(
    `${name.padEnd(14)} ${seconds.map((s) => s.toFixed(2)).join(', ')} CPU s, ${ratio.toFixed(2)} × semi-honest`,
  );
}
console.log(
  `load ${loadavg()
    .map((load) => load.toFixed(1))
    .join(', ')}; peak ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`,
);
await kernels.close();
// Dawn keeps a process that opened a device.
process.exit();
