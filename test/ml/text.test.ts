import { describe, expect, it } from 'vitest';
import { checkText, decodeUtf8, MAX_TEXT_CHARACTERS, MOST_TEXT_CHARACTERS, textLimit } from '../../src/ml/text.ts';
import { failure } from '../failure.ts';

describe('checkText', () => {
  const accepted: [string, string][] = [
    ['one character', 'a'],
    ['tab and line breaks', 'a\tb\nc\r\nd'],
    ['a space, the first character that is not a control', 'a b'],
    ['a tilde, the last before DEL', 'a~'],
    ['no-break space, the first after C1', 'a\u00a0b'],
    ['a pair of surrogates', '😀'],
    ['the last character', '\u{10ffff}'],
    ['just below and just above the surrogates', '\ud7ff\ue000'],
    ['the longest', 'x'.repeat(MAX_TEXT_CHARACTERS)],
    ['the longest of characters with two units', '😀'.repeat(MAX_TEXT_CHARACTERS)],
  ];
  it.each(accepted)('returns %s unchanged', (_, text) => {
    expect(checkText(text)).toBe(text);
  });

  const refused: [string, unknown, Parameters<typeof failure>[0]][] = [
    ['undefined', undefined, 'ERR_ARGUMENT'],
    ['a number', 7, 'ERR_ARGUMENT'],
    ['bytes', new Uint8Array(3), 'ERR_ARGUMENT'],
    ['nothing', '', 'ERR_TEXT_EMPTY'],
    ['white space', ' \t\r\n\u00a0\u3000', 'ERR_TEXT_EMPTY'],
    ['one character too many', 'x'.repeat(MAX_TEXT_CHARACTERS + 1), 'ERR_TEXT_TOO_LONG'],
    ['one character of two units too many', '😀'.repeat(MAX_TEXT_CHARACTERS + 1), 'ERR_TEXT_TOO_LONG'],
    ['a lone high surrogate', 'a\ud800', 'ERR_TEXT_ENCODING'],
    ['a lone low surrogate', '\udfff b', 'ERR_TEXT_ENCODING'],
    ['surrogates in the wrong order', 'a\udc00\ud800', 'ERR_TEXT_ENCODING'],
  ];
  it.each(refused)('refuses %s', async (_, text, code) => {
    await failure(code, () => checkText(text));
  });

  it('refuses every control character but three, and says where', async () => {
    for (let code = 0; code <= 0xa0; code++) {
      const text = `sécret😀${String.fromCharCode(code)}x`;
      const isControl = code < 0x20 || (code >= 0x7f && code < 0xa0);
      if (!isControl || code === 9 || code === 10 || code === 13) expect(checkText(text)).toBe(text);
      else expect((await failure('ERR_TEXT_CONTROL', () => checkText(text))).line()).toContain('position 8');
    }
  });

  it('takes as many characters as it is told', async () => {
    expect([textLimit(), textLimit(1), textLimit(MOST_TEXT_CHARACTERS)]).toEqual([MAX_TEXT_CHARACTERS, 1, 100_000]);
    for (const none of [0, -1, 1.5, MOST_TEXT_CHARACTERS + 1, Number.NaN, '7', null])
      await failure('ERR_ARGUMENT', () => textLimit(none));
    expect(checkText('😀😀', 2)).toBe('😀😀');
    expect((await failure('ERR_TEXT_TOO_LONG', () => checkText('😀😀', 1))).line()).toContain('2 characters');
    const longer = 'x'.repeat(MAX_TEXT_CHARACTERS + 1);
    expect(checkText(longer, MAX_TEXT_CHARACTERS + 1)).toBe(longer);
    await failure('ERR_TEXT_TOO_LONG', () => decodeUtf8(new Uint8Array(8), 1));
  });

  it('quotes nothing of the text', async () => {
    const secret = 'hunter2';
    const lines = [
      (await failure('ERR_TEXT_TOO_LONG', () => checkText(secret.repeat(2000)))).line(),
      (await failure('ERR_TEXT_ENCODING', () => checkText(`${secret}\ud800`))).line(),
      (await failure('ERR_TEXT_CONTROL', () => checkText(`${secret}\0`))).line(),
    ];
    for (const line of lines) expect(line).not.toContain(secret);
  });
});

describe('decodeUtf8', () => {
  const bytes = (...list: number[]): Uint8Array => Uint8Array.from(list);

  it('decodes text and drops a byte order mark', () => {
    expect(decodeUtf8(new TextEncoder().encode('héllo 😀'))).toBe('héllo 😀');
    expect(decodeUtf8(bytes(0xef, 0xbb, 0xbf, 0x61))).toBe('a');
    expect(decodeUtf8(bytes())).toBe('');
  });

  it('decodes the longest text with a byte order mark', () => {
    const long = '😀'.repeat(MAX_TEXT_CHARACTERS);
    expect(decodeUtf8(new TextEncoder().encode(`\ufeff${long}`))).toBe(long);
  });

  it.each([
    ['a byte that never occurs', bytes(0x61, 0xff)],
    ['a cut character', bytes(0x61, 0xe2, 0x82)],
    ['an overlong slash', bytes(0xc0, 0xaf)],
    ['an encoded surrogate', bytes(0xed, 0xa0, 0x80)],
    ['beyond U+10FFFF', bytes(0xf4, 0x90, 0x80, 0x80)],
    ['Latin-1', bytes(0x63, 0x61, 0x66, 0xe9)],
  ])('refuses %s', async (_, input) => {
    await failure('ERR_TEXT_ENCODING', () => decodeUtf8(input));
  });

  it('refuses what is too long before decoding it', async () => {
    await failure('ERR_TEXT_TOO_LONG', () => decodeUtf8(new Uint8Array(4 * MAX_TEXT_CHARACTERS + 4)));
  });
});
