/**
 * The selections that `Gates` offers: for each, how P1 makes its table and how P0 and P2 know their choice. They
 * differ in nothing else; messages and masks are those of `select.ts`.
 */
import { TURN_BITS, cosineTables } from '../../../compute/cosine-tables.ts';
import { expSegmentBits } from '../../../compute/exp-tables.ts';
import { checkCosine, cosineExponents, leadingWords } from '../../../compute/kernels/cosine-sum.ts';
import { withBasis } from '../../../compute/kernels/selection-shape.ts';
import type { Choice, CosineSum, PiecewisePolynomial, SelectionTable } from '../../../compute/kernels/types.ts';
import { zeros } from '../../../compute/ring.ts';
import { invariant } from '../../../core/errors.ts';
import { tableLayout } from '../../../compute/kernels/table-layout.ts';
import type { Component, Wire } from '../../share/wire.ts';
import type { BorrowLeaf, Choosing, ExactTable, ExponentialOptions, GatedCosines } from '../types.ts';
import { differenceTable, joint, jointTableOf, leafTable, signTable } from './difference-table.ts';
import type { Party } from './party.ts';
import type { CosineForm, Selection } from './dealing.ts';

/** Entry of an exact table at x. Row a, entry j holds the table at a − j, because x = a − λ2. */
export function tableSelection(x: Wire, exact: ExactTable, k: number): Selection {
  const n = 1 << exact.bits;
  invariant(x.k === exact.bits && exact.entries.length === n, 'table: the ring of the index must match the table');
  const { table, stride, row, traits } = differenceTable(exact, k);
  return {
    ...tableLayout(n, k),
    count: x.count,
    index: { bits: exact.bits, xorBits: 0 },
    operands: { added: x },
    traits: ['table', traits],
    table: async (p1) => ({
      kind: 'rows',
      table,
      n,
      stride,
      row: await row(p1, await p1.kernels.cast(await p1.value(x, 'a'), Math.min(32, x.k))),
    }),
    choice: async (party) => ({ index: await party.value(x, 'l2') }),
  };
}

/** Entry of an exact table at the segment of x that is measured: that of a, less that of λ2. */
export function segmentSelection(x: Wire, t: number, exact: ExactTable, k: number): Selection {
  const n = 1 << exact.bits;
  invariant(x.k === t + exact.bits && exact.entries.length === n, 'segment: the ring must be t bits and the index');
  const { table, stride, row, traits } = differenceTable(exact, k);
  const top = async (party: Party, component: Component) =>
    party.kernels.shiftRight(await party.value(x, component), t, exact.bits);
  return {
    ...tableLayout(n, k),
    count: x.count,
    index: { bits: x.k, xorBits: 0 },
    operands: { added: x },
    traits: ['segment', t, traits],
    table: async (p1) => ({ kind: 'rows', table, n, stride, row: await row(p1, await top(p1, 'a')) }),
    choice: async (party) => ({ index: await top(party, 'l2') }),
  };
}

/** A piecewise polynomial at x: the segment of a − λ2, and the powers of its argument. */
export function polynomialSelection(x: Wire, polynomial: PiecewisePolynomial, k: number): Selection {
  const { segments: n, degree, t, s2 } = polynomial;
  invariant(2 ** (x.k - t) === n && x.k <= 32, 'polynomial: the ring of the input must be t + log2(segments) bits');
  return {
    ...tableLayout(n, k, degree + 1),
    count: x.count,
    index: { bits: x.k, xorBits: 0 },
    operands: { added: x },
    form: { kind: 'turning', t },
    traits: ['polynomial', { ...polynomial }],
    table: async (p1) => ({ kind: 'polynomial', polynomial, a: await p1.value(x, 'a') }),
    choice: async (party) => {
      const l = await party.value(x, 'l2');
      return {
        index: await party.kernels.shiftRight(l, t, x.k - t),
        basis: await party.kernels.powers(l, t, s2, degree, k),
      };
    },
  };
}

/** Bits of the argument of `exponential`: 32 units at scale 20. */
const EXPONENTIAL_BITS = 25;

/**
 * e^x where the gate bit is one, zero elsewhere; x at scale 20. Index: segment, then the gate's bit.
 * @param zeros low bits of x that are always zero, so that P1's table has fewer indices
 */
