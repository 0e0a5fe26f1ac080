/** Below the window, once there is an answer: what each party saw, what was proved, and what it cost. */
import { type TaskResult, capturedOf, costOf } from '../results.ts';
import type { Outcome, State } from '../state.ts';
import { cost } from './cost.ts';
import { all, byId } from './dom.ts';
import { transcriptBytes, transcriptRows, transcriptStill, transcriptSums, transcriptWords } from './transcript.ts';

type View = (now: State, before: State) => void;

/** In parts of about the same work, which are laid out one at a time. */
export function evidence(): readonly View[] {
  return [
    part(all('#saw'), capturedOf, transcriptWords),
    ...transcriptRows.map((rows, i) => part(i === 0 ? all('.saw') : [], capturedOf, rows)),
    part(all('.worked'), capturedOf, transcriptSums),
    part(all('.hists'), capturedOf, transcriptBytes),
    part(all('.hist-note, .still'), capturedOf, transcriptStill),
    part(
      all('#proved'),
      (answer) => costOf(answer).proofs,
      (proofs) => void import('./proved.ts').then(({ proved }) => proved(byId('proved-body'), proofs)),
    ),
    part(
      all('.band[data-when]:not([id])'),
      (answer) => answer,
      (_, outcome, { model }) => cost(outcome, model),
    ),
  ];
}

/** Shown with an answer that has what it is about; written once for each. */
function part<T>(
  holders: readonly HTMLElement[],
  subjectOf: (answer: TaskResult) => T | undefined,
  write: (subject: T, outcome: Outcome, now: State) => void,
): View {
  return (now, before) => {
    const { outcome, slot } = now;
    const subject = outcome && subjectOf(outcome.answer);
    if (outcome !== undefined && subject !== undefined && outcome !== before.outcome) write(subject, outcome, now);
    for (const holder of holders) holder.hidden = slot !== 'result' || subject === undefined;
  };
}
