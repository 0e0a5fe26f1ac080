/**
 * A whole model whose messages are all proved, in a session on links in memory (PROTOCOL §16.7, §16.8): verdicts before
 * the answer, the answer near the float model, and what the proofs cost as it was declared.
 */
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { modelPlan } from '../../src/ml/measured-ranges.ts';
import { buildModel } from '../../src/ml/models/secure-at-once.ts';
import { runFloat } from '../../src/ml/reference/float.ts';
import { COMPLETE_ROUNDING } from '../../src/mpc/protocol/malicious/rounding.ts';
import { proofPrice } from '../../src/mpc/protocol/malicious/proving/price.ts';
import { PARAMETERS } from '../../src/mpc/proof/soundness.ts';
import { openModel } from '../../src/node/model.ts';
import { Circuits } from '../../src/session/circuits.ts';
import type { ServedModel } from '../../src/session/model.ts';
import { PATIENCE } from '../../src/session/place.ts';
import { provingWith } from '../../src/session/proved-session.ts';
import { completeCircuit, proofWasm, wasm } from '../support/proved.ts';
import { start } from './harness.ts';
import { heldWeights } from './held-weights.ts';

const LOGIT_ERROR = 0.02;
const SEGMENT_BYTES = 2 ** 30;
/** All three parties share a thread, and this is no test of its speed: nobody waits in vain before the test ends. */
const PATIENT = {
  ...PATIENCE,
  ...{ startMs: 240_000, dealMs: 240_000, silenceMs: 240_000, textMs: 240_000 },
};

const opened = await openModel({
  kind: 'folder',
  path: fileURLToPath(new URL('../../models/tiny-gpt2', import.meta.url)),
});
const source = await opened.weights();
const { config } = source;
const plan = await modelPlan(source, COMPLETE_ROUNDING);
const inputIds = [11, 402];
const shape = { sequences: 1, tokens: inputIds.length, rows: 0, padded: false, pair: false, steps: 0 };

it.each([
  ['open', [0, 1, 1]],
  ['secret', [1, 1, 1]],
] as const)('%s weights: a model answers, behind every verdict', { timeout: 300_000 }, async (weights, segments) => {
  const hash = 'ef'.repeat(32);
  const { views, seeds } = await heldWeights(source, weights);
  const served = (id: 1 | 2): ServedModel => ({
    ...{ name: source.label, config, plan, provedPlan: plan, hash },
    parameters: views[id - 1],
  });
  const bytes = [0, 1, 2].map(() => [0, 0, 0]);
  const { owner, ends, sent } = start({
    request: { model: hash, protocol: '3pc_malicious', weights, ...shape },
    model: served(1),
    compute: (id) => ({ models: [served(id)], patience: PATIENT }),
    seeds,
    on: wasm,
    circuits: new Circuits(),
    proving: provingWith({ kernels: proofWasm, segmentBytes: SEGMENT_BYTES }),
    tap: ({ from, to }, tag, message) => {
      if (/^(proof-|agreement)/.test(tag)) bytes[from as number][to as number] += message.length;
      return undefined;
    },
    timeoutMs: 240_000,
  });
  const session = await owner;
  await session.prepare();
  const { logits } = await session.run([{ inputIds, rows: [] }]);
  expect(await Promise.all(ends)).toEqual(['answered', 'answered']);
  const float = (await runFloat(source, inputIds, { positions: [inputIds.length - 1] })).logits;
  expect(logits).toHaveLength(float.length);
  expect(Math.max(...logits.map((x, i) => Math.abs(x - float[i])))).toBeLessThan(LOGIT_ERROR);
  for (const party of [1, 2]) {
    const mine = sent.flatMap(({ from, tag }) => (from === party ? [tag] : []));
    const verdict = mine.findLastIndex((tag) => tag.startsWith('proof-verdict'));
    expect(verdict).toBeGreaterThan(0);
    expect(verdict).toBeLessThan(mine.findIndex((tag) => tag.startsWith('output-output')));
  }

  const circuit = completeCircuit((g) => buildModel(g, { ...shape, config, plan }, 0), weights);
  const price = proofPrice(circuit, PARAMETERS[128], SEGMENT_BYTES);
  expect(bytes).toEqual(price.bytes);
  expect(price.segments).toEqual(segments);
  expect(price.soundness).toBeLessThanOrEqual(-46);
  // With open weights P0 proves nothing: two anchors and two statements are all that it sends.
  if (weights === 'open') expect(price.bytes[0].reduce((sum, n) => sum + n, 0)).toBe(2 * 32 + 2 * 80);
});
