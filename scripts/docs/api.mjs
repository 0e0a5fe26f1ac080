// The API reference: TypeDoc on what the package exports, as Markdown pages of the site. Examples and errors are those
// of the doc comments, which test/types/public-docs.test.ts compiles.
import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { ENTRIES, exportsOf, hidden, openProject, typeExamples } from '../public-api.mjs';
import { ROOT } from './pages.mjs';

/** @param site where TypeDoc is installed @param out a folder */
export function apiPages(site, out) {
  const options = join(site, '.pages/typedoc.json');
  const settings = {
    entryPoints: ENTRIES.map((entry) => join(ROOT, entry)),
    tsconfig: join(ROOT, 'tsconfig.json'),
    plugin: ['typedoc-plugin-markdown'],
    out,
    entryFileName: 'index.md',
    readme: 'none',
    name: 'API',
    // Checked by the check lane, with the compiler of the project.
    skipErrorChecking: true,
    disableSources: true,
    excludeInternal: true,
    excludePrivate: true,
    excludeExternals: true,
    hideBreadcrumbs: true,
    hidePageHeader: true,
    useCodeBlocks: true,
    expandObjects: true,
    parametersFormat: 'table',
    validation: { notExported: false, invalidLink: true, invalidPath: false },
    gitRevision: 'main',
    githubPages: false,
    logLevel: 'Warn',
  };
  writeFileSync(options, JSON.stringify(settings));
  const args = [join(site, 'node_modules/typedoc/bin/typedoc'), '--options', relative(site, options)];
  const { status } = spawnSync(process.execPath, args, { cwd: site, stdio: 'inherit' });
  if (status !== 0) throw new Error('TypeDoc failed');
  showTypes(out);
}

/** The page of a type without an example gets that of a function that takes or gives it. */
function showTypes(out) {
  const project = openProject();
  const all = ENTRIES.flatMap((entry) => exportsOf(project, entry));
  const examples = typeExamples([...all, ...hidden(all)]);
  const pages = readdirSync(out, { recursive: true }).filter((file) => /(?:interfaces|type-aliases)[\\/]/.test(file));
  for (const page of pages) {
    const path = join(out, page);
    const example = examples.get(basename(page, '.md'));
    if (example === undefined || /^#+ Example/m.test(readFileSync(path, 'utf8'))) continue;
    appendFileSync(path, `\n## Example\n\nFrom \`${example.from}\`:\n\n\`\`\`ts\n${example.code}\n\`\`\`\n`);
  }
}
