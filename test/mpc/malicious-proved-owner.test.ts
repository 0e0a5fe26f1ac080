/**
 * What P0 sees of a proved run with secret weights says nothing of the model but its answer: all that it receives, of
 * two models. Models of one answer are compared with what opens; where answers differ, outputs are left out.
 *
 * In `3pc_malicious` no message to P0 but an output follows from a share: with the same keys it is the same bit for
 * bit, of every kind of gate. In `aby3` P0 gets parts of products. There the key that it does not know is another one
 * in every run, and views that are alike are called different with 10^-9 at most (PROTOCOL §14.8, §17.5).
 *
 * TERCET_VIEWS=all has twenty times the runs.
 */
import { describe, expect, it } from 'vitest';
import type { RingKernels } from '../../src/compute/kernels/types.ts';
import { wordsFrom } from '../../src/compute/ring.ts';
import type { ProofParameters } from '../../src/mpc/proof/soundness.ts';
import type { Circuit } from '../../src/mpc/protocol/frame/circuit.ts';
import type { Gates, Inputs } from '../../src/mpc/protocol/types.ts';
import type { PartyId } from '../../src/net/wire/types.ts';
import { INPUTS_OF_ALL, PARAMETERS_OF_ALL, everyGate } from '../support/all-gates.ts';
import { type View, distinguished } from '../support/distinguish.ts';
import { type ClearParameter, parameterView } from '../support/parameters.ts';
import { completeCircuit, runProved, symmetricCircuit, wasm } from '../support/proved.ts';
import { withoutGateMask } from '../support/without-mask.ts';

const NARROW: ProofParameters = { sigma: 2, primeBits: 61, primes: 1, maskBits: 224, claimBits: 160 };
const LONG = { timeout: process.env.TERCET_VIEWS === 'all' ? 3_600_000 : 120_000 };

interface Ran {
  readonly circuit: Circuit;
  readonly inputs: Inputs;
  readonly weights: readonly ClearParameter[];
  /** Of the key of P1 and P2. All else, with the masks of weights, P0 knows: it stands still. */
  readonly seed: number;
  readonly kernels?: RingKernels;
}

