/** Conformance of a backend: every operation of `ProofKernels` against the reference, word for word. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isPrime } from '../../src/compute/field.ts';
import { digitSteps, groupSize, indexGroup, stepsOf } from '../../src/compute/index-group.ts';
import { CLAIM_LIMBS, type ProofKernels, RADIX } from '../../src/compute/kernels/proof-types.ts';
import { ReferenceProofKernels } from '../../src/compute/kernels/reference/proof.ts';
import { type TableLayout, tableBytes, tableLayout } from '../../src/compute/kernels/table-layout.ts';
import { type Words, wordsFrom } from '../../src/compute/ring.ts';
import { failure } from '../failure.ts';
import { Random } from './kernels.suite.ts';

/** The longest prime below 2^61, one just above 2^60, and toys as tests of soundness have. */
const PRIMES = [2n ** 61n - 1n, 2n ** 60n + 33n, 61n, 5n];
const SIGMAS = [1, 5, 48, 64];
const LAYOUTS = [
  tableLayout(4, 8),
  tableLayout(16, 1),
  tableLayout(3, 64, 2),
  tableLayout(5, 35, [22, 1, 35]),
  tableLayout(1, 57, [57]),
  tableLayout(1, 64, 3),
];

/** Words of q: the smallest, the largest, and others. */
function field(random: Random, count: number, q: bigint): BigUint64Array {
  return BigUint64Array.from({ length: count }, (_, i) => (i === 0 ? q - 1n : i === 1 ? 0n : random.word() % q));
}

const bits = (random: Random, count: number, sigma: number): BigUint64Array =>
  BigUint64Array.from({ length: count }, (_, i) => (i === 0 ? 2n ** BigInt(sigma) - 1n : random.word(sigma)));

/** Tables whose first element has all bits set. */
function tables(random: Random, layout: TableLayout, elements: number): Uint8Array {
  const bytes = random.bytes(tableBytes(layout, elements));
  return bytes.fill(255, 0, Math.floor(bytes.length / Math.max(1, elements)));
}

