/** Named entities: a text → the names in it, each with its class and its place. */

import { TercetError } from '../../core/errors.ts';
import type { ModelConfig } from '../config.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import { allRows, checkHead, checkLogits, encodeForModel, idsOf, softmax, type TaskInput } from './common.ts';
import { tagsOf } from './entity-tags.ts';
import { type Piece, piecesOf, wordsOf } from './words.ts';

/**
 * What becomes one entity, as transformers' aggregation_strategy:
 * - `none`: every piece by itself, with its label as the model has it (`B-PER`);
 * - `simple`: neighbouring pieces of one class, which may cut a word;
 * - `first`, `average`, `max`: as `simple`, but over whole words, whose class is that of the first piece, of the
 *   mean of its pieces'
 *   probabilities, or of the piece that is surest.
 */
export type Aggregation = 'none' | 'simple' | 'first' | 'average' | 'max';

/** Words are never cut. (transformers' own default is `none`.) */
export const DEFAULT_AGGREGATION: Aggregation = 'first';

const AGGREGATIONS: readonly string[] = ['none', 'simple', 'first', 'average', 'max'] satisfies Aggregation[];

/** `rows`: every position. */
export interface EntityInput extends TaskInput {
  readonly text: string;
  readonly pieces: readonly Piece[];
  /** Each piece as the tokenizer reads it back. */
  readonly words: readonly string[];
  readonly id2label: readonly string[];
}

/** A name in a text, under transformers' names as well: `entity_group` is `label`. */
export interface Entity {
  /** `text.slice(start, end)` of the text as it was given. */
  readonly text: string;
  /** The class, without B- or I- except with `none`. */
  readonly label: string;
  readonly entity_group: string;
  /** As `text`; with `none` the piece as the tokenizer reads it back. */
  readonly word: string;
  /** With `none`: position of the piece in the input, special ones counted. */
  readonly index?: number;
  /** Probability, in [0, 1]; of several words or pieces their mean. */
  readonly score: number;
  /** UTF-16 offsets into the text as it was given. */
  readonly start: number;
  readonly end: number;
}

/**
 * Encodes a text for named entities.
 * @throws {TercetError} ERR_MODEL_UNSUPPORTED for a model without the head; and as encodeForModel.
 */
export function prepareEntities(text: unknown, tokenizer: Tokenizer, config: ModelConfig): EntityInput {
  checkHead(config, 'token-classification', 'finding entities');
  const encoding = encodeForModel(text, tokenizer, config, false);
  const pieces = piecesOf(encoding, 0, text as string, tokenizer.family);
  const words = pieces.map(({ position }) => tokenizer.decode([encoding.ids[position]]));
  return {
    ...idsOf(encoding, config),
    rows: allRows(encoding.ids.length),
    text: text as string,
    pieces,
    words,
    id2label: config.id2label,
  };
}

/** @throws {TercetError} ERR_ARGUMENT unless it is an Aggregation. */
export function checkAggregation(aggregation: unknown): Aggregation {
  if (typeof aggregation === 'string' && AGGREGATIONS.includes(aggregation)) return aggregation as Aggregation;
  throw new TercetError(
    'ERR_ARGUMENT',
    'there is no such aggregation of entities',
    `give one of ${AGGREGATIONS.join(', ')}`,
  );
}

/** @throws {TercetError} ERR_ARGUMENT unless it is a list of strings. */
export function checkIgnored(labels: unknown): readonly string[] {
  if (Array.isArray(labels) && labels.every((label) => typeof label === 'string')) return labels;
  throw new TercetError(
    'ERR_ARGUMENT',
    'the labels to leave out are no list of strings',
    "give for example ['O'], or [] to see all of them",
  );
}

/** A piece or a word with the class that it got. */
interface Labelled {
  readonly id: number;
  readonly score: number;
  readonly start: number;
  readonly end: number;
}

/** Labels that are no entity's. */
export const DEFAULT_IGNORED: readonly string[] = ['O'];

/**
 * logits (T, L) of every position → entities, in the order of the text.
 * @param ignored labels (with `none`) or classes that are left out; by default O, which is none.
 * @throws {TercetError} ERR_SHAPE, ERR_RANGE (not finite), ERR_ARGUMENT (aggregation).
 */
export function finishEntities(
  logits: Float32Array,
  input: EntityInput,
  aggregation: Aggregation = DEFAULT_AGGREGATION,
  ignored: readonly string[] = DEFAULT_IGNORED,
): Entity[] {
  const strategy = checkAggregation(aggregation);
  const { text, pieces, words, id2label, rows } = input;
  const L = id2label.length;
  checkLogits(logits, rows.length * L);
  const rowOf = ({ position }: Piece): Float64Array => softmax(logits.subarray(position * L, (position + 1) * L));
  if (strategy === 'none') {
    return pieces.flatMap((piece, i) => {
      const { id, score, start, end } = labelled([piece], rowOf(piece));
      if (ignored.includes(id2label[id])) return [];
      return [{ ...entityOf(text, id2label[id], score, start, end), word: words[i], index: piece.position }];
    });
  }
  const units = strategy === 'simple' ? pieces.map((piece) => [piece]) : wordsOf(pieces);
  return merged(
    units.map((unit) => labelled(unit, joint(unit.map(rowOf), strategy))),
    text,
    id2label,
  ).filter(({ label }) => !ignored.includes(label));
}

/** One row for the pieces of a unit: the first's, their mean, or that with the largest entry. */
function joint(rows: readonly Float64Array[], strategy: Aggregation): Float64Array {
  if (strategy === 'average') return rows[0].map((_, i) => rows.reduce((sum, row) => sum + row[i], 0) / rows.length);
  if (strategy === 'max') return rows.reduce((best, row) => (largest(row) > largest(best) ? row : best));
  return rows[0];
}

function largest(row: Float64Array): number {
  return row.reduce((most, value) => Math.max(most, value));
}

function labelled(unit: readonly Piece[], row: Float64Array): Labelled {
  const id = row.reduce((best, value, i) => (value > row[best] ? i : best), 0);
  return { id, score: row[id], start: unit[0].start, end: unit[unit.length - 1].end };
}

/** Neighbours of one class → one entity. */
function merged(units: readonly Labelled[], text: string, id2label: readonly string[]): Entity[] {
  const tags = tagsOf(id2label);
  const groups: { type: string; closed: boolean; units: Labelled[] }[] = [];
  for (const unit of units) {
    const { type, begins, ends } = tags[unit.id];
    const last = groups.at(-1);
    if (last !== undefined && last.type === type && !begins && !last.closed) {
      last.units.push(unit);
      last.closed = ends;
    } else groups.push({ type, closed: ends, units: [unit] });
  }
  return groups.map(({ type, units: members }) => {
    const score = members.reduce((sum, unit) => sum + unit.score, 0) / members.length;
    return entityOf(text, type, score, members[0].start, members[members.length - 1].end);
  });
}

function entityOf(text: string, label: string, score: number, start: number, end: number): Entity {
  const slice = text.slice(start, end);
  return { text: slice, label, entity_group: label, word: slice, score, start, end };
}
