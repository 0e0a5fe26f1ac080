/**
 * Model parameters in memory, as each party sees them: in clear (open) or as M = W + L1 + L2 (secret). A part that
 * a party must not have is refused.
 */
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import type { Matrix, RingKernels } from '../../src/compute/kernels/types.ts';
import { type Words, wordsFrom } from '../../src/compute/ring.ts';
import { partOfMatrix } from '../../src/mpc/protocol/frame/halves-of-maps.ts';
import type { ParameterView, Part } from '../../src/mpc/protocol/frame/party.ts';
import type { ClearParameters } from '../../src/testing/oracle.ts';
import type { Parameter } from '../../src/mpc/protocol/types.ts';
import type { PartyId } from '../../src/net/wire/types.ts';
import { seeded } from './simulate.ts';

export interface ClearParameter {
  readonly parameter: Parameter;
  readonly values: readonly bigint[];
}

/** What each party may ask for. P2 needs M for look-ups, and for rows that are added to m. */
const MATRICES: Record<'open' | 'secret', Record<PartyId, readonly Part[]>> = {
  open: { 0: [], 1: ['clear'], 2: ['clear'] },
  secret: { 0: [], 1: ['m', 'αm-l1'], 2: ['m', 'βm-l2'] },
};
const WORDS: Record<'open' | 'secret', Record<PartyId, readonly Part[]>> = {
  open: { 0: [], 1: ['clear'], 2: ['clear'] },
  secret: { 0: ['l1', 'l2', 'l1+l2'], 1: ['m', 'l1', 'm-l1'], 2: ['m', 'l2', 'm-l2'] },
};

export function clearOf(all: readonly ClearParameter[]): ClearParameters {
  return ({ name }) => {
    const found = all.find(({ parameter }) => parameter.name === name);
    if (found === undefined) throw new Error(`no parameter ${name}`);
    return found.values;
  };
}

/** The view of one party. */
export function parameterView(
  weights: 'open' | 'secret',
  id: PartyId,
  kernels: RingKernels,
  all: readonly ClearParameter[],
): ParameterView {
  const plain = new ReferenceKernels();
  const number = (name: string) => all.findIndex(({ parameter }) => parameter.name === name);
  const stream = (side: 1 | 2, name: string) => ({ key: seeded(32, 77, side), nonce: seeded(12, number(name), 9) });
  const mask = (side: 1 | 2, { name, rows, cols }: Parameter) => plain.draw(stream(side, name), 64, rows * cols);
  const part = async (parameter: Parameter, which: Part): Promise<Words> => {
    const clear = wordsFrom(clearOf(all)(parameter), 64);
    if (which === 'clear') return clear;
    const [l1, l2] = [await mask(1, parameter), await mask(2, parameter)];
    if (which === 'l1') return l1;
    if (which === 'l2') return l2;
    if (which === 'l1+l2') return plain.add(l1, l2);
    const m = await plain.add(clear, await plain.add(l1, l2));
    if (which === 'αm-l1') return partOfMatrix(plain, 1, m, l1, parameter.rows);
    if (which === 'βm-l2') return partOfMatrix(plain, 2, m, l2, parameter.rows);
    return which === 'm' ? m : plain.sub(m, which === 'm-l1' ? l1 : l2);
  };
  const allowed = (table: typeof WORDS, which: Part) => {
    if (!table[weights][id].includes(which))
      throw new Error(`party ${id} asked for the part "${which}" of ${weights} weights`);
  };
  return {
    weights,
    maskStream: ({ name }, which) => {
      allowed(WORDS, which);
      return stream(which === 'l1' ? 1 : 2, name);
    },
    matrix: async (parameter: Parameter, which: Part): Promise<Matrix> => {
      allowed(MATRICES, which);
      const { data } = await part(parameter, which);
      return kernels.loadMatrix(data as BigUint64Array, data.length / parameter.cols, parameter.cols);
    },
    words: async (
      _kernels: RingKernels,
      parameter: Parameter,
      which: Part,
      rows?: readonly number[],
    ): Promise<Words> => {
      allowed(WORDS, which);
      const words = await part(parameter, which);
      if (rows === undefined) return words;
      const { cols } = parameter;
      return {
        k: 64,
        data: BigUint64Array.from(
          rows.flatMap((row) => [...(words.data as BigUint64Array).slice(row * cols, (row + 1) * cols)]),
        ),
      };
    },
  };
}
