/**
 * The ways of a text, a share and a key (docs/ARCHITECTURE.md): the files that the tables name are there, they are as
 * many as is said, and the text's way is no longer than it was agreed to be.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DOCUMENT = readFileSync(`${ROOT}docs/ARCHITECTURE.md`, 'utf8');
/** Files between `predict` and the first message. */
const MOST = 24;

/** The part of a way: its files up to the sentence that counts them, and what it says. */
function way(document: string, name: string): { readonly files: string[]; readonly said: number } {
  const from = document.indexOf(`**The way of a ${name}**`);
  const counted = /These are (\d+)\s+files/.exec(document.slice(from));
  if (from < 0 || counted === null) throw new Error(`no way of a ${name}`);
  const text = document.slice(from, from + counted.index);
  // The columns of files, where there is a table.
  const rows = text.split('\n').filter((line) => line.startsWith('| '));
  const cells = rows.length === 0 ? text : rows.map((row) => row.split('|')[2]).join(' ');
  const folders = ['mpc/protocol/semi-honest', 'mpc/protocol/frame'];
  const files = new Set<string>();
  for (const [, path] of cells.matchAll(/`([a-z/-]+)`/g)) {
    if (path.endsWith('/')) continue;
    if (path.includes('/')) folders.unshift(dirname(path));
    // A name without a folder is in the last one that has it.
    const found = path.includes('/')
      ? path
      : folders.map((folder) => `${folder}/${path}`).find((each) => existsSync(`${ROOT}src/${each}.ts`));
    files.add(found !== undefined && existsSync(`${ROOT}src/${found}.ts`) ? found : `${path} is not there`);
  }
  return { files: [...files], said: Number(counted[1]) };
}

describe('the way of', () => {
  it.each([
    ['text', 0],
    ['share', 0],
    // The kernels' stream has no file of one name.
    ['pair key', 1],
  ])('a %s is through as many files as is said, all there', (name, unnamed) => {
    const { files, said } = way(DOCUMENT, name);
    expect(files.filter((file) => file.endsWith('is not there'))).toEqual([]);
    expect(files.length + unnamed).toBe(said);
  });

  it('a text is short', () => expect(way(DOCUMENT, 'text').said).toBeLessThanOrEqual(MOST));

  it('planted: a file that is not there, and one more than is said, are found', () => {
    const planted = DOCUMENT.replace('`owner/runner`', '`owner/runner`, `owner/elsewhere`');
    const { files, said } = way(planted, 'text');
    expect(files).toContain('owner/elsewhere is not there');
    expect(files.length).toBe(said + 1);
  });
});
