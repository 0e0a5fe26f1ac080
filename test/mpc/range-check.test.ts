/**
 * Range checks among three parties and in the oracle: nothing outside a domain passes, nothing inside what is
 * accepted is refused, whatever the masks.
 */
import { SEMI_HONEST } from '../../src/mpc/protocol/registry.ts';
import { describe, expect, it } from 'vitest';
import { encodeFixed } from '../../src/compute/fixed-point.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { type Words, wordsFrom } from '../../src/compute/ring.ts';
import { parseModelConfig } from '../../src/ml/config.ts';
import type { ModelPlan } from '../../src/ml/models/plan.ts';
import { PlaintextGates } from '../../src/testing/oracle.ts';
import { CircuitBuilder } from '../../src/mpc/protocol/semi-honest/circuit.ts';
import {
  spreadDomain,
  acceptedSpread,
  attend,
  attentionKeys,
  attentionValues,
  spreadBits,
} from '../../src/mpc/secure/attention.ts';
import type { Gates, Wire } from '../../src/mpc/secure/gates.ts';
import {
  type NormaliseRange,
  acceptedVariance,
  normalise,
  normaliseCentred,
  varianceDomain,
  wholeVariance,
  wrappingVariance,
} from '../../src/mpc/secure/normalise.ts';
import { RangeChecks, accepted, magnitudeTables } from '../../src/mpc/secure/range-check.ts';
import { COMPLETE_ROUNDING } from '../../src/mpc/protocol/malicious/rounding.ts';
import type { Cost, TruncationModel } from '../../src/mpc/protocol/types.ts';
import type { Sharing } from '../../src/mpc/share/wire.ts';
import { circuitFor } from '../../src/session/circuit-for.ts';
import type { Request } from '../../src/session/request.ts';
import { declaredBytes, measuredRounds, record, simulate } from '../support/simulate.ts';

const wasm = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });

interface Tensor {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
  /** Of inputs that are no fixed-point numbers. */
  readonly k?: number;
}

const ROUNDING: Readonly<Record<Sharing, TruncationModel>> = {
  'one-sided': SEMI_HONEST.truncation,
  complete: COMPLETE_ROUNDING,
};

type Build = (g: Gates, checks: RangeChecks, ...x: Wire[]) => void;

function circuit(inputs: Readonly<Record<string, Tensor>>, sequences: number, build: Build): (g: Gates) => void {
  return (g) => {
    const checks = new RangeChecks(g, sequences);
    build(
      g,
      checks,
      ...Object.entries(inputs).map(([name, { shape, k }]) => g.input(name, shape, k ?? 64, k === undefined ? 32 : 0)),
    );
    const outside = checks.result();
    if (outside !== undefined) g.output('outside', outside);
  };
}

function words(inputs: Readonly<Record<string, Tensor>>): Record<string, Words> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { values, k }]) => [
      name,
      k === undefined ? encodeFixed(values, 32, 64) : wordsFrom(Array.from(values), k),
    ]),
  );
}

/** The bit of every sequence, among three parties. */
async function privately(
  inputs: Readonly<Record<string, Tensor>>,
  sequences: number,
  build: Build,
  seed: number,
  sharing: Sharing = 'one-sided',
): Promise<number[]> {
  const { outputs } = await simulate(
    circuit(inputs, sequences, build),
    { tensors: words(inputs), indices: {} },
    { kernels: () => wasm, seed, sharing },
  );
  return Array.from((outputs.get('outside') as Words).data, Number);
}

function inTheClear(
  inputs: Readonly<Record<string, Tensor>>,
  sequences: number,
  build: Build,
  sharing: Sharing = 'one-sided',
): number[] {
  const given = { tensors: words(inputs), indices: {} };
  const oracle = new PlaintextGates(given, () => [], undefined, ROUNDING[sharing]);
  circuit(inputs, sequences, build)(oracle);
  return Array.from((oracle.outputs.get('outside') as Words).data, Number);
}

