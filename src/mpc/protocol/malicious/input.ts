/**
 * A tensor of P0 (PROTOCOL §14.2): m to both compute parties, λ1 ← k01, λ2 ← k02. They compare what they got. Where P0
 * is a prover and the tensor has a form, it proves that.
 */
import { wireLength } from '../../../compute/ring.ts';
import { Masked } from '../../share/masked.ts';
import type { Wire } from '../../share/wire.ts';
import type { InputForm, Inputs } from '../types.ts';
import { type Halves, type Proved, drawId, tagOf } from '../frame/gate.ts';
import { tensorOf } from '../frame/inputs.ts';
import { type Party, prgOf } from '../frame/party.ts';
import type { Position } from '../frame/relation.ts';
import { CompleteRelation } from './complete.ts';
import { elementwise, matrixRelation } from './relations.ts';
import { inputHalves } from './witness/input.ts';

export class CompleteInputGate extends CompleteRelation {
  readonly relation = 'input' as const;
  readonly relations?: readonly Proved[];
  readonly halves?: readonly Halves[];
  readonly #name: string;

  /** @param form what P0 proves of it; undefined: nothing */
  constructor(position: Position, name: string, out: Wire, form: InputForm | undefined) {
    const word = wireLength(out.k, out.count);
    const traits = form === undefined ? [name] : [name, form];
    super(position, out, { inputs: [], traits, cost: { p0ToP1Input: word, p0ToP2Input: word } });
    this.#name = name;
    if (form === undefined) return;
    const length = form === 'units' ? out.shape[out.shape.length - 1] : undefined;
    // Idempotents of Z_2^k are zero and one. A row of them that sums to one, and has no 2^k words, has a single one.
    this.relations = [
      elementwise(0, 'input.bit', out, 1),
      ...(length === undefined ? [] : [matrixRelation(0, 'input.sum', sumsOf(out, length), [])]),
    ];
    this.halves = inputHalves(this, length);
  }

  async inputP0(p0: Party, inputs: Inputs): Promise<void> {
    const { kernels } = p0;
    const x = tensorOf(inputs, this.#name, this.out);
    // P1 knows λ1 and P2 knows λ2, so what hides m from each is the other mask.
    const forP1 = prgOf(p0, 2).takeMask(drawId(this, 'mask2'), this, 'λ2');
    const forP2 = prgOf(p0, 1).takeMask(drawId(this, 'mask1'), this, 'λ1');
    const l2 = await kernels.draw(forP1.stream, this.out.k, this.out.count);
    const l1 = await kernels.draw(forP2.stream, this.out.k, this.out.count);
    const m = await kernels.add(x, await kernels.add(l1, l2));
    await p0.link(1).send(tagOf(this, 'input'), Masked.under(forP1, m));
    await p0.link(2).send(tagOf(this, 'input'), Masked.under(forP2, m));
  }

  inputP1(p1: Party): Promise<void> {
    return this.#recv(p1);
  }

  inputP2(p2: Party): Promise<void> {
    return this.#recv(p2);
  }

  async #recv(party: Party): Promise<void> {
    party.put(this.out, 'm', await party.link(0).recv(tagOf(this, 'input'), this.out.k, this.out.count));
  }
}

/** A word for every row. */
function sumsOf({ k, count }: Wire, length: number): { shape: readonly number[]; k: number; count: number } {
  const rows = count / length;
  return { shape: [rows, 1], k, count: rows };
}
