/**
 * Opens x to P0 (PROTOCOL §14.2): P1 and P2 both send m, and P0 takes its masks from it if both sent the same. One of
 * the two is honest, so P0 opens nothing that only the other one says.
 */
import { type Vector, type Words, wireLength } from '../../../compute/ring.ts';
import { SecurityViolationError, invariant } from '../../../core/errors.ts';
import { Masked } from '../../share/masked.ts';
import type { Wire } from '../../share/wire.ts';
import { tagOf } from '../frame/gate.ts';
import type { Party } from '../frame/party.ts';
import { type Position, Relation } from '../frame/relation.ts';

export class CompleteOutputGate extends Relation<undefined> {
  readonly relation = 'output' as const;
  readonly name: string;
  readonly #x: Wire;

  constructor(position: Position, name: string, x: Wire) {
    const word = wireLength(x.k, x.count);
    super(position, undefined, { inputs: [x], traits: [name], cost: { p1ToP0: word, p2ToP0: word } });
    this.name = name;
    this.#x = x;
  }

  async component(): Promise<Vector> {
    return invariant(false, 'an output has no components') as never;
  }

  outputP1(p1: Party): Promise<void> {
    return this.#send(p1);
  }

  outputP2(p2: Party): Promise<void> {
    return this.#send(p2);
  }

  /** @throws {SecurityViolationError} where the two differ */
  async outputP0(p0: Party): Promise<Words> {
    const { kernels } = p0;
    const [one, two] = [await this.#recv(p0, 1), await this.#recv(p0, 2)];
    const [m, other] = [await kernels.read(one), await kernels.read(two)];
    if (m.data.some((word, i) => word !== other.data[i])) throw new SecurityViolationError('output');
    const masks = await kernels.add(await p0.value(this.#x, 'l1'), await p0.value(this.#x, 'l2'));
    return kernels.read(await kernels.sub(one, masks));
  }

  async #send(party: Party): Promise<void> {
    // P0 is the owner of x and knows its masks; nobody else sees the message.
    await party
      .link(0)
      .send(tagOf(this, 'output'), Masked.plain('output to its owner', await party.value(this.#x, 'm')));
  }

  #recv(p0: Party, from: 1 | 2): Promise<Vector> {
    return p0.link(from).recv(tagOf(this, 'output'), this.#x.k, this.#x.count);
  }
}
