// publint and are-the-types-wrong on the tarball, from the examples' own lock file.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Resolutions that a package of modules alone does not have: those of CommonJS. */
const CJS = ['node10', 'node16-cjs'];

export async function lint(world, tarball) {
  const from = createRequire(join(world, 'package.json'));
  const load = (name) => import(pathToFileURL(from.resolve(name)).href);
  const [{ publint }, { formatMessage }] = await Promise.all([load('publint'), load('publint/utils')]);
  const bytes = new Uint8Array(readFileSync(tarball));
  const { messages, pkg } = await publint({ pack: { tarball: bytes.buffer }, strict: true });
  if (messages.length > 0) throw new Error(messages.map((message) => formatMessage(message, pkg)).join('\n'));

  const { checkPackage, createPackageFromTarballData } = await load('@arethetypeswrong/core');
  const { types, problems } = await checkPackage(createPackageFromTarballData(bytes));
  const wrong = problems.filter(({ resolutionKind }) => !CJS.includes(resolutionKind));
  if (types === false || wrong.length > 0) throw new Error(`the types are wrong: ${JSON.stringify(wrong)}`);
}
