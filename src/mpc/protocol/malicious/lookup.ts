/**
 * Rows E[t] of a table at secret indices (PROTOCOL §14.3), with point functions of random points that are dealt ahead:
 *
 *   P0 → P1, P2, ahead   keys of y1 + y2 = e_r
 *   P0 → P1, P2          δ = t − r mod V, with the input; both turn their shares: y'(v) = y(v − δ)
 *   P2 → P1              q = y2'·E + Γ2 + λ2
 *   P1 → P2              m = q + y1'·E + Γ1 + λ1
 *
 * With secret weights E is M, and P0 → P2 carries Γ2 = −(L1 + L2)[t] − Γ1 as well.
 *
 * SECURITY: r is P0's alone. Under a key that P0 shares with a compute party, that party would take r from δ and read
 * every token. It is kept until δ is sent, and thrown away with it: two δ of one r tell t − t'.
 */
import { pointKeyBytes } from '../../../compute/kernels/point-key.ts';
import { strided } from '../../../compute/pattern.ts';
import { type Vector, lengthOf, wireLength, wordsFrom } from '../../../compute/ring.ts';
import { Masked } from '../../share/masked.ts';
import type { Wire } from '../../share/wire.ts';
import type { Inputs, Parameter } from '../types.ts';
import type { MatrixTerm, Side } from '../../proof/relations.ts';
import { type Halves, type Proved, drawId, tagOf } from '../frame/gate.ts';
import { SEED_BYTES, indicesOf, pointKeys } from '../frame/inputs.ts';
import { type Party, parameterTraits, prgOf } from '../frame/party.ts';
import { depthOf, pointRows } from '../frame/point-rows.ts';
import type { Position } from '../frame/relation.ts';
import { crossOfP1, recvReshared, sendReshared } from '../frame/reshare.ts';
import { elementwise, matrixRelation } from './relations.ts';
import { lookupHalves } from './witness/lookup.ts';
import { CompleteRelation, mask1 } from './complete.ts';

/** `count` uniform numbers below `limit`, of this party's own generator: draws that would favour some are repeated. */
export function uniformBelow(party: Party, limit: number, count: number): number[] {
  const whole = 2 ** 32 - (2 ** 32 % limit);
  const found: number[] = [];
  while (found.length < count) {
    const bytes = party.random(4 * (count - found.length));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < bytes.length; at += 4) {
      const word = view.getUint32(at, true);
      if (word < whole) found.push(word % limit);
    }
  }
  return found;
}

/** y(v − δ) for every v. */
async function turned(party: Party, unit: Vector, by: number): Promise<Vector> {
  if (by === 0) return unit;
  const { kernels } = party;
  const length = lengthOf(unit);
  return kernels.concat([
    await kernels.gather(unit, strided(length - by, [by, 1])),
    await kernels.gather(unit, strided(0, [length - by, 1])),
  ]);
}

/** What of a look-up is P0's. */
export interface LookupForm {
  /** Whether Γ2 of secret weights comes with the input. */
  readonly secret: boolean;
  /** Whether P0 is a prover: always with secret weights. */
  readonly proved: boolean;
}

export class CompleteLookupGate extends CompleteRelation {
  readonly relation = 'lookup' as const;
  readonly relations: readonly Proved[];
  readonly halves: readonly Halves[];
  readonly #name: string;
  readonly #table: Parameter;
  readonly #rows: number;
  readonly #secret: boolean;
  /** Bits of δ. */
  readonly #shiftBits: number;
  readonly longestDraw: number;
  /** What is kept between phases beside P0's r, under the gate itself: keys, δ and Γ2. */
  readonly #keys = {};
  readonly #shift = {};
  readonly #cross = {};

  constructor(
    position: Position,
    name: string,
    table: Parameter,
    out: Wire,
    half21: number,
    { secret, proved }: LookupForm,
  ) {
    const rows = out.count / table.cols;
    const keys = rows * pointKeyBytes(depthOf(table));
    const shiftBits = Math.max(1, depthOf(table));
    const shift = wireLength(shiftBits, rows);
    const word = wireLength(out.k, out.count);
    super(position, out, {
      inputs: [],
      half21,
      half12: half21 + 1,
      traits: [name, parameterTraits(table)],
      cost: {
        p0ToP1Ahead: keys,
        p0ToP2Ahead: keys,
        p0ToP1Input: shift,
        p0ToP2Input: shift + (secret ? word : 0),
        p2ToP1: word,
        p1ToP2: word,
      },
    });
    this.longestDraw = Math.max(SEED_BYTES * rows, 8 * out.count);
    this.#name = name;
    this.#table = table;
    this.#rows = rows;
    this.#secret = secret;
    const unit = (left: Side): MatrixTerm => ({ left, negative: false, inner: table.rows, fetched: true });
    const sums = { shape: [rows, 1], k: 64, count: rows };
    this.relations = [
      matrixRelation(2, 'lookup.q', out, [unit('W')]),
      matrixRelation(1, 'lookup.m', out, [unit('W')]),
      // A vector of idempotents of Z_2^64 that sums to one is a unit vector.
      ...(proved
        ? [
            elementwise(0, 'lookup.unit', { ...out, count: rows * table.rows }, 1),
            matrixRelation(0, 'lookup.sum', sums, []),
          ]
        : []),
      ...(secret ? [matrixRelation(0, 'lookup.gamma', out, [unit('V'), unit('W')])] : []),
    ];
    this.#shiftBits = shiftBits;
    this.halves = lookupHalves(this, {
      table,
      rows,
      shiftBits,
      secret,
      proved,
      turned: ({ party }, unit, by) => turned(party, unit, by),
    });
  }