export function exponentialSelection(
  x: Wire,
  gate: Wire,
  s1: number,
  s2: number,
  { width = 4, k = 64 }: ExponentialOptions = {},
  zeros = 0,
): Selection {
  invariant(
    x.k === EXPONENTIAL_BITS && gate.k === 1 && gate.count === x.count,
    'exponential: expects Z_2^25 and one bit an element',
  );
  const low = expSegmentBits(width);
  const segmentBits = EXPONENTIAL_BITS - low;
  return {
    ...tableLayout(1 << (segmentBits + 1), k),
    count: x.count,
    index: { bits: EXPONENTIAL_BITS - zeros, xorBits: 1 },
    operands: { added: x, zeros, bits: [gate] },
    traits: ['exponential', s1, s2, width],
    table: async (p1) => ({ kind: 'exp', s1, width, a: await p1.value(x, 'a'), gate: await p1.value(gate, 'a') }),
    choice: async (party): Promise<Choice> => {
      const { kernels } = party;
      const l = await party.value(x, 'l2');
      const bits = segmentBits + 1;
      const segment = await kernels.cast(await kernels.shiftRight(l, low, segmentBits), bits);
      return {
        index: await kernels.add(
          await kernels.scale(segment, 2n),
          await kernels.cast(await party.value(gate, 'l2'), bits),
        ),
        basis: await kernels.expBasis(l, s2, width, k),
      };
    },
  };
}

/**
 * The functions of a sum of cosines: the words with an angle, that of a, and those that are constant, where the sum has
 * any. And for every term of P1's words the function that it multiplies: the bit that lets entry j through is
 * (m ⊕ j) + λ1 − 2·(m ⊕ j)·λ1, so two terms with an angle, four for a = m − λ1, two of constants.
 */
function cosineForm(sum: CosineSum, gated: boolean): CosineForm {
  const functions = [
    ...(sum.terms.length > 0 ? ['angle' as const] : []),
    ...(sum.linear ? ['argument' as const] : []),
    ...(leadingWords(sum) > 0 ? ['constant' as const] : []),
  ];
  const terms = gated ? { angle: 2, argument: 4, constant: 2 } : { angle: 1, argument: 2, constant: 1 };
  return {
    kind: 'cosines',
    sum,
    functions,
    terms: functions.flatMap((kind, f) => new Array<number>(terms[kind]).fill(f)),
  };
}

/**
 * A gated sum of cosines: no index of x at all, one entry for each value of P2's half of the gate's bit.
 * @throws {TercetError} ERR_RANGE for a sum that no back end computes
 */
export function cosineSelection({ x, sum, gate }: GatedCosines, k: number): Selection {
  checkCosine(sum);
  invariant(gate === undefined || (gate.k === 1 && gate.count === x.count), 'cosines: one bit an element expected');
  // a and λ2 stand for x mod 2^x.k. The linear part is needed mod 2^(k − shift), a cosine mod its period.
  invariant(
    (!sum.linear || k - sum.shift <= x.k) &&
      sum.terms.every(({ frequency }) => (frequency * 2 ** x.k) % 2 ** TURN_BITS === 0),
    'cosines: the ring of the argument is too small',
  );
  const { coarse, fineCos, fineSin } = cosineTables();
  const form = cosineForm(sum, gate !== undefined);
  return {
    ...tableLayout(
      gate === undefined ? 1 : 2,
      k,
      cosineExponents(sum).map((v) => k - v),
    ),
    count: x.count,
    // The words with an angle. Those of the linear part are products, and the gate's bit is a factor.
    index: { bits: TURN_BITS, xorBits: 0 },
    operands: { added: x, gate },
    functions: form.terms,
    form,
    traits: ['cosines', { ...sum, terms: sum.terms.map((term) => ({ ...term })) }, coarse, fineCos, fineSin],
    table: async (p1) => ({
      kind: 'cosine',
      sum,
      a: await p1.value(x, 'a'),
      gate: gate === undefined ? undefined : await p1.value(gate, 'a'),
    }),
    choice: async (party): Promise<Choice> => {
      const { kernels } = party;
      const index = gate === undefined ? zeros(x.count, 1) : await party.value(gate, 'l2');
      const choice = { index, cosines: { l: await party.value(x, 'l2'), sum } };
      return kernels.makesCosines === true ? choice : withBasis(kernels, choice, k);
    },
  };
}