export function proofConformance(name: string, create: () => Promise<ProofKernels>): void {
  describe(`${name} kernels of proofs are the reference, bit for bit`, () => {
    const reference = new ReferenceProofKernels();
    let kernels: ProofKernels;
    beforeAll(async () => {
      kernels = await create();
    });
    afterAll(() => kernels.close());

    async function both<T>(operation: (of: ProofKernels) => Promise<T>): Promise<void> {
      expect(await operation(kernels)).toEqual(await operation(reference));
    }

    it('primes of this suite are prime', () => expect(PRIMES.every(isPrime)).toBe(true));

    it('draw: every width, from any word on', async () => {
      const random = new Random(1);
      const stream = random.stream();
      for (const k of [1, 20, 31, 32, 33, 48, 63, 64])
        for (const [count, first] of [
          [1, 0],
          [40, 3],
          [17, 64],
        ])
          await both((of) => of.draw(stream, k, count, first));
    });

    it.each(SIGMAS)('digest and columns with σ = %d', async (sigma) => {
      const random = new Random(2);
      for (const [n, width, k] of [
        [1, 1, 64],
        [9, 5, 64],
        [7, 3, 33],
        [12, 4, 8],
        [6, 2, 1],
      ]) {
        const rows = random.words(n * width, k);
        await both((of) => of.digest(rows, width, bits(new Random(n), n, sigma), sigma));
        await both((of) => of.columns(rows, width, bits(new Random(n), width, sigma), sigma));
      }
      // Integers with a sign: sums of all columns in 32 bits, of some, and of fewer than four.
      for (const [n, width, largest] of [
        [5, 7, 2 ** 20],
        [4, 150, 2 ** 27],
        [3, 9, 2 ** 31],
      ]) {
        const signed = Int32Array.from({ length: n * width }, (_, i) =>
          i === 0 ? -largest : i === 1 ? largest - 1 : (Number(random.word(32)) - 2 ** 31) % largest,
        );
        const v = bits(new Random(n), width, sigma);
        await both((of) => of.columns({ k: 64, signed }, width, v, sigma));
        const words = wordsFrom(signed, 64);
        expect(await kernels.columns({ k: 64, signed }, width, v, sigma)).toEqual(
          await kernels.columns(words, width, v, sigma),
        );
      }
      // From 48 elements on X comes before V.
      for (const layout of LAYOUTS)
        for (const n of sigma === 5 || layout === LAYOUTS[0] ? [1, 5, 49] : [1, 5]) {
          const bytes = tables(random, layout, n);
          const v = bits(random, layout.n * layout.widths.length, sigma);
          await both((of) => of.digestEntries(bytes, layout, bits(new Random(n), n, sigma), v, sigma));
        }
    });

    it.each(SIGMAS)('claims with σ = %d', async (sigma) => {
      const random = new Random(3);
      for (const inner of [1, 6]) {
        for (const k of sigma === 64 ? [64] : [48, 49, 64]) {
          const [left, right] = [random.words(sigma * inner, k), random.words(inner * sigma, k)];
          const total = random.words(CLAIM_LIMBS * sigma * sigma, 60).data as BigUint64Array;
          await both((of) => of.matrixClaims(left, right, inner, total));
        }
      }
      for (const layout of LAYOUTS) {
        const [n, words] = [5, layout.n * layout.widths.length];
        const bytes = tables(random, layout, n);
        const [x, v] = [bits(random, n, sigma), bits(random, words, sigma)];
        for (const factors of [
          [undefined, undefined],
          [random.words(n, 64), undefined],
          [random.words(n, 32), random.words(n, 32)],
        ]) {
          await both((of) => of.tableSums(bytes, layout, factors, x, sigma));
          const sums = await reference.tableSums(bytes, layout, factors, x, sigma);
          await both((of) => of.tableClaims(sums, layout, v, sigma));
        }
        const choice = random.indices(n, layout.n);
        const basis = random.words(n * layout.widths.length, layout.k);
        await both((of) => of.choiceClaims(bytes, layout, choice, basis, x, sigma));
        await both((of) => of.choiceClaims(bytes, layout, undefined, undefined, x, sigma));
      }
    });

    it.each(PRIMES)('vectors modulo %d', async (q) => {
      const random = new Random(4);
      for (const sigma of SIGMAS) {
        const [x, coefficients] = [bits(random, 19, sigma), field(random, sigma, q)];
        await both((of) => of.weights(x, coefficients, q));
        for (const k of [8, 64]) {
          const rows: Words = random.words(sigma * 5, k);
          await both((of) => of.combineRows(rows, 5, coefficients, q));
          await both((of) => of.combineColumns(rows, coefficients, q));
        }
      }
      const a = field(random, 21, q);
      for (const k of [1, 20, 64]) {
        const b = random.words(21, k);
        await both((of) => of.multiply(a, b, q));
      }
    });

    it.each(PRIMES)('terms modulo %d', async (q) => {
      const random = new Random(10);
      for (const n of [1, 21]) {
        const bases = [field(random, n, q), field(random, n, q)];
        const terms = [
          { base: 1, factor: random.words(n, 64) },
          { base: 0, factor: undefined },
          // Narrow words behind wide ones.
          { base: 0, factor: random.words(n, 20) },
          { base: 1, factor: random.words(n, 1) },
          { base: 1, factor: undefined },
        ];
        await both((of) => of.terms(bases, terms, q));
        for (const [first, rounds] of [
          [0, 1],
          [13, 3],
          [2 ** 31 - 5, 11],
        ]) {
          const coefficients = Array.from({ length: rounds }, () => field(random, RADIX, q));
          await both((of) => of.termsDot(bases, terms, first, n, coefficients, q));
          await both((of) => of.termsDot(bases, terms, first, n + 40, coefficients, q));
        }
      }
      const one = [field(random, 3, q)];
      await failure('ERR_INTERNAL', (async () => kernels.terms(one, [{ base: 1, factor: undefined }], q))());
      await failure('ERR_INTERNAL', (async () => kernels.terms(one, [{ base: 0, factor: random.words(2, 64) }], q))());
    });

    it.each(PRIMES)('tables modulo %d', async (q) => {
      const random = new Random(5);
      for (const layout of LAYOUTS) {
        const [n, P] = [5, layout.widths.length];
        const bytes = tables(random, layout, n);
        const [some, all] = [field(random, layout.n, q), field(random, layout.n * P, q)];
        await both((of) => of.foldEntries(bytes, layout, field(new Random(n), n, q), some, q));
        await both((of) => of.publicTable(bytes, layout, n, all, q));
        const choice = random.indices(n, layout.n);
        const f = field(random, n * P, q);
        for (const step of stepsOf(Math.ceil(Math.log2(layout.n)), 0, false)) {
          const low = field(random, 2 ** step.at, q);
          await both((of) => of.choiceRound(bytes, layout, choice, f, low, step, q));
        }
      }
    });

    it.each([
      [3, 24, 5, 5n],
      [66, 24, 64, 2n ** 61n - 1n],
      [65, 72, 5, 2n ** 60n + 33n],
    ])('%d tables of %d bits', async (n, entries, sigma, q) => {
      const random = new Random(9);
      const layout = tableLayout(entries, 1);
      const bytes = tables(random, layout, n);
      const [x, v] = [bits(random, n, sigma), bits(random, entries, sigma)];
      await both((of) => of.digestEntries(bytes, layout, x, v, sigma));
      await both((of) => of.tableSums(bytes, layout, [undefined, undefined], x, sigma));
      const [f, some] = [field(random, n, q), field(random, entries, q)];
      await both((of) => of.foldEntries(bytes, layout, f, some, q));
      const choice = random.indices(n, entries);
      for (const step of stepsOf(Math.ceil(Math.log2(entries)), 0, false)) {
        const low = field(random, 2 ** step.at, q);
        await both((of) => of.choiceRound(bytes, layout, choice, f, low, step, q));
      }
    });

    it.each(PRIMES)('digit rounds modulo %d', async (q) => {
      const random = new Random(6);
      for (const group of [indexGroup(0, 2), indexGroup(3), indexGroup(5, 1), indexGroup(4, 4), indexGroup(7)]) {
        const size = groupSize(group);
        const table = field(random, size, q);
        const [mu, nu, f] = [random.indices(30, size), random.indices(30, size), field(random, 30, q)];
        await both(async (of) => of.lookUp(await of.loadTable(table, group), nu));
        const steps = digitSteps(group);
        const coefficients = steps.map(() => field(random, RADIX, q));
        for (const each of [1, 3])
          for (const factor of [undefined, random.words(30 * each, 20), random.words(30 * each, 64)]) {
            await both((of) => of.digitWeights(f, each, mu, steps, coefficients, factor, q));
            await both((of) => of.digitWeights(f, each, mu, [], [], factor, q));
            const whole = field(random, 30 * each, q);
            await both((of) => of.digitWeights(whole, each, mu, steps, coefficients, factor, q));
          }
        for (const step of digitSteps(group)) {
          const alpha = field(random, RADIX, q);
          const most = (count: number) => new BigUint64Array(count).fill(q - 1n);
          for (const [words, beta] of [
            [table, alpha],
            [most(size), most(RADIX)],
          ])
            await both(async (of) => {
              const held = await of.loadTable(words, group);
              await of.foldTable(held, step, beta, q);
              const every = { k: 32, data: Uint32Array.from({ length: size }, (_, s) => s) };
              const found = [await of.lookUp(held, every), await of.lookupRound(f, held, step, mu, nu, q)];
              of.freeTable(held);
              await failure('ERR_INTERNAL', of.lookUp(held, every));
              return found;
            });
          await both((of) => of.digitWeights(f, 1, mu, [step], [alpha], undefined, q));
        }
      }
    });

    it('look-ups of so many elements that a large table is read in their order', async () => {
      const [random, q] = [new Random(8), PRIMES[0]];
      // In the order of their places, or with weights of one place added up where the table is small.
      for (const [group, n] of [
        [indexGroup(14), 4500],
        [indexGroup(11, 4), 4500],
        [indexGroup(6), 600],
        [indexGroup(1, 4), 1100],
      ] as const) {
        const size = groupSize(group);
        const [table, f] = [field(random, size, q), field(random, n, q)];
        const [mu, nu] = [random.indices(n, size), random.indices(n, size)];
        for (const step of digitSteps(group))
          await both(async (of) => of.lookupRound(f, await of.loadTable(table, group), step, mu, nu, q));
      }
    });

    it('weights of so many elements that products of several digits are made beforehand', async () => {
      const [random, q] = [new Random(11), PRIMES[1]];
      for (const [group, n] of [
        [indexGroup(18), 1100],
        [indexGroup(13, 4), 8200],
      ] as const) {
        const [mu, steps] = [random.indices(n, groupSize(group)), digitSteps(group)];
        const coefficients = steps.map(() => field(random, RADIX, q));
        for (const some of [steps, steps.slice(1, 4), [steps[0], steps[2]]])
          await both((of) =>
            of.digitWeights(field(new Random(n), n, q), 1, mu, some, coefficients.slice(0, some.length), undefined, q),
          );
      }
    });

    it('choices and sums of so many elements that they are added up by bytes', async () => {
      const [random, q, n, sigma] = [new Random(12), PRIMES[1], 4100, 5];
      const layout = tableLayout(72, 1);
      const bytes = tables(random, layout, n);
      const [choice, f] = [random.indices(n, layout.n), field(random, n, q)];
      for (const step of stepsOf(7, 0, false)) {
        const low = field(random, 2 ** step.at, q);
        await both((of) => of.choiceRound(bytes, layout, choice, f, low, step, q));
      }
      const x = bits(random, n, sigma);
      await both((of) => of.digest(new Random(n).words(n, 64), 1, x, sigma));
      for (const one of [tableLayout(1, 20), tableLayout(1, 35, [22, 35])]) {
        const factors = [new Random(n).words(n, 34), undefined];
        await both((of) => of.tableSums(tables(new Random(n), one, n), one, factors, x, sigma));
      }
      const one = tableLayout(4, 41);
      const chosen = new Random(n).indices(n, 4);
      await both((of) => of.choiceClaims(tables(new Random(n), one, n), one, chosen, undefined, x, sigma));
    });

    it.each([
      ['few rows of more bytes than are counted at once', 70, 136, 11],
      ['rows that come in 256 buckets', 4100, 16, 11],
      // In a bucket are more rows than a byte counts steps of, and all of them more than 16 bits are kept for.
      ['rows of one challenge, and more than are counted at once', 33_000, 8, 2],
    ])('single bits are counted: %s', async (_, n, words, sigma) => {
      const random = new Random(n);
      const layout = tableLayout(words, 1);
      const bytes = tables(random, layout, n);
      const x = sigma === 2 ? new BigUint64Array(n).fill(3n) : bits(random, n, sigma);
      x[n - 1] = 1n;
      await both((of) => of.tableSums(bytes, layout, [undefined, undefined], x, sigma));
    });

    it.each(PRIMES)('the tail modulo %d', async (q) => {
      const random = new Random(7);
      for (const n of [0, 1, 8, 75]) {
        const [u, w, alpha] = [field(random, n, q), field(random, n, q), field(random, RADIX, q)];
        await both((of) => of.tailRound(u, w, q));
        await both((of) => of.tailFold(u, alpha, q));
        for (const [first, rounds] of [
          [0, 1],
          [13, 3],
          [2 ** 31 - 5, 11],
        ]) {
          const coefficients = Array.from({ length: rounds }, () => field(random, RADIX, q));
          await both((of) => of.tailDot(u, first, coefficients, q));
        }
      }
    });

    it.each([0, 1, 64, 65, 129])('%d elements, all words the largest there are', async (n) => {
      const [q, sigma] = [PRIMES[0], 64];
      const most = (count: number) => new BigUint64Array(count).fill(q - 1n);
      const words = (count: number) => new BigUint64Array(count).fill(2n ** 64n - 1n);
      const all: Words = { k: 64, data: words(n) };
      const layout = tableLayout(3, 64, [64, 1]);
      const bytes = new Uint8Array(tableBytes(layout, n)).fill(255);
      const group = indexGroup(4, 2);
      const last = { k: 32, data: new Uint32Array(n).fill(groupSize(group) - 1) };
      const chosen = { k: 32, data: new Uint32Array(n).fill(layout.n - 1) };
      const step = digitSteps(group)[1];
      await both((of) => of.digest(all, 1, words(n), sigma));
      await both((of) => of.columns(all, 1, words(1), sigma));
      await both((of) => of.digestEntries(bytes, layout, words(n), words(6), sigma));
      await both((of) => of.weights(words(n), most(sigma), q));
      await both((of) => of.multiply(most(n), all, q));
      await both((of) => of.combineRows(all, n, most(1), q));
      await both((of) => of.combineColumns(all, most(1), q));
      await both((of) => of.foldEntries(bytes, layout, most(n), most(layout.n), q));
      await both((of) => of.publicTable(bytes, layout, n, most(6), q));
      await both((of) => of.digitWeights(most(n), 1, last, [step], [most(RADIX)], all, q));
      await both(async (of) => of.lookUp(await of.loadTable(most(groupSize(group)), group), last));
      await both(async (of) => {
        const table = await of.loadTable(most(groupSize(group)), group);
        return of.lookupRound(most(n), table, step, last, last, q);
      });
      const digit = stepsOf(2, 0, false)[0];
      await both((of) => of.choiceRound(bytes, layout, chosen, most(2 * n), most(1), digit, q));
      await both((of) => of.tailRound(most(n), most(n), q));
      await both((of) => of.tailFold(most(n), most(RADIX), q));
      await both((of) => of.tailDot(most(n), 2 ** 32 - 1 - n, [most(RADIX), most(RADIX)], q));
      const terms = [
        { base: 0, factor: all },
        { base: 0, factor: undefined },
      ];
      await both((of) => of.terms([most(n)], terms, q));
      await both((of) => of.termsDot([most(n)], terms, 2 ** 32 - 1 - 2 * n, n, [most(RADIX), most(RADIX)], q));
    });

    it('vectors that are cut into parts are whole', async () => {
      const [q, n] = [PRIMES[0], (1 << 16) + 11];
      const ones = new BigUint64Array(n).fill(1n);
      const eighths = BigUint64Array.from({ length: RADIX }, (_, a) => BigInt(a));
      expect(await kernels.multiply(ones, wordsFrom(new Uint32Array(n).fill(3), 32), q)).toEqual(ones.map(() => 3n));
      expect((await kernels.tailRound(ones, ones, q)).reduce((sum, z) => sum + z)).toBe(8n * BigInt(n - 3) + 9n);
      expect((await kernels.tailFold(ones, eighths, q)).at(-1)).toBe(3n);
      expect(await kernels.tailDot(ones, 0, [eighths], q)).toBe(28n * (BigInt(n - 3) / 8n) + 3n);
      const [threes, digits] = [wordsFrom(new Uint32Array(n).fill(3), 32), Array.from({ length: 6 }, () => eighths)];
      const terms = [
        { base: 0, factor: threes },
        { base: 0, factor: undefined },
      ];
      const scalars = new BigUint64Array([...ones.map(() => 3n), ...ones]);
      expect(await kernels.terms([ones], terms, q)).toEqual(scalars);
      expect(await kernels.termsDot([ones], terms, 7, n, digits, q)).toBe(await kernels.tailDot(scalars, 7, digits, q));
    });
  });
}
