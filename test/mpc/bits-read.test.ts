import { describe, expect, it } from 'vitest';
import { trailingZeros } from '../../src/mpc/protocol/frame/bits-read.ts';
import { CircuitBuilder } from '../../src/mpc/protocol/semi-honest/circuit.ts';

const WEIGHT = { name: 'w', rows: 4, cols: 4, scale: 16 };

describe('the bits of a wire that are read', () => {
  const built = () => new CircuitBuilder('open');
  const mapped = (gates: CircuitBuilder) => gates.affine([{ x: gates.input('x', [2, 4], 64, 16), weight: WEIGHT }]);

  it('are those that a reader behind a shift and a cut takes', () => {
    const gates = built();
    const y = mapped(gates);
    gates.output('y', gates.reduce(gates.shift(y, 19), 21));
    expect(gates.finish().bitsRead[y.id]).toBe(40);
  });

  it('are those of the reader that takes most', () => {
    const gates = built();
    const y = mapped(gates);
    gates.output('y', gates.reduce(gates.shift(y, 19), 21));
    gates.output('all', gates.shift(gates.add(y, y), 16));
    expect(gates.finish().bitsRead[y.id]).toBe(64);
  });

  it('are fewer below a factor, and all below a gate or what does not say', () => {
    const gates = built();
    const y = mapped(gates);
    const z = gates.scale(y, 3n << 15n);
    gates.output('z', gates.reshape(z, [8]));
    const finished = gates.finish();
    expect([finished.bitsRead[z.id], finished.bitsRead[y.id]]).toEqual([64, 49]);
  });

  it('counts the zeros below a factor', () => {
    expect([1n, -8n, 3n << 62n, 0n].map(trailingZeros)).toEqual([0, 3, 62, 64]);
  });
});
