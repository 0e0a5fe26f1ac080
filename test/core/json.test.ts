/** The one reader of other people's JSON: what it takes, and what its errors say and do not say. */
import { describe, expect, it } from 'vitest';
import {
  type Refusal,
  count,
  hex,
  hexBytes,
  list,
  named,
  object,
  oneOf,
  optional,
  parseJson,
  readJson,
  refused,
  text,
  textThat,
  that,
} from '../../src/core/json.ts';
import { failure } from '../failure.ts';

const REFUSAL: Refusal = { code: 'ERR_FRAME_FORMAT', what: 'a note', hint: 'write it again' };
const SECRET = 'hunter2-hunter2';

const NOTE = object({
  version: oneOf([1]),
  kind: oneOf(['short', 'long']),
  id: hex(2),
  key: hexBytes(1, 2),
  size: count(9),
  files: named(object({ at: text(20) }), 2, (name) => (name === 'bad' ? 'has a bad name' : undefined)),
  tags: list(text(20), 2, 1),
  more: optional(text(20)),
});

const GOOD = {
  version: 1,
  kind: 'short',
  id: '00ff',
  key: 'a0',
  size: 9,
  files: { 'a.json': { at: 'x' } },
  tags: ['one'],
};

const message = async (json: unknown) =>
  (await failure('ERR_FRAME_FORMAT', () => readJson(NOTE, json, REFUSAL))).message;

describe('what a schema says', () => {
  it('is read, unknown fields are left out, and what is undefined is not there', () => {
    const expected = { ...GOOD, key: Uint8Array.of(0xa0) };
    expect(readJson(NOTE, GOOD, REFUSAL)).toStrictEqual(expected);
    expect(readJson(NOTE, { ...GOOD, other: 1, more: undefined }, REFUSAL)).toStrictEqual(expected);
    expect(parseJson(NOTE, JSON.stringify(GOOD), REFUSAL)).toStrictEqual(expected);
  });

  it.each<[string, unknown]>([
    ['the document: expected an object', null],
    ['the document: expected an object', [GOOD]],
    ['version: expected 1', { ...GOOD, version: SECRET }],
    ['kind: expected short or long', { ...GOOD, kind: SECRET }],
    ['id: expected 4 hex digits', { ...GOOD, id: undefined }],
    ['id: expected 4 hex digits', { ...GOOD, id: '00FF' }],
    ['id: expected 4 hex digits', { ...GOOD, id: '00ff\n' }],
    ['key: expected hex digits', { ...GOOD, key: 'abc' }],
    ['key: expected hex digits', { ...GOOD, key: 'abcdef' }],
    ['size: expected a whole number up to 9', { ...GOOD, size: 10 }],
    ['size: expected a whole number up to 9', { ...GOOD, size: -1 }],
    ['size: expected a whole number up to 9', { ...GOOD, size: 1.5 }],
    ['size: expected a whole number up to 9', { ...GOOD, size: Number.NaN }],
    ['files: expected an object', { ...GOOD, files: [] }],
    ['files: has a bad name', { ...GOOD, files: { bad: { at: 'x' } } }],
    ['files: expected at most 2 names', { ...GOOD, files: { a: 1, b: 1, c: 1 } }],
    ['files.a.json: expected an object', { ...GOOD, files: { 'a.json': SECRET } }],
    ['files.a?b.at: expected a text', { ...GOOD, files: { 'a\nb': { at: 7 } } }],
    ['tags: expected a list', { ...GOOD, tags: [] }],
    ['tags: expected a list', { ...GOOD, tags: { 0: 'x', length: 1 } }],
    ['tags[0]: expected a text', { ...GOOD, tags: new Array(1) }],
    ['tags[1]: expected a text', { ...GOOD, tags: ['x', SECRET.repeat(2)] }],
  ])('names the field: %s', async (what, json) => {
    const found = await message(json);
    expect(found).toBe(`a note: ${what}`);
  });

  it('is refused with the caller’s code and hint, for what only the caller can compare too', async () => {
    const error = await failure('ERR_FRAME_FORMAT', () => readJson(NOTE, {}, REFUSAL));
    expect([error.message, error.hint, error.cause]).toEqual(['a note: version: expected 1', REFUSAL.hint, undefined]);
    expect(refused(REFUSAL, 'id', 'expected another').message).toBe('a note: id: expected another');
  });
});

describe('what arrived', () => {
  it('is in no message', async () => {
    const schemas = [
      oneOf([1]),
      oneOf([1, 2]),
      that((value): value is 1 => value === 1, 'expected 1'),
      textThat((word) => word === 'x', 'expected x'),
      hex(2),
    ];
    for (const schema of schemas) {
      const read = () => readJson(object({ field: schema }), { field: SECRET }, REFUSAL);
      const { message, hint, cause } = await failure('ERR_FRAME_FORMAT', read);
      expect(message).toContain('a note: field: expected');
      expect(`${message}${hint}`).not.toContain('hunter');
      expect(cause).toBeUndefined();
    }
    const { message, cause } = await failure('ERR_FRAME_FORMAT', () => parseJson(NOTE, `{"a": ${SECRET}`, REFUSAL));
    expect([message, cause]).toEqual(['a note: the document: is no JSON', undefined]);
  });

  it('changes no prototype, and what is inherited does not count', async () => {
    const json: unknown = JSON.parse(
      JSON.stringify(GOOD).replace('"a.json"', '"__proto__"').replace('{', '{"__proto__":{"more":"inherited"},'),
    );
    const note = readJson(NOTE, json, REFUSAL);
    expect(Object.getPrototypeOf(note)).toBe(Object.prototype);
    expect(note.more).toBeUndefined();
    expect(Object.entries(note.files)).toEqual([['__proto__', { at: 'x' }]]);
    expect(Object.getPrototypeOf(note.files)).toBe(Object.prototype);
    expect(await message(Object.create(GOOD))).toBe('a note: version: expected 1');
    const inherited = object({ constructor: optional(text(9)), toString: optional(text(9)) });
    expect(Object.keys(readJson(inherited, {}, REFUSAL))).toEqual([]);
  });

  it('is not looked into where there is too much of it', async () => {
    let looked = 0;
    const item = (): number => ++looked;
    const most = object({ list: list(item, 2), names: named(item, 2) });
    readJson(most, { list: [1, 2], names: { a: 1, b: 2 } }, REFUSAL);
    expect(looked).toBe(4);
    await failure('ERR_FRAME_FORMAT', () => readJson(most, { list: [1, 2, 3], names: {} }, REFUSAL));
    await failure('ERR_FRAME_FORMAT', () => readJson(most, { list: [], names: { a: 1, b: 2, c: 3 } }, REFUSAL));
    expect(looked).toBe(4);
  });
});
