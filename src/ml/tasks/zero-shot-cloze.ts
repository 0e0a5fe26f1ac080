/**
 * Zero-shot classification by a masked language model: a template asks it for a word after the text (`{text} It was
 * {mask}.`), and each label stands for one word of its vocabulary. A classifier of entailment (zero-shot-nli.ts) is
 * better at it; this way needs no such model.
 */

import { TercetError } from '../../core/errors.ts';
import type { ModelConfig } from '../config.ts';
import { quote } from '../describe.ts';
import { isRecord, own } from '../json.ts';
import { checkText } from '../text.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import { checkHead, encodeForModel, idsOf, softmax, type TaskInput, vocabularyWidth } from './common.ts';
import { checkNames, followsSpace, quoteList, singlePiece } from './words.ts';
import { fillTemplate, ranked, type ZeroShotResult } from './zero-shot.ts';

const CLOZE_TEMPLATE = '{text} It was {mask}.';

export interface ClozeOptions {
  /** With {text} and {mask} once each. Its tokens count against the model's positions. */
  readonly template?: string | undefined;
  /** Label → the word that stands for it; a label that is not in it stands for itself. */
  readonly verbalizers?: Readonly<Record<string, string>> | undefined;
}

/** `rows`: the mask. */
export interface ClozeInput extends TaskInput {
  readonly sequence: string;
  readonly labels: readonly string[];
  /** The piece of each label. */
  readonly labelIds: readonly number[];
}

/**
 * Encodes a text and its labels.
 * @throws {TercetError} ERR_ARGUMENT for fewer than two labels, for one that is not a single piece (naming it), for
 * two that are the same piece, for a bad template, and for a text that has a mask token of its own;
 * ERR_MODEL_UNSUPPORTED; and as encodeForModel.
 */
export function prepareCloze(
  text: unknown,
  labels: unknown,
  tokenizer: Tokenizer,
  config: ModelConfig,
  options: ClozeOptions = {},
): ClozeInput {
  checkHead(config, 'masked-lm', 'zero-shot classification by a cloze');
  const { maskToken, maskTokenId } = tokenizer;
  if (maskToken === undefined || maskTokenId === undefined)
    throw new TercetError('ERR_MODEL_UNSUPPORTED', 'the tokenizer has no mask token', 'choose another model');
  const names = checkNames(labels, 'label', 2);
  const sequence = checkText(text, tokenizer.maxCharacters);
  // Else the text could choose which mask is read.
  if (sequence.includes(maskToken))
    throw new TercetError('ERR_ARGUMENT', `the text has a ${maskToken} of its own`, 'take it out of the text');
  const filled = fillTemplate(options.template ?? CLOZE_TEMPLATE, { text: sequence, mask: maskToken });
  // An empty text would be hidden by the template around it.
  encodeForModel(sequence, tokenizer, config, false);
  const encoding = encodeForModel(filled, tokenizer, config, true);
  const rows = encoding.ids.flatMap((id, i) => (id === maskTokenId ? [i] : []));
  if (rows.length !== 1)
    throw new TercetError(
      'ERR_ARGUMENT',
      `the template has ${rows.length} mask tokens`,
      'write {mask} once, and no mask token beside it',
    );
  const labelIds = verbalize(names, options.verbalizers, tokenizer, followsSpace(filled, 0, tokenizer));
  return { ...idsOf(encoding, config), rows, sequence, labels: names, labelIds };
}

function verbalize(
  labels: readonly string[],
  verbalizers: ClozeOptions['verbalizers'],
  tokenizer: Tokenizer,
  spaced: boolean,
): number[] {
  if (verbalizers !== undefined && !isRecord(verbalizers))
    throw new TercetError(
      'ERR_ARGUMENT',
      'verbalizers are no record of label and word',
      'give for example { positive: "good" }',
    );
  const stray = Object.keys(verbalizers ?? {}).find((label) => !labels.includes(label));
  if (stray !== undefined)
    throw new TercetError(
      'ERR_ARGUMENT',
      `verbalizers name ${quote(stray)}, which is no label; labels are ${quoteList(labels)}`,
      'use the labels as keys',
    );
  const ids = labels.map((label) => {
    const word = (verbalizers === undefined ? undefined : own(verbalizers, label)) ?? label;
    const id = typeof word === 'string' && word !== '' ? singlePiece(word, tokenizer, spaced) : undefined;
    if (id === undefined) {
      throw new TercetError(
        'ERR_ARGUMENT',
        `the label ${quote(label)} is not one word of the model's vocabulary`,
        'use a synonym, or pass verbalizers: a record of label and word',
      );
    }
    return id;
  });
  const twice = ids.findIndex((id, i) => ids.indexOf(id) !== i);
  if (twice >= 0) {
    const other = labels[ids.indexOf(ids[twice])];
    throw new TercetError(
      'ERR_ARGUMENT',
      `the labels ${quote(other)} and ${quote(labels[twice])} are the same word to the model`,
      'use different words',
    );
  }
  return ids;
}

/**
 * logits (1, V) at the mask → the labels, best first; softmax over the labels' pieces only.
 * @throws {TercetError} ERR_SHAPE, ERR_RANGE (not finite).
 */
export function finishCloze(logits: Float32Array, input: ClozeInput, tokenizer: Tokenizer): ZeroShotResult {
  vocabularyWidth(logits, 1, tokenizer);
  return ranked(input.sequence, input.labels, softmax(input.labelIds.map((id) => logits[id])));
}
