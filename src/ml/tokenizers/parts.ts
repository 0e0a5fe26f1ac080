/** What every family is made of, and how sections of untrusted files are read into it. */

import { quote, typeName } from '../describe.ts';
import { isRecord, own } from '../json.ts';
import type { PieceModel, Words } from './aligned.ts';
import { tokenizerError } from './errors.ts';
import type { Frame } from './frame.ts';
import type { SpecialTokens } from './special.ts';
import type { Family } from './types.ts';
import type { AddedToken } from './vocabulary.ts';

export interface Parts {
  readonly family: Family;
  /** The file that holds the vocabulary, for messages. */
  readonly file: string;
  readonly vocabulary: ReadonlyMap<string, number>;
  /** One more than the highest id of a piece that was not added. */
  readonly ownSize: number;
  readonly addedTokens: readonly AddedToken[];
  readonly special: SpecialTokens;
  readonly frame: Frame;
  readonly model: PieceModel;
  readonly words: Words;
}

export type Json = Record<string, unknown>;

export function section(json: Json, key: string): Json {
  const value = own(json, key);
  if (!isRecord(value)) throw tokenizerError(`has ${key} of type ${typeName(value)}, not an object`);
  return value;
}

/**
 * The one part of a section, which may be wrapped in a sequence, alone; undefined where there is none.
 * @param list what a sequence calls its parts
 */
export function only(json: Json, key: string, list: string, allowed: readonly string[]): Json | undefined {
  let value: unknown = own(json, key) ?? undefined;
  for (let depth = 0; depth < 4 && isRecord(value) && own(value, 'type') === 'Sequence'; depth++) {
    const parts = own(value, list);
    if (!Array.isArray(parts) || parts.length > 1)
      throw tokenizerError(`has a ${key} of several steps, which is not supported with this model`);
    value = parts[0] as unknown;
  }
  if (value === undefined) return undefined;
  if (!isRecord(value)) throw tokenizerError(`has ${key} of type ${typeName(value)}, not an object`);
  const type = own(value, 'type');
  if (typeof type === 'string' && allowed.includes(type)) return value;
  throw tokenizerError(
    `has a ${key} of type ${kind(type)}${allowed.length === 0 ? '' : `, and only ${allowed.join(', ')} is supported with this model`}`,
  );
}

/**
 * Added tokens of both files: those of tokenizer_config.json go before those of tokenizer.json that are spelled
 * alike.
 */
export function merged(list: unknown, more: readonly unknown[]): readonly unknown[] {
  if (list !== undefined && list !== null && !Array.isArray(list))
    throw tokenizerError(`has added_tokens of type ${typeName(list)}, not a list`);
  const spelled = (token: unknown): unknown => (isRecord(token) ? own(token, 'content') : undefined);
  const later = new Map(more.map((token) => [spelled(token), token]));
  const first = ((list ?? []) as readonly unknown[]).map((token) => later.get(spelled(token)) ?? token);
  const known = new Set(first.map(spelled));
  return [...first, ...more.filter((token) => !known.has(spelled(token)))];
}

/** Names of lists of special tokens beside the roles, old and new. */
const MORE_SPECIAL = ['additional_special_tokens', 'extra_special_tokens'];

/** Tokens that the configuration calls special are, whatever their own entry says. */
export function alsoSpecial(
  addedTokens: readonly AddedToken[],
  vocabulary: ReadonlyMap<string, number>,
  config: Json,
): AddedToken[] {
  const found = new Map(addedTokens.map((token) => [token.content, token]));
  for (const list of MORE_SPECIAL.map((key) => own(config, key))) {
    const entries: unknown[] = Array.isArray(list) ? list : isRecord(list) ? Object.values(list) : [];
    for (const entry of entries) {
      const content = isRecord(entry) ? own(entry, 'content') : entry;
      const id = typeof content === 'string' ? vocabulary.get(content) : undefined;
      if (typeof content !== 'string' || id === undefined) continue;
      const before = found.get(content) ?? {
        id,
        content,
        lstrip: false,
        rstrip: false,
        singleWord: false,
        normalized: false,
      };
      found.set(content, { ...before, special: true });
    }
  }
  return [...found.values()];
}

/** One more than the highest id. */
export function sizeOf(vocabulary: ReadonlyMap<string, number>): number {
  let size = 0;
  for (const id of vocabulary.values()) size = Math.max(size, id + 1);
  return size;
}

export function kind(type: unknown): string {
  return typeof type === 'string' ? quote(type) : typeName(type);
}
