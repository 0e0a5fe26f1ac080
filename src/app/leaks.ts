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
  if (task === 'fill-mask' && check !== undefined && check.blanks > 0)
    return [`that there ${blanksOf(check.blanks)} but not where`];
  if (task === 'zero-shot-classification') return ['that one word is asked for'];
  if (task === 'text-generation' && Number.isSafeInteger(pieces)) return [`how many pieces come (up to ${pieces})`];
  return [];
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
  if (task === 'fill-mask') return [`that there ${blanksOf(result.blanks.length)} but not where`];
  if (task === 'zero-shot-classification') return ['that one word was asked for, but not your labels'];
  return task === 'text-generation' ? [`that ${plural(result.pieceMs.length, 'piece')} came and when`] : [];
}

function blanksOf(count: number): string {
  return count === 1 ? 'is one blank' : `are ${count} blanks`;
}

function listed(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}
