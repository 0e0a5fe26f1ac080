/**
 * What P1 and P2 see of a proved run is the same for two texts, every message and every bit of it: shares, claims,
 * rounds, statements, seeds. A party's own keys stand still, and the key that it does not know is another one in every
 * run. Rings of one bit, so that what it was sent before comes again, and each proof is looked at together with it.
 * Each mask of a proof is also left out once, and the same test sees that (PROTOCOL §11, §14.8, §15.7).
 *
 * `proof/secrets.test.ts` has every kind of relation, and `malicious-proved-owner.test.ts` what P0 sees. With secret
 * weights, where P0 proves too, there are fewer runs: a bit is seen that is right in nine of ten, not in eight.
 * TERCET_VIEWS=all has ten times the runs, and of secret weights twenty times.
 */
import { describe, expect, it } from 'vitest';
import type { ProofKernels } from '../../src/compute/kernels/proof-types.ts';
import { wordsFrom } from '../../src/compute/ring.ts';
import { concatBytes } from '../../src/core/bytes.ts';
import type { Gates } from '../../src/mpc/protocol/types.ts';
import type { ProofParameters } from '../../src/mpc/proof/soundness.ts';
import { type View, distinguished } from '../support/distinguish.ts';
import { completeCircuit, proofWasm, runProved, symmetricCircuit } from '../support/proved.ts';
import { withoutMask } from '../support/without-mask.ts';

const NARROW: ProofParameters = { sigma: 2, primeBits: 61, primes: 1, maskBits: 224, claimBits: 160 };
const ALL = process.env.TERCET_VIEWS === 'all';
const RUNS = ALL ? 2000 : 200;
const SECRET_RUNS = ALL ? 2000 : 100;
/** For masks whose lack shows in every run. */
const SURE = 80;

type Weights = 'open' | 'secret';
/** Open weights of `aby3`, whose three parties all prove: the last word of its product goes to W. */
type Form = Weights | 'symmetric';

const square = (g: Gates) => {
  const x = g.input('x', [1], 1, 0);
  g.output('y', g.mul(x, x));
};
const CIRCUITS = {
  open: completeCircuit(square, 'open'),
  secret: completeCircuit(square, 'secret'),
  symmetric: symmetricCircuit(square),
};
const TEXTS = [0n, 1n];

/** Everything that a party is sent in one run; `before` is what was no proof. */
async function viewOf(party: 1 | 2, form: Form, text: bigint, seed: number, kernels: ProofKernels) {
  const weights = form === 'secret' ? form : 'open';
  const view = new Map<string, Uint8Array>();
  const before: Uint8Array[] = [];
  const ended = await runProved(
    CIRCUITS[form],
    { tensors: { x: wordsFrom([text], 1) }, indices: {} },
    {
      ...{ weights, seed: 1, keySeeds: party === 1 ? [1, seed, 1] : [seed, 1, 1], proofParameters: NARROW },
      proofKernelsOf: () => kernels,
      timeoutMs: 60_000,
      tap: (from, to, tag, bytes) => {
        if (to !== party) return;
        view.set(`P${from} ${tag}`, bytes.slice());
        if (/-(deal|input|12|21|01|02)\//.test(tag)) before.push(bytes.slice());
      },
    },
  );
  expect(ended.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
  return view.set('before', concatBytes(before));
}

/** Messages to a party that tell two texts apart. */
async function seen(party: 1 | 2, form: Form, kernels: ProofKernels = proofWasm, runs = RUNS) {
  const views: [View[], View[]] = [[], []];
  for (let run = 0; run < runs; run++)
    for (const which of [0, 1])
      views[which].push(await viewOf(party, form, TEXTS[which], 2 + 2 * run + which, kernels));
  const names = [...views[0][0].keys()].join();
  for (const part of ['proof-answer', 'proof-statement', 'proof-seed', 'input-input', 'product-'])
    expect(names).toContain(part);
  return [...new Set(distinguished(views, 'before').map((place) => place.split('/')[0]))];
}

const LONG = { timeout: ALL ? 3_600_000 : 120_000 };

describe.each([
  ['open', RUNS],
  ['secret', SECRET_RUNS],
  ['symmetric', RUNS],
] as const)('a proved run, %s', (form, runs) => {
  it.each([1, 2] as const)('P%i sees no bit that says which of two texts it is', LONG, async (party) => {
    expect(await seen(party, form, proofWasm, runs)).toEqual([]);
  });
});

describe('the same test', () => {
  // A claim without its mask is zero under many masks of the wires, whatever the text.
  it.each([
    ['claims', 'open', 2, 8, RUNS, 'P1 proof-answer'],
    ['shares', 'open', 1, 9, SURE, 'P2 proof-answer'],
    ['the blind of W*', 'open', 1, 11, SURE, 'P0 proof-statement'],
    ['shares', 'secret', 1, 9, SECRET_RUNS, 'P2 proof-answer'],
  ] as const)('sees a run without masks for %s, %s', LONG, async (_, form, party, purpose, runs, place) => {
    expect(await seen(party, form, withoutMask(proofWasm, purpose), runs)).toContain(place);
  });
});
