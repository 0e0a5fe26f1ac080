/**
 * What documents show compiles: a program of the package as a user has it, the code of a guide in the place where the
 * guide puts it. The same with a name changed does not: the compiler looks at it.
 */
import { readFileSync, readdirSync } from 'node:fs';
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

describe('programs in documents', () => {
  const DOCUMENTS = [
    'README.md',
    ...['docs', 'docs/tasks'].flatMap((folder) =>
      readdirSync(`${ROOT}${folder}`).flatMap((name) => (name.endsWith('.md') ? [`${folder}/${name}`] : [])),
    ),
  ];
  const programs = DOCUMENTS.flatMap((file) =>
    [...readFileSync(`${ROOT}${file}`, 'utf8').matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code], i) => ({
      path: `${ROOT}test/types/shown/${file.replace(/\W/g, '-')}-${i}.ts`,
      code,
    })),
  );

  /** What a block leaves out, because the one before has it. */
  function whole(code: string): string {
    const node = /\b(releaseWebRtc|MpcCoordinator|peers:)/.test(code) ? 'node' : 'index';
    const known = ['SecureTransformer', 'GpuOutOfMemoryError', 'pipeline', 'capabilities'];
    const imported = /^import [\s\S]*? from 'tercet';/m.exec(code)?.[0] ?? '';
    const missing = known.filter((name) => new RegExp(`\\b${name}\\b`).test(code) && !imported.includes(name));
    return [
      "import type {} from '../../../src/widget/types.ts';",
      "import type { Model } from '../../../src/sdk/index.ts';",
      `import { ${missing.join(', ')} } from '../../../src/sdk/${node}.ts';`,
      ...(/\bconst model\b/.test(code) ? [] : ['declare const model: Model;']),
      ...(/\bdeployment \}|\bdeployment,/.test(code) ? ['declare const deployment: string;'] : []),
      code
        .replaceAll("from 'tercet'", `from '../../../src/sdk/${node}.ts'`)
        .replaceAll("from 'tercet/widget'", "from '../../../src/widget/types.ts'"),
    ].join('\n');
  }

  /** Names that a block only shows are no fault. */
  function faults(path: string): string[] {
    const found = project.getSourceFileOrThrow(path).getPreEmitDiagnostics();
    return found
      .filter((fault) => ![6133, 6192, 6196, 6198].includes(fault.getCode()))
      .map((fault) => `${path.slice(ROOT.length)}: ${JSON.stringify(fault.getMessageText())}`);
  }

  it('compile as a user has them', { timeout: 120_000 }, () => {
    expect(programs.length).toBeGreaterThan(15);
    for (const { path, code } of programs) project.createSourceFile(path, whole(code), { overwrite: true });
    const planted = `${ROOT}test/types/shown/planted.ts`;
    project.createSourceFile(planted, whole("const { lable } = await model.classify('A film.');\n"), {
      overwrite: true,
    });
    expect(programs.flatMap(({ path }) => faults(path))).toEqual([]);
    expect(faults(planted)).toEqual([expect.stringContaining('lable')]);
  });
});
