/** How many texts one run takes. */
import { TercetError } from '../core/errors.ts';
import { dearestPlan, priceOf } from '../session/price.ts';
import { MAX_SEQUENCES, mostSequences } from '../session/request.ts';
import { shapeFor } from '../session/task-run.ts';
import type { ModelContext } from './model-context.ts';

/**
 * Memory of a compute party that one run asks for at most, unless a single sequence needs more: within what parties
 * take by default.
 */
const RUN_MEMORY = 2e9;

/** Most sequences of so many positions that one run takes. */
export function roomFor({ config, weights }: Pick<ModelContext, 'config' | 'weights'>, tokens: number): number {
  const shape = shapeFor(config, { sequences: 1, tokens, rows: 1, padded: true, pair: true, steps: 0 });
  const one = priceOf(config, dearestPlan(config), weights, shape).memory;
  return Math.max(1, Math.min(MAX_SEQUENCES, mostSequences(config, shape), Math.floor(RUN_MEMORY / one)));
}

/** @throws {TercetError} ERR_ARGUMENT for more at once than the parties take. */
export function checkRoom(loaded: Pick<ModelContext, 'config' | 'weights'>, sequences: number, tokens: number): void {
  const room = roomFor(loaded, tokens);
  if (sequences <= room) return;
  const what = `${sequences} sequences of ${tokens} positions are more than one run takes`;
  throw new TercetError('ERR_ARGUMENT', what, `give ${room} or fewer at once, or shorter texts`);
}
