/**
 * Conformance of a backend: every operation of `RingKernels<Words>` against the reference, word for word. Called by
 * the test of each backend.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OT_ROOTS, otSiblings, receiverBase, senderBase } from '../../src/compute/kernels/ot-base.ts';
import { generatePoint } from '../../src/compute/kernels/reference/point.ts';
import { tableLayout } from '../../src/compute/kernels/table-layout.ts';
import { ReferenceProofKernels } from '../../src/compute/kernels/reference/proof.ts';
import type {
  Choice,
  CosineSum,
  Degree,
  PiecewisePolynomial,
  RingKernels,
  SelectionTable,
  Stream,
} from '../../src/compute/kernels/types.ts';
import { listOf, strided, triangle } from '../../src/compute/pattern.ts';
import { type Words, ringMask, wordsFrom, zeros } from '../../src/compute/ring.ts';
import { cosineExponents } from '../../src/compute/kernels/cosine-sum.ts';
import { onHost } from '../support/host-kernels.ts';
import { rememberedReference } from './remembered.ts';

export const WIDTHS = [1, 3, 8, 12, 25, 31, 32, 33, 44, 48, 62, 63, 64];
/** Rings of selections: single bits, lanes, whole bytes and others, below and above 32 and 57 bits. */
const RINGS = [1, 7, 8, 9, 13, 16, 20, 21, 24, 32, 34, 35, 46, 48, 55, 58, 63, 64];
/** Words made of the same signed 11-bit digit, or of extreme halves. */
const EXTREME = [
  -1024n * ((2n ** 66n - 1n) / 2047n),
  1023n * ((2n ** 66n - 1n) / 2047n),
  0x8000000080000000n,
  0x7fffffffffffffffn,
];
/** Words whose halves, of 31 bits below or of 32, are at an end: a sum of two is carried just so, or just not. */
const HALVES = [0n, 1n, -1n, 31n, 32n, 62n, 63n].flatMap((at) =>
  at < 2n ? [BigInt.asUintN(64, at)] : [(1n << at) - 1n, 1n << at, BigInt.asUintN(64, -1n << at)],
);
const EDGES = [0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 63n, 2n ** 64n - 1n];

/** A reproducible generator: a failure names its seed by the test it is in. */
export class Random {
  #state: bigint;

  constructor(seed: number) {
    this.#state = BigInt(seed) + 0x9e3779b97f4a7c15n;
  }

  word(k = 64): bigint {
    this.#state = BigInt.asUintN(64, this.#state + 0x9e3779b97f4a7c15n);
    let z = this.#state;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    return (z ^ (z >> 31n)) & ringMask(k);
  }

  below(n: number): number {
    return Number(this.word(48) % BigInt(n));
  }

  /** Uniform words with the edge values in front. */
  words(count: number, k: number, edges = true): Words {
    return wordsFrom(
      Array.from({ length: count }, (_, i) => (edges && i < EDGES.length ? EDGES[i] : this.word(k))),
      k,
    );
  }

  indices(count: number, n: number, k = 32): Words {
    return wordsFrom(
      Array.from({ length: count }, () => this.below(n)),
      k,
    );
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.below(256));
  }

  stream(): Stream {
    return { key: this.bytes(32), nonce: this.bytes(12) };
  }
}

/** Exact equality. A loop, because a matcher on a long typed array is slow and its message endless. */
export function same(got: Words | Uint8Array, expected: Words | Uint8Array): void {
  const [a, b] = [
    got instanceof Uint8Array ? got : got.data,
    expected instanceof Uint8Array ? expected : expected.data,
  ];
  const kind = (x: Words | Uint8Array, data: typeof a): string =>
    `${data.constructor.name}(${data.length})${x instanceof Uint8Array ? '' : ` mod 2^${x.k}`}`;
  expect(kind(got, a)).toBe(kind(expected, b));
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) expect.fail(`element ${i} is ${a[i]}, expected ${b[i]}`);
}

/** A random polynomial whose coefficients have up to `bits` bits. */
export function randomPolynomial(
  random: Random,
  segments: number,
  degree: Degree,
  t: number,
  guard: number,
  bits: number,
): PiecewisePolynomial {
  const coefficients = BigInt64Array.from(
    { length: (degree + 1) * segments },
    () => random.word(bits) - (1n << BigInt(bits - 1)),
  );
  return { segments, degree, t, s1: 13, s2: 13, guard, coefficients };
}

