/**
 * P1's table as a public function of an index (PROTOCOL §16.2): what m and λ1 give to the index, what they are factors
 * of, and the words at any index. Words come from the kernel that makes P1's tables, so that a proof is about these
 * tables and not about another description of them.
 */
import { cosineTables } from '../../../../compute/cosine-tables.ts';
import { leadingWords } from '../../../../compute/kernels/cosine-sum.ts';
import { readBits, writeBits } from '../../../../compute/kernels/reference/bits.ts';
import { cosineEntry } from '../../../../compute/kernels/reference/cosine.ts';
import { type TableLayout, entryBits, tableBytes } from '../../../../compute/kernels/table-layout.ts';
import type { CosineSum, RingKernels, SelectionTable, Stream } from '../../../../compute/kernels/types.ts';
import { type Vector, type Words, bytesOf, wordsFrom, zeros } from '../../../../compute/ring.ts';
import { invariant } from '../../../../core/errors.ts';
import type { Component, Wire } from '../../../share/wire.ts';
import type { Selection } from '../../frame/dealing.ts';
import { joint } from '../../frame/difference-table.ts';
import type { Party } from '../../frame/party.ts';

/** Top bits that the index of a widening is read from. */
const TOP = 2;

/** What m, or λ1, gives to the index. */
export async function indexOf({ index, operands }: Selection, party: Party, component: 'm' | 'l1'): Promise<Words> {
  const { kernels } = party;
  const { added, zeros: low = 0, top, bits = [] } = operands;
  const width = index.bits + index.xorBits;
  let total: Vector | undefined;
  if (added !== undefined) {
    const value = await party.value(added, component);
    const moved = top === true && component === 'm' ? await kernels.offset(value, 1n << BigInt(added.k - TOP)) : value;
    const from = top === true ? added.k - TOP : low;
    const read = await kernels.shiftRight(moved, from, Math.min(index.bits, added.k - from));
    total = await kernels.scale(await kernels.cast(read, width), 1n << BigInt(index.xorBits));
  }
  if (bits.length > 0) {
    const other = await kernels.cast(await joint(party, bits, component), width);
    total = total === undefined ? other : await kernels.add(total, other);
  }
  invariant(total !== undefined, 'a table of no index');
  return kernels.read(total);
}

/**
 * The factors that m gives (p of V), or λ1 (q of W), one for each term; undefined for one. Their product is below 2^k.
 */
export async function factorsOf(
  selection: Selection,
  party: Party,
  component: 'm' | 'l1',
): Promise<readonly (Words | undefined)[]> {
  const { functions, operands } = selection;
  if (functions === undefined) return [undefined];
  const { kernels } = party;
  const read = async (x: Vector) => kernels.read(x);
  if (operands.values !== undefined) {
    const out: (Words | undefined)[] = [];
    for (const value of operands.values) {
      const words = await party.value(value, component);
      out.push(
        ...(component === 'm'
          ? [await read(words), undefined]
          : [undefined, await read(await kernels.scale(words, -1n))]),
      );
    }
    return [...out, undefined];
  }
  invariant(operands.added !== undefined, 'factors of no operand');
  const value = await party.value(operands.added, component);
  const { gate } = operands;
  const own = component === 'm';
  if (gate === undefined)
    return own
      ? [undefined, await read(value), undefined, undefined]
      : [undefined, undefined, await read(await kernels.scale(value, -1n)), undefined];
  const bit = await kernels.cast(await party.value(gate, component), selection.k);
  const wide = await kernels.cast(value, selection.k);
  return own ? gatedOfV(kernels, bit, wide) : gatedOfW(kernels, bit, wide);
}

/** The bit of entry j is (m ⊕ j) + λ1 − 2·(m ⊕ j)·λ1: what stands on m's side, for the bit alone and for bit·(m − λ1). */
async function gatedOfV(kernels: RingKernels, bit: Vector, m: Vector): Promise<(Words | undefined)[]> {
  const out: (Words | undefined)[] = [];
  for (const j of [0n, 1n]) {
    const own = j === 0n ? bit : await kernels.offset(await kernels.scale(bit, -1n), 1n);
    const [read, twice] = [await kernels.read(own), await kernels.read(await kernels.scale(own, -2n))];
    const product = await kernels.mul(own, m);
    out.push(read, undefined, twice);
    out.push(await kernels.read(product), read, await kernels.read(m), undefined);
    out.push(await kernels.read(await kernels.scale(product, -2n)), read);
    out.push(read, undefined, twice);
  }
  return out;
}

async function gatedOfW(kernels: RingKernels, bit: Vector, mask: Vector): Promise<(Words | undefined)[]> {
  const [own, negative] = [await kernels.read(bit), await kernels.read(await kernels.scale(mask, -1n))];
  const product = await kernels.mul(bit, mask);
  const [minus, twice] = [
    await kernels.read(await kernels.scale(product, -1n)),
    await kernels.read(await kernels.scale(product, 2n)),
  ];
  const alone = [undefined, own, own];
  return [0, 1].flatMap(() => [...alone, undefined, negative, own, minus, own, twice, ...alone]);
}

