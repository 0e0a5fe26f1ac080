/**
 * What the two compute parties learn of a run, said before it and after it. Never the words; this is the rest.
 * Pure.
 */
import { type TaskResult, costOf } from './results.ts';
import { plural } from './format.ts';
import { type State, weightsOf } from './state.ts';
import { generationOf } from './form.ts';

/** Before the run; empty until the length is known. */
export function willSee(state: State): string {
  const { check, task, subject } = state;
  const padded = check?.paddedTokens;
  if (padded === undefined) return '';
  const length =
    task === 'question-answering'
      ? `the padded length of both texts together (${padded} tokens)`
      : `the padded length (${padded} tokens)`;
  return `The parties will see ${listed(['which model', ...asker(state), length, ...extra(state, generationOf(subject).maxNewTokens)])}, never the words.`;
}

/** Enrolled users are told apart, by a number. */
function asker(state: State): string[] {
  return weightsOf(state) === 'secret' ? ['the number of your credential'] : [];
}

function extra({ task, check }: State, pieces: number): string[] {
  switch (task) {
    case 'fill-mask':
      return check === undefined || check.blanks === 0 ? [] : [`that there ${blanksOf(check.blanks)} but not where`];
    case 'zero-shot-classification':
      return ['that one word is asked for'];
    case 'text-generation':
      return Number.isSafeInteger(pieces) ? [`how many pieces come (up to ${pieces})`] : [];
    case 'text-classification':
    case 'question-answering':
    case 'token-classification':
    case 'feature-extraction':
      return [];
  }
}

/** After the run. */
export function didSee(answer: TaskResult): string {
  const { tokens, paddedTokens } = costOf(answer);
  const length =
    tokens === paddedTokens
      ? `the length (${tokens} tokens)`
      : `the padded length (${paddedTokens} tokens, not ${tokens})`;
  return `${listed(['that this run happened and when', 'the model and task', length, 'your network address', ...after(answer)])}.`;
}

function after({ task, result }: TaskResult): string[] {
  switch (task) {
    case 'fill-mask':
      return [`that there ${blanksOf(result.blanks.length)} but not where`];
    case 'zero-shot-classification':
      return ['that one word was asked for, but not your labels'];
    case 'text-generation':
      return [`that ${plural(result.pieceMs.length, 'piece')} came and when`];
    case 'text-classification':
    case 'question-answering':
    case 'token-classification':
    case 'feature-extraction':
      return [];
  }
}

function blanksOf(count: number): string {
  return count === 1 ? 'is one blank' : `are ${count} blanks`;
}

function listed(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}
