/**
 * The web app over the scripted SDK of dev/scripted: every state of the page without a party, as fast as it is
 * drawn. For measuring the page itself.
 */
import { fileURLToPath } from 'node:url';
import { test as base } from '@playwright/test';
import { type PreviewServer, build, preview } from 'vite';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CONFIG = fileURLToPath(new URL('../../dev/scripted/vite.config.ts', import.meta.url));

export const test = base.extend<object, { readonly scripted: string }>({
  /** Address of the page. */
  scripted: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what a fixture needs from this pattern
    async ({}, use) => {
      await build({ configFile: CONFIG, root: ROOT, logLevel: 'warn' });
      const server: PreviewServer = await preview({
        configFile: CONFIG,
        root: ROOT,
        preview: { port: 0, host: '127.0.0.1' },
      });
      const address = server.httpServer.address();
      await use(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/`);
      await server.close();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
});

export { expect } from '@playwright/test';