  async dealP0(p0: Party): Promise<void> {
    const points = uniformBelow(p0, this.#table.rows, this.#rows);
    const [key1, key2] = await pointKeys(this, p0, points, depthOf(this.#table));
    await p0.link(1).send(tagOf(this, 'deal'), Masked.plain('point function key', key1));
    await p0.link(2).send(tagOf(this, 'deal'), Masked.plain('point function key', key2));
    p0.keep(this, wordsFrom(points, 32));
  }

  dealP1(p1: Party): Promise<void> {
    return this.#recvKeys(p1);
  }

  dealP2(p2: Party): Promise<void> {
    return this.#recvKeys(p2);
  }

  async inputP0(p0: Party, inputs: Inputs): Promise<void> {
    const { kernels } = p0;
    const indices = indicesOf(inputs, this.#name, this.#rows, this.#table.rows);
    const points = await kernels.read(p0.take(this));
    const V = this.#table.rows;
    const shift = wordsFrom(
      indices.map((t, i) => (t - Number(points.data[i]) + V) % V),
      this.#shiftBits,
    );
    await p0.link(1).send(tagOf(this, 'input'), Masked.plain('look-up shift', shift));
    await p0.link(2).send(tagOf(this, 'input'), Masked.plain('look-up shift', shift));
    if (!this.#secret) return;
    const fresh = prgOf(p0, 1).takeMask(drawId(this, 'cross'), this, 'Γ1');
    const own = await kernels.draw(fresh.stream, 64, this.out.count);
    const masks = await p0.parameters.words(kernels, this.#table, 'l1+l2', indices);
    await p0
      .link(2)
      .send(tagOf(this, 'input'), Masked.under(fresh, await kernels.scale(await kernels.add(masks, own), -1n)));
  }

  inputP1(p1: Party): Promise<void> {
    return this.#recvShift(p1);
  }

  async inputP2(p2: Party): Promise<void> {
    await this.#recvShift(p2);
    if (this.#secret)
      p2.keep(this.#cross, await p2.link(0).recvBytes(tagOf(this, 'input'), wireLength(64, this.out.count)));
  }

  async send21(p2: Party): Promise<void> {
    const { kernels } = p2;
    let rows = await this.#product(p2);
    if (this.#secret)
      rows = await kernels.add(rows, await kernels.unpack(p2.takeBytes(this.#cross), 64, this.out.count));
    await sendReshared(this, p2, rows);
  }

  async recv21(p1: Party): Promise<void> {
    const { kernels } = p1;
    let own = await kernels.add(await this.#product(p1), await mask1(this, p1));
    if (this.#secret) own = await kernels.add(own, await crossOfP1(this, p1));
    p1.put(this.out, 'm', await kernels.add(await recvReshared(this, p1), own));
  }

  send12(p1: Party): Promise<void> {
    return this.sendM(p1);
  }

  recv12(p2: Party): Promise<void> {
    return this.recvM(p2);
  }

  async #recvKeys(party: Party): Promise<void> {
    const length = this.#rows * pointKeyBytes(depthOf(this.#table));
    party.keep(this.#keys, await party.link(0).recvBytes(tagOf(this, 'deal'), length));
  }

  async #recvShift(party: Party): Promise<void> {
    const length = wireLength(this.#shiftBits, this.#rows);
    party.keep(this.#shift, await party.link(0).recvBytes(tagOf(this, 'input'), length));
  }

  /** y_i'·E for the own share of every unit vector. */
  async #product(party: Party): Promise<Vector> {
    const { kernels } = party;
    const packed = party.takeBytes(this.#shift);
    const shift = (await kernels.read(await kernels.unpack(packed, this.#shiftBits, this.#rows))).data;
    const part = this.#secret ? 'm' : 'clear';
    return pointRows(party, this.#table, part, party.takeBytes(this.#keys), (unit, row) =>
      // A corrupt P0 may send any δ: it is taken mod V, the same at both parties.
      turned(party, unit, Number(shift[row]) % this.#table.rows),
    );
  }
}
