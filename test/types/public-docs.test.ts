/**
 * Every public declaration has a doc comment; every public function and method has an example that compiles, and says
 * what it throws. Each rule is also run on a declaration that breaks it.
 */
import { readFileSync } from 'node:fs';
import { Node, Project } from 'ts-morph';
import { describe, expect, it } from 'vitest';
import {
  ENTRIES,
  callablesOf,
  docOf,
  exportsOf,
  hidden,
  openProject,
  typeExamples,
} from '../../scripts/public-api.mjs';

const project = openProject();
const PUBLIC = ENTRIES.map((entry) => {
  const exported = exportsOf(project, entry);
  return { entry, all: [...exported, ...hidden(exported)] };
});

/** What is missing at a declaration and at its functions; empty if nothing is. */
function faults(name: string, node: Node): string[] {
  const found: string[] = [];
  if ((docOf(node)?.description ?? '') === '') found.push(`${name}: no doc comment`);
  for (const callable of callablesOf(name, node)) {
    const doc = docOf(callable.node);
    if ((doc?.description ?? '') === '') found.push(`${callable.name}: no doc comment`);
    if ((doc?.examples.length ?? 0) === 0) found.push(`${callable.name}: no @example`);
    if ((doc?.throws ?? 0) === 0) found.push(`${callable.name}: no @throws`);
  }
  return [...new Set(found)];
}

const faultsOf = (source: string): string[] => {
  const file = new Project({ useInMemoryFileSystem: true }).createSourceFile('planted.ts', source);
  return [...file.getExportedDeclarations()].flatMap(([name, nodes]) => nodes.flatMap((node) => faults(name, node)));
};

it('every entry of the package is looked at', () => {
  const { exports } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly exports: Readonly<Record<string, unknown>>;
  };
  const types = JSON.stringify(exports).matchAll(/"types":"\.\/dist\/([^"]+)\.d\.ts"/g);
  expect([...new Set([...types].map(([, path]) => `src/${path}.ts`))].sort()).toEqual([...ENTRIES].sort());
});

describe.each(PUBLIC)('$entry', ({ entry, all }) => {
  it('has declarations', () => {
    expect(all.length).toBeGreaterThan(entry.startsWith('src/widget') ? 5 : 60);
  });

  it('says what each is, with an example and errors where it is a function', () => {
    expect(all.flatMap(({ name, declarations }) => declarations.flatMap((node) => faults(name, node)))).toEqual([]);
  });
});

describe('types', () => {
  const isType = (node: Node): boolean => Node.isInterfaceDeclaration(node) || Node.isTypeAliasDeclaration(node);

  it.each(PUBLIC)('of $entry have an example: their own, or that of a function that takes or gives them', ({ all }) => {
    const types = all.filter(({ declarations }) => declarations.some(isType)).map(({ name }) => name);
    const examples = typeExamples(all);
    expect(types.filter((name) => !examples.has(name))).toEqual([]);
  });

  it('are shown by the function that is nearest; one that nothing names has none', () => {
    const source = `/** A. */ export interface A { b: B }
/** B. */ export interface B { n: 1 }
/** C. */ export interface C { n: 1 }
/** F.
 * @example
 * f(a);
 */
export function f(a: A): void {}
/** G.
 * @example
 * g(b);
 */
export function g(b: B): void {}`;
    // Types count that are of the package.
    const folder = new URL('../../src/planted.ts', import.meta.url).pathname;
    const file = new Project({ useInMemoryFileSystem: true }).createSourceFile(folder, source);
    const all = [...file.getExportedDeclarations()].map(([name, declarations]) => ({ name, declarations }));
    expect(Object.fromEntries(typeExamples(all))).toEqual({
      A: { from: 'f', code: 'f(a);' },
      B: { from: 'g', code: 'g(b);' },
    });
  });
});

