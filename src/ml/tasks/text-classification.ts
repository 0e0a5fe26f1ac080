/** Text classification: a text → its classes with probabilities. */

import { TercetError } from '../../core/errors.ts';
import type { ModelConfig } from '../config.ts';
import { quote } from '../describe.ts';
import { isRecord } from '../json.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import {
  checkHead,
  checkLogits,
  checkTopK,
  encodeForModel,
  idsOf,
  softmax,
  type TaskInput,
  topIndices,
} from './common.ts';
import { checkNames, quoteList } from './words.ts';

/**
 * How the answer's classes are called: a list chooses some of the model's classes (probabilities are those among
 * the chosen ones), a record renames them (model's name → new name; the others stay). The model's names are found
 * as they are or, where that is one class only, in any case.
 */
export type LabelChoice = readonly string[] | Readonly<Record<string, string>>;

export interface ClassificationOptions {
  readonly labels?: LabelChoice | undefined;
}

/** A class of the model and the name that the answer shows. */
interface ShownLabel {
  readonly index: number;
  readonly label: string;
}

/** A mask token in the text is plain text here. `rows` is empty: the head reads the first position. */
export interface ClassificationInput extends TaskInput {
  readonly numLabels: number;
  readonly shown: readonly ShownLabel[];
}

export interface ClassificationPrediction {
  readonly label: string;
  /** Probability, in [0, 1]. */
  readonly score: number;
}

/**
 * Encodes a text for classification.
 * @throws {TercetError} ERR_MODEL_UNSUPPORTED for a model without the head; ERR_ARGUMENT, naming the model's
 * labels, for labels that it does not have; and as encodeForModel.
 */
export function prepareTextClassification(
  text: unknown,
  tokenizer: Tokenizer,
  config: ModelConfig,
  options: ClassificationOptions = {},
): ClassificationInput {
  checkHead(config, 'sequence-classification', 'text classification');
  const shown = chooseLabels(options.labels, config.id2label);
  return {
    ...idsOf(encodeForModel(text, tokenizer, config, false), config),
    rows: [],
    numLabels: config.numLabels,
    shown,
  };
}

/**
 * logits (L) → the min(topK, classes) likeliest classes, best first; all of them when topK is absent.
 * @throws {TercetError} ERR_SHAPE, ERR_RANGE (not finite), ERR_ARGUMENT (topK).
 */
export function finishTextClassification(
  logits: Float32Array,
  { numLabels, shown }: ClassificationInput,
  topK: number = numLabels,
): ClassificationPrediction[] {
  checkTopK(topK);
  checkLogits(logits, numLabels);
  const scores = softmax(shown.map(({ index }) => logits[index]));
  return topIndices(scores, topK).map((i) => ({ label: shown[i].label, score: scores[i] }));
}

/**
 * Resolves a choice of labels.
 * @throws {TercetError} ERR_ARGUMENT for a name that the model does not have (all of its names are in the message),
 * for names given twice, and for renamings after which two classes would be called the same.
 */
export function chooseLabels(labels: LabelChoice | undefined, known: readonly string[]): ShownLabel[] {
  const all = known.map((label, index) => ({ index, label }));
  if (labels === undefined) return all;
  if (isList(labels))
    return distinctClasses(checkNames(labels, 'label').map((label) => ({ index: indexOfLabel(label, known), label })));
  if (!isRecord(labels))
    throw new TercetError(
      'ERR_ARGUMENT',
      'labels are neither a list nor a record of names',
      `the model's labels are ${quoteList(known)}`,
    );
  const renamed = new Map(Object.entries(labels).map(([from, to]) => [indexOfLabel(from, known), to] as const));
  if (renamed.size !== Object.keys(labels).length)
    throw new TercetError(
      'ERR_ARGUMENT',
      'two of the labels are the same class of the model',
      `the model's labels are ${quoteList(known)}`,
    );
  const shown = all.map(({ index, label }) => ({ index, label: renamed.get(index) ?? label }));
  checkNames([...renamed.values()], 'label');
  for (const [index, label] of renamed) {
    if (shown.some((other) => other.index !== index && other.label === label))
      throw new TercetError(
        'ERR_ARGUMENT',
        `two classes would be called ${quote(label)}`,
        'give every class a name of its own',
      );
  }
  return shown;
}

/** Array.isArray does not narrow a readonly list out of a union. */
function isList(labels: LabelChoice): labels is readonly string[] {
  return Array.isArray(labels);
}

function indexOfLabel(name: string, known: readonly string[]): number {
  const exact = known.indexOf(name);
  if (exact >= 0) return exact;
  const alike = known.flatMap((label, i) => (label.toLowerCase() === name.toLowerCase() ? [i] : []));
  if (alike.length === 1) return alike[0];
  throw new TercetError(
    'ERR_ARGUMENT',
    `the model has no label ${quote(name)}; it has ${quoteList(known)}`,
    'use its labels, or zero-shot classification',
  );
}

function distinctClasses(shown: ShownLabel[]): ShownLabel[] {
  if (new Set(shown.map(({ index }) => index)).size !== shown.length)
    throw new TercetError('ERR_ARGUMENT', 'two of the labels are the same class of the model', 'name every class once');
  return shown;
}
