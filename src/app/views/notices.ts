/** Fallbacks: neutral and dismissible. A different thing from errors, which end a run. */
import { fallbackNotice } from '../copy.ts';
import type { State } from '../state.ts';
import type { Store } from '../store.ts';
import { button, byId, el } from './dom.ts';

export function notices(store: Store, openSettings?: () => void): (now: State, before: State) => void {
  const holder = byId('notices');
  return (now, before) => {
    if (now.fallbacks === before.fallbacks) return;
    holder.replaceChildren(
      ...now.fallbacks.map((event) => {
        const { title, text } = fallbackNotice(event);
        const dismiss = (): void => {
          store.dispatch({ type: 'dismiss', event });
          byId('text').focus();
        };
        return el(
          'div',
          'notice',
          el('p', '', el('strong', '', title), ` ${text}`),
          el(
            'p',
            'notice-act',
            ...(openSettings === undefined ? [] : [button('text-btn', 'See what is available', openSettings)]),
            button('text-btn', 'Dismiss', dismiss),
          ),
        );
      }),
    );
  };
}
