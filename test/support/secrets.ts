/** Finds secret bytes in anything that could be printed. */
import { inspect } from 'node:util';

/**
 * The forms in which bytes could appear in a text: hex, base64 and lists of numbers. Whole or in pieces of at least
 * 6 bytes.
 */
function forms(secret: Uint8Array): string[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at + 6 <= secret.length; at++) pieces.push(secret.slice(at, at + 6));
  return pieces.flatMap((piece) => {
    const hex = Buffer.from(piece).toString('hex');
    const spaced = hex.replace(/(..)(?=.)/g, '$1 ');
    // Pieces start at every byte, so one of them is aligned as the base64 of the whole is.
    const base64 = Buffer.from(piece).toString('base64');
    return [hex, spaced, base64, [...piece].join(','), [...piece].join(', '), JSON.stringify([...piece]).slice(1, -1)];
  });
}

/** Which of the secrets appear in `text`. */
export function secretsIn(text: string, secrets: Readonly<Record<string, Uint8Array>>): string[] {
  // Objects of bytes print as {"0":1,"1":2}: the keys are dropped before looking. Line breaks of inspect too.
  const flat = text
    .replace(/"\d+":/g, '')
    .replace(/\s+/g, ' ')
    .toLowerCase();
  const compact = flat.replace(/ /g, '');
  return Object.entries(secrets).flatMap(([name, secret]) =>
    forms(secret).some((form) => [flat, compact].some((where) => where.includes(form.toLowerCase()))) ? [name] : [],
  );
}

/** Everything that a logger could make of a value. */
export function printed(value: unknown): string {
  const json = (): string => {
    try {
      return JSON.stringify(value) ?? '';
    } catch (error) {
      return String(error);
    }
  };
  return [
    String(value),
    json(),
    inspect(value),
    inspect(value, { showHidden: true, depth: 12, maxArrayLength: null, maxStringLength: null, getters: true }),
  ].join('\n');
}

/** Message, hint, stack and the whole cause chain of an error. */
export function printedError(error: unknown): string {
  const parts: string[] = [];
  for (let current: unknown = error, depth = 0; current !== undefined && depth < 10; depth++) {
    parts.push(printed(current));
    if (!(current instanceof Error)) break;
    parts.push(current.message, current.stack ?? '', String((current as { hint?: unknown }).hint ?? ''));
    current = current.cause;
  }
  return parts.join('\n');
}
