// Writes shaders/ into src/compute/kernels/webgpu/shaders.generated.ts: one string per file, so that no bundler or
// file access is needed at run time. Those of proofs (`proof-*`) are a file of their own: who proves nothing loads none. `--check` compares instead. Comments and indentation stay in the sources; a
// `// uses:` line becomes the list of files that go in front.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'shaders');
const target = (name) => join(root, `src/compute/kernels/webgpu/${name}.generated.ts`);

function entry(file) {
  const text = readFileSync(join(folder, file), 'utf8');
  const uses = /^\/\/ uses: (.+)$/m.exec(text)?.[1].split(' ') ?? [];
  const lines = text
    .split('\n')
    .map((line) => line.replace(/\/\/.*$/, '').trim())
    .filter((line) => line !== '');
  const source = lines.map((line) => `${line}\n`).join('');
  if (/[`\\$]/.test(source)) throw new Error(`${file}: a character that needs escaping`);
  const list = uses.map((name) => `'${name}'`).join(', ');
  return `  '${file.replace(/\.wgsl$/, '')}': {\n    uses: [${list}],\n    source: \`${source}\`,\n  },\n`;
}

const files = readdirSync(folder, { recursive: true })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.wgsl'))
  .sort();
const ofProofs = (file) => /(^|\/)proof-/.test(file);

function text(table, own, head) {
  return (
    `/** Generated from shaders/ by scripts/build-shaders.mjs. Do not edit. */\n\n${head}\n\n` +
    `export const ${table}: Readonly<Record<string, ShaderSource>> = {\n${own.map(entry).join('')}};\n`
  );
}

const SOURCE = `export interface ShaderSource {\n  readonly uses: readonly string[];\n  readonly source: string;\n}`;
const outputs = [
  [
    'shaders',
    text(
      'SHADERS',
      files.filter((file) => !ofProofs(file)),
      SOURCE,
    ),
  ],
  [
    'proof-shaders',
    text('PROOF_SHADERS', files.filter(ofProofs), `import type { ShaderSource } from './shaders.generated.ts';`),
  ],
];

for (const [name, made] of outputs) {
  if (!process.argv.includes('--check')) {
    writeFileSync(target(name), made);
    console.log(`${name}: ${made.length} bytes`);
  } else if (readFileSync(target(name), 'utf8') === made) {
    console.log(`${name}.generated.ts is up to date`);
  } else {
    console.error(`${name}.generated.ts differs from shaders/: run node scripts/build-shaders.mjs`);
    process.exit(1);
  }
}
