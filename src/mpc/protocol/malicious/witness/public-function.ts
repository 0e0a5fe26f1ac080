/**
 * P1's table as a public function of an index (PROTOCOL §16.2): what m and λ1 give to the index, what they are factors
 * of, and the words at any index. Words come from the kernel that makes P1's tables, so that a proof is about these
 * tables and not about another description of them.
 */
import { TURN_BITS } from '../../../../compute/cosine-tables.ts';
import { leadingWords } from '../../../../compute/kernels/cosine-sum.ts';
import { writeBits } from '../../../../compute/kernels/reference/bits.ts';
import { type TableLayout, tableBytes } from '../../../../compute/kernels/table-layout.ts';
import type { CosineSum, PiecewisePolynomial, RingKernels, SelectionTable } from '../../../../compute/kernels/types.ts';
import { type Vector, type Words, zeros } from '../../../../compute/ring.ts';
import { invariant } from '../../../../core/errors.ts';
import { letGo } from '../../../../core/let-go.ts';
import type { PublicFunction, TableHalf } from '../../../proof/relations.ts';
import type { Component, Wire } from '../../../share/wire.ts';
import type { Selection } from '../../frame/dealing.ts';
import { joint } from '../../frame/difference-table.ts';
import type { Party } from '../../frame/party.ts';
import { interleaved, readOnce } from './read.ts';

/** Top bits that the index of a widening is read from. */
const TOP = 2;

/** What m, or λ1, gives to the index, of every element of the relation: of every entry where these are one function. */
export async function indexOf(selection: Selection, party: Party, component: 'm' | 'l1'): Promise<Words> {
  const { kernels } = party;
  const { form, n } = selection;
  const one = await elementIndex(selection, party, component);
  if (form === undefined || form.kind === 'choice') return one;
  const each = await kernels.read(await kernels.repeat(one, n));
  if (form.kind === 'cosines' || component === 'l1') return each;
  const mask = 2 ** each.k - 1;
  return { k: each.k, data: (each.data as Uint32Array).map((d, i) => (d - (i % n) * 2 ** form.t) & mask) };
}

async function elementIndex({ index, operands }: Selection, party: Party, component: 'm' | 'l1'): Promise<Words> {
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
): Promise<Pick<TableHalf, 'factors' | 'fresh'>> {
  const { functions, operands, form } = selection;
  if (functions === undefined) return { factors: [undefined] };
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
    return { factors: [...out, undefined] };
  }
  invariant(operands.added !== undefined && form?.kind === 'cosines', 'factors of no operand');
  const value = await party.value(operands.added, component);
  const { gate } = operands;
  const own = component === 'm';
  let ofEntries: readonly FactorsOfEntry[];
  const copies: Words[] = [];
  if (gate === undefined) {
    const argument = own ? [await read(value), undefined] : [undefined, await read(await kernels.scale(value, -1n))];
    ofEntries = [{ angle: [undefined], argument, constant: [undefined] }];
  } else {
    const bit = await kernels.cast(await party.value(gate, component), selection.k);
    const wide = await kernels.cast(value, selection.k);
    ofEntries = await (own ? gatedOfV : gatedOfW)(kernels, bit, wide, copies);
  }
  // Terms share factors, and are given the same vector then: it is made and kept once.
  const made = new Map<Words, Words>();
  const factors = form.functions.flatMap((kind) =>
    ofEntries[0][kind].map((first, t) => {
      if (first === undefined) return undefined;
      const known = made.get(first) ?? interleaved(ofEntries.map((one) => one[kind][t] as Words));
      made.set(first, known);
      return known;
    }),
  );
  for (const { data } of copies) letGo(data);
  return { factors, fresh: ofEntries.length > 1 ? [...made.values()] : [] };
}

/** Factors of one entry. Those of two entries are left out at the same terms. */
type FactorsOfEntry = Readonly<Record<'angle' | 'argument' | 'constant', readonly (Words | undefined)[]>>;

/**
 * The bit of entry j is o + c − 2·o·c, where o = m ⊕ j is V's and c = λ1 W's. In terms that share a factor it is
 * o·1 + (1 − 2·o)·c, and times m − λ1 it is o·m·1 + o·(2·c·λ1 − λ1) + (m − 2·o·m)·c + 1·(−c·λ1).
 */
async function gatedOfV(
  kernels: RingKernels,
  bit: Vector,
  m: Vector,
  copies: Words[],
): Promise<readonly FactorsOfEntry[]> {
  const once = (x: Vector) => readOnce(kernels, x, copies);
  const out: FactorsOfEntry[] = [];
  for (const j of [0n, 1n]) {
    const own = j === 0n ? bit : await kernels.offset(await kernels.scale(bit, -1n), 1n);
    const product = await kernels.mul(own, m);
    const [read, more] = [await once(own), await kernels.offset(await kernels.scale(own, -2n), 1n)];
    const rest = await kernels.add(m, await kernels.scale(product, -2n));
    const alone = [read, await once(more)];
    const argument = [await once(product), read, await once(rest), undefined];
    out.push({ angle: alone, argument, constant: alone });
  }
  return out;
}

async function gatedOfW(
  kernels: RingKernels,
  bit: Vector,
  mask: Vector,
  copies: Words[],
): Promise<readonly FactorsOfEntry[]> {
  const once = (x: Vector) => readOnce(kernels, x, copies);
  const [own, product] = [await once(bit), await kernels.mul(bit, mask)];
  const both = await once(await kernels.sub(await kernels.scale(product, 2n), mask));
  const negative = await once(await kernels.scale(product, -1n));
  const alone = [undefined, own];
  const one = { angle: alone, argument: [undefined, both, own, negative], constant: alone };
  return [one, one];
}

