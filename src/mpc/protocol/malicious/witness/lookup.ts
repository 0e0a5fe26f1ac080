/** What the verifiers of a look-up have (PROTOCOL §14.3, §16.1). Relations as in `lookup.ts`, in its order. */
import { pointKeyBytes } from '../../../../compute/kernels/point-key.ts';
import { type Vector, type Words, wireLength } from '../../../../compute/ring.ts';
import type { Parameter } from '../../types.ts';
import type { Halves, Seen } from '../../frame/gate.ts';
import { type ResharingGate, crossOfP1, outputMask } from '../../frame/reshare.ts';
import { depthOf } from '../../frame/point-rows.ts';
import { mask1 } from '../complete.ts';
import { once, sent, summed, weightOf } from './read.ts';

export interface LookupOperands {
  readonly table: Parameter;
  /** Positions that are looked up. */
  readonly rows: number;
  readonly shiftBits: number;
  readonly secret: boolean;
  /** Whether P0 proves its keys. */
  readonly proved: boolean;
  turned(seen: Seen, unit: Vector, by: number): Promise<Vector>;
}

export function lookupHalves(gate: ResharingGate, operands: LookupOperands): readonly Halves[] {
  const { table, rows, shiftBits, secret, proved } = operands;
  const { k, count } = gate.out;
  const depth = depthOf(table);

  /** The shares of a party: as they were dealt, and as δ turned them. Both compute parties got one δ. */
  const shares = (to: 1 | 2) =>
    once(async (seen) => {
      const { kernels } = seen.party;
      const keys = await seen.message(0, to, 'deal');
      const length = pointKeyBytes(depth);
      // With secret weights Γ2 follows under the same tag.
      const packed = (await seen.message(0, to, 'input')).subarray(0, wireLength(shiftBits, rows));
      const shift = await kernels.read(await kernels.unpack(packed, shiftBits, rows));
      const [units, turned]: [Vector[], Vector[]] = [[], []];
      for (let i = 0; i < rows; i++) {
        const unit = await kernels.expandPoint(keys.subarray(i * length, (i + 1) * length), depth, table.rows);
        units.push(unit);
        turned.push(await operands.turned(seen, unit, Number(shift.data[i]) % table.rows));
      }
      const held = (vector: Vector) => {
        seen.holds?.push(vector);
        return vector;
      };
      units.forEach(held);
      let whole: Promise<Vector> | undefined;
      // Nobody asks for it where the keys are not proved: it has a word for every row of the table and position.
      const dealt = () => {
        whole ??= kernels.concat(units).then(held);
        return whole;
      };
      return { dealt, turned: held(await kernels.concat(turned)) };
    });
  const [one, two] = [shares(1), shares(2)];
  const own = (y: typeof one) => async (seen: Seen) => seen.party.kernels.read((await y(seen)).turned);
  const part = secret ? 'm' : 'clear';
  const words = (seen: Seen, which: 'm' | 'clear' | 'l1' | 'l2') => weightOf(seen, { weight: table }, which);
  const q = (seen: Seen) => sent(seen, 2, 1, '21', k, count);
  const dealt = (seen: Seen) => gammaOf(seen, shiftBits, rows, count);

  const all: Halves[] = [
    {
      v: async (seen) => ({
        kind: 'matrix',
        factors: [words(seen, part)],
        linear: async () => summed(seen.party.kernels, [], [await q(seen)]),
      }),
      w: async (seen) => ({
        kind: 'matrix',
        factors: [await own(two)(seen)],
        linear: async () =>
          summed(seen.party.kernels, [
            await outputMask(gate, seen.party, 'l2'),
            ...(secret ? [await dealt(seen)] : []),
          ]),
      }),
    },
    {
      v: async (seen) => ({
        kind: 'matrix',
        factors: [words(seen, part)],
        linear: async () => summed(seen.party.kernels, [await q(seen)], [await seen.party.value(gate.out, 'm')]),
      }),
      w: async (seen) => ({
        kind: 'matrix',
        factors: [await own(one)(seen)],
        linear: async () =>
          summed(seen.party.kernels, [
            await mask1(gate, seen.party),
            ...(secret ? [await crossOfP1(gate, seen.party)] : []),
          ]),
      }),
    },
  ];
  if (!proved) return all;
  const factorsFrom = ['deal', 'input'] as const;
  const product = async (seen: Seen, y: typeof one, which: 'l1' | 'l2'): Promise<Vector> => {
    const { kernels, parameters } = seen.party;
    return kernels.matmul((await y(seen)).turned, await parameters.words(kernels, table, which), {
      batch: 1,
      m: rows,
      inner: table.rows,
      n: table.cols,
    });
  };
  /** y² − y. */
  const square = async (seen: Seen, y: typeof one): Promise<Words> => {
    const { kernels } = seen.party;
    const unit = await (await y(seen)).dealt();
    return kernels.read(await kernels.sub(await kernels.mul(unit, unit), unit));
  };
  const sums = async (seen: Seen, y: typeof one) =>
    seen.party.kernels.sumRows(await (await y(seen)).dealt(), table.rows);
  all.push(
    {
      factorsFrom,
      v: async (seen) => {
        const { kernels } = seen.party;
        const twice = await kernels.read(await kernels.scale(await (await one(seen)).dealt(), 2n));
        return { kind: 'choice', entries: { kind: 'columns', columns: [twice] }, linear: () => square(seen, one) };
      },
      w: async (seen) => ({
        kind: 'choice',
        basis: await seen.party.kernels.read(await (await two(seen)).dealt()),
        linear: () => square(seen, two),
      }),
    },
    {
      v: async (seen) => ({
        kind: 'matrix',
        factors: [],
        linear: async () => seen.party.kernels.read(await seen.party.kernels.offset(await sums(seen, one), -1n)),
      }),
      w: async (seen) => ({
        kind: 'matrix',
        factors: [],
        linear: async () => seen.party.kernels.read(await sums(seen, two)),
      }),
    },
  );
  if (!secret) return all;
  // y1'·L2 + y2'·L1
  return [
    ...all,
    {
      factorsFrom,
      v: async (seen) => ({
        kind: 'matrix',
        factors: [await own(one)(seen), words(seen, 'l1')],
        linear: async () =>
          summed(seen.party.kernels, [await crossOfP1(gate, seen.party), await product(seen, one, 'l1')]),
      }),
      w: async (seen) => ({
        kind: 'matrix',
        factors: [words(seen, 'l2'), await own(two)(seen)],
        linear: async () => summed(seen.party.kernels, [await dealt(seen), await product(seen, two, 'l2')]),
      }),
    },
  ];
}

/** Γ2, behind δ. */
async function gammaOf(seen: Seen, shiftBits: number, rows: number, count: number): Promise<Vector> {
  const bytes = await seen.message(0, 2, 'input');
  return seen.party.kernels.unpack(bytes.subarray(wireLength(shiftBits, rows)), 64, count);
}
