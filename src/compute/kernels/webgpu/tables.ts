/** selectionTable: what each kind of table binds, and the bytes of a range of elements. */
import { invariant } from '../../../core/errors.ts';
import type { CosineTables } from '../../cosine-tables.ts';
import { type ExpTables, expSegmentBits } from '../../exp-tables.ts';
import { laneBytes, ringMask } from '../../ring.ts';
import { QUARTER, checkCosine, cosineExponents, leadingWords, termWords } from '../cosine-sum.ts';
import { polynomialBound } from '../polynomial-bound.ts';
import { BLOCK_BYTES, blockOf } from '../key-stream.ts';
import { checkTable, expDrops, tableShape } from '../selection-shape.ts';
import { type TableLayout, elementBits, tableBytes } from '../table-layout.ts';
import type { CosineSum, PiecewisePolynomial, SelectionTable, Stream } from '../types.ts';
import { type Call, type Operand, limbs, wide } from './call.ts';
import type { Binding } from './commands.ts';
import { BLOCK_WORK } from './limits.ts';
import type { Block } from './pool.ts';
import { streamParams, layoutParams } from './streams.ts';

/** The tables of the exponential as the shaders read them: coarse, then fine. */
export function expWords({ coarse, fine }: ExpTables): Uint32Array {
  const words = new Uint32Array(coarse.length + fine.length);
  words.set(coarse);
  words.set(fine, coarse.length);
  return words;
}

/** The tables of the cosine as the shaders read them: coarse, fine cosines, fine sines. */
export function cosineWords({ coarse, fineCos, fineSin }: CosineTables): Int32Array {
  const words = new Int32Array(coarse.length + fineCos.length + fineSin.length);
  words.set(coarse);
  words.set(fineCos, coarse.length);
  words.set(fineSin, coarse.length + fineCos.length);
  return words;
}

/** The terms of a sum for one call. A buffer is never empty. */
export function cosineTerms(call: Call, sum: CosineSum): Binding {
  const terms = termWords(sum);
  const words = terms.length === 0 ? new Int32Array(1) : terms;
  return call.range(call.upload(new Uint8Array(words.buffer)), 0, words.byteLength);
}

/** Integer tables of functions, made once for a device. */
export interface FunctionTables {
  readonly exp: () => ExpTables;
  /** `expWords` of them. */
  readonly expWords: () => Uint32Array;
  readonly cosine: () => Int32Array;
}

/** Whether all products and sums of Horner's rule fit 32 signed bits. */
function isNarrow(polynomial: PiecewisePolynomial): boolean {
  const { product, sum } = polynomialBound(polynomial);
  return polynomial.t < 32 && sum < 1n << 31n && product < 1n << 31n;
}

/** A kind of table made ready: its shader, and what a range of elements adds to parameters and bindings. */
interface Prepared {
  readonly shader: string;
  readonly constants: Readonly<Record<string, number>>;
  /** Bytes of an element in the longest of the operands that are cut. */
  readonly bytes: number;
  /** For the elements [from, to): parameters from `element` on, and the bindings behind the first. */
  range(from: number, to: number): { readonly params: readonly number[]; readonly bindings: readonly Binding[] };
}

function lanes(call: Call, { block, k }: Operand, from: number, to: number) {
  return call.window(block, laneBytes(k), from, to);
}

function rowsTable(call: Call, table: Extract<SelectionTable, { kind: 'rows' }>, status: Block): Prepared {
  const [words, row] = [call.table(table.table), call.operand(table.row)];
  const rows = Math.floor((words.length - table.n) / table.stride) + 1;
  return {
    shader: 'table-rows',
    constants: { TABLE_WIDE: Number(wide(words.k)), ROW_WIDE: Number(wide(row.k)) },
    bytes: laneBytes(row.k),
    range: (from, to) => {
      const part = lanes(call, row, from, to);
      return {
        params: [part.at, table.n, table.stride, rows],
        bindings: [call.whole(words), part.binding, call.range(status, 0, 4)],
      };
    },
  };
}

