import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Plugin, defineConfig } from 'vite';
import { WIDGET_FILE } from './src/widget/snippet.ts';
import { withoutComments, worker } from './vite.config.ts';

/**
 * The widget, beside the web app in `dist/app` and apart from it: no file of the one is loaded for the other.
 * `--mode loader` makes the one script that stands on other people's pages, `--mode pages` the frame and the page where
 * one chooses a tag.
 */
// biome-ignore lint/style/noDefaultExport: vite reads a default export
export default defineConfig(({ mode }) => ({
  base: './',
  plugins: mode === 'loader' ? [named()] : [withoutComments()],
  build: {
    outDir: 'dist/app',
    emptyOutDir: false,
    copyPublicDir: false,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: mode === 'loader' ? false : { polyfill: false },
    rolldownOptions: {
      checks: { pluginTimings: false },
      ...(mode === 'loader'
        ? {
            input: 'src/widget/loader.ts',
            output: {
              // Beside the frame, which it finds by its own address; a name that tells what is in it.
              entryFileNames: 'tercet-widget-[hash].js',
              chunkFileNames: 'assets/[name]-[hash].js',
            },
          }
        : { input: ['widget.html', 'widget-frame.html'] }),
    },
  },
  worker,
}));

/** Says beside the page which script it is, and its hash: of the file as it was written, after all that changes it. */
function named(): Plugin {
  return {
    name: 'widget-script',
    writeBundle({ dir = '' }, bundle) {
      const entry = Object.values(bundle).find((file) => file.type === 'chunk' && file.isEntry);
      if (entry?.type !== 'chunk') throw new Error('the build has no script for other pages');
      // Its hash covers no other file: what it loads at once would run unchecked.
      if (entry.imports.length > 0) throw new Error(`the widget's script loads ${entry.imports.join(', ')}`);
      const hash = createHash('sha384').update(readFileSync(join(dir, entry.fileName)));
      const found = { script: entry.fileName, integrity: `sha384-${hash.digest('base64')}` };
      writeFileSync(join(dir, WIDGET_FILE), `${JSON.stringify(found)}\n`);
    },
  };
}
