// The command line as few files, dist/cli: a start finds, reads and compiles ten of them, where the compiler wrote
// hundreds (ADR 65). Packages stay outside. What the rest of dist/ has stays as it was compiled: the SDK in Node.
import { existsSync, rmSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const [SOURCES, OUT] = [at('src'), at('dist/cli')];

/**
 * Files that several commands need, in this order: each takes what these modules import, and what none before it
 * took. So a file imports from those above it only. What is left is split by who imports it.
 */
const FILES = [
  // A thread of its own each: the file that a thread is started from has little that it does not run.
  { name: 'kernel-thread', modules: ['compute/kernels/wasm/node-worker'] },
  { name: 'hash-thread', modules: ['node/hash-files'] },
  { name: 'proof-thread', modules: ['compute/kernels/wasm/proof-worker'] },
  { name: 'link-thread', modules: ['net/thread/link-thread-node'] },
  // What reads flags, and then what a party begins with while the daemon is read (ADR 43, 62).
  { name: 'flags', modules: ['cli/options', 'cli/settings'] },
  {
    name: 'commands',
    modules: ['infer', 'party', 'dealer', 'demo', 'identity', 'certificates', 'owner'].map((name) => `cli/${name}`),
  },
  { name: 'head-start', modules: ['daemon/head-start'] },
  { name: 'kernels', modules: ['compute/kernels/wasm/kernels'] },
  // What owners and compute parties have in common, and the party.
  { name: 'session', modules: ['session/circuit-for', 'session/secret-parameters', 'session/roles'] },
  { name: 'daemon', modules: ['daemon/daemon'] },
];

/** `new URL('beside.wasm', import.meta.url)` means the place of the source: said from where the bundle lies. */
const ADDRESS = /new URL\(\s*(['`])([^'`]+)\1,\s*import\.meta\.url/g;
const beside = (file, path) => {
  const target = resolve(dirname(file), path);
  if (!path.includes('${') && !existsSync(target) && !existsSync(target.replace(/\.js$/, '.ts')))
    throw new Error(`${path}, an address in ${file}, has no file`);
  const address = relative(resolve(SOURCES, 'cli'), target).replaceAll(sep, '/');
  return path.endsWith('/') ? `${address}/` : address;
};
const addresses = {
  name: 'addresses',
  // Lines stay where they are: no source map of its own is needed.
  transform: (code, id) => ({
    code: code.replace(ADDRESS, (whole, _quote, path) => whole.replace(path, beside(id, path))),
    map: null,
  }),
};

rmSync(OUT, { recursive: true, force: true });
const bundle = await rolldown({
  input: { main: at('src/cli/main.ts') },
  external: (id) => !id.startsWith('.') && !isAbsolute(id),
  plugins: [addresses],
  platform: 'node',
  logLevel: 'warn',
  // Two modules are imported at once by some commands and when needed by others.
  checks: { ineffectiveDynamicImport: false },
});
const { output } = await bundle.write({
  dir: OUT,
  format: 'es',
  entryFileNames: '[name].js',
  chunkFileNames: '[name]-[hash].js',
  comments: false,
  sourcemap: true,
  codeSplitting: {
    groups: FILES.map(({ name, modules }, i) => {
      const paths = modules.map((module) => resolve(SOURCES, `${module}.ts`));
      const gone = paths.find((path) => !existsSync(path));
      if (gone !== undefined) throw new Error(`${gone} is not there any more`);
      return { name, test: (id) => paths.includes(resolve(id)), priority: FILES.length - i };
    }),
  },
});
await bundle.close();

for (const { name } of FILES)
  if (!output.some(({ fileName }) => fileName.startsWith(`${name}-`))) throw new Error(`nothing is left for ${name}`);
