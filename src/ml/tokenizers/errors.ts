/** The names of a tokenizer's files, and the one form of its refusals. */

import { TercetError } from '../../core/errors.ts';

export const TOKENIZER_FILE = 'tokenizer.json';
export const TOKENIZER_CONFIG_FILE = 'tokenizer_config.json';
/** The model's own, which says what kind of model the tokenizer is for. */
export const CONFIG_FILE = 'config.json';
/** BERT's list of pieces, one a line, where there is no tokenizer.json. */
export const PIECES_FILE = 'vocab.txt';
export const VOCAB_FILE = 'vocab.json';
export const MERGES_FILE = 'merges.txt';
export const SPECIAL_TOKENS_FILE = 'special_tokens_map.json';
export const ADDED_TOKENS_FILE = 'added_tokens.json';

/** ERR_TOKENIZER: `file` and what is wrong with it. `what` quotes nothing but names out of the file. */
export function tokenizerError(what: string, file = TOKENIZER_FILE): TercetError {
  return new TercetError(
    'ERR_TOKENIZER',
    `${file} ${what}`,
    'take all tokenizer files of one BERT, DistilBERT, RoBERTa or GPT-2 model from the same place',
  );
}
