/**
 * Zero-shot classification: labels of the user's own, by a classifier of entailment or by a masked language model.
 * What both ways share.
 */

import { TercetError } from '../../core/errors.ts';
import { topIndices } from './common.ts';

/** As transformers.js has it: labels and scores best first. */
export interface ZeroShotResult {
  readonly sequence: string;
  readonly labels: readonly string[];
  /** Probabilities; they sum to 1 except with `multiLabel`. */
  readonly scores: readonly number[];
}

export function ranked(sequence: string, labels: readonly string[], scores: ArrayLike<number>): ZeroShotResult {
  const order = topIndices(scores, labels.length);
  return { sequence, labels: order.map((i) => labels[i]), scores: order.map((i) => scores[i]) };
}

/**
 * Fills a template's slots. What is filled in is never read as a slot.
 * @param template has each of `slots` exactly once, like `{text} It was {mask}.`
 * @throws {TercetError} ERR_ARGUMENT
 */
export function fillTemplate(template: unknown, slots: Readonly<Record<string, string>>): string {
  const names = Object.keys(slots);
  const wanted = names.map((name) => `{${name}}`).join(' and ');
  const error = (what: string) => new TercetError('ERR_ARGUMENT', what, `give a template with ${wanted} once each`);
  if (typeof template !== 'string' || template.length > 1000)
    throw error('the template is no string of at most 1000 units');
  // Odd entries are the names between braces.
  const parts = template.split(/\{(\w*)\}/);
  for (const name of names) {
    if (parts.filter((part, i) => i % 2 === 1 && part === name).length !== 1)
      throw error(`the template does not have {${name}} exactly once`);
  }
  return parts.map((part, i) => (i % 2 === 0 ? part : Object.hasOwn(slots, part) ? slots[part] : `{${part}}`)).join('');
}
