/** Where the spelling of an added token stands in a text. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { wholeCharacters } from '../../src/ml/tokenizers/added-tokens.ts';

/** For each UTF-16 unit the span of its character, one after the other. */
function spansOf(text: string): (readonly [number, number])[] {
  let at = 0;
  return Array.from(text).flatMap((character) => {
    const span = [at, at + character.length] as const;
    at += character.length;
    return Array.from({ length: character.length }, () => span);
  });
}

it('a span is of whole characters, also where a unit is half of one', () => {
  expect(wholeCharacters('a😀b', { from: 2, to: 3 })).toEqual([1, 3]);
  expect(wholeCharacters('a😀b', { from: 0, to: 2 })).toEqual([0, 3]);
  const units = fc.array(fc.constantFrom('a', ' ', '\ud83d', '\ude00', '😀'), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(units, fc.nat(), fc.nat(), (parts, a, b) => {
      const text = parts.join('');
      const from = a % text.length;
      const to = from + 1 + (b % (text.length - from));
      const spans = spansOf(text);
      expect(wholeCharacters(text, { from, to })).toEqual([spans[from][0], spans[to - 1][1]]);
    }),
  );
});
