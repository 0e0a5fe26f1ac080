/** Scripts outside the compiler's sight: what they import from the build is there, in the sources that it is made of. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import vite from '../../vite.config.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDERS = ['bench', 'bench/netns', 'scripts', 'dev'];

/** Names that a script takes from modules of the build and that their sources do not export. */
function missing(text: string, sourceOf: (module: string) => string | undefined): string[] {
  return [
    ...text.matchAll(/(?:import|const) \{([^}]*)\} (?:from|= await import\()\s*\(?'[^']*dist\/([\w/-]+)\.js'/g),
  ].flatMap(([, names, module]) => {
    const source = sourceOf(module);
    if (source === undefined) return [`${module} is not there`];
    return names
      .split(',')
      .map((name) => name.trim().split(/\s+as\s+|:/)[0])
      .filter((name) => name !== '' && !exports(source, name))
      .map((name) => `${module} has no ${name}`);
  });
}

function exports(source: string, name: string): boolean {
  return (
    new RegExp(`^export (?:async )?(?:const|function\\*?|class|abstract class) ${name}\\b`, 'm').test(source) ||
    [...source.matchAll(/^export \{([^}]*)\}/gm)].some(([, names]) => new RegExp(`\\b${name}\\b`).test(names))
  );
}

function source(module: string): string | undefined {
  try {
    return readFileSync(join(ROOT, 'src', `${module}.ts`), 'utf8');
  } catch {
    return undefined;
  }
}

it('the development server looks for dependencies in the pages at the root and nowhere else: examples have their own', () => {
  const pages = readdirSync(ROOT).filter((name) => name.endsWith('.html'));
  expect(pages.length).toBeGreaterThan(2);
  expect([...(vite.optimizeDeps?.entries ?? [])].sort()).toEqual(pages.sort());
});

describe('scripts', () => {
  it('import from the build what it has', () => {
    const scripts = FOLDERS.flatMap((folder) =>
      readdirSync(join(ROOT, folder))
        .filter((name) => name.endsWith('.mjs'))
        .map((name) => join(folder, name)),
    );
    const found = scripts.flatMap((path) =>
      missing(readFileSync(join(ROOT, path), 'utf8'), source).map((fault) => `${path}: ${fault}`),
    );
    expect(scripts.length).toBeGreaterThan(10);
    expect(found).toEqual([]);
  });

  it('planted: a name that moved, and a module that is gone, are found', () => {
    const text =
      "import { shapeFor, WIDENINGS } from '../dist/session/request.js';\nimport { a } from '../dist/nowhere.js';\n";
    expect(missing(text, source)).toEqual(['session/request has no WIDENINGS', 'nowhere is not there']);
  });
});
