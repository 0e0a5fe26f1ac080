// Before the first paint, so that a chosen theme does not flash. The only thing this site ever stores; written by src/app/views/theme.ts after a click.
try {
  const theme = localStorage.getItem('tercet-theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden; the theme then follows the system.
}

// Laid out in frames of their own, from top to bottom (style/picture.css): all of the page in one would hold up a slow
// device. The first frame has none of them: it looks up the styles.
document.documentElement.dataset.parts = '';
const show = () => {
  const name = document.querySelector('[data-part]')?.dataset.part;
  for (const node of document.querySelectorAll(`[data-part="${name}"]`)) node.removeAttribute('data-part');
  if (name || document.readyState === 'loading') requestAnimationFrame(show);
};
requestAnimationFrame(() => requestAnimationFrame(show));
