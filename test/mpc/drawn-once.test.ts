/** Key streams are most of what a party computes beside products: each party draws each of its masks once. */
import { expect, it } from 'vitest';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import type { Stream } from '../../src/compute/kernels/types.ts';
import { type Words, signedAt, wordsFrom } from '../../src/compute/ring.ts';
import type { Gates } from '../../src/mpc/protocol/types.ts';
import { simulate } from '../support/simulate.ts';

/** Notes the addresses that are drawn. */
class Drawing extends ReferenceKernels {
  readonly drawn: string[] = [];

  override async draw(stream: Stream, k: number, count: number, first?: number): Promise<Words> {
    this.drawn.push(stream.nonce.join());
    return super.draw(stream, k, count, first);
  }
}

/** x², of an x that is widened by a message or at once, or that is chosen. */
const SQUARES: Readonly<Record<string, (gates: Gates) => void>> = {
  'a widened value': (g) => {
    const x = g.lift(g.widen(g.input('x', [5], 20, 0), 40));
    g.output('out', g.mul(x, x));
  },
  'a choice that is widened at once': (g) => {
    const [x, bit] = [g.input('x', [5], 20, 0), g.input('bit', [5], 1, 0)];
    const y = g.lift(g.choose([bit], [x], Uint8Array.of(0, 0), { widen: 40 }));
    g.output('out', g.mul(y, y));
  },
  'a choice': (g) => {
    const [x, bit] = [g.input('x', [5], 20, 0), g.input('bit', [5], 1, 0)];
    const y = g.lift(g.widen(g.choose([bit], [x], Uint8Array.of(0, 0)), 40));
    g.output('out', g.mul(y, y));
  },
};

it.each(Object.entries(SQUARES))('of %s', async (_name, build) => {
  const parties = [new Drawing(), new Drawing(), new Drawing()];
  const values = [0n, 1n, 7n, 100n, 300n];
  const tensors = { x: wordsFrom(values, 20), bit: wordsFrom([0, 1, 0, 1, 0], 1) };
  const { outputs } = await simulate(build, { tensors, indices: {} }, { kernels: (id) => parties[id] });
  const out = outputs.get('out') as Words;
  expect(values.map((_, i) => signedAt(out, i))).toEqual(values.map((x) => x * x));
  for (const id of [1, 2]) {
    const { drawn } = parties[id];
    expect(drawn.length).toBeGreaterThan(0);
    expect(drawn.length - new Set(drawn).size, `draws of party ${id} that it had made before`).toBe(0);
  }
});
