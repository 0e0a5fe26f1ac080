/** The user's text: what is accepted, and the typed refusals. No message ever quotes it. */

import { TercetError } from '../core/errors.ts';
import { typeName } from './describe.ts';

/**
 * In characters (Unicode code points), where nobody says otherwise. Far more than any model's tokens, and little enough
 * for every later step to be quick.
 */
export const MAX_TEXT_CHARACTERS = 10_000;
/** What anybody may say. */
export const MOST_TEXT_CHARACTERS = 100_000;

/** A half of a surrogate pair without the other: not a character, and it has no UTF-8 form. */
const LONE_SURROGATE = /\p{Surrogate}/u;
/** Unicode's control characters (C0, DEL, C1) except tab, line feed and carriage return. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;

/** The longest text that a caller wants to be taken. @throws {TercetError} ERR_ARGUMENT */
export function textLimit(characters: unknown = MAX_TEXT_CHARACTERS): number {
  if (Number.isSafeInteger(characters) && Number(characters) >= 1 && Number(characters) <= MOST_TEXT_CHARACTERS)
    return Number(characters);
  throw new TercetError(
    'ERR_ARGUMENT',
    `maxCharacters is no integer from 1 to ${MOST_TEXT_CHARACTERS}`,
    `leave it out for ${MAX_TEXT_CHARACTERS}`,
  );
}

/**
 * Returns `text` unchanged if it can be worked on: the one check for pages, commands, the SDK and REST, which all come
 * here by the tasks.
 *
 * Positions in messages count UTF-16 units from 0, as JavaScript indexes strings.
 * @throws {TercetError} ERR_ARGUMENT when it is not a string; ERR_TEXT_EMPTY when it is empty or white space only;
 * ERR_TEXT_TOO_LONG beyond `most` characters; ERR_TEXT_ENCODING for a lone surrogate; ERR_TEXT_CONTROL for a
 * control character.
 */
export function checkText(text: unknown, most = MAX_TEXT_CHARACTERS): string {
  if (typeof text !== 'string')
    throw new TercetError('ERR_ARGUMENT', `the text is ${typeName(text)}, expected a string`, 'pass a string');
  if (text.trim() === '')
    throw new TercetError(
      'ERR_TEXT_EMPTY',
      'the text is empty or only white space',
      'give a sentence, for example "hello"',
    );
  const characters = countCharacters(text);
  if (characters > most) {
    throw new TercetError(
      'ERR_TEXT_TOO_LONG',
      `the text has ${characters} characters, more than ${most}`,
      'shorten it or split it',
    );
  }
  const surrogate = text.search(LONE_SURROGATE);
  if (surrogate >= 0) {
    throw new TercetError(
      'ERR_TEXT_ENCODING',
      `the text has half a surrogate pair at position ${surrogate}`,
      'give valid Unicode text',
    );
  }
  const control = text.search(CONTROL);
  if (control >= 0) {
    throw new TercetError(
      'ERR_TEXT_CONTROL',
      `the text has a control character at position ${control}`,
      'remove it; tab and line breaks are fine',
    );
  }
  return text;
}

/**
 * Decodes UTF-8; a byte order mark at the start is dropped. The result still has to pass `checkText`.
 * @throws {TercetError} ERR_TEXT_ENCODING when the bytes are not UTF-8 (an encoded surrogate is not),
 * ERR_TEXT_TOO_LONG when no text of so many bytes could pass.
 */
export function decodeUtf8(bytes: Uint8Array, most = MAX_TEXT_CHARACTERS): string {
  // Four bytes are the most that a character takes, three the byte order mark.
  if (bytes.length > 4 * most + 3) {
    throw new TercetError(
      'ERR_TEXT_TOO_LONG',
      `the text has ${bytes.length} bytes, more than ${most} characters take`,
      'shorten it or split it',
    );
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new TercetError(
      'ERR_TEXT_ENCODING',
      `the text is not valid UTF-8 (${bytes.length} bytes)`,
      'save it as UTF-8 and try again',
    );
  }
}

/** Code points; a lone surrogate counts as one. */
function countCharacters(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; count++) at += (text.codePointAt(at) as number) > 0xffff ? 2 : 1;
  return count;
}
