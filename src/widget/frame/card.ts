/** The card: the store, the controller and the views of the app, on the card's own markup. */
import { Controller } from '../../app/controller.ts';
import { TASKS } from '../../app/copy.ts';
import { EMPTY } from '../../app/form.ts';
import type { Sdk } from '../../app/port.ts';
import { attend, drawOn, tickMs, whereRoomChanges } from '../../app/screen.ts';
import { INITIAL, type State } from '../../app/state.ts';
import type { Store } from '../../app/store.ts';
import { answer, scores } from '../../app/views/answer.ts';
import { ask } from '../../app/views/ask.ts';
import { bindings } from '../../app/views/bindings.ts';
import { credential } from '../../app/views/credential.ts';
import { reducedMotion, setAttribute, setText } from '../../app/views/dom.ts';
import { errorPanel } from '../../app/views/error-panel.ts';
import { notices } from '../../app/views/notices.ts';
import { panel } from '../../app/views/panel.ts';
import { marks } from '../../app/views/picture.ts';
import { streamingView } from '../../app/views/streaming.ts';
import { capabilities, loadDeployment } from '../../sdk/index.ts';
import { WorkerModel } from '../../sdk/worker/client.ts';
import { chosen, deviceOf, isForeign } from '../choice.ts';
import type { Setup } from '../messages.ts';
import { openParty } from '../party/shared-party.ts';
import { Calls } from './calls.ts';
import type { Host } from './host-link.ts';
import { applyLook } from './look.ts';
import { CardStore, FOREIGN } from './own-words.ts';
import { reports } from './reports.ts';
import { Sight } from './sight.ts';
import { Words } from './words.ts';

/** The one document that a frame takes. */
const OWN_DEPLOYMENT = new URL('tercet.json', location.href).href;

export function card(host: Host): void {
  const { setup } = host;
  const calm = reducedMotion();
  const store = new CardStore();
  const controller = new Controller(sdkFor(setup, store), store, () => performance.now(), tickMs(calm));
  const words = new Words(byName('card'), () => store.state.deployment);
  const sight = new Sight(byName('consent'));
  const controls = byName<HTMLFieldSetElement>('controls');
  applyLook(host.look, words);

  byName('shares').hidden = !setup.shareResult;
  byName('host').textContent = host.origin === 'null' ? 'a page without a name' : host.origin;
  let disabled = host.look.disabled;
  const draw = drawOn(
    store,
    [
      [
        ask(store, controller, () => undefined),
        credential(controller),
        panel(),
        bindings(),
        marks,
        answer(),
        scores(),
        streamingView(),
        notices(store),
        errorPanel(store, controller),
        (now) => {
          setText(byName('task-name'), TASKS[now.task].long);
          setAttribute(byName('card'), 'aria-busy', now.slot === 'running' ? 'true' : undefined);
          byName('kept').hidden = !setup.shareResult || sight.agreed;
          controls.disabled = disabled;
        },
        whereRoomChanges(() => inSight(store.state.slot)),
      ],
    ],
    calm,
  );
  attend(controller, true);
  // What a visitor saw beside the button, when the text was typed and when it was sent.
  for (const type of ['input', 'submit']) byName('form').addEventListener(type, () => sight.look(), true);

  // In a sandbox no form is submitted, and the button runs all the same.
  byName('run').addEventListener('click', (event) => {
    event.preventDefault();
    byName('form').dispatchEvent(new SubmitEvent('submit', { cancelable: true }));
  });

  reports(
    store,
    (message) => host.tell(message),
    () => setup.shareResult && sight.agreed,
  );
  const calls = new Calls(store, controller, host);
  host.listen((message) => {
    switch (message.op) {
      case 'look':
        disabled = message.look.disabled;
        applyLook(message.look, words);
        draw();
        break;
      case 'abort':
        calls.abort();
        break;
      case 'reset':
        calls.abort();
        controller.edit(EMPTY);
        break;
      default:
        calls.take(message, setup.shareResult && sight.agreed);
    }
  });
  draw();
  void start(setup, store, controller);
}

/** An answer, and what went wrong, are brought into the window of the card. The page around it does not move. */
function inSight(shown: State['slot']): void {
  if (shown !== 'result' && shown !== 'error') return;
  const [frame, slot] = [byName('card'), byName('slot').getBoundingClientRect()];
  // Its head first, where it is higher than the card.
  const by = Math.min(slot.bottom - frame.clientHeight, slot.top);
  if (by > 0) frame.scrollTop += by;
}

async function start({ deployment }: Setup, store: Store, controller: Controller): Promise<void> {
  if (isForeign(deployment, OWN_DEPLOYMENT)) {
    const failure = { code: 'ERR_INSECURE', message: 'the deployment is not of this server', hint: '' } as const;
    store.dispatch({ type: 'failed', failure: { ...failure, found: FOREIGN }, now: 0 });
    return;
  }
  await controller.start();
}

/** The SDK in the worker of this page, and what the tag asks for in place of settings. */
function sdkFor(setup: Setup, store: Store): Sdk {
  return {
    capabilities,
    async loadDeployment() {
      const deployment = await loadDeployment(OWN_DEPLOYMENT);
      const { task, model } = chosen(setup, deployment);
      const device = deviceOf(setup);
      if (store.state.task !== task) store.dispatch({ type: 'task', task });
      store.dispatch({ type: 'settings', settings: { ...INITIAL.settings, device, model: model.id } });
      return deployment;
    },
    fromPretrained: (id, options) =>
      WorkerModel.load(id, options, () =>
        openParty(setup.page, (place) => {
          document.documentElement.dataset['party'] = place;
        }),
      ),
  };
}

/** Places of the card's own markup. */
function byName<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`no #${id} in the card`);
  return found as T;
}