/** One value a sequence, so that every value has a bit of its own. */
const each = (values: readonly number[]): Record<string, Tensor> => ({ x: { shape: [values.length, 1], values } });

describe('a magnitude', () => {
  const domains = [7, 63, 64, 255, 256, 2 ** 15];

  it.each(domains)(
    'of domain %d: all that is accepted passes, nothing from the domain up to its reach does, however far',
    { timeout: 60_000 },
    async (domain) => {
      expect(accepted(domain)).toBeGreaterThanOrEqual(0.74 * domain);
      expect(accepted(domain)).toBeLessThan(domain);
      for (let reach = Math.ceil(Math.log2(domain)); reach < 31; reach += 2) {
        const build: Build = (_g, checks, x) => checks.magnitude(x, domain, reach);
        const inside = [0, 1e-6, 0.3, 0.5, 0.9, 0.999].map((part) => part * accepted(domain));
        const far = Array.from({ length: 24 }, (_, i) => domain * (2 ** reach / domain) ** (i / 23));
        // Places where a residue could come back to zero.
        const periods = magnitudeTables(domain, reach).flatMap(({ factor, unit, bits }) =>
          [1, 2, 3].map((n) => (n * 2 ** (unit + bits)) / factor),
        );
        const outside = [...far, ...periods.filter((value) => value >= domain && value <= 2 ** reach)];
        const values = [...inside, ...inside.map((v) => -v), ...outside, ...outside.map((v) => -v)];
        const want = values.map((v) => (Math.abs(v) < domain ? 0 : 1));
        expect(await privately(each(values), values.length, build, reach), `reach ${reach}`).toEqual(want);
        expect(inTheClear(each(values), values.length, build), `oracle, reach ${reach}`).toEqual(want);
      }
    },
  );

  it('near the edges is refused or not by its mask, never accepted outside: 2,000 values in the ambiguous unit', {
    timeout: 60_000,
  }, async () => {
    const values = Array.from({ length: 2000 }, (_, i) => (i % 2 === 0 ? 1 : -1) * (46 + (i * 24) / 2000));
    const bits = await privately(each(values), values.length, (_g, checks, x) => checks.magnitude(x, 63, 8), 3);
    for (const [i, bit] of bits.entries()) {
      if (Math.abs(values[i]) < accepted(63)) expect(bit).toBe(0);
      if (Math.abs(values[i]) >= 63) expect(bit).toBe(1);
    }
    const between = bits.filter((_bit, i) => Math.abs(values[i]) >= accepted(63) && Math.abs(values[i]) < 56);
    // Control: the unit is ambiguous indeed.
    expect(new Set(between)).toEqual(new Set([0, 1]));
  });
});

