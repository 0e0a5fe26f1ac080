/**
 * Where tokens lie in the text as it was given. test/ml/tokenizer-golden.test.ts compares with Python; here, what
 * must hold for every text.
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { folderFiles } from '../../src/ml/files-node.ts';
import { memoryFiles } from '../../src/ml/files.ts';
import { type Encoding, loadTokenizer, type Span, type Tokenizer } from '../../src/ml/tokenizers/tokenizer.ts';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
async function byteLevel(family: string): Promise<Tokenizer> {
  const { vocab, merges } = JSON.parse(readFileSync(at(`test/vectors/tokenizer-${family}.json`), 'utf8')) as {
    vocab: object;
    merges: string[];
  };
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  return loadTokenizer(
    memoryFiles(
      family,
      new Map([
        ['vocab.json', bytes(JSON.stringify(vocab))],
        ['merges.txt', bytes(merges.join('\n'))],
        ['config.json', bytes(JSON.stringify({ model_type: family }))],
      ]),
    ),
  );
}
const bert = async (): Promise<Tokenizer> => loadTokenizer(await folderFiles(at('models/capitals-bert')));
const FAMILIES: [string, () => Promise<Tokenizer>][] = [
  ['BERT', bert],
  ['GPT-2', () => byteLevel('gpt2')],
  ['RoBERTa', () => byteLevel('roberta')],
];

/** Characters and words in which offsets go wrong, and any others. */
const part = fc.oneof(
  fc.constantFrom(
    ' ',
    '  ',
    '\n',
    '\t',
    '\u00a0',
    '\u3000',
    '\ufeff',
    '\u200b',
    '\u0301',
    '\u0327',
    'é',
    'Å',
    'ß',
    'İ',
    'Σ',
    'ﬁ',
    '日本',
    '𠀀',
    '😀',
    '👨‍👩‍👧',
    '\ufffd',
  ),
  fc.constantFrom(
    "it's",
    'Paris',
    ' the',
    'unbelievable',
    '1,000',
    '[MASK]',
    '<mask>',
    ' <mask>',
    '[SEP]',
    '</s>',
    '<|endoftext|>',
    '대한',
    'שָׁ',
  ),
  fc.string({ unit: 'grapheme', maxLength: 4 }),
  fc.string({ unit: 'binary', maxLength: 3 }),
);
const texts = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(''));

function boundary(text: string, offset: number): boolean {
  return (
    offset === 0 ||
    offset === text.length ||
    !(/[\ud800-\udbff]/.test(text[offset - 1]) && /[\udc00-\udfff]/.test(text[offset]))
  );
}

function wellFormed(encoding: Encoding, given: readonly string[]): void {
  for (const [segment, text] of given.entries()) {
    let last: Span = [0, 0];
    for (const [i, span] of encoding.spans.entries()) {
      expect(span === undefined).toBe(encoding.segments[i] === undefined);
      if (span === undefined || encoding.segments[i] !== segment) continue;
      const [start, end] = span;
      expect(start).toBeGreaterThanOrEqual(last[0]);
      expect(end).toBeGreaterThanOrEqual(Math.max(start, last[1]));
      expect(end).toBeLessThanOrEqual(text.length);
      expect(boundary(text, start) && boundary(text, end)).toBe(true);
      last = span;
    }
  }
}

describe.each(FAMILIES)('the spans of %s', (name, load) => {
  it('ascend, lie inside the text, and cut no character', { timeout: 60_000 }, async () => {
    const tokenizer = await load();
    fc.assert(
      fc.property(texts, texts, fc.boolean(), (first, second, allowMask) => {
        const encoding = tokenizer.encode(first, { allowMask });
        const { cut: _, ...lists } = encoding;
        for (const list of Object.values(lists)) expect(list).toHaveLength(encoding.ids.length);
        wellFormed(encoding, [first]);
        if (tokenizer.family !== 'gpt2') wellFormed(tokenizer.encodePair(first, second), [first, second]);
      }),
      { numRuns: 300 },
    );
  });

  it('of ASCII words are the pieces', async () => {
    const tokenizer = await load();
    const words = fc.array(fc.stringMatching(/^[A-Za-z]{1,12}$/), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(words, fc.constantFrom(' ', '  ', '\n', ', '), (list, between) => {
        const text = list.join(between);
        const { tokens, spans } = tokenizer.encode(text, { allowMask: false });
        for (const [i, span] of spans.entries()) {
          if (span === undefined) continue;
          const slice = text.slice(...span);
          if (name !== 'BERT') expect(slice).toBe(tokens[i].replace(/^Ġ+/, '').replaceAll('Ċ', '\n'));
          else if (tokens[i] === '[UNK]') expect(slice).toMatch(/^[A-Za-z]+$/);
          else expect(slice.toLowerCase()).toBe(tokens[i].replace(/^##/, ''));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('leave out nothing but white space and, for BERT, what its normalizer removes', async () => {
    const tokenizer = await load();
    fc.assert(
      fc.property(texts, (text) => {
        const covered = new Uint8Array(text.length);
        for (const span of tokenizer.encode(text, { allowMask: false }).spans) covered.fill(1, ...(span ?? [0, 0]));
        const rest = [...text.matchAll(/./gsu)].filter((match) => covered[match.index] === 0).join('');
        expect(rest).toMatch(name === 'BERT' ? /^[\p{White_Space}\p{Mn}\p{C}\ufffd]*$/u : /^ *$/);
      }),
      { numRuns: 200 },
    );
  });
});

describe('BERT', () => {
  const shown = ({ tokens, spans }: Encoding, ...given: string[]): string[] =>
    tokens.map((token, i) => `${token}=${spans[i] === undefined ? '' : given[0].slice(...spans[i])}`);

  it('finds normalized pieces in the text as it was written', async () => {
    const tokenizer = await bert();
    const text = 'The\u200b CAFE\u0301 [MASK] 日 \ud842\udfb7 İ';
    const encoding = tokenizer.encode(text, { allowMask: true });
    expect(shown(encoding, text).filter((entry) => /the|MASK|İ|日|\ud842/u.test(entry))).toEqual(
      expect.arrayContaining(['the=The', '[MASK]=[MASK]']),
    );
    const last = encoding.spans.at(-2) as Span;
    expect(text.slice(...last)).toBe('İ');
    const cafe = encoding.spans.filter((span) => span !== undefined && span[0] >= 5 && span[1] <= 10) as Span[];
    expect([cafe[0][0], (cafe.at(-1) as Span)[1]]).toEqual([5, 9]);
  });

  it('frames a pair with type ids 0 and 1', async () => {
    const tokenizer = await bert();
    const { ids, typeIds, segments, tokens, spans } = tokenizer.encodePair('Paris', 'in [MASK]');
    const { clsTokenId, sepTokenId, maskTokenId } = tokenizer;
    const inside = (text: string): number[] => tokenizer.encodeWord(text);
    expect(ids).toEqual([clsTokenId, ...inside('Paris'), sepTokenId, ...inside('in [MASK]'), sepTokenId]);
    expect(ids).not.toContain(maskTokenId);
    const first = 2 + inside('Paris').length;
    expect(typeIds).toEqual(ids.map((_, i) => (i < first ? 0 : 1)));
    expect(segments).toEqual(
      ids.map((_, i) => (i === 0 || i === first - 1 || i === ids.length - 1 ? undefined : i < first ? 0 : 1)),
    );
    expect([tokens[1], spans[1]]).toEqual(['paris', [0, 5]]);
    expect(spans[first]).toEqual([0, 2]);
  });
});
