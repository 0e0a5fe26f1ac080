/** What a public plan costs at BERT-base and GPT-2 small: the limits that are kept (docs/adr/0025, 0027, 0031). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseModelConfig } from '../../src/ml/config.ts';
import { buildModel } from '../../src/ml/models/secure-at-once.ts';
import { Aby3Builder } from '../../src/mpc/protocol/aby3/circuit.ts';
import { CompleteBuilder } from '../../src/mpc/protocol/malicious/circuit.ts';
import type { Cost } from '../../src/mpc/protocol/types.ts';
import { circuitFor } from '../../src/session/circuit-for.ts';
import { WIDENINGS } from '../../src/session/run-plan.ts';
import { planOf } from '../support/architectures.ts';

const read = (name: string) => parseModelConfig(JSON.parse(readFileSync(`bench/configs/${name}.json`, 'utf8')));
const bert = read('bert-base-classifier');
const gpt2 = read('gpt2');
const SHAPE = { sequences: 1, rows: 1, padded: false, pair: false, steps: 0 } as const;

/** Circuits of this size take a while. */
const COSTS = new Map<string, Summed>();

function costOf(config: typeof bert, plan: 'lan' | 'wan-cloud', shape: object, step = 0): Summed {
  const request = {
    protocol: '3pc_semi_honest',
    weights: 'open',
    widening: WIDENINGS[plan],
    ...SHAPE,
    ...shape,
  } as const;
  const key = JSON.stringify([config.modelType, request, step]);
  const known = COSTS.get(key) ?? summed(circuitFor(config, planOf(config, 'wide', 8), request as never, step).cost);
  COSTS.set(key, known);
  return known;
}

/** The same under complete sharing, without proofs. */
function completeCost(config: typeof bert, shape: object, step = 0, weights: 'open' | 'secret' = 'open'): Summed {
  const builder = new CompleteBuilder(weights);
  buildModel(builder, { ...SHAPE, ...shape, config, plan: planOf(config, 'wide', 8) } as never, step);
  return summed(builder.finish().cost);
}

type Summed = ReturnType<typeof summed>;

function summed(cost: Cost) {
  return {
    owner: (cost.p0ToP1Ahead + cost.p0ToP2Ahead + cost.p0ToP1Input + cost.p0ToP2Input) / 1e6,
    between: (cost.p1ToP2 + cost.p2ToP1 + cost.p2ToP1Ahead) / 1e6,
    rounds: cost.rounds,
  };
}

