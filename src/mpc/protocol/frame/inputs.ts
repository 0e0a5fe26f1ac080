/**
 * What P0 gives a circuit: refused before a word of it is masked, where it is not what the circuit was built for. And
 * what indices become: keys of point functions (PROTOCOL §4.2).
 */
import { generatePoint } from '../../../compute/kernels/reference/point.ts';
import type { Words } from '../../../compute/ring.ts';
import { concatBytes } from '../../../core/bytes.ts';
import { TercetError } from '../../../core/errors.ts';
import type { Wire } from '../../share/wire.ts';
import type { Inputs } from '../types.ts';
import { type Gate, drawId } from './gate.ts';
import { type Party, prgOf } from './party.ts';

/** Bytes of a root seed of a point-function key. */
export const SEED_BYTES = 16;

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

async function seeds(gate: Gate, p0: Party, side: 1 | 2, rows: number): Promise<Uint8Array> {
  const fresh = prgOf(p0, side).takeMask(drawId(gate, 'point'), gate, 'seeds');
  fresh.use();
  return p0.kernels.pack(await p0.kernels.draw(fresh.stream, 32, (SEED_BYTES / 4) * rows));
}

/**
 * The keys of unit vectors for P1 and for P2. The seeds of the first come from k01 and those of the second from k02, so
 * neither key is known to the other party.
 */
export async function pointKeys(
  gate: Gate,
  p0: Party,
  points: readonly number[],
  depth: number,
): Promise<readonly [Uint8Array, Uint8Array]> {
  const [seeds1, seeds2] = [await seeds(gate, p0, 1, points.length), await seeds(gate, p0, 2, points.length)];
  const keys = points.map((t, i) => {
    const at = SEED_BYTES * i;
    const randomness = concatBytes([seeds1.subarray(at, at + SEED_BYTES), seeds2.subarray(at, at + SEED_BYTES)]);
    return generatePoint(t, depth, randomness, prgOf(p0, 1).tweak(drawId(gate, 'point'), i));
  });
  return [concatBytes(keys.map((key) => key[0])), concatBytes(keys.map((key) => key[1]))];
}
