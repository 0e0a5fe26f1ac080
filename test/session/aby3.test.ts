/**
 * Sessions of `aby3` on links in memory (PROTOCOL §17): a whole model, whose owner is in the rounds and whose messages
 * all three prove; what nothing is there for is refused before a text.
 */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { modelPlan } from '../../src/ml/measured-ranges.ts';
import { buildModel } from '../../src/ml/models/secure-at-once.ts';
import { runFloat } from '../../src/ml/reference/float.ts';
import { Aby3Builder } from '../../src/mpc/protocol/aby3/circuit.ts';
import { COMPLETE_ROUNDING } from '../../src/mpc/protocol/malicious/rounding.ts';
import { proofPrice } from '../../src/mpc/protocol/malicious/proving/price.ts';
import { PARAMETERS } from '../../src/mpc/proof/soundness.ts';
import { openModel } from '../../src/node/model.ts';
import { Circuits } from '../../src/session/circuits.ts';
import type { ServedModel } from '../../src/session/model.ts';
import { PATIENCE } from '../../src/session/place.ts';
import { provingWith } from '../../src/session/proved-session.ts';
import { checkLevel, provingOf } from '../../src/session/proving.ts';
import { requestCode, requestOfCode } from '../../src/session/request.ts';
import { thrown } from '../failure.ts';
import { proofWasm, symmetricCircuit, wasm } from '../support/proved.ts';
import { start } from './harness.ts';
import { heldWeights } from './held-weights.ts';

const LOGIT_ERROR = 0.02;
const SEGMENT_BYTES = 2 ** 30;
/** All three parties share a thread, and this is no test of its speed. */
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
const request = { model: 'ef'.repeat(32), protocol: 'aby3', weights: 'open', ...shape } as const;
const proving = provingWith({
  ...{ kernels: proofWasm, segmentBytes: SEGMENT_BYTES },
  symmetric: (weights) => new Aby3Builder(weights),
});

it('a model answers, with its owner in the rounds and behind three proofs', { timeout: 300_000 }, async () => {
  const { weights } = request;
  const { views, seeds } = await heldWeights(source, weights);
  const served = (id: 1 | 2): ServedModel => ({
    ...{ name: source.label, config, plan, provedPlan: plan, hash: request.model },
    parameters: views[id - 1],
  });
  const proofs = [0, 1, 2].map(() => [0, 0, 0]);
  const rounds = [0, 1, 2].map(() => [0, 0, 0]);
  const { owner, ends, sent } = start({
    request,
    model: served(1),
    compute: (id) => ({ models: [served(id)], patience: PATIENT }),
    ...{ seeds, proving, on: wasm, circuits: new Circuits(), timeoutMs: 240_000 },
    tap: ({ from, to }, tag, message) => {
      const sums = /^(proof-|agreement)/.test(tag) ? proofs : /-(01|02|20)\//.test(tag) ? rounds : undefined;
      if (sums !== undefined) sums[from as number][to as number] += message.length;
      return undefined;
    },
  });
  const session = await owner;
  await session.prepare();
  const { logits, onlineRounds, proofs: report } = await session.run([{ inputIds, rows: [] }]);
  expect(await Promise.all(ends)).toEqual(['answered', 'answered']);
  const float = (await runFloat(source, inputIds, { positions: [inputIds.length - 1] })).logits;
  expect(Math.max(...logits.map((x, i) => Math.abs(x - float[i])))).toBeLessThan(LOGIT_ERROR);

  const circuit = symmetricCircuit((g) => buildModel(g, { ...shape, config, plan }, 0), weights);
  const declared = circuit.owner;
  expect(onlineRounds).toBe(declared?.rounds);
  expect(onlineRounds).toBeGreaterThan(50);
  expect([rounds[0][1], rounds[0][2], rounds[2][0]]).toEqual([declared?.p0ToP1, declared?.p0ToP2, declared?.p2ToP0]);
  expect(report?.provers.map(({ prover }) => prover)).toEqual([0, 1, 2]);
  const price = proofPrice(circuit, PARAMETERS[128], SEGMENT_BYTES);
  expect(proofs).toEqual(price.bytes);
  expect(price.soundness).toBeLessThanOrEqual(-46);
  // While P0 is in the rounds its links carry nothing else, and outputs go behind the verdicts.
  for (const party of [1, 2]) {
    const mine = sent.flatMap(({ from, tag }) => (from === party ? [tag] : []));
    const first = mine.findIndex((tag) => /-(12|21|20)\//.test(tag));
    const output = mine.findIndex((tag) => tag.startsWith('output-output'));
    expect(mine.slice(first, output).filter((tag) => tag.startsWith('control/'))).toEqual([]);
    const verdict = mine.findLastIndex((tag) => tag.startsWith('proof-verdict'));
    expect(verdict).toBeLessThan(output);
  }
});

describe('what it is not there for', () => {
  const asked = { ...request, dealer: undefined, widening: undefined, securityLevel: undefined };
  const code = 'ERR_PROTOCOL_UNAVAILABLE';

  it('is refused by name, and the request with nothing of it is not', () => {
    expect(provingOf(asked, proving)).toBe(proving);
    expect(thrown(code, () => provingOf({ ...asked, dealer: 'ab' }, proving)).message).toMatch(/dealer.*aby3/);
    expect(thrown(code, () => provingOf({ ...asked, widening: 'ot' }, proving)).message).toMatch(/wan-cloud.*aby3/);
    expect(checkLevel('aby3', 256)).toBe(256);
    expect(thrown(code, () => checkLevel('aby3', 512 as 256)).message).toContain('aby3 has no level 512');
  });

  it('is refused where its gates were not handed in: nothing takes their place', () => {
    const without = provingWith({ kernels: proofWasm });
    expect(thrown(code, () => provingOf(asked, without)).message).toContain('aby3');
    thrown(code, () => provingOf(asked, undefined));
  });

  it('has a code of its own, which an earlier version refuses', () => {
    const mine = requestCode(request);
    expect(requestOfCode(mine)).toMatchObject({ protocol: 'aby3', steps: 0 });
    expect(mine).not.toBe(requestCode({ ...request, protocol: '3pc_malicious' }));
    // The level is a bit of it, as of 3pc_malicious.
    expect(requestOfCode(`${mine.slice(0, 6)}10${mine.slice(8)}`)).toMatchObject({ securityLevel: 256 });
  });
});
