/** A page of `e2e/pages` that uses the SDK, built as its host would build it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

export interface BuiltPage {
  readonly folder: string;
  remove(): void;
}

export async function buildPage(name: string): Promise<BuiltPage> {
  const folder = mkdtempSync(join(tmpdir(), `tercet-page-${name}-`));
  await build({
    root: fileURLToPath(new URL(`../pages/${name}`, import.meta.url)),
    configFile: false,
    logLevel: 'error',
    base: './',
    worker: { format: 'es' },
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: 'es2023',
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
  });
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
