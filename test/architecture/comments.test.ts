/**
 * What comments and documents name exists: files, error codes, sections of docs/PROTOCOL.md, decisions (ADR n), and
 * the targets of links. Every rule is also run on a text that breaks it.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SKIPPED = new Set(['node_modules', 'dist', 'test-results', 'coverage', '__pycache__', 'target']);

/** All files of the repository, by their path from its root. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name) || (entry.name.startsWith('.') && entry.name !== '.ci')) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [relative(ROOT, path).split(sep).join('/')];
  });
}

const FILES = filesBelow(ROOT);
/** Every ending of every path, so that a comment may leave out the folders that are clear. */
const ENDINGS = new Set(FILES.flatMap((file) => file.split('/').map((_, i, parts) => parts.slice(i).join('/'))));

const CODES = new Set(
  [...readFileSync(join(ROOT, 'src/core/errors.ts'), 'utf8').matchAll(/^ {2}\| '(ERR_\w+)'/gm)].map(([, code]) => code),
);
const SECTIONS = new Set(
  [...readFileSync(join(ROOT, 'docs/PROTOCOL.md'), 'utf8').matchAll(/^#{2,3} (\d+(?:\.\d+)?)/gm)].map(([, n]) => n),
);
const DECISIONS = new Set(readdirSync(join(ROOT, 'docs/adr')).map((name) => Number(name.slice(0, 4))));

/** The comments of a source file, or the whole of a document but its blocks of code. */
function wordsOf(file: string, text: string): string {
  if (file.endsWith('.md')) return text.replace(/^```[\s\S]*?^```/gm, '');
  return text
    .split('\n')
    .flatMap((line) => /^\s*(?:\/\*|\*|\/\/)(.*)/.exec(line)?.[1] ?? /(?<=\s)\/\/\s(.*)/.exec(line)?.[1] ?? [])
    .join('\n');
}

/** The anchor that a heading has on GitHub. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\- _]/gu, '')
    .replaceAll(' ', '-');
}

/** What `file` names that does not exist. */
function missing(file: string, text: string): string[] {
  const words = wordsOf(file, text);
  const found: string[] = [];
  // Names of files. A placeholder (NAME.ts) or a pattern (*.suite.ts) is no file.
  for (const [, path] of words.replace(/https?:\S+/g, '').matchAll(/([\w.@/*{[-]+\.(?:ts|mjs|wgsl|rs|md|py))\b/g)) {
    const name = path.replace(/^(?:\.{1,2}\/)+/, '');
    if (/[*{[]|\bNAME\b/.test(path) || ENDINGS.has(name)) continue;
    found.push(path);
  }
  // A code, or a family of them: ERR_FRAME_*.
  for (const [name, code] of words.matchAll(/\b(ERR_[A-Z_]+)[*…]?/g)) {
    const family = name.endsWith('*') && [...CODES].some((known) => known.startsWith(code));
    if (!family && (name !== code || !CODES.has(code))) found.push(name);
  }
  for (const [, list] of words.matchAll(/PROTOCOL(?:\.md)?\)?,? ((?:§[\d.]*\d(?:, | and | to |\b))+)/g))
    for (const [, section] of list.matchAll(/§([\d.]*\d)/g)) if (!SECTIONS.has(section)) found.push(`§${section}`);
  for (const [, number] of words.matchAll(/\bADRs? (\d+)/g))
    if (!DECISIONS.has(Number(number))) found.push(`ADR ${number}`);
  if (!file.endsWith('.md')) return found;
  for (const [, target] of words.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    const [path, heading] = target.split('#');
    const to = path === '' ? join(ROOT, file) : resolve(join(ROOT, dirname(file)), path);
    if (!existsSync(to)) found.push(target);
    else if (heading !== undefined) {
      const headings = [...readFileSync(to, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, title]) => anchor(title));
      if (!headings.includes(heading)) found.push(target);
    }
  }
  return found;
}

const READ = FILES.filter((file) => /\.(?:ts|mjs|wgsl|rs|md)$/.test(file) && !file.endsWith('.generated.ts'));

describe('what comments and documents name', () => {
  it('is looked for in every source and document', () => {
    expect(READ.length).toBeGreaterThan(500);
    expect([CODES.size, SECTIONS.size, DECISIONS.size].every((size) => size > 15)).toBe(true);
  });

  it('exists', () => {
    const all = READ.flatMap((file) =>
      missing(file, readFileSync(join(ROOT, file), 'utf8')).map((name) => `${file}: ${name}`),
    );
    expect(all).toEqual([]);
  });

  it.each([
    [
      'a file',
      'src/x.ts',
      '/** See protocol/semi-honest/values-of-old.ts. */',
      'protocol/semi-honest/values-of-old.ts',
    ],
    ['a file in a comment behind code', 'src/x.ts', `const x = 1; ${'//'} as in gone.mjs`, 'gone.mjs'],
    ['an error code', 'src/x.ts', ' * @throws ERR_INPUT…', 'ERR_INPUT…'],
    ['a family of error codes', 'src/x.ts', '// ERR_NOTHING_*', 'ERR_NOTHING_*'],
    ['a section', 'src/x.ts', '// PROTOCOL §4.7, §99.1', '§99.1'],
    ['a section behind a link', 'docs/x.md', '[PROTOCOL](PROTOCOL.md) §99', '§99'],
    ['a decision', 'wasm/x.rs', '// ADR 999', 'ADR 999'],
    ['a link', 'docs/x.md', '[text](nowhere.html)', 'nowhere.html'],
    ['an anchor', 'docs/x.md', '[text](PROTOCOL.md#no-such-heading)', 'PROTOCOL.md#no-such-heading'],
  ])('planted: %s that does not exist is found', (_what, file, text, name) => {
    expect(missing(file, text)).toContain(name);
  });

  it('what exists passes: whole and shortened paths, families, lists of sections, links', () => {
    const comment =
      '/** mpc/share/wire.ts, wire.ts, ERR_TEXT_*, ERR_RANGE: PROTOCOL §4.7, §6 and §6.8; ADR 20; NAME.ts, *.suite.ts */';
    expect(missing('src/x.ts', comment)).toEqual([]);
    expect(missing('docs/x.md', '[a](PROTOCOL.md#2-sharing), [b](adr/0020-ranges-are-checked.md)')).toEqual([]);
    // Code is no comment, and a block of code in a document is no text.
    expect(missing('src/x.ts', "const name = 'gone.ts';")).toEqual([]);
    expect(missing('docs/x.md', 'text\n```sh\ncat gone.ts\n```\n')).toEqual([]);
  });
});
