/**
 * A whole model whose messages are all proved, in a session on links in memory (PROTOCOL §16.7, §16.8): verdicts before
 * the answer, the answer near the float model, and what the proofs cost as it was declared.
 */
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { modelPlan } from '../../src/ml/measured-ranges.ts';
import { parameterEncoder } from '../../src/ml/models/folding.ts';
import { buildModel } from '../../src/ml/models/secure-at-once.ts';
import { runFloat } from '../../src/ml/reference/float.ts';
import { COMPLETE_ROUNDING } from '../../src/mpc/protocol/malicious/circuit.ts';
import { proofPrice } from '../../src/mpc/protocol/malicious/proving/price.ts';
import { PARAMETERS } from '../../src/mpc/proof/soundness.ts';
import { openModel } from '../../src/node/model.ts';
import { Circuits } from '../../src/session/circuits.ts';
import type { ServedModel } from '../../src/session/compute.ts';
import { OpenParameters } from '../../src/session/open-parameters.ts';
import { provingWith } from '../../src/session/proved-session.ts';
import { completeCircuit, proofWasm, wasm } from '../support/proved.ts';
import { start } from './harness.ts';

const LOGIT_ERROR = 0.02;
const SEGMENT_BYTES = 2 ** 30;

it('a whole model answers in a session, and its owner has two verdicts before', { timeout: 300_000 }, async () => {
  const opened = await openModel({
    kind: 'folder',
    path: fileURLToPath(new URL('../../models/tiny-gpt2', import.meta.url)),
  });
  const source = await opened.weights();
  const encode = parameterEncoder(source);
  const model: ServedModel = {
    name: source.label,
    config: source.config,
    plan: await modelPlan(source, COMPLETE_ROUNDING),
    hash: 'ef'.repeat(32),
    parameters: await OpenParameters.load(source, wasm, encode, undefined, encode),
  };
  const inputIds = [11, 402];
  const shape = { sequences: 1, tokens: inputIds.length, rows: 0, padded: false, pair: false, steps: 0 };
  const bytes = [0, 1, 2].map(() => [0, 0, 0]);
  const { owner, ends, sent } = start({
    request: { model: model.hash, protocol: '3pc_malicious', weights: 'open', ...shape },
    model,
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
    const output = mine.findIndex((tag) => tag.startsWith('output-output'));
    expect(mine.findIndex((tag) => tag.startsWith('proof-verdict'))).toBeGreaterThan(0);
    expect(mine.findLastIndex((tag) => tag.startsWith('proof-verdict'))).toBeLessThan(output);
  }

  const { config, plan } = model;
  const circuit = completeCircuit((g) => buildModel(g, { ...shape, config, plan }, 0));
  const price = proofPrice(circuit, PARAMETERS[128], SEGMENT_BYTES);
  expect(bytes).toEqual(price.bytes);
  expect(price.segments).toEqual([0, 1, 1]);
  expect(price.soundness).toBeLessThanOrEqual(-46);
  // The uplink of P0: two anchors and two statements.
  expect(price.bytes[0].reduce((sum, n) => sum + n, 0)).toBe(2 * 32 + 2 * 80);
});
