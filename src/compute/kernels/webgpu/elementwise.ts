/** add, sub, mul, scale, offset, addRow, mulRow, shiftRight and cast: one invocation an element. */
import { invariant } from '../../../core/errors.ts';
import { type Vector, checkRing, laneBytes, lengthOf, ringMask } from '../../ring.ts';
import type { DeviceVector } from './arena.ts';
import { type Call, groupsOf, limbs, sameShape, wide } from './call.ts';

const OP = { add: 0, sub: 1, mul: 2 } as const;
const OPERAND = { vector: 0, row: 1, constant: 2 } as const;

/** out_i = x_i ∘ y, y of one of the three forms. */
function binary(
  call: Call,
  op: keyof typeof OP,
  operand: keyof typeof OPERAND,
  x: Vector,
  y: Vector | undefined,
  constant = 0n,
): DeviceVector {
  const { vector, out } = call.result(x.k, lengthOf(x));
  const left = call.operand(x);
  const right = y === undefined ? left : call.operand(y);
  const cols = operand === 'row' ? right.length : 0;
  for (const [from, to] of call.pieces(out.length, laneBytes(x.k))) {
    call.run({
      shader: 'binary',
      wide: wide(x.k),
      constants: { OP: OP[op], OPERAND: OPERAND[operand] },
      params: [to - from, from, cols, 0, ...limbs(ringMask(x.k)), ...limbs(constant)],
      bindings: [
        call.part(left, from, to),
        operand === 'row' ? call.whole(right) : call.part(right, from, to),
        call.part(out, from, to),
      ],
      groups: groupsOf(to - from),
    });
  }
  return vector;
}

export function vectors(call: Call, op: keyof typeof OP, x: Vector, y: Vector): DeviceVector {
  sameShape(x, y);
  return binary(call, op, 'vector', x, y);
}

export function constants(call: Call, op: 'add' | 'mul', x: Vector, c: bigint): DeviceVector {
  return binary(call, op, 'constant', x, undefined, c);
}

export function rows(call: Call, op: 'add' | 'mul', x: Vector, row: Vector): DeviceVector {
  invariant(x.k === row.k, `${op}Row: operands over different rings`);
  invariant(lengthOf(row) > 0 || lengthOf(x) === 0, `${op}Row: an empty row`);
  return binary(call, op, 'row', x, row);
}

/** (x_i >> s) mod 2^k. */
export function shifted(call: Call, x: Vector, s: number, k: number): DeviceVector {
  checkRing(k);
  const source = call.operand(x);
  const { vector, out } = call.result(k, source.length);
  for (const [from, to] of call.pieces(out.length, Math.max(laneBytes(k), laneBytes(x.k)))) {
    call.run({
      shader: 'convert',
      wide: false,
      constants: { X_WIDE: Number(wide(x.k)), OUT_WIDE: Number(wide(k)) },
      params: [to - from, s, ...limbs(ringMask(k))],
      bindings: [call.part(source, from, to), call.part(out, from, to)],
      groups: groupsOf(to - from),
    });
  }
  return vector;
}
