/** Rows of a table at secret points (PROTOCOL §4.2): what a compute party's keys make of the table. */
import { pointKeyBytes } from '../../../compute/kernels/point-key.ts';
import type { Vector } from '../../../compute/ring.ts';
import type { Parameter } from '../types.ts';
import type { Part, Party } from './party.ts';

/**
 * Words of unit vectors that a look-up expands at a time (32 MB): a batch of texts over a large vocabulary is
 * worked on in blocks of positions.
 */
export const LOOKUP_WORDS = 1 << 22;

/** Levels of the tree of a table's point function. */
export function depthOf(table: Parameter): number {
  return Math.ceil(Math.log2(table.rows));
}

/**
 * y_i · E for the own share of every unit vector, right in the low `bits` bits.
 * `turned` makes of it what the caller wants, by its number.
 */
export async function pointRows(
  party: Party,
  table: Parameter,
  part: Part,
  keys: Uint8Array,
  turned: (unit: Vector, row: number) => Promise<Vector> = async (unit) => unit,
  bits = 64,
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
    products.push(await kernels.matmulMatrix(await kernels.concat(shares), matrix, bits));
  }
  return products.length === 1 ? products[0] : kernels.concat(products);
}