describe('the OR', () => {
  it('of a tensor finds a single bit at any place, and only in its own sequence', { timeout: 120_000 }, async () => {
    for (const width of [1, 2, 9, 65, 700]) {
      const sequences = 2;
      const places = [0, Math.floor(width / 2), width - 1, 2 * width - 1];
      for (const [i, place] of [...places, -1].entries()) {
        const values = Array.from({ length: 2 * sequences * width }, (_, at) => (at === place ? 1 : 0));
        const inputs = { x: { shape: [2 * sequences, width], values, k: 1 } };
        const want = [place >= 0 ? 1 : 0, 0];
        const build: Build = (_g, checks, x) => checks.outside(x);
        expect(await privately(inputs, sequences, build, i + width), `width ${width}, place ${place}`).toEqual(want);
        expect(inTheClear(inputs, sequences, build)).toEqual(want);
      }
    }
  });

  it('of several tensors is set by any of them, and elements and rows of padding do not count', {
    timeout: 60_000,
  }, async () => {
    const bit = (shape: readonly number[], place: number): Tensor => ({
      shape,
      values: Array.from({ length: shape[0] * shape[1] }, (_, i) => (i === place ? 1 : 0)),
      k: 1,
    });
    for (const which of [0, 7, 19]) {
      const inputs = Object.fromEntries(
        Array.from({ length: 20 }, (_, i) => [`x${i}`, bit([1, 3], i === which ? 1 : -1)]),
      );
      const build: Build = (_g, checks, ...x) => {
        for (const wire of x) checks.outside(wire);
      };
      expect(await privately(inputs, 1, build, which)).toEqual([1]);
      expect(await privately({ ...inputs, [`x${which}`]: bit([1, 3], -1) }, 1, build, which)).toEqual([0]);
    }
    const marked: Build = (_g, checks, x, elements, rows) => checks.outside(x, { elements, rows });
    for (const [place, want] of [
      [0, 1],
      [2, 0],
      [3, 0],
      [-1, 0],
    ]) {
      // Columns 0 and 1 count, and row 0.
      const inputs = {
        x: bit([2, 3], place),
        elements: { shape: [2, 3], values: [1, 1, 0, 1, 1, 0], k: 1 },
        rows: { shape: [2], values: [1, 0], k: 1 },
      };
      expect(await privately(inputs, 1, marked, 5)).toEqual([want]);
      expect(inTheClear(inputs, 1, marked)).toEqual([want]);
    }
  });
});

