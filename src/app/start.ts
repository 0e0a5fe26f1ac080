/** Puts the page together: store, controller, views. Takes the SDK as a parameter. */
import { Controller } from './controller.ts';
import type { Sdk } from './port.ts';
import { attend, drawOn, tickMs, whereRoomChanges } from './screen.ts';
import { Store } from './store.ts';
import { answer } from './views/answer.ts';
import { ask } from './views/ask.ts';
import { bindings } from './views/bindings.ts';
import { bring } from './views/bring.ts';
import { credential } from './views/credential.ts';
import { onceLaidOut, reducedMotion } from './views/dom.ts';
import { evidence } from './views/evidence.ts';
import { streamingView } from './views/streaming.ts';
import { notices } from './views/notices.ts';
import { picture } from './views/picture.ts';
import { room } from './views/room.ts';
import { settings } from './views/settings.ts';
import { panel } from './views/panel.ts';
import { tasks } from './views/tasks.ts';
import { theme } from './views/theme.ts';
import { errorPanel } from './views/error-panel.ts';

/** @param refused whether the address asks for what the page does not do: it then says so, and nothing is loaded. */
export function start(sdk: Sdk, refused = false): void {
  const calm = reducedMotion();
  const store = new Store();
  const controller = new Controller(sdk, store, () => performance.now(), tickMs(calm));
  theme();
  const sheet = settings(store, controller);
  // Of the form, of the slot, of the figures under the drawings, and of these, which have no name.
  const at = (id?: string) => bindings((node) => node.closest('#slot, #how, .tri')?.id === id);
  const form = [
    ask(store, controller, tasks(controller)),
    credential(controller),
    at(),
    notices(store, sheet.open),
    sheet.render,
  ];
  const slot = [
    panel(),
    at('slot'),
    answer(),
    streamingView(),
    errorPanel(store, controller, sheet.open),
    bring(store),
  ];
  attend(controller, !refused);
  // Each in a task of its own: the page that came can be read, and drawn on, in between.
  afterLayout(() => {
    const drawing = [at(''), picture()];
    const fit = room();
    const figures = [at('how'), whereRoomChanges(() => onceLaidOut(fit))];
    const draw = drawOn(store, [form, slot, drawing, figures], evidence(), calm);
    if (document.hidden) draw();
    else requestAnimationFrame(draw);
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

/** Behind the frames in which the page that came is laid out (public/theme.js); they do not come to a hidden tab. */
function afterLayout(then: () => void): void {
  if (document.hidden || !document.documentElement.dataset['later']) setTimeout(then);
  else requestAnimationFrame(() => afterLayout(then));
}
