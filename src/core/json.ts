/**
 * How JSON of others is read. A schema says what is taken; the first thing that it does not take becomes a
 * TercetError that names the field and what was expected there, and quotes nothing of what came
 * (docs/adr/0022-one-json-reader.md). SECURITY: test/core/json.test.ts.
 *
 * Only own properties count, and only those that a schema names are kept. Sizes and counts are compared before
 * anything is copied.
 */
import { fromHex, printable } from './bytes.ts';
import { type ErrorCode, TercetError } from './errors.ts';

/** Reads a value, which is untrusted, at a place of the document, which is for the error alone. */
export type Schema<T> = (value: unknown, at: Place) => T;
type Place = readonly (string | number)[];
/** A field that may be absent. */
type Optional<T> = Schema<T> & { readonly absent: true };
type Fields = Readonly<Record<string, Schema<unknown>>>;
type Absent<E extends Fields> = { [K in keyof E]: E[K] extends { readonly absent: true } ? K : never }[keyof E];
type Read<E extends Fields> = { readonly [K in Exclude<keyof E, Absent<E>>]: ReturnType<E[K]> } & {
  readonly [K in Absent<E>]?: ReturnType<E[K]>;
};

/** What an error says beside the field: its code, what was read, and what to do. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly what: string;
  readonly hint: string;
}

/** What a schema throws. It never leaves this file. */
class Unfit extends Error {
  readonly at: Place;
  readonly expected: string;

  constructor(at: Place, expected: string) {
    super(expected);
    this.at = at;
    this.expected = expected;
  }
}

/** @throws {TercetError} of `refusal`, naming the first field that `schema` does not take */
export function readJson<T>(schema: Schema<T>, json: unknown, refusal: Refusal): T {
  try {
    return schema(json, []);
  } catch (error) {
    if (error instanceof Unfit) throw refused(refusal, fieldOf(error.at), error.expected);
    throw error;
  }
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
function fieldOf(place: Place): string {
  if (place.length === 0) return 'the document';
  return place
    .map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i === 0 ? '' : '.'}${printable(key, 200)}`))
    .join('');
}

function record(value: unknown, at: Place): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Unfit(at, 'expected an object');
  return value as Readonly<Record<string, unknown>>;
}

/** An object with these fields. Others are left out; one that is undefined is not there. */
export function object<E extends Fields>(fields: E): Schema<Read<E>> {
  return (value, at) => {
    const from = record(value, at);
    const read: [string, unknown][] = [];
    for (const [name, schema] of Object.entries(fields)) {
      const field = Object.hasOwn(from, name) ? from[name] : undefined;
      if (field !== undefined || !('absent' in schema)) read.push([name, schema(field, [...at, name])]);
    }
    return Object.fromEntries(read) as Read<E>;
  };
}

/** A field of an object that may be absent. */
export function optional<T>(schema: Schema<T>): Optional<T> {
  return Object.assign((value: unknown, at: Place) => schema(value, at), { absent: true } as const);
}

/**
 * An object with names of the sender's choice, at most `most` of them. `refuse` says what is wrong with a name, if
 * anything is. Made from entries, so that `__proto__` is a name like any other.
 */
export function named<T>(
  schema: Schema<T>,
  most: number,
  refuse: (name: string) => string | undefined = () => undefined,
): Schema<Readonly<Record<string, T>>> {
  return (value, at) => {
    const from = record(value, at);
    const names = Object.keys(from);
    const wrong = names.length > most ? `expected at most ${most} names` : names.map(refuse).find(Boolean);
    if (wrong !== undefined) throw new Unfit(at, wrong);
    return Object.fromEntries(names.map((name) => [name, schema(from[name], [...at, name])]));
  };
}

/** A list of `least` to `most`. */
export function list<T>(item: Schema<T>, most: number, least = 0, expected = 'expected a list'): Schema<T[]> {
  return (value, at) => {
    if (!Array.isArray(value) || value.length < least || value.length > most) throw new Unfit(at, expected);
    // Not `map`, which leaves the holes of a caller's own array unread.
    return Array.from(value, (each, i) => item(each, [...at, i]));
  };
}

/** What `fits`, as it is. */
export function that<T>(fits: (value: unknown) => value is T, expected: string): Schema<T> {
  return (value, at) => {
    if (!fits(value)) throw new Unfit(at, expected);
    return value;
  };
}

/** One of these. */
export function oneOf<const T extends string | number>(allowed: readonly T[]): Schema<T> {
  return that((value): value is T => allowed.includes(value as T), `expected ${allowed.join(' or ')}`);
}

/** A text for which `fits` holds. */
export function textThat(fits: (text: string) => boolean, expected: string): Schema<string> {
  return that((value): value is string => typeof value === 'string' && fits(value), expected);
}

/** A text of at most `most` UTF-16 units. */
export function text(most: number): Schema<string> {
  return textThat(({ length }) => length <= most, 'expected a text');
}

/** What `schema` reads, made into something else. */
export function into<A, B>(schema: Schema<A>, make: (value: A) => B): Schema<B> {
  return (value, at) => make(schema(value, at));
}

/** `bytes` bytes as lower-case hex digits, kept as a text. */
export function hex(bytes: number): Schema<string> {
  return textThat(
    (digits) => digits.length === 2 * bytes && /^[0-9a-f]*$/.test(digits),
    `expected ${2 * bytes} hex digits`,
  );
}

/** `least` to `most` bytes from lower-case hex digits. */
export function hexBytes(least: number, most = least): Schema<Uint8Array> {
  const fits = ({ length }: string) => length % 2 === 0 && length >= 2 * least && length <= 2 * most;
  return into(
    textThat((digits) => fits(digits) && /^[0-9a-f]*$/.test(digits), 'expected hex digits'),
    fromHex,
  );
}

/** A whole number from 0 to `most`. */
export function count(most: number, expected = `expected a whole number up to ${most}`): Schema<number> {
  return that(
    (value): value is number => Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most,
    expected,
  );
}
