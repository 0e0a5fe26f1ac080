/** Class names of a head, from `id2label` of config.json. */
import { TercetError } from '../core/errors.ts';
import { quote, typeName } from './describe.ts';
import { isRecord, own } from './json.ts';

const MAX_LABELS = 10_000;
const MAX_LABEL_LENGTH = 200;

type Fail = (what: string) => TercetError;

/**
 * Class names from `id2label`, else LABEL_0… for `num_labels`, else for two classes, as the transformers library
 * has it.
 * @throws {TercetError} by `fail` for a malformed table; ERR_MODEL_UNSUPPORTED for a regression or several labels
 * at once.
 */
export function parseLabels(
  json: Record<string, unknown>,
  head: 'sequence-classification' | 'token-classification',
  fail: Fail,
): string[] {
  const type = own(json, 'problem_type');
  if (type !== undefined && type !== null && type !== 'single_label_classification') {
    if (typeof type !== 'string') throw fail(`has problem_type of type ${typeName(type)}, expected a string`);
    throw new TercetError(
      'ERR_MODEL_UNSUPPORTED',
      `config.json has problem_type ${quote(type)}`,
      'this version classifies into one of several classes only',
    );
  }
  const stated = own(json, 'num_labels');
  if (
    stated !== undefined &&
    (!Number.isSafeInteger(stated) || (stated as number) < 1 || (stated as number) > MAX_LABELS)
  ) {
    throw fail(`has num_labels that is not an integer from 1 to ${MAX_LABELS}`);
  }
  const table = own(json, 'id2label');
  const labels =
    table === undefined || table === null ? unnamed((stated as number | undefined) ?? 2) : named(table, fail);
  if (stated !== undefined && stated !== labels.length)
    throw fail(`has num_labels ${stated as number} but ${labels.length} entries in id2label`);
  if (labels.length === 1 && head === 'sequence-classification')
    throw new TercetError(
      'ERR_MODEL_UNSUPPORTED',
      'config.json has one label, a regression',
      'use a classifier with two or more labels',
    );
  return labels;
}

function unnamed(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `LABEL_${i}`);
}

function named(table: unknown, fail: Fail): string[] {
  if (!isRecord(table)) throw fail(`has id2label of type ${typeName(table)}, expected an object`);
  const count = Object.keys(table).length;
  if (count < 1 || count > MAX_LABELS) throw fail(`has ${count} entries in id2label, expected 1 to ${MAX_LABELS}`);
  return Array.from({ length: count }, (_, i) => {
    const said = own(table, String(i));
    // Classes that are numbers are shown as such.
    const label = typeof said === 'number' || typeof said === 'boolean' ? String(said) : said;
    // Control characters would let a label write to the terminal that shows it.
    if (typeof label !== 'string' || label.length > MAX_LABEL_LENGTH || /\p{Cc}/u.test(label)) {
      throw fail(
        `has no printable name of at most ${MAX_LABEL_LENGTH} characters for label ${i} in id2label, whose keys must be 0 to ${count - 1}`,
      );
    }
    return label;
  });
}
