/**
 * Lines have at most 120 characters, so that two files fit side by side. Left alone are lines that cannot be
 * broken: one long string, an address, a regular expression; and what a generator wrote.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MOST = 120;
const FOLDERS = ['src', 'test', 'scripts', 'dev', 'e2e', 'bench', 'wasm', 'native', 'shaders'];

/** The text of a page, as it is written there. */
const PAGE = ['scripts/results.mjs', 'scripts/results-costs.mjs', 'scripts/results-growth.mjs'];

/** A piece without which a line cannot be shorter: it has no place to break, or the formatter keeps it whole. */
const UNBREAKABLE = /https?:\/\/\S+|(['"`]).{60,}\1|^\s*(?:\w+: )?\/.{60,}\/[a-z]*|biome-ignore/;

const tooLong = (line: string): boolean => line.length > MOST && !UNBREAKABLE.test(line);

/** Inside a template or a comment kept by hand, numbers of a table. */
function longLines(path: string): string[] {
  return readFileSync(`${ROOT}${path}`, 'utf8')
    .split('\n')
    .flatMap((line, i) => (tooLong(line) ? [`${path}:${i + 1}`] : []));
}

describe('lines', () => {
  it('have at most 120 characters', () => {
    const files = execFileSync('git', ['ls-files', ...FOLDERS], { cwd: ROOT, encoding: 'utf8' })
      .split('\n')
      .filter(
        (path) => /\.(ts|mts|mjs|css|rs|wgsl)$/.test(path) && !path.includes('.generated.') && !PAGE.includes(path),
      );
    expect(files.length).toBeGreaterThan(400);
    expect(files.flatMap(longLines)).toEqual([]);
  });

  it('of code and of comments are noticed, and a string is let be', () => {
    expect(tooLong(`const x = ${'a + '.repeat(40)}b;`)).toBe(true);
    expect(tooLong(`// ${'word '.repeat(40)}`)).toBe(true);
    expect(tooLong(`const x = '${'word '.repeat(40)}';`)).toBe(false);
    expect(tooLong(`// see https://example.org/${'path/'.repeat(40)}`)).toBe(false);
  });
});
