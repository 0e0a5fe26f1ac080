import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededUniform, systemUniform } from '../../src/ml/tasks/random.ts';
import { distribution, penalized, type SamplingOptions, sampler } from '../../src/ml/tasks/sampler.ts';
import { thrown } from '../failure.ts';

const GREEDY: SamplingOptions = {
  doSample: false,
  temperature: 1,
  topK: undefined,
  topP: 1,
  repetitionPenalty: 1,
  seed: undefined,
};
const SAMPLE: SamplingOptions = { ...GREEDY, doSample: true, seed: 1 };

/** Straight from transformers' definitions: -Infinity for what is filtered, ascending cumulative sums, no shortcuts. */
function oracle(logits: readonly number[], { temperature, topK, topP }: SamplingOptions): number[] {
  let scores = logits.map((x) => x / temperature);
  const soft = (row: readonly number[]): number[] => {
    const exps = row.map((x) => Math.exp(x - Math.max(...row)));
    const total = exps.reduce((a, b) => a + b, 0);
    return exps.map((x) => x / total);
  };
  if (topK !== undefined) {
    const kth = scores.toSorted((a, b) => b - a)[Math.min(topK, scores.length) - 1];
    scores = scores.map((x) => (x < kth ? Number.NEGATIVE_INFINITY : x));
  }
  if (topP < 1) {
    const probabilities = soft(scores);
    const ascending = scores.map((_, i) => i).sort((a, b) => scores[a] - scores[b] || b - a);
    let cumulative = 0;
    const removed = new Set<number>();
    for (const i of ascending.slice(0, -1)) {
      cumulative += probabilities[i];
      if (cumulative <= 1 - topP) removed.add(i);
    }
    scores = scores.map((x, i) => (removed.has(i) ? Number.NEGATIVE_INFINITY : x));
  }
  return soft(scores);
}

function dense(options: SamplingOptions, logits: readonly number[]): number[] {
  const { ids, probabilities } = distribution(Float64Array.from(logits), options);
  const out = logits.map(() => 0);
  for (const [i, id] of ids.entries()) out[id] = probabilities[i];
  return out;
}

describe('what is drawn from', () => {
  const logits = fc
    .array(fc.integer({ min: -400, max: 400 }), { minLength: 1, maxLength: 40 })
    .map((list) => list.map((x) => x / 64));

  it('is what transformers defines, for any temperature, top-k and top-p', () => {
    const options = fc.record({
      temperature: fc.integer({ min: 1, max: 40 }).map((x) => x / 8),
      topK: fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined }),
      // Not a value at which a sum of probabilities of this size could tie.
      topP: fc.integer({ min: 1, max: 999 }).map((x) => (x + Math.SQRT1_2) / 1000),
    });
    fc.assert(
      fc.property(logits, options, (row, some) => {
        const all = { ...SAMPLE, ...some };
        const [ours, theirs] = [dense(all, row), oracle(row, all)];
        expect(ours.map((x) => x > 0)).toEqual(theirs.map((x) => x > 0));
        for (const [i, x] of ours.entries()) expect(Math.abs(x - theirs[i])).toBeLessThan(1e-12);
      }),
      { numRuns: 500 },
    );
  });

  it('is the whole softmax without limits, and one piece at the narrowest', () => {
    const row = [Math.log(1), Math.log(2), Math.log(5)];
    expect(dense(SAMPLE, row)).toEqual([1 / 8, 2 / 8, 5 / 8].map((x) => expect.closeTo(x, 12)));
    expect(dense({ ...SAMPLE, topK: 1 }, row)).toEqual([0, 0, 1]);
    expect(dense({ ...SAMPLE, topP: 1e-9 }, row)).toEqual([0, 0, 1]);
    expect(dense({ ...SAMPLE, topP: 0.625 }, row)).toEqual([0, 0, 1]);
    expect(dense({ ...SAMPLE, topP: 0.63 }, row)).toEqual([0, expect.closeTo(2 / 7, 12), expect.closeTo(5 / 7, 12)]);
    expect(dense({ ...SAMPLE, temperature: 0.5 }, row)).toEqual(
      [1 / 30, 4 / 30, 25 / 30].map((x) => expect.closeTo(x, 12)),
    );
  });

  it('ends top-p where it is reached exactly', () => {
    expect(dense({ ...SAMPLE, topP: 0.5 }, [1, 1])).toEqual([1, 0]);
    expect(dense({ ...SAMPLE, topP: 0.75 }, [1, 1, 1, 1]).map((x) => x > 0)).toEqual([true, true, true, false]);
  });

  it('keeps what is as likely as the last of top-k', () => {
    expect(dense({ ...SAMPLE, topK: 2 }, [3, 1, 1, 0]).map((x) => x > 0)).toEqual([true, true, true, false]);
  });
});

