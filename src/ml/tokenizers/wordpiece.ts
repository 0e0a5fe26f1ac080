/**
 * BERT's side: normalizing, cutting into words, one character at a time, so that every piece knows where it came from,
 * and cutting words into pieces by WordPiece: the longest piece of the vocabulary first (Schuster and Nakajima, 2012;
 * in BERT's form).
 *
 * Doing the first two here also makes them the reference's (Python, Rust): the library looks at UTF-16 units for
 * ideographs, lowercases whole strings (a last Σ becomes ς) and takes U+FEFF for white space. What remains is said
 * in docs of `bertNormalize`. The last is here because the library is a quarter of what a page loads and is needed for
 * byte-level vocabularies only. The tests compare both.
 */

import type { Aligned, EncodeWord, PieceModel, Pieces, Words } from './aligned.ts';

export interface NormalizerSettings {
  readonly cleanText: boolean;
  readonly handleChineseChars: boolean;
  readonly stripAccents: boolean;
  readonly lowercase: boolean;
}

/** Control (tab and line breaks are white space), format and private use; a lone surrogate cannot be encoded. */
const REMOVED = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u;
const SPACE = /\p{White_Space}/u;
/** The reference's own ranges, with its gap U+2B820…U+2B91F. */
const IDEOGRAPH =
  /[\u{4e00}-\u{9fff}\u{3400}-\u{4dbf}\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{f900}-\u{faff}\u{2f800}-\u{2fa1f}]/u;
const PUNCTUATION = /[\p{P}\u0021-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u007e]/u;

/**
 * BertNormalizer with offsets; `at` is the offset of the first unit.
 *
 * Differs from the reference (tokenizers 0.23.3) only where this engine's Unicode tables are newer than the
 * reference's. Measured with Node 20 over the 195,072 code points of planes 0 to 2 and tags: 658 change the ids of
 * bert-base-uncased, marks (496), punctuation (142) and format characters (20) of historic and minority scripts and
 * rare signs. Of the lines of wikitext-2 none does.
 */
function bertNormalize(text: string, at: number, settings: NormalizerSettings): Aligned {
  let normalized = '';
  const starts: number[] = [];
  const ends: number[] = [];
  const push = (piece: string, start: number, end: number): void => {
    normalized += piece;
    for (let i = 0; i < piece.length; i++) {
      starts.push(start);
      ends.push(end);
    }
  };
  let start = at;
  for (const character of text) {
    const end = start + character.length;
    push(normalizeCharacter(character, settings), start, end);
    start = end;
  }
  return { text: normalized, starts, ends };
}

function normalizeCharacter(character: string, settings: NormalizerSettings): string {
  let out = character;
  if (settings.cleanText) {
    if (/[\t\n\r]/.test(out)) return ' ';
    if (out === '\ufffd' || REMOVED.test(out)) return '';
    if (SPACE.test(out)) return ' ';
  }
  const apart = settings.handleChineseChars && IDEOGRAPH.test(out);
  if (settings.stripAccents) out = out.normalize('NFD').replace(/\p{Mn}/gu, '');
  if (settings.lowercase) out = Array.from(out, (one) => one.toLowerCase()).join('');
  return apart ? ` ${out} ` : out;
}

export function wordPieceModel(settings: NormalizerSettings, prefix: string, encode: EncodeWord): PieceModel {
  const word = (aligned: Aligned, from: number, to: number, out: Pieces): void => {
    const { ids, tokens } = encode(aligned.text.slice(from, to));
    let start = from;
    for (const [i, token] of tokens.entries()) {
      // A word that cannot be spelled is one unknown token, whatever its length.
      const end = tokens.length === 1 ? to : start + token.length - (i > 0 ? prefix.length : 0);
      out.ids.push(ids[i]);
      out.tokens.push(token);
      out.spans.push([aligned.starts[start], aligned.ends[end - 1]]);
      start = end;
    }
  };
  return {
    normalize: (text, at) => bertNormalize(text, at, settings),
    cut(aligned, from, to, out) {
      let start = from;
      let at = from;
      for (const character of aligned.text.slice(from, to)) {
        const end = at + character.length;
        const punctuation = PUNCTUATION.test(character);
        if (punctuation || SPACE.test(character)) {
          if (start < at) word(aligned, start, at, out);
          if (punctuation) word(aligned, at, end, out);
          start = end;
        }
        at = end;
      }
      if (start < at) word(aligned, start, at, out);
    },
  };
}

export interface WordPieceSettings {
  /** What stands for a word that cannot be spelled; a key of the vocabulary. */
  readonly unknown: string;
  /** Before every piece that does not begin a word. */
  readonly prefix: string;
  /** Code points of a longest word that is spelled. */
  readonly longest: number;
  /** What of a piece is dropped where it goes on a word, and whether spaces before punctuation are, by piece. */
  readonly decoder: { readonly prefix: string; readonly cleanUp: boolean };
  /** Whether they are dropped in the whole text. */
  readonly cleanUp: boolean;
}

export function wordPieces(
  vocabulary: ReadonlyMap<string, number>,
  { unknown, prefix, longest, decoder, cleanUp }: WordPieceSettings,
): Words {
  const pieces = new Map([...vocabulary].map(([piece, id]) => [id, piece]));

  /** Undefined where it cannot be spelled. */
  const spell = (characters: readonly string[]): string[] | undefined => {
    const tokens: string[] = [];
    for (let start = 0; start < characters.length; ) {
      let end = characters.length;
      const piece = (): string => `${start > 0 ? prefix : ''}${characters.slice(start, end).join('')}`;
      while (end > start && !vocabulary.has(piece())) end--;
      if (end === start) return undefined;
      tokens.push(piece());
      start = end;
    }
    return tokens;
  };

  return {
    encodeWord(word) {
      const characters = [...word];
      const tokens = (characters.length > longest ? undefined : spell(characters)) ?? [unknown];
      return { ids: tokens.map((token) => vocabulary.get(token) as number), tokens };
    },
    decode(ids) {
      const texts = ids.map((id, i) => {
        const piece = pieces.get(id) ?? unknown;
        const goesOn = decoder.prefix !== '' && piece.startsWith(decoder.prefix);
        const text = i === 0 ? piece : goesOn ? piece.slice(decoder.prefix.length) : ` ${piece}`;
        return decoder.cleanUp ? cleanedUp(text) : text;
      });
      return cleanUp ? cleanedUp(texts.join('')) : texts.join('');
    },
  };
}

/** Drops the spaces before English punctuation and contractions that cutting put there, as the Python library does. */
function cleanedUp(text: string): string {
  return text
    .replace(/ ([.?!,])/g, '$1')
    .replaceAll(" ' ", "'")
    .replaceAll(" n't", "n't")
    .replaceAll(" 'm", "'m")
    .replaceAll(" 's", "'s")
    .replaceAll(" 've", "'ve")
    .replaceAll(" 're", "'re");
}
