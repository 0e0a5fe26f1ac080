/** Proofs of true statements are accepted, whatever relations, rings and forms of data they mix (PROTOCOL §15). */
import { describe, expect, it } from 'vitest';
import { indexGroup } from '../../../src/compute/index-group.ts';
import type { ProofKernels } from '../../../src/compute/kernels/proof-types.ts';
import { tableLayout } from '../../../src/compute/kernels/table-layout.ts';
import { loadNodeProofModule } from '../../../src/compute/kernels/wasm/node-worker.ts';
import { WasmProofKernels } from '../../../src/compute/kernels/wasm/proof.ts';
import { type Words, bytesOf, signedAt, wordAt, wordsFrom } from '../../../src/compute/ring.ts';
import type { ChoiceOfW, MatrixHalf, TableHalf, TableShape } from '../../../src/mpc/proof/relations.ts';
import { Segment, cutSegments, keptBytes } from '../../../src/mpc/proof/segment.ts';
import { PARAMETERS, type ProofParameters } from '../../../src/mpc/proof/soundness.ts';
import { decodeClaims, decodeField, encodeClaims, encodeField } from '../../../src/mpc/proof/transcript.ts';
import { Random } from '../../compute/kernels.suite.ts';
import { failure, thrown } from '../../failure.ts';
import {
  PLACE,
  type Statement,
  choiceStatement,
  matrixStatement,
  packTables,
  parties,
  prove,
  tableStatement,
  tableWord,
} from '../../support/proofs.ts';
import { squareOf } from '../../support/statements.ts';

const module = await loadNodeProofModule();
const kernels: ProofKernels = new WasmProofKernels(module);
const SMALL: ProofParameters = { sigma: 5, primeBits: 61, primes: 1, maskBits: 256, claimBits: 160 };

/** One of everything. */
function mixed(random: Random): Statement[] {
  const table = tableStatement(random, {
    layout: tableLayout(2, 35, [22, 35, 1]),
    group: indexGroup(4, 2),
    elements: 5,
  });
  return [
    matrixStatement(random, { k: 33, inner: [3, 1, 2] }),
    table,
    choiceStatement(random, { layout: tableLayout(16, 20, [20, 11, 7]), elements: 9 }),
    matrixStatement(random, { inner: [] }),
    tableStatement(random, { layout: tableLayout(4, 32), group: indexGroup(0, 3), factors: 16 }),
    table,
    choiceStatement(random, { layout: tableLayout(1, 64, 2), columns: true, elements: 40 }),
    choiceStatement(random, { layout: tableLayout(3, 1), basis: false }),
  ];
}

async function accepted(statements: readonly Statement[], parameters: ProofParameters): Promise<boolean[]> {
  const all = await parties(statements, { parameters, kernels });
  await prove(all);
  return [all.prover.accepted, all.verifier.accepted, all.witness.accepted];
}

