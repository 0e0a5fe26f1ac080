/**
 * What a party says about a failure to somebody outside, and what is believed when one is heard.
 *
 * Security: both ways are fixed here. Words that leave are those of this table, because an error may name an
 * address of the inner network or another party's words; only a `Refusal`, whose words were made for whoever asked,
 * keeps its own. Codes that arrive can only become those of this table, all of which say that somebody else or a
 * link failed: what a peer says never becomes this process's own fault. SECURITY: test/party/provenance.test.ts.
 */
import { type ErrorCode, TercetError, isViolation } from './errors.ts';

interface Words {
  readonly what: string;
  readonly hint: string;
}

const VERSIONS: Words = {
  what: 'a message was not the one that the protocol expects',
  hint: 'check that all parties run the same version',
};
const FAILED: Words = {
  what: 'it failed for a reason of its own',
  hint: 'try again; if it happens again, ask its operator',
};

const CREDENTIAL = "ask the model's owner for a credential file";

/** Every code is of kind `peer` or `io`. */
const TOLD: Partial<Record<ErrorCode, Words>> = {
  ERR_PEER_FAILED: FAILED,
  ERR_PEER_BUSY: { what: 'all its places are taken', hint: 'try again in a minute' },
  ERR_TOO_LARGE: {
    what: 'the run is larger than what it takes of one owner',
    hint: 'shorten the text or split the batch',
  },
  ERR_PEER_LET_GO: { what: 'it gave the place of a session that waited to somebody else', hint: 'prepare again' },
  ERR_PEER_MISMATCH: {
    what: 'the parties do not fit together',
    hint: 'give all three parties the same model and the same version of Tercet',
  },
  ERR_CREDENTIAL_MISSING: { what: 'the model is for enrolled owners, and no credential was given', hint: CREDENTIAL },
  ERR_CREDENTIAL_EXPIRED: { what: 'the credential has ended', hint: CREDENTIAL },
  ERR_CREDENTIAL_REVOKED: { what: 'the credential was revoked', hint: CREDENTIAL },
  ERR_CREDENTIAL_SHARING: { what: 'the credential is for another model', hint: CREDENTIAL },
  ERR_CREDENTIAL_SIGNATURE: { what: 'the credential is not accepted', hint: CREDENTIAL },
  ERR_CREDENTIAL_DEALER: {
    what: "the model's owner has not allowed this dealer",
    hint: "leave out the dealer, or ask the model's owner for a credential that names it",
  },
  ERR_MODEL_HASH: { what: 'it does not serve the model that was asked for', hint: 'choose a model that it lists' },
  ERR_PEER_CLOSED: { what: 'a link of its own broke', hint: 'run again when both compute parties are up' },
  ERR_PEER_TIMEOUT: {
    what: 'it waited too long for another party',
    hint: 'run again; if it happens again, ask its operator whether both compute parties are up',
  },
  ERR_PEER_UNREACHABLE: {
    what: 'it cannot reach the other compute party',
    hint: 'ask its operator whether both compute parties are up',
  },
  ERR_LINK_BLOCKED: { what: 'it does not offer this kind of link', hint: 'use transport "websocket"' },
  ERR_FRAME_SESSION: VERSIONS,
  ERR_FRAME_SEQUENCE: VERSIONS,
  ERR_FRAME_TAG: VERSIONS,
  ERR_FRAME_LENGTH: VERSIONS,
  ERR_FRAME_FORMAT: VERSIONS,
};

/** Why what somebody asked for is not done, in words made for whoever asked: constants, and figures that are public. */
export class Refusal extends TercetError {
  /** Runs a check of what was asked for; its errors are words for whoever asked. */
  static from<T>(check: () => T): T {
    try {
      return check();
    } catch (error) {
      throw Refusal.#for(error);
    }
  }

  /** The same for a check that takes its time. */
  static async of<T>(check: () => Promise<T>): Promise<T> {
    try {
      return await check();
    } catch (error) {
      throw Refusal.#for(error);
    }
  }

  static #for(error: unknown): unknown {
    return error instanceof TercetError
      ? new Refusal(error.code, error.message, error.hint, { cause: error, party: error.party })
      : error;
  }
}

/** What another party said about its own failure. Its code is one that can only speak of another party. */
export class PeerReport extends TercetError {
  /** The code as it was reported. Nobody's fault is judged by it. */
  reported = '';
}

/**
 * Whether this side caught somebody. What another party reports is no finding of this one: strangers may say
 * anything, also of a third.
 */
export function isFinding(error: TercetError): boolean {
  return isViolation(error.code) && !(error instanceof PeerReport);
}

export interface Told extends Words {
  readonly code: ErrorCode;
}

/** What outsiders are told of a failure. */
export function told(error: TercetError): Told {
  const code = heard(error.code);
  if (error instanceof Refusal)
    return { code: code === 'ERR_PEER_FAILED' ? 'ERR_PEER_MISMATCH' : code, what: error.message, hint: error.hint };
  if (error.code === 'ERR_ABORTED') return { code, what: 'it was told to stop', hint: 'run again when it is back' };
  if (error.kind === 'device') return { code, what: 'the device that it computes on failed', hint: FAILED.hint };
  return { code, ...(TOLD[code] ?? FAILED) };
}

/**
 * The code that a reported one stands for here. Anything that would speak of this side, or that this version does
 * not know, is the peer's failure.
 */
export function heard(code: string): ErrorCode {
  return Object.hasOwn(TOLD, code) ? (code as ErrorCode) : 'ERR_PEER_FAILED';
}
