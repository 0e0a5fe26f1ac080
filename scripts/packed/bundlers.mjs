// The same page built by each bundler as its users have it: without configuration, or with the line that the README
// gives for it.
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const PAGE = '<!doctype html><html lang="en"><title>wait</title><script type="module" src="./main.js"></script>';
const MAIN = `
import { pipeline } from 'tercet';
try {
  const fill = await pipeline('fill-mask', 'capitals-bert', { deployment: '/tercet.json' });
  document.title = (await fill('The capital of France is [MASK].')).flat()[0].token_str;
} catch (error) {
  document.title = error.code + ' ' + error.message;
}
`;

/** The README's line for esbuild and Rollup. */
const copied = (web, out) => cpSync(web, out, { recursive: true });

/** Where a bundler copies the page, because it knows scripts alone. */
const paged = (out) => writeFileSync(join(out, 'index.html'), PAGE);

const BUNDLERS = {
  async vite({ load, source, out }) {
    const { build } = await load('vite');
    // Quiet, and relative; the README's line is `worker: { format: 'es' }`.
    const build_ = { outDir: out, emptyOutDir: true, target: 'es2023' };
    await build({
      root: source,
      configFile: false,
      logLevel: 'error',
      base: './',
      worker: { format: 'es' },
      build: build_,
    });
  },
  async webpack({ load, source, out, quick }) {
    const { default: webpack } = await load('webpack');
    const compiler = webpack({
      context: source,
      entry: './main.js',
      mode: 'production',
      // Names in the output are as short as they like; making them so takes a quarter of a minute.
      ...(quick ? { optimization: { minimize: false } } : {}),
      output: { path: out, filename: 'main.js' },
    });
    const stats = await new Promise((resolve, reject) =>
      compiler.run((error, done) => (error ? reject(error) : resolve(done))),
    );
    if (stats.hasErrors()) throw new Error(stats.toString('errors-only'));
    paged(out);
  },
  async esbuild({ load, source, out, web }) {
    const { build } = await load('esbuild');
    await build({
      absWorkingDir: source,
      entryPoints: ['main.js'],
      bundle: true,
      format: 'esm',
      target: 'es2023',
      outdir: out,
      logLevel: 'error',
    });
    copied(web, out);
    paged(out);
  },
  async rollup({ load, source, out, web }) {
    const [{ rollup }, { nodeResolve }] = await Promise.all([load('rollup'), load('@rollup/plugin-node-resolve')]);
    const bundle = await rollup({ input: join(source, 'main.js'), plugins: [nodeResolve({ browser: true })] });
    await bundle.write({ dir: out, format: 'es' });
    await bundle.close();
    copied(web, out);
    paged(out);
  },
};

/**
 * Builds the page with each of them. @param folder where the package is installed, @param tools where the bundlers are,
 * @param pages folder for what is built, one beside the other, @param quick without making the output small
 */
export function bundlerBuilds({ folder, tools, pages, quick, names = Object.keys(BUNDLERS) }) {
  const from = createRequire(join(tools, 'package.json'));
  const load = (name) => import(pathToFileURL(from.resolve(name)).href);
  const web = join(folder, 'node_modules/tercet/dist/web');
  return names.map((name) => [
    `${name} finds worker, kernels and module`,
    async () => {
      const [source, out] = [join(folder, 'bundlers', name), join(pages, `by-${name}`)];
      mkdirSync(source, { recursive: true });
      mkdirSync(out, { recursive: true });
      writeFileSync(join(source, 'package.json'), '{ "type": "module" }');
      writeFileSync(join(source, 'index.html'), PAGE);
      writeFileSync(join(source, 'main.js'), MAIN);
      await BUNDLERS[name]({ load, source, out, web, quick });
      const files = readdirSync(out, { recursive: true }).filter((file) => /\.m?js$/.test(file));
      for (const file of files)
        if (/(?:from|import\()\s*["']node:/.test(readFileSync(join(out, file), 'utf8')))
          throw new Error(`${name} took parts for Node into ${file}`);
    },
  ]);
}
