/**
 * WordPiece: the longest piece of the vocabulary first (Schuster and Nakajima, 2012; in BERT's form). Here and not
 * in the library, which is a quarter of what a page loads and is needed for byte-level vocabularies only. The tests
 * compare both.
 */
import type { Words } from './aligned.ts';

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
