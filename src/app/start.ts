/** Puts the page together: store, controller, views. Takes the SDK as a parameter. */
import { announcement } from './announce.ts';
import { Controller } from './controller.ts';
import type { Sdk } from './port.ts';
import { Presence } from './presence.ts';
import type { State } from './state.ts';
import { Store } from './store.ts';
import { answer } from './views/answer.ts';
import { ask } from './views/ask.ts';
import { bindings } from './views/bindings.ts';
import { bring } from './views/bring.ts';
import { credential } from './views/credential.ts';
import { byId, reducedMotion } from './views/dom.ts';
import { evidence } from './views/evidence.ts';
import { streamingView } from './views/streaming.ts';
import { notices } from './views/notices.ts';
import { picture } from './views/picture.ts';
import { room } from './views/room.ts';
import { settings } from './views/settings.ts';
import { panel } from './views/panel.ts';
import { theme } from './views/theme.ts';
import { errorPanel } from './views/error-panel.ts';

/** Counters move ten times a second, and at most four under reduced motion. */
const TICK_MS = 100;
const CALM_MS = 250;

/** @param refused whether the address asks for what the page does not do: it then says so, and nothing is loaded. */
export function start(sdk: Sdk, refused = false): void {
  const calm = reducedMotion();
  const store = new Store();
  const controller = new Controller(sdk, store, () => performance.now(), calm ? CALM_MS : TICK_MS);
  theme();
  const sheet = settings(store, controller);
  const near = [
    ask(store, controller),
    credential(controller),
    panel(),
    bindings(),
    picture(),
    answer(),
    streamingView(),
    notices(store, sheet.open),
    errorPanel(store, controller, sheet.open),
    sheet.render,
    // Last: it measures what the others drew.
    bring(),
  ];
  const far = evidence();

  const keepInRoom = room();

  // Views are drawn at most once a frame, from the last state that was drawn to the newest. What lies below the
  // window follows in a task of its own: so a slow device shows the answer before it lays out the evidence.
  let drawn: State = store.state;
  let drawnFar: State = store.state;
  let waiting = false;
  let waitingFar = false;
  const drawFar = (): void => {
    waitingFar = false;
    const before = drawnFar;
    drawnFar = store.state;
    far(drawnFar, before);
  };
  const draw = (): void => {
    waiting = false;
    const before = drawn;
    drawn = store.state;
    for (const view of near) view(drawn, before);
    if (document.hidden) drawFar();
    else if (!waitingFar && (drawn.slot !== drawnFar.slot || drawn.outcome !== drawnFar.outcome)) {
      waitingFar = true;
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
  const soon = calm ? (): void => void setTimeout(draw, CALM_MS) : (): void => void requestAnimationFrame(draw);
  store.subscribe((now, before) => {
    const said = announcement(before, now);
    if (said !== undefined) byId('say').textContent = said;
    // A change of what is shown, and anything in a hidden tab, is drawn at once: frames do not come there.
    if (now.slot !== before.slot || document.hidden) draw();
    else if (!waiting) {
      waiting = true;
      soon();
    }
  });

  // A page that goes away ends its run at the parties; one that comes back from the browser's cache starts anew.
  addEventListener('pagehide', () => controller.dispose());
  addEventListener('pageshow', (event) => {
    if (event.persisted && !refused) void controller.start();
  });
  const presence = new Presence(!document.hidden, () => performance.now(), controller);
  document.addEventListener('visibilitychange', () => presence.show(!document.hidden));
  document.addEventListener('freeze', () => presence.freeze());
  // A script can make events; only the browser makes trusted ones.
  for (const type of ['pointermove', 'pointerdown', 'keydown', 'touchstart', 'wheel', 'input'])
    addEventListener(type, ({ isTrusted }) => isTrusted && presence.sign(), { passive: true, capture: true });
  // Each in a task of its own: the page that came can be read, and drawn on, in between.
  setTimeout(() => {
    draw();
    setTimeout(() => {
      if (refused)
        store.dispatch({
          type: 'failed',
          failure: { code: 'ERR_ARGUMENT', message: 'options in the address', hint: '', found: 'address' },
          now: 0,
        });
      else void controller.start();
    });
  });
}