describe('a proof of true statements', () => {
  it.each([1, 2] as const)('is accepted with all kinds of relations in one segment, and %d primes', async (primes) => {
    for (let seed = 0; seed < 3; seed++)
      expect(await accepted(mixed(new Random(seed)), { ...SMALL, primes })).toEqual([true, true, true]);
  });

  it.each([128, 256] as const)('is accepted at full size, level %d', async (level) => {
    expect(await accepted(mixed(new Random(level)), PARAMETERS[level])).toEqual([true, true, true]);
  });

  it('is accepted when claims are negative, and for rings of one bit', async () => {
    const random = new Random(9);
    const negative = matrixStatement(random, { k: 48, inner: [3, 2], negative: true });
    expect(await accepted([negative], PARAMETERS[128])).toEqual([true, true, true]);
    const bits = [
      matrixStatement(random, { k: 1 }),
      tableStatement(random, { layout: tableLayout(8, 1) }),
      choiceStatement(random, { layout: tableLayout(8, 1) }),
    ];
    expect(await accepted(bits, SMALL)).toEqual([true, true, true]);
  });

  it('is accepted with tables of more elements than are looked up at once, of several relations', async () => {
    const random = new Random(11);
    const layout = tableLayout(1, 20);
    const [large, small] = [5000, 3300].map((elements) =>
      tableStatement(random, { layout, elements, group: indexGroup(2), factors: 8 }),
    );
    // Two relations on one table, with two batches between them and a rest.
    expect(await accepted([small, large, small], SMALL)).toEqual([true, true, true]);
  });

  it('is accepted with a short open matrix, and wrong with one bit less of it', async () => {
    const random = new Random(12);
    const statement = matrixStatement(random, { rows: 7, columns: 13, inner: [6] });
    const v = statement.whole.v as MatrixHalf;
    const w = statement.whole.w as MatrixHalf;
    const signed = Int32Array.from({ length: 6 * 13 }, () => Number(random.word(20)) - 2 ** 19);
    const left = v.factors[0] as Words;
    // b = −a − L·R, with R the short matrix.
    const b = Array.from({ length: 7 * 13 }, (_, at) => {
      const [i, c] = [Math.floor(at / 13), at % 13];
      let rest = -wordAt(v.linear as Words, at);
      for (let j = 0; j < 6; j++) rest -= wordAt(left, i * 6 + j) * BigInt(signed[j * 13 + c]);
      return rest;
    });
    const whole = (own: Int32Array) => ({
      v,
      w: { ...w, linear: wordsFrom(b, 64), factors: [{ k: 64 as const, signed: own }] },
    });
    expect(await accepted([{ ...statement, whole: whole(signed) }], SMALL)).toEqual([true, true, true]);
    const other = signed.map((word, i) => (i === 5 ? word ^ 1 : word));
    const wrong = accepted([{ ...statement, whole: whole(other) }], PARAMETERS[128]);
    await failure('ERR_SECURITY_VIOLATION', wrong);
  });

  it.each([7, 1])('takes a diagonal for the square that it is, of %s columns', async (columns) => {
    const random = new Random(14);
    const statement = matrixStatement(random, { rows: 5, columns, inner: [columns] });
    const v = statement.whole.v as MatrixHalf;
    const w = statement.whole.w as MatrixHalf;
    const diagonal = { k: 64, data: BigUint64Array.from({ length: columns }, () => random.word(64)) } as const;
    const left = v.factors[0] as Words;
    const b = Array.from(
      { length: 5 * columns },
      (_, at) => -wordAt(v.linear as Words, at) - wordAt(left, at) * diagonal.data[at % columns],
    );
    // W and the prover have one form each, in turns: what they compress it to must be the same.
    const forms = [{ diagonal }, squareOf({ diagonal })];
    let calls = 0;
    const factors = [async () => forms[calls++ % 2]];
    const whole = { v, w: { ...w, linear: wordsFrom(b, 64), factors } };
    expect(await accepted([{ ...statement, whole }], PARAMETERS[128])).toEqual([true, true, true]);
    expect(calls).toBeGreaterThan(1);
  });

  it('takes pads from their stream, and operands that are loaded when they are needed', async () => {
    const random = new Random(10);
    const layout = tableLayout(4, 20, [20, 13]);
    const stream = random.stream();
    const elements = 70;
    const table = tableStatement(random, { layout, elements, group: indexGroup(3) });
    const [v, w] = [table.whole.v as TableHalf, table.whole.w as TableHalf];
    if (v.entries.kind !== 'packed' || w.entries.kind !== 'packed') throw new Error('packed tables expected');
    // e − w + pads: the same table under the pads of the stream.
    const pads = bytesOf(await kernels.draw(stream, 32, v.entries.bytes.length));
    const [e, old] = [v.entries.bytes, w.entries.bytes];
    const words = Array.from({ length: elements * 8 }, (_, i) => {
      const of = (bytes: Uint8Array) => tableWord(layout, bytes, Math.floor(i / 8), i % 8);
      return of(e) - of(old) + of(pads);
    });
    const mu = v.index;
    const padded: Statement = {
      shape: table.shape,
      whole: {
        v: {
          ...v,
          entries: { kind: 'packed', bytes: packTables(layout, elements, words) },
          index: typeof mu === 'function' ? mu : async () => mu,
        },
        w: { ...w, entries: { kind: 'pads', stream } },
      },
    };
    expect(await accepted([padded], SMALL)).toEqual([true, true, true]);
    const other: Statement = { ...padded, whole: { ...padded.whole, w: { ...w, entries: w.entries } } };
    await failure('ERR_SECURITY_VIOLATION', accepted([other], SMALL));
  });

  it('is the same whether a word came as a signed or as an unsigned number', async () => {
    const [matrix, , choice] = mixed(new Random(11));
    const signed = (x: unknown) => {
      const words = x as ReturnType<typeof wordsFrom>;
      return wordsFrom(
        Array.from({ length: words.data.length }, (_, i) => signedAt(words, i)),
        words.k,
      );
    };
    const [mv, mw, cw] = [matrix.whole.v as MatrixHalf, matrix.whole.w as MatrixHalf, choice.whole.w as ChoiceOfW];
    const all = [
      {
        shape: matrix.shape,
        whole: { v: mv, w: { ...mw, linear: signed(mw.linear), factors: mw.factors.map(signed) } },
      },
      { shape: choice.shape, whole: { v: choice.whole.v, w: { ...cw, basis: signed(cw.basis) } } },
    ];
    expect(await accepted(all, SMALL)).toEqual([true, true, true]);
    // The same words over another ring are other integers, and are refused before anything is computed from them.
    const basis = cw.basis as ReturnType<typeof wordsFrom>;
    const wide = wordsFrom(
      Array.from({ length: basis.data.length }, (_, i) => wordAt(basis, i)),
      64,
    );
    const other = [{ shape: choice.shape, whole: { v: choice.whole.v, w: { ...cw, basis: wide } } }];
    await failure('ERR_INTERNAL', accepted(other, SMALL));
  });
});

