/**
 * The price of a request against what it then costs: bytes and rounds of its circuits, and the vectors that the
 * compute parties hold.
 */
import type { ModelConfig } from '../../src/ml/config.ts';
import type { RunShape } from '../../src/ml/models/run.ts';
import { describe, expect, it } from 'vitest';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { CircuitBuilder, WIDENING } from '../../src/mpc/protocol/semi-honest/circuit.ts';
import type { Cost, Widening } from '../../src/mpc/protocol/types.ts';
import { circuitFor } from '../../src/session/circuit-for.ts';
import { Tally } from '../../src/session/gadget-costs.ts';
import { MEMORY_SLACK, PRICE_SLACK, ROUND_SLACK, dearestPlan, priceOf } from '../../src/session/price.ts';
import type { WeightMode } from '../../src/session/request.ts';
import { ARCHITECTURES, planOf, shapesOf } from '../support/architectures.ts';
import { FULL_SWEEP } from '../support/full-sweep.ts';
import { heldBytes } from './held.ts';

const PLANS = [
  ['narrow', 8],
  ['wide', 9],
  ['far', 9],
] as const;
const BOTH: readonly WeightMode[] = ['open', 'secret'];

/**
 * Heads of one family share all layers, as the embedded models do. So the whole sweep of plans runs for one head of
 * each, and for the others the plan in the middle; TERCET_FULL_SWEEP=1 runs all for all.
 */
const sweeps = (name: string): boolean => FULL_SWEEP || /MaskedLM|LMHead/.test(name);

/** ε that proves the least variances too: a circuit on it has no checks. */
const PROVED = { layerNormEps: 1 };

function trueCost(
  config: ModelConfig,
  plan: ReturnType<typeof planOf>,
  weights: WeightMode,
  shape: RunShape,
  widening: Widening = WIDENING,
): Cost {
  const steps = Array.from(
    { length: shape.steps + 1 },
    (_, step) => circuitFor(config, plan, { protocol: '3pc_semi_honest', weights, widening, ...shape }, step).cost,
  );
  return steps.reduce(
    (sum, cost) =>
      Object.fromEntries(
        Object.entries(cost).map(([key, value]) => [key, value + sum[key as keyof Cost]]),
      ) as unknown as Cost,
  );
}

