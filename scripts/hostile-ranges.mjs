/**
 * Hostile texts against the plan of a model: `node scripts/hostile-ranges.mjs MODEL [--texts 500] [--private 4]
 * [--tokens 32] [--query 1] [--file TEXT]… [--result NAME=FILE]`, after `npm run build`.
 *
 * Every text goes through the float model, and each of its extremes is held against the plan: a bound that the plan
 * calls proved must hold, whatever the text, and the others say whether a private run must answer (inside what is
 * accepted), must refuse (beyond a domain) or may do either. A few texts, the furthest first, are then run among
 * three parties in this process: the answer must be right, or ERR_RANGE_EXCEEDED. Not part of the test lanes: it
 * takes minutes to hours. `--query` enlarges the first layer's queries after the plan is made. `--result` keeps what
 * was counted, under the model's public name, as a part of the JSON in FILE (bench/results/hostile-ranges.json).
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { OpenParameters } from '../dist/session/open-parameters.js';
import { ownerParameters } from '../dist/session/owner-parameters.js';
import { OwnerSession } from '../dist/session/owner.js';
import { serveSession } from '../dist/session/compute.js';
import { PATIENCE } from '../dist/session/place.js';
import { memoryPair } from '../dist/net/simulated/memory-link.js';
import { runFloat } from '../dist/ml/reference/float.js';
import { checkedPlan } from '../dist/ml/checked-plan.js';
import { measuredRanges } from '../dist/ml/measured-ranges.js';
import { provedPlan, provedRanges } from '../dist/ml/ranges.js';
import { sampleTexts } from '../dist/ml/sample-texts.js';
import { activationDomain, headDomain, LOGIT_DOMAIN } from '../dist/ml/models/domains.js';
import { loadTokenizer } from '../dist/ml/tokenizers/tokenizer.js';
import { SEMI_HONEST } from '../dist/mpc/protocol/registry.js';
import { valueDomain } from '../dist/mpc/secure/attention-form.js';
import { acceptedSpread, spreadDomain } from '../dist/mpc/secure/attention.js';
import { acceptedVariance, varianceDomain } from '../dist/mpc/secure/normalise.js';
import { accepted } from '../dist/mpc/secure/range-check.js';
import { openModel } from '../dist/node/model.js';
import { wasmKernels } from '../dist/node/kernels.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    texts: { type: 'string', default: '500' },
    private: { type: 'string', default: '4' },
    tokens: { type: 'string', default: '32' },
    query: { type: 'string', default: '1' },
    file: { type: 'string', multiple: true, default: [] },
    result: { type: 'string' },
  },
});
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
const [count, runs, most, factor] = [values.texts, values.private, values.tokens, values.query].map(Number);
const kernels = await wasmKernels(2);
const matmul = (a, b, m, k, n) => kernels.matmulF32(a, b, m, k, n);
const model = await openModel({ kind: 'folder', path: positionals[0] });
const { config } = model;
const stored = await model.weights();
const memory = new Map();
const read = async (name) => {
  if (!memory.has(name)) memory.set(name, await stored.tensor(name));
  return memory.get(name);
};
const tame = { ...stored, tensor: read };
const source = {
  ...stored,
  tensor: async (name) =>
    factor !== 1 && /^layers\.0\.(wq|bq)$/.test(name) ? (await read(name)).map((v) => v * factor) : read(name),
};
const tokenizer = await loadTokenizer(model.files);
const encode = (text) => [...tokenizer.encode(text, { allowMask: false }).ids];
const reach = await provedRanges(source);
const measured = (weights) => measuredRanges(weights, sampleTexts(encode, config.maxPositions), matmul);
const checked = async () => {
  const own = await measured(source);
  try {
    return checkedPlan(config, reach, own, SEMI_HONEST.truncation);
  } catch (error) {
    if (factor === 1) throw error;
    // A plan that never saw the enlarged queries, sized for what they can reach.
    return checkedPlan(config, reach, await measured(tame), SEMI_HONEST.truncation);
  }
};
const plan = provedPlan(config, reach, SEMI_HONEST.truncation) ?? (await checked());
console.log(JSON.stringify(plan));

// ── texts ────────────────────────────────────────────────────────────────────

let state = 7;
const random = (n) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
};
const pick = (list) => list[random(list.length)];
const blocks = [
  [0x21, 0x7e],
  [0xa1, 0x17f],
  [0x370, 0x3ff],
  [0x400, 0x4ff],
  [0x5d0, 0x5ea],
  [0x620, 0x64a],
  [0x900, 0x97f],
  [0x980, 0x9ff],
  [0xb80, 0xbff],
  [0xe00, 0xe5b],
  [0x10a0, 0x10ff],
  [0x1200, 0x137f],
  [0x3040, 0x30ff],
  [0x4e00, 0x9fff],
  [0xac00, 0xd7a3],
  [0x1f300, 0x1f64f],
  [0x2000, 0x206f],
  [0x2200, 0x22ff],
];
const characters = (n) => {
  const [from, to] = pick(blocks);
  return Array.from({ length: n }, () => String.fromCodePoint(from + random(to - from + 1))).join('');
};
const KINDS = [
  () => Array.from({ length: 1 + random(most) }, () => random(config.vocabSize)),
  () => new Array(1 + random(most)).fill(random(config.vocabSize)),
  () => {
    const [a, b] = [random(config.vocabSize), random(config.vocabSize)];
    return Array.from({ length: 2 + random(most - 1) }, (_, i) => (i % 2 === 0 ? a : b));
  },
  () => encode(characters(1 + random(most))),
  () => encode(characters(3).repeat(1 + random(most))),
  () =>
    encode(
      Array.from({ length: 1 + random(most) }, () =>
        pick(['\n', '\t', '\r\n', ' ', ':', '\n\n', '.', '…', '0', 'a']),
      ).join(''),
    ),
  () =>
    encode(Array.from({ length: 1 + random(8) }, () => characters(1 + random(6))).join(pick([' ', '\n', '\t', ', ']))),
];
const texts = [
  ...values.file.map((file) => encode(readFileSync(file, 'utf8').trimEnd())),
  ...Array.from({ length: count }, (_, i) => KINDS[i % KINDS.length]().slice(0, Math.min(most, config.maxPositions))),
].filter((ids) => ids.length > 0);

// ── every text in the clear, against the plan ────────────────────────────────

const { checks } = plan;
const d = config.hiddenSize;
const bounds = new Map();
for (const [i, range] of plan.activation.entries())
  bounds.set(`gelu ${i} 0`, {
    domain: activationDomain(config, range),
    accepted: accepted(activationDomain(config, range)),
    proved: checks === null || checks.activation[i] === null,
  });
for (const kind of ['gelu', 'tanh'])
  bounds.set(`${kind} ${config.layers} 0`, {
    domain: headDomain(config, plan.headActivation),
    accepted: accepted(headDomain(config, plan.headActivation)),
    proved: checks === null || checks.headActivation === null,
  });
for (const [i, bits] of plan.treeBits.entries())
  bounds.set(`score-spread ${i} 0`, {
    domain: spreadDomain(bits, SEMI_HONEST.truncation),
    accepted: acceptedSpread(bits, SEMI_HONEST.truncation),
    proved: checks === null || checks.spread[i] === null,
  });
const value = valueDomain(most);
for (let i = 0; i < config.layers; i++)
  bounds.set(`value ${i} 0`, {
    domain: value,
    accepted: accepted(value),
    proved: checks === null || checks.value[i] === null,
  });
bounds.set(`logit ${config.layers} 0`, {
  domain: LOGIT_DOMAIN,
  accepted: accepted(LOGIT_DOMAIN),
  proved: checks === null || checks.logit === null,
});
const norm = (layer, call, range) => {
  bounds.set(`variance ${layer} ${call}`, {
    domain: varianceDomain(d, range).max,
    accepted: acceptedVariance(d, range).max,
    proved: checks === null,
  });
  bounds.set(`least-variance ${layer} ${call}`, {
    domain: -varianceDomain(d, range).min,
    accepted: -acceptedVariance(d, range).min,
    proved: false,
  });
};
for (const [i, range] of plan.norms.entries()) norm(i >> 1, i & 1, range);
norm(-1, 0, plan.embedding);
norm(config.layers, 0, plan.head);

const judged = [];
const worst = new Map();
for (const ids of texts) {
  const calls = new Map();
  let [ratio, beyond, holes] = [0, false, []];
  const positions = config.head === 'masked-lm' || config.head === 'causal-lm' ? { positions: [ids.length - 1] } : {};
  const { logits } = await runFloat(source, ids, {
    ...positions,
    matmul,
    onActivation: (kind, layer, seen) => {
      const call = calls.get(`${kind} ${layer}`) ?? 0;
      calls.set(`${kind} ${layer}`, call + 1);
      const bound = bounds.get(`${kind} ${layer} ${call}`);
      if (bound === undefined) return;
      const x = kind === 'least-variance' ? -seen : seen;
      const part = kind === 'least-variance' ? bound.accepted / x : x / bound.accepted;
      worst.set(`${kind} ${layer} ${call}`, Math.max(worst.get(`${kind} ${layer} ${call}`) ?? 0, part));
      if (x >= bound.domain) {
        if (bound.proved) holes.push(`${kind} ${layer}: ${seen}`);
        beyond = true;
      }
      if (!bound.proved) ratio = Math.max(ratio, part);
    },
  });
  if (holes.length > 0) throw new Error(`a bound that is called proved does not hold: ${holes.join(', ')}`);
  judged.push({ ids, logits, ratio, must: beyond ? 'refuse' : ratio < 1 ? 'answer' : 'either' });
}
const number = (must) => judged.filter((text) => text.must === must).length;
console.log(
  `${judged.length} texts: ${number('answer')} inside, ${number('either')} in between, ${number('refuse')} beyond a domain; all proved bounds hold`,
);
console.log(
  'furthest, of what is accepted:',
  [...worst]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 6)
    .map(([key, part]) => `${key} ${part.toPrecision(3)}`)
    .join(', '),
);

// ── a few of them among three parties ────────────────────────────────────────

const parameters = await OpenParameters.load(source, kernels);
const bytes = (length, seed) =>
  Uint8Array.from({ length }, (_, i) => (Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(seed + 1, 0x85ebca6b)) >>> 11);
/** All three parties share this process, so nobody is late. */
const patience = Object.fromEntries(
  Object.entries(PATIENCE).map(([name, limit]) => [name, name.endsWith('Ms') ? 1e9 : limit]),
);
async function privately(ids, seed) {
  const lm = config.head === 'causal-lm';
  const rows = config.head === 'masked-lm' ? [ids.length - 1] : lm ? [ids.length - 1] : [];
  const request = {
    model: 'ab'.repeat(32),
    protocol: '3pc_semi_honest',
    weights: 'open',
    sequences: 1,
    tokens: ids.length + 2,
    rows: rows.length,
    padded: true,
    pair: false,
    steps: 0,
  };
  const pairs = [memoryPair(0, 1, {}), memoryPair(0, 2, {}), memoryPair(1, 2, {})];
  const session = bytes(16, seed);
  const common = { session, kernels, now: () => performance.now(), peakMemory: () => 0 };
  const served = { name: 'model', config, plan, hash: request.model, parameters };
  const ends = [
    [1, pairs[0][1], pairs[2][0]],
    [2, pairs[1][1], pairs[2][1]],
  ].map(([id, owner, peer]) =>
    serveSession({
      ...common,
      id,
      owner,
      patience,
      pairKey: bytes(32, 100 + id),
      connectPeer: async () => peer,
      models: [served],
    }),
  );
  const owner = await OwnerSession.open({
    ...common,
    config,
    request,
    channels: new Map([
      [1, pairs[0][0]],
      [2, pairs[1][0]],
    ]),
    pairKeys: [bytes(32, 101), bytes(32, 102)],
    parameters: ownerParameters(config, undefined),
  });
  try {
    return (await owner.run([{ inputIds: ids, rows }])).logits;
  } catch (error) {
    if (error.code === 'ERR_RANGE_EXCEEDED') return undefined;
    throw error;
  } finally {
    await Promise.all(ends);
  }
}
const seen = { right: 0, refused: 0, wrong: 0, largestError: 0 };
const furthest = [...judged].sort((a, b) => b.ratio - a.ratio).slice(0, Math.ceil(runs / 2));
const others = judged.filter((text) => !furthest.includes(text)).slice(0, Math.floor(runs / 2));
for (const [i, { ids, logits, ratio, must }] of [...furthest, ...others].entries()) {
  const got = await privately(ids, i);
  const error =
    got === undefined
      ? undefined
      : Math.max(...logits.map((v, j) => Math.abs(v - got[j]))) / Math.max(1, Math.max(...logits.map(Math.abs)));
  const wrong =
    (error !== undefined && (error > 0.05 || must === 'refuse')) || (error === undefined && must === 'answer');
  if (wrong) seen.wrong++;
  else if (error === undefined) seen.refused++;
  else seen.right++;
  if (error !== undefined) seen.largestError = Math.max(seen.largestError, error);
  console.log(
    `${ids.length} tokens, ${ratio.toPrecision(3)} of what is accepted, must ${must}: ${error === undefined ? 'ERR_RANGE_EXCEEDED' : `largest error ${error.toPrecision(2)}`}${wrong ? '  WRONG' : ''}`,
  );
}
await kernels.close();
console.log(`${seen.wrong} silent wrong answers or wrong refusals`);
process.exitCode = seen.wrong === 0 ? 0 : 1;

if (values.result !== undefined) {
  const [name, file] = values.result.split('=');
  const weights = join(positionals[0], 'model.safetensors');
  const kept = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
  kept.push({
    model: name,
    weightsSha256: createHash('sha256').update(readFileSync(weights)).digest('hex'),
    command: `node scripts/hostile-ranges.mjs MODEL --texts ${count} --private ${runs} --tokens ${most} --query ${factor}${' --file TEXT'.repeat(values.file.length)}`,
    commit,
    date: new Date().toISOString().slice(0, 10),
    plan: { basis: plan.basis, margin: checks?.margin ?? null, sampled: checks?.sampled ?? null },
    float: {
      texts: judged.length,
      mustAnswer: number('answer'),
      mayEither: number('either'),
      mustRefuse: number('refuse'),
      provedBoundsBroken: 0,
      furthest: Math.max(...judged.map(({ ratio }) => ratio)),
    },
    // Each of `private` texts among three parties: half the furthest ones, half the first ones.
    private: { texts: seen.right + seen.refused + seen.wrong, ...seen },
  });
  writeFileSync(file, `${JSON.stringify(kept, undefined, 2)}\n`);
}