/** The words of one function at these indices, packed. */
export async function tableWords(
  selection: Selection,
  kernels: RingKernels,
  { layout }: PublicFunction,
  f: number,
  indices: Uint32Array,
): Promise<Uint8Array> {
  const { form, operands } = selection;
  if (form?.kind === 'cosines') {
    const { sum, functions } = form;
    if (functions[f] !== 'angle') return repeatedWords(layout, constantWords(sum, functions[f]), indices.length);
    const angles = { ...sum, linear: false, constant: 0n };
    return kernels.clearTable({ kind: 'cosine', sum: angles, a: wordsOf(indices, TURN_BITS) }, layout);
  }
  const table = (await selection.table(new Probe(selection, kernels, indices) as unknown as Party)) as SelectionTable;
  if (table.kind === 'choose') return chosenWords(layout, table.pick, f, indices);
  if (table.kind === 'polynomial') return segmentWords(kernels, table.polynomial, layout, indices);
  const row =
    operands.top === true
      ? {
          row: wordsOf(
            indices.map((d) => (d + 3) & 7),
            3,
          ),
        }
      : {};
  return kernels.clearTable({ ...table, ...row } as SelectionTable, layout);
}

/** Entry 0 of a polynomial's table at these indices: that of the one segment that an index lies in. */
async function segmentWords(
  kernels: RingKernels,
  polynomial: PiecewisePolynomial,
  layout: TableLayout,
  indices: Uint32Array,
): Promise<Uint8Array> {
  const { t, degree, coefficients } = polynomial;
  const size = tableBytes(layout, 1);
  const out = new Uint8Array(size * indices.length);
  // By segments, which are one run each where the whole function is asked for.
  const order = ascending(indices) ? undefined : inOrder(indices);
  const sorted = order === undefined ? indices : order.map((i) => indices[i]);
  for (let from = 0, to = 0; from < sorted.length; from = to) {
    const segment = sorted[from] >>> t;
    while (to < sorted.length && sorted[to] >>> t === segment) to++;
    const low = sorted.slice(from, to);
    for (let i = 0; i < low.length; i++) low[i] &= 2 ** t - 1;
    const own = coefficients.slice((degree + 1) * segment, (degree + 1) * (segment + 1));
    const one = { ...polynomial, segments: 1, coefficients: own };
    const bytes = await kernels.clearTable({ kind: 'polynomial', polynomial: one, a: { k: t, data: low } }, layout);
    if (order === undefined) out.set(bytes, size * from);
    else
      for (let i = from; i < to; i++)
        out.set(bytes.subarray(size * (i - from), size * (i - from + 1)), size * order[i]);
    letGo(bytes);
    letGo(low);
  }
  return out;
}

function ascending(indices: Uint32Array): boolean {
  for (let i = 1; i < indices.length; i++) if (indices[i - 1] >= indices[i]) return false;
  return true;
}

/** The places of indices, the smallest index first. */
function inOrder(indices: Uint32Array): Uint32Array {
  const order = new Uint32Array(indices.length);
  for (let i = 0; i < order.length; i++) order[i] = i;
  return order.sort((i, j) => indices[i] - indices[j]);
}

/** Indices as words of Z_2^k. */
function wordsOf(indices: Uint32Array, k: number): Words {
  if (k <= 32) return { k, data: indices };
  const lanes = new Uint32Array(2 * indices.length);
  for (let i = 0; i < indices.length; i++) lanes[2 * i] = indices[i];
  return { k, data: new BigUint64Array(lanes.buffer) };
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

  async value(wire: Wire, _component: Component): Promise<Vector> {
    const { operands, index } = this.#selection;
    const { added, zeros: low = 0, bits = [] } = operands;
    if (wire.id === added?.id) {
      const read = wordsOf(
        this.#indices.map((d) => d >>> index.xorBits),
        wire.k,
      );
      return low === 0 ? this.kernels.cast(read, wire.k) : this.kernels.scale(read, 1n << BigInt(low));
    }
    const at = bits.findIndex(({ id }) => id === wire.id);
    if (at < 0) return zeros(this.#indices.length, wire.k);
    return { k: 1, data: this.#indices.map((d) => (d >>> at) & 1) };
  }
}

/** Of value v: one in the word that carries it, where it is picked. Of the last function: which one is picked. */
function chosenWords({ n, widths }: TableLayout, pick: Uint8Array, f: number, indices: Uint32Array): Uint8Array {
  const last = widths.length - 1;
  const out = new BigUint64Array(indices.length * n * widths.length);
  for (let i = 0; i < indices.length; i++)
    for (let j = 0; j < n; j++) {
      const chosen = pick[indices[i] ^ j];
      const at = (i * n + j) * widths.length;
      if (f < last && chosen === f) out[at] = 1n;
      if (f === last && chosen < last) out[at + 1 + chosen] = 1n;
    }
  return new Uint8Array(out.buffer);
}

/** The words of a sum that are constant: of a, the one in front of it; of the rest, the constant and −1. */
function constantWords(sum: CosineSum, kind: 'argument' | 'constant'): readonly bigint[] {
  return kind === 'argument' ? [1n] : [sum.constant, -1n].slice(0, leadingWords(sum));
}

function repeatedWords(layout: TableLayout, words: readonly bigint[], times: number): Uint8Array {
  const out = new Uint8Array(tableBytes(layout, times));
  let at = 0;
  for (let i = 0; i < times; i++)
    for (const [c, word] of words.entries()) {
      writeBits(out, at, layout.widths[c], word);
      at += layout.widths[c];
    }
  return out;
}
