/** What somebody wants to do, and what they give for it: the fields of the form, the same for every task. Pure. */
import type { GenerateOptions, ModelEntry, Task, TaskText } from '../owner/types/index.ts';
import type { PipelineTask } from '../sdk/pipeline-types.ts';

/** A task of a model, or sorting by labels of one's own, which a model for blanks does. */
export type TaskKind = PipelineTask;

/**
 * All fields of the form. A task reads the ones it needs; the others keep what they held. Never changed in place:
 * another value is another subject.
 */
export interface Form {
  /** The text; for questions the text to search; for generation its beginning. */
  readonly text: string;
  readonly question: string;
  /** Separated by commas. */
  readonly labels: string;
  /** The sentence that a label completes, with `{text}` and `{mask}`. */
  readonly template: string;
  /** Numbers as they were typed; empty: not set. */
  readonly pieces: string;
  readonly temperature: string;
  readonly topP: string;
  readonly topK: string;
  readonly seed: string;
}

export type Field = keyof Form;

export interface Example {
  readonly label: string;
  readonly fields: Partial<Form>;
}

/** How a blank is written in a text, unless a model has its own way. */
const BLANK = '[MASK]';

/** Sorting: the sentence that a label completes, and examples that any model for blanks can be tried with. */
const SORT_TEMPLATE = '{text} It was {mask}.';
const SORT_EXAMPLES: readonly Example[] = [
  {
    label: 'countries by continent',
    fields: { text: 'Norway', labels: 'Europe, Asia, Africa', template: '{text} is in {mask}.' },
  },
  {
    label: 'by currency',
    fields: { text: 'Japan', labels: 'euro, dollar, yen', template: 'The currency of {text} is the {mask}.' },
  },
  {
    label: 'by language',
    fields: { text: 'Mexico', labels: 'French, Spanish, English', template: 'People in {text} speak {mask}.' },
  },
];

export const EMPTY: Form = {
  text: '',
  question: '',
  labels: '',
  template: SORT_TEMPLATE,
  pieces: '20',
  temperature: '0',
  topP: '',
  topK: '',
  seed: '',
};

/** The task that a model must have been made for. */
export function modelTask(job: TaskKind): Task {
  return job === 'zero-shot-classification' ? 'fill-mask' : job;
}

export function examplesOf(job: TaskKind, entry: ModelEntry | undefined): readonly Example[] {
  if (entry === undefined) return [];
  if (job === 'zero-shot-classification') return SORT_EXAMPLES;
  return entry.examples.map(({ label, text, question }) => ({
    label,
    fields: job === 'question-answering' ? { text, question: question ?? '' } : { text },
  }));
}

/** Whether nothing was typed since that example. */
export function isExample(subject: Form, { fields }: Example): boolean {
  return (Object.keys(fields) as Field[]).every((key) => subject[key] === fields[key]);
}

export function labelsOf({ labels }: Form): readonly string[] {
  return [...new Set(labels.split(',').map((label) => label.trim()))].filter((label) => label !== '');
}

/** How a blank is written for the model: its examples show it. */
export function blankOf(entry: ModelEntry | undefined): string {
  return entry?.examples.some(({ text }) => text.includes('<mask>')) === true ? '<mask>' : BLANK;
}

/** The sentence with the blank that a label completes. */
function filledTemplate({ template, text }: Form, blank: string): string {
  // A function: a dollar sign in the text is only a dollar sign.
  return template.replace('{mask}', blank).replace('{text}', () => text.trim());
}

/** What the model is asked about, as its own check takes it. */
export function taskTextOf(job: TaskKind, subject: Form, blank: string): TaskText {
  if (job === 'question-answering') return { question: subject.question, context: subject.text };
  return job === 'zero-shot-classification' ? filledTemplate(subject, blank) : subject.text;
}

/** The number that was typed; undefined for an empty field, NaN for anything that is none. */
export function numberOf(typed: string): number | undefined {
  const text = typed.trim().replace(',', '.');
  return text === '' ? undefined : /^\d+(\.\d*)?$|^\.\d+$/.test(text) ? Number(text) : Number.NaN;
}

/** Options of a text that is to be continued; the fields hold numbers (see problems.ts). */
export function generationOf(subject: Form): GenerateOptions & { readonly maxNewTokens: number } {
  const maxNewTokens = numberOf(subject.pieces) ?? Number(EMPTY.pieces);
  const temperature = numberOf(subject.temperature) ?? 0;
  // At temperature 0 nothing is drawn, so nothing else counts.
  if (temperature === 0) return { maxNewTokens, temperature };
  const given = Object.entries({
    topP: numberOf(subject.topP),
    topK: numberOf(subject.topK),
    seed: numberOf(subject.seed),
  });
  return { maxNewTokens, temperature, ...Object.fromEntries(given.filter(([, value]) => value !== undefined)) };
}
