/** Where values enter and leave: P0's tensors, private look-ups of table rows, and the one output that opens to P0. */
import { generatePoint } from '../../../compute/kernels/reference/point.ts';
import { pointKeyBytes } from '../../../compute/kernels/point-key.ts';
import { type Vector, type Words, wireLength } from '../../../compute/ring.ts';
import { TercetError, invariant } from '../../../core/errors.ts';
import { concatBytes } from '../../../core/bytes.ts';
import { Masked } from '../../share/masked.ts';
import type { Wire } from '../../share/wire.ts';
import type { Inputs, Parameter } from '../types.ts';
import { AdditiveRelation, refuseAdditive } from './additive.ts';
import { drawId, tagOf } from '../frame/gate.ts';
import { type Party, parameterTraits, prgOf } from '../frame/party.ts';
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
    const x = inputs.tensors[this.#name];
    if (x === undefined || x.data.length !== this.out.count || x.k !== this.out.k) {
      throw new TercetError(
        'ERR_SHAPE',
        `input "${this.#name}" expected ${this.out.count} words of ${this.out.k} bits`,
        'give the input that the circuit was built for',
      );
    }
    const fresh = prgOf(p0, 2).takeMask(drawId(this, 'mask2'), this, 'λ2');
    const mask = await p0.kernels.draw(fresh.stream, this.out.k, this.out.count);
    await p0.link(1).send(tagOf(this, 'input'), Masked.under(fresh, await p0.kernels.add(x, mask)));
  }

  async inputP1(p1: Party): Promise<void> {
    p1.put(this.out, 'a', await p1.link(0).recv(tagOf(this, 'input'), this.out.k, this.out.count));
  }
}

/**
 * Words of unit vectors that a look-up expands at a time (32 MB): a batch of texts over a large vocabulary is
 * worked on in blocks of positions.
 */
export const LOOKUP_WORDS = 1 << 22;

/** Bytes of a root seed of a point-function key. */
const SEED_BYTES = 16;

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
    const depth = Math.ceil(Math.log2(table.rows));
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
    const indices = inputs.indices[this.#name];
    if (indices?.length !== this.#rows || indices.some((t) => !Number.isInteger(t) || t < 0 || t >= this.#table.rows)) {
      throw new TercetError(
        'ERR_SHAPE',
        `input "${this.#name}" expected ${this.#rows} indices below ${this.#table.rows}`,
        'use the tokenizer that belongs to the model',
      );
    }
    // The seeds of the key for P1 come from k01 and those for P2 from k02, so neither key is known to the other party.
    const seeds1 = await this.#seeds(p0, 1);
    const seeds2 = await this.#seeds(p0, 2);
    const keys = indices.map((t, i) => {
      const randomness = concatBytes([seeds1.subarray(16 * i, 16 * i + 16), seeds2.subarray(16 * i, 16 * i + 16)]);
      return generatePoint(t, this.#depth, randomness, prgOf(p0, 1).tweak(drawId(this, 'point'), i));
    });
    await p0
      .link(1)
      .send(tagOf(this, 'input'), Masked.plain('point function key', concatBytes(keys.map((key) => key[0]))));
    await p0
      .link(2)
      .send(tagOf(this, 'input'), Masked.plain('point function key', concatBytes(keys.map((key) => key[1]))));
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

  /** y_i · E for the own share of every unit vector. */
  async #product(party: Party): Promise<Vector> {
    const length = pointKeyBytes(this.#depth);
    const keys = await party.link(0).recvBytes(tagOf(this, 'input'), this.#rows * length);
    const { kernels } = party;
    const matrix = await party.parameters.matrix(this.#table, this.#secret ? 'm' : 'clear');
    const block = Math.max(1, Math.floor(LOOKUP_WORDS / this.#table.rows));
    const products: Vector[] = [];
    for (let from = 0; from < this.#rows; from += block) {
      const shares: Vector[] = [];
      for (let i = from; i < Math.min(from + block, this.#rows); i++) {
        shares.push(
          await kernels.expandPoint(keys.subarray(i * length, (i + 1) * length), this.#depth, this.#table.rows),
        );
      }
      products.push(await kernels.matmulMatrix(await kernels.concat(shares), matrix));
    }
    return products.length === 1 ? products[0] : kernels.concat(products);
  }

  async #seeds(p0: Party, side: 1 | 2): Promise<Uint8Array> {
    const fresh = prgOf(p0, side).takeMask(drawId(this, 'point'), this, 'seeds');
    fresh.use();
    const words = await p0.kernels.draw(fresh.stream, 32, (SEED_BYTES / 4) * this.#rows);
    return p0.kernels.pack(words);
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
