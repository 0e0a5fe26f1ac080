// What VitePress does not look at: anchors, and addresses of other places that a page would load something from.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

const LOADS =
  /<(?:script|img|iframe|source|video|link(?![^>]*rel="(?:canonical|alternate)"))\b[^>]*?\b(?:src|href)="([^"]+)"/g;

/** @param folder the built site @throws naming each fault */
export function checkSite(folder, { base, deployment }) {
  const files = readdirSync(folder, { recursive: true }).map((file) => file.replaceAll('\\', '/'));
  const pages = new Map(
    files.filter((file) => file.endsWith('.html')).map((file) => [file, readFileSync(join(folder, file), 'utf8')]),
  );
  const anchors = new Map([...pages].map(([file, html]) => [file, new Set(idsOf(html))]));
  const allowed = deployment === undefined ? undefined : new URL(deployment).origin;
  const faults = [...pages].flatMap(([file, html]) => [
    ...[...html.matchAll(LOADS)]
      .map(([, target]) => target)
      .filter((target) => /^(?:https?:)?\/\//.test(target) && new URL(target, 'https://x').origin !== allowed)
      .map((target) => `${file} loads ${target}`),
    ...[...html.matchAll(/<a\b[^>]*?\bhref="([^"#]*)#([^"]+)"/g)]
      .filter(([, path]) => !/^[a-z]+:/.test(path))
      .filter(([, path, id]) => !(anchors.get(target(file, path, base))?.has(decodeURIComponent(id)) ?? false))
      .map(([, path, id]) => `${file} links to ${path}#${id}`),
  ]);
  if (faults.length > 0) throw new Error(`the site has faults:\n${[...new Set(faults)].join('\n')}`);
  return { pages: pages.size };
}

const idsOf = (html) => [...html.matchAll(/\bid="([^"]+)"/g)].map(([, id]) => id);

/** The file that a link of a page leads to. */
function target(file, path, base) {
  if (path === '') return file;
  const from = path.startsWith('/') ? path.slice(base.length) : posix.join(dirname(file), path).replace(/^\.\//, '');
  return from === '' || from.endsWith('/') ? `${from}index.html` : from;
}
