/**
 * Checks on the built page: its policy, its structure for screen readers, its weight. The SDK is scripted, so the
 * weight is that of the app.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SOURCE = readFileSync(`${ROOT}index.html`, 'utf8');

interface Tag {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
}

/** Opening tags of a page that we wrote: no `>` inside attributes, no scripts with markup. */
function tagsOf(html: string): Tag[] {
  return [
    ...html.replace(/<!--.*?-->/gs, '').matchAll(/<([a-z][a-z0-9]*)((?:\s+[^\s=>/]+(?:="[^"]*")?)*)\s*\/?>/gi),
  ].map(([, name, rest]) => ({
    name: name.toLowerCase(),
    attributes: new Map([...rest.matchAll(/([^\s=]+)(?:="([^"]*)")?/g)].map(([, key, value]) => [key, value ?? ''])),
  }));
}

const files = new Map<string, string>();
let html = '';
let tags: Tag[] = [];

beforeAll(async () => {
  const built = await build({
    configFile: fileURLToPath(new URL('../../dev/scripted/vite.config.ts', import.meta.url)),
    root: ROOT,
    logLevel: 'error',
    build: { write: false },
  });
  for (const output of Array.isArray(built) ? built : [built]) {
    if (!('output' in output)) continue;
    for (const file of output.output) files.set(file.fileName, file.type === 'chunk' ? file.code : String(file.source));
  }
  html = files.get('index.html') ?? '';
  tags = tagsOf(html);
});

const having = (name: string): Tag[] => tags.filter((tag) => tag.name === name);
const attribute = (tag: Tag, name: string): string => tag.attributes.get(name) ?? '';
const ids = (): string[] => tags.map((tag) => tag.attributes.get('id')).filter((id) => id !== undefined);

describe('policy', () => {
  it('has no inline script, style or handler', () => {
    for (const tag of tags) {
      for (const name of tag.attributes.keys()) expect(name, `<${tag.name}>`).not.toMatch(/^(on.*|style)$/);
    }
    expect(having('style')).toEqual([]);
    expect(having('script').length).toBe(2);
    for (const script of having('script')) expect(attribute(script, 'src')).toMatch(/^\.\//);
    expect(html).not.toMatch(/<script[^>]*>[^<]/);
  });

  it('asks nobody else for anything', () => {
    for (const tag of tags) {
      for (const name of ['src', 'href']) {
        const value = tag.attributes.get(name);
        if (value !== undefined) expect(value).toMatch(/^(#|\.\/)/);
      }
    }
    for (const [name, text] of files) {
      if (name.endsWith('.css')) expect(text).not.toMatch(/url\(|@import|@font-face/);
    }
  });

  it('allows itself only what it needs', () => {
    const policy = attribute(
      tags.find((tag) => attribute(tag, 'http-equiv') === 'Content-Security-Policy') ?? {
        name: '',
        attributes: new Map(),
      },
      'content',
    );
    const directives = new Map(
      policy.split(';').map((part) => [part.trim().split(' ')[0], part.trim().split(' ').slice(1)]),
    );
    expect(directives.get('default-src')).toEqual(["'none'"]);
    expect(directives.get('script-src')).toEqual(["'self'", "'wasm-unsafe-eval'"]);
    for (const name of ['style-src', 'img-src', 'worker-src']) expect(directives.get(name)).toEqual(["'self'"]);
    for (const name of ['base-uri', 'form-action']) expect(directives.get(name)).toEqual(["'none'"]);
    expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|data:|blob:/);
  });

  it('never makes markup from data, and stores only the theme and which notices were closed', () => {
    const code = [...files].filter(([name]) => name.endsWith('.js')).map(([, text]) => text);
    expect(code.length).toBeGreaterThan(0);
    for (const text of code)
      expect(text).not.toMatch(
        /innerHTML|outerHTML|insertAdjacentHTML|document\.write|sessionStorage|indexedDB|document\.cookie|pushState|replaceState/,
      );
    // Each is read in one place and written in one.
    expect(code.join('').match(/localStorage/g)?.length).toBe(4);
  });
});

describe('structure', () => {
  it('has a language, a title and one h1', () => {
    expect(attribute(having('html')[0], 'lang')).toBe('en');
    expect(html).toMatch(/<title>[^<]+<\/title>/);
    expect(having('h1')).toHaveLength(1);
  });

  it('has the landmarks, navigation named', () => {
    for (const name of ['header', 'main', 'footer']) expect(having(name)).toHaveLength(1);
    const names = having('nav').map((nav) => attribute(nav, 'aria-label'));
    expect(new Set(names).size).toBe(names.length);
    expect(names).not.toContain('');
  });

  it('starts with a link to the text box', () => {
    const first = tags.find((tag) => ['a', 'button', 'input', 'textarea'].includes(tag.name));
    expect(first === undefined ? '' : attribute(first, 'href')).toBe('#text');
  });

  it('labels every section by a heading that is there, and refers to nothing that is not', () => {
    const known = ids();
    expect(new Set(known).size).toBe(known.length);
    for (const section of [...having('section'), ...having('dialog')])
      expect(known).toContain(attribute(section, 'aria-labelledby'));
    for (const tag of tags) {
      for (const name of ['aria-labelledby', 'aria-describedby', 'for'])
        for (const id of attribute(tag, name).split(' ').filter(Boolean))
          expect(known, `${name} of <${tag.name}>`).toContain(id);
      if (attribute(tag, 'href').startsWith('#')) expect(known).toContain(attribute(tag, 'href').slice(1));
    }
  });

  it('labels every control, and gives every group a legend and every table a caption', () => {
    const labelled = having('label').map((label) => attribute(label, 'for'));
    for (const control of [...having('textarea'), ...having('select')])
      expect(labelled).toContain(attribute(control, 'id'));
    for (const button of having('button')) expect(['button', 'submit']).toContain(attribute(button, 'type'));
    expect(html.match(/<fieldset[^>]*>\s*<legend/g)?.length).toBe(having('fieldset').length);
    expect(html.match(/<table[^>]*>\s*<caption/g)?.length).toBe(having('table').length);
    for (const cell of having('th')) expect(attribute(cell, 'scope')).toMatch(/^(row|col)$/);
  });

  it('says what its drawings show, or that they are not needed', () => {
    for (const svg of having('svg'))
      expect(
        attribute(svg, 'aria-hidden') === 'true' ||
          (attribute(svg, 'role') === 'img' && svg.attributes.has('aria-labelledby')),
      ).toBe(true);
  });

  it('has one polite live region for the run, and one alert for the error', () => {
    expect(tags.filter((tag) => tag.attributes.has('aria-live')).map((tag) => attribute(tag, 'id'))).toEqual(['say']);
    expect(tags.filter((tag) => attribute(tag, 'role') === 'alert').map((tag) => attribute(tag, 'id'))).toEqual([
      'text-problem',
      'error',
    ]);
  });

  it('says something without JavaScript', () => expect(html).toMatch(/<noscript>.*JavaScript/s));

  it('shows no figure before one was counted, and no word that it should not use', () => {
    const words = SOURCE.replace(/<head>.*?<\/head>/s, '').replace(/<[^>]*>/g, ' ');
    expect(words).not.toMatch(/encrypt|military|zero trust|100 %|oops|[a-z]!/i);
    expect(words).not.toMatch(/\d+(\.\d+)? ?(MB|kB|GB|ms)\b/);
  });
});

it('is light: less than 41 kB of script and style, compressed, without settings, proofs and evidence, which are loaded late', () => {
  const code = [...files]
    .filter(([name]) => /\.(js|css)$/.test(name) && !/evidence|proved|settings-lists/.test(name))
    .map(([, text]) => gzipSync(text).length);
  expect(code.reduce((a, b) => a + b, 0)).toBeLessThan(41_000);
});
