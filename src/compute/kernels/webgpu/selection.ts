/** dealSelection, evaluateSelection and the bases of selections (P0 and P2). */
import { invariant } from '../../../core/errors.ts';
import { type ExpWidth, expSegmentBits } from '../../exp-tables.ts';
import { type Vector, checkRing, laneBytes, lengthOf, ringMask } from '../../ring.ts';
import { checkCosine, cosineExponents, leadingWords } from '../cosine-sum.ts';
import { BLOCK_BYTES, blockOf } from '../key-stream.ts';
import { checkChoice, checkPowers, rounding } from '../selection-shape.ts';
import { type TableLayout, elementBits, entryBits, tableBytes } from '../table-layout.ts';
import type { Choice, CosineSum, Degree, Stream } from '../types.ts';
import type { DeviceVector } from './arena.ts';
import { type Call, groupsOf, limbs, wide } from './call.ts';
import { BLOCK_WORK } from './limits.ts';
import { streamParams, layoutParams } from './streams.ts';
import { cosineTerms } from './tables.ts';

/** Bits of a key stream that one dispatch may address. */
const STREAM_BITS = 2 ** 31;

/** A device makes a basis as a whole. */
function checkWhole(choice: Choice, layout: TableLayout, words: Vector): void {
  invariant(choice.cosines === undefined, 'selection: a device takes no cosines in place of a basis');
  checkChoice(choice, layout, words);
}

export function dealSelection(call: Call, choice: Choice, layout: TableLayout, pads: Stream, r0: Vector): DeviceVector {
  checkWhole(choice, layout, r0);
  const { n, k, widths } = layout;
  const P = widths.length;
  const count = lengthOf(choice.index);
  const [index, zero] = [call.operand(choice.index), call.operand(r0)];
  const basis = choice.basis === undefined ? undefined : call.operand(choice.basis);
  const { vector, out } = call.result(k, count);
  const [bits, element] = [entryBits(layout), elementBits(layout)];
  // Pads that cannot straddle a block cost one block.
  const blocks = (8 * BLOCK_BYTES) % bits === 0 ? 1 : Math.floor((8 * BLOCK_BYTES - 2 + bits) / (8 * BLOCK_BYTES)) + 1;
  const most = Math.min(STREAM_BITS / element, call.blocks / blocks);
  for (const [from, to] of call.pieces(count, Math.max(P * laneBytes(k), laneBytes(index.k)), 64, most)) {
    const begin = from * element;
    const block = blockOf(Math.floor(begin / 8), Math.ceil((to * element) / 8));
    call.run({
      shader: 'deal',
      wide: wide(k),
      constants: {
        BLOCKS: blocks,
        HAS_BASIS: Number(basis !== undefined),
        INDEX_WIDE: Number(wide(index.k)),
      },
      params: [
        ...streamParams(pads, block),
        ...layoutParams(layout),
        ...limbs(ringMask(k)),
        to - from,
        begin - block * 8 * BLOCK_BYTES,
        n,
      ],
      bindings: [
        call.part(index, from, to),
        basis === undefined ? call.part(zero, from, to) : call.part(basis, from, to, P),
        call.part(zero, from, to),
        call.part(out, from, to),
      ],
      groups: groupsOf(to - from),
      work: BLOCK_WORK * blocks * (to - from),
    });
  }
  return vector;
}

export function evaluateSelection(
  call: Call,
  choice: Choice,
  layout: TableLayout,
  table: Uint8Array,
  word: Vector,
  from: number,
  to: number,
): DeviceVector {
  checkWhole(choice, layout, word);
  invariant(table.length === tableBytes(layout, to - from), 'evaluateSelection: table bytes do not match the range');
  invariant(to <= lengthOf(choice.index), 'evaluateSelection: no such elements');
  const { n, k, widths } = layout;
  const P = widths.length;
  const [index, dealt] = [call.operand(choice.index), call.operand(word)];
  const basis = choice.basis === undefined ? undefined : call.operand(choice.basis);
  const { vector, out } = call.result(k, to - from);
  const element = elementBits(layout);
  const lane = laneBytes(k);
  const perElement = Math.max(element / 8, P * lane, laneBytes(index.k));
  // A multiple of 64 elements begins on a byte of the table.
  for (const [start, end] of call.pieces(to - from, perElement, 64, STREAM_BITS / element)) {
    const bytes = table.subarray(tableBytes(layout, start), tableBytes(layout, end));
    const [first, last] = [from + start, from + end];
    const choices = call.window(index.block, laneBytes(index.k), first, last);
    const words = call.window(dealt.block, lane, first, last);
    const phi = basis === undefined ? words : call.window(basis.block, lane, first * P, last * P);
    call.run({
      shader: 'evaluate',
      wide: wide(k),
      constants: {
        HAS_BASIS: Number(basis !== undefined),
        INDEX_WIDE: Number(wide(index.k)),
      },
      params: [...layoutParams(layout), ...limbs(ringMask(k)), end - start, n, choices.at, phi.at, words.at],
      bindings: [
        choices.binding,
        phi.binding,
        call.range(call.upload(bytes), 0, bytes.length),
        words.binding,
        call.part(out, start, end),
      ],
      groups: groupsOf(end - start),
    });
  }
  return vector;
}

