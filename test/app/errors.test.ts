import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { explain, failureOf } from '../../src/app/errors.ts';
import { type ErrorCode, TercetError, kindOf } from '../../src/core/errors.ts';

const SOURCE = readFileSync(new URL('../../src/core/errors.ts', import.meta.url), 'utf8');
const CODES = [...new Set(SOURCE.match(/ERR_[A-Z_]+/g))].filter(
  (code): code is ErrorCode => kindOf(code) !== undefined,
);
const NAMES = { operators: ['Alder', 'Birch'], maxTokens: 128 } as const;

describe('every error has words', () => {
  it('finds the codes', () => expect(CODES.length).toBeGreaterThan(40));

  it.each(CODES)('%s', (code) => {
    for (const party of [undefined, 1, 2] as const) {
      const found = explain({ code, message: 'm', hint: 'h', ...(party === undefined ? {} : { party }) }, NAMES);
      expect(found.title).toMatch(/^[A-Z][^.!?]+$/);
      expect(found.remedy).toMatch(/^[a-z].*\.$/);
      const all = [found.title, found.happened, found.remedy].join(' ');
      expect(all).not.toMatch(/[{}!]|undefined|oops|secure\b|encrypt|padlock|zero trust/i);
      expect(found.input || (found.actions.length >= 1 && found.actions.length <= 2)).toBe(true);
    }
  });

  it('says which party, and what its operator is called', () => {
    const found = explain(
      { code: 'ERR_PEER_TIMEOUT', message: '', hint: '', party: 2 },
      { ...NAMES, place: 'layer 7 of 12' },
    );
    expect(found).toMatchObject({ title: 'Party 2 stopped answering', party: 2, cut: 'all' });
    expect(found.happened).toContain('from Birch in time, at layer 7 of 12.');
    expect(explain({ code: 'ERR_PEER_TIMEOUT', message: '', hint: '' }, NAMES).title).toBe('A party stopped answering');
  });

  it('shows faults of this device in this tab, whatever party the error names', () => {
    expect(explain({ code: 'ERR_DEVICE_LOST', message: '', hint: '', party: 1 }, NAMES).party).toBe(0);
  });

  it('puts problems of the text under the text', () => {
    const under = CODES.filter((code) => explain({ code, message: '', hint: '' }, NAMES).input);
    expect(new Set(under)).toEqual(
      new Set([
        'ERR_NO_MASK',
        'ERR_TEXT_CONTROL',
        'ERR_TEXT_EMPTY',
        'ERR_TEXT_ENCODING',
        'ERR_TEXT_TOO_LONG',
        'ERR_TOO_MANY_TOKENS',
      ]),
    );
    expect(explain({ code: 'ERR_TOO_MANY_TOKENS', message: '', hint: '' }, NAMES).remedy).toBe(
      'shorten it to 128 tokens.',
    );
  });
});

describe('anything thrown', () => {
  it('is read by its members, because it may have crossed a worker', () => {
    const error = Object.assign(new TercetError('ERR_PEER_CLOSED', 'closed', 'again'), { party: 1 });
    expect(failureOf(error)).toEqual({ code: 'ERR_PEER_CLOSED', message: 'closed', hint: 'again', party: 1 });
    expect(failureOf({ code: 'ERR_PEER_CLOSED', message: 'closed', hint: 'again', party: 4 })).toEqual({
      code: 'ERR_PEER_CLOSED',
      message: 'closed',
      hint: 'again',
    });
  });

  it('gives nothing of a foreign error but its name: it could quote a text', () => {
    const foreign = new TypeError('cannot read "my secret text"');
    expect(failureOf(foreign)).toEqual({ code: 'ERR_INTERNAL', message: 'TypeError', hint: '' });
    expect(failureOf({ code: 'E_OTHER', message: 'my secret text' }).message).toBe('unexpected failure');
    expect(failureOf('my secret text').message).toBe('unexpected failure');
  });
});
