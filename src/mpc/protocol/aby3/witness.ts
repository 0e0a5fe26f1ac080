/** What the verifiers of a symmetric product have (PROTOCOL §17.4). Relations as in `product.ts`, in its order. */
import type { ProductShape } from '../../../compute/kernels/types.ts';
import type { Vector } from '../../../compute/ring.ts';
import type { PartyId } from '../../../net/wire/types.ts';
import type { Component, Wire } from '../../share/wire.ts';
import { type Gate, type Halves, type Seen, drawId } from '../frame/gate.ts';
import { prgWith } from '../frame/party.ts';
import { summed } from '../malicious/witness/read.ts';
import { type Side, bilinearHalves } from '../malicious/witness/product.ts';

interface Operands {
  readonly x: Wire;
  readonly y: Wire;
  readonly shape: ProductShape | undefined;
}

/** V's and W's side of λ1', λ2' and m': each a sum of two cross terms and of words that one of them has. */
export function ringHalves(gate: Gate & { readonly out: Wire }, { x, y, shape }: Operands): readonly Halves[] {
  const { out } = gate;
  /** ρ of two parties, at one of them; a prover has all that it takes. */
  const share = ({ party }: Seen, one: PartyId, two: PartyId) =>
    party.kernels.draw(
      prgWith(party, party.id === one ? two : one).claim(drawId(gate, 'share'), gate, 'ρ'),
      out.k,
      out.count,
    );
  const of = ({ party }: Seen, component: Component) => party.value(out, component);
  type Words = (seen: Seen, square: () => Promise<Vector>) => Promise<readonly Vector[]>;
  const side =
    (component: Component, plus: Words, minus: Words) =>
    async (seen: Seen): Promise<Side> => {
      const { kernels } = seen.party;
      const [left, right] = [await seen.party.value(x, component), await seen.party.value(y, component)];
      const square = () => (shape === undefined ? kernels.mul(left, right) : kernels.matmul(left, right, shape));
      const linear = async () => summed(kernels, await plus(seen, square), await minus(seen, square));
      return { linear, x: left, y: right };
    };
  const none = async () => [];
  return bilinearHalves(
    [
      // λ1' + λ1x·λ1y − ρ01 + ρ02 + cross terms of λ1 and λ2
      [
        side(
          'l1',
          async (seen, square) => [await of(seen, 'l1'), await square()],
          async (seen) => [await share(seen, 0, 1)],
        ),
        side('l2', async (seen) => [await share(seen, 0, 2)], none),
      ],
      // ρ02 − ρ12 − λ2' − λ2x·λ2y + cross terms of m and λ2
      [
        side('m', none, async (seen) => [await share(seen, 1, 2)]),
        side(
          'l2',
          async (seen) => [await share(seen, 0, 2)],
          async (seen, square) => [await of(seen, 'l2'), await square()],
        ),
      ],
      // m' − mx·my + ρ12 − ρ01 + cross terms of m and λ1
      [
        side(
          'm',
          async (seen) => [await of(seen, 'm'), await share(seen, 1, 2)],
          async (_seen, square) => [await square()],
        ),
        side('l1', none, async (seen) => [await share(seen, 0, 1)]),
      ],
    ],
    shape,
  );
}