describe('the price of a request', () => {
  it.each(ARCHITECTURES)(
    '%s: bytes and rounds are never below the circuits, exact for texts and prompts, and within their slack for generated tokens',
    (name, known) => {
      const config = { ...known, ...PROVED };
      const large = config.layers > 4;
      for (const [activation, treeBits] of large || !sweeps(name) ? [PLANS[1]] : PLANS) {
        const plan = planOf(config, activation, treeBits);
        // By oblivious transfer a price is another sum of the same terms: the middle plan is enough.
        const plans = activation === 'wide' ? (['dealer', 'ot'] as const) : [WIDENING];
        for (const [weights, widening] of BOTH.flatMap((mode) => plans.map((widens) => [mode, widens] as const))) {
          for (const shape of large ? shapesOf(config).slice(1, 3) : shapesOf(config)) {
            const what = JSON.stringify([activation, weights, widening, shape]);
            const price = priceOf(config, plan, weights, shape, widening);
            const { rounds, ...links } = trueCost(config, plan, weights, shape, widening);
            for (const [key, bytes] of Object.entries(links)) {
              const priced = price[key as keyof Cost];
              if (shape.steps === 0) expect(priced, `${what} ${key}`).toBe(bytes);
              expect(priced, `${what} ${key}`).toBeGreaterThanOrEqual(bytes);
              expect(priced, `${what} ${key}`).toBeLessThanOrEqual(bytes * (1 + PRICE_SLACK));
            }
            expect(price.rounds, what).toBeGreaterThanOrEqual(rounds);
            expect(price.rounds, what).toBeLessThanOrEqual(rounds * (1 + ROUND_SLACK));
            expect(price.traffic).toBe(Object.keys(links).reduce((sum, key) => sum + price[key as keyof Cost], 0));
          }
        }
      }
    },
  );

  it.each(ARCHITECTURES.filter(([, { layers }]) => layers <= 4))(
    '%s: with the least variances checked, and with every check at its largest, bytes and rounds are never below the circuits',
    (name, config) => {
      const { checks } = dearestPlan(config);
      const plans = [
        ['least', planOf(config, 'narrow', 8)],
        ...PLANS.slice(0, 2).map(
          ([activation, treeBits]) => [activation, { ...planOf(config, activation, treeBits), checks }] as const,
        ),
      ] as const;
      for (const [activation, plan] of plans) {
        for (const shape of sweeps(name) ? shapesOf(config) : shapesOf(config).slice(1, 2)) {
          for (const widening of activation === 'narrow' ? (['dealer', 'ot'] as const) : [WIDENING]) {
            const price = priceOf(config, plan, 'open', shape, widening);
            const what = `${activation} ${widening} ${JSON.stringify(shape)}`;
            for (const [key, value] of Object.entries(trueCost(config, plan, 'open', shape, widening)))
              expect(price[key as keyof Cost], `${what} ${key}`).toBeGreaterThanOrEqual(value);
          }
        }
      }
    },
  );

  it.each(BOTH)('%s weights: a selection that is widened at once costs what its circuit does, both ways', (weights) => {
    for (const widening of ['dealer', 'ot'] as const) {
      for (const [k, to, drop, count] of [
        [21, 46, 0, 9],
        [40, 64, 5, 16],
      ]) {
        const builder = new CircuitBuilder(weights, { widening });
        const [x, bit] = [builder.input('x', [count], k, 8), builder.input('bit', [count], 1, 0)];
        for (let i = 0; i < 2; i++) builder.choose([bit], [x], Uint8Array.of(0, 255), { drop, widen: to });
        const tally = new Tally(weights, false, widening);
        tally.input(k, count);
        tally.input(1, count);
        for (let i = 0; i < 2; i++) tally.selectWide([2 * 2 * k], k - drop, to, count);
        const { cost, gates } = builder.finish();
        expect({ ...tally.cost, rounds: 0 }, `${widening} ${k}`).toEqual({ ...cost, rounds: 0 });
        expect(tally.gates, `${widening} ${k}`).toBe(gates.length);
      }
    }
  });

  it('memory is never below what either compute party holds, and within its slack of the larger', async () => {
    const on = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });
    const texts = { sequences: 2, tokens: 20, rows: 0, padded: true, pair: false, steps: 0 };
    const cases: [string, WeightMode, RunShape][] = [
      ['BertForMaskedLM', 'open', { ...texts, rows: 1 }],
      ['BertForMaskedLM', 'secret', { ...texts, sequences: 1, tokens: 70, rows: 1 }],
      ['DistilBertForSequenceClassification', 'open', { ...texts, tokens: 5, padded: false }],
      ['RobertaForTokenClassification', 'open', { ...texts, sequences: 1, tokens: 70 }],
      ['GPT2LMHeadModel', 'open', { ...texts, sequences: 1, rows: 1, steps: 6 }],
      ['GPT2LMHeadModel', 'secret', { ...texts, sequences: 1, rows: 1, tokens: 3, steps: 3 }],
      ['GPT2Model', 'open', texts],
      ['capitals-bert', 'open', { ...texts, sequences: 1, tokens: 8, rows: 1 }],
    ];
    for (const [name, weights, shape] of cases) {
      const known = ARCHITECTURES.find(([each]) => each === name)?.[1];
      if (known === undefined) throw new Error(`no configuration ${name}`);
      // Random weights leave rows of hardly any variance, and a run that is refused holds nothing any more.
      const config = { ...known, ...PROVED };
      const plan = planOf(config, 'wide', 9);
      const most = Math.max(...(await heldBytes(on, config, plan, weights, shape)));
      const { memory, p1ToP2 } = priceOf(config, plan, weights, shape);
      // A run this small is priced with all of its largest messages in flight, and with its circuit, which no
      // engine holds.
      const circuit =
        4 * 1024 * circuitFor(config, plan, { protocol: '3pc_semi_honest', weights, ...shape }).gates.length;
      const vectors = memory - p1ToP2 - circuit * 1.25;
      expect(memory, `${name} ${weights}`).toBeGreaterThanOrEqual(most);
      expect(vectors, `${name} ${weights}`).toBeLessThanOrEqual(MEMORY_SLACK * most);
    }
    await on.close();
  }, 120_000);

  it('grows with everything that a stranger may ask more of', () => {
    const [, config] = ARCHITECTURES.find(([name]) => name === 'gpt2') as (typeof ARCHITECTURES)[number];
    const plan = planOf(config, 'wide', 9);
    const shape = { sequences: 1, tokens: 100, rows: 1, padded: true, pair: false, steps: 3 };
    const base = priceOf(config, plan, 'open', shape);
    for (const more of [{ tokens: 200 }, { steps: 400 }]) {
      const price = priceOf(config, plan, 'open', { ...shape, ...more });
      expect(price.memory, JSON.stringify(more)).toBeGreaterThan(base.memory);
      expect(price.traffic, JSON.stringify(more)).toBeGreaterThan(base.traffic);
    }
    expect(priceOf(config, plan, 'open', { ...shape, sequences: 8, steps: 0 }).memory).toBeGreaterThan(2 * base.memory);
  });
});
