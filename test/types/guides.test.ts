/**
 * What documents show compiles: a program of the package as a user has it, the code of a guide in the place where the
 * guide puts it. The same with a name changed does not: the compiler looks at it. All of it is compiled once, and once
 * with the changes.
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openProject } from '../../scripts/public-api.mjs';
import { BLOCKS, ROOT } from '../support/documents.ts';

const project = openProject();
const SHOWN = BLOCKS.filter(({ language }) => language === 'ts');
/** Blocks of guides that were put somewhere. */
const placed = new Set<string>();
/** Files that are looked at. */
const files = new Set<string>();

/** The block of a guide that has these words. */
function block(guide: string, words: string): string {
  const found = SHOWN.filter(({ file, code }) => file === `docs/guides/${guide}` && code.includes(words));
  if (found.length !== 1) throw new Error(`${guide} has ${found.length} blocks with ${words}`);
  placed.add(found[0].code);
  return found[0].code;
}

/** Changes a file of the tree for the compiler alone. */
function edit(path: string, find: string, replace: string): void {
  const file = project.addSourceFileAtPathIfExists(ROOT + path) ?? project.getSourceFileOrThrow(ROOT + path);
  const text = file.getFullText();
  if (!text.includes(find)) throw new Error(`${path} has no ${find}`);
  file.replaceWithText(text.replace(find, () => replace));
  files.add(path);
}

function create(path: string, code: string): void {
  project.createSourceFile(ROOT + path, code, { overwrite: true });
  files.add(path);
}

/** Names that a block only shows are no fault. */
const SHOWN_ONLY = [6133, 6192, 6196, 6198];

function faults(): string[] {
  return [...files].flatMap((path) =>
    project
      .getSourceFileOrThrow(ROOT + path)
      .getPreEmitDiagnostics()
      .filter((fault) => !SHOWN_ONLY.includes(fault.getCode()))
      .map((fault) => `${path}: ${JSON.stringify(fault.getMessageText())}`),
  );
}

