/**
 * What the data owner says when a party is not the one, or not as, it was promised to be. Each names the party; all
 * are final.
 */
import { TercetError } from '../../core/errors.ts';

const DISTRUST =
  'do not send anything to this address; ask the operator, and compare the identity that is pinned with the one that the party prints';

/** `party 1`, or `the dealer`. */
export function serverWords(party: number): string {
  return party === 3 ? 'the dealer' : `party ${party}`;
}

/** The party that most likely stands in the place of another: the other compute party. */
export function otherOf(party: number): number {
  return party === 1 ? 2 : 1;
}

function asParty(party: number): 1 | 2 | 3 {
  return party === 3 ? 3 : party === 1 ? 1 : 2;
}

export function wrongKey(party: number): TercetError {
  return new TercetError(
    'ERR_IDENTITY_KEY',
    `${serverWords(party)} did not prove the identity that is pinned for it`,
    DISTRUST,
  );
}

export function swappedParty(expected: number, got: number): TercetError {
  return new TercetError(
    'ERR_IDENTITY_PARTY',
    `${serverWords(got)} answered in the place of ${serverWords(expected)}`,
    'check that each address belongs to its own party',
  );
}

export function replayed(party: number): TercetError {
  return new TercetError(
    'ERR_IDENTITY_REPLAY',
    `${serverWords(party)} answered something else than what it was asked just now: an old answer, or one meant for another run`,
    DISTRUST,
  );
}

export function wrongFingerprint(party: number, what: string): TercetError {
  return new TercetError(
    'ERR_IDENTITY_FINGERPRINT',
    `${serverWords(party)}: ${what}`,
    'somebody between here and the party changes what it sends: use another network, or ask the operator',
  );
}

export function wrongModel(party: number): TercetError {
  return new TercetError(
    'ERR_MODEL_HASH',
    `${serverWords(party)} does not serve the model that was asked for`,
    'compare the model hash of this deployment with those that the party lists',
  );
}

export function wrongRequest(party: number): TercetError {
  return new TercetError(
    'ERR_PEER_MISMATCH',
    `${serverWords(party)} runs with other protocol parameters`,
    'run the same version and settings on all parties',
  );
}

export function tooLarge(party: number): TercetError {
  return new TercetError(
    'ERR_TOO_LARGE',
    `${serverWords(party)} does not take a run this large: it is beyond its limit for one session`,
    'shorten the text or split the batch',
    { party: asParty(party) },
  );
}

export function busy(party: number): TercetError {
  const what = `${serverWords(party)} has no room for another run now: its limit for this address, or for all, is reached`;
  return new TercetError('ERR_PEER_BUSY', what, 'try again in a minute, or with a smaller batch', {
    party: asParty(party),
  });
}
