/** What the one polite live region says between two states: start, quarters, done with the answer, stopped. Never a counter. */
import { STOPPED } from './copy.ts';
import { seconds } from './format.ts';
import type { Outcome, State } from './state.ts';

export function announcement(before: State, now: State): string | undefined {
  if (now.stopped && !before.stopped) return STOPPED;
  if (now.outcome !== undefined && now.outcome !== before.outcome) return `Done in ${seconds(now.outcome.sinceButtonMs)}. Answer: ${answerWords(now.outcome)}.`;
  if (now.run === undefined) return undefined;
  if (before.run === undefined) return now.run.phase === 'prepare' ? 'Running. Preparing keys and helper numbers first.' : 'Running.';
  if (before.run.sentAt === undefined && now.run.sentAt !== undefined) return 'Locked text sent.';
  const quarter = Math.floor(now.run.progress * 4);
  return quarter > Math.floor(before.run.progress * 4) && quarter < 4 ? `${quarter * 25} per cent of the layers done.` : undefined;
}

function answerWords({ answer }: Outcome): string {
  if (answer.task === 'text-classification') return answer.result.label;
  return answer.result.blanks.map((list) => list[0]?.token_str.trim() ?? '').join(', ');
}
