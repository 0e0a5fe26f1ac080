/** A text that grows, or grew: the run that goes, one that was ended, or the whole answer. Pure. */
import type { Links } from '../owner/types/index.ts';
import { bytes, plural, seconds } from './format.ts';
import { runView } from './selectors/run.ts';
import type { Run, State } from './state.ts';
import { generationOf } from './form.ts';

export interface StreamingText {
  /** How it begins. */
  readonly given: string;
  readonly added: string;
  /** Count, time and bytes. */
  readonly line: string;
  readonly going: boolean;
}

export function streamingTextOf(state: State): StreamingText | undefined {
  const { outcome } = state;
  if (outcome?.answer.task === 'text-generation') {
    const { text, pieceMs, reason } = outcome.answer.result;
    return {
      given: outcome.subject.text,
      added: text,
      line: `${finished(pieceMs, reason)}${each(outcome.answer.result.cost.links, pieceMs.length)}`,
      going: false,
    };
  }
  const run = state.run ?? state.trouble?.run ?? state.kept;
  if (run === undefined || state.task !== 'text-generation' || (run !== state.run && run.pieces.length === 0))
    return undefined;
  return {
    given: run.subject.text,
    added: run.pieces.map(({ text }) => text).join(''),
    line: underway(run, runView(state).links),
    going: run === state.run,
  };
}

function underway(run: Run, links: Links | undefined): string {
  const count = run.pieces.length;
  const of = generationOf(run.subject).maxNewTokens;
  const ended = run.pieces.at(-1);
  if (count === 0 || ended === undefined) return `0 of ${plural(of, 'piece')}`;
  const each = (ended.at - run.startedAt) / count;
  return `${count} of ${plural(of, 'piece')}, each ${seconds(each)}${between(links, count)}`;
}

function between(links: Links | undefined, count: number): string {
  return links === undefined || links.between.bytes === 0
    ? ''
    : ` and ${bytes(Math.round(links.between.bytes / count))} between parties 1 and 2`;
}

const ENDS = {
  eos: 'The model ended the text.',
  length: 'As many as were asked for.',
  stop: 'The model ended the text.',
} as const;

function finished(pieceMs: readonly number[], reason: keyof typeof ENDS): string {
  const [first, ...others] = pieceMs;
  const times =
    first === undefined
      ? ''
      : others.length === 0
        ? `, in ${seconds(first)}`
        : `, the first after ${seconds(first)}, the others ${seconds(mean(others))} each`;
  return `${plural(pieceMs.length, 'piece')}${times}. ${ENDS[reason]}`;
}

function each(links: Links, count: number): string {
  if (count === 0) return '';
  const { p1, p2, between: compute } = links;
  const online = p1.input + p2.input + p1.output + p2.output;
  return ` A piece took ${bytes(Math.round(compute.bytes / count))} between parties 1 and 2, and ${bytes(Math.round(online / count))} to and from this browser.`;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
