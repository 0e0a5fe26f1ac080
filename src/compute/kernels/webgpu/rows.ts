/** sumRows, repeat, concat and gather: vectors by rows and by public index. */
import { invariant } from '../../../core/errors.ts';
import { type Vector, laneBytes, lengthOf, ringMask } from '../../ring.ts';
import type { DeviceVector } from './arena.ts';
import { type Call, groupsOf, limbs, wide } from './call.ts';

export function sumRows(call: Call, x: Vector, cols: number): DeviceVector {
  const count = lengthOf(x) / cols;
  invariant(Number.isInteger(count), 'sumRows: whole rows expected');
  const source = call.operand(x);
  const { vector, out } = call.result(x.k, count);
  // As many invocations a row as keep each at four words or more.
  const span = Math.min(64, 2 ** Math.floor(Math.log2(Math.max(1, cols / 4))));
  for (const [from, to] of call.pieces(count, cols * laneBytes(x.k))) {
    call.run({
      shader: 'sum-rows',
      wide: wide(x.k),
      constants: { SPAN: span },
      params: [to - from, cols, ...limbs(ringMask(x.k))],
      bindings: [call.part(source, from, to, cols), call.part(out, from, to)],
      groups: groupsOf((to - from) * span),
    });
  }
  return vector;
}

export function repeat(call: Call, x: Vector, cols: number): DeviceVector {
  const source = call.operand(x);
  const { vector, out } = call.result(x.k, source.length * cols);
  for (const [from, to] of call.pieces(out.length, laneBytes(x.k))) {
    // The source is shorter than the result by `cols`, so it needs no ranges of its own.
    const window = call.window(source.block, laneBytes(x.k), Math.floor(from / cols), Math.ceil(to / cols));
    const first = window.at * cols + (from % cols);
    call.run({
      shader: 'repeat',
      wide: wide(x.k),
      constants: {},
      params: [to - from, first, cols],
      bindings: [window.binding, call.part(out, from, to)],
      groups: groupsOf(to - from),
    });
  }
  return vector;
}

export function concat(call: Call, parts: readonly Vector[]): DeviceVector {
  const [first] = parts;
  invariant(first !== undefined && parts.every((part) => part.k === first.k), 'concat: vectors over one ring expected');
  const { vector, out } = call.result(
    first.k,
    parts.reduce((total, part) => total + lengthOf(part), 0),
  );
  const lane = laneBytes(first.k);
  let at = 0;
  for (const part of parts) {
    const { block, length } = call.operand(part);
    call.commands.copy(block, 0, out.block, at * lane, length * lane);
    at += length;
  }
  return vector;
}

export function gather(call: Call, x: Vector, index: Uint32Array): DeviceVector {
  const length = lengthOf(x);
  for (const i of index) invariant(i < length, 'gather index out of range');
  const source = call.operand(x);
  const places = {
    k: 32,
    length: index.length,
    block: call.upload(new Uint8Array(index.buffer, index.byteOffset, index.byteLength)),
  };
  const { vector, out } = call.result(x.k, index.length);
  for (const [from, to] of call.pieces(out.length, laneBytes(x.k))) {
    for (const [first, last] of call.pieces(length, laneBytes(x.k))) {
      call.run({
        shader: 'gather',
        wide: wide(x.k),
        constants: {},
        params: [to - from, first, last - first],
        bindings: [call.part(source, first, last), call.part(places, from, to), call.part(out, from, to)],
        groups: groupsOf(to - from),
      });
    }
  }
  return vector;
}