export function powers(call: Call, l: Vector, t: number, s2: number, degree: Degree, k: number): DeviceVector {
  checkRing(k);
  checkPowers(t, degree);
  const P = degree + 1;
  const source = call.operand(l);
  const { vector, out } = call.result(k, P * source.length);
  for (const [from, to] of call.pieces(source.length, Math.max(P * laneBytes(k), laneBytes(l.k)))) {
    call.run({
      shader: 'powers',
      wide: wide(k),
      constants: { X_WIDE: Number(wide(l.k)) },
      params: [...limbs(ringMask(k)), ...limbs(ringMask(t)), to - from, t, s2, P],
      bindings: [call.part(source, from, to), call.part(out, from, to, P)],
      groups: groupsOf(to - from),
    });
  }
  return vector;
}

export function expBasis(
  call: Call,
  l: Vector,
  s2: number,
  width: ExpWidth,
  k: number,
  tables: Uint32Array,
): DeviceVector {
  checkRing(k);
  const [half, drop] = rounding(62 - s2);
  const source = call.operand(l);
  const { vector, out } = call.result(k, source.length);
  for (const [from, to] of call.pieces(source.length, Math.max(laneBytes(k), laneBytes(l.k)))) {
    call.run({
      shader: 'exp-basis',
      wide: wide(k),
      constants: { X_WIDE: Number(wide(l.k)) },
      params: [...limbs(ringMask(k)), ...limbs(half), to - from, drop, expSegmentBits(width)],
      bindings: [
        call.part(source, from, to),
        call.range(call.constants.get(tables), 0, tables.byteLength),
        call.part(out, from, to),
      ],
      groups: groupsOf(to - from),
    });
  }
  return vector;
}

export function cosineBasis(call: Call, l: Vector, sum: CosineSum, k: number, tables: Int32Array): DeviceVector {
  checkRing(k);
  checkCosine(sum);
  const P = cosineExponents(sum).length;
  const source = call.operand(l);
  const { vector, out } = call.result(k, P * source.length);
  const terms = cosineTerms(call, sum);
  for (const [from, to] of call.pieces(source.length, Math.max(P * laneBytes(k), laneBytes(l.k)))) {
    call.run({
      shader: 'cosine-basis',
      wide: wide(k),
      constants: { X_WIDE: Number(wide(l.k)) },
      params: [...limbs(ringMask(k)), to - from, P, leadingWords(sum), sum.shift],
      bindings: [
        call.part(source, from, to),
        call.range(call.constants.get(tables), 0, tables.byteLength),
        terms,
        call.part(out, from, to, P),
      ],
      groups: groupsOf((to - from) * P),
    });
  }
  return vector;
}

export function chooseBasis(call: Call, values: readonly Vector[]): DeviceVector {
  const [first] = values;
  invariant(
    first !== undefined && values.every((value) => value.k === first.k && lengthOf(value) === lengthOf(first)),
    'chooseBasis: values of one shape expected',
  );
  const [V, count, lane] = [values.length, lengthOf(first), laneBytes(first.k)];
  const { vector, out } = call.result(first.k, count * (1 + V));
  const operands = values.map((value) => call.operand(value));
  for (const [from, to] of call.pieces(count, (1 + V) * lane)) {
    const elements = to - from;
    const joined = call.scratch(V * elements * lane);
    operands.forEach((operand, v) => {
      call.commands.copy(operand.block, from * lane, joined, v * elements * lane, elements * lane);
    });
    call.run({
      shader: 'choose-basis',
      wide: wide(first.k),
      constants: {},
      params: [...limbs(ringMask(first.k)), elements * (1 + V), 0, elements, V],
      bindings: [call.range(joined, 0, V * elements * lane), call.part(out, from, to, 1 + V)],
      groups: groupsOf(elements * (1 + V)),
    });
  }
  return vector;
}