describe('the rules notice', () => {
  it.each([
    ['export type A = 1;', ['A: no doc comment']],
    ['/** A. */ export type A = 1;', []],
    [
      '/** A. */ export interface A { run(): void }',
      ['A.run: no doc comment', 'A.run: no @example', 'A.run: no @throws'],
    ],
    ['/** A. */ export interface A {\n/** Runs.\n * @example\n * a.run();\n * @throws never\n */\nrun(): void }', []],
    ['/** F. @throws never */ export function f() {}', ['f: no @example']],
    ['/** C. */ export class C { m() {} #n() {} }', ['C.m: no doc comment', 'C.m: no @example', 'C.m: no @throws']],
  ])('%s', (source, expected) => {
    expect(faultsOf(source)).toEqual(expected);
  });
});

/** What an example may use without saying so. */
const prelude = (entry: string): string =>
  entry.startsWith('src/widget')
    ? `import type { TercetInferElement, WidgetAttributes } from '../../${entry}';
import { pipeline } from '../../src/sdk/index.ts';
`
    : `
import { ${entry.endsWith('node.ts') ? 'AuditLogger, KeyManager, MpcCoordinator, releaseWebRtc' : 'serveWebRtc'}, SecureTransformer,
  DataOwnerParty, MetricsCollector, checkPartyConnectivity, getHealthStatus, measureStep,
  GpuOutOfMemoryError, NetworkTimeoutError, SecurityViolationError, TercetError, capabilities,
  loadDeployment, pipeline, type Model, type Pipeline, type ProgressEvent,
  type TaskNamed, type Tensor } from '../../${entry}';
declare const model: Model;
declare const party: DataOwnerParty;
declare const collector: MetricsCollector;
${entry.endsWith('node.ts') ? 'declare const coordinator: MpcCoordinator; declare const auditLogger: AuditLogger; declare const keyManager: KeyManager;' : ''}
`;

function examplesOf(entry: string, all: (typeof PUBLIC)[number]['all']): readonly { name: string; code: string }[] {
  const found = new Map<string, string>();
  for (const { name, declarations } of all) {
    for (const node of declarations) {
      const holders = [{ name, node }, ...callablesOf(name, node)];
      for (const holder of holders) {
        for (const code of docOf(holder.node)?.examples ?? []) found.set(code, `${entry}: ${holder.name}`);
      }
    }
  }
  return [...found].map(([code, name]) => ({ name, code }));
}

/** Errors of the compiler in examples; each stands in a function of its own, so that names do not meet. */
function errorsIn(entry: string, examples: readonly { name: string; code: string }[]): string[] {
  const bodies = examples.map(({ code }, i) => `export async function example${i}() {\n${code}\n}\n`);
  const path = `test/types/examples-of-${entry.replace(/\W/g, '-')}.ts`;
  const file = project.createSourceFile(path, prelude(entry) + bodies.join(''), { overwrite: true });
  const starts = bodies.map((body) => file.getFullText().indexOf(body));
  const errors = file
    .getPreEmitDiagnostics()
    // Names that an example only shows, and imports that no example of this entry uses.
    .filter((diagnostic) => ![6133, 6192, 6196, 6198].includes(diagnostic.getCode()))
    .map((diagnostic) => {
      const at = diagnostic.getStart() ?? 0;
      const which = starts.findLastIndex((start) => start <= at);
      const text = diagnostic.getMessageText();
      return `${examples[which]?.name ?? 'prelude'}: ${typeof text === 'string' ? text : text.getMessageText()}`;
    });
  project.removeSourceFile(file);
  return errors;
}

describe('examples', () => {
  it.each(PUBLIC)('of $entry compile', ({ entry, all }) => {
    const examples = examplesOf(entry, all);
    expect(examples.length).toBeGreaterThan(entry.startsWith('src/widget') ? 4 : 15);
    expect(errorsIn(entry, examples)).toEqual([]);
  });

  it('that do not compile are noticed', () => {
    const [{ entry }] = PUBLIC;
    expect(errorsIn(entry, [{ name: 'planted', code: 'const { answer } = await model.predict(1);' }])).toEqual([
      expect.stringMatching(/^planted: .*'answer'/),
      expect.stringMatching(/^planted: .*'number'/),
    ]);
  });
});
