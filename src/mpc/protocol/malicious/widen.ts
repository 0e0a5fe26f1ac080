/**
 * Local rounding and widening under complete sharing (PROTOCOL §14.7).
 *
 * Split shift: m, λ1 and λ2 are shifted one by one. With ρi = λi mod 2^s the result is ⌊(x + ρ1 + ρ2)/2^s⌋, and m is
 * moved by half a unit before, so that its mean is x/2^s and its error below 1½. The exact shift of m − λ1 would need
 * its borrow proved, digit by digit.
 *
 * Widening from the top two bits: off = 2^(k−2), m' = m + off. For |x| ≤ 2^(k−2) the wrap ω in
 * x + off = m' − λ1 − λ2 + 2^k·ω is −⌊(m'_t − λ1_t − λ2_t)/4⌋, _t the top two bits: a selection of four entries with
 * P1's index m'_t − λ1_t in (−4, 4). The result m' − off + 2^k·m_ω, λi + 2^k·λi_ω is local.
 */
import { tableLayout } from '../../../compute/kernels/table-layout.ts';
import { wordsFrom } from '../../../compute/ring.ts';
import type { Wire } from '../../share/wire.ts';
import type { Selection } from '../frame/dealing.ts';
import type { LocalNode } from '../frame/local.ts';

/** Top bits that decide how often the masks wrapped. */
const TOP = 2;
const ENTRIES = 4;
/** Row d + 3 of P1's index d, entry j: the wraps −⌊(d − j)/4⌋. Row 7 is met by nobody. */
const WRAPS = Array.from({ length: 8 * ENTRIES }, (_, at) => -Math.floor(((at >> TOP) - 3 - (at & 3)) / ENTRIES));

/** @param centred whether m is moved: not where one coin is left, behind a short word */
export function splitShift(x: Wire, s: number, centred: boolean): LocalNode {
  const k = x.k - s;
  return {
    inputs: [x],
    traits: ['split shift', s, centred],
    apply: async ({ kernels }, component, [value]) => {
      const half = !centred || s === 0 || component !== 'm' ? 0n : 1n << BigInt(s - 1);
      return kernels.shiftRight(half === 0n ? value : await kernels.offset(value, -half), s, k);
    },
  };
}

/** How often x's masks wrapped, over Z_2^(k2−k): it counts 2^k times. */
export function wrapSelection(x: Wire, k2: number): Selection {
  const k = k2 - x.k;
  return {
    ...tableLayout(ENTRIES, k),
    count: x.count,
    index: { bits: 3, xorBits: 0 },
    operands: { added: x, top: true },
    traits: ['wraps'],
    table: async (p1) => {
      const { kernels } = p1;
      const top = await kernels.shiftRight(
        await kernels.offset(await p1.value(x, 'm'), 1n << BigInt(x.k - TOP)),
        x.k - TOP,
        3,
      );
      const mask = await kernels.shiftRight(await p1.value(x, 'l1'), x.k - TOP, 3);
      return {
        kind: 'rows',
        table: wordsFrom(WRAPS, k),
        n: ENTRIES,
        stride: ENTRIES,
        row: await kernels.offset(await kernels.sub(top, mask), 3n),
      };
    },
    choice: async (party) => ({ index: await party.kernels.shiftRight(await party.value(x, 'l2'), x.k - TOP, TOP) }),
  };
}

/** x in Z_2^k2, from its residue and how often its masks wrapped. */
export function widened(x: Wire, wraps: Wire, k2: number): LocalNode {
  const off = 1n << BigInt(x.k - TOP);
  return {
    inputs: [x, wraps],
    traits: ['widened', k2],
    apply: async ({ kernels }, component, [value, count]) => {
      const high = await kernels.scale(await kernels.cast(count, k2), 1n << BigInt(x.k));
      if (component !== 'm') return kernels.add(await kernels.cast(value, k2), high);
      const low = await kernels.cast(await kernels.offset(value, off), k2);
      return kernels.offset(await kernels.add(low, high), -off);
    },
  };
}
