/**
 * Text ↔ tokens, over `@huggingface/tokenizers` and the tokenizer files of a model; nothing is fetched.
 *
 * **Control tokens in user text.** The library, like the Python one, turns a literal `[SEP]` or `<|endoftext|>`
 * that a user typed into the control token. Here a text cannot forge the structure of a model's input: control
 * tokens in it are always plain text (they become pieces such as `[`, `sep`, `]`), and the mask is the mask token
 * only where the caller says `allowMask`, which is fill-mask alone. It is recognised exactly as the model spells
 * it. Added tokens that are not special stay what the model's author made them. What was read as text is said
 * (`Encoding.cut`), and `readingSpecialTokens` is for those who want it otherwise.
 *
 * Padding and truncation settings of tokenizer.json are ignored: nothing is ever cut in silence (the tasks refuse
 * what is too long).
 */

import { TercetError } from '../../core/errors.ts';
import type { ModelFiles } from '../files.ts';
import { textLimit } from '../text.ts';
import { addedTokenFinder, wholeCharacters } from './added-tokens.ts';
import type { Pieces } from './aligned.ts';
import { tokenizerError } from './errors.ts';
import { readParts } from './family.ts';
import type { FrameItem } from './frame.ts';
import type { Parts } from './parts.ts';
import { readSource } from './source.ts';
import type { Role, SpecialToken } from './special.ts';
import type { Encoding, Tokenizer } from './types.ts';
import { type AddedToken, tableOfPieces } from './vocabulary.ts';

export { tokenizerFiles } from './source.ts';
export type { Encoding, Span, Tokenizer } from './types.ts';

/**
 * Loads the tokenizer of a BERT, DistilBERT, RoBERTa or GPT-2 model: from `tokenizer.json` and
 * `tokenizer_config.json`, or, where there is no tokenizer.json, from `vocab.txt`, or `vocab.json` and `merges.txt`
 * (and, if there, tokenizer_config.json, special_tokens_map.json, added_tokens.json).
 * @param maxCharacters longest text that is read
 * @throws {TercetError} ERR_MODEL_NOT_FOUND for missing files, ERR_TOKENIZER for one that is HTML, damaged,
 * contradictory or of another kind, ERR_ARGUMENT for a length that is none.
 */
export async function loadTokenizer(files: ModelFiles, maxCharacters?: number): Promise<Tokenizer> {
  const most = textLimit(maxCharacters);
  return assemble(await readParts(await readSource(files)), most, false);
}

/** `reading`: whether a text's special tokens are read as such. */
function assemble(parts: Parts, maxCharacters: number, reading: boolean): Tokenizer {
  const { family, special, frame, words } = parts;
  const pieces = tableOfPieces(parts.vocabulary, parts.file);
  const idsBut = (...roles: Role[]): Set<number> =>
    new Set(
      (Object.keys(special) as Role[])
        .filter((role) => !roles.includes(role))
        .flatMap((role) => special[role]?.id ?? []),
    );
  // A word that WordPiece cannot spell is unknown; a byte-level tokenizer has no such word, so there `unk` is a
  // control token like the others.
  const control = family === 'bert' ? idsBut('unk') : idsBut();
  const hidden = idsBut('unk', 'mask');
  const plain = textEncoder(parts, control, reading);
  const added = new Set(parts.addedTokens.map(({ id }) => id));

  const piece = (id: number): string => {
    const found = pieces[id];
    if (found === undefined && !(Number.isSafeInteger(id) && id >= 0 && id < pieces.length))
      throw new TercetError(
        'ERR_RANGE',
        `token id ${id} is not in the vocabulary of ${pieces.length}`,
        'take the tokenizer that belongs to the model',
      );
    return found ?? '';
  };

  const build = (items: readonly FrameItem[], texts: readonly Cut[]): Encoding => {
    const cut = [...new Set(texts.flatMap(({ cut }) => [...cut]))];
    const encoding: Encoding = { ids: [], tokens: [], spans: [], segments: [], typeIds: [], cut };
    for (const { item, typeId } of items) {
      const isText = item === 0 || item === 1;
      const { ids, tokens, spans } = isText ? texts[item] : controlPieces(special[item] as SpecialToken);
      for (const [i, id] of ids.entries()) {
        encoding.ids.push(id);
        encoding.tokens.push(tokens[i]);
        encoding.spans.push(isText ? spans[i] : undefined);
        encoding.segments.push(isText ? item : undefined);
        encoding.typeIds.push(typeId);
      }
    }
    return encoding;
  };

  const tokenizer: Tokenizer = {
    family,
    maxCharacters,
    vocabSize: pieces.length,
    ownVocabSize: parts.ownSize,
    specialIds: new Set([...idsBut(), ...parts.addedTokens.filter(({ special }) => special).map(({ id }) => id)]),
    clsTokenId: special.cls?.id,
    sepTokenId: special.sep?.id,
    padTokenId: special.pad?.id,
    unkTokenId: special.unk?.id,
    maskTokenId: special.mask?.id,
    maskToken: special.mask?.spelling,
    eosTokenId: special.eos?.id,
    encode: (text, { allowMask }) => build(frame.single, [plain(text, allowMask)]),
    encodePair(first, second) {
      if (frame.pair.length === 0)
        throw new TercetError(
          'ERR_MODEL_UNSUPPORTED',
          `a ${family} model has no form for two texts`,
          'use a BERT or RoBERTa model',
        );
      return build(frame.pair, [plain(first, false), plain(second, false)]);
    },
    encodeWord: (text) => plain(text, false).ids,
    readingSpecialTokens: () => (reading ? tokenizer : assemble(parts, maxCharacters, true)),
    decodeToken: piece,
    decode(list) {
      for (const id of list) piece(id);
      const shown = list.filter((id) => !hidden.has(id) && pieces[id] !== undefined);
      if (family === 'bert') return words.decode(shown);
      // Added tokens are text, not bytes.
      let text = '';
      let from = 0;
      for (let i = 0; i <= shown.length; i++) {
        if (i < shown.length && !added.has(shown[i])) continue;
        text += words.decode(shown.slice(from, i)) + (i < shown.length ? pieces[shown[i]] : '');
        from = i + 1;
      }
      return text;
    },
  };
  return tokenizer;
}

