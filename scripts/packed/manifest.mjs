// What the package says of itself: every file that it names is in it, and nothing is in it that nobody needs.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const targets = (value) => (typeof value === 'string' ? [value] : Object.values(value).flatMap(targets));

export function checkManifest(installed) {
  const { exports, bin } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  for (const file of [...targets(exports), ...Object.values(bin)])
    if (!existsSync(join(installed, file))) throw new Error(`package.json names ${file}, which is not packed`);
  const files = readdirSync(installed, { recursive: true }).map((file) => file.replaceAll('\\', '/'));
  const strangers = files.filter((file) => /^(?:src|test)\/|\.map$|^dist\/testing|\/\.built$/.test(file));
  if (strangers.length > 0) throw new Error(`packed, and of no use: ${strangers.slice(0, 5).join(', ')}`);
}

/** The folder for browsers: nothing of Node, no import that leaves it, no address of another place. */
export function checkWeb(folder) {
  const names = new Set(readdirSync(folder));
  for (const name of [...names].filter((file) => file.endsWith('.js'))) {
    const code = readFileSync(join(folder, name), 'utf8');
    const imported = [...code.matchAll(/(?:from|import)\s*\(?\s*["'`]([\w@.][\w@./-]*)["'`]/g)].map(([, from]) => from);
    for (const from of imported)
      if (!from.startsWith('./') || !names.has(from.slice(2))) throw new Error(`${name} imports ${from}`);
    for (const [, beside] of code.matchAll(/new URL\(["'`]\.\/([^"'`]+)["'`],\s*import\.meta\.url\)/g))
      if (!names.has(beside)) throw new Error(`${name} looks for ${beside}`);
  }
}
