/**
 * How JSON of others is read. A schema says what is taken; the first thing that it does not take becomes a
 * TercetError that names the field and what was expected there, and quotes nothing of what came.
 *
 * Only own properties count, and only those that a schema names are kept. Sizes and counts are compared before
 * anything is copied.
 */
import {
  type BaseIssue,
  type BaseSchema,
  type ObjectEntries,
  array,
  custom,
  maxLength,
  maxValue,
  minValue,
  object as valibotObject,
  pipe,
  rawTransform,
  regex,
  safeInteger,
  safeParse,
  number,
  string,
  transform,
} from 'valibot';
import { fromHex, printable } from './bytes.ts';
import { type ErrorCode, TercetError } from './errors.ts';

type Schema<T> = BaseSchema<unknown, T, BaseIssue<unknown>>;
type Issue = BaseIssue<unknown>;

/** What an error says beside the field: its code, what was read, and what to do. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly what: string;
  readonly hint: string;
}

/** SECURITY: the library's own words quote the value. No message of it is shown: test/core/json.test.ts. */
const CONFIG = {
  abortEarly: true,
  message: ({ type, expected }: Issue) =>
    type === 'object' ? 'is missing' : `expected ${expected === null ? 'something else' : `a ${expected}`}`,
};

/** @throws {TercetError} of `refusal`, naming the first field that `schema` does not take */
export function readJson<T>(schema: Schema<T>, json: unknown, refusal: Refusal): T {
  const read = safeParse(schema, json, CONFIG);
  if (read.success) return read.output;
  const [{ path, message }] = read.issues;
  throw refused(refusal, fieldOf((path ?? []).map(({ key }) => key)), message);
}

/** As `readJson`, from a text. @throws {TercetError} of `refusal`, also for what is no JSON */
export function parseJson<T>(schema: Schema<T>, text: string, refusal: Refusal): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The parser's own error quotes the text.
    throw refused(refusal, fieldOf([]), 'is no JSON');
  }
  return readJson(schema, json, refusal);
}

/** For what a schema cannot say: one field that must fit another. */
export function refused({ code, what, hint }: Refusal, where: string, expected: string): TercetError {
  return new TercetError(code, `${what}: ${where}: ${expected}`, hint);
}

/** `entries[0].files.config.json`. Names come from the document, so they are made printable. */
function fieldOf(path: readonly unknown[]): string {
  if (path.length === 0) return 'the document';
  return path
    .map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i === 0 ? '' : '.'}${printable(String(key), 200)}`))
    .join('');
}

const record = custom<Readonly<Record<string, unknown>>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'expected an object',
);

/** An object with these fields. Others are left out; one that is undefined is not there. */
export function object<const E extends ObjectEntries>(entries: E) {
  const names = Object.keys(entries);
  return pipe(
    record,
    transform((value) =>
      Object.fromEntries(
        names
          .filter((name) => Object.hasOwn(value, name) && value[name] !== undefined)
          .map((name) => [name, value[name]]),
      ),
    ),
    valibotObject(entries),
  );
}

/**
 * An object with names of the sender's choice, at most `most` of them. `refuse` says what is wrong with a name, if
 * anything is. Made from entries, so that `__proto__` is a name like any other.
 */
export function named<T>(value: Schema<T>, most: number, refuse: (name: string) => string | undefined) {
  return pipe(
    record,
    rawTransform<Readonly<Record<string, unknown>>, Readonly<Record<string, T>>>(({ dataset, addIssue, NEVER }) => {
      const fields = dataset.value;
      const names = Object.keys(fields);
      const wrong = names.length > most ? `expected at most ${most} names` : names.map(refuse).find(Boolean);
      if (wrong !== undefined) {
        addIssue({ message: wrong });
        return NEVER;
      }
      const entries: [string, T][] = [];
      for (const name of names) {
        const read = safeParse(value, fields[name], CONFIG);
        if (!read.success) {
          const [{ message, path = [] }] = read.issues;
          const at = { type: 'object', origin: 'value', input: {}, key: name, value: fields[name] } as const;
          addIssue({ message, path: [at, ...path] });
          return NEVER;
        }
        entries.push([name, read.output]);
      }
      return Object.fromEntries(entries);
    }),
  );
}

/** A list of `least` to `most`. */
export function list<T>(item: Schema<T>, most: number, least = 0, expected = 'expected a list') {
  return pipe(
    custom<readonly unknown[]>(
      (value) => Array.isArray(value) && value.length >= least && value.length <= most,
      expected,
    ),
    array(item),
  );
}

/** A text of at most `most` UTF-16 units. */
export function text(most: number) {
  const expected = 'expected a text';
  return pipe(string(expected), maxLength(most, expected));
}

/** A text of the form `form`. */
export function textLike(form: RegExp, expected: string) {
  return pipe(string(expected), regex(form, expected));
}

/** `bytes` bytes as lower-case hex digits, kept as a text. */
export function hex(bytes: number) {
  return textLike(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `expected ${2 * bytes} hex digits`);
}

/** `least` to `most` bytes from lower-case hex digits. */
export function hexBytes(least: number, most = least) {
  return pipe(textLike(new RegExp(`^(?:[0-9a-f]{2}){${least},${most}}$`), 'expected hex digits'), transform(fromHex));
}

/** A whole number from 0 to `most`. */
export function count(most: number, expected = `expected a whole number up to ${most}`) {
  return pipe(number(expected), safeInteger(expected), minValue(0, expected), maxValue(most, expected));
}
