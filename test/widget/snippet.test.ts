/** The tag that hosts copy, and the weight of the script that it names. */
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { snippetOf, widgetScriptOf } from '../../src/widget/snippet.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SCRIPT = { script: 'tercet-widget-AbCd_123.js', integrity: 'sha384-abc' };
/** Of the script that stands on other people's pages, compressed. */
const MOST_BYTES = 8_000;

describe('the tag', () => {
  it('names script, hash, model, task and deployment, and no more than was asked for', () => {
    expect(snippetOf(SCRIPT, 'https://alder.example/', { model: 'sst2-bert', task: 'text-classification' })).toBe(
      '<script type="module" src="https://alder.example/tercet-widget-AbCd_123.js" integrity="sha384-abc" crossorigin></script>\n' +
        '<tercet-infer model="sst2-bert" task="text-classification" deployment="https://alder.example/tercet.json"></tercet-infer>',
    );
    const more = { model: 'a"><b>', task: 't', theme: 'dark', shareResult: true };
    expect(snippetOf(SCRIPT, 'https://alder.example/', more)).toContain(
      'model="a&#34;&#62;&#60;b&#62;" task="t" deployment="https://alder.example/tercet.json" theme="dark" share-result>',
    );
  });

  it('is made of what the build wrote', () => {
    expect(widgetScriptOf(SCRIPT)).toEqual(SCRIPT);
    for (const value of [undefined, null, 'x', { script: 'x' }]) expect(widgetScriptOf(value)).toBeUndefined();
  });
});

describe('the script', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tercet-widget-'));
  let code = '';
  let told: { readonly script: string; readonly integrity: string };

  beforeAll(async () => {
    await build({
      configFile: `${ROOT}vite.widget.config.ts`,
      root: ROOT,
      mode: 'loader',
      logLevel: 'error',
      build: { outDir: folder },
    });
    told = JSON.parse(readFileSync(join(folder, 'widget.json'), 'utf8')) as typeof told;
    code = readFileSync(join(folder, told.script), 'utf8');
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is light, and one file: its hash covers all that runs at once', () => {
    expect(gzipSync(code).length).toBeLessThan(MOST_BYTES);
    expect(code).not.toMatch(/^\s*import\s*[\w{"'`]/m);
    expect(told.integrity).toBe(`sha384-${createHash('sha384').update(code).digest('base64')}`);
    expect(told.script).toMatch(/^tercet-widget-[\w-]{8}\.js$/);
  });

  it('makes no markup from text, and stores nothing', () => {
    expect(code).not.toMatch(/innerHTML|insertAdjacentHTML|document\.write|localStorage|srcdoc|eval\(/);
  });
});
