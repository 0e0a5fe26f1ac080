/**
 * What verifiers see of each other's data (PROTOCOL §15.7): the ends W* and U* are uniform by the blinds, whatever the
 * secrets. Toy primes, so that a distribution can be counted; without the blind the same count tells the secrets apart.
 */
import { describe, expect, it } from 'vitest';
import type { ProofKernels } from '../../../src/compute/kernels/proof-types.ts';
import { loadNodeProofModule } from '../../../src/compute/kernels/wasm/node-worker.ts';
import { WasmProofKernels } from '../../../src/compute/kernels/wasm/proof.ts';
import { wordsFrom } from '../../../src/compute/ring.ts';
import { Challenges, seedChain } from '../../../src/mpc/proof/challenges.ts';
import type { MatrixShape } from '../../../src/mpc/proof/relations.ts';
import { unseal } from '../../../src/mpc/proof/sealed.ts';
import { Segment } from '../../../src/mpc/proof/segment.ts';
import { Shares, blindOfV } from '../../../src/mpc/proof/shares.ts';
import type { ProofParameters } from '../../../src/mpc/proof/soundness.ts';
import { Verifying } from '../../../src/mpc/proof/verifying.ts';
import { Witness } from '../../../src/mpc/proof/witness.ts';
import { KEYS, PLACE } from '../../support/proofs.ts';

const kernels: ProofKernels = new WasmProofKernels(await loadNodeProofModule());
const parameters: ProofParameters = { sigma: 2, primeBits: 3, primes: 1, maskBits: 224, claimBits: 160 };
const SHAPE: MatrixShape = {
  kind: 'matrix',
  message: 'toy',
  k: 64,
  rows: 1,
  columns: 1,
  terms: [{ left: 'V', negative: false, inner: 2 }],
};
const SECRETS = [
  [0, 0],
  [3, 5],
];
const TRIALS = 400;

interface Ends {
  /** W* as V reads it, and without its blind. */
  readonly w: readonly [bigint, bigint];
  /** U* as W would have to guess it, and without its blind. */
  readonly u: readonly [bigint, bigint];
}

/** Ends of a session whose prime is 7; undefined for the other prime of three bits. */
async function ends(session: number, secret: readonly number[]): Promise<Ends | undefined> {
  const place = { ...PLACE, session: new Uint8Array(32).fill(session & 255).fill(session >> 8, 1) };
  const segment = new Segment(place, [SHAPE], parameters);
  const seeds = seedChain(KEYS.vw, place, segment.stages);
  const [{ q }] = await new Challenges(segment, kernels, (stage) => seeds[stage]).primes();
  if (q !== 7n) return undefined;
  const factor = wordsFrom(secret, 64);
  const witness = new Witness(segment, kernels, { verifier: KEYS.vw, prover: KEYS.pw });
  await witness.absorb(0, { kind: 'matrix', factors: [factor] });
  const statement = (await unseal(kernels, place, KEYS.vw, await witness.statement())) ?? new Uint8Array();
  const w = new DataView(statement.buffer, statement.byteOffset + 32).getBigUint64(0, true);
  const verifying = new Verifying(segment, 'V', kernels, seeds);
  await verifying.absorb(0, { kind: 'matrix', factors: [factor] });
  const [blindW, blindV] = [
    await new Shares(segment, kernels, KEYS.pw).blind(0, q),
    await blindOfV(kernels, place, KEYS.pv, 0, q),
  ];
  const u = await verifying.end(0);
  return { w: [w, (w + q - blindW) % q], u: [(u + blindV) % q, u] };
}

/** Chi-square of two counts over the residues of 7: six degrees of freedom. */
function distance(first: readonly bigint[], second: readonly bigint[]): number {
  const count = (values: readonly bigint[], of: bigint) => values.filter((value) => value === of).length;
  let sum = 0;
  for (let value = 0n; value < 7n; value++) {
    const [a, b] = [count(first, value), count(second, value)];
    if (a + b > 0) sum += (a - b) ** 2 / (a + b);
  }
  return sum;
}

describe('the end of a vector', () => {
  it('says nothing about its secrets behind the blind, and tells them without', async () => {
    // Sessions of their own for either secret: the counts are independent.
    const seen = await Promise.all(
      SECRETS.map(async (secret, which) => {
        const out: Ends[] = [];
        for (let i = 0; i < TRIALS; i++) {
          const end = await ends(TRIALS * which + i, secret);
          if (end !== undefined) out.push(end);
        }
        return out;
      }),
    );
    for (const side of ['w', 'u'] as const) {
      const [masked, open] = [0, 1].map((form) =>
        distance(
          seen[0].map((e) => e[side][form]),
          seen[1].map((e) => e[side][form]),
        ),
      );
      // One in 10^4 of such counts is above 28.
      expect(masked).toBeLessThan(28);
      expect(open).toBeGreaterThan(60);
    }
  });
});
