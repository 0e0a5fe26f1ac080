/**
 * What a guide shows compiles, in the place where the guide puts it. The same with a name changed does not: the
 * compiler looks at it.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openProject } from '../../scripts/public-api.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SEMI_HONEST = `${ROOT}src/mpc/protocol/semi-honest/`;
const project = openProject();

/** The block of TypeScript that has these words. */
function block(guide: string, words: string): string {
  const text = readFileSync(`${ROOT}docs/guides/${guide}`, 'utf8');
  const found = [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)]
    .map(([, code]) => code)
    .filter((code) => code.includes(words));
  if (found.length !== 1) throw new Error(`${guide} has ${found.length} blocks with ${words}`);
  return found[0];
}

/** Changes a file of the tree for the compiler alone. */
function edit(path: string, find: string, replace: string): string {
  const file = project.addSourceFileAtPath(path);
  const text = file.getFullText();
  if (!text.includes(find)) throw new Error(`${path} has no ${find}`);
  file.replaceWithText(text.replace(find, () => replace));
  return path;
}

/** Errors in a new file with this code, and in the files that were changed for it. */
function errors(path: string, code: string, changed: readonly string[]): string[] {
  project.createSourceFile(path, code, { overwrite: true });
  return [path, ...changed].flatMap((each) =>
    project
      .getSourceFileOrThrow(each)
      .getPreEmitDiagnostics()
      .map((found) => JSON.stringify(found.getMessageText())),
  );
}

describe('the user guide, side by side', () => {
  const shown = [...readFileSync(`${ROOT}docs/GUIDE.md`, 'utf8').matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code]) =>
    code.replaceAll("'tercet'", "'../../src/sdk/node.ts'"),
  );
  const compiled = (code: string) =>
    errors(
      `${ROOT}test/types/of-the-guide.ts`,
      `import type { Model } from '../../src/sdk/node.ts';\ndeclare const model: Model;\nexport {};\n${code}`,
      [],
      // A function that an example only shows.
    ).filter((message) => !message.includes('is declared but its value is never read'));

  it('compiles, block by block', { timeout: 120_000 }, () => {
    expect(shown.length).toBeGreaterThan(3);
    for (const code of shown) expect(compiled(code), code).toEqual([]);
    expect(
      compiled("import { MpcCoordinator } from '../../src/sdk/node.ts';\nnew MpcCoordinator().run();"),
    ).not.toEqual([]);
  });
});

describe('add a gate', () => {
  const gate = block('add-a-gate.md', 'class RefreshGate');
  const changed = [
    edit(`${ROOT}src/mpc/protocol/frame/gate.ts`, "    | 'output';", "    | 'output'\n    | 'refresh';"),
    edit(
      `${ROOT}src/mpc/protocol/types.ts`,
      '  mul(x: Wire, y: Wire, how?: Rounded): Wire;',
      '  mul(x: Wire, y: Wire, how?: Rounded): Wire;\n  refresh(x: Wire): Wire;',
    ),
    edit(
      `${SEMI_HONEST}circuit.ts`,
      '  mul(x: Wire, y: Wire, { drop',
      `${block('add-a-gate.md', 'refresh(x: Wire)')}\n  mul(x: Wire, y: Wire, { drop`,
    ),
    edit(`${SEMI_HONEST}circuit.ts`, 'import ', "import { RefreshGate } from './refresh.ts';\nimport "),
  ];

  it('its class and its place in the circuit compile', { timeout: 120_000 }, () => {
    expect(errors(`${SEMI_HONEST}refresh.ts`, gate, changed)).toEqual([]);
    expect(errors(`${SEMI_HONEST}refresh.ts`, gate.replace('sendReshared(', 'sendShared('), changed)).not.toEqual([]);
  });
});
