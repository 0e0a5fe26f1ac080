/**
 * Hostile texts against the plan of a model: `node scripts/hostile-ranges.mjs MODEL [--texts 500] [--private 4]
 * [--tokens 32] [--query 1] [--file TEXT]… [--from 0] [--only 3,17]… [--batch 8] [--rows FILE] [--result NAME=FILE]`,
 * after `npm run build`.
 *
 * Every text goes through the float model, and each of its extremes is held against the plan: a bound that the plan
 * calls proved must hold, whatever the text, and the others say whether a private run must answer (inside what is
 * accepted), must refuse (beyond a domain) or may do either. The `--private` furthest of them are then run among
 * three parties in this process: the answer must be right, or ERR_RANGE_EXCEEDED. Not part of the test lanes: it
 * takes minutes to hours. `--query` enlarges the first layer's queries after the plan is made.
 *
 * `--rows` adds a line to FILE for every text that was run (JSON Lines). Texts that have a line there are not run
 * again, so a run that was ended goes on where it was. `--from` and `--only` choose texts by number. Texts of one
 * length that must be answered go through one session, `--batch` at a time; one that is refused is run again alone.
 *
 * `--result` keeps what was counted, over all lines of the model in FILE of `--rows`, under the model's public name,
 * as a part of the JSON in FILE (bench/results/hostile-ranges.json); the part of an earlier run gives way.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { OpenParameters } from '../dist/session/open-parameters.js';
import { ownerParameters } from '../dist/session/owner-parameters.js';
import { OwnerSession } from '../dist/session/owner.js';
import { Circuits } from '../dist/session/circuits.js';
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
    from: { type: 'string', default: '0' },
    only: { type: 'string', multiple: true, default: [] },
    batch: { type: 'string', default: '8' },
    rows: { type: 'string' },
    result: { type: 'string' },
  },
});
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
const [count, runs, most, factor, from, batch] = [
  values.texts,
  values.private,
  values.tokens,
  values.query,
  values.from,
  values.batch,
].map(Number);
const only = new Set(values.only.flatMap((list) => list.split(',').map(Number)));
for (const number of [count, runs, most, factor, from, batch, ...only])
  if (!(number >= 0)) throw new Error('an option is not a number');
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

// ── among three parties ──────────────────────────────────────────────────────

const weightsSha256 = createHash('sha256')
  .update(readFileSync(join(positionals[0], 'model.safetensors')))
  .digest('hex');
/** What two lines of `--rows` agree in when they are of one list of texts. */
const list = { weightsSha256, tokens: most, query: factor, files: values.file.length };
const lines = () =>
  values.rows !== undefined && existsSync(values.rows)
    ? readFileSync(values.rows, 'utf8')
        .split('\n')
        .filter((line) => line.endsWith('}'))
        .map((line) => JSON.parse(line))
        .filter((row) => Object.entries(list).every(([key, value]) => row[key] === value))
    : [];
const parameters = await OpenParameters.load(source, kernels);
const circuits = new Circuits();
/** All three parties share this process, so nobody is late. */
const patience = Object.fromEntries(
  Object.entries(PATIENCE).map(([name, limit]) => [name, name.endsWith('Ms') ? 1e9 : limit]),
);
const lm = config.head === 'masked-lm' || config.head === 'causal-lm';
/** Logits of texts of one length, one after the other, or undefined when a range was left. */
async function privately(texts) {
  const [first] = texts;
  const request = {
    model: 'ab'.repeat(32),
    protocol: '3pc_semi_honest',
    weights: 'open',
    sequences: texts.length,
    tokens: first.length + 2,
    rows: lm ? 1 : 0,
    padded: true,
    pair: false,
    steps: 0,
  };
  const pairs = [memoryPair(0, 1, {}), memoryPair(0, 2, {}), memoryPair(1, 2, {})];
  const random = (length) => crypto.getRandomValues(new Uint8Array(length));
  const keys = [random(32), random(32)];
  const common = { session: random(16), kernels, circuits, now: () => performance.now(), peakMemory: () => 0 };
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
      pairKey: keys[id - 1].slice(),
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
    pairKeys: keys.map((key) => key.slice()),
    parameters: ownerParameters(config, undefined),
  });
  try {
    const { logits } = await owner.run(texts.map((inputIds) => ({ inputIds, rows: lm ? [inputIds.length - 1] : [] })));
    const each = logits.length / texts.length;
    return texts.map((_, i) => logits.subarray(i * each, (i + 1) * each));
  } catch (error) {
    if (error.code === 'ERR_RANGE_EXCEEDED') return undefined;
    throw error;
  } finally {
    await Promise.all(ends);
  }
}

