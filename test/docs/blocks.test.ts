/**
 * Every block of code in every document is looked at by a test: TypeScript by the compiler (test/types/guides.test.ts),
 * commands by the command line (commands.test.ts), settings and tags here. A block without a language is output, a
 * formula or a drawing.
 */
import { describe, expect, it } from 'vitest';
import { effective, told } from '../../src/config/effective.ts';
import { fromYaml } from '../../src/config/sources.ts';
import { snippetOf } from '../../src/widget/snippet.ts';
import { thrown } from '../failure.ts';
import { BLOCKS, blocksOf } from '../support/documents.ts';

const of = (wanted: string) => BLOCKS.filter(({ language }) => language === wanted);
const LOOKS_LIKE_CODE = /^\s*(?:import |const |await |export |npm |npx |tercet |curl |<script|\$ )/m;

describe('blocks of documents', () => {
  it('are of languages that a test reads', () => {
    const languages = new Set(BLOCKS.map(({ language }) => language));
    expect([...languages].sort()).toEqual(['', 'html', 'sh', 'ts', 'yaml']);
    // A fence may be indented, and one that another language follows counts too.
    expect(blocksOf('x.md', 'a\n  ```js title\n  x()\n  ```\n').map(({ language }) => language)).toEqual(['js']);
  });

  it('without a language are no code', () => {
    const plain = of('');
    expect(plain.length).toBeGreaterThan(20);
    expect(plain.filter(({ code }) => LOOKS_LIKE_CODE.test(code)).map(({ file }) => file)).toEqual([]);
    expect("import { pipeline } from 'tercet';\n").toMatch(LOOKS_LIKE_CODE);
  });

  it('that are settings are taken by a party', () => {
    const files = of('yaml');
    expect(files.length).toBeGreaterThan(1);
    for (const { file, code } of files) {
      const { flags, notices } = told(effective(fromYaml(code, file), new Map()), 'party');
      expect(flags.size, file).toBeGreaterThan(1);
      expect(notices, file).toEqual([]);
    }
    thrown('ERR_ARGUMENT', () => fromYaml(files[0].code.replace('port:', 'prot:'), 'x.yaml'));
  });

  it('that are a tag are what the server of the widget prints', () => {
    const tags = of('html');
    expect(tags.length).toBeGreaterThan(1);
    const script = { script: 'tercet-widget-….js', integrity: 'sha384-…' };
    const tag = { model: 'sst2-bert', task: 'text-classification' };
    const printed = snippetOf(script, 'https://tercet.example/', tag).replaceAll('%E2%80%A6', '…');
    for (const { file, code } of tags) expect(code.trim(), file).toBe(printed);
  });
});
