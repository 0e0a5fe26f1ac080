/** What a frame takes from the page around it, which may send anything. */
import { describe, expect, it } from 'vitest';
import { lookOf, messageOf, setupOf } from '../../src/widget/frame/host-link.ts';

const SETUP = {
  model: 'm',
  task: 't',
  deployment: 'd',
  device: '',
  shareResult: false,
  page: 'p',
  attributes: ['model'],
};
const LOOK = { theme: 'dark', lang: 'he', dir: 'rtl', disabled: false, strings: { a: 'b' }, colours: { ink: 'red' } };

describe('a setup', () => {
  it('is read by shape, and sharing is on for `true` alone', () => {
    expect(setupOf({ ...SETUP, more: 1 })).toEqual(SETUP);
    expect(setupOf({ ...SETUP, shareResult: true })?.shareResult).toBe(true);
    for (const value of ['true', 1, {}, undefined])
      expect(setupOf({ ...SETUP, shareResult: value })?.shareResult).toBe(false);
  });

  it('has the names of attributes that are names, and no more of them than a tag has', () => {
    expect(setupOf({ ...SETUP, attributes: ['a', 1, 'x'.repeat(2001), 'b'] })?.attributes).toEqual(['a', 'b']);
    expect(setupOf({ ...SETUP, attributes: new Array(9000).fill('a') })?.attributes).toHaveLength(500);
    for (const attributes of [undefined, 'model', { length: 9 }])
      expect(setupOf({ ...SETUP, attributes })?.attributes).toEqual([]);
  });

  it.each([undefined, null, 'text', { ...SETUP, model: 1 }, { ...SETUP, page: 'x'.repeat(2001) }])(
    '%j is none',
    (value) => expect(setupOf(value)).toBeUndefined(),
  );
});

describe('looks', () => {
  it('are known colours and words of bounded length and number', () => {
    expect(lookOf(LOOK)).toEqual(LOOK);
    const strings = Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`k${i}`, 'v']));
    const taken = lookOf({ ...LOOK, strings, colours: { ink: 'red', 'background-image': 'red', __proto__: 'x' } });
    expect(Object.keys(taken?.strings ?? {})).toHaveLength(500);
    expect(taken?.colours).toEqual({ ink: 'red' });
    expect(lookOf({ ...LOOK, strings: { a: 'x'.repeat(2001), b: 2, c: 'kept' } })?.strings).toEqual({ c: 'kept' });
    expect(lookOf({ ...LOOK, theme: {} })).toBeUndefined();
  });
});

describe('a message', () => {
  it('is one of five, with what belongs to it and nothing else', () => {
    expect(messageOf({ op: 'run', call: 3, text: 'smuggled' })).toEqual({ op: 'run', call: 3 });
    expect(messageOf({ op: 'prepare', call: 4 })).toEqual({ op: 'prepare', call: 4 });
    expect(messageOf({ op: 'abort', call: 4 })).toEqual({ op: 'abort' });
    expect(messageOf({ op: 'reset' })).toEqual({ op: 'reset' });
    expect(messageOf({ op: 'look', look: LOOK })).toEqual({ op: 'look', look: LOOK });
  });

  it.each([undefined, null, 5, 'run', {}, { op: 'run' }, { op: 'run', call: '1' }, { op: 'share' }, { op: 'look' }])(
    '%j is none',
    (value) => expect(messageOf(value)).toBeUndefined(),
  );
});
