/**
 * What the parties of a proved run agree on before anything opens (PROTOCOL §16.3): a session that never came before,
 * a key of P1 and P2 that the owner does not have, and one hash of all that is public about the run.
 */
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { cosineTables } from '../../../../compute/cosine-tables.ts';
import { expTables } from '../../../../compute/exp-tables.ts';
import { concatBytes, equalBytes, toHex } from '../../../../core/bytes.ts';
import { SecurityViolationError, invariant } from '../../../../core/errors.ts';
import { type Trait, traitHash } from '../../frame/traits.ts';

/** Bytes of a party's nonce. */
const NONCE_BYTES = 32;

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

export interface SessionParts {
  /** Of P0, P1 and P2, each from that party's own generator. */
  readonly nonces: readonly [Uint8Array, Uint8Array, Uint8Array];
  /** Who asks, as both compute parties know it. */
  readonly owner: Uint8Array;
  readonly attempt: number;
  readonly step: number;
  readonly branch: number;
}

/**
 * The session of a run: SHA-256 of what all three chose. Whoever repeats its own nonce cannot repeat the session, for
 * the other two do not.
 */
export function provedSession({ nonces, owner, attempt, step, branch }: SessionParts): Uint8Array {
  invariant(
    nonces.every((nonce) => nonce.length === NONCE_BYTES),
    'a nonce has 32 bytes',
  );
  const numbers = new DataView(new ArrayBuffer(16));
  for (const [i, value] of [owner.length, attempt, step, branch].entries()) numbers.setUint32(4 * i, value, true);
  return sha256(concatBytes([text('tercet/1 proved session'), ...nonces, new Uint8Array(numbers.buffer), owner]));
}

/**
 * A party's nonce for one session. SECURITY: whoever was shown the challenges of a session knows them when it comes
 * again. So a nonce begins one session, and a session without this party's fresh nonce is refused: nothing has to be
 * remembered. Every step of a run is a session of its own, and comes once.
 */
export class SessionNonce {
  readonly bytes: Uint8Array;
  #parts: SessionParts | undefined;

  /** @param bytes 32 of this party's own generator */
  constructor(bytes: Uint8Array = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))) {
    this.bytes = bytes.slice();
  }

  /**
   * The session of these parts.
   * @throws {SecurityViolationError} a second time, or where this party's nonce is another one
   */
  begin(parts: SessionParts, party: 0 | 1 | 2): Uint8Array {
    if (this.#parts !== undefined || !equalBytes(parts.nonces[party], this.bytes))
      throw new SecurityViolationError('agreement');
    this.#parts = { ...parts, nonces: [...parts.nonces] };
    return provedSession(parts);
  }

  /** The session of the step behind the last one: the same nonces, the next number. */
  next(): Uint8Array {
    const before = this.#parts;
    invariant(before !== undefined, 'a step behind a session that was not agreed');
    this.#parts = { ...before, step: before.step + 1 };
    return provedSession(this.#parts);
  }
}

/**
 * k12 of one run. SECURITY: P0 must not have it: seeds of S0 and the blinds of S1 and S2 are drawn from it.
 * @param secret what P1's and P2's handshake gave them, and nobody else
 */
export function computePartiesKey(secret: Uint8Array, session: Uint8Array): Uint8Array {
  invariant(secret.length >= 32, 'a secret of at least 32 bytes');
  return hkdf(sha256, secret, session, text('tercet/1 k12'), 32);
}

/**
 * What two parties share for the step behind this one. Neither it nor what is made of it says what this step was drawn
 * from, which is overwritten with the step.
 */
export function nextStepKey(key: Uint8Array, session: Uint8Array): Uint8Array {
  return hkdf(sha256, key, session, text('tercet/1 next step'), 32);
}

/** All that is public about a run. */
export interface Agreed {
  readonly session: Uint8Array;
  /** The request and the plan as both compute parties got them. */
  readonly request: Trait;
  readonly plan: Trait;
  /** Hash of the model: of W, or of M. */
  readonly model: string;
  /** `fingerprint` of the circuit. */
  readonly circuit: string;
}

export function agreementHash({ session, request, plan, model, circuit }: Agreed): Uint8Array {
  const { coarse, fine, segments } = expTables();
  const { coarse: cosines, fineCos, fineSin } = cosineTables();
  const widths = Object.entries(segments).map(([width, { factor, scale }]) => [width, factor, scale]);
  const tables: Trait = [coarse, fine, widths, cosines, fineCos, fineSin];
  return traitHash(['tercet/1 agreement', toHex(session), request, plan, model, circuit, tables]);
}
