/** Proofs of true statements are accepted, whatever relations and rings they mix (PROTOCOL §14). */
import { describe, expect, it } from 'vitest';
import { indexGroup } from '../../../src/compute/index-group.ts';
import { tableLayout } from '../../../src/compute/kernels/table-layout.ts';
import type { ProofParameters } from '../../../src/mpc/proof/soundness.ts';
import { Random } from '../../compute/kernels.suite.ts';
import {
  type Statement,
  choiceStatement,
  matrixStatement,
  parties,
  prove,
  tableStatement,
} from '../../support/proofs.ts';

const SMALL: ProofParameters = { sigma: 5, primeBits: 61, primes: 1, maskBits: 256, claimBits: 192 };

/** One of everything. */
function mixed(random: Random): Statement[] {
  return [
    matrixStatement(random, { k: 33, inner: [3, 1, 2] }),
    tableStatement(random, { layout: tableLayout(2, 35, [22, 35, 1]), group: indexGroup(4, 2), elements: 5 }),
    choiceStatement(random, { layout: tableLayout(16, 20, [20, 11, 7]), elements: 9 }),
    matrixStatement(random, { inner: [] }),
    tableStatement(random, { layout: tableLayout(4, 32), group: indexGroup(0, 3), factors: 16 }),
    choiceStatement(random, { layout: tableLayout(1, 64, 2), columns: true, elements: 40 }),
    choiceStatement(random, { layout: tableLayout(3, 1), basis: false }),
  ];
}

describe('a proof of true statements', () => {
  it.each([1, 2] as const)('is accepted with all kinds of relations in one segment, and %d primes', async (primes) => {
    for (let seed = 0; seed < 3; seed++) {
      const all = await parties(mixed(new Random(seed)), { parameters: { ...SMALL, primes } });
      await prove(all);
      expect([all.prover.accepted, all.verifier.accepted, all.witness.accepted]).toEqual([true, true, true]);
    }
  });
});
