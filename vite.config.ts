import { readFileSync } from 'node:fs';
import { type Plugin, defineConfig } from 'vite';

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

/**
 * Modules of the worker that proofs, which few ask for, need as well. Left alone each becomes a file of its own, and
 * many small files compress badly.
 */
const SHARED = /attention-form|sha2|table-layout|cosine-(tables|sum)|exp-tables|ot-base|point-key|core\/(bytes|bits)/;

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
  worker: {
    format: 'es',
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'shared', test: SHARED, minShareCount: 2 }] } } },
  },
  // The pages of the development server. Left alone it looks for dependencies in the examples as well, which have their own.
  optimizeDeps: { entries: ['index.html', 'widget.html', 'widget-frame.html'] },
});
