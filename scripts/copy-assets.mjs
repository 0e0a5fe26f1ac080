// What the TypeScript compiler does not carry from src to dist: the WebAssembly modules, and the names of workers in
// URLs.
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

for (const name of ['tercet', 'proof', 'fold'])
  copyFileSync(
    new URL(`../src/compute/kernels/wasm/${name}.wasm`, import.meta.url),
    new URL(`../dist/compute/kernels/wasm/${name}.wasm`, import.meta.url),
  );

// `new URL('./worker.ts', import.meta.url)` is how bundlers find a worker; the compiler rewrites imports only.
const sdk = fileURLToPath(new URL('../dist/sdk', import.meta.url));
for (const name of readdirSync(sdk, { recursive: true }).filter((file) => file.endsWith('.js'))) {
  const path = join(sdk, name);
  const before = readFileSync(path, 'utf8');
  const after = before.replace(/new URL\('([^']+)\.ts', import\.meta\.url\)/g, "new URL('$1.js', import.meta.url)");
  if (after !== before) writeFileSync(path, after);
}
