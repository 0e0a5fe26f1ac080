/** The settings sheet: it opens and closes here; its lists are loaded when it is first opened. */
import type { Controller } from '../controller.ts';
import type { Settings, State } from '../state.ts';
import type { Store } from '../store.ts';
import { all, byId, el } from './dom.ts';

const NOT_LOADED = 'The settings could not be loaded. Check your network, then reload the page.';

export function settings(
  store: Store,
  controller: Controller,
): { readonly render: (now: State) => void; readonly open: () => void } {
  const dialog = byId<HTMLDialogElement>('settings');
  const prepare = byId<HTMLInputElement>('set-prepare');
  const change = (part: Partial<Settings>): void => controller.setSettings({ ...store.state.settings, ...part });

  let fill: ((now: State) => void) | undefined;
  let shown: readonly unknown[] = [];
  const render = (now: State): void => {
    if (!dialog.open) return;
    // Not at every tick of a run: lists that are made anew would be in the way of whoever reads them.
    const parts = [
      now.deployment,
      now.capabilities,
      now.task,
      now.settings,
      now.model,
      now.health,
      now.proved,
      now.transports,
      now.dealer,
      now.measured,
      now.slot,
    ];
    if (parts.every((part, i) => part === shown[i])) return;
    shown = parts;
    fill?.(now);
  };
  const show = (): void => {
    if (!dialog.open) dialog.showModal();
    controller.choosing(true);
    byId('set-h').focus();
    shown = [];
    render(store.state);
    void controller.health();
  };
  const open = (): void => {
    if (fill !== undefined) {
      show();
      return;
    }
    import('./settings-lists.ts').then(
      ({ settingsLists }) => {
        fill = settingsLists(change);
        show();
      },
      () => {
        show();
        if (all('.why', dialog).length === 0) byId('set-protocol').append(el('p', 'why', NOT_LOADED));
      },
    );
  };
  prepare.addEventListener('change', () => change({ prepareWhileTyping: prepare.checked }));
  dialog.addEventListener('close', () => controller.choosing(false));
  byId('set-close').addEventListener('click', () => dialog.close());
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
  for (const node of all('[data-open-settings]')) node.addEventListener('click', open);
  return { render, open };
}
