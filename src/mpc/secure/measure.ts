/**
 * Reading an index: which unit of 2^−scale a value lies in. Where a shift has one coin, the measured unit is the true
 * one or the next. Where it has two (`TruncationModel.coins`), half units are read without their rounding, so that the
 * measured half unit is the true one or one of the next two: its unit is again the true one or the next, so gadgets
 * reason in units and need not know. Tables get an entry for every half unit.
 */
import type { TruncationModel } from '../protocol/types.ts';
import type { ExactTable, Gates, Wire } from './gates.ts';
import { rescale } from './rescale.ts';

/** How a protocol reads an index. */
export type Reading = Pick<TruncationModel, 'coins'>;

/** Bits of an index below its unit. */
function finerBits(gates: Gates): 0 | 1 {
  return gates.rounding.coins === 1 ? 0 : 1;
}

/** ⌊x⌋ in units of 2^−scale, or one more (with two coins up to two more), never less. In Z_2^ring, or in all bits. */
export function counted(gates: Gates, x: Wire, scale: number, ring?: number): Wire {
  const s = x.scale - scale;
  // A shift with two coins is centred. What it took away is given back.
  const whole = gates.rounding.coins === 1 || s === 0 ? x : gates.offset(x, 1n << BigInt(s - 1));
  return rescale(gates, whole, scale, ring);
}

/** The index of x in units of 2^−scale, with `finerBits` below the unit, in bits + `finerBits` bits, or in all there are. */
export function measured(gates: Gates, x: Wire, scale: number, bits?: number): Wire {
  const finer = finerBits(gates);
  // A whole number of units: half units are there without a reading.
  if (finer > x.scale - scale) {
    const whole = bits === undefined ? x : gates.reduce(x, bits);
    return gates.raise(whole, 1, whole.k + 1);
  }
  return counted(gates, x, scale + finer, bits === undefined ? undefined : bits + finer);
}

const FINER = new WeakMap<ExactTable, ExactTable>();

/** A table by units, for an index of `measured`. */
export function unitTable(gates: Gates, table: ExactTable): ExactTable {
  if (finerBits(gates) === 0) return table;
  const known = FINER.get(table);
  if (known !== undefined) return known;
  const made = { bits: table.bits + 1, entries: table.entries.flatMap((entry) => [entry, entry]) };
  FINER.set(table, made);
  return made;
}
