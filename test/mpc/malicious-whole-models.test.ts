/**
 * A whole model whose messages are all proved, in process: three accepted verdicts, an answer near the float model, and
 * what the proofs cost as it was declared. And what becomes of one changed message of each kind.
 */
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { decodeFixed } from '../../src/compute/fixed-point.ts';
import type { Words } from '../../src/compute/ring.ts';
import { modelPlan } from '../../src/ml/measured-ranges.ts';
import { parameterEncoder } from '../../src/ml/models/folding.ts';
import { LOGITS, OUTPUT_FORM, OUTSIDE } from '../../src/ml/models/run.ts';
import { buildModel } from '../../src/ml/models/secure-at-once.ts';
import { runFloat } from '../../src/ml/reference/float.ts';
import { COMPLETE_ROUNDING } from '../../src/mpc/protocol/malicious/circuit.ts';
import { proofPrice } from '../../src/mpc/protocol/malicious/proving/price.ts';
import { PARAMETERS } from '../../src/mpc/proof/soundness.ts';
import { openModel } from '../../src/node/model.ts';
import { ownerInputs } from '../../src/session/inputs.ts';
import { OpenParameters } from '../../src/session/open-parameters.ts';
import { completeCircuit, runProved, wasm } from '../support/proved.ts';
import { noParameters } from '../support/simulate.ts';

const SEGMENT_BYTES = 2 ** 30;
const LOGIT_ERROR = 0.02;

const source = await (
  await openModel({ kind: 'folder', path: fileURLToPath(new URL('../../models/tiny-gpt2', import.meta.url)) })
).weights();
const { config } = source;
const encode = parameterEncoder(source);
const view = await OpenParameters.load(source, wasm, encode, undefined, encode);
const inputIds = [11, 402];
const shape = { sequences: 1, tokens: inputIds.length, rows: 0, padded: false, pair: false, steps: 0 };
const plan = await modelPlan(source, COMPLETE_ROUNDING);
const circuit = completeCircuit((g) => buildModel(g, { ...shape, config, plan }, 0));
const inputs = ownerInputs([{ inputIds, rows: [] }], shape, config);

it('a whole model is proved and answers, at the declared price', { timeout: 300_000 }, async () => {
  const sent = [0, 1, 2].map(() => [0, 0, 0]);
  const ended = await runProved(circuit, inputs, {
    ...{ segmentBytes: SEGMENT_BYTES, proofParameters: PARAMETERS[128], timeoutMs: 240_000 },
    parameters: (id) => (id === 0 ? noParameters : view),
    tap: (from, to, tag, bytes) => {
      if (/^(proof-|agreement)/.test(tag)) sent[from][to] += bytes.length;
      return undefined;
    },
  });
  for (const { error } of ended) if (error !== undefined) throw error;
  const outputs = ended[0].outputs as ReadonlyMap<string, Words>;
  expect(Number(outputs.get(OUTSIDE)?.data[0] ?? 0)).toBe(0);
  const got = decodeFixed(outputs.get(LOGITS) as Words, OUTPUT_FORM.open.scale);
  const { logits } = await runFloat(source, inputIds, { positions: [inputIds.length - 1] });
  const worst = got.reduce((most, value, i) => Math.max(most, Math.abs(value - logits[i])), 0);
  expect(worst).toBeLessThan(LOGIT_ERROR);

  const price = proofPrice(circuit, PARAMETERS[128], SEGMENT_BYTES);
  expect(sent).toEqual(price.bytes);
  expect(price.segments).toEqual([0, 1, 1]);
  expect(price.soundness).toBeLessThanOrEqual(-46);
  // The uplink of P0: two anchors and two statements.
  expect(price.bytes[0].reduce((sum, bytes) => sum + bytes, 0)).toBe(2 * 32 + 2 * 80);
});
