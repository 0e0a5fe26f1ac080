/** The price of a proved run, from its shape alone, against its circuit and the exact price of its proofs. */
import { describe, expect, it } from 'vitest';
import { listParameters } from '../../src/ml/models/parameters.ts';
import { buildModel } from '../../src/ml/models/secure-at-once.ts';
import { proofPrice } from '../../src/mpc/protocol/malicious/proving/price.ts';
import { PARAMETERS, type ProofParameters } from '../../src/mpc/proof/soundness.ts';
import { planFor } from '../../src/session/model.ts';
import { priceOf } from '../../src/session/price.ts';
import { SEGMENT_BYTES, priceOfRequest, provedPriceOf } from '../../src/session/proved-price.ts';
import { thrown } from '../failure.ts';
import { ARCHITECTURES, planOf } from '../support/architectures.ts';
import { completeCircuit, symmetricCircuit } from '../support/proved.ts';
import { MODEL, REQUEST, SHAPE } from './harness.ts';

const text = { sequences: 1, tokens: 6, rows: 0, padded: true, pair: false, steps: 0 };
const configOf = (name: string) => ARCHITECTURES.find(([each]) => each === name)?.[1] ?? MODEL.config;

/** What the proof of a segment sends in all, with the most rounds that there may be: 20. */
const segmentSends = ({ sigma, maskBits, primes }: ProofParameters) =>
  (sigma * sigma * maskBits) / 8 + 20 * 8 * primes * 80 + 32 * 25 + 16 * primes;

