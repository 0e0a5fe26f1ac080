/** Selection tables and public tables modulo q: foldEntries, publicTable, look-ups and the digit rounds. */
import { invariant } from '../../../core/errors.ts';
import { type DigitStep, type IndexGroup, groupSize, unfolded } from '../../index-group.ts';
import { type Words, lengthOf } from '../../ring.ts';
import { checkBytes, checkChoice } from '../proof-shape.ts';
import { type FoldedTable, RADIX } from '../proof-types.ts';
import { type TableLayout, elementBits, tableBytes } from '../table-layout.ts';
import { type Call, groupsOf } from './call.ts';
import type { Commands } from './commands.ts';
import { memoryError } from './fault.ts';
import type { Block } from './pool.ts';
import {
  type Chunked,
  FIELD_WORK,
  RESIDUE,
  bound,
  boundIndices,
  cells,
  fieldParams,
  mostElements,
  residues,
  whole,
} from './proof-call.ts';
import { TABLE_BITS } from './proof-compression.ts';
import { layoutParams } from './streams.ts';

/** A public table in device memory. */
export class DeviceTable implements FoldedTable {
  readonly group: IndexGroup;
  readonly #commands: Commands;
  #block: Block | undefined;

  /** @throws {TercetError} ERR_DEVICE_MEMORY for one that does not fit a binding */
  constructor(commands: Commands, words: BigUint64Array, group: IndexGroup) {
    invariant(words.length === groupSize(group), 'a table over its whole group');
    if (words.byteLength > commands.limits.bindingBytes)
      throw memoryError(`a table of ${words.byteLength} bytes exceeds a binding of this GPU`);
    this.group = group;
    this.#commands = commands;
    this.#block = commands.take(words.byteLength);
    commands.write(this.#block, new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
  }

  get block(): Block {
    invariant(this.#block !== undefined, 'a table of these kernels, which is not freed');
    return this.#block;
  }

  /** Takes another buffer for its words, or none. Commands before this still see the old one. */
  replace(block: Block | undefined): void {
    if (this.#block !== undefined && !this.#commands.fault.failed) this.#commands.release(this.#block);
    this.#block = block;
  }
}

/** Of a group and a step, as the parameters of shaders/lib/proof-index.wgsl. */
function stepParams(group: IndexGroup, step: DigitStep): number[] {
  const { at, width, xor } = step;
  return [groupSize(group) - 1, 2 ** group.xorBits - 1, at, 2 ** width, Number(xor), unfolded(group, step)];
}

export function foldTable(call: Call, table: DeviceTable, step: DigitStep, beta: BigUint64Array, q: bigint): void {
  const size = groupSize(table.group);
  const folded = call.commands.take(RESIDUE * size);
  call.run({
    shader: 'proof-fold-table',
    wide: false,
    constants: {},
    params: [...fieldParams(q), size, ...stepParams(table.group, step)],
    bindings: [whole(call, table.block, size), bound(call, beta), whole(call, folded, size)],
    groups: groupsOf(size),
    work: FIELD_WORK * 2 ** step.width * size,
  });
  table.replace(folded);
}

export function lookUp(call: Call, table: DeviceTable, nu: Words): Promise<BigUint64Array> {
  const [n, size] = [lengthOf(nu), groupSize(table.group)];
  const out = call.scratch(RESIDUE * n);
  const step = { at: 0, width: 0, xor: false };
  for (const [from, to] of call.pieces(n, RESIDUE)) {
    const [words, index] = [whole(call, table.block, size), boundIndices(call, nu, from, to)];
    call.run({
      shader: 'proof-look-up',
      wide: false,
      constants: { ROUND: 0 },
      // No residue is worked on.
      params: [...new Uint32Array(8), to - from, ...stepParams(table.group, step)],
      bindings: [words, index, index, words, call.range(out, RESIDUE * from, RESIDUE * to)],
      groups: groupsOf(to - from),
    });
  }
  return residues(call, out, n);
}

export function lookupRound(
  call: Call,
  f: BigUint64Array,
  table: DeviceTable,
  step: DigitStep,
  mu: Words,
  nu: Words,
  q: bigint,
): Promise<BigUint64Array> {
  invariant(lengthOf(mu) === f.length && lengthOf(nu) === f.length, 'an index for every weight');
  const size = groupSize(table.group);
  return cells(call, q, f.length, RESIDUE * RADIX, (part) => {
    const { from, to } = part;
    const values = call.scratch(RESIDUE * RADIX * (to - from));
    const index = boundIndices(call, mu, from, to);
    call.run({
      shader: 'proof-look-up',
      wide: false,
      constants: { ROUND: 1 },
      params: [...fieldParams(q), to - from, ...stepParams(table.group, step)],
      bindings: [
        whole(call, table.block, size),
        index,
        boundIndices(call, nu, from, to),
        bound(call, f.subarray(from, to)),
        whole(call, values, RADIX * (to - from)),
      ],
      groups: groupsOf(RADIX * (to - from)),
      work: FIELD_WORK * RADIX * (to - from),
    });
    byDigit(call, q, part, values, index, step, false);
  });
}

/** Eight values of every element into the cells of the digit that its index has. */
function byDigit(
  call: Call,
  q: bigint,
  { from, to, chunk, out, groups }: Chunked,
  values: Block,
  index: ReturnType<typeof bound>,
  { at, width }: DigitStep,
  transposed: boolean,
): void {
  call.run({
    shader: 'proof-buckets',
    wide: false,
    constants: { TRANSPOSED: Number(transposed) },
    params: [...fieldParams(q), to - from, chunk, at, 2 ** width - 1],
    bindings: [whole(call, values, RADIX * (to - from)), index, out],
    groups,
    work: RADIX * RADIX * (to - from),
  });
}

export function choiceRound(
  call: Call,
  bytes: Uint8Array,
  layout: TableLayout,
  choice: Words,
  f: BigUint64Array,
  low: BigUint64Array,
  step: DigitStep,
  q: bigint,
): Promise<BigUint64Array> {
  const [n, P] = [lengthOf(choice), layout.widths.length];
  checkBytes(bytes, layout, n);
  checkChoice(choice, layout, n);
  invariant(f.length === n * P && low.length === 2 ** step.at, 'a weight for every word');
  if (elementBits(layout) * n > TABLE_BITS) throw memoryError('tables have more bits than a shader can number');
  const lows = bound(call, low);
  const element = Math.max(RESIDUE * RADIX, RESIDUE * P, elementBits(layout) / 8);
  return cells(call, q, n, element, (part) => {
    const { from, to } = part;
    const values = call.scratch(RESIDUE * RADIX * (to - from));
    const index = boundIndices(call, choice, from, to);
    const blocks = 2 ** step.width;
    call.run({
      shader: 'proof-choice',
      wide: false,
      constants: {},
      params: [...fieldParams(q), ...layoutParams(layout), to - from, layout.n, low.length, step.at, blocks],
      bindings: [
        bound(call, bytes.subarray(tableBytes(layout, from), tableBytes(layout, to))),
        index,
        bound(call, f.subarray(from * P, to * P)),
        lows,
        whole(call, values, RADIX * (to - from)),
      ],
      groups: groupsOf(RADIX * (to - from)),
      work: FIELD_WORK * blocks * low.length * P * (to - from),
    });
    byDigit(call, q, part, values, index, step, true);
  });
}

export function foldEntries(
  call: Call,
  bytes: Uint8Array,
  layout: TableLayout,
  weights: BigUint64Array,
  coefficients: BigUint64Array,
  q: bigint,
): Promise<BigUint64Array> {
  invariant(coefficients.length === layout.n, 'a coefficient for every entry');
  return entries(call, bytes, layout, weights.length, { weights, coefficients }, q);
}

export function publicTable(
  call: Call,
  bytes: Uint8Array,
  layout: TableLayout,
  elements: number,
  coefficients: BigUint64Array,
  q: bigint,
): Promise<BigUint64Array> {
  invariant(coefficients.length === layout.n * layout.widths.length, 'a coefficient for every word');
  return entries(call, bytes, layout, elements, { coefficients }, q);
}

/** Sums over the words of tables: with weights one for every word of an entry, without them one for an element. */
function entries(
  call: Call,
  bytes: Uint8Array,
  layout: TableLayout,
  n: number,
  { weights, coefficients }: { readonly weights?: BigUint64Array; readonly coefficients: BigUint64Array },
  q: bigint,
): Promise<BigUint64Array> {
  checkBytes(bytes, layout, n);
  const [bits, each] = [elementBits(layout), weights === undefined ? 1 : layout.widths.length];
  const words = layout.n * layout.widths.length;
  const out = call.scratch(RESIDUE * n * each);
  const cs = bound(call, coefficients);
  const most = Math.min(TABLE_BITS / bits, mostElements(call, words));
  for (const [from, to] of call.pieces(n, Math.max(RESIDUE * each, bits / 8), 64, most))
    call.run({
      shader: 'proof-entries',
      wide: false,
      constants: { FOLD: Number(weights !== undefined) },
      params: [...fieldParams(q), ...layoutParams(layout), (to - from) * each, layout.n],
      bindings: [
        bound(call, bytes.subarray(tableBytes(layout, from), tableBytes(layout, to))),
        cs,
        weights === undefined ? cs : bound(call, weights.subarray(from, to)),
        call.range(out, RESIDUE * from * each, RESIDUE * to * each),
      ],
      groups: groupsOf((to - from) * each),
      work: FIELD_WORK * words * (to - from),
    });
  return residues(call, out, n * each);
}
