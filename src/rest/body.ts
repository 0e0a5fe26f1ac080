/**
 * A body as it came: bytes of one JSON object in UTF-8, each name once.
 *
 * SECURITY: what two readers would read differently is refused, not chosen from: a name that is there twice, another
 * charset, a compressed body. test/rest/gateway.test.ts.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { Problem } from './problem.ts';

const OTHER_CHARSET = /;\s*charset\s*=\s*(?!"?utf-?8"?\s*(?:;|$))/i;

/** @throws {Problem} with status 400 or 415 */
export function readBytes(bytes: Buffer, headers: IncomingHttpHeaders): unknown {
  const { 'content-type': type = '', 'content-encoding': coding = 'identity' } = headers;
  if (OTHER_CHARSET.test(type) || coding.toLowerCase() !== 'identity') throw Problem.own('ERR_BODY_TYPE');
  const { text, value } = parsed(bytes);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw Problem.own('ERR_BODY');
  if (repeatsName(text)) throw Problem.own('ERR_BODY_TWICE');
  return value;
}

function parsed(bytes: Buffer): { readonly text: string; readonly value: unknown } {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { text, value: JSON.parse(text) };
  } catch {
    throw Problem.own('ERR_BODY');
  }
}

/**
 * Whether a name of the outer object is there twice; the parser would keep the last. Inner objects need no look: no
 * field takes one.
 * @param text of an object, as the parser took it
 */
function repeatsName(text: string): boolean {
  const names = new Set<string>();
  let depth = 0;
  let isName = false;
  for (let at = 0; at < text.length; at++) {
    const mark = text[at];
    if (mark === '{' || mark === '[') depth++;
    else if (mark === '}' || mark === ']') depth--;
    if (mark === '{' || mark === ',') isName = depth === 1;
    if (mark !== '"') continue;
    const from = at;
    for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++;
    if (!isName) continue;
    isName = false;
    const name = JSON.parse(text.slice(from, at + 1)) as string;
    if (names.has(name)) return true;
    names.add(name);
  }
  return false;
}
