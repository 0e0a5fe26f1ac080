import { expect, it } from 'vitest';
import { wordsFrom } from '../../src/compute/ring.ts';
import type { Gates } from '../../src/mpc/protocol/types.ts';
import { completeCircuit, runProved } from '../support/proved.ts';

it('a product', async () => {
  const circuit = completeCircuit((g: Gates) => {
    const x = g.input('x', [3], 32, 0);
    g.output('out', g.mul(x, x));
  });
  const [p0, p1, p2] = await runProved(circuit, { tensors: { x: wordsFrom([1, 2, 3], 32) }, indices: {} });
  for (const p of [p0, p1, p2]) if (p.error) throw p.error;
  expect([...(p0.outputs?.get('out')?.data ?? [])]).toEqual([1, 4, 9]);
});