function polynomialTable(call: Call, { polynomial, a }: Extract<SelectionTable, { kind: 'polynomial' }>): Prepared {
  const { segments, degree, t, guard, coefficients } = polynomial;
  const narrow = isNarrow(polynomial);
  const [masked, table] = [call.operand(a), call.constants.get(coefficients)];
  const half = guard > 0 ? 1n << BigInt(guard - 1) : 0n;
  return {
    shader: 'table-polynomial',
    constants: { A_WIDE: Number(wide(a.k)), NARROW: Number(narrow) },
    bytes: laneBytes(a.k),
    range: (from, to) => {
      const part = lanes(call, masked, from, to);
      return {
        params: [part.at, segments, t, guard, degree, ...limbs(ringMask(t)), ...limbs(half)],
        bindings: [part.binding, call.range(table, 0, coefficients.byteLength)],
      };
    },
  };
}

function expTable(
  call: Call,
  { s1, width, a, gate }: Extract<SelectionTable, { kind: 'exp' }>,
  exp: ExpTables,
  tables: Uint32Array,
): Prepared {
  const { factor } = exp.segments[width];
  // Factor and drop of every segment.
  const segments = Uint32Array.from(expDrops(exp, width, s1).flatMap((drop, i) => [factor[i], drop]));
  const [masked, open] = [call.operand(a), call.operand(gate)];
  invariant(masked.length === open.length, 'selectionTable: one gate for every element expected');
  const [constants, factors] = [call.constants.get(tables), call.upload(new Uint8Array(segments.buffer))];
  return {
    shader: 'table-exp',
    constants: { A_WIDE: Number(wide(a.k)), GATE_WIDE: Number(wide(gate.k)) },
    bytes: Math.max(laneBytes(a.k), laneBytes(gate.k)),
    range: (from, to) => {
      // Both begin at the same element of their bindings only if the bindings begin at the same element.
      const start = Math.floor(from / 64) * 64;
      return {
        params: [from - start, factor.length, expSegmentBits(width)],
        bindings: [
          call.part(masked, start, to),
          call.part(open, start, to),
          call.range(constants, 0, tables.byteLength),
          call.range(factors, 0, segments.byteLength),
        ],
      };
    },
  };
}

function cosineTable(
  call: Call,
  { sum, a, gate }: Extract<SelectionTable, { kind: 'cosine' }>,
  tables: Int32Array,
): Prepared {
  checkCosine(sum);
  const masked = call.operand(a);
  const open = gate === undefined ? masked : call.operand(gate);
  invariant(masked.length === open.length, 'selectionTable: one gate for every element expected');
  const [constants, terms] = [call.constants.get(tables), cosineTerms(call, sum)];
  const P = cosineExponents(sum).length;
  return {
    shader: 'table-cosine',
    constants: { A_WIDE: Number(wide(a.k)), GATE_WIDE: Number(wide(open.k)), HAS_GATE: Number(gate !== undefined) },
    bytes: Math.max(laneBytes(a.k), laneBytes(open.k)),
    range: (from, to) => {
      // As in the exponential's.
      const start = Math.floor(from / 64) * 64;
      return {
        params: [
          from - start,
          ...limbs(BigInt.asUintN(64, sum.constant)),
          P,
          leadingWords(sum),
          Number(sum.linear),
          sum.odd ? QUARTER : 0,
        ],
        bindings: [
          call.part(masked, start, to),
          call.part(open, start, to),
          call.range(constants, 0, tables.byteLength),
          terms,
        ],
      };
    },
  };
}

function chooseTable(call: Call, { pick, bits, values }: Extract<SelectionTable, { kind: 'choose' }>): Prepared {
  const V = values.length;
  const [bitOperands, valueOperands] = [
    bits.map((bit) => call.operand(bit)),
    values.map((value) => call.operand(value)),
  ];
  const { k } = valueOperands[0];
  invariant(
    pick.length === 1 << bits.length && bits.every((bit) => !wide(bit.k)) && values.every((value) => value.k === k),
    'selectionTable: bits and values do not match',
  );
  const picks = call.upload(new Uint8Array(Uint32Array.from(pick, (v) => (v === 255 ? V : v)).buffer));
  // The same elements of every operand, one operand after the other: a device binds only a few buffers.
  const joined = (operands: readonly Operand[], from: number, to: number): Binding => {
    const bytes = laneBytes(operands[0].k);
    const block = call.scratch(operands.length * (to - from) * bytes);
    operands.forEach((operand, i) => {
      call.commands.copy(operand.block, from * bytes, block, i * (to - from) * bytes, (to - from) * bytes);
    });
    return call.range(block, 0, operands.length * (to - from) * bytes);
  };
  return {
    shader: 'table-choose',
    constants: { VALUE_WIDE: Number(wide(k)) },
    bytes: Math.max(4 * bits.length, laneBytes(k) * V),
    range: (from, to) => ({
      params: [to - from, bits.length, V],
      bindings: [call.range(picks, 0, 4 * pick.length), joined(bitOperands, from, to), joined(valueOperands, from, to)],
    }),
  };
}

