import { defineConfig, mergeConfig } from 'vite';
import app from '../../vite.config.ts';

/** The same page over the scripted SDK: `npx vite --config dev/scripted/vite.config.ts`. */
// biome-ignore lint/style/noDefaultExport: vite reads a default export
export default mergeConfig(
  app,
  defineConfig({
    build: { outDir: 'dist/app-dev' },
    plugins: [
      {
        name: 'scripted-sdk',
        transformIndexHtml: {
          order: 'pre',
          handler: (html) => html.replace('/src/app/main.ts', '/dev/scripted/main.ts'),
        },
      },
    ],
  }),
);
