/**
 * What the site is made of, without building it: every document has a place, links lead to pages, and every error code
 * has the paragraph that `documentation` names. The build itself fails on dead links (`npm run docs`).
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { withCosts } from '../../scripts/docs/costs.mjs';
import { withWidgets } from '../../scripts/docs/live.mjs';
import { MENU, SOURCES, anchor, asText, placeOf, withLinks } from '../../scripts/docs/pages.mjs';
import { ERROR_CODES, TercetError } from '../../src/core/errors.ts';
import { TASKS } from '../../src/ml/tasks/table.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string) => readFileSync(`${ROOT}${file}`, 'utf8');

describe('every document', () => {
  it('below docs is a page, and pages have places of their own', () => {
    const all = ['docs', 'docs/tasks', 'docs/guides', 'docs/adr'].flatMap((folder) =>
      readdirSync(`${ROOT}${folder}`).flatMap((name) => (name.endsWith('.md') ? [`${folder}/${name}`] : [])),
    );
    expect(all.filter((file) => !SOURCES.includes(file))).toEqual([]);
    expect(SOURCES.filter((file) => !existsSync(`${ROOT}${file}`))).toEqual([]);
    expect(new Set(SOURCES.map(placeOf)).size).toBe(SOURCES.length);
    expect(MENU.flatMap(({ sources }) => sources).length).toBeGreaterThan(25);
  });

  it('links to pages that are there, from where it is', () => {
    const places = new Set(SOURCES.map((source) => `${placeOf(source)}.md`));
    for (const source of SOURCES) {
      const words = withLinks(source, read(source)).replace(/^```[\s\S]*?^```|`[^`\n]*`/gm, '');
      for (const [, target] of words.matchAll(/\]\(((?![a-z]+:|#|\/pictures)[^)]+)\)/g)) {
        const page = new URL(target, `file:///${placeOf(source)}.md`).pathname.slice(1);
        expect(places, `${source}: ${target}`).toContain(page);
      }
    }
  });

  it('shows pictures that are there', () => {
    const shown = SOURCES.flatMap((source) =>
      [...withLinks(source, read(source)).matchAll(/!\[[^\]]*\]\(\/(pictures\/[^)]+)\)/g)].map(([, path]) => path),
    );
    expect(shown.length).toBeGreaterThan(10);
    expect(shown.filter((path) => !existsSync(`${ROOT}docs/${path}`))).toEqual([]);
  });

  it('has links to files as paths, and code and templates as they are', () => {
    expect(withLinks('docs/X.md', '[S](SECURITY.md#ranges) [a](adr/0047-documents-stay-where-they-are.md)')).toBe(
      '[S](./security.md#ranges) [a](./adr/0047-documents-stay-where-they-are.md)',
    );
    expect(withLinks('docs/tasks/x.md', '[t](../TASKS.md), [`src/owner`](../../src/owner), `[x](y)`')).toBe(
      '[t](../tasks.md), `src/owner/`, `[x](y)`',
    );
    expect(withLinks('docs/X.md', '[e](../examples)')).toBe('[e](./examples/index.md)');
    expect(asText('a vec2<u32> and {{ x }}, `b<c>`')).toBe('a vec2&lt;u32> and &#123;&#123; x }}, `b<c>`');
  });
});

describe('error codes', () => {
  const headings = [...read('docs/ERRORS.md').matchAll(/^### (.*)$/gm)].map(([, heading]) => heading);

  it('have a paragraph each, and no others do', () => {
    expect([...headings].sort()).toEqual([...ERROR_CODES].sort());
  });

  it('link to it', () => {
    const anchors = headings.map((heading) => `${placeOf('docs/ERRORS.md')}.html#${anchor(heading)}`);
    for (const code of ERROR_CODES) expect(anchors).toContain(new TercetError(code, 'x', 'y').documentation);
    expect(new TercetError('ERR_NO_MASK', 'x', 'y').documentation).toBe('errors.html#err_no_mask');
  });
});

describe('task pages', () => {
  it('are there for every task', () => {
    const pages = readdirSync(`${ROOT}docs/tasks`).map((name) => name.replace('.md', ''));
    expect(pages.sort()).toEqual([...TASKS].sort());
  });

  it('have a picture, or with a deployment a live widget in its place', () => {
    const page = withLinks('docs/tasks/fill-mask.md', read('docs/tasks/fill-mask.md'));
    expect(withWidgets(page, undefined)).toContain('](/pictures/answer.png)');
    const live = withWidgets(page, 'https://tercet.example/tercet.json');
    expect(live).toContain(
      '<tercet-infer model="capitals-bert" task="fill-mask" deployment="https://tercet.example/tercet.json">',
    );
    expect(live).not.toContain('/pictures/');
  });

  it('are live for every task that a deployment serves without being told to', () => {
    // Vectors are a model of their own, which an operator names.
    const live = TASKS.filter((task) =>
      withWidgets(read(`docs/tasks/${task}.md`), 'https://x').includes('<tercet-infer'),
    );
    expect(live).toEqual(TASKS.filter((task) => task !== 'feature-extraction'));
  });
});

it('the page of costs gets its tables', () => {
  const page = withCosts(read('docs/COSTS.md'), [{ name: 'some-model', printed: '\n  tokens 16\n' }]);
  expect(page).toMatch(/### some-model\n\n```\n {2}tokens 16\n```/);
  expect(page).toMatch(/^\| bert-base, 128, secret, lan \|/m);
  expect(page).not.toContain('made:');
});
