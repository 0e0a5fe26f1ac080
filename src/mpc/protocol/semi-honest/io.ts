/** Where values enter and leave: P0's tensors, private look-ups of table rows, and the one output that opens to P0. */
import { pointKeyBytes } from '../../../compute/kernels/point-key.ts';
import { type Vector, type Words, wireLength } from '../../../compute/ring.ts';
import { invariant } from '../../../core/errors.ts';
import { Masked } from '../../share/masked.ts';
import type { Wire } from '../../share/wire.ts';
import type { Inputs, Parameter } from '../types.ts';
import { AdditiveRelation, refuseAdditive } from './additive.ts';
import { drawId, tagOf } from '../frame/gate.ts';
import { type Party, parameterTraits, prgOf } from '../frame/party.ts';
import { depthOf, pointRows } from '../frame/point-rows.ts';
import { SEED_BYTES, indicesOf, pointKeys, tensorOf } from '../frame/inputs.ts';
import { type Position, Relation, MaskedRelation } from '../frame/relation.ts';
import { crossOfP1 } from '../frame/reshare.ts';

/** A tensor of P0: a = x + λ2 to P1, λ2 ← k02. One message, k bits an element. */
export class InputGate extends MaskedRelation {
  readonly relation = 'input' as const;
  readonly #name: string;

  constructor(position: Position, name: string, out: Wire) {
    super(position, out, { inputs: [], traits: [name], cost: { p0ToP1Input: wireLength(out.k, out.count) } });
    this.#name = name;
  }

  async inputP0(p0: Party, inputs: Inputs): Promise<void> {
    const x = tensorOf(inputs, this.#name, this.out);
    const fresh = prgOf(p0, 2).takeMask(drawId(this, 'mask2'), this, 'λ2');
    const mask = await p0.kernels.draw(fresh.stream, this.out.k, this.out.count);
    await p0.link(1).send(tagOf(this, 'input'), Masked.under(fresh, await p0.kernels.add(x, mask)));
  }

  async inputP1(p1: Party): Promise<void> {
    p1.put(this.out, 'a', await p1.link(0).recv(tagOf(this, 'input'), this.out.k, this.out.count));
  }
}

/**
 * Rows E[t] of a table at secret indices (PROTOCOL §4.2): P0 sends each compute party its
 * point-function key for e_t, and E[t] = y1·E + y2·E: an additive wire, without a message between P1 and P2. With
 * secret weights also Γ2 = −(L1 + L2)[t] − Γ1 from P0 to P2. Each key alone hides t. Output over Z_2^64 at the table's
 * scale.
 */
export class LookupGate extends AdditiveRelation {
  readonly relation = 'lookup' as const;
  readonly #name: string;
  readonly #table: Parameter;
  readonly #rows: number;
  readonly #depth: number;
  readonly #secret: boolean;
  readonly longestDraw: number;

  constructor(position: Position, name: string, table: Parameter, out: Wire, secret: boolean) {
    const rows = out.count / table.cols;
    const depth = depthOf(table);
    const keys = rows * pointKeyBytes(depth);
    super(position, out, {
      inputs: [],
      traits: [name, parameterTraits(table)],
      cost: { p0ToP1Input: keys, p0ToP2Input: keys + (secret ? 8 * out.count : 0) },
    });
    this.longestDraw = Math.max(SEED_BYTES * rows, secret ? 8 * out.count : 0);
    this.#name = name;
    this.#table = table;
    this.#rows = rows;
    this.#depth = depth;
    this.#secret = secret;
  }

  async inputP0(p0: Party, inputs: Inputs): Promise<void> {
    const indices = indicesOf(inputs, this.#name, this.#rows, this.#table.rows);
    const [key1, key2] = await pointKeys(this, p0, indices, this.#depth);
    await p0.link(1).send(tagOf(this, 'input'), Masked.plain('point function key', key1));
    await p0.link(2).send(tagOf(this, 'input'), Masked.plain('point function key', key2));
    if (!this.#secret) return;
    const fresh = prgOf(p0, 1).takeMask(drawId(this, 'cross'), this, 'Γ1');
    const own = await p0.kernels.draw(fresh.stream, 64, this.out.count);
    const masks = await p0.parameters.words(p0.kernels, this.#table, 'l1+l2', indices);
    const minus = await p0.kernels.scale(await p0.kernels.add(masks, own), -1n);
    await p0.link(2).send(tagOf(this, 'input'), Masked.under(fresh, minus));
  }

  async inputP1(p1: Party): Promise<void> {
    const rows = await this.#product(p1);
    p1.put(this.out, 'a', this.#secret ? await p1.kernels.add(rows, await crossOfP1(this, p1)) : rows);
  }

  async inputP2(p2: Party): Promise<void> {
    let rows = await this.#product(p2);
    if (this.#secret)
      rows = await p2.kernels.add(rows, await p2.link(0).recv(tagOf(this, 'input'), 64, this.out.count));
    p2.put(this.out, 'l2', await p2.kernels.scale(rows, -1n));
  }

  async #product(party: Party): Promise<Vector> {
    const keys = await party.link(0).recvBytes(tagOf(this, 'input'), this.#rows * pointKeyBytes(this.#depth));
    const part = this.#secret ? 'm' : 'clear';
    return pointRows(party, this.#table, part, keys, undefined, party.bitsRead(this.out));
  }
}

/** Opens x to P0: P1 sends a, from which P0 takes its λ2. The only message to P0 that follows its input. */
export class OutputGate extends Relation<undefined> {
  readonly relation = 'output' as const;
  readonly name: string;
  readonly #x: Wire;

  constructor(position: Position, name: string, x: Wire) {
    refuseAdditive(position.path, [x]);
    super(position, undefined, { inputs: [x], traits: [name], cost: { p1ToP0: wireLength(x.k, x.count) } });
    this.name = name;
    this.#x = x;
  }

  async component(): Promise<Vector> {
    return invariant(false, 'an output has no components') as never;
  }

  async outputP1(p1: Party): Promise<void> {
    // P0 knows λ2 of this wire and is the owner of x, so no fresh mask is needed; nobody else sees the message.
    await p1.link(0).send(tagOf(this, 'output'), Masked.plain('output to its owner', await p1.value(this.#x, 'a')));
  }

  async outputP0(p0: Party): Promise<Words> {
    const a = await p0.link(1).recv(tagOf(this, 'output'), this.#x.k, this.#x.count);
    return p0.kernels.read(await p0.kernels.sub(a, await p0.value(this.#x, 'l2')));
  }
}
