/**
 * Embeddings of a model without a head, by every protocol: the mean of a text's states and the first of them, in one
 * batch of texts of several lengths and alone, near the float model.
 */
import { expect, it } from 'vitest';
import { parseModelConfig } from '../../src/ml/config.ts';
import { randomWeights } from '../../src/ml/models/random.ts';
import { runFloat } from '../../src/ml/reference/float.ts';
import { planFromRanges, provedRanges } from '../../src/ml/ranges.ts';
import { Aby3Builder } from '../../src/mpc/protocol/aby3/circuit.ts';
import { COMPLETE_ROUNDING } from '../../src/mpc/protocol/malicious/rounding.ts';
import { SEMI_HONEST } from '../../src/mpc/protocol/registry.ts';
import type { ProtocolId } from '../../src/mpc/protocol/types.ts';
import { Circuits } from '../../src/session/circuits.ts';
import type { ServedModel } from '../../src/session/model.ts';
import { provingWith } from '../../src/session/proved-session.ts';
import { proofWasm, wasm } from '../support/proved.ts';
import { start } from './harness.ts';
import { heldWeights } from './held-weights.ts';

const SIZES = {
  ...{ hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 12, vocab_size: 40 },
  layer_norm_eps: 1e-5,
};
const bert = { model_type: 'bert', hidden_act: 'relu', max_position_embeddings: 24, type_vocab_size: 2, ...SIZES };
const source = randomWeights(parseModelConfig({ ...bert, architectures: ['BertModel'] }), 8);
const { config } = source;
const C = config.hiddenSize;
const [SHORT, LONG] = [
  [2, 9, 4, 17, 3],
  [2, 30, 31, 7, 8, 22, 3],
];
/** Of a value of an embedding, whose output opens at 2^-10 with secret weights. */
const TOLERANCE = { open: 1e-3, secret: 3e-3 };

const embed = (inputIds: number[], pooling: 'mean' | 'cls') => ({ inputIds, rows: [], pooling });
type Text = ReturnType<typeof embed>;

async function wanted({ inputIds, pooling }: Text): Promise<number[]> {
  const { logits: states } = await runFloat(source, inputIds);
  const read = pooling === 'cls' ? inputIds.slice(0, 1) : inputIds;
  return Array.from({ length: C }, (_, c) => read.reduce((sum, _id, t) => sum + states[t * C + c], 0) / read.length);
}

const ranges = await provedRanges(source);
const proving = provingWith({
  ...{ kernels: proofWasm, segmentBytes: 2 ** 30 },
  symmetric: (weights) => new Aby3Builder(weights),
});

/** The largest error of what opens. */
async function errorOf(
  protocol: ProtocolId,
  weights: 'open' | 'secret',
  { texts, padded }: { readonly texts: readonly Text[]; readonly padded: boolean },
): Promise<number> {
  const hash = 'ef'.repeat(32);
  const { views, seeds } = await heldWeights(source, weights);
  const served = (id: 1 | 2): ServedModel => ({
    ...{ name: source.label, config, hash, parameters: views[id - 1] },
    ...{ plan: planFromRanges(config, ranges, SEMI_HONEST.truncation) },
    ...{ provedPlan: planFromRanges(config, ranges, COMPLETE_ROUNDING) },
  });
  const shape = { sequences: texts.length, tokens: padded ? 8 : SHORT.length, rows: 1, padded, pair: false, steps: 0 };
  const { owner, ends } = start({
    request: { model: hash, protocol, weights, ...shape },
    model: served(1),
    compute: (id) => ({ models: [served(id)] }),
    ...{ seeds, proving, on: wasm, circuits: new Circuits(), timeoutMs: 120_000 },
  });
  const session = await owner;
  await session.prepare();
  const { logits } = await session.run(texts);
  expect(await Promise.all(ends)).toEqual(['answered', 'answered']);
  const want = (await Promise.all(texts.map(wanted))).flat();
  expect(logits).toHaveLength(want.length);
  return Math.max(...want.map((v, i) => Math.abs(v - logits[i])));
}

it.each([
  ['3pc_semi_honest', 'open'],
  ['3pc_semi_honest', 'secret'],
  ['3pc_malicious', 'secret'],
  ['aby3', 'open'],
] as const)(
  '%s, %s weights: the mean and the first of states, of texts of several lengths',
  { timeout: 120_000 },
  async (protocol, weights) => {
    const texts = [embed(SHORT, 'mean'), embed(SHORT, 'cls'), embed(LONG, 'mean')];
    expect(await errorOf(protocol, weights, { texts, padded: true })).toBeLessThan(TOLERANCE[weights]);
  },
);

it('the mean of a text of public length', { timeout: 120_000 }, async () => {
  const texts = [embed(SHORT, 'mean')];
  expect(await errorOf('3pc_semi_honest', 'open', { texts, padded: false })).toBeLessThan(TOLERANCE.open);
});
