/**
 * Zero-shot classification by a classifier of entailment: does the text entail `This example is {label}.`? One
 * input for each label.
 */

import { TercetError } from '../../core/errors.ts';
import type { ModelConfig } from '../config.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import {
  checkFinite,
  checkHead,
  checkLogits,
  checkNamed,
  encodePairForModel,
  idsOf,
  softmax,
  type TaskInput,
} from './common.ts';
import { checkNames } from './words.ts';
import { fillTemplate, ranked, type ZeroShotResult } from './zero-shot.ts';

const HYPOTHESIS_TEMPLATE = 'This example is {label}.';

export interface NliOptions {
  /** With {label} once; transformers' spelling `{}` is taken as well. */
  readonly hypothesisTemplate?: string | undefined;
  /** Whether each label is judged by itself, so that several may hold. */
  readonly multiLabel?: boolean | undefined;
}

export interface NliInput {
  /** One for each label, in their order: a batch. */
  readonly inputs: readonly TaskInput[];
  readonly sequence: string;
  readonly labels: readonly string[];
  readonly numLabels: number;
  readonly entailment: number;
  /** Of a model with two classes the other one. Absent where it is not read. */
  readonly contradiction?: number;
}

/**
 * Encodes a text with one hypothesis for each label.
 * @throws {TercetError} ERR_MODEL_UNSUPPORTED for a classifier of anything else; ERR_ARGUMENT for labels and
 * templates; and as encodePairForModel.
 */
export function prepareNli(
  text: unknown,
  labels: unknown,
  tokenizer: Tokenizer,
  config: ModelConfig,
  options: NliOptions = {},
): NliInput {
  checkHead(config, 'sequence-classification', 'zero-shot classification');
  const entailment = classOf(config, 'entail');
  const names = checkNames(labels, 'label');
  const sequence = checkNamed(text, 'text', tokenizer.maxCharacters);
  const template = options.hypothesisTemplate?.replaceAll('{}', '{label}') ?? HYPOTHESIS_TEMPLATE;
  const inputs = names.map((label) => {
    const hypothesis = fillTemplate(template, { label });
    const encoding = encodePairForModel(
      sequence,
      hypothesis,
      ['text', 'hypothesis'],
      tokenizer,
      config,
      'shorten the text or split it',
    );
    return { ...idsOf(encoding, config), rows: [] };
  });
  const input = { inputs, sequence, labels: names, numLabels: config.numLabels, entailment };
  // A single label has nothing to be compared with but its own contradiction.
  const each = options.multiLabel === true || names.length === 1;
  return each
    ? { ...input, contradiction: config.numLabels === 2 ? 1 - entailment : classOf(config, 'contradict') }
    : input;
}

function classOf({ id2label }: ModelConfig, start: string): number {
  const index = id2label.findIndex((label) => label.toLowerCase().startsWith(start));
  if (index >= 0) return index;
  throw new TercetError(
    'ERR_MODEL_UNSUPPORTED',
    `the classifier has no label that begins with "${start}", so it is none of entailment`,
    'choose a model for natural language inference, or a masked language model',
  );
}

/**
 * logits (labels, L) row-major, one row for each input → the labels, best first.
 *
 * Scores are the softmax of entailment over the labels; with `multiLabel`, of entailment against contradiction for
 * each.
 * @throws {TercetError} ERR_SHAPE, ERR_RANGE (not finite).
 */
export function finishNli(logits: Float32Array, input: NliInput): ZeroShotResult {
  const { labels, numLabels, entailment, contradiction, sequence } = input;
  checkLogits(logits, labels.length * numLabels);
  checkFinite(logits);
  const at = (row: number, column: number): number => logits[row * numLabels + column];
  const scores =
    contradiction === undefined
      ? softmax(labels.map((_, row) => at(row, entailment)))
      : labels.map((_, row) => softmax([at(row, contradiction), at(row, entailment)])[1]);
  return ranked(sequence, labels, scores);
}
