/**
 * What an owner that deviates may put in for an embedding (PROTOCOL §7.8, §14.2): how many positions a mean is of, and
 * no weights. With other words it would open sums of hidden states that are no mean, and with large ones their low
 * bits. The rows are those of the models (`chosenRows`), on states that are given.
 */
import { describe, expect, it } from 'vitest';
import { type Words, signedAt, wordsFrom } from '../../src/compute/ring.ts';
import { SecurityViolationError } from '../../src/core/errors.ts';
import { violationCause } from '../../src/core/violation-cause.ts';
import { chosenRows } from '../../src/ml/models/parts.ts';
import { type ModelRun, ROWS } from '../../src/ml/models/run.ts';
import type { Gates, Inputs } from '../../src/mpc/protocol/types.ts';
import { ARCHITECTURES, planOf } from '../support/architectures.ts';
import { type ProvedSetting, completeCircuit, runProved, symmetricCircuit, wasm } from '../support/proved.ts';
import { simulate } from '../support/simulate.ts';
import { QUICK } from '../support/tamper.ts';

/** A state of one word at each of three positions. */
const UNIT = 2 ** 20;
const STATES = [7, 50, 300];

const config = ARCHITECTURES.find(([name]) => name === 'BertModel')?.[1];
if (config === undefined) throw new Error('there is no model without a head');
const shape = { sequences: 1, tokens: STATES.length, rows: 1, padded: true, pair: false, steps: 0 };
const run: ModelRun = { ...shape, config, plan: planOf(config, 'far', 9) };

function embedding(g: Gates): void {
  g.output('state', chosenRows(g, run, g.input('states', [STATES.length, 1], 64, 0)));
}

const inputsOf = (row: readonly bigint[]): Inputs => ({
  tensors: {
    [ROWS]: wordsFrom(row, 64),
    states: wordsFrom(
      STATES.map((state) => state * UNIT),
      64,
    ),
  },
  indices: {},
});

const MODES = ['secret', 'open', 'aby3'] as const;

function proved(mode: (typeof MODES)[number], row: readonly bigint[], setting: ProvedSetting = {}) {
  const weights = mode === 'secret' ? 'secret' : 'open';
  const circuit = (mode === 'aby3' ? symmetricCircuit : completeCircuit)(embedding, weights);
  return runProved(circuit, inputsOf(row), { ...setting, weights, proofParameters: QUICK });
}

const stateOf = (outputs: ReadonlyMap<string, Words> | undefined) =>
  Number(signedAt(outputs?.get('state') as Words, 0)) / UNIT;
/** Digits of a state that opens: weights are rounded, and so is the product. */
const DIGITS = 4;

/** A place picks a mean of as many positions. */
const ROWS_OF_TEXTS = [
  ['the first position', [1n, 0n, 0n], 7],
  ['the mean of two', [0n, 1n, 0n], 28.5],
  ['the mean of all', [0n, 0n, 1n], 119],
] as const;

/** One of all is no mean. */
const ROWS_OF_NO_MEAN = [
  ['two means together', [0n, 1n, 1n], 147.5],
  ['none', [0n, 0n, 0n], 0],
  ['a mean twice', [0n, 2n, 0n], 57],
  ['less than nothing', [-1n, 0n, 0n], -7],
  ['three that sum to one', [1n, 1n, -1n], -83.5],
  // 2·28.5 − 7: what stands at the second position alone.
  ['one position behind the first', [-1n, 2n, 0n], 50],
  ['large words that sum to one', [1n - 2n ** 12n, 2n ** 12n, 0n], 4096 * 28.5 - 4095 * 7],
] as const;

describe.each(MODES)('an owner that does not deviate, %s', (mode) => {
  it.each(ROWS_OF_TEXTS)('control: %s opens', async (_, row, state) => {
    const [{ outputs, error }] = await proved(mode, row);
    expect(error).toBeUndefined();
    expect(stateOf(outputs)).toBeCloseTo(state, DIGITS);
  });
});

describe.each(['secret', 'aby3'] as const)('an owner that is a prover, %s', (mode) => {
  it.each(ROWS_OF_NO_MEAN)(
    'P0, a row of %s: ERR_SECURITY_VIOLATION by its proof, and nothing opens',
    async (_, row) => {
      const [owner, ...parties] = await proved(mode, row);
      expect(owner.outputs).toBeUndefined();
      for (const { error, wiped } of parties) {
        expect(error).toBeInstanceOf(SecurityViolationError);
        expect(error).toMatchObject({ code: 'ERR_SECURITY_VIOLATION', phase: 'proof' });
        expect(wiped).toBe(true);
      }
      // Who verifies says whose proof it was.
      const caught = parties.filter(({ error }) => violationCause(error) === 'check');
      expect(caught.map(({ error }) => (error as SecurityViolationError).party)).toEqual([0]);
    },
  );

  it('P0, the weights of a mean in place of its row: ERR_SECURITY_VIOLATION by its proof', async () => {
    const third = BigInt(Math.round(2 ** 24 / 3));
    const [, { error }] = await proved(mode, [third, third, third]);
    expect(error).toMatchObject({ code: 'ERR_SECURITY_VIOLATION', phase: 'proof' });
  });
});

it.each(ROWS_OF_NO_MEAN)('control: a row of %s opens without proofs, and nobody notices', async (_, row, state) => {
  const { outputs } = await simulate(embedding, inputsOf(row), { weights: 'secret', kernels: () => wasm });
  expect(stateOf(outputs)).toBeCloseTo(state, DIGITS);
});
