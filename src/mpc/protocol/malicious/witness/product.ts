/** What the verifiers of a product have (PROTOCOL §14.5, §16.1). Relations as in `relations.ts`, in its order. */
import type { ProductShape } from '../../../../compute/kernels/types.ts';
import type { Vector, Words } from '../../../../compute/ring.ts';
import { letGo } from '../../../../core/let-go.ts';
import type { Component, Wire } from '../../../share/wire.ts';
import type { HalfOfV, HalfOfW } from '../../../proof/relations.ts';
import type { Halves, Seen } from '../../frame/gate.ts';
import { type ResharingGate, crossOfP1, outputMask } from '../../frame/reshare.ts';
import { raised } from '../../frame/rounding.ts';
import { mask1 } from '../complete.ts';
import { wordsOfRow } from '../relations.ts';
import { atMostOnce, interleaved, matrixPart, once, readOnce, sent, summed, transposedWords } from './read.ts';

export interface ProductOperands {
  readonly x: Wire;
  readonly y: Wire;
  readonly shape: ProductShape | undefined;
  /** Low bits that P0's word lacks. */
  readonly drop: number;
}

/** What one side has: words that it adds, and what it multiplies x's and y's of the other side with. */
export interface Side {
  readonly linear: () => Promise<Words>;
  readonly x: Vector;
  readonly y: Vector;
}

/** V's and W's side of the relation of Γ2, of q, and of m. */
function sidesOf(gate: ResharingGate, { x, y, shape, drop }: ProductOperands) {
  const { k, count } = gate.out;
  const both = async ({ party }: Seen, component: Component) =>
    [await party.value(x, component), await party.value(y, component)] as const;
  const times = ({ party }: Seen, l: Vector, r: Vector) =>
    shape === undefined ? party.kernels.mul(l, r) : party.kernels.matmul(l, r, shape);
  /** A half of P0's word, at its place in the ring. */
  const whole = ({ party }: Seen, word: Vector) => raised(party.kernels, word, drop, k);
  const dealt = async (seen: Seen) => whole(seen, await sent(seen, 0, 2, 'deal', k - drop, count));
  const own = async (seen: Seen) => whole(seen, await crossOfP1(gate, seen.party, k - drop));
  const read = ({ party }: Seen, plus: readonly Vector[], minus: readonly Vector[]) =>
    summed(party.kernels, plus, minus);

  const gammaV = async (seen: Seen): Promise<Side> => {
    const [lx, ly] = await both(seen, 'l1');
    return { linear: async () => read(seen, [await own(seen)], [await times(seen, lx, ly)]), x: lx, y: ly };
  };
  const gammaW = async (seen: Seen): Promise<Side> => {
    const [lx, ly] = await both(seen, 'l2');
    return { linear: async () => read(seen, [await dealt(seen)], [await times(seen, lx, ly)]), x: lx, y: ly };
  };
  const qV = async (seen: Seen): Promise<Side> => {
    const [mx, my] = await both(seen, 'm');
    const q = () => sent(seen, 2, 1, '21', k, count);
    return { linear: async () => read(seen, [await q()], [await times(seen, mx, my)]), x: mx, y: my };
  };
  const qW = async (seen: Seen): Promise<Side> => {
    const [lx, ly] = await both(seen, 'l2');
    const mask = () => outputMask(gate, seen.party, 'l2');
    return { linear: async () => read(seen, [], [await dealt(seen), await mask()]), x: lx, y: ly };
  };
  const mV = async (seen: Seen): Promise<Side> => {
    const [mx, my] = await both(seen, 'm');
    const q = () => sent(seen, 2, 1, '21', k, count);
    const linear = async () => read(seen, [await seen.party.value(gate.out, 'm')], [await q()]);
    return { linear, x: mx, y: my };
  };
  const mW = async (seen: Seen): Promise<Side> => {
    const [lx, ly] = await both(seen, 'l1');
    return { linear: async () => read(seen, [], [await own(seen), await mask1(gate, seen.party)]), x: lx, y: ly };
  };
  return { gamma: [gammaV, gammaW], q: [qV, qW], m: [mV, mW] } as const;
}

export function productHalves(gate: ResharingGate, operands: ProductOperands, secret: boolean): readonly Halves[] {
  const sides = sidesOf(gate, operands);
  const all = [...(secret ? [sides.gamma] : []), sides.q, sides.m];
  // Γ2 is what the products are equal to, and P0's two halves of it are added here.
  return bilinearHalves(all, operands.shape, secret ? 0 : undefined);
}

/**
 * Halves of relations of a product, whose terms are x·y' + x'·y of the two sides.
 * @param against which of them has its products taken away, where words of the result are sums of elementwise ones
 */
export function bilinearHalves(
  all: readonly (readonly [v: (seen: Seen) => Promise<Side>, w: (seen: Seen) => Promise<Side>])[],
  shape: ProductShape | undefined,
  against?: number,
): readonly Halves[] {
  const each = wordsOfRow(shape);
  if (each !== undefined)
    return all.map(([v, w], i) => {
      const negative = i === against;
      return {
        v: async (seen) => columns(seen, await v(seen), each, negative),
        w: async (seen) => basis(seen, await w(seen), each, negative),
      };
    });
  const whole = shape as ProductShape;
  return all.flatMap(([v, w]) => {
    const [left, right] = [once(matrices(v, whole, 'V')), once(matrices(w, whole, 'W'))];
    return Array.from(
      { length: whole.batch },
      (_, b): Halves => ({
        v: async (seen) => matrixPart(await left(seen), whole.batch, b),
        w: async (seen) => matrixPart(await right(seen), whole.batch, b),
      }),
    );
  });
}

/** Both factors of a side: x as a left one, y as a right one. The first product has V's on the left. */
function matrices(side: (seen: Seen) => Promise<Side>, { inner, n, transposed }: ProductShape, whose: 'V' | 'W') {
  return async (seen: Seen) => {
    const { linear, x, y } = await side(seen);
    const { kernels } = seen.party;
    const [left, stored] = [await kernels.read(x), await kernels.read(y)];
    const right = transposed === true ? transposedWords(stored, n, inner) : stored;
    return { linear: atMostOnce(linear), factors: whose === 'V' ? [left, right] : [right, left] };
  };
}

async function columns(
  { party: { kernels } }: Seen,
  { linear, x, y }: Side,
  each: number,
  negative: boolean,
): Promise<HalfOfV> {
  const own = [await kernels.read(x), await kernels.read(y)];
  return {
    kind: 'choice',
    entries: { kind: 'columns', columns: own, each },
    linear: negative ? async () => kernels.read(await kernels.scale(await linear(), -1n)) : linear,
  };
}

/** Over against x stands y, and over against y x. */
async function basis(
  { party: { kernels } }: Seen,
  { linear, x, y }: Side,
  each: number,
  negative: boolean,
): Promise<HalfOfW> {
  const copies: Words[] = [];
  const own = interleaved([await readOnce(kernels, y, copies), await readOnce(kernels, x, copies)], each);
  for (const { data } of copies) letGo(data);
  return {
    ...{ kind: 'choice', basis: own, fresh: [own] },
    linear: negative ? async () => kernels.read(await kernels.scale(await linear(), -1n)) : linear,
  };
}
