/** A tensor of P0 (PROTOCOL §14.2): m to both compute parties, λ1 ← k01, λ2 ← k02. They compare what they got. */
import { wireLength } from '../../../compute/ring.ts';
import { Masked } from '../../share/masked.ts';
import type { Wire } from '../../share/wire.ts';
import type { Inputs } from '../types.ts';
import { drawId, tagOf } from '../frame/gate.ts';
import { tensorOf } from '../frame/inputs.ts';
import { type Party, prgOf } from '../frame/party.ts';
import type { Position } from '../frame/relation.ts';
import { CompleteRelation } from './complete.ts';

export class CompleteInputGate extends CompleteRelation {
  readonly relation = 'input' as const;
  readonly #name: string;

  constructor(position: Position, name: string, out: Wire) {
    const word = wireLength(out.k, out.count);
    super(position, out, { inputs: [], traits: [name], cost: { p0ToP1Input: word, p0ToP2Input: word } });
    this.#name = name;
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
