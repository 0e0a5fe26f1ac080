/**
 * The planted faults of `npm run test:mutants` still apply to the tree, and the tests that must notice them are
 * there. The lane itself runs before a release.
 */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

interface Mutant {
  readonly id: string;
  readonly what: string;
  readonly edits: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
  readonly killedBy: readonly { readonly file: string; readonly only?: string }[];
}

const root = new URL('../../', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, root), 'utf8');
const mutants = JSON.parse(read('test/mutants/mutants.json')) as readonly Mutant[];

/** Why a mutant cannot be planted or killed, or undefined. */
function stale({ edits, killedBy }: Mutant): string | undefined {
  const texts = new Map<string, string>();
  for (const { file, find, replace } of edits) {
    const text = texts.get(file) ?? read(file);
    const places = text.split(find).length - 1;
    if (places !== 1) return `${places} places in ${file} for: ${find}`;
    texts.set(
      file,
      text.replace(find, () => replace),
    );
  }
  if ([...texts].every(([file, text]) => read(file) === text)) return 'changes nothing';
  return killedBy.length === 0 || killedBy.some(({ file }) => !existsSync(new URL(file, root)))
    ? 'names no test, or one that is not there'
    : undefined;
}

describe('planted faults', () => {
  it.each(mutants.map((mutant) => [mutant.id, mutant] as const))('%s applies', (_id, mutant) => {
    expect(stale(mutant)).toBeUndefined();
    expect(mutant.edits.every(({ file }) => file.startsWith('src/'))).toBe(true);
  });

  it('have names of their own, and say what they are', () => {
    expect(new Set(mutants.map(({ id }) => id)).size).toBe(mutants.length);
    expect(mutants.filter(({ what }) => what.length < 20)).toEqual([]);
    expect(mutants.length).toBeGreaterThanOrEqual(40);
  });

  it('are noticed when they do not apply any more: the control', () => {
    const [mutant] = mutants;
    const [edit] = mutant.edits;
    expect(stale({ ...mutant, edits: [{ ...edit, find: 'no such line' }] })).toContain('0 places');
    expect(stale({ ...mutant, edits: [{ ...edit, find: 'import' }] })).toMatch(/^\d+ places/);
    expect(stale({ ...mutant, edits: [{ ...edit, replace: edit.find }] })).toBe('changes nothing');
    expect(stale({ ...mutant, killedBy: [{ file: 'test/none.test.ts' }] })).toContain('names no test');
    expect(stale({ ...mutant, killedBy: [] })).toContain('names no test');
  });
});
