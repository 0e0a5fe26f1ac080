/**
 * What the one polite live region says between two states: start, quarters, done with the answer, stopped. Never a
 * counter, never single pieces of a text.
 */
import { resultWords } from './results.ts';
import { STOPPED, STOPPED_TEXT } from './copy.ts';
import { seconds } from './format.ts';
import { silenceOf } from './selectors/run.ts';
import type { Run, State } from './state.ts';
import { generationOf } from './form.ts';

export function announcement(before: State, now: State): string | undefined {
  if (now.stopped && !before.stopped) return now.slot === 'stopped' ? STOPPED_TEXT : STOPPED;
  if (now.outcome !== undefined && now.outcome !== before.outcome)
    return `Done in ${seconds(now.outcome.sinceButtonMs)}. Answer: ${resultWords(now.outcome.answer)}.`;
  if (now.run === undefined) return undefined;
  const silence = silenceOf(now);
  if (silence !== undefined && silenceOf(before) === undefined)
    return `No message from ${silence.party === undefined ? 'either party' : `party ${silence.party}`}.`;
  if (before.run === undefined)
    return now.run.phase === 'prepare' ? 'Running. Preparing keys and helper numbers first.' : 'Running.';
  if (before.run.sentAt === undefined && now.run.sentAt !== undefined) return 'Locked text sent.';
  if (now.task === 'text-generation') return grown(before.run, now.run);
  const quarter = Math.floor(now.run.progress * 4);
  return quarter > Math.floor(before.run.progress * 4) && quarter < 4
    ? `${quarter * 25} per cent of the layers done.`
    : undefined;
}

/** A quarter of the pieces at once, with the words that came in it. */
function grown(before: Run, now: Run): string | undefined {
  const of = generationOf(now.subject).maxNewTokens;
  const quarterOf = ({ pieces }: Run): number => Math.floor((pieces.length * 4) / of);
  const quarter = quarterOf(now);
  if (quarter === quarterOf(before) || quarter >= 4) return undefined;
  const words = now.pieces.slice(Math.ceil(((quarter - 1) * of) / 4)).map(({ text }) => text);
  return `${now.pieces.length} of ${of} pieces: ${words.join('').trim()}`;
}
