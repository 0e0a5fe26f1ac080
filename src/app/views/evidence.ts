/** Below the window, once there is an answer: what each party saw, and what it cost. */
import { capturedOf } from '../results.ts';
import type { State } from '../state.ts';
import { cost } from './cost.ts';
import { all } from './dom.ts';
import { transcriptView } from './transcript.ts';

export function evidence(): (now: State, before: State) => void {
  const bands = all('.band[data-when]');
  const views = [transcriptView(), cost()];
  return (now, before) => {
    for (const view of views) view(now, before);
    const captured = now.outcome !== undefined && capturedOf(now.outcome.answer) !== undefined;
    for (const band of bands) band.hidden = band.dataset['when'] !== now.slot || (band.id === 'saw' && !captured);
  };
}