function prepare(call: Call, table: SelectionTable, tables: FunctionTables, status: Block): Prepared {
  switch (table.kind) {
    case 'rows':
      return rowsTable(call, table, status);
    case 'polynomial':
      return polynomialTable(call, table);
    case 'exp':
      return expTable(call, table, tables.exp(), tables.expWords());
    case 'cosine':
      return cosineTable(call, table, tables.cosine());
    case 'choose':
      return chooseTable(call, table);
  }
}

/** Blocks that a workgroup writes: it makes one more, for the carry of a word that begins in it. */
const GROUP = 63;
/** Bits of the key stream that one dispatch may address. */
const TABLE_BITS = 2 ** 31;

export function selectionTable(
  call: Call,
  table: SelectionTable,
  tables: FunctionTables,
  layout: TableLayout,
  pads: Stream,
  from: number,
  to: number,
): Promise<Uint8Array> {
  checkTable(table, layout);
  invariant(from >= 0 && from <= to && to <= tableShape(table).count, 'selectionTable: no such elements');
  const status = call.scratch(4);
  const prepared = prepare(call, table, tables, status);
  const bits = elementBits(layout);
  // A piece also has the rest of a workgroup's blocks before and behind it. Eight elements are whole bytes.
  const room = call.commands.limits.bindingBytes - 2 * BLOCK_BYTES * GROUP;
  const most = Math.min(8 * room, 8 * BLOCK_BYTES * call.blocks, TABLE_BITS) / bits;
  const parts: Promise<Uint8Array>[] = [];
  for (const [start, end] of call.pieces(to - from, prepared.bytes, 8, most)) {
    const part = piece(from + start, from + end);
    // A later piece may fail before anybody waits for this one.
    part.catch(() => undefined);
    parts.push(part);
  }
  return finish();

  function piece(first: number, last: number): Promise<Uint8Array> {
    const { params, bindings } = prepared.range(first, last);
    const begin = first * bits;
    const length = (last - first) * bits;
    const block = blockOf(Math.floor(begin / 8), Math.ceil((begin + length) / 8));
    const lead = begin - 8 * BLOCK_BYTES * block;
    const groups = Math.ceil((lead + length) / (8 * BLOCK_BYTES * GROUP));
    const out = call.scratch(groups * GROUP * BLOCK_BYTES);
    call.run({
      shader: prepared.shader,
      wide: false,
      constants: prepared.constants,
      params: [
        ...streamParams(pads, block),
        ...layoutParams(layout),
        lead,
        (last - first) * layout.n,
        groups,
        ...params,
      ],
      bindings: [call.range(out, 0, groups * GROUP * BLOCK_BYTES), ...bindings],
      groups,
      work: BLOCK_WORK * (GROUP + 1) * groups,
    });
    const skip = lead % 8;
    return call.commands
      .read(out, Math.floor(lead / 8), Math.ceil((skip + length) / 8))
      .then((bytes) => aligned(bytes, skip, length));
  }

  async function finish(): Promise<Uint8Array> {
    const [bad, ...made] = await Promise.all([call.commands.read(status, 0, 4), ...parts]);
    invariant(bad[0] === 0, 'selection row out of range');
    if (made.length === 1) return made[0];
    const out = new Uint8Array(tableBytes(layout, to - from));
    let at = 0;
    for (const bytes of made) {
      out.set(bytes, at);
      at += bytes.length;
    }
    return out;
  }
}

/** `length` bits that begin at bit `skip`, moved to bit 0. Behind them there are zeros. */
function aligned(bytes: Uint8Array, skip: number, length: number): Uint8Array {
  if (skip === 0) return bytes;
  const out = bytes.slice(0, Math.ceil(length / 8));
  for (let i = 0; i < out.length; i++) out[i] = (bytes[i] >> skip) | ((bytes[i + 1] ?? 0) << (8 - skip));
  return out;
}
