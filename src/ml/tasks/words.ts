/** Words between a user and a vocabulary: which single piece a word is, and which pieces of a text make one word. */

import { TercetError } from '../../core/errors.ts';
import { quote } from '../describe.ts';
import type { Encoding, Span, Tokenizer } from '../tokenizers/tokenizer.ts';

/** A list of names in a message: the first twenty, quoted. */
export function quoteList(names: readonly string[]): string {
  const shown = names.slice(0, 20).map(quote).join(', ');
  return names.length > 20 ? `${shown} and ${names.length - 20} more` : shown;
}

/**
 * Whether a piece in place of mask `index` (from 0) of a text follows a space: byte-level vocabularies have the
 * space in the piece.
 * @param text as the tokenizer gets it, with its mask tokens
 */
export function followsSpace(text: string, index: number, tokenizer: Tokenizer): boolean {
  if (tokenizer.family === 'bert' || tokenizer.maskToken === undefined) return false;
  return /\s$/u.test(text.split(tokenizer.maskToken)[index] ?? '');
}

/**
 * The one piece of a word, or undefined when the vocabulary has none.
 * @param spaced whether the word follows a space (followsSpace); a word that begins with one is taken as it is
 */
export function singlePiece(word: string, tokenizer: Tokenizer, spaced: boolean): number | undefined {
  const pieces = tokenizer.encodeWord(spaced && !/^\s/u.test(word) ? ` ${word}` : word);
  return pieces.length === 1 && pieces[0] !== tokenizer.unkTokenId ? pieces[0] : undefined;
}

/** @throws {TercetError} ERR_ARGUMENT unless `names` are `least` or more different non-empty strings. */
export function checkNames(names: unknown, what: string, least = 1): readonly string[] {
  const hint = `give a list of ${least} or more different ${what}s`;
  if (!Array.isArray(names) || names.length < least)
    throw new TercetError('ERR_ARGUMENT', `there are too few ${what}s`, hint);
  const list: readonly unknown[] = names;
  if (!list.every((name): name is string => typeof name === 'string' && name.trim() !== ''))
    throw new TercetError('ERR_ARGUMENT', `a ${what} is empty or no string`, hint);
  const twice = list.find((name, i) => list.indexOf(name) !== i);
  if (twice !== undefined) throw new TercetError('ERR_ARGUMENT', `the ${what} ${quote(twice)} is given twice`, hint);
  return list;
}

/** A piece of a text: its position in the input, and where it lies in its text without surrounding white space. */
export interface Piece {
  readonly position: number;
  readonly start: number;
  readonly end: number;
  /** Whether it goes on with the word of the piece before it. */
  readonly continues: boolean;
}

/**
 * The pieces of one text of an encoding, in order; special tokens and pieces of white space alone are left out.
 *
 * A word is what the model's own splitter calls one: WordPiece marks a continuation; for byte-level pieces the text
 * is split the same way here.
 */
export function piecesOf(encoding: Encoding, segment: 0 | 1, text: string, family: Tokenizer['family']): Piece[] {
  const wordStarts = family === 'bert' ? undefined : byteLevelWordStarts(text);
  const pieces: Piece[] = [];
  for (const [position, span] of encoding.spans.entries()) {
    if (span === undefined || encoding.segments[position] !== segment) continue;
    const [start, end] = trimmed(text, span);
    if (start >= end) continue;
    const before = pieces.at(-1);
    // Pieces that overlap are parts of one character.
    const inWord = wordStarts === undefined ? encoding.tokens[position].startsWith('##') : !wordStarts.has(start);
    pieces.push({ position, start, end, continues: before !== undefined && (start < before.end || inWord) });
  }
  return pieces;
}

/** Pieces → words: runs of pieces that go on with one another. */
export function wordsOf(pieces: readonly Piece[]): Piece[][] {
  const words: Piece[][] = [];
  for (const piece of pieces) {
    if (piece.continues) words.at(-1)?.push(piece);
    else words.push([piece]);
  }
  return words;
}

function trimmed(text: string, [from, to]: Span): Span {
  let [start, end] = [from, to];
  while (start < end && /\s/u.test(text[start])) start++;
  while (end > start && /\s/u.test(text[end - 1])) end--;
  return [start, end];
}

/** Where words begin for GPT-2 and RoBERTa: English endings, letters, digits, other signs; never white space. */
function byteLevelWordStarts(text: string): Set<number> {
  const words = text.matchAll(/'(?:[stmd]|re|ve|ll)|\p{L}+|\p{N}+|[^\p{White_Space}\p{L}\p{N}]+/gu);
  return new Set(Array.from(words, ({ index }) => index));
}
