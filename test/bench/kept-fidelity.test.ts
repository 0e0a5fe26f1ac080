/**
 * What is promised of private answers holds of every measurement that is kept: 99.5 % of all labels, spans, entities
 * and tokens are those of the plaintext model, and no logit is further from its own than 0.02.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { TASKS, type Task } from '../../src/ml/tasks/table.ts';

const FOLDER = fileURLToPath(new URL('../../bench/results/', import.meta.url));
const SAME = 0.995;
const FURTHEST = 0.02;

interface Kept {
  readonly name: string;
  readonly task: Task;
  readonly protocol: string;
  readonly weights: string;
  readonly proofs?: boolean;
  /** Absent of real dimensions, where `sameChoices` is said instead. */
  readonly texts?: number | undefined;
  readonly agreement?: number;
  readonly different?: readonly number[];
  readonly refused?: readonly number[];
  readonly silentlyWrong?: readonly number[];
  readonly sameChoices?: boolean;
  readonly logitError: { readonly max: number };
}

const read = (file: string): unknown => JSON.parse(readFileSync(`${FOLDER}${file}`, 'utf8'));
const rowsOf = (file: string) => (read(file) as { rows: Kept[] }).rows;
const ROWS = [...rowsOf('accuracy.json'), ...rowsOf('accuracy-proved.json')];

/** Everything that breaks what is promised, in words. A text that was refused has no answer, so not the same one. */
function broken(rows: readonly Kept[]): string[] {
  const found: string[] = [];
  const groups = new Map<string, { texts: number; others: number }>();
  for (const row of rows) {
    const { name, task, protocol, weights, proofs, texts, logitError, silentlyWrong = [] } = row;
    const of = `${protocol}, ${weights} weights, ${name}`;
    if (!(logitError.max <= FURTHEST)) found.push(`${of}: a logit is off by ${logitError.max}`);
    if (silentlyWrong.length > 0) found.push(`${of}: texts ${silentlyWrong.join()} are silently wrong`);
    if (texts === undefined) {
      if (row.sameChoices !== true) found.push(`${of}: other choices`);
      continue;
    }
    const { different = [], refused = [] } = row;
    const answered = texts - refused.length;
    if (Math.abs((row.agreement ?? 0) - (1 - different.length / answered)) > 1e-6)
      found.push(`${of}: agreement is not what differs`);
    // Sets of one task count together: a single text of thirty is more than 0.5 %.
    const key = `${protocol}${proofs === false ? ' by its gates' : ''}, ${weights} weights, ${task}`;
    const sum = groups.get(key) ?? { texts: 0, others: 0 };
    groups.set(key, { texts: sum.texts + texts, others: sum.others + different.length + refused.length });
  }
  for (const [key, { texts, others }] of groups)
    if (!(texts - others >= SAME * texts)) found.push(`${key}: ${others} of ${texts} texts have another answer`);
  return found;
}

/** Largest errors of logits that other suites kept, wherever in their files they are. */
function errorsIn(value: unknown): number[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'maxAbsLogitError' ? [inner as number] : errorsIn(inner),
  );
}

describe('answers that were compared', () => {
  it('are those of the plaintext model as often, and as near, as is promised', () => {
    expect(broken(ROWS)).toEqual([]);
  });

  it.each(['3pc_semi_honest', '3pc_malicious', 'aby3'])(
    'are of every task in %s, with open and secret weights',
    (one) => {
      const have = new Set(ROWS.filter(({ protocol }) => protocol === one).map((row) => `${row.task} ${row.weights}`));
      const tasks = TASKS.filter((task) => task !== 'feature-extraction');
      expect([...have].sort()).toEqual(tasks.flatMap((task) => [`${task} open`, `${task} secret`]).sort());
    },
  );

  it('are as near in the other suites', () => {
    const errors = ['bert.json', 'gpt2.json', 'modes.json', 'h100.json'].map((file) => errorsIn(read(file)));
    for (const found of errors) expect(found.length).toBeGreaterThan(1);
    expect(errors.flat().filter((error) => !(error <= FURTHEST))).toEqual([]);
  });
});

describe('a row that breaks what is promised', () => {
  const row = (change: Partial<Kept>): Kept => ({
    ...{ name: 'set', task: 'fill-mask', protocol: 'aby3', weights: 'open', texts: 100, agreement: 1 },
    ...{ different: [], refused: [], silentlyWrong: [], logitError: { max: 0.01 } },
    ...change,
  });
  const other = row({ agreement: 0.99, different: [7] });
  it.each<[string, Kept[], string]>([
    ['a far logit', [row({ logitError: { max: 0.0201 } })], 'set: a logit is off by 0.0201'],
    ['no number', [row({ logitError: { max: Number.NaN } })], 'set: a logit is off by NaN'],
    ['another answer', [other], 'fill-mask: 1 of 100 texts have another answer'],
    ['one in each of two sets', [other, other], 'fill-mask: 2 of 200 texts have another answer'],
    ['a text without an answer', [row({ refused: [3] })], 'fill-mask: 1 of 100 texts have another answer'],
    ['a wrong one', [row({ silentlyWrong: [3] })], 'set: texts 3 are silently wrong'],
    ['a sum that is none', [row({ agreement: 0.99 })], 'set: agreement is not what differs'],
    ['another token', [row({ texts: undefined, sameChoices: false })], 'set: other choices'],
  ])('is found: %s', (_what, rows, words) => {
    expect(broken(rows)).toEqual([`aby3, open weights, ${words}`]);
  });

  it('is none of 200 texts of which one has another answer', () => {
    expect(broken([row({}), other])).toEqual([]);
  });
});