/** Everything that a party is sent in one run, by sender and tag. */
async function receivedBy(party: PartyId, { circuit, inputs, weights, seed, kernels = wasm }: Ran): Promise<View> {
  const view = new Map<string, Uint8Array>();
  const ended = await runProved(circuit, inputs, {
    ...{ weights: 'secret', seed: 1, keySeeds: [1, 1, seed], proofParameters: NARROW, timeoutMs: 60_000 },
    kernels,
    parameters: (id, own) => parameterView('secret', id, own, weights),
    tap: (from, to, tag, bytes) => {
      if (to === party) view.set(`P${from} ${tag}`, bytes.slice());
      return undefined;
    },
  });
  expect(ended.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
  return view;
}

const isOutput = (name: string) => name.includes('output-');
/** Messages of one circuit that are not the same in two runs. */
const others = (a: View, b: View) => {
  expect([...a.keys()]).toEqual([...b.keys()]);
  return [...a].flatMap(([name, bytes]) => (Buffer.compare(bytes, b.get(name) as Uint8Array) === 0 ? [] : [name]));
};

/** A bit of W opens only together with bits of the text, which are zero. */
const W: ClearParameter['parameter'] = { name: 'w', rows: 1, cols: 1, scale: 0 };
const COUNT = 8;
const hidden = (opened: boolean) => (g: Gates) => {
  const [x, z] = [g.input('x', [COUNT, 1], 64, 0), g.input('z', [COUNT, 1], 1, 0)];
  const bit = g.reduce(g.affine([{ x, weight: W }]), 1);
  if (opened) g.output('bit', bit);
  g.output('y', g.mul(bit, z));
};
const filled = (value: bigint, k: number) => wordsFrom(new Array<bigint>(COUNT).fill(value), k);
const INPUTS: Inputs = { tensors: { x: filled(1n, 64), z: filled(0n, 1) }, indices: {} };
const MODELS = [2n, 3n].map((value): ClearParameter[] => [{ parameter: W, values: [value] }]);

describe('P0 of 3pc_malicious', () => {
  /** Another word in every matrix, table and row. */
  const CHANGED = PARAMETERS_OF_ALL.map(({ parameter, values }) => ({
    parameter,
    values: values.map((value, i) => value + BigInt(i % 2)),
  }));
  const every = completeCircuit(everyGate, 'secret');
  const receives = (party: PartyId, weights: readonly ClearParameter[]) =>
    receivedBy(party, { circuit: every, inputs: INPUTS_OF_ALL, weights, seed: 7 });

  it('receives the same of two models by every kind of gate, but for what opens', LONG, async () => {
    const [a, b] = [await receives(0, PARAMETERS_OF_ALL), await receives(0, CHANGED)];
    const names = [...a.keys()].map((name) => name.split('/')[0]);
    // Seeds, verdicts and outputs are all that it gets: a new kind is a reason to look here again.
    expect([...new Set(names)].sort()).toEqual([
      ...['P1 output-output', 'P1 proof-seed', 'P1 proof-verdict'],
      ...['P2 output-output', 'P2 proof-anchor', 'P2 proof-verdict'],
    ]);
    const different = others(a, b);
    expect(different).not.toEqual([]);
    expect(different.filter((name) => !isOutput(name))).toEqual([]);
  });

  it('unlike a compute party, whose masked words follow from the model: the control', LONG, async () => {
    const different = others(await receives(1, PARAMETERS_OF_ALL), await receives(1, CHANGED));
    expect(different.some((name) => name.startsWith('P2 affine-21'))).toBe(true);
  });

  it.each([
    ['all the same of two models of one answer', false, []],
    ['another word where the bit of the model opens too: the control', true, ['P1 output-output', 'P2 output-output']],
  ] as const)('receives %s', LONG, async (_, opened, where) => {
    const circuit = completeCircuit(hidden(opened), 'secret');
    for (const seed of [2, 3, 4]) {
      const [a, b] = [
        await receivedBy(0, { circuit, inputs: INPUTS, weights: MODELS[0], seed }),
        await receivedBy(0, { circuit, inputs: INPUTS, weights: MODELS[1], seed }),
      ];
      expect(others(a, b).map((name) => name.split('/')[0])).toEqual(where);
    }
  });
});

describe('P0 of aby3', () => {
  /** Of each model. What is missing without a mask, or opens, shows in every run. */
  const RUNS = process.env.TERCET_VIEWS === 'all' ? 1600 : 80;

  /** Messages that tell two models of one answer apart, where the bit between opens too: gates 3, and 5 the answer. */
  async function seen(kernels: RingKernels = wasm): Promise<string[]> {
    const circuit = symmetricCircuit(hidden(true), 'secret');
    const views: [View[], View[]] = [[], []];
    for (let run = 0; run < RUNS; run++)
      for (const [which, weights] of MODELS.entries())
        views[which].push(
          await receivedBy(0, { circuit, inputs: INPUTS, weights, seed: 2 + 2 * run + which, kernels }),
        );
    const names = [...views[0][0].keys()];
    expect(names).toEqual(expect.arrayContaining(['P2 product-20/4', 'P1 output-output/5', 'P2 output-output/5']));
    return [...new Set(distinguished(views).map((place) => place.split('[')[0]))];
  }

  it(
    'is told which of two models of one answer it is by the bit that opens, the control, and by nothing else',
    LONG,
    async () => {
      expect(await seen()).toEqual(['P1 output-output/3', 'P2 output-output/3']);
    },
  );

  it('and without shares of zero by its mask of a product, and by the answer under it: the control', LONG, async () => {
    expect(await seen(withoutGateMask(wasm, 'share'))).toEqual(
      expect.arrayContaining(['P2 product-20/4', 'P1 output-output/5', 'P2 output-output/5']),
    );
  });
});
