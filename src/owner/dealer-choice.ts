/** Which dealer an owner chose. */
import { carriesTrust } from '../core/address.ts';
import { TercetError } from '../core/errors.ts';
import { checkPublicKey } from '../net/identity/identity.ts';
import { identitiesOf } from '../net/identity/pin.ts';
import { checkDealt } from '../session/dealt.ts';
import type { Request } from '../session/request.ts';
import type { Deployment, PartyAddress } from './types/index.ts';

/**
 * The dealer that the owner chose: the deployment's, or one of its own.
 * @throws {TercetError} ERR_ARGUMENT where the deployment offers none, or for one that is a compute party;
 * ERR_PROTOCOL_UNAVAILABLE for what no dealer deals for
 */
export function chosenDealer(
  choice: true | PartyAddress,
  deployment: Deployment,
  protocol: Request['protocol'],
): PartyAddress {
  const dealer = choice === true ? deployment.dealer : choice;
  if (dealer === undefined)
    throw new TercetError(
      'ERR_ARGUMENT',
      'this deployment offers no dealer',
      'leave the option out, or give the address and identity of one that you trust',
    );
  checkDealt({ protocol });
  if (!carriesTrust(dealer.url))
    throw new TercetError('ERR_ARGUMENT', 'the address of the dealer', 'give an https: one');
  // One that computes too would read the text.
  if (deployment.parties.some((party) => identitiesOf(party).includes(checkPublicKey(dealer.identity, 3))))
    throw new TercetError(
      'ERR_ARGUMENT',
      'the dealer has the identity of a compute party, which could then read the text',
      'choose a dealer that computes nothing',
    );
  return dealer;
}
