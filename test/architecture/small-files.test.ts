/**
 * A file of fewer than 20 lines with one importer is a part of that importer, and stands there (CONTRIBUTING.md). What
 * is left has a reason of its own.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));
const FEWEST = 20;

const APART: Readonly<Record<string, string>> = {
  'app/address.ts': 'tests take it by itself; its importer starts the page',
  'daemon/gc.ts': 'its reason is longer than it is, and is not about the command line',
  'ml/models/secure.ts': 'where an architecture is chosen (docs/guides/add-an-architecture.md)',
  'sdk/browser/proofs.ts': 'loaded when it is wanted: a chunk of its own',
  'sdk/local/key-manager.ts': 'the one door of the SDK to the layer of keys',
  'sdk/worker/in-worker.ts': 'loaded when it is wanted: a chunk of its own',
  'session/circuit-for.ts': 'sessions do without it; tests take it by itself',
  'widget/frame/look.ts': 'what a page may say of looks, apart from what it may ask for',
};

/** Small files that one file imports, by way of any form of import. */
function small(files: ReadonlyMap<string, string>): string[] {
  const importers = new Map<string, Set<string>>();
  for (const [file, text] of files)
    for (const [, path] of text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+\.ts)'/g)) {
      const target = normalize(join(dirname(file), path));
      importers.set(target, (importers.get(target) ?? new Set()).add(file));
    }
  return [...files]
    .filter(([file, text]) => text.trimEnd().split('\n').length < FEWEST && importers.get(file)?.size === 1)
    .map(([file]) => file)
    .sort((a, b) => (a < b ? -1 : 1));
}

it('small files with one importer have a reason to stand alone', () => {
  const names = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const files = new Map(names.map((name) => [name.replaceAll('\\', '/'), readFileSync(join(SRC, name), 'utf8')]));
  expect(files.size).toBeGreaterThan(300);
  expect(small(files)).toEqual(Object.keys(APART));
});

it('they are found, whatever imports them', () => {
  const long = 'x;\n'.repeat(FEWEST);
  const files = new Map([
    ['a/one.ts', `import { b } from './b.ts';\nimport './c.ts';\n${long}`],
    ['a/two.ts', `const d = await import('../d.ts');\nexport { e } from './e.ts';\n${long}`],
    ['a/three.ts', `import type { C } from './c.ts';\nimport { f } from '../f.ts';\n${long}`],
    ...['a/b.ts', 'a/c.ts', 'd.ts', 'a/e.ts', 'alone.ts'].map((name) => [name, 'export const x = 1;\n'] as const),
    ['f.ts', long],
  ]);
  expect(small(files)).toEqual(['a/b.ts', 'a/e.ts', 'd.ts']);
});
