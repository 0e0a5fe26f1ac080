import { describe, expect, it } from 'vitest';
import {
  bytes,
  count,
  hexGroups,
  milliseconds,
  percent,
  plural,
  rightToLeft,
  seconds,
  wholePercent,
  wrap,
} from '../../src/app/format.ts';

const NB = '\u00a0';

describe('numbers of the interface', () => {
  it.each([
    [0, '0'],
    [24, `24${NB}B`],
    [999, `999${NB}B`],
    [1e3, `1.0${NB}kB`],
    // 8 kB and 256 B would not look like 9 kB.
    [8192, `8.2${NB}kB`],
    [8448, `8.4${NB}kB`],
    [9_960, `10${NB}kB`],
    [98_304, `98${NB}kB`],
    [999_499, `999${NB}kB`],
    [999_500, `1.0${NB}MB`],
    [20.5e6, `20.5${NB}MB`],
    [99.94e6, `99.9${NB}MB`],
    [99.96e6, `100${NB}MB`],
    [486e6, `486${NB}MB`],
    [999.6e6, `1.00${NB}GB`],
    [1.87e9, `1.87${NB}GB`],
  ])('%d bytes', (n, text) => expect(bytes(n)).toBe(text));

  it.each([
    [0, `0.00${NB}s`],
    [40, `0.04${NB}s`],
    [994, `0.99${NB}s`],
    [995, `1.0${NB}s`],
    [3310, `3.3${NB}s`],
    [99_960, `100${NB}s`],
  ])('%d milliseconds in seconds', (ms, text) => expect(seconds(ms)).toBe(text));

  it('has one form for each other figure', () => {
    expect(milliseconds(23.7)).toBe(`24${NB}ms`);
    expect(milliseconds(0.2)).toBe(`1${NB}ms`);
    expect(percent(0.4171)).toBe(`41.7${NB}%`);
    expect([0, 0.0004, 0.0006, 0.9994, 0.9996, 1].map(percent)).toEqual(
      ['0.0', '<0.1', '0.1', '99.9', '>99.9', '100.0'].map((n) => `${n}${NB}%`),
    );
    expect(wholePercent(0.999)).toBe(`99${NB}%`);
    expect(wholePercent(1.2)).toBe(`100${NB}%`);
    expect(count(12_420)).toBe('12,420');
    expect(count(1_234_567)).toBe('1,234,567');
    expect(plural(1, 'token')).toBe('1 token');
    expect(plural(9, 'token')).toBe('9 tokens');
    expect(hexGroups('7c1e90ab42')).toBe('7c1e 90ab 42');
  });
});

describe('words in the picture', () => {
  it('turns a text that reads from the right', () => {
    expect(['عاصمة فرنسا هي [MASK].', '“שלום” he said', '12. ܐ'].map(rightToLeft)).toEqual([true, true, true]);
    expect(['The capital', 'Paris هي', '', '12 [MASK]'].map(rightToLeft)).toEqual([false, false, false, false]);
  });

  it('keeps what fits', () => {
    expect(wrap('The capital of France is [MASK].', [48])).toEqual(['The capital of France is [MASK].']);
    expect(wrap('', [48])).toEqual([]);
  });

  it('breaks between words and cuts at a word', () => {
    expect(wrap('The capital of France is [MASK].', [29, 29])).toEqual(['The capital of France is', '[MASK].']);
    expect(wrap('The flat is let to Ms Okafor for three years. The lease', [48])).toEqual([
      'The flat is let to Ms Okafor for three years …',
    ]);
  });

  it('never exceeds a line, whatever the words', () => {
    for (const text of [
      'x'.repeat(200),
      `${'y'.repeat(40)} ${'z'.repeat(40)}`,
      'a '.repeat(90),
      `ab ${'c'.repeat(99)}`,
    ]) {
      const lines = wrap(text, [20, 20]);
      expect(lines.length).toBeLessThanOrEqual(2);
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(20);
    }
  });
});
