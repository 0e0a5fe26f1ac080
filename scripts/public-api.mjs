// The public interface as the TypeScript API sees it: what src/sdk/index.ts (browsers) and src/sdk/node.ts export, and
// what those declarations name. Used by `npm run api` and by test/types.
import { fileURLToPath } from 'node:url';
import { Node, Project, SyntaxKind, TypeFormatFlags, ts } from 'ts-morph';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
export const ENTRIES = ['src/sdk/index.ts', 'src/sdk/node.ts', 'src/widget/types.ts'];
const PLACES = ['browsers', 'Node', 'the widget, types alone'];
/** Entries that are the first one somewhere else. */
const ALIKE = 2;

export function openProject() {
  const project = new Project({
    tsConfigFilePath: `${ROOT}tsconfig.json`,
    skipAddingFilesFromTsConfig: true,
  });
  project.addSourceFilesAtPaths(ENTRIES.map((entry) => ROOT + entry));
  project.resolveSourceFileDependencies();
  return project;
}

/** Names of an entry with what they declare, by name. */
export function exportsOf(project, entry) {
  const found = [...project.getSourceFileOrThrow(ROOT + entry).getExportedDeclarations()];
  return found.map(([name, declarations]) => ({ name, declarations })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

const isOurs = (node) => node.getSourceFile().getFilePath().startsWith(`${ROOT}src/`);
const isType = (node) =>
  Node.isInterfaceDeclaration(node) || Node.isTypeAliasDeclaration(node) || Node.isClassDeclaration(node);

/** Declarations of this package that a declaration's signature names, without those that are exported themselves. */
function named(declaration) {
  const bodies = declaration.getDescendantsOfKind(SyntaxKind.Block);
  const inBody = (node) => bodies.some((body) => body.getPos() <= node.getPos() && node.getEnd() <= body.getEnd());
  return declaration
    .getDescendantsOfKind(SyntaxKind.Identifier)
    .filter((identifier) => !inBody(identifier))
    .flatMap((identifier) => identifier.getSymbol()?.getAliasedSymbol() ?? identifier.getSymbol() ?? [])
    .flatMap((symbol) => symbol.getDeclarations())
    .filter((node) => isType(node) && isOurs(node) && node !== declaration);
}

/** What the exports of an entry name beside themselves, by name. */
export function hidden(exported) {
  const known = new Set(exported.flatMap(({ declarations }) => declarations));
  const queue = [...known];
  const found = new Map();
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    for (const node of named(next)) {
      if (known.has(node)) continue;
      known.add(node);
      queue.push(node);
      found.set(node.getName(), node);
    }
  }
  return [...found].map(([name, node]) => ({ name, declarations: [node] })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

const FLAGS = TypeFormatFlags.NoTruncation | TypeFormatFlags.UseAliasDefinedOutsideCurrentScope;
const short = (text) =>
  text
    .replace(/import\("[^"]*"\)\./g, '')
    .replace(/\s+/g, ' ')
    .trim();

/** Lines of a declaration without comments, initial values and bodies. */
function linesOf(name, node) {
  if (Node.isVariableDeclaration(node)) return [`const ${name}: ${short(node.getType().getText(node, FLAGS))};`];
  if (Node.isFunctionDeclaration(node)) {
    const calls = node.getType().getCallSignatures();
    return calls.map((call) => `function ${name}${short(callText(call, node))};`);
  }
  if (Node.isClassDeclaration(node)) {
    const extended = node.getExtends();
    const head = `class ${name}${extended === undefined ? '' : ` extends ${short(extended.getText())}`} {`;
    const members = node.getMembers().filter((member) => !member.getName?.().startsWith('#'));
    return [head, ...members.map((member) => `  ${memberText(member)}`).sort(), '}'];
  }
  const text = withoutComments(node).replace(/^export /, '');
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
}

function callText(call, node) {
  const parameters = call.getParameters().map((parameter) => {
    const declared = parameter.getValueDeclaration();
    const optional = Node.isParameterDeclaration(declared) && declared.isOptional() ? '?' : '';
    return `${parameter.getName()}${optional}: ${parameter.getTypeAtLocation(node).getText(node, FLAGS)}`;
  });
  return `(${parameters.join(', ')}): ${call.getReturnType().getText(node, FLAGS)}`;
}

function memberText(member) {
  if (Node.isConstructorDeclaration(member))
    return `constructor(${member
      .getParameters()
      .map((parameter) => short(parameter.getText()))
      .join(', ')});`;
  if (Node.isMethodDeclaration(member)) {
    const [call] = member.getType().getCallSignatures();
    return `${member.getName()}${short(callText(call, member))};`;
  }
  const type = member.getType?.();
  const readonly = member.isReadonly?.() ? 'readonly ' : '';
  return `${readonly}${short(member.getName?.() ?? member.getText())}: ${short(type?.getText(member, FLAGS) ?? '')};`;
}

const PRINTER = ts.createPrinter({ removeComments: true });

function withoutComments(node) {
  const text = PRINTER.printNode(ts.EmitHint.Unspecified, node.compilerNode, node.getSourceFile().compilerNode);
  return text.replace(/^( {4})+/gm, (indent) => indent.slice(indent.length / 2));
}

const block = ({ name, declarations }) => declarations.map((node) => linesOf(name, node).join('\n')).join('\n');

/** The report: what a program can rely on, in one place, for people who read a difference. */
export function report(project) {
  const parts = [
    '# Public interface\n',
    'What the package exports. Made by `npm run api`; the check lane compares it. A change here is a change for users:',
    'it goes into CHANGELOG.md.\n',
  ];
  for (const [i, entry] of ENTRIES.entries()) {
    const all = exportsOf(project, entry);
    const first =
      i === 0 || i >= ALIKE ? new Map() : new Map(exportsOf(project, ENTRIES[0]).map((one) => [one.name, block(one)]));
    const own = all.filter((one) => first.get(one.name) !== block(one));
    const missing = [...first.keys()].filter((name) => !all.some((one) => one.name === name));
    parts.push(`## \`${entry}\`: ${PLACES[i]}\n`);
    if (i > 0 && i < ALIKE) parts.push(`The same as in browsers, without ${missing.join(', ') || 'nothing'}, and:\n`);
    parts.push('```ts', own.map(block).join('\n\n'), '```\n');
    const beside = i === 0 ? hidden(all) : [];
    if (beside.length > 0)
      parts.push('Not exported, and named above:\n', '```ts', beside.map(block).join('\n\n'), '```\n');
  }
  return `${parts.join('\n').trimEnd()}\n`;
}

/** Doc comment of a node, or of the statement around it: description and tags. */
export function docOf(node) {
  const holder = Node.isVariableDeclaration(node) ? node.getVariableStatementOrThrow() : node;
  if (!Node.isJSDocable(holder)) return undefined;
  const docs = holder.getJsDocs();
  if (docs.length === 0) return undefined;
  const tags = docs.flatMap((doc) => doc.getTags());
  const texts = (name) => tags.filter((tag) => tag.getTagName() === name).map((tag) => tag.getCommentText() ?? '');
  return {
    description: docs.map((doc) => doc.getDescription().trim()).join('\n'),
    // The raw text of examples: code is no markup.
    examples: docs.flatMap((doc) => examplesOf(doc.getInnerText())),
    throws: texts('throws').length,
  };
}

function examplesOf(text) {
  return text
    .split(/^@/m)
    .filter((part) => part.startsWith('example'))
    .map((part) => part.slice('example'.length).trim());
}

/** Functions and methods that a declaration gives to its users: they need an example and what they throw. */
export function callablesOf(name, node) {
  if (Node.isFunctionDeclaration(node)) return [{ name, node }];
  if (Node.isVariableDeclaration(node)) {
    if (node.getType().getCallSignatures().length > 0) return [{ name, node }];
    // An object of functions: those are declared elsewhere.
    return node
      .getType()
      .getProperties()
      .flatMap((property) =>
        property
          .getTypeAtLocation(node)
          .getCallSignatures()
          .map((call) => ({
            name: `${name}.${property.getName()}`,
            node: call.getDeclaration(),
          })),
      );
  }
  const members = [
    ...(Node.isInterfaceDeclaration(node) ? node.getMethods() : []),
    ...(Node.isClassDeclaration(node) ? node.getInstanceMethods().filter((m) => !m.getName().startsWith('#')) : []),
    ...(Node.isTypeAliasDeclaration(node) ? node.getDescendantsOfKind(SyntaxKind.MethodSignature) : []),
  ];
  return members.map((member) => ({ name: `${name}.${member.getName()}`, node: member }));
}

/**
 * An example for each type, by its name: its own, or that of the function which is nearest to it. A function that
 * names the type is nearer than one that names what holds it.
 */
export function typeExamples(all) {
  const holders = all.flatMap(({ name, declarations }) =>
    declarations.flatMap((node) => [{ name, node }, ...callablesOf(name, node)]),
  );
  let front = holders.flatMap(({ name, node }) =>
    (docOf(node)?.examples ?? []).slice(0, 1).map((code) => ({ node, example: { from: name, code } })),
  );
  const found = new Map(front.map(({ node, example }) => [node, example]));
  while (front.length > 0) {
    const next = [];
    for (const { node, example } of front) {
      for (const type of named(node)) {
        if (found.has(type)) continue;
        found.set(type, example);
        next.push({ node: type, example });
      }
    }
    front = next;
  }
  return new Map(
    all.flatMap(({ name, declarations }) =>
      declarations.filter((node) => isType(node) && found.has(node)).map((node) => [name, found.get(node)]),
    ),
  );
}
