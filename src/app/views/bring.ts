/**
 * Brings what follows the button into view: the progress, then the answer or the error. As far as it must, calmly,
 * and never against somebody who scrolled since. The button stays in the window; of an error that no button led to,
 * the form does.
 */
import type { State } from '../state.ts';
import type { Store } from '../store.ts';
import { all, byId, onceLaidOut, reducedMotion } from './dom.ts';

const MARGIN = 16;
/** Under the top of the slot, from the start of a run on: the answer then comes without another move. */
const ROOM = 300;
/** Keys that scroll a page. In a box they move the cursor. */
const SCROLLING = new Set(['PageUp', 'PageDown', 'Home', 'End', 'ArrowUp', 'ArrowDown', ' ']);

type View = (now: State, before: State) => void;

/** @returns what is drawn with the slot, and with the scores: they make an answer longer */
export function bring(store: Store): readonly [View, View] {
  const [slot, run, form] = [byId('slot'), byId('run'), byId('form')];
  const contents = all('.slot-in', slot);
  let theirs = false;
  const moved = (): void => {
    theirs = true;
  };
  for (const type of ['wheel', 'touchmove']) addEventListener(type, moved, { passive: true });
  addEventListener('keydown', ({ key, target }) => {
    if (SCROLLING.has(key) && !(target instanceof HTMLElement && target.matches('input, textarea, button, summary')))
      moved();
  });

  const show = (keep: HTMLElement, room: number): void => {
    const content = contents.find((part) => !part.hidden);
    const bottom = Math.max(content?.getBoundingClientRect().bottom ?? 0, slot.getBoundingClientRect().top + room);
    const top = Math.min(bottom - innerHeight + MARGIN, keep.getBoundingClientRect().top - MARGIN);
    if (top > 1) scrollBy({ top, behavior: reducedMotion() ? 'auto' : 'smooth' });
  };
  // A run may begin and end between two drawings.
  let [begun, ended] = [false, false];
  store.subscribe((now, before) => {
    if (now.slot === before.slot) return;
    ended = now.slot !== 'running' && now.slot !== 'idle';
    if (now.slot !== 'running') return;
    begun = true;
    theirs = false;
  });
  const due = (keep: HTMLElement, room = 0): void => {
    if (!theirs) onceLaidOut(() => theirs || show(keep, room));
  };
  const shown: View = (now, before) => {
    const grew = now.run !== undefined && now.run.pieces !== before.run?.pieces && now.run.pieces.length > 0;
    const [keep, room] = [begun || before.slot === 'running' ? run : form, begun && !ended ? ROOM : 0];
    if (begun || ended || grew) due(keep, room);
    [begun, ended] = [false, false];
  };
  return [shown, ({ outcome }, before) => outcome !== undefined && outcome !== before.outcome && due(run)];
}
