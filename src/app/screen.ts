/**
 * What every page on a store has: views that are drawn at most once a frame, and a controller that hears whether
 * somebody is there.
 */
import { announcement } from './announce.ts';
import type { Controller } from './controller.ts';
import { Presence } from './presence.ts';
import type { State } from './state.ts';
import type { Store } from './store.ts';
import { byId } from './views/dom.ts';

/** Something is drawn ten times a second, and at most four under reduced motion: each part every other time. */
const TICK_MS = 100;
const CALM_MS = 250;
/** Behind a drawing, as many times as long as it took: the page's thread carries what a party sends. */
const REST = 4;

export const tickMs = (calm: boolean): number => (calm ? CALM_MS : TICK_MS);

type View = (now: State, before: State) => void;

/** Views that are drawn together, and the state that they show. */
interface Part {
  readonly views: readonly View[];
  drawn: State;
}

/** Whether news comes faster than anybody reads: a run goes, or what it needs is made ahead. */
const busy = ({ slot, preparation }: State): boolean => slot === 'running' || preparation.status === 'going';

/**
 * Views are drawn from the last state that was drawn to the newest.
 *
 * @param near what can be in the window: parts that take turns while much comes, since a phone's processor cannot lay
 * out all of them in one task. @param far what lies below it: each follows in a frame of its own, so a slow device
 * shows the answer before it lays out the evidence, and is never held up by all of that at once
 */
export function drawOn(
  store: Store,
  near: readonly (readonly View[])[],
  far: readonly View[],
  keepInRoom: () => void,
  calm: boolean,
): () => void {
  let drawn: State = store.state;
  let waiting = false;
  let slicing = false;
  const made = (views: readonly View[]): Part => ({ views, drawn: store.state });
  let parts = near.map(made);
  const below = far.map((view) => made([view]));
  const drawOne = (part: Part): void => {
    const before = part.drawn;
    part.drawn = store.state;
    for (const view of part.views) view(part.drawn, before);
  };
  const drawFar = (): void => {
    const next = below.find(
      ({ drawn: { slot, outcome } }) => slot !== store.state.slot || outcome !== store.state.outcome,
    );
    slicing = next !== undefined;
    if (next === undefined) return;
    drawOne(next);
    requestAnimationFrame(() => setTimeout(drawFar));
  };
  /** The part whose turn it is, and the others soon; all at once where more than figures may have changed. */
  const drawNear = (before: State): void => {
    if (document.hidden || !busy(before) || !busy(drawn) || before.slot !== drawn.slot) {
      parts.forEach(drawOne);
      return;
    }
    const [next, ...others] = parts;
    drawOne(next);
    parts = [...others, next];
    if (others.some((part) => part.drawn !== drawn)) ask();
  };
  const draw = (): void => {
    waiting = false;
    const before = drawn;
    drawn = store.state;
    drawNear(before);
    if (document.hidden) below.forEach(drawOne);
    else if (!slicing) {
      slicing = true;
      setTimeout(drawFar);
    }
    // Not at every tick: measuring costs a layout.
    if (
      drawn.slot !== before.slot ||
      drawn.health !== before.health ||
      drawn.preparation.status !== before.preparation.status
    )
      keepInRoom();
  };
  /** How long the last drawing took, with its layout. */
  let tookMs = 0;
  const frame = (): void =>
    void requestAnimationFrame(() => {
      const start = performance.now();
      draw();
      // Behind the frame.
      setTimeout(() => {
        tookMs = performance.now() - start;
      });
    });
  // What a run sends comes faster than frames: to lay out each of them would take a phone's processor from the party.
  const soon = (): void => {
    if (calm) setTimeout(draw, CALM_MS);
    else if (busy(store.state)) setTimeout(frame, Math.max(TICK_MS, REST * tookMs));
    else frame();
  };
  const ask = (): void => {
    if (waiting) return;
    waiting = true;
    soon();
  };
  store.subscribe((now, before) => {
    const said = announcement(before, now);
    if (said !== undefined) byId('say').textContent = said;
    // A change of what is shown, and anything in a hidden tab, is drawn at once: frames do not come there.
    if (now.slot !== before.slot || document.hidden) draw();
    else ask();
  });
  return draw;
}

/** @param again whether a page that comes back from the browser's cache starts anew. */
export function attend(controller: Controller, again: boolean): void {
  // A page that goes away ends its run at the parties.
  addEventListener('pagehide', () => controller.dispose());
  addEventListener('pageshow', (event) => {
    if (event.persisted && again) void controller.start();
  });
  const presence = new Presence(!document.hidden, () => performance.now(), controller);
  document.addEventListener('visibilitychange', () => presence.show(!document.hidden));
  document.addEventListener('freeze', () => presence.freeze());
  // A script can make events; only the browser makes trusted ones.
  for (const type of ['pointermove', 'pointerdown', 'keydown', 'touchstart', 'wheel', 'input'])
    addEventListener(type, ({ isTrusted }) => isTrusted && presence.sign(), { passive: true, capture: true });
}
