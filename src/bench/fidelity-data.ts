/**
 * The texts of the fidelity suite, with what is right, and how answers are scored. Sources and licences:
 * bench/data/README.md.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { folderFiles } from '../ml/files-node.ts';
import { loadTokenizer } from '../ml/tokenizers/tokenizer.ts';
import { embeddedModel } from '../node/defaults.ts';
import type { Task } from '../ml/tasks/table.ts';
import type { TaskAnswer } from '../owner/task-plans.ts';

const DATA = fileURLToPath(new URL('../../bench/data/', import.meta.url));

export interface Sample {
  readonly text: string;
  readonly question?: string;
  readonly newTokens?: number;
  readonly labels?: readonly string[];
  readonly template?: string;
  /** What is right: a label, the pieces of a capital, answers of a question, entities as `label start end`. */
  readonly expected: readonly string[];
}

export interface FidelityCase {
  readonly name: string;
  readonly task: Task;
  readonly folder: string;
  readonly samples: readonly Sample[];
  readonly metric: string;
  /** From 0 to 1, over all texts. */
  readonly score: ((answers: readonly TaskAnswer[], samples: readonly Sample[]) => number) | undefined;
}

function tsv(name: string): string[][] {
  return readFileSync(`${DATA}${name}`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split('\t'));
}

function json<T>(name: string): T {
  return JSON.parse(readFileSync(`${DATA}${name}`, 'utf8')) as T;
}

/** Tokens of every generated text. */
const NEW_TOKENS = 32;

const share = (hits: number, all: number) => (all === 0 ? 0 : hits / all);

/** Texts whose first answer is the expected one. */
function exact(pick: (answer: TaskAnswer) => readonly string[]) {
  return (answers: readonly TaskAnswer[], samples: readonly Sample[]) =>
    share(
      answers.filter((answer, i) => pick(answer).join(' ') === samples[i].expected.join(' ')).length,
      answers.length,
    );
}

/** As SQuAD has it: lower case, no punctuation, no articles. */
function normalised(text: string): string[] {
  return text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s]/gu, '')
    .split(/\s+/)
    .filter((word) => word !== '' && !['a', 'an', 'the'].includes(word));
}

function overlap(given: string, right: string): number {
  const [a, b] = [normalised(given), normalised(right)];
  const rest = [...b];
  let common = 0;
  for (const word of a) {
    const at = rest.indexOf(word);
    if (at < 0) continue;
    rest.splice(at, 1);
    common += 1;
  }
  return common === 0 ? 0 : (2 * common) / (a.length + b.length);
}

function answerF1(answers: readonly TaskAnswer[], samples: readonly Sample[]): number {
  const of = (answer: TaskAnswer, i: number) =>
    Math.max(...samples[i].expected.map((right) => overlap(answer.answers?.[0]?.answer ?? '', right)));
  return answers.reduce((sum, answer, i) => sum + of(answer, i), 0) / answers.length;
}

function entityF1(answers: readonly TaskAnswer[], samples: readonly Sample[]): number {
  let [right, given, wanted] = [0, 0, 0];
  for (const [i, { entities = [] }] of answers.entries()) {
    const found = entities.map(({ label, start, end }) => `${label} ${start} ${end}`);
    right += found.filter((entity) => samples[i].expected.includes(entity)).length;
    given += found.length;
    wanted += samples[i].expected.length;
  }
  return share(2 * right, given + wanted);
}

async function capitals(): Promise<Sample[]> {
  const tokenizer = await loadTokenizer(await folderFiles(embeddedModel('fill-mask')));
  return tsv('capitals.tsv').map(([country, capital]) => {
    const expected = tokenizer.encode(capital, { allowMask: false }).tokens.slice(1, -1);
    return { text: `The capital of ${country} is ${expected.map(() => '[MASK]').join(' ')}.`, expected };
  });
}

interface Question {
  readonly context: string;
  readonly question: string;
  readonly answers: readonly string[];
}

interface Tagged {
  readonly text: string;
  readonly entities: readonly { readonly label: string; readonly start: number; readonly end: number }[];
}

/** All cases: every embedded model on texts that it was not made from. */
export async function fidelityCases(): Promise<FidelityCase[]> {
  const labels = ['NEGATIVE', 'POSITIVE'];
  const each = (
    name: string,
    task: Task,
    samples: readonly Sample[],
    metric: string,
    score?: FidelityCase['score'],
  ): FidelityCase => ({
    name,
    task,
    folder: embeddedModel(task),
    samples,
    metric,
    score,
  });
  const label = exact(({ labels: found }) => found?.slice(0, 1).map(({ label: name }) => name) ?? []);
  const sst2 = tsv('sst2-dev-200.tsv').map(([text, label]): Sample => ({ text, expected: [labels[Number(label)]] }));
  const questions = (name: string) =>
    json<Question[]>(name).map(
      ({ context, question, answers }): Sample => ({ text: context, question, expected: answers }),
    );
  const continents = tsv('continents.tsv').map(
    ([text, continent]): Sample => ({
      text,
      labels: ['Europe', 'Asia', 'Africa'],
      template: '{text} is in {mask}.',
      expected: [continent],
    }),
  );
  const tagged = json<Tagged[]>('wnut17-dev-200.json').map(
    ({ text, entities }): Sample => ({
      text,
      expected: entities.map(({ label, start, end }) => `${label} ${start} ${end}`),
    }),
  );
  const prompts = json<string[]>('prompts.json').map((text): Sample => ({ text, newTokens: NEW_TOKENS, expected: [] }));
  return [
    each(
      'capitals',
      'fill-mask',
      await capitals(),
      'every piece right',
      exact(({ blanks }) => blanks?.map((list) => list[0].token) ?? []),
    ),
    each('sst2-dev-200', 'text-classification', sst2, 'accuracy', label),
    { ...each('continents, zero-shot', 'fill-mask', continents, 'accuracy', label), task: 'zero-shot-classification' },
    each('xquad-held-out', 'question-answering', questions('xquad-held-out.json'), 'answer F1', answerF1),
    each('plain-questions', 'question-answering', questions('plain-questions.json'), 'answer F1', answerF1),
    each('wnut17-dev-200', 'token-classification', tagged, 'entity F1', entityF1),
    each('prompts, 32 greedy tokens', 'text-generation', prompts, `same ${NEW_TOKENS} tokens as plaintext`),
  ];
}
