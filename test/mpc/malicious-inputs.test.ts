/**
 * What an owner that deviates may put in (PROTOCOL §14.2): where it is a prover, bits are bits, and a row that picks a
 * position picks one. With a row of other words it would open combinations of hidden states that no text has, and with
 * large ones the low bits of them.
 */
import { describe, expect, it } from 'vitest';
import { wordsFrom } from '../../src/compute/ring.ts';
import { SecurityViolationError } from '../../src/core/errors.ts';
import { violationCause } from '../../src/core/violation-cause.ts';
import { buildModel } from '../../src/ml/models/secure-at-once.ts';
import { ROWS, TYPES } from '../../src/ml/models/run.ts';
import type { Gates, InputForm } from '../../src/mpc/protocol/types.ts';
import { ARCHITECTURES, planOf } from '../support/architectures.ts';
import { type ProvedSetting, completeCircuit, runProved, symmetricCircuit } from '../support/proved.ts';
import { QUICK } from '../support/tamper.ts';

const STATES = [7n, 50n, 300n];

/** The state that a row picks. */
const picked = (form: InputForm | undefined) => (g: Gates) => {
  const row = g.input('row', [1, 1, 3], 64, 0, form);
  const states = g.input('states', [1, 3, 1], 64, 0);
  g.output('state', g.matmul(row, states));
};

type Mode = 'open' | 'secret' | 'aby3';

async function run(mode: Mode, form: InputForm | undefined, row: readonly bigint[], setting: ProvedSetting = {}) {
  const weights = mode === 'secret' ? 'secret' : 'open';
  const circuit = (mode === 'aby3' ? symmetricCircuit : completeCircuit)(picked(form), weights);
  const tensors = { row: wordsFrom(row, 64), states: wordsFrom(STATES, 64) };
  return runProved(circuit, { tensors, indices: {} }, { ...setting, weights, proofParameters: QUICK });
}

const opened = async (...of: Parameters<typeof run>) => {
  const [{ outputs, error }] = await run(...of);
  if (error !== undefined) throw error;
  return outputs?.get('state')?.data[0];
};

/** One of all is no row of a text. */
const ROWS_OF_NO_TEXT = [
  ['two positions', [1n, 1n, 0n], 57n],
  ['none', [0n, 0n, 0n], 0n],
  ['a position twice', [0n, 2n, 0n], 100n],
  ['a difference of two that sums to one', [2n, -1n, 0n], 2n ** 64n - 36n],
  ['low bits of two states', [1n, 2n ** 63n, 2n ** 63n], 7n],
] as const;

describe.each(['secret', 'aby3'] as const)('an owner that is a prover, %s', (mode) => {
  it('control: a row with a single one opens the state that it picks, in one segment and in many', async () => {
    expect(await opened(mode, 'units', [0n, 1n, 0n])).toBe(50n);
    expect(await opened(mode, 'units', [0n, 0n, 1n], { segmentBytes: 1 })).toBe(300n);
  });

  it.each(ROWS_OF_NO_TEXT)(
    'P0, a row of %s: ERR_SECURITY_VIOLATION by its proof, and nothing opens',
    async (_, row) => {
      const [owner, ...parties] = await run(mode, 'units', row);
      expect(owner.outputs).toBeUndefined();
      for (const { error, wiped } of parties) {
        expect(error).toBeInstanceOf(SecurityViolationError);
        expect((error as SecurityViolationError).code).toBe('ERR_SECURITY_VIOLATION');
        expect((error as SecurityViolationError).phase).toBe('proof');
        expect(wiped).toBe(true);
      }
      // Who verifies says whose proof it was.
      const caught = parties.filter(({ error }) => violationCause(error) === 'check');
      expect(caught.map(({ error }) => (error as SecurityViolationError).party)).toEqual([0]);
    },
  );

  it.each(ROWS_OF_NO_TEXT)(
    'control: a row of %s opens what no text gives, where nothing is said of rows',
    async (...of) => {
      const [, row, state] = of;
      expect(await opened(mode, undefined, row)).toBe(state);
    },
  );

  it('a sum is of rows alone: bits may be any', async () => {
    expect(await opened(mode, 'bits', [1n, 1n, 0n])).toBe(57n);
    const [, { error }] = await run(mode, 'bits', [2n, -1n, 0n]);
    expect(error).toBeInstanceOf(SecurityViolationError);
  });
});

it('with open weights an owner proves nothing of what it puts in: it has no secret to gain', async () => {
  expect(await opened('open', 'units', [1n, 1n, 0n])).toBe(57n);
});

describe('models', () => {
  const shape = { sequences: 1, tokens: 6, rows: 1, padded: false, steps: 0 };
  const formsOf = (name: string, weights: 'open' | 'secret', pair = false) => {
    const config = ARCHITECTURES.find(([each]) => each === name)?.[1];
    if (config === undefined) throw new Error(`${name}: no such architecture`);
    const plan = planOf(config, 'far', 9);
    const { gates } = completeCircuit((g) => buildModel(g, { ...shape, pair, config, plan }, 0), weights);
    return gates
      .filter(({ relation }) => relation === 'input')
      .map(({ traits, relations = [] }) => [
        traits[0],
        ...relations.flatMap(({ shapes }) => shapes.map(({ message }) => message)),
      ]);
  };

  it('have their rows and types proved with secret weights, and not with open ones', () => {
    expect(formsOf('BertForMaskedLM', 'secret', true)).toEqual([
      [TYPES, 'input.bit'],
      [ROWS, 'input.bit', 'input.sum'],
    ]);
    expect(formsOf('BertForMaskedLM', 'open', true)).toEqual([[TYPES], [ROWS]]);
  });

  it('without a head have them proved as well: a row says how many positions a mean is of', () => {
    expect(formsOf('BertModel', 'secret')).toEqual([[ROWS, 'input.bit', 'input.sum']]);
    expect(formsOf('GPT2Model', 'secret')).toEqual([[ROWS, 'input.bit', 'input.sum']]);
  });
});