describe('the repetition penalty', () => {
  it('divides positive logits and multiplies negative ones, once for each piece that occurs', () => {
    expect([...penalized(Float32Array.of(2, -2, 3, 0), [0, 1, 0, 1, 3], 2, 4)]).toEqual([1, -4, 3, 0]);
    expect([...penalized(Float32Array.of(2, -2), [0, 1], 1, 2)]).toEqual([2, -2]);
  });

  it('changes the greedy choice', () => {
    const next = sampler({ ...GREEDY, repetitionPenalty: 2 }, 3);
    expect(next(Float32Array.of(1, 3, 2), [])).toBe(1);
    expect(next(Float32Array.of(1, 3, 2), [1])).toBe(2);
  });
});

describe('choosing', () => {
  it('greedy takes the likeliest, of equals the first, and never a row of a padded vocabulary', () => {
    const next = sampler(GREEDY, 3);
    expect(next(Float32Array.of(1, 2, 2, 99), [])).toBe(1);
    expect(sampler({ ...SAMPLE, temperature: 0.01 }, 3)(Float32Array.of(1, 2, 0, 99), [])).toBe(1);
  });

  it('draws with the right frequencies: chi-square of 40,000 draws at a fixed seed', () => {
    const weights = [0.4, 0.25, 0.15, 0.1, 0.06, 0.03, 0.01];
    const logits = Float32Array.from(weights, Math.log);
    const next = sampler({ ...SAMPLE, seed: 42 }, weights.length);
    const draws = 40_000;
    const counts = weights.map(() => 0);
    for (let i = 0; i < draws; i++) counts[next(logits, [])]++;
    const chiSquare = counts.reduce(
      (sum, count, i) => sum + (count - draws * weights[i]) ** 2 / (draws * weights[i]),
      0,
    );
    // Six degrees of freedom: 22.46 is exceeded once in a thousand seeds.
    expect(chiSquare).toBeLessThan(22.46);
    // And a wrong distribution would be seen: the same counts against even odds.
    expect(counts.reduce((sum, count) => sum + (count - draws / 7) ** 2 / (draws / 7), 0)).toBeGreaterThan(1000);
  });

  it('is repeatable with a seed, and differs by seed', () => {
    const run = (seed: number): number[] => {
      const next = sampler({ ...SAMPLE, seed }, 50);
      return Array.from({ length: 40 }, () => next(new Float32Array(50), []));
    };
    expect(run(7)).toEqual(run(7));
    expect(run(7)).not.toEqual(run(8));
    expect(new Set(run(7)).size).toBeGreaterThan(10);
  });

  it('draws without a seed too', () => {
    const next = sampler({ ...SAMPLE, seed: undefined }, 1000);
    expect(new Set(Array.from({ length: 50 }, () => next(new Float32Array(1000), []))).size).toBeGreaterThan(30);
  });

  it('refuses logits that are not finite', () => {
    thrown('ERR_RANGE', () => sampler(SAMPLE, 2)(Float32Array.of(0, Number.NaN), []));
    thrown('ERR_RANGE', () => sampler(GREEDY, 2)(Float32Array.of(Number.POSITIVE_INFINITY, 0), []));
  });
});

describe('uniform numbers', () => {
  it('lie in [0, 1), even over 16 bins, and use all 53 bits', () => {
    for (const uniform of [seededUniform(3), systemUniform()]) {
      const values = Array.from({ length: 16_000 }, uniform);
      expect(values.every((x) => x >= 0 && x < 1)).toBe(true);
      const bins = Array.from({ length: 16 }, (_, bin) => values.filter((x) => Math.floor(x * 16) === bin).length);
      // 15 degrees of freedom; one in a million exceeds 59.
      expect(bins.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)).toBeLessThan(59);
      expect(values.some((x) => (x * 2 ** 53) % 2 === 1)).toBe(true);
      expect(values.every((x) => Number.isSafeInteger(x * 2 ** 53))).toBe(true);
    }
  });

  it('are the same on every machine: SHA-256 of a tag, the seed and a counter', () => {
    // hashlib.sha256(b"tercet sampling\0" + seed.to_bytes(8, "little") + n.to_bytes(8, "little")).digest()[:8],
    // little endian, >> 11, / 2**53
    const uniform = seededUniform(2 ** 53 - 1);
    expect([uniform(), uniform()]).toEqual([0.9435366436180348, 0.9785283333753058]);
  });
});