/** What came of a text: right, refused or wrong. */
function outcome({ logits, must }, got) {
  if (got === undefined) return { outcome: must === 'answer' ? 'wrong' : 'refused' };
  const largest = Math.max(1, ...logits.map(Math.abs));
  const error = Math.max(...logits.map((v, j) => Math.abs(v - got[j]))) / largest;
  // Not a number is no answer: so the comparison is with what is good.
  return { outcome: error <= 0.05 && must !== 'refuse' ? 'right' : 'wrong', error };
}

const done = new Set(lines().map(({ text }) => text));
const chosen = judged
  .map((text, number) => ({ ...text, number }))
  .filter(({ number }) => number >= from && (only.size === 0 || only.has(number)) && !done.has(number))
  .sort((a, b) => b.ratio - a.ratio)
  .slice(0, runs);
/** Texts that are run together: equal in length, and none of them may be refused. */
const together = new Map();
for (const text of chosen) {
  const key = text.must === 'answer' ? `${text.ids.length}` : `alone ${text.number}`;
  together.set(key, [...(together.get(key) ?? []), text]);
}
const fresh = [];
async function keep(texts) {
  const before = process.cpuUsage();
  const all = await privately(texts.map(({ ids }) => ids));
  if (all === undefined && texts.length > 1) {
    for (const text of texts) await keep([text]);
    return;
  }
  const { user, system } = process.cpuUsage(before);
  const cpuSeconds = Number(((user + system) / 1e6 / texts.length).toFixed(2));
  for (const [i, text] of texts.entries()) {
    const row = {
      ...list,
      text: text.number,
      length: text.ids.length,
      ratio: Number(text.ratio.toPrecision(3)),
      must: text.must,
      ...outcome(text, all?.[i]),
      cpuSeconds,
      commit,
    };
    fresh.push(row);
    if (values.rows !== undefined) appendFileSync(values.rows, `${JSON.stringify(row)}\n`);
    console.log(
      `text ${row.text}: ${row.length} tokens, ${row.ratio} of what is accepted, must ${row.must}: ${row.outcome}${row.error === undefined ? '' : `, largest error ${row.error.toPrecision(2)}`}, ${cpuSeconds} CPU seconds`,
    );
  }
}
for (const texts of together.values())
  for (let i = 0; i < texts.length; i += batch) await keep(texts.slice(i, i + batch));
await kernels.close();
const rows = values.rows === undefined ? fresh : lines();
const counted = (what) => rows.filter((row) => row.outcome === what).length;
console.log(`${rows.length} texts in private, ${counted('wrong')} silent wrong answers or wrong refusals`);
process.exitCode = counted('wrong') === 0 ? 0 : 1;

if (values.result !== undefined) {
  const [name, file] = values.result.split('=');
  const kept = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
  const part = {
    model: name,
    weightsSha256,
    command: `node scripts/hostile-ranges.mjs MODEL --texts ${count} --private ${rows.length} --tokens ${most} --query ${factor}${' --file TEXT'.repeat(values.file.length)}`,
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
    private: {
      texts: rows.length,
      right: counted('right'),
      refused: counted('refused'),
      wrong: counted('wrong'),
      largestError: Math.max(0, ...rows.map(({ error }) => error ?? 0)),
      cpuSeconds: Number((rows.reduce((sum, row) => sum + row.cpuSeconds, 0) / rows.length).toFixed(2)),
      commits: [...new Set(rows.map((row) => row.commit))],
    },
  };
  const at = kept.findIndex((run) => run.model === name);
  if (at < 0) kept.push(part);
  else kept[at] = part;
  writeFileSync(file, `${JSON.stringify(kept, undefined, 2)}\n`);
}
