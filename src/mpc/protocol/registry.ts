/**
 * Which protocols exist in this build. A mode that is not there is refused by name; nothing weaker is ever used in
 * its place.
 */
import { TercetError } from '../../core/errors.ts';
import type { ProtocolId, SecurityClaim, TruncationModel } from './types.ts';

export interface ProtocolInfo {
  readonly id: ProtocolId;
  readonly claim: SecurityClaim;
  readonly truncation: TruncationModel;
}

export const SEMI_HONEST: ProtocolInfo = {
  id: '3pc_semi_honest',
  claim: {
    adversary: 'passive',
    corruptions: 1,
    abort: 'none',
    leaks: [
      'model architecture',
      'number of tokens',
      'number of masks',
      'task',
      'timing',
      // Until dealing is proved. It is no leak of an owner's text: the owner is the one that cheats.
      'secret weights, exactly, to one data owner that deals falsely, unnoticed: they are kept from the compute parties as long as every enrolled owner is trusted with them',
      'with secret weights: to the compute parties, which credential asks',
      'with a dealer: the text, to the dealer together with either compute party: then no two of the three servers may collude; alone it learns nothing',
      'with a dealer: to the compute parties, which one was named',
    ],
  },
  truncation: {
    rounding: 'stochastic',
    coins: 1,
    keepsZero: true,
    maxErrorUlp: 1,
    maxSelectionErrorUlp: 1,
    maxProductErrorUlp: 1.5,
    wrapProbability: 0,
    leaks:
      'of a shift, the coin ρ to P0 and P2, or (z+ρ) mod 2^s to P1; of a short selection, ρ to P0, or (z+ρ) mod 2^s to P2; of a short product, to each party the rounding of its own part; each is independent of z',
  },
};

const KNOWN: readonly ProtocolId[] = ['3pc_semi_honest', '3pc_malicious', 'aby3'];

/**
 * @throws {TercetError} ERR_PROTOCOL_UNAVAILABLE for a mode that this build lacks, ERR_ARGUMENT for a name that is
 * no protocol.
 */
export function protocolInfo(id: string): ProtocolInfo {
  if (id === SEMI_HONEST.id) return SEMI_HONEST;
  if ((KNOWN as readonly string[]).includes(id)) {
    throw new TercetError(
      'ERR_PROTOCOL_UNAVAILABLE',
      `the protocol ${id} is not in this build`,
      'use the protocol 3pc_semi_honest, and read docs/SECURITY.md for what it does not protect against',
    );
  }
  throw new TercetError('ERR_ARGUMENT', `"protocol" expected one of ${KNOWN.join(', ')}`, 'choose one of these names');
}

/** The same where proofs are at hand: every protocol that this version has. @throws as `protocolInfo` */
export function protocolWithProofs(id: string): ProtocolId {
  return id === '3pc_malicious' || id === 'aby3' ? id : protocolInfo(id).id;
}
