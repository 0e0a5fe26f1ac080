/**
 * The words of selection tables, part by part: whatever form they have, a kernel gets packed bytes of some elements.
 * Pads are drawn as they are needed and never held whole.
 */
import type { ProofKernels } from '../../compute/kernels/proof-types.ts';
import { type TableLayout, elementBits, tableBytes } from '../../compute/kernels/table-layout.ts';
import { type Words, bytesOf, lengthOf } from '../../compute/ring.ts';
import { interleavedWide } from '../../compute/words64.ts';
import { invariant } from '../../core/errors.ts';
import { letGo } from '../../core/let-go.ts';
import type { Entries, Operand } from './relations.ts';

/** Bytes of a part, about. */
const PART = 1 << 20;

export interface Part {
  /** Elements [from, to). */
  readonly from: number;
  readonly to: number;
  readonly bytes: Uint8Array;
  readonly layout: TableLayout;
}

/** An operand that is held, or loaded now. */
export async function loaded(operand: Operand): Promise<Words> {
  return typeof operand === 'function' ? operand() : operand;
}

/** The same, for operands that stand for ones or zeros where they are left out. */
export async function loadedIf(operand: Operand | undefined): Promise<Words | undefined> {
  return operand === undefined ? undefined : loaded(operand);
}

/** All elements, in parts that begin at whole bytes. A part is good until the next one is asked for. */
export async function* partsOf(
  kernels: ProofKernels,
  entries: Entries,
  layout: TableLayout,
  elements: number,
): AsyncGenerator<Part> {
  if (entries.kind === 'columns') {
    const { each = 1 } = entries;
    invariant(
      layout.n === 1 && entries.columns.length * each === layout.widths.length,
      'a column for every word expected',
    );
    const columns = await Promise.all(entries.columns.map(loaded));
    invariant(
      columns.every((column) => lengthOf(column) === elements * each),
      'a column has a word for every element',
    );
    const wide: TableLayout = { n: 1, k: 64, widths: layout.widths.map(() => 64) };
    for (const [from, to] of ranges(wide, elements)) {
      const data = interleavedWide(columns, from, to, each);
      yield { from, to, bytes: bytesOf({ k: 64, data }), layout: wide };
      letGo(data);
    }
    return;
  }
  if (entries.kind === 'packed')
    invariant(entries.bytes.length === tableBytes(layout, elements), 'packed tables of another length');
  for (const [from, to] of ranges(layout, elements)) {
    const first = (from * elementBits(layout)) / 8;
    const length = tableBytes(layout, to - from);
    if (entries.kind === 'packed') yield { from, to, bytes: entries.bytes.subarray(first, first + length), layout };
    else {
      const pads = await kernels.draw(entries.stream, 32, Math.ceil(length / 4), first / 4);
      yield { from, to, bytes: bytesOf(pads).subarray(0, length), layout };
      letGo(pads.data);
    }
  }
}

/** Cuts at multiples of 32 elements: whole lanes of the stream as well as whole bytes. */
function* ranges(layout: TableLayout, elements: number): Generator<readonly [number, number]> {
  const step = 32 * Math.max(1, Math.floor(PART / tableBytes(layout, 32)));
  for (let from = 0; from < elements; from += step) yield [from, Math.min(elements, from + step)];
}
