/** What the verifiers of an input have that P0 proves a form of (PROTOCOL §14.2, §16.1). Relations as in `input.ts`. */
import type { Vector } from '../../../../compute/ring.ts';
import type { Wire } from '../../../share/wire.ts';
import type { Gate, Halves, Phase, Seen } from '../../frame/gate.ts';
import { once, sent, summed } from './read.ts';

const factorsFrom: readonly Phase[] = ['input'];

/**
 * x = a − λ2, a = m − λ1 at P1. Then x² − x is −2a·λ2 and what each has of its own.
 * @param length of a row whose words sum to one; undefined: nothing is said of sums
 */
export function inputHalves(gate: Gate & { readonly out: Wire }, length: number | undefined): readonly Halves[] {
  const { out } = gate;
  const a = once(async (seen: Seen): Promise<Vector> => {
    const m = await sent(seen, 0, 1, 'input', out.k, out.count);
    return seen.party.kernels.sub(m, await seen.party.value(out, 'l1'));
  });
  const mask = ({ party }: Seen) => party.value(out, 'l2');
  const bit: Halves = {
    factorsFrom,
    v: async (seen) => {
      const { kernels } = seen.party;
      const own = await a(seen);
      const column = await kernels.read(await kernels.scale(own, -2n));
      const linear = async () => summed(kernels, [await kernels.mul(own, own)], [own]);
      return { kind: 'choice', entries: { kind: 'columns', columns: [column] }, linear };
    },
    w: async (seen) => {
      const { kernels } = seen.party;
      const own = await mask(seen);
      const linear = async () => summed(kernels, [await kernels.mul(own, own), own]);
      return { kind: 'choice', basis: await kernels.read(own), linear };
    },
  };
  if (length === undefined) return [bit];
  const sum: Halves = {
    factorsFrom,
    v: async (seen) => {
      const { kernels } = seen.party;
      const own = await a(seen);
      const linear = async () => kernels.read(await kernels.offset(await kernels.sumRows(own, length), -1n));
      return { kind: 'matrix', factors: [], linear };
    },
    w: async (seen) => {
      const { kernels } = seen.party;
      const own = await mask(seen);
      return {
        kind: 'matrix',
        factors: [],
        linear: async () => summed(kernels, [], [await kernels.sumRows(own, length)]),
      };
    },
  };
  return [bit, sum];
}
