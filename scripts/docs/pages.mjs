// Which documents become pages of the site, where, and what becomes of their links. The documents stay where they are
// and are read there too: nothing is written twice.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const below = (folder, accepted = () => true) =>
  readdirSync(`${ROOT}${folder}`)
    .filter((name) => name.endsWith('.md') && accepted(name))
    .sort()
    .map((name) => `${folder}/${name}`);
const subfolders = (folder) =>
  readdirSync(`${ROOT}${folder}`)
    .filter((name) => existsSync(`${ROOT}${folder}/${name}/README.md`))
    .sort()
    .map((name) => `${folder}/${name}/README.md`);

/** The menu: groups of documents, by their path in the repository. */
export const MENU = [
  {
    text: 'Start',
    sources: ['README.md', 'docs/QUICKSTART.md', 'docs/CONCEPTS.md', 'examples/README.md', 'docs/GUIDE.md'],
  },
  { text: 'Tasks', sources: ['docs/TASKS.md', ...below('docs/tasks'), 'docs/WIDGET.md'] },
  {
    text: 'Operate',
    sources: [
      'docs/DEPLOYMENT.md',
      'docs/CONFIGURATION.md',
      'docs/HUB.md',
      'docs/COSTS.md',
      'docs/FAULTS.md',
      'docs/ERRORS.md',
    ],
  },
  {
    text: 'Trust',
    sources: ['docs/SECURITY.md', 'docs/COMPARISON.md', 'docs/PROTOCOL.md', 'docs/AUDIT.md', 'docs/checks/README.md'],
  },
  {
    text: 'Reference',
    sources: ['docs/GLOSSARY.md', 'bench/results/README.md', 'CHANGELOG.md'],
  },
  {
    text: 'Contribute',
    sources: ['CONTRIBUTING.md', 'docs/ARCHITECTURE.md', ...below('docs/guides')],
  },
];
/** Pages that others link to, and that the menu leaves out. */
const BESIDE = [
  ...below('docs/adr'),
  ...subfolders('examples'),
  ...subfolders('models'),
  'bench/data/README.md',
  'bench/peers/spu/README.md',
];

/** Where a document is on the site, without its ending. Names do not change: error codes link to them. */
export function placeOf(source) {
  if (source === 'README.md') return 'index';
  const [name] = /^(?:docs\/)?(.*)\.md$/.exec(source).slice(1);
  return name.replace(/(^|\/)README$/, '$1index').toLowerCase();
}

export const SOURCES = [...MENU.flatMap(({ sources }) => sources), ...BESIDE];
const PLACES = new Map(SOURCES.map((source) => [source, placeOf(source)]));

/** The anchor of a heading, as GitHub has it: links hold in the repository and on the site. */
export function anchor(heading) {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\- _]/gu, '')
    .replaceAll(' ', '-');
}

/** The page of a target in the repository; undefined where it has none. */
function pageOf(target) {
  const path = target.replace(/\/$/, '');
  return PLACES.get(path) ?? PLACES.get(path === '' ? 'README.md' : `${path}/README.md`);
}

/**
 * A document with its links changed for the site: to pages where there are some, and to no place where a file of the
 * repository is meant. Pictures stay: they are copied.
 */
export function withLinks(source, text) {
  const folder = posix.dirname(source);
  const from = posix.dirname(placeOf(source));
  return outsideCode(text, (words) =>
    words.replace(/(!?)\[((?:[^[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)/g, (whole, picture, label, target) => {
      if (/^[a-z]+:|^#/.test(target)) return whole;
      const [path, heading] = target.split('#');
      const file = posix.normalize(posix.join(folder, path));
      if (picture === '!') return `![${label}](/${file.replace(/^docs\//, '')})`;
      const page = pageOf(file);
      if (page === undefined) return existsSync(`${ROOT}${file}`) ? pathOf(label, file) : whole;
      const relative = posix.relative(from, `${page}.md`);
      const anchored = heading === undefined ? '' : `#${heading}`;
      return `[${label}](${relative.startsWith('.') ? '' : './'}${relative}${anchored})`;
    }),
  );
}

/** Text that looks like an element or a template stays text: documents have neither, but for comments. */
export function asText(text) {
  return outsideCode(text, (words) => words.replace(/<(?=[\w/])/g, '&lt;').replaceAll('{{', '&#123;&#123;'));
}

/** A file of the repository: its path, which says where to look. */
function pathOf(label, file) {
  const bare = file.replace(/\/$/, '');
  const name = statSync(`${ROOT}${file}`).isDirectory() ? `${bare}/` : bare;
  return label.replaceAll('`', '').replace(/\/$/, '') === bare ? `\`${name}\`` : `${label} (\`${name}\`)`;
}

/** Changes what is not in a block or a span of code. The words of a link are no code, though they look like it. */
function outsideCode(text, change) {
  const code = [];
  const marked = text.replace(/^```[\s\S]*?^```|\[`[^`\n]+`\]\(|`[^`\n]+`/gm, (piece) =>
    piece.startsWith('[') ? piece : `\0${code.push(piece) - 1}\0`,
  );
  return change(marked).replace(/\0(\d+)\0/g, (_, i) => code[i]);
}
