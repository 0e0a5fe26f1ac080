/** What the verifiers of an affine map have (PROTOCOL §14.4, §16.1). Relations as in `affine.ts`, in its order. */
import { type Words, zeros } from '../../../../compute/ring.ts';
import type { Wire } from '../../../share/wire.ts';
import type { AffineTerm } from '../../types.ts';
import type { Factor, HalfOfV, HalfOfW } from '../../../proof/relations.ts';
import type { Halves, Seen } from '../../frame/gate.ts';
import type { Part } from '../../frame/party.ts';
import { type ResharingGate, crossOfP1, outputMask } from '../../frame/reshare.ts';
import { total } from '../../frame/weighted-sums.ts';
import { mask1 } from '../complete.ts';
import { masksOfP2 } from '../secret-sums.ts';
import { sent, summed, weightOf } from './read.ts';

type FactorOf = (seen: Seen, term: AffineTerm) => Promise<Factor>;
type Linear = (seen: Seen) => Promise<Words>;

const wire =
  (component: 'm' | 'l1' | 'l2'): FactorOf =>
  async ({ party }, { x }) =>
    party.kernels.read(await party.value(x, component));

const weight =
  (part: Part): FactorOf =>
  async (seen, term) =>
    weightOf(seen, term, part);

/** A matrix relation: for every summand the factors of each side, in the order of its products. */
function matrixHalves(
  terms: readonly AffineTerm[],
  v: readonly FactorOf[],
  w: readonly FactorOf[],
  a: Linear,
  b: Linear,
): Halves {
  const half = async (seen: Seen, factors: readonly FactorOf[], linear: Linear): Promise<HalfOfV & HalfOfW> => {
    const operands: Factor[] = [];
    for (const term of terms) for (const factor of factors) operands.push(await factor(seen, term));
    // A product of matrices stands behind some of it.
    return { kind: 'matrix', linear: seen.proves === true ? undefined : await linear(seen), factors: operands };
  };
  return { v: (seen) => half(seen, v, a), w: (seen) => half(seen, w, b) };
}

export function openAffineHalves(
  gate: ResharingGate,
  terms: readonly AffineTerm[],
  phase: 'ahead' | '21',
): readonly Halves[] {
  const { k, count } = gate.out;
  const q = (seen: Seen) => sent(seen, 2, 1, phase, k, count);
  return [
    matrixHalves(
      terms,
      [weight('clear')],
      [wire('l2')],
      async (seen) => summed(seen.party.kernels, [await q(seen)]),
      async (seen) => summed(seen.party.kernels, [], [await outputMask(gate, seen.party, 'l2')]),
    ),
    matrixHalves(
      terms,
      [weight('clear')],
      [wire('l1')],
      async (seen) => {
        const { party } = seen;
        const product = await total(party, terms, count, (x: Wire) => party.value(x, 'm'), 'clear');
        return summed(party.kernels, [await party.value(gate.out, 'm')], [product, await q(seen)]);
      },
      async (seen) => summed(seen.party.kernels, [], [await mask1(gate, seen.party)]),
    ),
  ];
}

export function secretAffineHalves(gate: ResharingGate, terms: readonly AffineTerm[]): readonly Halves[] {
  const { k, count } = gate.out;
  const dealt = (seen: Seen) => sent(seen, 0, 2, 'deal', k, count);
  const q = (seen: Seen) => sent(seen, 2, 1, '21', k, count);
  return [
    // −λ1·L2 − λ2·L1
    matrixHalves(
      terms,
      [wire('l1'), weight('l1')],
      [weight('l2'), wire('l2')],
      async (seen) => {
        const { party } = seen;
        return summed(party.kernels, [await crossOfP1(gate, party)], [await ownMasks(seen, terms, count)]);
      },
      async (seen) => {
        const { party } = seen;
        return summed(party.kernels, [await dealt(seen)], [await masksOfP2(party, terms, count)]);
      },
    ),
    // m·L2 + λ2·M
    matrixHalves(
      terms,
      [wire('m'), weight('m')],
      [weight('l2'), wire('l2')],
      async (seen) => {
        const { party } = seen;
        return summed(party.kernels, [await q(seen)], [await masked(seen, terms, count)]);
      },
      async (seen) => summed(seen.party.kernels, [], [await dealt(seen), await outputMask(gate, seen.party, 'l2')]),
    ),
    // λ1·M + m·L1
    matrixHalves(
      terms,
      [weight('m'), wire('m')],
      [wire('l1'), weight('l1')],
      async (seen) => {
        const { party } = seen;
        return summed(party.kernels, [await party.value(gate.out, 'm')], [await q(seen)]);
      },
      async (seen) => {
        const { party } = seen;
        return summed(party.kernels, [], [await crossOfP1(gate, party), await mask1(gate, party)]);
      },
    ),
  ];
}

/** Σ λ1·L1, at P0 from seeds and at P1 from what it stores. */
async function ownMasks(seen: Seen, terms: readonly AffineTerm[], count: number): Promise<Words> {
  return productOf(seen, terms, count, 'l1', 'l1');
}

/** Σ m·M. */
async function masked(seen: Seen, terms: readonly AffineTerm[], count: number): Promise<Words> {
  return productOf(seen, terms, count, 'm', 'm');
}

/** From words, which every party has of the parts that its proof is about. */
async function productOf(
  { party }: Seen,
  terms: readonly AffineTerm[],
  count: number,
  component: 'm' | 'l1',
  part: Part,
): Promise<Words> {
  const { kernels } = party;
  let sum = zeros(count, 64);
  for (const { x, weight: parameter, diagonal } of terms) {
    const [value, words] = [await party.value(x, component), await party.parameters.words(kernels, parameter, part)];
    const { rows, cols } = parameter;
    const product =
      diagonal === true
        ? await kernels.mulRow(value, words)
        : await kernels.matmul(value, words, { batch: 1, m: count / cols, inner: rows, n: cols });
    sum = await summed(kernels, [sum, product]);
  }
  return sum;
}