/** Sums of cosines: as those of GeLU, linear alone, a constant alone, sines alone, and the limits of every number. */
const COSINE_SUMS: readonly CosineSum[] = [
  {
    odd: false,
    linear: true,
    scale: 27,
    shift: 13,
    constant: 33155n,
    terms: [
      { frequency: 8, amplitude: -29_654_000, s1: 13, s2: 14 },
      { frequency: 25, amplitude: -3_597_711, s1: 13, s2: 10 },
      { frequency: 43, amplitude: -644_468, s1: 13, s2: 8 },
      { frequency: 63, amplitude: -53_919, s1: 13, s2: 4 },
    ],
  },
  { odd: false, linear: true, scale: 27, shift: 14, constant: 0n, terms: [] },
  {
    odd: false,
    linear: false,
    scale: 30,
    shift: 0,
    constant: -(2n ** 40n) - 1n,
    terms: [{ frequency: 2 ** 20 - 1, amplitude: 2 ** 31 - 1, s1: 30, s2: 0 }],
  },
  {
    odd: true,
    linear: false,
    scale: 63,
    shift: 5,
    constant: 0n,
    terms: [
      { frequency: 1, amplitude: -(2 ** 31) + 1, s1: 30, s2: 30 },
      { frequency: 0, amplitude: 1 << 24, s1: 0, s2: 30 },
      { frequency: 2 ** 19, amplitude: 0, s1: 0, s2: 0 },
    ],
  },
];

/** The range, its table bytes, dealing and evaluation of one selection, all against the reference. */
async function selection(
  kernels: RingKernels<Words>,
  oracle: RingKernels<Words>,
  random: Random,
  table: SelectionTable<Words>,
  k: number,
  n: number,
  words: number | readonly number[],
  count: number,
): Promise<void> {
  const layout = tableLayout(n, k, words);
  const P = layout.widths.length;
  const pads = random.stream();
  const r0 = random.words(count, k, false);
  const index = random.indices(count, n);
  const choices: Choice<Words>[] = [{ index, basis: random.words(count * P, k, false) }];
  if (P === 1) choices.push({ index });
  if (table.kind === 'cosine' && kernels.makesCosines === true)
    choices.push({ index, cosines: { l: random.words(count, table.a.k), sum: table.sum } });
  const word = random.words(count, k, false);
  for (const [from, to] of [
    [0, count],
    [Math.min(3, count), count],
    [1, Math.min(count, 6)],
  ]) {
    const expected = await oracle.selectionTable(table, layout, pads, from, to);
    same(await kernels.selectionTable(table, layout, pads, from, to), expected);
    for (const choice of choices) {
      same(
        await kernels.evaluateSelection(choice, layout, expected, word, from, to),
        await oracle.evaluateSelection(choice, layout, expected, word, from, to),
      );
    }
  }
  same(await kernels.clearTable(table, layout), await oracle.clearTable(table, layout));
  for (const choice of choices)
    same(await kernels.dealSelection(choice, layout, pads, r0), await oracle.dealSelection(choice, layout, pads, r0));
}