describe('the price of a proved run', () => {
  it.each([
    ['BertForMaskedLM', 'open', { ...text, rows: 1 }],
    ['DistilBertForSequenceClassification', 'secret', text],
    ['GPT2LMHeadModel', 'open', { ...text, rows: 1, tokens: 12 }],
    ['capitals-bert', 'secret', { ...text, rows: 1 }],
  ] as const)('%s, %s weights: never below the circuit and its proofs', { timeout: 60_000 }, (name, weights, shape) => {
    const config = configOf(name);
    const plan = planOf(config, 'far', 9);
    const circuit = completeCircuit((g) => buildModel(g, { ...shape, config, plan }, 0), weights);
    const proofs = proofPrice(circuit, PARAMETERS[128], SEGMENT_BYTES);
    const { rounds, ...links } = circuit.cost;
    const sum = (all: readonly number[]) => all.reduce((total, n) => total + n, 0);
    const price = provedPriceOf(config, plan, weights, shape);
    const traffic = sum(Object.values(links)) + sum(proofs.bytes.flat());
    expect(price.traffic).toBeGreaterThanOrEqual(traffic);
    expect(price.rounds).toBeGreaterThanOrEqual(rounds + Math.max(...proofs.exchanges));
    expect(price.memory).toBeGreaterThanOrEqual(
      priceOf(config, plan, weights, shape).memory + proofs.keptBytes + proofs.tableBytes,
    );
    // And not far above: budgets would refuse what there is room for.
    expect(price.traffic).toBeLessThan(3 * traffic + 500_000);
    const weighed = 8 * sum(listParameters(config).map(({ rows, cols }) => rows * cols));
    expect(price.memory).toBeLessThan(5 * (proofs.keptBytes + proofs.tableBytes) + weighed + 2 ** 26);
  });

  it.each([
    ['BertForMaskedLM', 'open', { ...text, rows: 1 }],
    ['BertForMaskedLM', 'secret', { ...text, rows: 1 }],
    ['GPT2LMHeadModel', 'open', { ...text, rows: 1, tokens: 12 }],
    ['capitals-bert', 'open', { ...text, rows: 1 }],
  ] as const)(
    'of aby3, %s, %s weights: never below, with P0 in the rounds',
    { timeout: 60_000 },
    (name, weights, shape) => {
      const config = configOf(name);
      const plan = planOf(config, 'far', 9);
      const circuit = symmetricCircuit((g) => buildModel(g, { ...shape, config, plan }, 0), weights);
      const proofs = proofPrice(circuit, PARAMETERS[128], SEGMENT_BYTES);
      const { rounds, ...links } = circuit.cost;
      const { rounds: _, p0ToP1 = 0, p0ToP2 = 0, p2ToP0 = 0 } = circuit.owner ?? {};
      const sum = (all: readonly number[]) => all.reduce((total, n) => total + n, 0);
      const model = { ...MODEL, config, provedPlan: plan };
      const price = priceOfRequest(model, { ...REQUEST, ...shape, weights, protocol: 'aby3' });
      const traffic = sum(Object.values(links)) + p0ToP1 + p0ToP2 + p2ToP0 + sum(proofs.bytes.flat());
      expect(price.traffic).toBeGreaterThanOrEqual(traffic);
      expect(price.traffic).toBeLessThan(3 * traffic + 1_000_000);
      expect(price.rounds).toBeGreaterThanOrEqual(rounds + Math.max(...proofs.exchanges));
      expect(price.memory).toBeGreaterThanOrEqual(
        priceOf(config, plan, weights, shape).memory + proofs.keptBytes + proofs.tableBytes,
      );
    },
  );

  it.each(['open', 'secret'] as const)(
    'of level 256, %s weights: never below either',
    { timeout: 60_000 },
    (weights) => {
      const config = configOf('BertForMaskedLM');
      const plan = planOf(config, 'far', 9);
      const shape = { ...text, rows: 1 };
      const circuit = completeCircuit((g) => buildModel(g, { ...shape, config, plan }, 0), weights);
      const proofs = proofPrice(circuit, PARAMETERS[256], SEGMENT_BYTES);
      expect(proofs.soundness).toBeLessThan(-62.9);
      const { rounds, ...links } = circuit.cost;
      const sum = (all: readonly number[]) => all.reduce((total, n) => total + n, 0);
      const price = provedPriceOf(config, plan, weights, shape, 256);
      const traffic = sum(Object.values(links)) + sum(proofs.bytes.flat());
      expect(price.traffic).toBeGreaterThanOrEqual(traffic);
      expect(price.traffic).toBeLessThan(3 * traffic + 500_000);
      expect(price.rounds).toBeGreaterThanOrEqual(rounds + Math.max(...proofs.exchanges));
      expect(price.memory).toBeGreaterThanOrEqual(
        priceOf(config, plan, weights, shape).memory + proofs.keptBytes + proofs.tableBytes,
      );
      // A request at that level is priced by it.
      const request = { ...REQUEST, protocol: '3pc_malicious', securityLevel: 256 } as const;
      expect(priceOfRequest(MODEL, request).memory).toBeGreaterThan(
        priceOfRequest(MODEL, { ...request, securityLevel: undefined }).memory,
      );
      // One segment of the least size: what is declared for each covers what each sends.
      expect(segmentSends(PARAMETERS[256])).toBeLessThanOrEqual(180_000);
      expect(segmentSends(PARAMETERS[128])).toBeLessThanOrEqual(100_000);
    },
  );

  it.each([
    ['3pc_malicious', 'open', 3],
    ['3pc_malicious', 'secret', 2],
    ['aby3', 'open', 3],
    ['aby3', 'secret', 2],
  ] as const)(
    '%s, %s weights: of a prompt and the %i tokens behind it',
    { timeout: 60_000 },
    (protocol, weights, steps) => {
      const config = configOf('GPT2LMHeadModel');
      const plan = planOf(config, 'far', 9);
      const shape = { ...text, rows: 1, tokens: 9, steps };
      const each = Array.from({ length: steps + 1 }, (_, step) => {
        const build = protocol === 'aby3' ? symmetricCircuit : completeCircuit;
        const circuit = build((g) => buildModel(g, { ...shape, config, plan }, step), weights);
        return { circuit, proofs: proofPrice(circuit, PARAMETERS[128], SEGMENT_BYTES) };
      });
      const sum = (all: readonly number[]) => all.reduce((total, n) => total + n, 0);
      const traffic = sum(
        each.map(({ circuit: { cost, owner }, proofs }) => {
          const { rounds, ...links } = cost;
          const { p0ToP1 = 0, p0ToP2 = 0, p2ToP0 = 0 } = owner ?? {};
          return sum(Object.values(links)) + p0ToP1 + p0ToP2 + p2ToP0 + sum(proofs.bytes.flat());
        }),
      );
      const price = priceOfRequest({ ...MODEL, config, provedPlan: plan }, { ...REQUEST, ...shape, weights, protocol });
      expect(price.traffic).toBeGreaterThanOrEqual(traffic);
      expect(price.traffic).toBeLessThan(3 * traffic + (steps + 1) * 500_000);
      const rounds = sum(each.map(({ circuit, proofs }) => circuit.cost.rounds + Math.max(...proofs.exchanges)));
      expect(price.rounds).toBeGreaterThanOrEqual(rounds);
      const most = Math.max(...each.map(({ proofs }) => proofs.keptBytes + proofs.tableBytes));
      expect(price.memory).toBeGreaterThanOrEqual(priceOf(config, plan, weights, shape).memory + most);
    },
  );

  it('is that of the protocol, on the plan of the protocol', () => {
    const proved = { ...REQUEST, protocol: '3pc_malicious' } as const;
    const { config, plan, provedPlan } = MODEL;
    if (provedPlan === undefined) throw new Error('the model of these tests has both plans');
    expect(planFor(MODEL, REQUEST)).toBe(plan);
    expect(planFor(MODEL, proved)).toBe(provedPlan);
    expect(priceOfRequest(MODEL, REQUEST)).toEqual(priceOf(config, plan, 'open', SHAPE));
    expect(priceOfRequest(MODEL, proved)).toEqual(provedPriceOf(config, provedPlan, 'open', SHAPE));
    expect(priceOfRequest(MODEL, proved).memory).toBeGreaterThan(priceOfRequest(MODEL, REQUEST).memory);
    // A model that has no such plan is never run on the other one.
    for (const without of [{ ...MODEL, provedPlan: undefined }])
      expect(thrown('ERR_PROTOCOL_UNAVAILABLE', () => planFor(without, proved)).hint).toContain('3pc_semi_honest');
    expect(planFor(MODEL, { protocol: 'aby3' })).toBe(provedPlan);
  });
});
