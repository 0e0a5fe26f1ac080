/** Puts the page together: store, controller, views. Takes the SDK as a parameter. */
import { Controller } from './controller.ts';
import type { Sdk } from './port.ts';
import { metrics } from './selectors/metrics.ts';
import { attend, drawOn, tickMs, whereRoomChanges } from './screen.ts';
import type { State } from './state.ts';
import { Store } from './store.ts';
import { answer, scores } from './views/answer.ts';
import { ask } from './views/ask.ts';
import { bindings } from './views/bindings.ts';
import { bring } from './views/bring.ts';
import { credential } from './views/credential.ts';
import { all, el, onceLaidOut, reducedMotion } from './views/dom.ts';
import { streamingView } from './views/streaming.ts';
import { notices } from './views/notices.ts';
import { picture } from './views/picture.ts';
import { room } from './views/room.ts';
import { settings } from './views/settings.ts';
import { panel } from './views/panel.ts';
import { tasks } from './views/tasks.ts';
import { theme } from './views/theme.ts';
import { errorPanel } from './views/error-panel.ts';

const NOT_LOADED = 'What each party saw could not be loaded. Check your network, then reload the page.';

/**
 * The parts are made and wired in tasks of their own: a phone's processor cannot make all of them in one.
 *
 * @param refused whether the address asks for what the page does not do: it then says so, and nothing is loaded.
 */
export async function start(sdk: Sdk, refused = false): Promise<void> {
  const calm = reducedMotion();
  const store = new Store();
  const controller = new Controller(sdk, store, () => performance.now(), tickMs(calm));
  theme();
  attend(controller, !refused);
  // Of the form, of the slot, of the figures under the drawings, and of these, which have no name.
  const at = (id?: string) => bindings((node) => node.closest('#slot, #how, .tri')?.id === id);
  await task();
  const asked = ask(store, controller, tasks(controller));
  await task();
  const sheet = settings(store, controller);
  const form = [at(), credential(controller), notices(store, sheet.open), sheet.render];
  await task();
  const [shown, scored] = bring(store);
  const slot = [panel(), at('slot'), answer(), streamingView(), errorPanel(store, controller, sheet.open), shown];
  await task();
  if (refused)
    store.dispatch({
      type: 'failed',
      failure: { code: 'ERR_ARGUMENT', message: 'options in the address', hint: '', found: 'address' },
      now: 0,
    });
  else void controller.start();
  await laidOut();
  const drawing = picture();
  await task();
  const fit = room();
  await task();
  const figures = [at('how'), whereRoomChanges(() => onceLaidOut(fit))];
  const far = import('./views/evidence.ts').then(
    ({ evidence }) => evidence(),
    () => [withoutEvidence],
  );
  const parts = [[asked], form, slot, [scores(), scored], [drawing], [at('')], figures];
  const draw = drawOn(store, parts, calm, far);
  await task();
  metrics(store.state);
  if (document.hidden) draw();
  else requestAnimationFrame(draw);
}

/** An answer whose evidence did not come says so, where it would be. */
function withoutEvidence({ slot }: State): void {
  for (const place of all('#saw')) {
    if (all('table', place).length > 0) place.replaceChildren(...all('h2', place), el('p', 'fine', NOT_LOADED));
    place.hidden = slot !== 'result';
  }
}

/** What follows is in another task. */
const task = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** Behind the frames in which the page that came is laid out (public/theme.js); they do not come to a hidden tab. */
async function laidOut(): Promise<void> {
  while (!document.hidden && document.querySelector('[data-part]') !== null)
    await new Promise((resolve) => requestAnimationFrame(resolve));
  await task();
}