describe('a segment', () => {
  it('declares the bytes and rounds of its proof', async () => {
    const all = await parties(mixed(new Random(1)), { parameters: { ...SMALL, primes: 2 }, kernels });
    const sizes: number[] = [];
    await prove(all, (_, message) => {
      sizes.push(message.length);
      return message;
    });
    expect(sizes).toEqual(all.segment.messageBytes);
    expect(sizes.length).toBe(1 + all.segment.rounds);
  });

  it('refuses shapes whose claims its masks would not hide', () => {
    const shape = tableStatement(new Random(1), { factors: 32 }).shape as TableShape;
    expect(new Segment(PLACE, [shape], PARAMETERS[128]).rounds).toBeGreaterThan(0);
    thrown('ERR_INTERNAL', () => new Segment(PLACE, [{ ...shape, elements: 2 ** 29 }], PARAMETERS[128]));
    thrown('ERR_INTERNAL', () => new Segment(PLACE, [], PARAMETERS[128]));
  });

  it('is cut so that a prover keeps no more than a limit', () => {
    const shapes = Array.from({ length: 5 }, () => choiceStatement(new Random(1), { elements: 100 }).shape);
    const one = keptBytes(shapes[0]);
    expect(cutSegments(shapes, 2 * one)).toEqual([
      [0, 2],
      [2, 4],
      [4, 5],
    ]);
    expect(cutSegments(shapes, one - 1)).toHaveLength(5);
  });

  it('is cut before what is there at one time, where there is no room for all of it', () => {
    const shapes = Array.from({ length: 6 }, () => choiceStatement(new Random(1), { elements: 100 }).shape);
    const one = keptBytes(shapes[0]);
    const cut = (limit: number, groups: readonly number[]) =>
      cutSegments(shapes, limit * one, groups).map(([at]) => at);
    expect(cut(3, [0, 0, 1, 1, 2, 2])).toEqual([0, 2, 4]);
    expect(cut(4, [0, 0, 1, 1, 2, 2])).toEqual([0, 4]);
    // A group that is larger than a segment is cut anywhere.
    expect(cut(3, [0, 0, 1, 1, 1, 1])).toEqual([0, 3]);
  });
});

describe('messages', () => {
  it('of claims hold 0 ≤ c < 2^bits, and nothing else', () => {
    const top = 2n ** 224n - 1n;
    expect(decodeClaims(encodeClaims([0n, top, 5n], 224) ?? new Uint8Array(), 224, 3)).toEqual([0n, top, 5n]);
    for (const claim of [-1n, top + 1n, -top]) expect(encodeClaims([0n, claim], 224)).toBeUndefined();
    expect(decodeClaims(new Uint8Array(57), 224, 2)).toBeUndefined();
    expect(decodeClaims(new Uint8Array(29 * 2), 224, 2)).toBeUndefined();
    expect(decodeClaims(new Uint8Array(28 * 2), 224, 2)).toEqual([0n, 0n]);
  });

  it('of the field hold residues below q', () => {
    expect(decodeField(encodeField([6n, 0n]), 2, 7n)).toEqual([6n, 0n]);
    expect(decodeField(encodeField([7n, 0n]), 2, 7n)).toBeUndefined();
    expect(decodeField(encodeField([1n]), 2, 7n)).toBeUndefined();
  });
});
