/** Documents of the repository, and the blocks of code in them. */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const FOLDERS = ['docs', 'examples', 'models', 'bench', 'training', 'test', 'shaders', 'wasm', 'src'];

/** Every document, by its path. What `npm run api` and `npm run docs` write is not one. */
const DOCUMENTS: readonly string[] = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...FOLDERS.flatMap((folder) =>
    readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md') && !/(?:^|\/)(?:node_modules|site)\//.test(name))
      .map((name) => `${folder}/${name}`),
  ),
].filter((file) => !file.startsWith('docs/api/'));

export interface Block {
  readonly file: string;
  /** What stands behind the fence; empty for output, formulas and drawings. */
  readonly language: string;
  readonly code: string;
}

export const blocksOf = (file: string, text = readFileSync(`${ROOT}${file}`, 'utf8')): Block[] =>
  [...text.matchAll(/^ *```(\S*)[^\n]*\n([\s\S]*?)^ *```/gm)].map(([, language, code]) => ({ file, language, code }));

export const BLOCKS: readonly Block[] = DOCUMENTS.flatMap((file) => blocksOf(file));