/** The words of one function at these indices, packed. */
export async function tableWords(
  selection: Selection,
  kernels: RingKernels,
  term: number,
  indices: Uint32Array,
): Promise<Uint8Array> {
  const probe = new Probe(selection, kernels, indices);
  const table = (await selection.table(probe as unknown as Party)) as SelectionTable;
  if (table.kind === 'choose') return chosenWords(selection, table.pick, term, indices);
  if (table.kind === 'cosine') return cosineWords(selection, table.sum, term, indices);
  const read =
    selection.operands.top === true && table.kind === 'rows'
      ? {
          ...table,
          row: wordsFrom(
            indices.map((d) => (d + 3) & 7),
            3,
          ),
        }
      : table;
  return withoutPads(kernels, selection, indices.length, (pads) =>
    kernels.selectionTable(read, selection, pads, 0, indices.length),
  );
}

/** A party whose a is the index itself: `Selection.table` asks nothing else of it. */
class Probe {
  readonly kernels: RingKernels;
  readonly #selection: Selection;
  readonly #indices: Uint32Array;

  constructor(selection: Selection, kernels: RingKernels, indices: Uint32Array) {
    this.kernels = kernels;
    this.#selection = selection;
    this.#indices = indices;
  }

  async value(wire: Wire, _component: Component): Promise<Words> {
    const { operands, index } = this.#selection;
    const { added, zeros: low = 0, bits = [] } = operands;
    if (wire.id === added?.id) {
      const mask = (1n << BigInt(wire.k)) - 1n;
      return wordsFrom(
        Array.from(this.#indices, (d) => (BigInt(d >>> index.xorBits) << BigInt(low)) & mask),
        wire.k,
      );
    }
    const at = bits.findIndex(({ id }) => id === wire.id);
    if (at < 0) return zeros(this.#indices.length, wire.k);
    return wordsFrom(
      this.#indices.map((d) => (d >>> at) & 1),
      1,
    );
  }
}

/** A stream that everybody knows: what it adds to words is taken off again. */
const KNOWN: Stream = { key: new Uint8Array(32), nonce: new Uint8Array(12) };

/** A table without its pads, from a kernel that adds some. */
async function withoutPads(
  kernels: RingKernels,
  layout: TableLayout,
  elements: number,
  make: (pads: Stream) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const padded = await make(KNOWN);
  const length = tableBytes(layout, elements);
  const pads = bytesOf(await kernels.read(await kernels.draw(KNOWN, 32, Math.ceil(length / 4)))).subarray(0, length);
  const [width] = layout.widths;
  const same = layout.widths.every((w) => w === width);
  if (same && width === 1) return padded.map((byte, i) => byte ^ pads[i]);
  if (same && (width === 8 || width === 16 || width === 32 || width === 64)) {
    const Lane = { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array, 64: BigUint64Array }[width];
    const [left, right] = [padded.slice(), pads.slice()].map(({ buffer }) => new Lane(buffer) as BigUint64Array);
    for (let i = 0; i < left.length; i++) left[i] -= right[i];
    return new Uint8Array(left.buffer);
  }
  const out = new Uint8Array(length);
  eachWord(layout, elements, (at, w) => {
    writeBits(out, at, w, readBits(padded, at, w) - readBits(pads, at, w));
  });
  return out;
}

function eachWord(layout: TableLayout, elements: number, visit: (at: number, width: number) => void): void {
  let at = 0;
  for (let entry = 0; entry < elements * layout.n; entry++)
    for (const width of layout.widths) {
      visit(at, width);
      at += width;
    }
}

/** Of value v: one in the word that carries it, where it is picked. Of the last function: which one is picked. */
function chosenWords(layout: TableLayout, pick: Uint8Array, term: number, indices: Uint32Array): Uint8Array {
  const last = layout.widths.length - 1;
  return packed(layout, indices, (d, j) => {
    const chosen = pick[d ^ j];
    const words = new Array<bigint>(layout.widths.length).fill(0n);
    if (term < last) words[0] = chosen === term ? 1n : 0n;
    else if (chosen < last) words[1 + chosen] = 1n;
    return words;
  });
}

/** The kinds of words of a sum of cosines, one entry a function: those with an angle, that of a, the rest. */
function cosineWords(layout: TableLayout, sum: CosineSum, term: number, indices: Uint32Array): Uint8Array {
  const [entry, kind] = layout.n === 1 ? [0, term] : [Math.floor(term / 3), term % 3];
  const [leading, P] = [leadingWords(sum), layout.widths.length];
  const none = new Array<bigint>(P).fill(0n);
  const fixed = none.slice();
  if (kind === 1 && sum.linear) fixed[0] = 1n;
  if (kind === 2 && leading > 0) fixed[0] = sum.constant;
  if (kind === 2 && leading > 1) fixed[1] = -1n;
  const tables = cosineTables();
  return packed(layout, indices, (d, j) => {
    if (j !== entry) return none;
    if (kind !== 0) return fixed;
    return cosineEntry(tables, sum, BigInt(d), 1n, 0).map((word, p) => (p < leading ? 0n : word));
  });
}

function packed(
  layout: TableLayout,
  indices: Uint32Array,
  entry: (index: number, j: number) => readonly bigint[],
): Uint8Array {
  const out = new Uint8Array(tableBytes(layout, indices.length));
  const bits = entryBits(layout);
  for (const [i, d] of indices.entries())
    for (let j = 0; j < layout.n; j++) {
      let at = (i * layout.n + j) * bits;
      for (const [p, word] of entry(d, j).entries()) {
        writeBits(out, at, layout.widths[p], word);
        at += layout.widths[p];
      }
    }
  return out;
}
