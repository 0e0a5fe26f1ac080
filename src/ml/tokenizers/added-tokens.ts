/** Finds added tokens in a text as the reference library does: leftmost, of those the longest, none overlapping. */

import type { Span } from './types.ts';
import type { AddedToken } from './vocabulary.ts';

/** Units [from, to) of a text: plain, or the spelling of `token` (without white space that it swallowed). */
export interface Section {
  readonly from: number;
  readonly to: number;
  readonly token?: AddedToken;
}

const WORD_AT_END = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;
const WORD_AT_START = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;
const SPACE = /\p{White_Space}/u;

/** Prepares the search for `tokens`, each by its spelling. */
export function addedTokenFinder(
  tokens: readonly (readonly [spelling: string, token: AddedToken])[],
): (text: string) => Section[] {
  const byUnit = new Map<string, (readonly [string, AddedToken])[]>();
  for (const entry of tokens) {
    // A spelling that the normalizer emptied can stand nowhere.
    if (entry[0] === '') continue;
    const bucket = byUnit.get(entry[0][0]);
    if (bucket === undefined) byUnit.set(entry[0][0], [entry]);
    else bucket.push(entry);
  }
  for (const bucket of byUnit.values()) bucket.sort(([a], [b]) => b.length - a.length);
  return (text) => {
    const sections: Section[] = [];
    const plain = (from: number, to: number): void => {
      if (from < to) sections.push({ from, to });
    };
    let done = 0;
    let at = 0;
    while (byUnit.size > 0 && at < text.length) {
      const match = byUnit.get(text[at])?.find(([spelling]) => text.startsWith(spelling, at));
      if (match === undefined) {
        at++;
        continue;
      }
      const [spelling, token] = match;
      const end = at + spelling.length;
      if (!token.singleWord || standsAlone(text, at, end)) {
        plain(done, token.lstrip ? spacesBefore(text, at, done) : at);
        sections.push({ from: at, to: end, token });
        done = token.rstrip ? spacesBehind(text, end) : end;
      }
      at = Math.max(end, done);
    }
    plain(done, text.length);
    return sections;
  };
}

/** The span of the characters that these units belong to: half a surrogate pair is of the whole character. */
export function wholeCharacters(text: string, { from, to }: Section): Span {
  return [from - (splitsPair(text, from) ? 1 : 0), to + (splitsPair(text, to) ? 1 : 0)];
}

function splitsPair(text: string, at: number): boolean {
  return /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(Math.max(0, at - 1), at + 1));
}

function standsAlone(text: string, from: number, to: number): boolean {
  // Two units hold any character.
  return !WORD_AT_END.test(text.slice(Math.max(0, from - 2), from)) && !WORD_AT_START.test(text.slice(to, to + 2));
}

function spacesBefore(text: string, from: number, least: number): number {
  let at = from;
  while (at > least && SPACE.test(text[at - 1])) at--;
  return at;
}

function spacesBehind(text: string, from: number): number {
  let at = from;
  while (at < text.length && SPACE.test(text[at])) at++;
  return at;
}
