// `npm run dev [-- --port 5173]`: the page with hot reload, on two live compute parties of this machine.
//
// Vite serves index.html and src/ as they are: a style that is edited is swapped, anything else reloads the page, the
// worker with the data owner's party included. The compute parties and the deployment document are those of
// `tercet demo`, compiled: what they run changes with `npm run build` and a new start. After an edit of shaders/ run
// `npm run build:shaders`, of wasm/ `npm run build:wasm`; the page reloads by itself, the parties need a new start.
// The widget's pages are there as well: /widget.html, and the frame that it draws.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createServer } from 'vite';
import { defaultThreads, embeddedModel, embeddedModels, stateFolder } from '../dist/node/defaults.js';
import { serveLocalPage } from '../dist/server/local-page.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const HOST = '127.0.0.1';
const { values } = parseArgs({ options: { port: { type: 'string', default: '5173' } } });
const port = Number(values.port);
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort());

console.log('  starting two compute parties');
const local = await serveLocalPage({
  entry: join(ROOT, 'dist/cli/main.js'),
  models: embeddedModels(),
  vectors: [embeddedModel('feature-extraction')],
  port: 0,
  origins: [`http://${HOST}:${port}`, `http://localhost:${port}`],
  certificates: join(stateFolder(), 'certificates'),
  device: 'auto',
  threads: defaultThreads(),
  signal: stop.signal,
  debug: true,
});
/** What the built page's server has and Vite has not. */
const proxy = Object.fromEntries(['/tercet.json', '/models'].map((path) => [path, { target: local.url }]));
/** What the build writes beside the widget's script, and what of its addresses a folder of sources has elsewhere. */
const widget = {
  name: 'widget-of-sources',
  configureServer({ middlewares }) {
    middlewares.use('/widget.json', (_request, response) =>
      response.end(JSON.stringify({ script: '/src/widget/loader.ts', integrity: '' })),
    );
  },
  transform: (code, id) =>
    id.endsWith('/src/widget/element.ts')
      ? code.replaceAll("'./widget-frame.html'", "'/widget-frame.html'").replaceAll("'./tercet.json'", "'/tercet.json'")
      : undefined,
};
const page = await createServer({
  root: ROOT,
  configFile: join(ROOT, 'vite.config.ts'),
  server: { host: HOST, port, strictPort: true, proxy },
  plugins: [
    { ...widget, enforce: 'pre' },
    {
      name: 'styles-of-vite',
      // Vite puts styles into the page itself; the built page forbids that.
      transformIndexHtml: (html) => html.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'"),
    },
  ],
});
await page.listen();
console.log(
  `  In your browser:  http://${HOST}:${port}/ and http://${HOST}:${port}/widget.html\n  Credentials for secret weights: ${local.credentials}\n`,
);
await Promise.race([new Promise((resolve) => stop.signal.addEventListener('abort', resolve)), local.failed]).catch(
  (error) => console.error(error),
);
await page.close();
await local.stop();
