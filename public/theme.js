// Before the first paint, so that a chosen theme does not flash. The only thing this site ever stores; written by src/app/views/theme.ts after a click.
try {
  const theme = localStorage.getItem('tercet-theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden; the theme then follows the system.
}

// Laid out in frames of their own, from top to bottom (style/picture.css): all of the page in one would hold up a slow
// device.
const show = (later) => {
  document.documentElement.dataset.later = later.join(' ');
  if (later.length > 0) requestAnimationFrame(() => show(later.slice(1)));
};
show(['all', 'intro', 'ask', 'go', 'slot', 'pic', 'tris', 'links', 'zones', 'band', 'two', 'words']);
