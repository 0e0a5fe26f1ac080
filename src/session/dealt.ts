/** What a dealer deals for, and what it does not. */
import { TercetError } from '../core/errors.ts';
import type { Request } from './request.ts';

/**
 * Refuses what a dealer does not deal for (docs/adr/0026). Whether it may for secret weights is for the model's owner
 * to say (docs/adr/0036).
 * @throws {TercetError} ERR_PROTOCOL_UNAVAILABLE for another protocol
 */
export function checkDealt({ protocol }: Pick<Request, 'protocol'>): void {
  if (protocol !== '3pc_semi_honest')
    throw new TercetError(
      'ERR_PROTOCOL_UNAVAILABLE',
      `a dealer does not deal for the protocol ${protocol}`,
      'leave out the dealer, or use 3pc_semi_honest',
    );
}
