/** What P0 gives a circuit: refused before a word of it is masked, where it is not what the circuit was built for. */
import type { Words } from '../../../compute/ring.ts';
import { TercetError } from '../../../core/errors.ts';
import type { Wire } from '../../share/wire.ts';
import type { Inputs } from '../types.ts';

/** @throws {TercetError} ERR_SHAPE */
export function tensorOf({ tensors }: Inputs, name: string, out: Wire): Words {
  const x = tensors[name];
  if (x === undefined || x.data.length !== out.count || x.k !== out.k) {
    throw new TercetError(
      'ERR_SHAPE',
      `input "${name}" expected ${out.count} words of ${out.k} bits`,
      'give the input that the circuit was built for',
    );
  }
  return x;
}

/** @throws {TercetError} ERR_SHAPE */
export function indicesOf({ indices }: Inputs, name: string, count: number, rows: number): readonly number[] {
  const found = indices[name];
  if (found?.length !== count || found.some((t) => !Number.isInteger(t) || t < 0 || t >= rows)) {
    throw new TercetError(
      'ERR_SHAPE',
      `input "${name}" expected ${count} indices below ${rows}`,
      'use the tokenizer that belongs to the model',
    );
  }
  return found;
}
