/** The special tokens of a family: how they are spelled, and their ids. */

import { quote } from '../describe.ts';
import { isRecord, own } from '../json.ts';
import { TOKENIZER_CONFIG_FILE, tokenizerError } from './errors.ts';
import type { Family } from './types.ts';

export type Role = 'cls' | 'sep' | 'pad' | 'unk' | 'mask' | 'bos' | 'eos';
export interface SpecialToken {
  readonly spelling: string;
  readonly id: number;
}
export type SpecialTokens = Readonly<Partial<Record<Role, SpecialToken>>>;

/** What the families' own tokenizers use. */
const DEFAULTS: Readonly<Record<Family, Readonly<Partial<Record<Role, string>>>>> = {
  bert: { cls: '[CLS]', sep: '[SEP]', pad: '[PAD]', unk: '[UNK]', mask: '[MASK]' },
  roberta: { cls: '<s>', sep: '</s>', pad: '<pad>', unk: '<unk>', mask: '<mask>', bos: '<s>', eos: '</s>' },
  gpt2: { eos: '<|endoftext|>', bos: '<|endoftext|>', unk: '<|endoftext|>' },
};
/** What frames a text, and so must be there. A task that needs another role asks for it. */
const REQUIRED: Readonly<Record<Family, readonly Role[]>> = { bert: ['cls', 'sep'], roberta: ['cls', 'sep'], gpt2: [] };
const ROLES: readonly Role[] = ['cls', 'sep', 'pad', 'unk', 'mask', 'bos', 'eos'];

/**
 * One special token's entry of tokenizer_config.json or special_tokens_map.json: a string, or an object with
 * `content`.
 */
export function spelledIn(
  config: Record<string, unknown>,
  role: Role,
  file = TOKENIZER_CONFIG_FILE,
): string | undefined {
  const value = own(config, `${role}_token`);
  if (value === undefined || value === null) return undefined;
  const content = isRecord(value) ? own(value, 'content') : value;
  if (typeof content !== 'string' || content === '')
    throw tokenizerError(`has a ${role}_token that is not a string`, file);
  return content;
}

/**
 * The family's special tokens, spelled as `config` says or else as usual. @throws {TercetError} ERR_TOKENIZER when
 * one that frames a text has no id.
 */
export function readSpecialTokens(
  family: Family,
  config: Record<string, unknown>,
  vocabulary: ReadonlyMap<string, number>,
  file: string,
): SpecialTokens {
  const tokens: Partial<Record<Role, SpecialToken>> = {};
  for (const role of ROLES) {
    const spelling = spelledIn(config, role) ?? DEFAULTS[family][role];
    if (spelling === undefined) continue;
    const id = vocabulary.get(spelling);
    if (id === undefined && !REQUIRED[family].includes(role)) continue;
    if (id === undefined) throw tokenizerError(`has no ${role} token ${quote(spelling)} in its vocabulary`, file);
    tokens[role] = { spelling, id };
  }
  return tokens;
}
