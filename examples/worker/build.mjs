// esbuild leaves `new URL('./file', import.meta.url)` as it stands, so the SDK's files are copied beside the output:
// the line `cpSync` is all that it needs. Rollup likewise.
import { cpSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
await build({
  entryPoints: [at('page.js'), at('worker.js')],
  bundle: true,
  format: 'esm',
  target: 'es2023',
  splitting: true,
  outdir: at('dist'),
});
cpSync(fileURLToPath(new URL('./dist/web', import.meta.resolve('tercet/package.json'))), at('dist'), { recursive: true });
cpSync(at('index.html'), at('dist/index.html'));
