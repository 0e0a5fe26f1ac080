/** What a tokenizer gives and offers, whatever its family. */

/** UTF-16 offsets into the text as given: [start, end). */
export type Span = readonly [start: number, end: number];

export interface Encoding {
  /** The text, framed by the family's control tokens. Never padded, never cut. */
  readonly ids: number[];
  /** The pieces of the same positions as the vocabulary has them; they hold the text, so they belong in no message. */
  readonly tokens: string[];
  /**
   * Where each token lies in its own text; undefined for the control tokens that frame it. A mask that the user
   * wrote has the span of what was written. A byte-level piece that is part of a character has the whole
   * character's span, and spaces around a piece are left out, so a piece of spaces alone is empty.
   */
  readonly spans: (Span | undefined)[];
  /** Which text each token is from: 0 the first (or only), 1 the second; undefined for control tokens. */
  readonly segments: (0 | 1 | undefined)[];
  /** Token type ids as the tokenizer's post-processor has them (0 everywhere where it has none). */
  readonly typeIds: number[];
  /** Special tokens that the text spells and that were read as plain text, each once. */
  readonly cut: readonly string[];
}

interface EncodeOptions {
  /** Whether a literal mask token in the text is the mask (fill-mask) or plain text (every other task). */
  readonly allowMask: boolean;
}

export type Family = 'bert' | 'roberta' | 'gpt2';

export interface Tokenizer {
  /** What the tokenizer is like; DistilBERT's is 'bert'. */
  readonly family: Family;
  /** Longest text that is read, in characters. */
  readonly maxCharacters: number;
  /** Ids are below this; some of them may belong to no piece. */
  readonly vocabSize: number;
  /**
   * Ids of pieces that were not added are below this. A model must have embeddings for them; added tokens may lie
   * beyond.
   */
  readonly ownVocabSize: number;
  /** Special tokens, of roles and others: no part of a text that is shown. */
  readonly specialIds: ReadonlySet<number>;
  readonly clsTokenId: number | undefined;
  readonly sepTokenId: number | undefined;
  readonly padTokenId: number | undefined;
  /** What the files call unknown; a byte-level tokenizer never gives it. */
  readonly unkTokenId: number | undefined;
  readonly maskTokenId: number | undefined;
  /** How a user writes the mask: `[MASK]`, `<mask>`; undefined where there is none. */
  readonly maskToken: string | undefined;
  /** GPT-2's `<|endoftext|>`, RoBERTa's `</s>`; undefined where none is named. */
  readonly eosTokenId: number | undefined;
  /**
   * Encodes a text that passed `checkText`: [CLS] a [SEP], `<s>` a `</s>`, or for GPT-2 the text alone. A text
   * without any piece (for BERT one of invisible characters) gives the frame alone.
   * @throws {TercetError} ERR_TOKENIZER where the vocabulary cannot spell the text, or would spell a control token.
   */
  encode(text: string, options: EncodeOptions): Encoding;
  /**
   * Encodes two texts: [CLS] a [SEP] b [SEP], or `<s>` a `</s></s>` b `</s>`. A mask in them is plain text.
   * @throws {TercetError} ERR_MODEL_UNSUPPORTED for GPT-2, which has no pairs; ERR_TOKENIZER as encode.
   */
  encodePair(first: string, second: string): Encoding;
  /** The ids of plain text without control tokens. @throws {TercetError} ERR_TOKENIZER as encode. */
  encodeWord(text: string): number[];
  /**
   * The same, but a special token that a text spells is that token, as the Python library has it; only padding
   * stays text. The text then can forge the structure of an input: for texts whose author may say where it begins
   * and ends, and markers of entities or speakers.
   */
  readingSpecialTokens(): Tokenizer;
  /**
   * The piece of an id as the vocabulary has it (`paris`, `##s`, `ĠParis`), empty for an id without one. @throws
   * {TercetError} ERR_RANGE when there is no such id.
   */
  decodeToken(id: number): string;
  /**
   * Readable text of ids, without the control tokens. Bytes of a byte-level tokenizer that are no UTF-8 (yet)
   * become U+FFFD.
   * @throws {TercetError} ERR_RANGE as decodeToken.
   */
  decode(ids: readonly number[]): string;
}
