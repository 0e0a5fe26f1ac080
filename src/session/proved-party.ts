/** What a compute party says and checks before a proved run: nonces, session, the key of P1 and P2 (PROTOCOL §16.7). */
import { equalBytes } from '../core/bytes.ts';
import { SecurityViolationError, TercetError } from '../core/errors.ts';
import type { PeerChannel } from '../net/wire/types.ts';
import type { Fields } from './control.ts';
import type { RequestBuilder } from './circuits.ts';
import type { Nonces, ProvedWalk, Proving, ProvingSession, Walk } from './proving.ts';
import type { Request } from './request.ts';

const TAG = 'binding/nonce';
const NONCE_BYTES = 32;
const SESSION_BYTES = 32;

export class ProvedParty {
  readonly builder: (request: Request) => RequestBuilder;
  readonly #id: 1 | 2;
  readonly #mine: ProvingSession;
  readonly #owners: Uint8Array;
  #session: Uint8Array | undefined;
  #begun = false;

  /** @param owners the owner's nonce */
  constructor(id: 1 | 2, proving: Proving, owners: Uint8Array) {
    this.builder = (request) => proving.builder(request);
    this.#id = id;
    this.#mine = proving.begin(id);
    this.#owners = owners;
  }

  get nonce(): Uint8Array {
    return this.#mine.nonce;
  }

  /** Exchanges nonces with the other compute party, over their own link. @param names of the owner's links */
  async meet(peer: PeerChannel, names: readonly [Uint8Array, Uint8Array]): Promise<void> {
    await peer.send(TAG, this.nonce);
    const theirs = await peer.recv(TAG, NONCE_BYTES);
    const [one, two] = this.#id === 1 ? [this.nonce, theirs] : [theirs, this.nonce];
    const nonces: Nonces = [this.#owners, one, two];
    this.#session = this.#mine.agree(nonces, names);
  }

  /**
   * Whether the owner begins the session that was agreed, or that of the next step. SECURITY: one that was before is
   * another one, because this party's nonce is new. test/session/proved.test.ts.
   * @throws {SecurityViolationError}
   */
  check(start: Fields, step: number): void {
    const told = start.hex('session', SESSION_BYTES);
    if (step > 0) this.#session = this.#mine.next();
    if (this.#session === undefined || !equalBytes(told, this.#session)) throw new SecurityViolationError('agreement');
  }

  /**
   * The walk of a step. @param pairKey with the owner
   * @throws {TercetError} ERR_INSECURE over a link whose handshake gave no key
   */
  walk(options: Omit<ProvedWalk, 'secrets'>, peer: PeerChannel, pairKey: Uint8Array): Walk {
    if (this.#begun) return this.#mine.walk(options);
    this.#begun = true;
    const secret = peer.secret?.();
    // SECURITY: a key that the owner might have is none. It draws the seeds of its own proof.
    if (secret === undefined)
      throw new TercetError(
        'ERR_INSECURE',
        'the compute parties share no key that the owner lacks',
        'connect them over TLS, or use 3pc_semi_honest',
      );
    const secrets = new Map([
      [0, pairKey],
      [this.#id === 1 ? 2 : 1, secret],
    ] as const);
    const walk = this.#mine.walk({ ...options, secrets });
    secret.fill(0);
    return walk;
  }

  /** Overwrites what steps to come would be drawn from. */
  end(): void {
    this.#mine.end();
  }
}
