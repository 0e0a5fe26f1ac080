import { defineConfig } from 'vite';

/**
 * The web app: `index.html` and `src/app` to `dist/app`, all URLs relative, nothing inlined (the page's CSP forbids
 * `data:`).
 */
// biome-ignore lint/style/noDefaultExport: vite reads a default export
export default defineConfig({
  base: './',
  build: {
    outDir: 'dist/app',
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  worker: { format: 'es' },
});
