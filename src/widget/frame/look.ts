/** What a page says of the card's looks: theme, language, direction, a few colours, words. */
import type { Look } from '../messages.ts';
import type { Words } from './words.ts';

export function applyLook({ theme, lang, dir, strings, colours }: Look, words: Words): void {
  const root = document.documentElement;
  if (theme === 'light' || theme === 'dark') root.dataset['theme'] = theme;
  else delete root.dataset['theme'];
  root.dir = dir === 'rtl' ? 'rtl' : 'ltr';
  // Words that were not replaced are English.
  root.lang = lang === '' || Object.keys(strings).length === 0 ? 'en' : lang;
  for (const [name, value] of Object.entries(colours)) {
    const kind = name === 'radius' ? 'border-radius' : 'color';
    if (!/url|\(\s*\(/i.test(value) && CSS.supports(kind, value))
      root.style.setProperty(name === 'radius' ? '--card-radius' : `--${name}`, value);
  }
  words.use(strings);
}
