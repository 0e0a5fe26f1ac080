/** Below the window, once there is an answer: what each party saw, what was proved, and what it cost. */
import { capturedOf, costOf } from '../results.ts';
import type { State } from '../state.ts';
import { cost } from './cost.ts';
import { all, byId } from './dom.ts';
import { transcriptView } from './transcript.ts';

export function evidence(): (now: State, before: State) => void {
  const bands = all('.band[data-when]');
  const views = [transcriptView(), cost()];
  return (now, before) => {
    for (const view of views) view(now, before);
    const { outcome } = now;
    const captured = outcome !== undefined && capturedOf(outcome.answer) !== undefined;
    const proofs = outcome && costOf(outcome.answer).proofs;
    if (proofs !== undefined && outcome !== before.outcome)
      void import('./proved.ts').then(({ proved }) => proved(byId('proved-body'), proofs));
    for (const band of bands)
      band.hidden =
        band.dataset['when'] !== now.slot ||
        (band.id === 'saw' && !captured) ||
        (band.id === 'proved' && proofs === undefined);
  };
}