describe('the spread of a row', () => {
  /**
   * Rows of scores as attention sees them: q = (8, 0), k = (score, 0). One sequence a row, so every row has its
   * bit.
   */
  function rowsOf(rows: readonly (readonly number[])[]): Record<string, Tensor> {
    const T = rows[0].length;
    return {
      q: { shape: [rows.length, 1, 2], values: rows.flatMap(() => [8, 0]) },
      k: { shape: [rows.length, T, 2], values: rows.flatMap((scores) => scores.flatMap((score) => [score, 0])) },
      v: { shape: [rows.length, T, 2], values: rows.flatMap((scores) => scores.flatMap(() => [1, 0])) },
    };
  }
  const build =
    (treeBits: 8 | 9, reach: number): Build =>
    (g, checks, q, k, v) => {
      const bits = spreadBits(reach, treeBits, g.rounding) as number;
      g.output(
        'context',
        attend(g, q, attentionKeys(g, k), attentionValues(g, v), treeBits, undefined, { checks, bits }),
      );
    };
  /** A generator of our own, so that failures repeat. */
  function random(seed: number): () => number {
    let state = seed;
    return () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
  }

  it.each([
    [8, 'one-sided', [600, 1500, 3500, 7500]],
    [9, 'one-sided', [600, 1500, 3500, 7500]],
    [8, 'complete', [1500]],
    [9, 'complete', [3500]],
  ] as const)(
    'with %d tree bits, %s sharing: up to the accepted spread it passes, beyond its domain never, up to the reach',
    { timeout: 120_000 },
    async (treeBits, sharing, reaches) => {
      const [passes, domain] = [acceptedSpread(treeBits, ROUNDING[sharing]), spreadDomain(treeBits, ROUNDING[sharing])];
      for (const reach of reaches) {
        const next = random(reach + treeBits);
        const rows: number[][] = [];
        const want: (number | undefined)[] = [];
        const half = 2 ** (treeBits + 1);
        for (let i = 0; i < 160; i++) {
          // Half inside, half outside; some at whole periods of the tree, where a wrapped difference looks like none.
          const spread =
            i % 2 === 0
              ? next() * passes
              : i % 4 === 1
                ? domain + 4 + next() * (reach - domain - 4)
                : half * Math.ceil(next() * Math.floor(reach / half));
          const centre = (next() - 0.5) * 1000;
          const scores = Array.from({ length: 7 }, () => centre + next() * spread);
          scores[Math.floor(next() * 7)] = centre;
          const top = Math.floor(next() * 6);
          scores[scores[top] === centre ? 6 : top] = centre + spread;
          const real = Math.max(...scores) - Math.min(...scores);
          rows.push(scores);
          want.push(real <= passes ? 0 : real >= domain + 4 ? 1 : undefined);
        }
        const bits = await privately(rowsOf(rows), rows.length, build(treeBits, reach), reach, sharing);
        const clear = inTheClear(rowsOf(rows), rows.length, build(treeBits, reach), sharing);
        for (const [i, bit] of want.entries()) {
          if (bit === undefined) continue;
          expect(bits[i], `row ${rows[i].join(' ')}, reach ${reach}`).toBe(bit);
          expect(clear[i]).toBe(bit);
        }
        expect(new Set(want)).toContain(0);
        expect(new Set(want)).toContain(1);
      }
    },
  );

  it('needs a ring in which the reach does not come back: 12 bits are the most, and the next smaller ring would pass a wrong row', async () => {
    expect(spreadBits(600, 8, SEMI_HONEST.truncation)).toBe(9);
    expect(spreadBits(7900, 8, SEMI_HONEST.truncation)).toBe(12);
    expect(spreadBits(8000, 8, SEMI_HONEST.truncation)).toBeUndefined();
    // 1,024 logits are 512 units: nothing in nine bits.
    const rows = rowsOf([[0, 1024, 0, 1024]]);
    const small: Build = (g, checks, q, k, v) =>
      g.output('context', attend(g, q, attentionKeys(g, k), attentionValues(g, v), 8, undefined, { checks, bits: 9 }));
    expect(inTheClear(rows, 1, small)).toEqual([0]);
    expect(inTheClear(rows, 1, build(8, 1100))).toEqual([1]);
  });

  it('does not look at padding, neither at its columns nor at its rows, nor behind a causal mask', {
    timeout: 60_000,
  }, async () => {
    const T = 4;
    const scores = (far: readonly [row: number, column: number]) => {
      const q = Array.from({ length: T }, (_, r) => (r === far[0] ? [8, 8] : [8, 0])).flat();
      const k = Array.from({ length: T }, (_, c) => (c === far[1] ? [1, 900] : [1, 0])).flat();
      return {
        q: { shape: [1, T, 2], values: q },
        k: { shape: [1, T, 2], values: k },
        v: { shape: [1, T, 2], values: new Array<number>(2 * T).fill(1) },
      };
    };
    const real = {
      bits: { shape: [1, T], values: [1, 1, 1, 0], k: 1 },
      words: { shape: [1, T], values: [1, 1, 1, 0], k: 8 },
    };
    const bits = spreadBits(2000, 8, SEMI_HONEST.truncation) as number;
    const padded: Build = (g, checks, q, k, v, marks, counts) =>
      g.output(
        'c',
        attend(
          g,
          q,
          attentionKeys(g, k),
          attentionValues(g, v),
          8,
          { real: { bits: marks, words: counts } },
          { checks, bits, rows: marks },
        ),
      );
    const causal: Build = (g, checks, q, k, v) =>
      g.output('c', attend(g, q, attentionKeys(g, k), attentionValues(g, v), 8, 'causal', { checks, bits }));
    const causalPadded: Build = (g, checks, q, k, v, marks) =>
      g.output(
        'c',
        attend(g, q, attentionKeys(g, k), attentionValues(g, v), 8, 'causal', { checks, bits, rows: marks }),
      );
    for (const [row, column] of [0, 1, 2, 3].flatMap((r) => [0, 1, 2, 3].map((c) => [r, c] as const))) {
      const inputs = scores([row, column]);
      const say = `row ${row}, column ${column}`;
      const text = row < 3 && column < 3;
      // A row of one score has no spread.
      const seen = column <= row && row > 0;
      const cases: [Record<string, Tensor>, Build, boolean][] = [
        [{ ...inputs, ...real }, padded, text],
        [inputs, causal, seen],
        [{ ...inputs, bits: real.bits }, causalPadded, seen && row < 3],
      ];
      for (const [given, built, outside] of cases) {
        expect(inTheClear(given, 1, built), say).toEqual([outside ? 1 : 0]);
        // Where it differs: at the edges of the mask.
        if (row >= 2 && column >= 2)
          expect(await privately(given, 1, built, 4 * row + column), say).toEqual([outside ? 1 : 0]);
      }
    }
  });
});

