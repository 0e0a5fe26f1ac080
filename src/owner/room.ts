/** How many texts one run takes. */
import { TercetError } from '../core/errors.ts';
import { dearestPlan, priceOf } from '../session/price.ts';
import { MAX_SEQUENCES, mostSequences, shapeFor } from '../session/request.ts';
import type { RunContext } from './run-context.ts';

/** What the shape of a run depends on. */
export type ShapeContext = Pick<RunContext, 'config' | 'terms' | 'buckets' | 'runMemory'>;

/** Most sequences of so many positions that one run takes. */
export function roomFor({ config, terms, runMemory }: ShapeContext, tokens: number): number {
  const shape = shapeFor(config, { sequences: 1, tokens, secretRows: 1, padded: true, pair: true, steps: 0 });
  const one = priceOf(config, dearestPlan(config), terms.weights, shape, terms.widening).memory;
  return Math.max(1, Math.min(MAX_SEQUENCES, mostSequences(config, shape), Math.floor(runMemory / one)));
}

/** @throws {TercetError} ERR_ARGUMENT for more at once than the parties take. */
export function checkRoom(context: ShapeContext, sequences: number, tokens: number): void {
  const room = roomFor(context, tokens);
  if (sequences <= room) return;
  const what = `${sequences} sequences of ${tokens} positions are more than one run takes`;
  throw new TercetError('ERR_ARGUMENT', what, `give ${room} or fewer at once, or shorter texts`);
}
