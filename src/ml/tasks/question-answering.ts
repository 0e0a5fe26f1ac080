/** Question answering: a question and a context → the part of the context that answers it. */

import { TercetError } from '../../core/errors.ts';
import type { ModelConfig } from '../config.ts';
import { typeName } from '../describe.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import {
  allRows,
  checkFinite,
  checkHead,
  checkLogits,
  checkTopK,
  encodePairForModel,
  idsOf,
  type TaskInput,
} from './common.ts';
import { type Piece, piecesOf, wordsOf } from './words.ts';

export interface AnswerOptions {
  /** Default 1. Answers never overlap: what shares a character with a better answer is left out. */
  readonly topK?: number | undefined;
  /** Most pieces of an answer, default 15. */
  readonly maxAnswerLength?: number | undefined;
  /**
   * Whether "no answer" may be an answer: an empty one, of the model's score for it. Needs a model that learned it
   * (SQuAD 2). Default false.
   */
  readonly handleImpossible?: boolean | undefined;
  /** Whether an answer is widened to whole words. Default true. */
  readonly alignToWords?: boolean | undefined;
}

/** `rows`: every position. */
export interface QuestionInput extends TaskInput {
  readonly context: string;
  /** The pieces of the context, without those of white space alone. */
  readonly pieces: readonly Piece[];
  /** Every position of the context. */
  readonly contextRows: readonly number[];
  /** Position of [CLS], whose logits say that there is no answer; undefined for a model without it. */
  readonly noAnswer: number | undefined;
}

export interface QuestionAnswer {
  /** `context.slice(start, end)`; empty when there is none. */
  readonly answer: string;
  /** Probability of the start times that of the end, in [0, 1]. */
  readonly score: number;
  /** UTF-16 offsets into the context as it was given; both 0 for an empty answer. */
  readonly start: number;
  readonly end: number;
}

/**
 * Encodes a question and its context as one input.
 * @throws {TercetError} ERR_MODEL_UNSUPPORTED for a model without the head; ERR_ARGUMENT when question or context
 * is absent; ERR_TEXT_EMPTY; ERR_TOO_MANY_TOKENS, which says by how many; and as encodePairForModel.
 */
export function prepareQuestion(
  question: unknown,
  context: unknown,
  tokenizer: Tokenizer,
  config: ModelConfig,
): QuestionInput {
  checkHead(config, 'question-answering', 'question answering');
  for (const [name, value] of Object.entries({ question, context })) {
    if (typeof value !== 'string')
      throw new TercetError(
        'ERR_ARGUMENT',
        `the ${name} is ${typeName(value)}, expected a string`,
        'give a question and the context that answers it',
      );
  }
  const tooLong = 'split the context, ask each part, and take the best answer';
  const encoding = encodePairForModel(question, context, ['question', 'context'], tokenizer, config, tooLong);
  const pieces = piecesOf(encoding, 1, context as string, tokenizer.family);
  const cls = tokenizer.clsTokenId === undefined ? -1 : encoding.ids.indexOf(tokenizer.clsTokenId);
  const noAnswer = cls < 0 ? undefined : cls;
  const rows = allRows(encoding.ids.length);
  const contextRows = rows.filter((position) => encoding.segments[position] === 1);
  return { ...idsOf(encoding, config), rows, context: context as string, pieces, contextRows, noAnswer };
}

/** From one position to another of the context. */
interface Candidate {
  readonly first: number;
  readonly last: number;
  readonly score: number;
}

/**
 * logits (T, 2), start and end of every position → at most topK answers, best first.
 *
 * As transformers: start and end are softmaxed each over the context's pieces and [CLS]; the score of an answer is
 * the product of its two. Other than there, white space around an answer is left out, and scores of equal texts in
 * different places are not added up.
 * @throws {TercetError} ERR_SHAPE, ERR_RANGE (not finite), ERR_ARGUMENT (options).
 */
export function finishQuestion(
  logits: Float32Array,
  input: QuestionInput,
  options: AnswerOptions = {},
): QuestionAnswer[] {
  const { topK = 1, maxAnswerLength = 15, handleImpossible = false, alignToWords = true } = options;
  checkTopK(topK);
  if (!Number.isSafeInteger(maxAnswerLength) || maxAnswerLength < 1)
    throw new TercetError(
      'ERR_ARGUMENT',
      'the longest answer is not a positive number of pieces',
      'give for example 15',
    );
  checkLogits(logits, input.rows.length * 2);
  checkFinite(logits);
  const { pieces, contextRows, noAnswer, context } = input;
  const allowed = noAnswer === undefined ? contextRows : [noAnswer, ...contextRows];
  const [starts, ends] = [0, 1].map((column) => probabilities(logits, column, allowed));
  const answers: QuestionAnswer[] = [];
  if (handleImpossible && noAnswer !== undefined)
    answers.push({ answer: '', score: starts[noAnswer] * ends[noAnswer], start: 0, end: 0 });
  const edges = alignToWords ? wordEdges(pieces) : pieces;
  let found = 0;
  for (const { first, last, score } of candidates(contextRows, starts, ends, maxAnswerLength)) {
    if (found === topK) break;
    const start = edges[pieces.findIndex(({ position }) => position >= first)]?.start ?? context.length;
    const end = edges[pieces.findLastIndex(({ position }) => position <= last)]?.end ?? 0;
    if (start >= end || answers.some((other) => start < other.end && other.start < end)) continue;
    answers.push({ answer: context.slice(start, end), score, start, end });
    found++;
  }
  return answers.toSorted((a, b) => b.score - a.score).slice(0, topK);
}

/** Softmax of one column over the allowed positions; 0 elsewhere. */
function probabilities(logits: Float32Array, column: number, allowed: readonly number[]): Float64Array {
  const out = new Float64Array(logits.length / 2);
  let largest = Number.NEGATIVE_INFINITY;
  for (const position of allowed) largest = Math.max(largest, logits[2 * position + column]);
  let sum = 0;
  for (const position of allowed) {
    out[position] = Math.exp(logits[2 * position + column] - largest);
    sum += out[position];
  }
  for (const position of allowed) out[position] /= sum;
  return out;
}

/** Every span of at most `longest` tokens, best first; of equals the earlier and then the shorter first. */
function candidates(rows: readonly number[], starts: Float64Array, ends: Float64Array, longest: number): Candidate[] {
  const list: Candidate[] = [];
  for (const [i, first] of rows.entries()) {
    for (const last of rows.slice(i, i + longest)) list.push({ first, last, score: starts[first] * ends[last] });
  }
  return list.sort((a, b) => b.score - a.score || a.first - b.first || a.last - b.last);
}

/** For each piece where its word starts and ends. */
function wordEdges(pieces: readonly Piece[]): { start: number; end: number }[] {
  return wordsOf(pieces).flatMap((word) => {
    const edges = { start: word[0].start, end: word[word.length - 1].end };
    return word.map(() => edges);
  });
}
