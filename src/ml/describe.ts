/** How untrusted values appear in error messages: short, one line, quoted; never the content of a user's text. */

const MAX_NAME = 80;

/**
 * Quotes a name that came from a model's files (a tensor, an architecture): escaped to printable ASCII and cut to
 * 80 characters.
 */
export function quote(name: string): string {
  const cut = name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name;
  return JSON.stringify(cut).replace(
    /[^\x20-\x7e…]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Names the type of a JSON value: what a message may say of a value that is not what it should be. */
export function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `array of ${value.length}`;
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

/** `(768, 3072)`. */
export function shapeText(shape: readonly number[]): string {
  return `(${shape.join(', ')})`;
}
