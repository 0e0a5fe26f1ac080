/** Theme button: auto, light, dark. Stored only after a click; `public/theme.js` reads it before the first paint. */
import { all, byId, setText } from './dom.ts';

const THEMES = ['auto', 'light', 'dark'];
const KEY = 'tercet-theme';

export function theme(): void {
  const root = document.documentElement;
  const control = byId<HTMLButtonElement>('theme');
  const show = (): void => {
    const name = root.dataset['theme'] ?? 'auto';
    control.setAttribute('aria-label', `Theme: ${name}`);
    for (const node of all('[data-bind="theme"]')) setText(node, name);
  };
  control.addEventListener('click', () => {
    const next = THEMES[(THEMES.indexOf(root.dataset['theme'] ?? 'auto') + 1) % THEMES.length];
    if (next === 'auto') delete root.dataset['theme'];
    else root.dataset['theme'] = next;
    try {
      if (next === 'auto') localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, next);
    } catch {
      // Storage is forbidden here; the choice then holds until the page is left.
    }
    show();
  });
  show();
}
