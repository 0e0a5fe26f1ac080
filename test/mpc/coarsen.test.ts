/** A lifted value in coarser units (PROTOCOL §5.6): a local operation, right in every component, and without bias. */
import { describe, expect, it } from 'vitest';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { type Words, signedAt, wordsFrom } from '../../src/compute/ring.ts';
import { CircuitBuilder } from '../../src/mpc/protocol/semi-honest/circuit.ts';
import { thrown } from '../failure.ts';
import { simulate } from '../support/simulate.ts';

const wasm = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });
const K = 40;
const S = 7;

/** x̂, and x̂·x̂ by a product, which reads all four components of it: both over Z_2^(K−S). */
async function coarse(values: readonly bigint[]): Promise<{ readonly own: number[]; readonly squares: number[] }> {
  const { outputs } = await simulate(
    (g) => {
      const y = g.coarsen(g.lift(g.input('x', [values.length], K, 0)), S);
      g.output('own', y);
      g.output('squares', g.mul(y, y));
    },
    { tensors: { x: wordsFrom(values, K) }, indices: {} },
    { kernels: () => wasm, seed: 1 },
  );
  const read = (name: string) => {
    const words = outputs.get(name) as Words;
    expect(words.k).toBe(K - S);
    return values.map((_, i) => Number(signedAt(words, i)));
  };
  return { own: read('own'), squares: read('squares') };
}

describe('a lifted value in coarser units', () => {
  it('is x/2^s within 1½, wherever x lies in its ring, and enters products as what it is', async () => {
    const edges = [0n, 1n, -1n, 63n, 64n, 65n, -64n, -65n, 12_345n, -12_345n, (1n << 39n) - 200n, 200n - (1n << 39n)];
    const { own, squares } = await coarse(edges);
    for (const [i, x] of edges.entries()) {
      expect(Math.abs(own[i] - Number(x) / 2 ** S), `x = ${x}`).toBeLessThanOrEqual(1.5);
      expect(BigInt(squares[i])).toBe(BigInt.asIntN(K - S, BigInt(own[i]) ** 2n));
    }
  });

  it('has no bias, at no place between two units', async () => {
    const places = [0, 1, 31, 64, 65, 127];
    const each = 4000;
    const { own } = await coarse(
      places.flatMap((place) => new Array<bigint>(each).fill(BigInt(1000 * 2 ** S + place))),
    );
    for (const [at, place] of places.entries()) {
      const mean = own.slice(at * each, (at + 1) * each).reduce((sum, value) => sum + value, 0) / each;
      // Four deviations of the mean, and the 2^−s of rounding halves up.
      expect(Math.abs(mean - (1000 + place / 2 ** S)), `place ${place}`).toBeLessThan(
        4 * Math.sqrt(1 / 3 / each) + 2 ** -S,
      );
    }
  });

  it('is of lifted wires alone', () => {
    const gates = new CircuitBuilder('open');
    expect(thrown('ERR_INTERNAL', () => gates.coarsen(gates.input('x', [1], K, 0), S)).message).toContain('lifted');
  });
});
