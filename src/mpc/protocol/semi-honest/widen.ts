/**
 * Widening Z_2^k → Z_2^k2 of x = a − λ2 with |x| < 2^(k−2) (PROTOCOL §5.2), and with a local shift before it the
 * truncation of §5.3. One bit of slack instead of a carry: SIGMA (ePrint 2023/1269), Escudero et al. (ePrint 2020/338).
 *
 * With a' = a + 2^(k−2) and canonical residues, x + 2^(k−2) = a' − λ2 + 2^k·wrap, and wrap = [msb a' = 0 ∧ msb λ2 =
 * 1]: a selection of one entry, on the basis msb λ2, of words mod 2^(k2−k). The result is an additive wire: P1 has its
 * part at once, P2 half a round later. Exact inside the domain; outside it the result is off by 2^k.
 */
import { tableLayout } from '../../../compute/kernels/table-layout.ts';
import { type Vector, wordsFrom, zeros } from '../../../compute/ring.ts';
import { invariant } from '../../../core/errors.ts';
import type { Component, Wire } from '../../share/wire.ts';
import { notDerived } from './additive.ts';
import type { Party } from '../frame/party.ts';
import type { Position } from '../frame/relation.ts';
import { SelectionGate } from './select.ts';
import { type Selection, chooseFromTables, selectionMask1 } from '../frame/dealing.ts';

/** Row = msb of a'. What is wrapped where msb λ2 = 1; where it is 0 nothing is, whatever a' is. */
const WRAP = [1, 0];

/** a' = a + 2^(k−2). */
export async function positive(p1: Party, x: Wire): Promise<Vector> {
  return p1.kernels.offset(await p1.value(x, 'a'), 1n << BigInt(x.k - 2));
}

/**
 * The wrap bit of x. It is scaled by 2^k, so k2 − k bits of it matter.
 *
 * SECURITY: the entry for msb λ2 = 0 is zero for every a', so it needs no pad and is not sent: one entry, on the
 * basis φ = msb λ2. That is sound because *which* entry is zero is public. An entry left out at a place that depends
 * on P1's part would tell that part (test/mpc/views.test.ts).
 */
function wrapOf(x: Wire, k2: number): Selection {
  const k = k2 - x.k;
  return {
    ...tableLayout(1, k),
    count: x.count,
    index: { bits: 1, xorBits: 0 },
    operands: {},
    traits: ['wrap'],
    table: async (p1) => ({
      kind: 'rows',
      table: wordsFrom(WRAP, k),
      n: 1,
      stride: 1,
      row: await p1.kernels.shiftRight(await positive(p1, x), x.k - 1, 1),
    }),
    choice: async (party) => ({
      index: zeros(x.count, 1),
      basis: await party.kernels.shiftRight(await party.value(x, 'l2'), x.k - 1, k),
    }),
  };
}

export class WidenGate extends SelectionGate {
  readonly relation = 'widen' as const;
  readonly #x: Wire;

  constructor(position: Position, x: Wire, out: Wire, half12: number) {
    invariant(out.kind === 'additive', `${position.path}: nobody sends P2's part of a widening`);
    super(position, [x], out, half12, [wrapOf(x, out.k)]);
    this.#x = x;
  }

  override async component(_party: Party, component: Component): Promise<Vector> {
    return notDerived(this, component);
  }

  /** a = a' + r0·2^k − 2^(k−2), once the words are on their way: P2 works on them meanwhile. */
  override async send12(p1: Party): Promise<void> {
    await super.send12(p1);
    p1.put(this.out, 'a', await partOfP1(p1, this.#x, this.out.k, await selectionMask1(this, p1)));
  }

  /** l2 = λ2 − (wrap − r0)·2^k. */
  async recv12(p2: Party): Promise<void> {
    p2.put(this.out, 'l2', await partOfP2(p2, this.#x, this.out.k, await chooseFromTables(this, p2)));
  }
}

/** a = a' + r0·2^k − 2^(k−2) over Z_2^k2. */
export async function partOfP1(p1: Party, x: Wire, k2: number, minusR0: Vector): Promise<Vector> {
  const { kernels } = p1;
  const own = await kernels.sub(await kernels.cast(await positive(p1, x), k2), await raised(p1, x, k2, minusR0));
  return kernels.offset(own, -(1n << BigInt(x.k - 2)));
}

/** l2 = λ2 − (wrap − r0)·2^k over Z_2^k2. */
export async function partOfP2(p2: Party, x: Wire, k2: number, wrap: Vector): Promise<Vector> {
  return p2.kernels.sub(await p2.kernels.cast(await p2.value(x, 'l2'), k2), await raised(p2, x, k2, wrap));
}

async function raised({ kernels }: Party, x: Wire, k2: number, words: Vector): Promise<Vector> {
  return kernels.scale(await kernels.cast(words, k2), 1n << BigInt(x.k));
}
