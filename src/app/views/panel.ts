/** The slot under the form: which of its contents is visible, and the layer strip of a run that goes. */
import { sectionOf } from '../copy.ts';
import { wholePercent } from '../format.ts';
import { stepTitle } from '../selectors/labels.ts';
import type { State } from '../state.ts';
import { all, byId, el, setAttribute, setBar, setText } from './dom.ts';

export function panel(): (now: State) => void {
  const parts = all('.slot-in');
  const strip = byId('layers');
  return (now) => {
    for (const part of parts) part.hidden = part.dataset['when'] !== now.slot;
    const layers = now.model?.layers ?? 0;
    const { run } = now;
    if (run === undefined || layers === 0) return;
    if (strip.childElementCount !== layers + 2) build(strip, layers);
    const working = run.phase === 'compute';
    const at = run.phase === 'output' ? layers + 2 : working ? run.layer : -1;
    [...strip.children].forEach((cell, i) => {
      cell.className = i < at ? 'on' : i === at ? 'now' : '';
      if (i === at) setBar(cell as HTMLElement, sectionOf(run.section).part);
    });
    const preparing = run.phase === 'prepare';
    const title = preparing ? 'Preparing' : stepTitle(run.layer, layers);
    setAttribute(strip, 'aria-valuenow', String(Math.max(0, Math.min(at, layers + 2))));
    setAttribute(strip, 'aria-valuetext', `${title}, ${wholePercent(preparing ? run.preparing : run.progress)}`);
  };
}

/** One cell for the words in, one for each layer, one for the words out. */
function build(strip: HTMLElement, layers: number): void {
  strip.replaceChildren(...Array.from({ length: layers + 2 }, () => el('i')));
  for (const [i, cell] of [...strip.children].entries()) setText(cell, i === 0 || i === layers + 1 ? '' : String(i));
  strip.style.setProperty('--layers', String(layers));
  strip.classList.toggle('dense', layers > 14);
  strip.setAttribute('aria-valuemax', String(layers + 2));
}
