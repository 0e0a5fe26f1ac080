/**
 * What every page on a store has: views that are drawn at most once a frame, and a controller that hears whether
 * somebody is there.
 */
import { announcement } from './announce.ts';
import type { Controller } from './controller.ts';
import { Presence } from './presence.ts';
import { INITIAL, type State } from './state.ts';
import type { Store } from './store.ts';
import { byId } from './views/dom.ts';

/** A part is drawn five times a second, and twice under reduced motion; where all is one part, twice as often. */
const TICK_MS = 100;
const CALM_MS = 250;
/** Behind a drawing, as many times as long as it took: the page's thread carries what a party sends. */
const REST = 3;

export const tickMs = (calm: boolean): number => (calm ? CALM_MS : TICK_MS);

type View = (now: State, before: State) => void;

/** Views that are drawn together, and the state that they show: none before they were drawn. */
interface Part {
  readonly views: readonly View[];
  drawn: State | undefined;
}

/** Whether news comes faster than anybody reads: a run goes, or what it needs is made ahead. */
const busy = ({ slot, preparation }: State): boolean => slot === 'running' || preparation.status === 'going';

/**
 * Views are drawn from the last state that they showed to the newest. One part is drawn in a frame: a phone's processor
 * cannot lay out all of them in one task. What shows another run or answer comes first, in the order given; else they
 * take turns.
 *
 * @param near what can be in the window. @param far what lies below it, and is about the answer alone: it comes later
 */
export function drawOn(
  store: Store,
  near: readonly (readonly View[])[],
  calm: boolean,
  far?: Promise<readonly View[]>,
): () => void {
  const parts = near.map((views): Part => ({ views, drawn: undefined }));
  /** The one that was drawn last is the last of them. */
  let turns = [...parts];
  const differs = ({ drawn }: Part): boolean =>
    drawn?.slot !== store.state.slot || drawn.outcome !== store.state.outcome;
  const isOld = ({ drawn }: Part): boolean => drawn !== store.state;
  const drawOne = (part: Part): void => {
    const now = store.state;
    const before = part.drawn ?? INITIAL;
    part.drawn = now;
    for (const view of part.views) view(now, before);
  };
  /** The drawing that was asked for last: of several that one comes. */
  let asked: object | undefined;
  /** How long the last drawing took, with its layout. */
  let tookMs = 0;
  const draw = (): void => {
    asked = undefined;
    if (document.hidden) {
      parts.forEach(drawOne);
      return;
    }
    // Where there is no news, something else asked for it.
    const next = parts.find(differs) ?? turns.find(isOld) ?? turns[0];
    drawOne(next);
    turns = [...turns.filter((part) => part !== next), ...turns.filter((part) => part === next)];
    if (parts.some(differs)) later(0);
    else if (turns.some(isOld)) ask();
  };
  const later = (ms: number): void => {
    const mine = {};
    asked = mine;
    setTimeout(
      () =>
        requestAnimationFrame(() => {
          if (mine !== asked) return;
          const start = performance.now();
          draw();
          // Behind the frame.
          setTimeout(() => {
            tookMs = performance.now() - start;
          });
        }),
      ms,
    );
  };
  // What a run sends comes faster than frames: to lay out each of them would take a phone's processor from the party.
  const ask = (): void => {
    const least = tickMs(calm) * Math.min(1, 2 / near.length);
    if (asked === undefined) later(busy(store.state) ? Math.max(least, REST * tookMs) : calm ? least : 0);
  };
  void far?.then((views) => {
    parts.push(...views.map((view) => ({ views: [view], drawn: INITIAL })));
    ask();
  });
  store.subscribe((now, before) => {
    const said = announcement(before, now);
    if (said !== undefined) byId('say').textContent = said;
    // Frames do not come to a hidden tab. A change of what is shown waits for no rest.
    if (document.hidden) draw();
    else if (now.slot !== before.slot) later(0);
    else ask();
  });
  return draw;
}

/** Calls where what is there may need other room. Not at every tick: measuring costs a layout. */
export function whereRoomChanges(then: () => void): View {
  return (now, before) => {
    if (
      now.slot !== before.slot ||
      now.health !== before.health ||
      now.preparation.status !== before.preparation.status
    )
      then();
  };
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