/** Registers the conformance tests of one backend. `name` goes into the titles. */
export function conformance(name: string, make: () => Promise<RingKernels>): void {
  describe(`${name} against the reference`, () => {
    const [oracle, proofs] = [rememberedReference(), new ReferenceProofKernels()];
    let kernels: RingKernels<Words>;
    beforeAll(async () => {
      kernels = onHost(await make());
    });
    afterAll(() => kernels.close());

    it.each(WIDTHS)('elementwise and rows, k = %i', async (k) => {
      const random = new Random(k);
      for (const count of [0, 1, 5, 37]) {
        const [x, y, row] = [random.words(count, k), random.words(count, k, false), random.words(7, k)];
        for (const op of ['add', 'sub', 'mul'] as const) same(await kernels[op](x, y), await oracle[op](x, y));
        for (const c of [0n, -1n, 1n << 40n, random.word()]) {
          same(await kernels.scale(x, c), await oracle.scale(x, c));
          same(await kernels.offset(x, c), await oracle.offset(x, c));
        }
        same(await kernels.addRow(x, row), await oracle.addRow(x, row));
        same(await kernels.mulRow(x, row), await oracle.mulRow(x, row));
        same(await kernels.repeat(x, 3), await oracle.repeat(x, 3));
        for (const to of WIDTHS) {
          same(await kernels.cast(x, to), await oracle.cast(x, to));
          for (const s of [0, 1, 19, 31, 32, 33, 63, 64, 100])
            same(await kernels.shiftRight(x, s, to), await oracle.shiftRight(x, s, to));
        }
      }
      const x = random.words(35, k);
      for (const cols of [1, 5, 7, 35]) same(await kernels.sumRows(x, cols), await oracle.sumRows(x, cols));
      const index = Uint32Array.from({ length: 50 }, () => random.below(35));
      same(await kernels.gather(x, index), await oracle.gather(x, index));
      const patterns = [
        strided(4, [3, 10], [2, 0], [5, 1]),
        strided(34),
        triangle('clamp', 3, 3),
        triangle('pack', 2, 4),
        triangle('spread', 2, 4),
      ];
      // Twice: the second time the list is one that was kept.
      for (const pattern of [...patterns, ...patterns])
        same(await kernels.gather(x, pattern), await oracle.gather(x, listOf(pattern)));
      await expect(kernels.gather(x, strided(0, [2, 35]))).rejects.toMatchObject({ code: 'ERR_INTERNAL' });
      await expect(kernels.gather(x, Uint32Array.of(0, 35))).rejects.toMatchObject({ code: 'ERR_INTERNAL' });
    });

    it.each(WIDTHS)('products, k = %i', async (k) => {
      const random = new Random(100 + k);
      for (const [batch, m, inner, n] of [
        [1, 1, 1, 1],
        [1, 5, 9, 13],
        [3, 4, 8, 8],
        [2, 7, 0, 3],
        [5, 2, 17, 9],
        [1, 9, 300, 5],
        [3, 1, 70, 9],
      ]) {
        const [x, y] = [random.words(batch * m * inner, k), random.words(batch * inner * n, k)];
        for (const transposed of [false, true]) {
          const shape = { batch, m, inner, n, transposed };
          same(await kernels.matmul(x, y, shape), await oracle.matmul(x, y, shape));
        }
      }
    });

    it.each([1, 20, 32, 33, 44, 64])('rows times matrices where they lie, k = %i', async (k) => {
      if (kernels.matmulPlaced === undefined) return;
      const random = new Random(180 + k);
      const wider = k <= 32 ? 32 : 64;
      for (const [batch, inner, n] of [
        [1, 1, 1],
        [2, 3, 5],
        [12, 64, 129],
        [3, 200, 7],
        [1, 1, 9000],
        [1, 9000, 1],
      ]) {
        for (const transposed of [false, true]) {
          const shape = { batch, m: 1, inner, n, transposed };
          const [rows, cols] = transposed ? [n, inner] : [inner, n];
          // As heads lie, and with words between matrices, between rows, before the first and behind the last.
          for (const [offset, between, behind] of [
            [0, 0, 0],
            [3, 2, 5],
          ]) {
            const apart = cols + between;
            const places = { offset, apart, stride: batch * apart + behind };
            const factors = [k, wider, Math.min(wider, k + 1)].map((ring) => ({
              x: random.words(batch * inner, k),
              y: random.words(offset + rows * places.stride + 4, ring),
            }));
            for (const some of [factors, factors.slice(1, 2)]) {
              const got = await kernels.matmulPlaced(some, shape, places);
              // The twin of large ones: gathered, and multiplied.
              if (batch * inner * n < 2 ** 10) same(got, await oracle.matmulPlaced(some, shape, places));
              const taken = strided(offset, [batch, apart], [rows, places.stride], [cols, 1]);
              let sum = zeros(batch * n, k);
              for (const { x, y } of some) {
                const whole = await kernels.cast(await kernels.gather(y, taken), k);
                sum = await kernels.add(sum, await kernels.matmul(x, whole, shape));
              }
              same(got, sum);
            }
          }
        }
      }
    });

    it('no product with matrices that do not lie there', async () => {
      if (kernels.matmulPlaced === undefined) return;
      const random = new Random(199);
      const shape = { batch: 2, m: 1, inner: 3, n: 4, transposed: true };
      const [x, y] = [random.words(6, 44), random.words(24, 48)];
      const places = { offset: 0, apart: 3, stride: 6 };
      const refused = (factor: { x: Words; y: Words }, where = places) =>
        expect(kernels.matmulPlaced?.([factor], shape, where)).rejects.toMatchObject({ code: 'ERR_INTERNAL' });
      await kernels.matmulPlaced([{ x, y }], shape, places);
      await refused({ x, y }, { ...places, offset: 1 });
      await refused({ x, y: random.words(23, 48) });
      await refused({ x: random.words(5, 44), y });
      if (kernels.name !== 'reference') await refused({ x, y }, { ...places, apart: 4 });
      if (kernels.name !== 'reference') await refused({ x, y: random.words(24, 32) });
    });

    it.each([33, 44, 64])('products by what is drawn, k = %i', async (k) => {
      if (kernels.matmulDrawn === undefined) return;
      const random = new Random(150 + k);
      const stream = (): Stream => ({ key: random.bytes(32), nonce: random.bytes(12) });
      const signs = [
        [1, -1, 0],
        [0, 1, 1],
      ] as const;
      for (const [m, inner, n] of [
        [1, 1, 1],
        [3, 5, 7],
        [0, 4, 3],
        [1, 300, 600],
        [5, 40, 4099],
      ]) {
        const drawn = [0, 3, 1000].map((first) => ({ stream: stream(), first }));
        const factors = signs.map((row) => ({ x: random.words(m * inner, k), signs: row }));
        const got = await kernels.matmulDrawn(factors, drawn, inner, n);
        if (m * inner * n < 2 ** 10) same(got, await oracle.matmulDrawn(factors, drawn, inner, n));
        // The twin of larger ones: the kernels' own words and products, which are compared above.
        let sum = zeros(m * n, k);
        for (const { x, signs: row } of factors) {
          let y = zeros(inner * n, k);
          for (const [i, { stream: of, first }] of drawn.entries())
            y = await kernels.add(y, await kernels.scale(await kernels.draw(of, k, inner * n, first), BigInt(row[i])));
          sum = await kernels.add(sum, await kernels.matmul(x, y, { batch: 1, m, inner, n }));
        }
        same(got, sum);
      }
    });

    it('products of words with extreme halves, by every number of bits where a product is made otherwise', async () => {
      const random = new Random(210);
      const extreme = (count: number, k: number): Words =>
        wordsFrom(
          Array.from({ length: count }, () => HALVES[random.below(HALVES.length)] & ringMask(k)),
          k,
        );
      // One row, pairs, one more, as many as are packed at once and more; blocks of the inner dimension.
      for (const [m, inner, n] of [
        [1, 3, 5],
        [2, 4, 4],
        [7, 12, 9],
        [8, 257, 5],
        [9, 515, 4],
        [67, 5, 13],
      ]) {
        for (const k of [61, 62, 63, 64]) {
          const [x, y] = [extreme(m * inner, k), extreme(inner * n, k)];
          for (const transposed of [false, true]) {
            const shape = { batch: 1, m, inner, n, transposed };
            same(await kernels.matmul(x, y, shape), await oracle.matmul(x, y, shape));
          }
        }
        const [x, entries] = [extreme(m * inner, 64), extreme(inner * n, 64).data as BigUint64Array];
        const [matrix, expected] = [
          await kernels.loadMatrix(entries.slice(), inner, n),
          await oracle.loadMatrix(entries, inner, n),
        ];
        for (const bits of [33, 61, 62, 63, 64])
          same(await kernels.matmulMatrix(x, matrix, bits), await oracle.matmulMatrix(x, expected, bits));
        await kernels.freeMatrix(matrix);
      }
    });

    it('products by a matrix whose columns have as much as sums of 32 bits hold, and one more', async () => {
      const rows = 300;
      const cols = 9;
      // 32 of 2047, 16 of 4095 and 256 of 8191 are within limits of the kernels of WebAssembly. Those above are not.
      for (const limit of [2047, 2048, 4095, 4096, 8191, 8192]) {
        for (const signs of [-1, 0, 1]) {
          const entries = Int32Array.from({ length: rows * cols }, (_, i) => (signs || (i % 2 ? 1 : -1)) * limit);
          const [matrix, expected] = [
            await kernels.loadMatrix(entries.slice(), rows, cols),
            await oracle.loadMatrix(entries, rows, cols),
          ];
          // The last three have the greatest digits of 16, 14 and 11 bits.
          for (const word of [2n ** 64n - 1n, 0x7fff_7fff_7fff_7fffn, 0x8000_8000_0800_2000n, 0x1_0020_0400n]) {
            for (const bits of [48, 49, 60, 64]) {
              const x = wordsFrom(new Array(5 * rows).fill(word), 64);
              same(await kernels.matmulMatrix(x, matrix, bits), await oracle.matmulMatrix(x, expected, bits));
            }
          }
          await kernels.freeMatrix(matrix);
        }
      }
    });

    it('products by a matrix that stays', async () => {
      const random = new Random(200);
      const held: [
        Awaited<ReturnType<RingKernels<Words>['loadMatrix']>>,
        Awaited<ReturnType<RingKernels<Words>['loadMatrix']>>,
        number,
      ][] = [];
      for (const [rows, cols] of [
        [1, 1],
        [7, 5],
        [16, 24],
        [300, 9],
        [520, 3],
      ]) {
        const wide = BigUint64Array.from({ length: rows * cols }, (_, i) =>
          i < EDGES.length ? EDGES[i] : random.word(),
        );
        const narrow = Int32Array.from({ length: rows * cols }, (_, i) =>
          i === 0 ? -(2 ** 31) : i === 1 ? 2 ** 31 - 1 : Number(random.word(32)) | 0,
        );
        // Small entries up to the limits of 16 bits, which a backend may treat apart; and such with a single larger
        // one.
        const small = Int32Array.from({ length: rows * cols }, (_, i) =>
          i < 2 ? [-32767, 32767][i] : Number(random.word(16)) - 2 ** 15 || 1,
        );
        const extreme = new Int32Array(rows * cols).fill(-32767);
        const mixed = small.with(rows * cols - 1, -32768);
        for (const entries of [wide, narrow, small, extreme, mixed]) {
          const given = entries.slice();
          held.push([await kernels.loadMatrix(given, rows, cols), await oracle.loadMatrix(entries, rows, cols), rows]);
          new Uint8Array(given.buffer).fill(0); // the caller may drop or reuse its copy
        }
      }
      const check = async (): Promise<void> => {
        for (const [matrix, expected, rows] of held) {
          expect([matrix.rows, matrix.cols, matrix.entries]).toEqual([expected.rows, expected.cols, expected.entries]);
          for (const m of [0, 1, 3, 4, 6]) {
            // Rows of uniform words, and of words whose digits or halves are all extreme.
            const x =
              m === 1
                ? wordsFrom(new Array(rows).fill(EXTREME[rows % EXTREME.length]), 64)
                : random.words(m * rows, 64);
            same(await kernels.matmulMatrix(x, matrix), await oracle.matmulMatrix(x, expected));
            // Fewer bits: at either side of where a digit less does.
            const bits = [1, 40, 48, 49, 60, 61][(m + rows) % 6];
            same(await kernels.matmulMatrix(x, matrix, bits), await oracle.matmulMatrix(x, expected, bits));
          }
          // A backend may hold entries so that it cannot give them back; what it gives is what was loaded.
          const entries = await kernels.entries?.(matrix);
          if (entries !== undefined) expect(entries).toEqual(await oracle.entries(expected));
          const signed = await oracle.entries(expected);
          for (const sigma of matrix.rows * matrix.cols > 4096 ? [] : [5, 48]) {
            const v = BigUint64Array.from({ length: matrix.cols }, () => random.word(sigma));
            const times = await kernels.columns?.(matrix, v, sigma);
            if (times !== undefined && signed !== undefined)
              expect(times).toEqual(await proofs.columns({ k: 64, signed }, matrix.cols, v, sigma));
          }
        }
      };
      await check();
      // Freed matrices leave gaps; the others keep their contents and new ones fit in.
      for (const i of [0, 3, 5]) {
        const [[matrix]] = held.splice(i, 1);
        await kernels.freeMatrix(matrix);
        await kernels.freeMatrix(matrix);
        await expect(kernels.matmulMatrix(random.words(matrix.rows, 64), matrix)).rejects.toMatchObject({
          code: 'ERR_STATE',
        });
      }
      const entries = Int32Array.from({ length: 60 }, () => Number(random.word(32)) | 0);
      held.push([await kernels.loadMatrix(entries, 6, 10), await oracle.loadMatrix(entries, 6, 10), 6]);
      await check();
    });

    it('draws words of a key stream from any position', async () => {
      const random = new Random(300);
      for (const k of WIDTHS) {
        const stream = random.stream();
        for (const [count, first] of [
          [0, 0],
          [1, 0],
          [100, 0],
          [33, 1],
          [70, 15],
          [5, 123457],
          [9, 2 ** 33 + 3],
        ]) {
          same(await kernels.draw(stream, k, count, first), await oracle.draw(stream, k, count, first));
        }
      }
      const stream = random.stream();
      same(await kernels.draw(stream, 64, 20), await oracle.draw(stream, 64, 20));
    });

    it.each([...new Set([...WIDTHS, ...RINGS, 40, 56])])('wire form, k = %i', async (k) => {
      const random = new Random(400 + k);
      for (const count of [0, 1, 7, 8, 9, 61]) {
        const x = random.words(count, k);
        const bytes = await oracle.pack(x);
        same(await kernels.pack(x), bytes);
        same(await kernels.unpack(bytes, k, count), x);
        const noise = random.bytes(bytes.length);
        same(await kernels.unpack(noise, k, count), await oracle.unpack(noise, k, count));
        expect(bytes).toHaveLength(Math.ceil((k * count) / 8));
        // Behind the last word a sender puts zeros, and a receiver does not look.
        const spare = 8 * bytes.length - k * count;
        if (spare > 0) {
          expect(bytes[bytes.length - 1] >> (8 - spare)).toBe(0);
          const marked = bytes.with(bytes.length - 1, bytes[bytes.length - 1] | (255 << (8 - spare)));
          same(await kernels.unpack(marked, k, count), x);
        }
      }
      await expect(kernels.unpack(new Uint8Array(3), 64, 1)).rejects.toMatchObject({ code: 'ERR_INTERNAL' });
    });

    it.each(RINGS)('selection of rows, k = %i', async (k) => {
      const random = new Random(500 + k);
      for (const [rows, n] of [
        // One entry, for what is zero at all others.
        [2, 1],
        [4, 4],
        [16, 16],
        [5, 3],
        [64, 64],
        [9, 37],
      ]) {
        const table: SelectionTable<Words> = {
          kind: 'rows',
          table: random.words(rows * n, k),
          n,
          stride: n,
          row: random.indices(11, rows),
        };
        await selection(kernels, oracle, random, table, k, n, 1, 11);
      }
      // Rows and indices over other rings than the output's.
      const other: SelectionTable<Words> = {
        kind: 'rows',
        table: random.words(64, 64, false),
        n: 8,
        stride: 8,
        row: random.indices(11, 8, 40),
      };
      await selection(kernels, oracle, random, other, k, 8, 1, 11);
      const outside: SelectionTable<Words> = {
        kind: 'rows',
        table: random.words(64, 64, false),
        n: 8,
        stride: 8,
        row: random.indices(9, 1000),
      };
      await expect(kernels.selectionTable(outside, tableLayout(8, k), random.stream(), 0, 9)).rejects.toMatchObject({
        code: 'ERR_INTERNAL',
      });
    });

    it.each([8, 20, 24, 32, 35, 40, 64])('selection of polynomials, k = %i', async (k) => {
      const random = new Random(600 + k);
      for (const [segments, t, guard, bits] of [
        [4, 8, 0, 12], // products fit 32 bits
        [32, 12, 4, 14],
        [8, 14, 6, 24], // sums fit 32 bits
        [3, 31, 8, 27],
        [16, 20, 8, 36], // products fit 64 bits
        [4, 33, 0, 24],
        [4, 40, 5, 50], // sums fit 64 bits
        [2, 20, 1, 60],
      ]) {
        for (const degree of [3, 4] as const) {
          // The binomials of degree 4 take a bit more.
          const polynomial = randomPolynomial(random, segments, degree, t, guard, bits - (degree - 3));
          const a = random.words(9, t + Math.ceil(Math.log2(segments)), true);
          const table = { kind: 'polynomial', polynomial, a } as const;
          await selection(kernels, oracle, random, table, k, segments, degree + 1, 9);
        }
      }
    });

    it.each([1, 8, 32, 42, 48, 64])('selection of exponentials, k = %i', async (k) => {
      const random = new Random(700 + k);
      for (const [width, scales] of [
        [4, [0, 14, 31, 56, 57]],
        [8, [0, 19, 31, 50, 51]],
      ] as const) {
        const table = { kind: 'exp', width, a: random.words(20, 25), gate: random.words(20, 1) } as const;
        for (const s1 of scales) await selection(kernels, oracle, random, { ...table, s1 }, k, 64 / width, 1, 20);
        const large = { ...table, s1: scales[4] + 1 };
        await expect(
          kernels.selectionTable(large, tableLayout(64 / width, k), random.stream(), 0, 1),
        ).rejects.toMatchObject({
          code: 'ERR_RANGE',
        });
      }
    });

    it.each([1, 8, 32, 35, 40, 64])('selection of sums of cosines, k = %i', async (k) => {
      const random = new Random(750 + k);
      for (const sum of COSINE_SUMS) {
        const P = cosineExponents(sum).length;
        for (const ring of [20, 22, 48]) {
          const a = random.words(20, ring);
          for (const gate of [undefined, random.words(20, 1, false)]) {
            const table = { kind: 'cosine', sum, a, gate } as const;
            await selection(kernels, oracle, random, table, k, gate === undefined ? 1 : 2, P, 20);
          }
        }
      }
    });

    it('bases of sums of cosines over several blocks', async () => {
      const random = new Random(790);
      const [sum] = COSINE_SUMS;
      const [k, P, count] = [40, cosineExponents(sum).length, 2500];
      const [l, a, gate] = [random.words(count, 20), random.words(count, 20), random.words(count, 1, false)];
      for (const to of [20, 48]) same(await kernels.cosineBasis(l, sum, to), await oracle.cosineBasis(l, sum, to));
      await selection(kernels, oracle, random, { kind: 'cosine', sum, a, gate }, k, 2, P, count);
      same(await kernels.powers(l, 12, 12, 3, 40), await oracle.powers(l, 12, 12, 3, 40));
    });

    it('a cosine is the same at every coarse and every fine angle, and at random ones', async () => {
      const random = new Random(770);
      const angles = [
        ...Array.from({ length: 1024 }, (_, i) => [i, i << 10, (i << 10) + 1023, (i << 10) + (1023 - i)]).flat(),
        ...Array.from({ length: 2048 }, () => random.below(2 ** 20)),
      ];
      const l = wordsFrom(angles, 20);
      const terms = [30, 14, 4, 0].map((s2) => ({ frequency: 1, amplitude: 1 << 24, s1: 30, s2 }));
      const sum: CosineSum = { odd: false, linear: false, scale: 60, shift: 0, constant: 0n, terms };
      same(await kernels.cosineBasis(l, sum, 64), await oracle.cosineBasis(l, sum, 64));
      const pads = random.stream();
      const table = { kind: 'cosine', sum, a: l } as const;
      const layout = tableLayout(1, 64, cosineExponents(sum).length);
      same(
        await kernels.selectionTable(table, layout, pads, 0, angles.length),
        await oracle.selectionTable(table, layout, pads, 0, angles.length),
      );
    });

    it('refuses sums of cosines that do not fit', async () => {
      const random = new Random(780);
      const [sum] = COSINE_SUMS;
      const [term] = sum.terms;
      for (const bad of [
        { ...sum, scale: 64 },
        { ...sum, shift: 28 },
        { ...sum, constant: 1n << 62n },
        ...[{ frequency: 2 ** 20 }, { frequency: 0.5 }, { amplitude: 2 ** 31 }, { s1: 31 }, { s2: 15 }].map(
          (change) => ({
            ...sum,
            terms: [{ ...term, ...change }],
          }),
        ),
      ]) {
        const x = random.words(1, 20);
        await expect(kernels.cosineBasis(x, bad, 64)).rejects.toMatchObject({ code: 'ERR_RANGE' });
        const table = { kind: 'cosine', sum: bad, a: x } as const;
        await expect(
          kernels.selectionTable(table, tableLayout(1, 64, cosineExponents(bad).length), random.stream(), 0, 1),
        ).rejects.toMatchObject({
          code: 'ERR_RANGE',
        });
      }
    });

    it.each([1, 8, 21, 24, 32, 55, 64])('selection by bits, k = %i', async (k) => {
      const random = new Random(800 + k);
      for (const [V, pick] of [
        [1, [0, 255]],
        [2, [0, 1, 255, 1]],
        [3, [0, 1, 2, 255, 255, 2, 1, 0]],
        [9, [0, 8]],
      ] as const) {
        const bits = Array.from({ length: Math.log2(pick.length) }, () => random.words(13, 1));
        const values = Array.from({ length: V }, () => random.words(13, k));
        await selection(
          kernels,
          oracle,
          random,
          { kind: 'choose', pick: Uint8Array.from(pick), bits, values },
          k,
          pick.length,
          1 + V,
          13,
        );
        same(await kernels.chooseBasis(values), await oracle.chooseBasis(values));
      }
    });

    it.each([
      [35, [22, 22, 35, 31, 29, 25]],
      [35, [21, 21, 35]],
      [64, [1, 64, 57, 58, 3]],
      [32, [32, 16, 8]],
      [21, [21, 1]],
      [16, [5, 5, 5, 5]],
    ] as const)('words of widths of their own, k = %i, %j', async (k, widths) => {
      const random = new Random(850 + k + widths.length);
      const V = widths.length - 1;
      for (const pick of [
        [0, 255],
        [0, V - 1, 255, 0],
      ]) {
        const bits = Array.from({ length: Math.log2(pick.length) }, () => random.words(21, 1));
        const values = Array.from({ length: V }, () => random.words(21, k));
        const table = { kind: 'choose', pick: Uint8Array.from(pick), bits, values } as const;
        await selection(kernels, oracle, random, table, k, pick.length, widths, 21);
      }
    });

    it('an entry longer than two and than four blocks of key stream', async () => {
      const random = new Random(875);
      for (const V of [12, 28]) {
        const bits = [random.words(9, 1), random.words(9, 1)];
        const values = Array.from({ length: V }, () => random.words(9, 59));
        const pick = Uint8Array.of(V - 1, 255, 0, 7);
        await selection(kernels, oracle, random, { kind: 'choose', pick, bits, values }, 59, 4, 1 + V, 9);
      }
    });

    it('refuses operands that are not those of the layout', async () => {
      const random = new Random(900);
      const [choice, pads] = [{ index: random.indices(9, 2) }, random.stream()];
      const [layout, words] = [tableLayout(2, 12), random.words(9, 12)];
      const table = { kind: 'rows', table: random.words(4, 12), n: 2, stride: 2, row: random.indices(9, 2) } as const;
      const refused = (call: Promise<unknown>) => expect(call).rejects.toMatchObject({ code: 'ERR_INTERNAL' });
      const bytes = await kernels.selectionTable(table, layout, pads, 0, 9);
      await expect(kernels.dealSelection(choice, layout, pads, words)).resolves.toBeDefined();
      await expect(kernels.evaluateSelection(choice, layout, bytes, words, 0, 9)).resolves.toBeDefined();
      await refused(kernels.dealSelection(choice, layout, pads, random.words(9, 13)));
      await refused(kernels.dealSelection(choice, layout, pads, random.words(8, 12)));
      await refused(kernels.dealSelection(choice, tableLayout(2, 12, [12, 3]), pads, words));
      await refused(kernels.dealSelection({ ...choice, basis: random.words(9, 13) }, layout, pads, words));
      await refused(kernels.selectionTable(table, tableLayout(3, 12), pads, 0, 9));
      await refused(kernels.selectionTable(table, tableLayout(2, 12, [12, 3]), pads, 0, 9));
      await refused(kernels.evaluateSelection(choice, layout, bytes.subarray(1), words, 0, 9));
      await refused(kernels.evaluateSelection(choice, layout, bytes, random.words(9, 13), 0, 9));
    });

    it('bases', async () => {
      const random = new Random(1000);
      for (const k of WIDTHS) {
        for (const [t, s2] of [
          [12, 13],
          [14, 14],
          [10, 40],
          [21, 10],
          [22, 12],
          [42, 30],
          [5, 0],
          [1, 63],
        ]) {
          const l = random.words(23, Math.min(64, t + 5));
          same(await kernels.powers(l, t, s2, 3, k), await oracle.powers(l, t, s2, 3, k));
        }
        for (const [t, s2] of [
          [12, 13],
          [14, 11],
          [16, 0],
          [10, 40],
          [31, 30],
          [1, 63],
        ]) {
          const l = random.words(23, t + 5);
          same(await kernels.powers(l, t, s2, 4, k), await oracle.powers(l, t, s2, 4, k));
        }
        for (const [t, degree] of [
          [43, 3],
          [32, 4],
        ] as const) {
          const l = random.words(1, 64);
          await expect(kernels.powers(l, t, 0, degree, k)).rejects.toMatchObject({ code: 'ERR_RANGE' });
          await expect(oracle.powers(l, t, 0, degree, k)).rejects.toMatchObject({ code: 'ERR_RANGE' });
        }
        for (const sum of COSINE_SUMS) {
          for (const ring of [20, 33]) {
            const l = random.words(23, ring);
            same(await kernels.cosineBasis(l, sum, k), await oracle.cosineBasis(l, sum, k));
          }
        }
        for (const s2 of [0, 14, 31, 62]) {
          const l = random.words(23, 25);
          for (const width of [4, 8] as const)
            same(await kernels.expBasis(l, s2, width, k), await oracle.expBasis(l, s2, width, k));
        }
      }
    });

    it('expands point functions', async () => {
      const random = new Random(1100);
      for (const depth of [0, 1, 3, 7]) {
        const keys = generatePoint(random.below(2 ** depth), depth, random.bytes(32), random.bytes(16));
        for (const key of keys) {
          for (const count of new Set([0, 1, (2 ** depth) >> 1, (2 ** depth * 3) >> 2, 2 ** depth])) {
            same(await kernels.expandPoint(key, depth, count), await oracle.expandPoint(key, depth, count));
          }
        }
      }
    });

    it('oblivious transfers, both sides', async () => {
      const random = new Random(1300);
      const [delta, tweak, roots] = [random.bytes(16), random.bytes(16), random.bytes(OT_ROOTS)];
      const [receiver, sender] = [receiverBase(roots, tweak), senderBase(otSiblings(roots, delta), delta, tweak)];
      for (const [count, k] of [
        [0, 7],
        [1, 1],
        [33, 44],
        [513, 12],
        [2050, 64],
        [300, 32],
        [4100, 25],
      ]) {
        const nonce = random.bytes(12);
        const choice = random.words(count, 1);
        const got = await kernels.otReceive(receiver, nonce, choice, k);
        const expected = await oracle.otReceive(receiver, nonce, choice, k);
        same(got.message, expected.message);
        same(got.words, expected.words);
        const sent = await kernels.otSend(sender, nonce, got.message, k);
        const both = await oracle.otSend(sender, nonce, got.message, k);
        same(sent.zero, both.zero);
        same(sent.one, both.one);
        for (let j = 0; j < count; j++) {
          const [chosen, other] = choice.data[j] === 1 ? [sent.one, sent.zero] : [sent.zero, sent.one];
          expect(got.words.data[j]).toBe(chosen.data[j]);
          if (k > 40) expect(got.words.data[j]).not.toBe(other.data[j]);
        }
      }
    });

    it('large vectors, which backends may split', async () => {
      const random = new Random(1200);
      const filler = random.stream();
      const count = 70_001;
      for (const k of [32, 64]) {
        const [x, y] = [await kernels.draw(filler, k, count), await kernels.draw(filler, k, count, 5)];
        same(x, await oracle.draw(filler, k, count));
        for (const op of ['add', 'sub', 'mul'] as const) same(await kernels[op](x, y), await oracle[op](x, y));
        same(await kernels.sub(await kernels.add(x, y), y), x);
      }
      const l = await kernels.draw(filler, 17, 20_003);
      for (const degree of [3, 4] as const)
        same(await kernels.powers(l, 12, 13, degree, 32), await oracle.powers(l, 12, 13, degree, 32));
      for (const k of [1, 21, 32]) {
        const n = 4;
        const layout = tableLayout(n, k);
        const elements = 9001;
        const table: SelectionTable<Words> = {
          kind: 'rows',
          table: random.words(16, k),
          n,
          stride: n,
          row: random.indices(elements, 4),
        };
        const [pads, index, r0] = [
          random.stream(),
          random.indices(elements, n),
          await kernels.draw(filler, k, elements),
        ];
        const bytes = await oracle.selectionTable(table, layout, pads, 5, elements);
        same(await kernels.selectionTable(table, layout, pads, 5, elements), bytes);
        same(
          await kernels.dealSelection({ index }, layout, pads, r0),
          await oracle.dealSelection({ index }, layout, pads, r0),
        );
        same(
          await kernels.evaluateSelection({ index }, layout, bytes, r0, 5, elements),
          await oracle.evaluateSelection({ index }, layout, bytes, r0, 5, elements),
        );
      }
      const [key] = generatePoint(1234, 12, random.bytes(32), random.bytes(16));
      same(await kernels.expandPoint(key, 12, 4000), await oracle.expandPoint(key, 12, 4000));
      const [m, inner, n] = [70, 130, 66];
      const [a, b] = [random.words(m * inner, 64), random.words(inner * n, 64)];
      for (const transposed of [false, true]) {
        const shape = { batch: 1, m, inner, n, transposed };
        same(await kernels.matmul(a, b, shape), await oracle.matmul(a, b, shape));
      }
    });
  });
}
