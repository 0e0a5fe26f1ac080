import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TextStream } from '../../src/ml/tasks/text-stream.ts';
import { thrown } from '../failure.ts';
import { BYTE_CHARACTERS, loadGpt2 } from './tasks-fixtures.ts';

const tokenizer = await loadGpt2();

/** The ids of single bytes: the vocabulary begins with them. */
const byteOrder = (() => {
  const printable = Array.from({ length: 256 }, (_, b) => b).filter(
    (b) => (b > 32 && b < 127) || (b > 160 && b !== 173),
  );
  return [...printable, ...Array.from({ length: 256 }, (_, b) => b).filter((b) => !printable.includes(b))];
})();
const idsOfBytes = (bytes: Iterable<number>): number[] => Array.from(bytes, (byte) => byteOrder.indexOf(byte));
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function run(
  ids: readonly number[],
  stops: readonly string[] = [],
): { parts: string[]; rest: string; stopped: boolean } {
  const stream = new TextStream(tokenizer, stops);
  const parts = ids.map((id) => stream.push(id));
  return { parts, rest: stream.flush(), stopped: stream.stopped };
}

/** The text before the stop that ends first, and of those the longest. */
function cut(text: string, stops: readonly string[]): string {
  for (let end = 1; end <= text.length; end++) {
    const starts = stops.filter((stop) => text.slice(0, end).endsWith(stop)).map((stop) => end - stop.length);
    if (starts.length > 0) return text.slice(0, Math.min(...starts));
  }
  return text;
}

describe('text from pieces', () => {
  it('agrees with the tokenizer on every byte', () => {
    expect(BYTE_CHARACTERS.map((piece, id) => tokenizer.decodeToken(id) === piece).every(Boolean)).toBe(true);
    for (let byte = 0; byte < 128; byte++) expect(run(idsOfBytes([byte])).parts).toEqual([String.fromCharCode(byte)]);
  });

  it('shows a character when its last byte is there, and never half of one', () => {
    expect(run(idsOfBytes(utf8('é😀a'))).parts).toEqual(['', 'é', '', '', '', '😀', 'a']);
    expect(run(idsOfBytes(utf8('\ufeffa'))).parts.join('')).toBe('\ufeffa');
  });

  it('leaves out a character that never ends', () => {
    expect(run(idsOfBytes([0x61, 0xf0, 0x9f, 0x98]))).toEqual({ parts: ['a', '', '', ''], rest: '', stopped: false });
  });

  it('shows bytes that are no text as U+FFFD once they cannot become one, and a written U+FFFD as it is', () => {
    expect(run(idsOfBytes([0xc3, 0x61])).parts).toEqual(['', '\ufffda']);
    expect(run(idsOfBytes(utf8('\ufffd'))).parts).toEqual(['', '', '\ufffd']);
  });

  it('gives the whole text of any ids, whatever bytes they hold', () => {
    const texts = fc.string({ unit: 'grapheme', maxLength: 30 });
    fc.assert(
      fc.property(texts, (text) => {
        const { ids } = text === '' ? { ids: [] } : tokenizer.encode(text, { allowMask: false });
        const { parts, rest } = run(ids);
        expect(parts.join('') + rest).toBe(text);
        expect(parts.join('')).toBe(tokenizer.decode(ids));
      }),
      { numRuns: 300 },
    );
  });

  it('takes no control token into the text, and refuses an id that is none', () => {
    expect(run([...idsOfBytes(utf8('a')), tokenizer.eosTokenId as number, ...idsOfBytes(utf8('b'))]).parts).toEqual([
      'a',
      '',
      'b',
    ]);
    thrown('ERR_RANGE', () => run([tokenizer.vocabSize]));
  });
});

describe('stop texts', () => {
  it('are found across pieces, cut with all behind them, and held back until known', () => {
    expect(run(idsOfBytes(utf8('ab\n\ncd')), ['\n\n'])).toEqual({
      parts: ['a', 'b', '', '', '', ''],
      rest: '',
      stopped: true,
    });
    expect(run(idsOfBytes(utf8('a\nb')), ['\n\n'])).toEqual({ parts: ['a', '', '\nb'], rest: '', stopped: false });
    expect(run(idsOfBytes(utf8('a\n')), ['\n\n'])).toEqual({ parts: ['a', ''], rest: '\n', stopped: false });
  });

  it('are found inside a piece', () => {
    const [good] = tokenizer.encodeWord(' good');
    expect(tokenizer.decodeToken(good)).toBe('Ġgood');
    expect(run([good], ['oo'])).toEqual({ parts: [' g'], rest: '', stopped: true });
    // What is complete first counts, as if the letters had come one by one.
    expect(run([good], ['good', 'o']).parts).toEqual([' g']);
    expect(run([good], ['od', 'good']).parts).toEqual([' ']);
  });

  it('are the same wherever pieces begin and end', () => {
    const letters = fc.string({ unit: fc.constantFrom('g', 'o', 'd', ' ', 'é'), maxLength: 16 });
    const stops = fc.array(fc.string({ unit: fc.constantFrom('g', 'o', 'd', ' ', 'é'), minLength: 1, maxLength: 4 }), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(letters, stops, (text, list) => {
        const expected = cut(text, list);
        const pieces = text === '' ? [] : tokenizer.encodeWord(text);
        for (const ids of [pieces, idsOfBytes(utf8(text))]) {
          const { parts, rest, stopped } = run(ids, list);
          expect(parts.join('') + rest).toBe(expected);
          expect(stopped).toBe(list.some((stop) => text.includes(stop)));
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('hold back no more than they must', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 12 }),
        fc.constantFrom('aab', 'abab', 'cc'),
        (text, stop) => {
          const stream = new TextStream(tokenizer, [stop]);
          let shown = '';
          for (const [i, id] of idsOfBytes(utf8(text)).entries()) {
            shown += stream.push(id);
            if (stream.stopped) return;
            const all = text.slice(0, i + 1);
            const held = all.length - shown.length;
            const longest = Array.from({ length: stop.length }, (_, n) => n).findLast((n) =>
              all.endsWith(stop.slice(0, n)),
            );
            expect(held).toBe(longest);
          }
        },
      ),
    );
  });
});