describe('megabytes of the owner and between the compute parties, and rounds', () => {
  it.each([
    ['lan', 128, 95, 1000, 260],
    ['wan-cloud', 128, 45, 1000, 260],
    ['lan', 16, 10, 110, 230],
    ['wan-cloud', 16, 4, 110, 230],
  ] as const)('BERT-base, plan %s, %i tokens', (plan, tokens, owner, between, rounds) => {
    const cost = costOf(bert, plan, { tokens, rows: 0 });
    expect(cost.owner).toBeLessThanOrEqual(owner);
    expect(cost.between).toBeLessThanOrEqual(between);
    expect(cost.rounds).toBeLessThanOrEqual(rounds);
  });

  // A map with secret weights has a word of P0 for every output, and a look-up one of every word: they come on top.
  it.each([
    ['lan', 128, 95, 1200, 260],
    ['wan-cloud', 128, 45, 1200, 260],
    ['lan', 16, 10, 110, 240],
    ['wan-cloud', 16, 4, 110, 240],
  ] as const)(
    'BERT-base with secret weights, plan %s, %i tokens: the words of its matrices on top of P0’s',
    (plan, tokens, owner, between, rounds) => {
      const secret = costOf(bert, plan, { tokens, rows: 0, weights: 'secret' });
      const outputs = tokens * bert.layers * (5 * bert.hiddenSize + bert.intermediateSize);
      expect(secret.owner).toBeLessThanOrEqual(owner + (8 * (outputs + tokens * bert.hiddenSize)) / 1e6);
      expect(secret.between).toBeLessThanOrEqual(between);
      expect(secret.rounds).toBeLessThanOrEqual(rounds);
    },
  );

  // What the maximum and the gate of each score add to P0's words (docs/adr/0071), and a megabyte for its look-ups.
  it('BERT-base with secret weights, 128 tokens: P0 pays 392 bytes a row of scores, and two bits a score', () => {
    const [open, secret] = (['open', 'secret'] as const).map((weights) =>
      costOf(bert, 'lan', { tokens: 128, rows: 0, weights }),
    );
    const rows = bert.heads * (128 * (bert.layers - 1) + 1);
    const outputs = 128 * bert.layers * (5 * bert.hiddenSize + bert.intermediateSize);
    const added = secret.owner - open.owner - (8 * outputs) / 1e6;
    expect(added).toBeLessThanOrEqual((rows * (392 + 128 / 4)) / 1e6 + 1);
    expect(secret.between).toBeLessThanOrEqual(1.12 * open.between);
  });

  // Complete sharing sends a word each way for a map, and four entries for a widening; its owner hardly more.
  it.each([
    [16, 145, 280],
    [128, 1450, 300],
  ] as const)(
    'BERT-base under complete sharing, %i tokens: 1.05 times the owner’s at most',
    (tokens, between, rounds) => {
      const cost = completeCost(bert, { tokens, rows: 0 });
      expect(cost.owner).toBeLessThanOrEqual(1.05 * costOf(bert, 'lan', { tokens, rows: 0 }).owner);
      expect(cost.between).toBeLessThanOrEqual(between);
      expect(cost.rounds).toBeLessThanOrEqual(rounds);
    },
  );

  it('BERT-base under complete sharing, 16 tokens and secret weights: P0’s words are whole, a sixth more', () => {
    const shape = { tokens: 16, rows: 0, weights: 'secret' };
    const times = completeCost(bert, shape, 0, 'secret').owner / costOf(bert, 'lan', shape).owner;
    expect(times).toBeLessThanOrEqual(1.17);
    expect(times).toBeGreaterThan(1.1);
  });

  // What dealing ahead is worth (docs/adr/0068): 1 half-round of the owner out and 1 in, against these.
  it.each([
    [16, 240],
    [128, 265],
  ])(
    'BERT-base in aby3, %i tokens: the owner is in at most %i half-rounds, and in two of three rounds',
    (tokens, most) => {
      const builder = new Aby3Builder('open');
      buildModel(builder, { ...SHAPE, tokens, rows: 0, config: bert, plan: planOf(bert, 'wide', 8) } as never, 0);
      const { cost, owner, gates } = builder.finish();
      const { rounds = 0, p0ToP1 = 0, p0ToP2 = 0, p2ToP0 = 0 } = owner ?? {};
      const complete = completeCost(bert, { tokens, rows: 0 });
      if (process.env['MEASURE'] !== undefined) console.log(tokens, summed(cost), owner, complete);
      expect(rounds).toBeGreaterThan((2 * cost.rounds) / 3);
      expect(rounds).toBeLessThanOrEqual(most);
      // Two of three, as the README says, and those of every product among them.
      expect(rounds).toBeLessThan((3 * cost.rounds) / 4);
      const products = gates.filter(({ relation }) => relation === 'product');
      expect(products.length).toBeGreaterThan(24);
      for (const { half12, owner: step } of products) expect(step?.half).toBe(half12);
      const up = summed(cost).owner + (p0ToP1 + p0ToP2) / 1e6;
      expect(up).toBeGreaterThan(1.3 * complete.owner);
      expect(up).toBeLessThan(1.4 * complete.owner);
      expect(p2ToP0).toBe(p0ToP1);
    },
  );

  it('a GPT-2 small token behind 128 under complete sharing: 1.05 times the owner’s at most', () => {
    const shape = { tokens: 128, rows: 0, steps: 2 };
    expect(completeCost(gpt2, shape, 1).owner).toBeLessThanOrEqual(1.05 * costOf(gpt2, 'lan', shape, 1).owner);
  });

  it.each([
    ['lan', 'open'],
    ['wan-cloud', 'open'],
    ['lan', 'secret'],
    ['wan-cloud', 'secret'],
  ] as const)('GPT-2 small, plan %s, %s weights, a token behind 128', (plan, weights) => {
    const cost = costOf(gpt2, plan, { tokens: 128, rows: 0, steps: 2, weights }, 1);
    expect(cost.between).toBeLessThanOrEqual(10);
    expect(cost.rounds).toBeLessThanOrEqual(250);
  });
});