/** Entry of a table of 2^bits on the joint bits. */
export function jointSelection(bits: readonly Wire[], entries: readonly bigint[], k: number): Selection {
  const n = entries.length;
  invariant(n === 1 << bits.length, 'jointTable: one entry for every joint value');
  const table = jointTableOf(entries, k);
  return {
    ...tableLayout(n, k),
    count: bits[0].count,
    index: { bits: 0, xorBits: bits.length },
    operands: { bits },
    traits: ['joint', entries],
    table: async (p1) => ({ kind: 'rows', table, n, stride: n, row: await joint(p1, bits, 'a') }),
    choice: async (party) => ({ index: await joint(party, bits, 'l2') }),
  };
}

/** Whether a < λ2, or a = λ2, on the bits [from, from + bits) of both. */
export function borrowSelection(x: Wire, from: number, bits: number, leaf: BorrowLeaf): Selection {
  const n = 1 << bits;
  const table = leafTable(leaf, n);
  const chunk = async (party: Party, component: Component) =>
    party.kernels.cast(await party.kernels.shiftRight(await party.value(x, component), from, x.k - from), bits);
  return {
    ...tableLayout(n, 1),
    count: x.count,
    index: { bits: from + bits, xorBits: 0 },
    operands: { added: x },
    traits: ['borrow', from, bits, leaf],
    table: async (p1) => ({ kind: 'rows', table, n, stride: n, row: await chunk(p1, 'a') }),
    choice: async (party) => ({ index: await chunk(party, 'l2') }),
  };
}

/**
 * The top bit of a − λ2, whole: the top bit of a is folded into P1's table, and P2 adds its own. So the table is a
 * public function of a, and P2 chooses by the low bits of λ2.
 */
export function signSelection(x: Wire): Selection {
  const n = 2 ** x.k;
  const low = x.k - 1;
  invariant(x.k > 1 && x.k <= 10, 'sign: a ring of 2 to 10 bits');
  return {
    ...tableLayout(n / 2, 1),
    count: x.count,
    index: { bits: x.k, xorBits: 0 },
    operands: { added: x },
    traits: ['sign'],
    table: async (p1) => ({ kind: 'rows', table: signTable(n), n: n / 2, stride: n / 2, row: await p1.value(x, 'a') }),
    choice: async (party) => ({ index: await party.kernels.cast(await party.value(x, 'l2'), low) }),
    own: async (p2) => p2.kernels.shiftRight(await p2.value(x, 'l2'), low, 1),
  };
}

/**
 * The value that `pick` names for the joint bits: which one is in the entry, and its value in the words. With `raise`
 * the result is that value times 2^raise, over a ring wider by as much: words of the values' ring on a basis that is a
 * multiple of 2^raise.
 */
export function chooseSelection({ bits, values, pick, raise = 0 }: Choosing): Selection {
  const [{ k, count }] = values;
  const B = bits.length;
  invariant(
    pick.length === 1 << B && bits.every((bit) => bit.k === 1 && bit.count === count),
    'choose: bits and values differ in length',
  );
  return {
    ...tableLayout(1 << B, k + raise, new Array<number>(1 + values.length).fill(k)),
    count,
    index: { bits: 0, xorBits: B },
    operands: { bits, values },
    // m and −λ1 of every value, where it is picked, and which one is.
    functions: [...values.flatMap((_, v) => [v, v]), values.length],
    form: { kind: 'choice' },
    traits: ['choose', B, pick],
    table: async (p1): Promise<SelectionTable> => ({
      kind: 'choose',
      pick,
      bits: await Promise.all(bits.map((bit) => p1.value(bit, 'a'))),
      values: await Promise.all(values.map((value) => p1.value(value, 'a'))),
    }),
    choice: async (party): Promise<Choice> => {
      const { kernels } = party;
      const basis = await kernels.chooseBasis(await Promise.all(values.map((value) => party.value(value, 'l2'))));
      return {
        index: await joint(party, bits, 'l2'),
        basis: raise === 0 ? basis : await kernels.scale(await kernels.cast(basis, k + raise), 1n << BigInt(raise)),
      };
    },
  };
}