describe('the variance of a row', () => {
  const build =
    (range: NormaliseRange, centred: boolean): Build =>
    (g, checks, x) =>
      g.output('y', (centred ? normaliseCentred : normalise)(g, x, 0, range, { checks }));

  it.each([
    [64, 'fine'],
    [64, 'normal'],
    [96, 'coarse'],
    [64, 'broad'],
    [384, 'normal'],
    [384, 'broad'],
    [768, 'broad'],
    [64, 'fine', true],
    [64, 'normal', true],
    [96, 'coarse', true],
    [64, 'broad', true],
    [384, 'normal', true],
    [768, 'fine', true],
    [768, 'coarse', true],
    [768, 'broad', true],
    [64, 'fine', true, 'complete'],
    [96, 'coarse', true, 'complete'],
    [64, 'broad', false, 'complete'],
    [384, 'normal', true, 'complete'],
  ] as const)(
    'of %d entries, %s, centred %s, %s: inside what is accepted it passes, outside the domain never, until S would wrap',
    { timeout: 60_000 },
    async (d: number, range: NormaliseRange, centred = false, sharing: Sharing = 'one-sided') => {
      const { min, max } = varianceDomain(d, range);
      const passes = acceptedVariance(d, range);
      expect(passes.min).toBeLessThan(1.6 * min);
      expect(passes.max).toBeGreaterThan(0.8 * max);
      const wraps = 0.99 * Math.min(wrappingVariance(d, range), wholeVariance(d));
      const spaced = (from: number, to: number, n: number) =>
        Array.from({ length: n }, (_, i) => from * (to / from) ** (i / (n - 1)));
      const inside = spaced(1.05 * passes.min, 0.98 * passes.max, 9);
      const outside = [
        ...spaced(min / 1e4, 0.95 * min, 5),
        ...(wraps > 1.02 * max ? spaced(1.02 * max, wraps, 9) : []),
      ];
      // All of the variance in one entry, or in all of them alike.
      const row = (variance: number, one: boolean) =>
        Array.from({ length: d }, (_, i) =>
          one
            ? Math.sqrt((variance * d * d) / (d - 1)) * ((i === 3 ? 1 : 0) - (centred ? 1 / d : 0))
            : (i % 2 === 0 ? 1 : -1) * Math.sqrt(variance),
        );
      const variances = [...inside, ...inside, ...outside, ...outside];
      const values = variances.flatMap((variance, i) => row(variance, i % 2 === 0));
      const inputs = { x: { shape: [variances.length, d], values } };
      const want = variances.map((variance) => (inside.includes(variance) ? 0 : 1));
      expect(await privately(inputs, variances.length, build(range, centred), d, sharing)).toEqual(want);
      expect(inTheClear(inputs, variances.length, build(range, centred), sharing)).toEqual(want);
    },
  );
});

