import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Plugin, type UserConfig, defineConfig } from 'vite';

/** What the footer links to: whoever serves the page serves these beside it, so no link leads to somebody else. */
const DOCUMENTS = { 'licence.txt': 'LICENSE', 'security.txt': 'docs/SECURITY.md' };

function documents(): Plugin {
  return {
    name: 'documents',
    generateBundle() {
      for (const [fileName, path] of Object.entries(DOCUMENTS))
        this.emitFile({ type: 'asset', fileName, source: readFileSync(new URL(path, import.meta.url)) });
    },
  };
}

/** Comments and indentation of the page are for who edits it: they are not served. Its texts collapse white space. */
export function withoutComments(): Plugin {
  return {
    name: 'without-comments',
    transformIndexHtml: (html) => html.replace(/\s*<!--.*?-->/gs, '').replace(/\n\s+/g, '\n'),
  };
}

/** How sources start a worker: by its address beside them. */
const STARTED = /(?<=new Worker\(\s*)new URL\(\s*'(\.[^']+)',\s*import\.meta\.url,?\s*\)/g;

/**
 * A worker that a worker starts becomes a file of the same bundle, and what both need is fetched once. Left alone it
 * gets a bundle of its own, with a second copy of all that. Its name is behind the first one's in the alphabet: Vite
 * takes the first entry for the worker that the page starts.
 */
function startedByWorkers(): Plugin {
  return {
    name: 'started-by-workers',
    enforce: 'pre',
    transform(code, id) {
      const changed = code.replace(STARTED, (_, path: string) => {
        const file = this.emitFile({ type: 'chunk', id: resolve(dirname(id), path), name: 'workers-kernels' });
        return `import.meta.ROLLDOWN_FILE_URL_${file}`;
      });
      // Longer by letters within one line.
      return changed === code ? null : { code: changed, map: null };
    },
  };
}

/**
 * Modules of the worker that its kernel workers, or proofs, which few ask for, need as well. Left alone each becomes a
 * file of its own, and many small files compress badly.
 */
const SHARED =
  /attention-form|sha2|table-layout|cosine-(tables|sum)|exp-tables|ot-base|point-key|core\/(bytes|bits)|kernels\/wasm\/instance/;

/** Workers of the web app and of the widget. */
export const worker: UserConfig['worker'] = {
  format: 'es',
  plugins: () => [startedByWorkers()],
  rolldownOptions: {
    checks: { pluginTimings: false },
    output: { codeSplitting: { groups: [{ name: 'shared', test: SHARED, minShareCount: 2 }] } },
  },
};

/**
 * The web app: `index.html` and `src/app` to `dist/app`, all URLs relative, nothing inlined (the page's CSP forbids
 * `data:`).
 */
// biome-ignore lint/style/noDefaultExport: vite reads a default export
export default defineConfig({
  base: './',
  plugins: [documents(), withoutComments()],
  build: {
    outDir: 'dist/app',
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  worker,
  // The pages of the development server. Left alone it looks for dependencies in the examples as well, which have their own.
  optimizeDeps: { entries: ['index.html', 'widget.html', 'widget-frame.html'] },
});
