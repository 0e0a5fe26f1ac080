/** A vocabulary out of untrusted JSON: piece → id, every id at most once. */

import { quote, typeName } from '../describe.ts';
import { isRecord, own } from '../json.ts';
import { TOKENIZER_FILE, tokenizerError } from './errors.ts';

const MAX_VOCABULARY = 2_000_000;
const MAX_PIECE_UNITS = 10_000;
const MAX_ADDED = 100_000;

/** A token that is looked for in a text before the text is cut into pieces. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Whether white space before, or behind it, is swallowed. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Whether it counts only where no letter or digit touches it. */
  readonly singleWord: boolean;
  /** Whether it is looked for in the normalized text. */
  readonly normalized: boolean;
  readonly special: boolean;
}

export function readVocabulary(vocab: unknown, file: string): Map<string, number> {
  if (!isRecord(vocab)) throw tokenizerError(`has a vocabulary of type ${typeName(vocab)}, not an object`, file);
  const vocabulary = new Map<string, number>();
  for (const [piece, id] of Object.entries(vocab)) {
    if (piece.length > MAX_PIECE_UNITS)
      throw tokenizerError(`has a piece of ${piece.length} units, more than ${MAX_PIECE_UNITS}`, file);
    vocabulary.set(piece, checkId(id, file));
  }
  if (vocabulary.size > MAX_VOCABULARY)
    throw tokenizerError(`has ${vocabulary.size} pieces, more than ${MAX_VOCABULARY}`, file);
  return vocabulary;
}

/**
 * vocab.txt: the piece of every line has the line's number as its id. Of a piece that stands twice the last counts, as
 * in the Python library.
 */
export function readPieceList(bytes: Uint8Array, file: string): Map<string, number> {
  const lines = linesOf(bytes, file, 'a list of pieces');
  return readVocabulary(Object.fromEntries(lines.map((piece, id) => [piece, id])), file);
}

const MAX_LIST_BYTES = 100_000_000;

/** The lines of a list that is untrusted text. @param what of a line in a message, like `a list of merges` */
export function linesOf(bytes: Uint8Array, file: string, what: string): string[] {
  if (bytes.length > MAX_LIST_BYTES)
    throw tokenizerError(`has ${bytes.length} bytes, more than ${what} can have`, file);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw tokenizerError('is not UTF-8 text: the download is damaged', file);
  }
  // A merge may well begin with "<", so a web page is told by its first tag.
  if (/^\s*<(!doctype|html|head|\?xml)/i.test(text))
    throw tokenizerError(`is HTML, not ${what}: a server answered with a web page`, file);
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function checkId(id: unknown, file = TOKENIZER_FILE): number {
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0 || id >= MAX_VOCABULARY) {
    throw tokenizerError('has a token id that is not a sane integer', file);
  }
  return id;
}

/** Reads a list of added tokens and puts every one of them into `vocabulary`. */
export function readAddedTokens(list: unknown, vocabulary: Map<string, number>, file = TOKENIZER_FILE): AddedToken[] {
  if (!Array.isArray(list)) throw tokenizerError(`has added_tokens of type ${typeName(list)}, not a list`, file);
  if (list.length > MAX_ADDED) throw tokenizerError(`has ${list.length} added tokens, more than ${MAX_ADDED}`, file);
  return (list as unknown[]).map((token) => {
    const content = isRecord(token) ? own(token, 'content') : undefined;
    if (!isRecord(token) || typeof content !== 'string' || content === '')
      throw tokenizerError('has an added token without content', file);
    if (content.length > MAX_PIECE_UNITS)
      throw tokenizerError(`has an added token of ${content.length} units, more than ${MAX_PIECE_UNITS}`, file);
    const id = checkId(own(token, 'id'), file);
    if ((vocabulary.get(content) ?? id) !== id) throw tokenizerError(`gives two ids to ${quote(content)}`, file);
    vocabulary.set(content, id);
    const on = (key: string, otherwise: boolean): boolean => {
      const value = own(token, key) ?? otherwise;
      if (typeof value !== 'boolean')
        throw tokenizerError(`has an added token whose ${key} is ${typeName(value)}, not true or false`, file);
      return value;
    };
    const special = on('special', false);
    return {
      id,
      content,
      lstrip: on('lstrip', false),
      rstrip: on('rstrip', false),
      singleWord: on('single_word', false),
      normalized: on('normalized', !special),
      special,
    };
  });
}

/** id → piece, undefined for an id that belongs to none: files may leave ids out. */
export function tableOfPieces(vocabulary: ReadonlyMap<string, number>, file: string): readonly (string | undefined)[] {
  const pieces: (string | undefined)[] = [];
  for (const [piece, id] of vocabulary) {
    if (pieces[id] !== undefined) throw tokenizerError(`gives the id ${id} to two pieces`, file);
    pieces[id] = piece;
  }
  if (pieces.length === 0) throw tokenizerError('has an empty vocabulary', file);
  return Array.from(pieces);
}
