/** The merges of a byte-pair encoding, in the order in which they are applied, out of either form in use. */

import { quote, typeName } from '../describe.ts';
import { tokenizerError } from './errors.ts';
import { linesOf } from './vocabulary.ts';

export type Merge = readonly [left: string, right: string];

const MAX_MERGES = 2_000_000;

/** `model.merges` of tokenizer.json: a list of "a b", or of ["a", "b"]. */
export function readMerges(list: unknown, vocabulary: ReadonlyMap<string, number>, file: string): Merge[] {
  if (!Array.isArray(list)) throw tokenizerError(`has merges of type ${typeName(list)}, not a list`, file);
  if (list.length > MAX_MERGES) throw tokenizerError(`has ${list.length} merges, more than ${MAX_MERGES}`, file);
  return (list as unknown[]).map((merge, i) =>
    checkMerge(typeof merge === 'string' ? merge.split(' ') : merge, `merge ${i + 1}`, vocabulary, file),
  );
}

/**
 * merges.txt: one "a b" a line, behind a line `#version: …`. @throws {TercetError} ERR_TOKENIZER naming the first
 * line that is not one.
 */
export function readMergesFile(bytes: Uint8Array, vocabulary: ReadonlyMap<string, number>, file: string): Merge[] {
  const lines = linesOf(bytes, file, 'a list of merges');
  if (lines.length > MAX_MERGES + 1) throw tokenizerError(`has ${lines.length} lines, more than ${MAX_MERGES}`, file);
  const merges: Merge[] = [];
  for (const [i, line] of lines.entries()) {
    if (!line.startsWith('#version')) merges.push(checkMerge(line.split(' '), `line ${i + 1}`, vocabulary, file));
  }
  return merges;
}

function checkMerge(parts: unknown, where: string, vocabulary: ReadonlyMap<string, number>, file: string): Merge {
  const [left, right] = Array.isArray(parts) ? (parts as unknown[]) : [];
  if (
    !Array.isArray(parts) ||
    parts.length !== 2 ||
    typeof left !== 'string' ||
    typeof right !== 'string' ||
    left === '' ||
    right === ''
  ) {
    throw tokenizerError(`has a malformed ${where}: two pieces with one space between them are expected`, file);
  }
  // A merge into something without an id would lose text.
  for (const piece of [left, right, left + right]) {
    if (!vocabulary.has(piece))
      throw tokenizerError(`has a ${where} with ${quote(piece)}, which is not in the vocabulary`, file);
  }
  return [left, right];
}