/** Where each guide puts its code; and a name in it that is then changed. */
const GUIDES: Readonly<Record<string, { place(): void; plant(): void; readonly noticed: string }>> = {
  'add-a-gate.md': {
    place() {
      const protocol = 'src/mpc/protocol/';
      const circuit = `${protocol}semi-honest/circuit.ts`;
      edit(`${protocol}frame/gate.ts`, "    | 'output';", "    | 'output'\n    | 'refresh';");
      const mul = '  mul(x: Wire, y: Wire, how?: Rounded): Wire;';
      edit(`${protocol}types.ts`, mul, `${mul}\n  refresh(x: Wire): Wire;`);
      const before = '  reshare(x: Wire): Wire {';
      edit(circuit, before, `${block('add-a-gate.md', 'refresh(x: Wire)')}\n${before}`);
      edit(circuit, 'import ', "import { RefreshGate } from './refresh.ts';\nimport ");
      create(`${protocol}semi-honest/refresh.ts`, block('add-a-gate.md', 'class RefreshGate'));
    },
    plant: () => edit('src/mpc/protocol/semi-honest/refresh.ts', 'await sendReshared(', 'await sendShared('),
    noticed: 'sendShared',
  },
  'add-a-kernel.md': {
    place() {
      const add = '  add(x: V, y: V): Promise<V>;';
      edit('src/compute/kernels/types.ts', add, `${add}\n  negate(x: V): Promise<V>;`);
      // What the suite has there, without the types of its framework.
      create(
        'test/compute/negate.ts',
        `import type { RingKernels } from '../../src/compute/kernels/types.ts';
import type { Words } from '../../src/compute/ring.ts';
declare const kernels: RingKernels<Words>, oracle: RingKernels<Words>, x: Words;
declare function same(got: Words, expected: Words): void;
export async function test() {
${block('add-a-kernel.md', 'kernels.negate(x)')}}`,
      );
    },
    plant: () => edit('test/compute/negate.ts', 'oracle.negate(', 'oracle.negated('),
    noticed: 'negated',
  },
  'add-a-task.md': {
    place() {
      const [tasks, plans] = ['src/ml/tasks/', 'src/owner/task-plans.ts'];
      // The guide: all that they use is imported as in text-classification.ts.
      const sibling = readFileSync(`${ROOT}${tasks}text-classification.ts`, 'utf8');
      const imports = [...sibling.matchAll(/^import [\s\S]*?;$/gm)].map(([found]) => found);
      create(`${tasks}shout.ts`, `${imports.join('\n')}\n${block('add-a-task.md', 'prepareShout(text: unknown')}`);
      const others = "ModelTask | 'zero-shot-classification'";
      edit(`${tasks}table.ts`, `${others};`, `${others} | 'shout';`);
      const row = "shout: { heads: ['sequence-classification'], aliases: [] },";
      edit(`${tasks}table.ts`, 'const TABLE = {', `const TABLE = {\n  ${row}`);
      edit(plans, 'import ', "import { finishShout, prepareShout } from '../ml/tasks/shout.ts';\nimport ");
      const answer = 'export interface TaskAnswer {';
      edit(
        plans,
        answer,
        `interface ShoutResult extends Pick<ClassifyResult, 'cost' | 'captured'> { readonly text: string }
${block('add-a-task.md', 'function planShout')}
${answer}
  readonly shouted?: string;`,
      );
      const table = 'const PLANNERS: Readonly<Record<Task, Planner>> = {';
      edit(plans, table, `${table}\n${block('add-a-task.md', 'shout: ofText')}`);
    },
    plant() {
      edit('src/ml/tasks/shout.ts', '  checkLogits(', '  checkLogit(');
      edit('src/owner/task-plans.ts', 'mapped(planShout(', 'mapped(planShouts(');
    },
    noticed: 'checkLogit.*planShouts',
  },
  'add-an-architecture.md': {
    place() {
      const [types, layouts] = ['src/ml/model-types.ts', 'src/ml/models/weight-layouts.ts'];
      const [type, ...traits] = block('add-an-architecture.md', 'export type ModelType').split('\n');
      edit(types, "export type ModelType = 'bert' | 'roberta' | 'distilbert' | 'gpt2';", type);
      edit(types, '  bert: BERT,', `  bert: BERT,\n${traits.join('\n')}`);
      const keys = "  optionalValue(json, 'position_embedding_type'";
      edit('src/ml/config.ts', keys, `${block('add-an-architecture.md', "modelType === 'electra'")}\n${keys}`);
      const table = 'const LAYOUTS: Readonly<Record<ModelType, Layout>> = {';
      edit(layouts, table, `${table}\n${block('add-an-architecture.md', "base: 'electra.'")}`);
    },
    plant() {
      edit('src/ml/model-types.ts', "prefix: 'Electra'", "prefixes: 'Electra'");
      edit('src/ml/config.ts', 'TRAITS.electra.defaults.hidden', 'TRAITS.electra.default.hidden');
      edit('src/ml/models/weight-layouts.ts', "electra: { base: 'electra.'", "electron: { base: 'electra.'");
    },
    noticed: 'prefixes.*default.*electron',
  },
};

/** A program with what its block leaves out, because the one before has it. */
function whole(code: string): string {
  const node = /\b(releaseWebRtc|MpcCoordinator|AuditLogger|KeyManager|peers:)/.test(code) ? 'node' : 'index';
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

describe('code in documents', () => {
  const programs = SHOWN.filter(({ file }) => !file.startsWith('docs/guides/'));

  beforeAll(() => {
    for (const { place } of Object.values(GUIDES)) place();
    for (const [i, { file, code }] of programs.entries())
      create(`test/types/shown/${file.replace(/\W/g, '-')}-${i}.ts`, whole(code));
  });

  it('compiles: a program as a user has it, that of a guide in its place', { timeout: 240_000 }, () => {
    const guides = SHOWN.filter(({ file }) => file.startsWith('docs/guides/'));
    expect(guides.filter(({ code }) => !placed.has(code))).toEqual([]);
    expect(guides.length).toBeGreaterThan(7);
    expect(programs.length).toBeGreaterThan(20);
    expect(faults()).toEqual([]);
  });

  it('does not with a name changed', { timeout: 240_000 }, () => {
    for (const { plant } of Object.values(GUIDES)) plant();
    create('test/types/shown/planted.ts', whole("const { lable } = await model.classify('A film.');\n"));
    create(
      'test/types/shown/planted-node.ts',
      whole("import { MpcCoordinator } from 'tercet';\nnew MpcCoordinator().run();"),
    );
    const found = faults().join(' ');
    for (const { noticed } of Object.values(GUIDES)) expect(found).toMatch(new RegExp(noticed));
    expect(found).toContain('lable');
    expect(found).toContain("'run'");
  });
});