/** Pieces of a text, and the special tokens in it that were read as text. */
interface Cut extends Pieces {
  readonly cut: ReadonlySet<string>;
}

function controlPieces({ id, spelling }: SpecialToken): Pieces {
  return { ids: [id], tokens: [spelling], spans: [] };
}

/**
 * Cuts a text into pieces: first at the added tokens that a text may have, then, normalized, at those looked for
 * there, then into words.
 */
function textEncoder(
  parts: Parts,
  control: ReadonlySet<number>,
  reading: boolean,
): (text: string, allowMask: boolean) => Cut {
  const { addedTokens, special, model, file } = parts;
  const spelled = specialTokens(parts);
  const isSpecial = new Set(spelled.map(([spelling]) => spelling));
  const usual = addedTokens.filter((token) => !isSpecial.has(token.content));
  const read = reading ? spelled.filter(([, { id }]) => !isPadding(id, parts)) : [];
  const asTyped = [
    ...usual.filter(({ normalized }) => !normalized).map((token) => [token.content, token] as const),
    ...read,
  ];
  const findTyped = addedTokenFinder(asTyped);
  const findMasked = addedTokenFinder([...asTyped, ...maskTokens(addedTokens, special.mask)]);
  const findNormalized = addedTokenFinder(
    usual.filter(({ normalized }) => normalized).map((token) => [model.normalize(token.content, 0).text, token]),
  );
  const findCut = addedTokenFinder(spelled);

  return (text, allowMask) => {
    const out: Pieces = { ids: [], tokens: [], spans: [] };
    const cut = new Set<string>();
    const push = (token: AddedToken, start: number, end: number): void => {
      out.ids.push(token.id);
      out.tokens.push(token.content);
      out.spans.push([start, end]);
    };
    for (const typed of (allowMask ? findMasked : findTyped)(text)) {
      if (typed.token !== undefined) {
        push(typed.token, ...wholeCharacters(text, typed));
        continue;
      }
      const part = text.slice(typed.from, typed.to);
      for (const { token } of findCut(part)) if (token !== undefined) cut.add(token.content);
      const aligned = model.normalize(part, typed.from);
      for (const { from, to, token } of findNormalized(aligned.text)) {
        if (token !== undefined) push(token, aligned.starts[from], aligned.ends[to - 1]);
        else {
          const before = out.ids.length;
          model.cut(aligned, from, to, out);
          // SECURITY: no text becomes a control token, whatever the vocabulary spells them like
          // (test/ml/tokenizer.test.ts).
          if (out.ids.slice(before).some((id) => control.has(id))) {
            throw tokenizerError('spells a control token as an ordinary word, so that a text could forge it', file);
          }
        }
      }
    }
    return { ...out, cut };
  };
}

/** Special tokens by their spelling: those of roles, and others that were added. */
function specialTokens({ addedTokens, special }: Parts): (readonly [string, AddedToken])[] {
  const found = new Map(addedTokens.filter((token) => token.special).map((token) => [token.content, token]));
  for (const { spelling, id } of Object.values(special)) {
    if (!found.has(spelling))
      found.set(spelling, addedTokens.find((token) => token.id === id) ?? plainToken({ spelling, id }));
  }
  return [...found];
}

/** Whether a token is padding and nothing else: no text reads its embedding. */
function isPadding(id: number, { special }: Parts): boolean {
  return (
    special.pad?.id === id &&
    !(Object.keys(special) as Role[]).some((role) => role !== 'pad' && special[role]?.id === id)
  );
}

function plainToken({ spelling, id }: SpecialToken): AddedToken {
  return { id, content: spelling, lstrip: false, rstrip: false, singleWord: false, normalized: false, special: true };
}

/**
 * The mask, with what the files say of the white space around it. It is looked for as it is spelled, never in
 * normalized text.
 */
function maskTokens(
  addedTokens: readonly AddedToken[],
  mask: SpecialToken | undefined,
): (readonly [string, AddedToken])[] {
  if (mask === undefined) return [];
  return [[mask.spelling, addedTokens.find(({ id }) => id === mask.id) ?? plainToken(mask)]];
}
