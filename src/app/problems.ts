/**
 * Why what stands in the form cannot run, and which field it is: found here, by the tokenizer's check, or by the
 * model when it was asked. Pure.
 */
import { explain, failureOf } from './errors.ts';
import { type State, entryOf, operatorsOf } from './state.ts';
import { type Field, type TaskKind, type Form, blankOf, labelsOf, numberOf } from './form.ts';

export interface Problem {
  readonly field: Field;
  readonly title: string;
  readonly happened: string;
  readonly remedy: string;
}

/** Fewest labels that can be told apart. */
const LEAST_LABELS = 2;
/** More would run for a very long time. */
const MOST_PIECES = 200;

export function problemOf(state: State): Problem | undefined {
  return emptyField(state) ?? checked(state) ?? ownRules(state) ?? refusal(state);
}

const problem = (field: Field, title: string, remedy: string, happened = ''): Problem => ({
  field,
  title,
  happened,
  remedy,
});

function emptyField({ task, subject }: State): Problem | undefined {
  if (task === 'question-answering' && subject.question.trim() === '')
    return problem('question', 'There is no question', 'type a question that the text below it answers.');
  if (subject.text.trim() !== '') return undefined;
  return task === 'question-answering'
    ? problem('text', 'There is no text to search', 'paste the text that holds the answer.')
    : problem(
        'text',
        'There is no text',
        task === 'text-generation' ? 'type how it begins.' : 'type a sentence, or pick an example.',
      );
}

/** What the tokenizer says. */
function checked(state: State): Problem | undefined {
  const found = state.check?.problem;
  // A template that lacks its blank has a rule of its own below.
  if (found === undefined || (state.task === 'zero-shot-classification' && badTemplate(state.subject)))
    return undefined;
  const failure = failureOf(found);
  const { title, happened, remedy } = explain(failure, {
    operators: operatorsOf(state),
    maxTokens: state.model?.maxTokens,
  });
  if (state.task === 'question-answering' && failure.code === 'ERR_TOO_MANY_TOKENS')
    return problem(
      'text',
      'Text and question are too long',
      `shorten the text${limit(state)}, or ask about one part of it at a time.`,
    );
  return problem('text', title, remedy, happened);
}

function limit({ model, check }: State): string {
  const over = (check?.tokens ?? 0) - (model?.maxTokens ?? 0);
  return model === undefined || over <= 0 ? '' : ` by ${over} or more of its ${check?.tokens ?? 0} tokens`;
}

function ownRules(state: State): Problem | undefined {
  if (state.task === 'zero-shot-classification') return sorting(state);
  return state.task === 'text-generation' ? generating(state) : undefined;
}

function badTemplate({ template }: Form): boolean {
  return ['{text}', '{mask}'].some((part) => template.split(part).length !== 2);
}

function sorting({ subject, ...state }: State): Problem | undefined {
  const blank = blankOf(entryOf({ subject, ...state }));
  if (subject.text.includes(blank))
    return problem(
      'text',
      'The text has a blank of its own',
      `take ${blank} out of the text; the sentence below has the blank.`,
    );
  if (labelsOf(subject).length < LEAST_LABELS)
    return problem('labels', 'There are too few labels', 'write two or more different ones, with commas between them.');
  if (badTemplate(subject))
    return problem('template', 'The sentence is not complete', 'write {text} and {mask} in it, once each.');
  return undefined;
}

function generating({ subject, model, check }: State): Problem | undefined {
  const pieces = numberOf(subject.pieces);
  const whole = (value: number | undefined, least: number): boolean =>
    value === undefined || (Number.isSafeInteger(value) && value >= least);
  const room = (model?.maxTokens ?? Number.POSITIVE_INFINITY) - (check?.tokens ?? 0);
  const title = 'An option is out of range';
  if (pieces === undefined || !whole(pieces, 1) || pieces > MOST_PIECES)
    return problem('pieces', title, `write a whole number from 1 to ${MOST_PIECES} for the new pieces.`);
  if (pieces > room)
    return room < 1
      ? problem('text', 'The text is too long', 'shorten it: the model needs room for what it adds.')
      : problem('pieces', 'There is no room for so many pieces', `ask for ${room} or fewer, or shorten the text.`);
  const temperature = numberOf(subject.temperature) ?? 0;
  if (!(temperature >= 0 && temperature <= 10))
    return problem('temperature', title, 'write a number from 0 to 10 for the temperature.');
  const topP = numberOf(subject.topP) ?? 1;
  if (!(topP > 0 && topP <= 1))
    return problem('topP', title, 'write a number above 0 and at most 1 for top-p, or leave it empty.');
  if (!whole(numberOf(subject.topK), 1))
    return problem('topK', title, 'write a whole number from 1 for top-k, or leave it empty.');
  if (!whole(numberOf(subject.seed), 0))
    return problem('seed', title, 'write a whole number for the seed, or leave it empty.');
  return undefined;
}

/** The words of a label must be in the vocabulary, which only the model's own tokenizer knows. */
function refusal(state: State): Problem | undefined {
  const { refused } = state;
  if (refused === undefined) return undefined;
  const names = labelsOf(state.subject)
    .filter((label) => refused.message.includes(quote(label)))
    .map((label) => `“${label}”`);
  const [title, happened] =
    names.length === 0
      ? ['A label cannot be used', 'The model knows some label only in parts, or two as the same word.']
      : names.length === 1
        ? [`The label ${names[0]} cannot be used`, 'It is not one word of this model’s list.']
        : [`The labels ${names.join(' and ')} cannot be told apart`, 'To this model they are the same word.'];
  const about = entryOf(state)?.title;
  const knows = about === undefined ? '' : ` What the model does: ${about}.`;
  return problem(
    'labels',
    title,
    'use short words that the model can know, each of them once, or take one of the examples.',
    `${happened}${knows}`,
  );
}

/** As the SDK writes a label into its message: in quotes, ASCII only. */
function quote(label: string): string {
  return JSON.stringify(label).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Whether a failure is about what stands in the form of this task, and not about the run. */
export function isRefusal(task: TaskKind, code: string): boolean {
  return task === 'zero-shot-classification' && code === 'ERR_ARGUMENT';
}
