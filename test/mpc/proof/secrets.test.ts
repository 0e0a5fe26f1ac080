/**
 * What V sees of a proof is the same whatever W's half says, every message and every bit of it: claims, all rounds, and
 * W's statement. V's half, keys and challenges stand still; W's half is one or another, and what prover and W share is
 * fresh for every proof. Each mask is also left out once, and the same test sees that (PROTOCOL §15.5, §15.7).
 *
 * W is sent nothing, and the prover nothing but seeds, which follow from a key alone. What U_0 hides from a W that
 * lies, `views.test.ts` counts. TERCET_VIEWS=all has twenty times the runs.
 */
import { describe, expect, it } from 'vitest';
import type { ProofKernels } from '../../../src/compute/kernels/proof-types.ts';
import { tableLayout } from '../../../src/compute/kernels/table-layout.ts';
import { loadNodeProofModule } from '../../../src/compute/kernels/wasm/node-worker.ts';
import { WasmProofKernels } from '../../../src/compute/kernels/wasm/proof.ts';
import { unseal } from '../../../src/mpc/proof/sealed.ts';
import type { ProofParameters } from '../../../src/mpc/proof/soundness.ts';
import { Random } from '../../compute/kernels.suite.ts';
import { type View, distinguished } from '../../support/distinguish.ts';
import { otherHalf } from '../../support/other-half.ts';
import {
  KEYS,
  PLACE,
  type Statement,
  choiceStatement,
  matrixStatement,
  parties,
  prove,
  tableStatement,
} from '../../support/proofs.ts';
import { seeded } from '../../support/simulate.ts';
import { withoutMask } from '../../support/without-mask.ts';

const kernels: ProofKernels = new WasmProofKernels(await loadNodeProofModule());
/** Two columns, so that there are few claims; two primes, so that what is drawn for each is looked at. */
const NARROW: ProofParameters = { sigma: 2, primeBits: 61, primes: 2, maskBits: 224, claimBits: 160 };
const RUNS = process.env.TERCET_VIEWS === 'all' ? 1600 : 80;

const random = new Random(5);
const FIRST: readonly Statement[] = [
  matrixStatement(random, { k: 33, inner: [3, 1] }),
  tableStatement(random, { layout: tableLayout(2, 35, [22, 35]) }),
  choiceStatement(random, { layout: tableLayout(4, 20, [20, 11]) }),
];
const SECOND = await Promise.all(FIRST.map((statement) => otherHalf(statement, random)));

/** What the prover and W draw for what V sees, by its number in `keys.ts`. */
const MASKS = { claims: 8, shares: 9, 'the blind of W*': 11 } as const;

/** Everything that V gets in one proof. */
async function viewOf(statements: readonly Statement[], seed: number, of: ProofKernels): Promise<View> {
  const all = await parties(statements, {
    ...{ parameters: NARROW, kernels: of },
    keys: { ...KEYS, pw: seeded(32, seed, 21) },
  });
  const view = new Map<string, Uint8Array>();
  const opened = await unseal(kernels, PLACE, KEYS.vw, await all.witness.statement());
  view.set('statement', opened ?? new Uint8Array());
  await prove(all, (stage, message) => {
    view.set(stage === 1 ? 'claims' : `round ${stage - 2}`, message);
    return message;
  });
  expect([all.prover.accepted, all.verifier.accepted, all.witness.accepted]).toEqual([true, true, true]);
  return view;
}

/** Messages that tell the two halves of W apart. */
async function seen(of: ProofKernels = kernels): Promise<string[]> {
  const views: [View[], View[]] = [[], []];
  for (let run = 0; run < RUNS; run++) {
    views[0].push(await viewOf(FIRST, run, of));
    views[1].push(await viewOf(SECOND, RUNS + run, of));
  }
  expect([...views[0][0].keys()]).toEqual(['statement', 'claims', 'round 0', 'round 1', 'round 2', 'round 3']);
  return [...new Set(distinguished(views).map((place) => place.split('[')[0]))];
}

const LONG = { timeout: process.env.TERCET_VIEWS === 'all' ? 3_600_000 : 120_000 };

describe('V, of a proof', () => {
  it('has the same half of both statements, and W another', () => {
    for (const [i, { whole }] of FIRST.entries()) {
      expect(SECOND[i].whole.v).toEqual(whole.v);
      expect(SECOND[i].whole.w).not.toEqual(whole.w);
    }
  });

  it('sees no bit that says which of two secrets W has', LONG, async () => {
    expect(await seen()).toEqual([]);
  });
});

describe('the same test', () => {
  it.each([
    ['claims', ['claims']],
    ['shares', ['round 0', 'round 1', 'round 2', 'round 3']],
    ['the blind of W*', ['statement']],
  ] as const)('sees a proof without masks for %s', LONG, async (mask, places) => {
    const found = await seen(withoutMask(kernels, MASKS[mask]));
    expect(found).toEqual(expect.arrayContaining([...places]));
  });
});