describe('the cost of checks', () => {
  it('is declared: bytes and rounds of a circuit with all kinds of them, padded', { timeout: 60_000 }, async () => {
    const T = 5;
    const inputs: Record<string, Tensor> = {
      x: { shape: [T, 16], values: new Array<number>(16 * T).fill(3) },
      q: { shape: [1, T, 2], values: new Array<number>(2 * T).fill(1) },
      bits: { shape: [1, T], values: [1, 1, 1, 1, 0], k: 1 },
      words: { shape: [1, T], values: [1, 1, 1, 1, 0], k: 8 },
    };
    const build: Build = (g, checks, x, q, bits, counts) => {
      checks.magnitude(x, 63, 12, bits);
      const ring = spreadBits(900, 9, SEMI_HONEST.truncation) as number;
      g.output(
        'c',
        attend(
          g,
          q,
          attentionKeys(g, q),
          attentionValues(g, q),
          9,
          { real: { bits, words: counts } },
          { checks, bits: ring, rows: bits },
        ),
      );
      g.output('y', normalise(g, x, 1e-5, 'normal', { checks, rows: bits }));
    };
    const { simulation, messages } = await record(
      circuit(inputs, 1, build),
      { tensors: words(inputs), indices: {} },
      { kernels: () => wasm, seed: 4 },
    );
    expect(simulation.sent).toEqual(declaredBytes(simulation.circuit.cost));
    expect(measuredRounds(messages)).toBe(simulation.circuit.cost.rounds);
  });

  it('at BERT-base dimensions and 128 padded tokens, everything checked: a thirtieth of the bytes, and 4 rounds', {
    timeout: 120_000,
  }, () => {
    // Two layers stand for twelve: what does not repeat, the embeddings and the head, is the smaller part of the
    // difference.
    const sizes = {
      hidden_size: 768,
      num_hidden_layers: 2,
      num_attention_heads: 12,
      intermediate_size: 3072,
      vocab_size: 1000,
      max_position_embeddings: 512,
    };
    const config = parseModelConfig({
      model_type: 'bert',
      architectures: ['BertForTokenClassification'],
      hidden_act: 'gelu',
      type_vocab_size: 2,
      layer_norm_eps: 1e-12,
      ...sizes,
    });
    const each = <T>(value: T) => [value, value];
    const plan: ModelPlan = {
      basis: 'measured',
      activation: each('wide'),
      headActivation: 'narrow',
      treeBits: each(8),
      norms: [...each('normal' as const), ...each('normal' as const)],
      embedding: 'fine',
      head: 'fine',
      checks: {
        activation: each(8),
        headActivation: null,
        spread: each(10),
        value: each(8),
        logit: null,
        margin: 3,
        sampled: 512,
      },
    };
    const request: Request = {
      protocol: '3pc_semi_honest',
      weights: 'open',
      sequences: 1,
      tokens: 128,
      rows: 0,
      padded: true,
      pair: false,
      steps: 0,
    };
    // With so large an ε nothing is checked at all.
    const without = circuitFor({ ...config, layerNormEps: 1 }, { ...plan, checks: null }, request).cost;
    const checked = circuitFor(config, plan, request).cost;
    const up = (cost: Cost) => cost.p0ToP1Ahead + cost.p0ToP2Ahead + cost.p0ToP1Input + cost.p0ToP2Input;
    const between = (cost: Cost) => cost.p2ToP1Ahead + cost.p1ToP2 + cost.p2ToP1;
    expect(up(checked) / up(without)).toBeGreaterThan(1.001);
    expect(up(checked) / up(without)).toBeLessThan(1.033);
    expect(between(checked) / between(without)).toBeGreaterThan(1.005);
    expect(between(checked) / between(without)).toBeLessThan(1.033);
    expect(checked.rounds - without.rounds).toBeLessThanOrEqual(4);
    // To the owner: one byte more, for the bit of one text.
    expect(checked.p1ToP0 - without.p1ToP0).toBe(1);
  });

  it('an element of domain 63 and reach 255 is 1½ bytes for its two tables and about as much for the OR, and P0 pays less than 2¾ bits', () => {
    const n = 3072 * 64;
    const builder = new CircuitBuilder('open');
    const checks = new RangeChecks(builder, 1);
    checks.magnitude(builder.input('x', [64, 3072], 64, 32), 63, 8);
    builder.output('outside', checks.result() as Wire);
    const { cost } = builder.finish();
    expect(cost.p1ToP2 / n).toBeGreaterThan(2.8);
    expect(cost.p1ToP2 / n).toBeLessThan(3.1);
    expect((8 * cost.p0ToP2Ahead) / n).toBeLessThan(2.75);
  });
});
