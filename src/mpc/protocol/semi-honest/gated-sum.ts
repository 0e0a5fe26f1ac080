/**
 * Σ of values, each let through where all its shared bits are one (PROTOCOL §4.13): with the half-round of a product,
 * also where the bits come of a selection in the same round. For few bits a value: P0 sends 2^(bits + 1) − 2 words.
 *
 * Bits and values are lifted. So both compute parties hold m of each, and P0 its masks: a bit is b = m ⊕ σ with
 * σ = λ1 ⊕ λ2, over the integers m + n·σ with n = 1 − 2m, and a value is v = m_v − Λ. A product of both is a sum over
 * all sets S of bits, whose coefficients are known to both:
 *
 *   Π b_i · v = Σ_S (Π_{i∈S} n_i · Π_{i∉S} m_i) · (σ_S·m_v − σ_S·Λ),   σ_S = Π_{i∈S} σ_i
 *
 *   P0 → P2, ahead   σ_S and σ_S·Λ less P1's draws, for every S but the empty one
 *   P2 → P1          P2's part of the sum + λ2'
 *   P1               a = message + its own part
 *
 * It is a multiplication of several factors as in ABY2.0 (ePrint 2020/1225, §3.1), on one-sided shares. Views: P2 sees
 * words under k01's draws, P1 one under λ2'.
 */
import { strided } from '../../../compute/pattern.ts';
import { type Vector, laneBytes, wireLength } from '../../../compute/ring.ts';
import { invariant } from '../../../core/errors.ts';
import { Masked } from '../../share/masked.ts';
import type { Wire } from '../../share/wire.ts';
import { drawId, tagOf } from '../frame/gate.ts';
import { type Party, prgOf } from '../frame/party.ts';
import { MaskedRelation, type Position } from '../frame/relation.ts';
import { recvReshared, sendReshared } from '../frame/reshare.ts';
import type { Gated } from '../types.ts';
import { refuseAdditive } from './additive.ts';

/** Words of P0 for a value with so many bits: for every set of them but the empty one σ_S, and σ_S·Λ. */
function wordsOf({ bits }: Gated): number {
  return 2 * (2 ** bits.length - 1);
}

/** The product of the vectors that are there, undefined of none. */
async function product({ kernels }: Party, factors: readonly Vector[]): Promise<Vector | undefined> {
  let all: Vector | undefined;
  for (const factor of factors) all = all === undefined ? factor : await kernels.mul(all, factor);
  return all;
}

export class GatedSumGate extends MaskedRelation {
  readonly relation = 'product' as const;
  readonly longestDraw: number;
  readonly #terms: readonly Gated[];
  readonly #words: number;

  /** Every bit and every value is lifted. */
  constructor(position: Position, terms: readonly Gated[], out: Wire, half21: number) {
    const inputs = terms.flatMap(({ bits, value }) => [...bits, value]);
    refuseAdditive(position.path, inputs);
    invariant(
      terms.every(({ bits }) => bits.length > 0),
      `${position.path}: a value without a bit is an addition`,
    );
    const words = terms.reduce((sum, term) => sum + wordsOf(term), 0);
    super(position, out, {
      inputs,
      half21,
      traits: ['gated', terms.map(({ bits }) => bits.length)],
      cost: { p0ToP2Ahead: wireLength(out.k, words * out.count), p2ToP1: wireLength(out.k, out.count) },
    });
    this.#terms = terms;
    this.#words = words;
    this.longestDraw = laneBytes(out.k) * words * out.count;
  }

  async dealP0(p0: Party): Promise<void> {
    const { kernels } = p0;
    const { k, count } = this.out;
    const words: Vector[] = [];
    for (const { bits, value } of this.#terms) {
      const masks: Vector[] = [];
      for (const bit of bits)
        masks.push(await kernels.cast(await kernels.add(await p0.value(bit, 'l1'), await p0.value(bit, 'l2')), k));
      const own = await kernels.add(await p0.value(value, 'l1'), await p0.value(value, 'l2'));
      for (let set = 1; set < 2 ** bits.length; set++) {
        const sigma = (await product(
          p0,
          masks.filter((_, i) => ((set >> i) & 1) === 1),
        )) as Vector;
        words.push(sigma, await kernels.mul(sigma, own));
      }
    }
    const fresh = prgOf(p0, 1).takeMask(drawId(this, 'cross'), this, 'Γ1');
    const drawn = await kernels.draw(fresh.stream, k, this.#words * count);
    await p0
      .link(2)
      .send(tagOf(this, 'deal'), Masked.under(fresh, await kernels.sub(await kernels.concat(words), drawn)));
  }

  async dealP2(p2: Party): Promise<void> {
    p2.keep(
      this,
      await p2.link(0).recvBytes(tagOf(this, 'deal'), wireLength(this.out.k, this.#words * this.out.count)),
    );
  }

  async send21(p2: Party): Promise<void> {
    const { k, count } = this.out;
    const dealt = await p2.kernels.unpack(p2.takeBytes(this), k, this.#words * count, 'given');
    const word = (at: number) => p2.kernels.gather(dealt, strided(at * count, [count, 1]));
    await sendReshared(this, p2, await this.#part(p2, word));
  }

  async recv21(p1: Party): Promise<void> {
    const { k, count } = this.out;
    const stream = prgOf(p1, 1).claim(drawId(this, 'cross'), this, 'Γ1');
    const own = await this.#part(p1, (at) => p1.kernels.draw(stream, k, count, at * count));
    p1.put(this.out, 'a', await p1.kernels.add(await recvReshared(this, p1), own));
  }

  /** What a compute party adds to the sum. */
  async #part(party: Party, word: (at: number) => Promise<Vector>): Promise<Vector> {
    const { kernels } = party;
    const [shown, mask] = party.id === 1 ? (['a', 'l1'] as const) : (['y', 'l2'] as const);
    const open = async (x: Wire) => kernels.add(await party.value(x, shown), await party.value(x, mask));
    let at = 0;
    let sum: Vector | undefined;
    for (const { bits, value } of this.#terms) {
      const [m, n]: Vector[][] = [[], []];
      for (const bit of bits) {
        const shownBit = await kernels.cast(await open(bit), this.out.k);
        m.push(shownBit);
        n.push(await kernels.offset(await kernels.scale(shownBit, -2n), 1n));
      }
      const shownValue = await open(value);
      // Without a mask of a bit: m_v less this party's own mask at one of them, the other's mask at the other.
      let inner =
        party.id === 1 ? await kernels.scale(await party.value(value, 'l1'), -1n) : await party.value(value, 'y');
      for (let set = 0; set < 2 ** bits.length; set++) {
        if (set > 0) {
          inner = await kernels.sub(await kernels.mul(await word(at), shownValue), await word(at + 1));
          at += 2;
        }
        const factors = bits.map((_, i) => (((set >> i) & 1) === 1 ? n[i] : m[i]));
        const term = (await product(party, [inner, ...factors])) as Vector;
        sum = sum === undefined ? term : await kernels.add(sum, term);
      }
    }
    return sum as Vector;
  }
}
