// Data owners of a load or a soak, all in this process on shared kernels, each with links and runs of its own; and
// what the plaintext model says of every text, which each answer is compared with. After `npm run build`.
import { runFloat } from '../dist/ml/reference/float.js';
import { nodeKernels } from '../dist/node/kernels.js';
import { openModel } from '../dist/node/model.js';
import { openTlsModel } from '../dist/node/tls-model.js';
import { planPredict } from '../dist/owner/predict-plan.js';
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
  const pins = { 1: pair.pins[0], 2: pair.pins[1] };
  const parties = { addresses: pair.addresses, credentials: { pins }, recvTimeoutMs };
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

export const quantile = (times, q) =>
  [...times].sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(q * times.length))];
