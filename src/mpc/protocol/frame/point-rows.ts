/** Rows of a table at secret points, by point functions (PROTOCOL §4.2): P0's keys, and what a key makes of the table. */
import { generatePoint } from '../../../compute/kernels/reference/point.ts';
import { pointKeyBytes } from '../../../compute/kernels/point-key.ts';
import type { Vector } from '../../../compute/ring.ts';
import { concatBytes } from '../../../core/bytes.ts';
import type { Parameter } from '../types.ts';
import { type Gate, drawId } from './gate.ts';
import { type Part, type Party, prgOf } from './party.ts';

/**
 * Words of unit vectors that a look-up expands at a time (32 MB): a batch of texts over a large vocabulary is
 * worked on in blocks of positions.
 */
export const LOOKUP_WORDS = 1 << 22;

/** Bytes of a root seed of a point-function key. */
export const SEED_BYTES = 16;

/** Levels of the tree of a table's point function. */
export function depthOf(table: Parameter): number {
  return Math.ceil(Math.log2(table.rows));
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

/** y_i · E for the own share of every unit vector. `turned` makes of it what the caller wants, by its number. */
export async function pointRows(
  party: Party,
  table: Parameter,
  part: Part,
  keys: Uint8Array,
  turned: (unit: Vector, row: number) => Promise<Vector> = async (unit) => unit,
): Promise<Vector> {
  const depth = depthOf(table);
  const length = pointKeyBytes(depth);
  const rows = keys.length / length;
  const { kernels } = party;
  const matrix = await party.parameters.matrix(table, part);
  const block = Math.max(1, Math.floor(LOOKUP_WORDS / table.rows));
  const products: Vector[] = [];
  for (let from = 0; from < rows; from += block) {
    const shares: Vector[] = [];
    for (let i = from; i < Math.min(from + block, rows); i++) {
      const unit = await kernels.expandPoint(keys.subarray(i * length, (i + 1) * length), depth, table.rows);
      shares.push(await turned(unit, i));
    }
    products.push(await kernels.matmulMatrix(await kernels.concat(shares), matrix));
  }
  return products.length === 1 ? products[0] : kernels.concat(products);
}
