// The SDK for browsers as one folder, dist/web: no import leaves it, and its files find each other by name, side by
// side. A page without a bundler takes it as it is; a bundler finds worker, kernels and module by their addresses, or
// copies the folder beside what it builds.
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const OUT = at('dist/web');
const MODULES = ['owner.wasm', 'proof.wasm'];
/** Files with a name of their own, and what they are built from. */
const ENTRIES = {
  tercet: at('src/sdk/index.ts'),
  'tercet-worker': at('src/sdk/worker/worker.ts'),
  'tercet-kernels': at('src/compute/kernels/wasm/web-worker.ts'),
};
/** What stands in the sources, and beside the built files. */
const ADDRESSES = new Map([
  ['./worker/worker.ts', './tercet-worker.js'],
  ['../../compute/kernels/wasm/web-worker.ts', './tercet-kernels.js'],
  ...MODULES.map((name) => [`../../compute/kernels/wasm/${name}`, `./${name}`]),
]);

const written = new Set();
const addresses = {
  name: 'addresses',
  transform: (code) =>
    code.includes('import.meta.url')
      ? code.replace(/new URL\(\s*'([^']+)',\s*import\.meta\.url,?\s*\)/g, (whole, path) => {
          const beside = ADDRESSES.get(path);
          if (beside === undefined) throw new Error(`dist/web has no place for ${path}`);
          written.add(path);
          return whole.replace(path, beside);
        })
      : null,
};

rmSync(OUT, { recursive: true, force: true });
const bundle = await rolldown({ input: ENTRIES, plugins: [addresses], platform: 'browser', logLevel: 'warn' });
const { output } = await bundle.write({
  dir: OUT,
  format: 'es',
  entryFileNames: '[name].js',
  chunkFileNames: 'tercet-[name]-[hash].js',
  minify: true,
});
await bundle.close();

// Bundlers look for addresses in quotes; the minifier writes them as templates.
const TEMPLATE = /new URL\(`(\.\/[^`$]+)`,import\.meta\.url\)/g;
for (const { fileName } of output) {
  const path = `${OUT}/${fileName}`;
  writeFileSync(path, readFileSync(path, 'utf8').replace(TEMPLATE, 'new URL("$1",import.meta.url)'));
}
for (const name of MODULES) copyFileSync(at(`src/compute/kernels/wasm/${name}`), `${OUT}/${name}`);

if (written.size !== ADDRESSES.size) throw new Error('an address that is not in the sources any more');
const names = new Set(output.map(({ fileName }) => fileName));
for (const { fileName, imports = [], dynamicImports = [] } of output)
  for (const name of [...imports, ...dynamicImports])
    if (!names.has(name)) throw new Error(`dist/web/${fileName} imports ${name}, which is not beside it`);
