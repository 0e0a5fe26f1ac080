/** Puts the page together: store, controller, views. Takes the SDK as a parameter. */
import { Controller } from './controller.ts';
import type { Sdk } from './port.ts';
import { attend, drawOn, tickMs } from './screen.ts';
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
  const inPicture = (node: HTMLElement): boolean => node.closest('#how') !== null;
  const form = [
    ask(store, controller, tasks(controller)),
    credential(controller),
    panel(),
    bindings((node) => !inPicture(node)),
    answer(),
    streamingView(),
    notices(store, sheet.open),
    errorPanel(store, controller, sheet.open),
    sheet.render,
    bring(),
  ];
  const fit = room();
  const draw = drawOn(store, [form, [bindings(inPicture), picture()]], evidence(), () => onceLaidOut(fit), calm);
  attend(controller, !refused);
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
