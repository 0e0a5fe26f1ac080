/** What a public plan costs at BERT-base and GPT-2 small, open weights: the limits that are kept (docs/adr/0025, 0027). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseModelConfig } from '../../src/ml/config.ts';
import { circuitFor } from '../../src/session/circuit-for.ts';
import { WIDENINGS } from '../../src/session/run-plan.ts';
import { planOf } from '../support/architectures.ts';

const read = (name: string) => parseModelConfig(JSON.parse(readFileSync(`bench/configs/${name}.json`, 'utf8')));
const bert = read('bert-base-classifier');
const gpt2 = read('gpt2');
const SHAPE = { sequences: 1, rows: 1, padded: false, pair: false, steps: 0 } as const;

function costOf(config: typeof bert, plan: 'lan' | 'wan-cloud', shape: object, step = 0) {
  const request = {
    protocol: '3pc_semi_honest',
    weights: 'open',
    widening: WIDENINGS[plan],
    ...SHAPE,
    ...shape,
  } as const;
  const { cost } = circuitFor(config, planOf(config, 'wide', 8), request as never, step);
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

  it.each(['lan', 'wan-cloud'] as const)('GPT-2 small, plan %s, a token behind 128', (plan) => {
    const cost = costOf(gpt2 as never, plan, { tokens: 128, rows: 0, steps: 2 }, 1);
    expect(cost.between).toBeLessThanOrEqual(10);
    expect(cost.rounds).toBeLessThanOrEqual(250);
  });
});
