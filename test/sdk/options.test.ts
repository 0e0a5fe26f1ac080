/** What a caller asks for in the options is done or refused, never dropped: for every call that has options. */
import { describe, expect, it } from 'vitest';
import { OPTIONS } from '../../src/owner/options.ts';
import type { Model, PretrainedOptions } from '../../src/owner/types/index.ts';
import { OT_SIBLINGS } from '../../src/compute/kernels/ot-base.ts';
import { failure } from '../failure.ts';
import { type ModelId, memorySite } from './memory-site.ts';

/** A model that has each method, and what it takes before its options. */
const CALLS: readonly [keyof typeof OPTIONS, ModelId, readonly unknown[]][] = [
  ['prepare', 'filler', [16]],
  ['predict', 'filler', ['paris is [MASK]']],
  ['classify', 'classifier', ['paris']],
  ['classifyBatch', 'classifier', [['paris']]],
  ['answerQuestion', 'reader', [{ question: 'capital?', context: 'paris is the capital' }]],
  ['extractEntities', 'tagger', ['paris']],
  ['embed', 'encoder', ['paris']],
  ['generate', 'writer', ['the']],
];

describe('an option that a method does not know', () => {
  it('is looked for in every method that has options', () => {
    expect(new Set(CALLS.map(([method]) => method))).toEqual(new Set(Object.keys(OPTIONS)));
  });

  it.each(CALLS)('is refused by %s before anything is sent', async (method, id, before) => {
    const site = await memorySite(id);
    const model = await site.load();
    const call = (options: unknown) =>
      Promise.resolve((model[method] as (...given: unknown[]) => PromiseLike<unknown>).call(model, ...before, options));
    for (const options of [
      { security_level: 256 },
      { protocol: '3pc_malicious' },
      { top_k: 1 },
      { differentialPrivacy: true },
      ['a', 'b'],
      null,
      'open',
    ]) {
      await failure('ERR_ARGUMENT', () => call(options));
    }
    expect((await failure('ERR_ARGUMENT', () => call({ SIGNAL: 1 }))).hint).toBe('write signal');
    expect(site.ends).toEqual([]);
    await model.dispose();
  });
});

describe('an option of fromPretrained', () => {
  const load = async (options: unknown) => (await memorySite('filler')).load(options as PretrainedOptions);

  it.each([
    [
      { security_config: { protocol: '3pc_malicious', differential_privacy: true, security_level: 256 } },
      'security_config',
    ],
    [{ security_level: 256 }, 'security_level'],
    [{ quantized: true }, 'quantized'],
    [{ Protocol: 'aby3' }, 'Protocol'],
  ])('that it does not know is refused: %o', async (options, name) => {
    expect((await failure('ERR_ARGUMENT', () => load(options))).message).toContain(`"${name}"`);
  });

  it.each([
    [{ plan: 'home' }],
    [{ device: 'gpu' }],
    [{ weights: 'hidden' }],
    [{ weights: 'constructor' }],
    [{ transport: 'http' }],
  ])('that is no choice is refused: %o', async (options) => {
    expect((await failure('ERR_ARGUMENT', () => load(options))).hint).toMatch(/^give one of '/);
  });

  it("of a plan 'wan-cloud' changes what the device sends ahead as its circuit says; the answer is that of the default", async () => {
    const run = async (options: PretrainedOptions) => {
      const site = await memorySite('filler');
      const model = await site.load(options);
      const { predictions } = await model.predict('paris is [MASK]', { topK: 23 });
      await model.dispose();
      const [p1, p2] = site.owners.map(({ stats }) => stats.receivedPayloadBytes);
      return { scores: new Map(predictions.map(({ token, score }) => [token, score])), p1, p2 };
    };
    const [lan, wan, unsaid] = [await run({ plan: 'lan' }), await run({ plan: 'wan-cloud' }), await run({})];
    // A model of this size gains nothing: what a plan saves is declared for BERT-base (test/session/plans.test.ts).
    expect(wan.p2).not.toBe(lan.p2);
    // P1 has the siblings of the base in place of dealt words.
    expect(wan.p1).toBeGreaterThan(lan.p1);
    expect(wan.p1).toBeGreaterThan(OT_SIBLINGS);
    expect([unsaid.p1, unsaid.p2]).toEqual([lan.p1, lan.p2]);
    expect(wan.scores.size).toBe(23);
    for (const [token, score] of lan.scores) expect(wan.scores.get(token)).toBeCloseTo(score, 2);
  });

  it('that asks for a protocol that is not there is refused as such, and what is known is taken', async () => {
    await failure('ERR_PROTOCOL_UNAVAILABLE', () => load({ protocol: '3pc_malicious' }));
    const model: Model = await load({
      protocol: '3pc_semi_honest',
      weights: 'open',
      buckets: undefined,
      nothing: undefined,
    });
    await model.dispose();
  });
});
