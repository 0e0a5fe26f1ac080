/** What a dealer deals for, and what it does not. */
import { TercetError } from '../core/errors.ts';
import type { Request } from './request.ts';

/**
 * Refuses what a dealer does not deal for (docs/adr/0026).
 * @throws {TercetError} ERR_PROTOCOL_UNAVAILABLE for another protocol, and for secret weights: who deals for them
 * would hold the seeds of their masks
 */
export function checkDealt({ protocol, weights }: Pick<Request, 'protocol' | 'weights'>): void {
  if (protocol !== '3pc_semi_honest')
    throw new TercetError(
      'ERR_PROTOCOL_UNAVAILABLE',
      `a dealer does not deal for the protocol ${protocol}`,
      'leave out the dealer, or use 3pc_semi_honest',
    );
  if (weights === 'secret')
    throw new TercetError(
      'ERR_PROTOCOL_UNAVAILABLE',
      'a dealer does not deal for secret weights: it would hold the seeds of their masks',
      'leave out the dealer, or use a model with open weights',
    );
}
