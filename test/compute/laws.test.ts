/**
 * Laws that hold for any inputs: ring axioms, shift identities, selection gives f(x) − r0, a polynomial stays within
 * its rounding bound.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tableLayout } from '../../src/compute/kernels/table-layout.ts';
import { keystream } from '../../src/compute/kernels/reference/chacha.ts';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import { powersOf } from '../../src/compute/kernels/reference/selection.ts';
import type { RingKernels } from '../../src/compute/kernels/types.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { type Words, signedAt, wordAt, wordsFrom } from '../../src/compute/ring.ts';
import { Random, WIDTHS, randomPolynomial, same } from './kernels.suite.ts';

const module = await loadNodeModule();
const backends: [string, RingKernels<Words>, number][] = [
  ['reference', new ReferenceKernels(), 15],
  ['wasm', await createWasmKernels({ party: PartyOperations, module, threads: 0 }), 100],
];
const width = fc.constantFrom(...WIDTHS);
const seed = fc.nat();
const side = fc.integer({ min: 1, max: 11 });

describe.each(backends)('laws, %s', (_, kernels, numRuns) => {
  it('products associate and distribute', async () => {
    await fc.assert(
      fc.asyncProperty(width, seed, side, side, side, side, async (k, s, a, b, c, d) => {
        const random = new Random(s);
        const [x, y, y2, z] = [
          random.words(a * b, k),
          random.words(b * c, k),
          random.words(b * c, k, false),
          random.words(c * d, k),
        ];
        const left = await kernels.matmul(await kernels.matmul(x, y, { batch: 1, m: a, inner: b, n: c }), z, {
          batch: 1,
          m: a,
          inner: c,
          n: d,
        });
        const right = await kernels.matmul(x, await kernels.matmul(y, z, { batch: 1, m: b, inner: c, n: d }), {
          batch: 1,
          m: a,
          inner: b,
          n: d,
        });
        same(left, right);
        const shape = { batch: 1, m: a, inner: b, n: c };
        const sum = await kernels.matmul(x, await kernels.add(y, y2), shape);
        same(sum, await kernels.add(await kernels.matmul(x, y, shape), await kernels.matmul(x, y2, shape)));
      }),
      { numRuns },
    );
  });

  it('shares sum, shifts and casts are exact', async () => {
    await fc.assert(
      fc.asyncProperty(width, seed, fc.nat(70), async (k, s, shift) => {
        const random = new Random(s);
        const [x, mask] = [random.words(20, k), random.words(20, k, false)];
        same(await kernels.add(await kernels.sub(x, mask), mask), x);
        same(await kernels.cast(await kernels.cast(x, 64), k), x);
        // x = (x >> s) · 2^s + x mod 2^s
        const cut = Math.min(shift, k - 1);
        const high = await kernels.scale(await kernels.shiftRight(x, cut, k), 1n << BigInt(cut));
        const low = cut === 0 ? await kernels.scale(x, 0n) : await kernels.cast(await kernels.cast(x, cut), k);
        same(await kernels.add(high, low), x);
        same(
          await kernels.shiftRight(await kernels.shiftRight(x, shift, k), 3, k),
          await kernels.shiftRight(x, shift + 3, k),
        );
        same(await kernels.unpack(await kernels.pack(x), k, 20), x);
        same(await kernels.sumRows(await kernels.repeat(x, 5), 5), await kernels.scale(x, 5n));
      }),
      { numRuns },
    );
  });

  it('a matrix that stays gives the same product as a vector', async () => {
    await fc.assert(
      fc.asyncProperty(seed, side, side, side, async (s, m, rows, cols) => {
        const random = new Random(s);
        const [x, y] = [random.words(m * rows, 64), random.words(rows * cols, 64)];
        const matrix = await kernels.loadMatrix(y.data as BigUint64Array, rows, cols);
        same(await kernels.matmulMatrix(x, matrix), await kernels.matmul(x, y, { batch: 1, m, inner: rows, n: cols }));
        await kernels.freeMatrix(matrix);
      }),
      { numRuns },
    );
  });

  it('deal, table and evaluation give f(x) − r0', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(1, 8, 9, 16, 21, 24, 32, 35, 48, 64),
        seed,
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 20 }),
        async (k, s, log2n, count) => {
          const random = new Random(s);
          const n = 2 ** log2n;
          const f = random.words(n, k, false);
          // Row a of the public table is f(a − j): P1 holds a = x + ℓ, the others ℓ.
          const table = wordsFrom(
            Array.from({ length: n * n }, (_, at) => wordAt(f, (Math.floor(at / n) - (at % n) + n) % n)),
            k,
          );
          const [x, l] = [random.indices(count, n, log2n), random.indices(count, n, log2n)];
          const [pads, r0] = [random.stream(), random.words(count, k, false)];
          const row = await kernels.add(x, l);
          const layout = tableLayout(n, k);
          const bytes = await kernels.selectionTable(
            { kind: 'rows', table, n, stride: n, row },
            layout,
            pads,
            0,
            count,
          );
          const B = await kernels.dealSelection({ index: l }, layout, pads, r0);
          const y = await kernels.evaluateSelection({ index: l }, layout, bytes, B, 0, count);
          const expected = wordsFrom(
            Array.from({ length: count }, (_, i) => wordAt(f, Number(wordAt(x, i))) - wordAt(r0, i)),
            k,
          );
          same(y, expected);
        },
      ),
      { numRuns },
    );
  });

  /** Widths of an entry and their ring. */
  const widthsOf = (random: Random, words: number): { readonly k: number; readonly widths: readonly number[] } => {
    const widths = Array.from({ length: words }, () => 1 + random.below(64));
    return { k: Math.min(64, Math.max(...widths) + random.below(20)), widths };
  };

  it('words of widths of their own give what full ones do, where the basis is a multiple', async () => {
    await fc.assert(
      fc.asyncProperty(seed, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 20 }), async (s, V, count) => {
        const random = new Random(s);
        const { k, widths } = widthsOf(random, 1 + V);
        const layout = tableLayout(4, k, widths);
        const pick = Uint8Array.from({ length: 4 }, () => (random.below(4) === 0 ? 255 : random.below(V)));
        const bits = [random.words(count, 1, false), random.words(count, 1, false)];
        const values = Array.from({ length: V }, () => random.words(count, k, false));
        const index = random.indices(count, 4);
        const basis = wordsFrom(
          Array.from({ length: count * (1 + V) }, (_, at) => random.word() << BigInt(k - widths[at % (1 + V)])),
          k,
        );
        const [pads, r0] = [random.stream(), random.words(count, k, false)];
        const bytes = await kernels.selectionTable({ kind: 'choose', pick, bits, values }, layout, pads, 0, count);
        // Lengths follow from the layout alone.
        expect(bytes).toHaveLength(Math.ceil((count * 4 * widths.reduce((sum, w) => sum + w, 0)) / 8));
        const B = await kernels.dealSelection({ index, basis }, layout, pads, r0);
        const y = await kernels.evaluateSelection({ index, basis }, layout, bytes, B, 0, count);
        const expected = Array.from({ length: count }, (_, i) => {
          const chosen = pick[Number(wordAt(index, i)) ^ Number(wordAt(bits[0], i) | (wordAt(bits[1], i) << 1n))];
          if (chosen === 255) return -wordAt(r0, i);
          const phi = (p: number) => wordAt(basis, i * (1 + V) + p);
          return wordAt(values[chosen], i) * phi(0) + phi(1 + chosen) - wordAt(r0, i);
        });
        same(y, wordsFrom(expected, k));
      }),
      { numRuns },
    );
  });

  it('a table of zeros is the key stream: every pad is used, once, in order', async () => {
    const random = new Random(77);
    for (let run = 0; run < 30; run++) {
      const count = 1 + random.below(40);
      const V = 1 + random.below(4);
      const layout = tableLayout(2, 64, widthsOf(random, 1 + V).widths);
      const table = {
        kind: 'choose',
        pick: Uint8Array.of(255, 255),
        bits: [random.words(count, 1, false)],
        values: Array.from({ length: V }, () => random.words(count, 64, false)),
      } as const;
      const pads = random.stream();
      const bits = 2 * count * layout.widths.reduce((sum, w) => sum + w, 0);
      const length = Math.ceil(bits / 8);
      const stream = keystream(pads.key, pads.nonce, 0, length);
      if (bits % 8 !== 0) stream[length - 1] &= (1 << (bits % 8)) - 1;
      same(await kernels.selectionTable(table, layout, pads, 0, count), stream);
    }
  });

  it('a polynomial is right up to its rounding', async () => {
    await fc.assert(
      fc.asyncProperty(
        seed,
        fc.constantFrom(2, 8, 32),
        fc.constantFrom(3 as const, 4 as const),
        fc.constantFrom(6, 12, 14),
        fc.constantFrom(0, 4, 6),
        async (s, segments, degree, t, guard) => {
          const random = new Random(s);
          const s2 = 13;
          const count = 12;
          const polynomial = { ...randomPolynomial(random, segments, degree, t, guard, 14 + guard), s2 };
          const ring = t + Math.log2(segments);
          const [a, l] = [random.words(count, ring, false), random.words(count, ring)];
          const [pads, r0] = [random.stream(), random.words(count, 64, false)];
          const layout = tableLayout(segments, 64, degree + 1);
          const choice = {
            index: await kernels.shiftRight(l, t, 32),
            basis: await kernels.powers(l, t, s2, degree, 64),
          };
          const bytes = await kernels.selectionTable({ kind: 'polynomial', polynomial, a }, layout, pads, 0, count);
          const B = await kernels.dealSelection(choice, layout, pads, r0);
          const y = await kernels.add(await kernels.evaluateSelection(choice, layout, bytes, B, 0, count), r0);
          for (let i = 0; i < count; i++) {
            const [ai, li] = [wordAt(a, i), wordAt(l, i)];
            const one = 1n << BigInt(t);
            const segment = Number(
              BigInt.asUintN(ring, ((ai >> BigInt(t)) - (li >> BigInt(t))) << BigInt(t)) >> BigInt(t),
            );
            const d = (ai % one) - (li % one);
            const C = polynomial.coefficients.slice((degree + 1) * segment, (degree + 1) * (segment + 1));
            const size = C.reduce((sum, c) => sum + (c < 0n ? -c : c), 0n);
            // Exactly: Σ C_q δ^q · 2^(s2 − guard), times 2^(degree·t + guard) to stay in integers.
            const unit = (one ** BigInt(degree)) << BigInt(guard);
            const exact = C.reduce(
              (sum, c, q) => sum + ((c * d ** BigInt(q) * one ** BigInt(degree - q)) << BigInt(s2)),
              0n,
            );
            const error = signedAt(y, i) * unit - exact;
            // Per p: half a unit of the table plus a Horner floor of 2^-guard for each step, times φ_p; and a floor of
            // φ_p times |D_p| ≤ b·Σ|C| / 2^guard + 1, b the largest binomial.
            const steps = BigInt(degree);
            const binomial = degree === 3 ? 3n : 6n;
            const bound =
              (steps + 1n) *
              ((unit << BigInt(s2)) / 2n +
                (steps << BigInt(s2 + degree * t)) +
                (((binomial * size) >> BigInt(guard)) + 2n) * unit);
            expect(error < bound && -error < bound).toBe(true);
            expect(wordAt(choice.basis, (degree + 1) * i + degree)).toBe(powersOf(li, t, s2, degree)[degree]);
          }
        },
      ),
      { numRuns: Math.ceil(numRuns / 3) },
    );
  });
});
