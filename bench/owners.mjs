// Data owners of a load or a soak, all in this process on shared kernels, each with links and runs of its own; and
// what the plaintext model says of every text, which each answer is compared with. After `npm run build`.
import { runFloat } from '../dist/ml/reference/float.js';
import { nodeKernels } from '../dist/node/kernels.js';
import { openModel } from '../dist/node/model.js';
import { openTlsModel } from '../dist/node/tls-model.js';
import { tlsRunContext } from '../dist/node/tls-owner.js';
import { planIds, spreadIds } from '../dist/owner/id-plan.js';
import { planPredict } from '../dist/owner/predict-plan.js';
import { Runner } from '../dist/owner/runner.js';
import { loadTextContext, reading } from '../dist/owner/text-context.js';
import { MODEL, TEXTS } from './world.mjs';

const LOCATION = { kind: 'folder', path: MODEL };
/** Of a probability, between the private model and the plaintext one. */
const NEAR = 0.02;

/** By text: the piece with the largest logit, and its probability. */
export async function plaintextAnswers() {
  const { files, config, weights } = await openModel(LOCATION);
  const [context, source] = [reading(await loadTextContext(files, config), undefined), await weights()];
  const answers = new Map();
  for (const text of TEXTS) {
    const { inputs } = await planPredict(context, text, {});
    const [{ inputIds, typeIds, rows }] = inputs;
    const { logits } = await runFloat(source, inputIds, { tokenTypeIds: typeIds, positions: rows });
    const best = logits.reduce((most, logit, id) => (logit > logits[most] ? id : most), 0);
    const score = 1 / logits.reduce((sum, logit) => sum + Math.exp(logit - logits[best]), 0);
    answers.set(text, { id: best, score });
  }
  return answers;
}

/** Why an answer is not that of the text; nothing if it is. */
export function wrong({ token_id, score }, expected) {
  if (token_id !== expected.id) return 'another token';
  return Math.abs(score - expected.score) > NEAR ? 'another score' : undefined;
}

/** `count` owners of a pair, and how to end them. */
export async function openOwners(pair, count, { threads = 1, recvTimeoutMs = 60_000 } = {}) {
  const { kernels, close } = await nodeKernels('wasm', threads);
  const parties = partiesOf(pair, recvTimeoutMs);
  const owners = [];
  for (let i = 0; i < count; i++) owners.push(await openTlsModel(LOCATION, parties, { kernels, named: false }));
  return {
    owners,
    async close() {
      await Promise.all(owners.map((owner) => owner.dispose()));
      await close();
    },
  };
}

const partiesOf = ({ addresses, pins: [one, two] }, recvTimeoutMs) => ({
  ...{ addresses, recvTimeoutMs },
  credentials: { pins: { 1: one, 2: two } },
});

/** Owners of the embedded model. `ask(owner, number)` runs a text, and says what is wrong with the answer, if anything. */
export async function textWorld() {
  const answers = await plaintextAnswers();
  return {
    serves: ['--model', MODEL],
    async open(pair, count) {
      const { owners, close } = await openOwners(pair, count);
      const ask = async (owner, number) => {
        const text = TEXTS[number % TEXTS.length];
        const { predictions } = await owners[owner].predict(text, { topK: 1 });
        return wrong(predictions[0], answers.get(text));
      };
      return { ask, close };
    },
  };
}

/** Largest part of the largest logit that a private one may be off. Those of other ids are off by more than all of it. */
const OFF = 0.1;
/** Different sequences of ids. */
const IDS = 16;

/** The same of random weights of an architecture, on ids: for sizes that matter. */
export async function idWorld(configPath, tokens) {
  const location = { kind: 'random', seed: 1, configPath };
  const { config, weights } = await openModel(location);
  const ids = spreadIds(config, tokens, IDS);
  const plain = { kernels: await nodeKernels('wasm', 1), source: await weights(), answers: [] };
  const matmul = (...operands) => plain.kernels.kernels.matmulF32(...operands);
  for (const each of ids)
    plain.answers.push((await runFloat(plain.source, each, { positions: [tokens >> 1], matmul })).logits);
  await plain.kernels.close();
  return {
    serves: ['--random-weights', '1', '--architecture', configPath],
    async open(pair, count) {
      const { kernels, close } = await nodeKernels('wasm', 1);
      const terms = { protocol: '3pc_semi_honest', weights: 'open', widening: undefined };
      const runners = Array.from(
        { length: count },
        () => new Runner(tlsRunContext(partiesOf(pair, 60_000), { config, terms, credential: undefined, kernels })),
      );
      const ask = async (owner, number) => {
        const plan = { ...planIds(config, [ids[number % IDS]]), finish: ([logits]) => logits };
        const { answer } = await runners[owner].run(plan);
        const expected = plain.answers[number % IDS];
        const most = expected.reduce((max, logit) => Math.max(max, Math.abs(logit)), 0);
        return expected.every((logit, i) => Math.abs(logit - answer[i]) <= OFF * most) ? undefined : 'another answer';
      };
      return {
        ask,
        async close() {
          await Promise.all(runners.map((runner) => runner.dispose()));
          await close();
        },
      };
    },
  };
}

export const mean = (times) => times.reduce((sum, time) => sum + time, 0) / times.length;
export const quantile = (times, q) =>
  [...times].sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(q * times.length))];
