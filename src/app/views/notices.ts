/** Fallbacks: neutral and dismissible. A different thing from errors, which end a run. */
import { fallbackNotice } from '../copy.ts';
import { fallbackKey } from '../reduce.ts';
import type { State } from '../state.ts';
import type { Store } from '../store.ts';
import { button, byId, el } from './dom.ts';

const KEY = 'tercet-dismissed';

/** What was dismissed on this device, in an earlier visit too: there is nothing to be done about it. */
function dismissedHere(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter((key) => typeof key === 'string') : [];
  } catch {
    // Storage is forbidden here, or holds something else.
    return [];
  }
}

function dismissHere(key: string): void {
  try {
    localStorage.setItem(KEY, JSON.stringify([...dismissedHere().filter((other) => other !== key), key].slice(-20)));
  } catch {
    // Then it holds until the page is left.
  }
}

export function notices(store: Store, openSettings?: () => void): (now: State, before: State) => void {
  const holder = byId('notices');
  return (now, before) => {
    if (now.fallbacks === before.fallbacks) return;
    const dismissed = dismissedHere();
    const shown = now.fallbacks.filter((event) => !dismissed.includes(fallbackKey(event)));
    holder.replaceChildren(
      ...shown.map((event) => {
        const { title, text } = fallbackNotice(event);
        const dismiss = (): void => {
          dismissHere(fallbackKey(event));
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
