/**
 * The pairwise generator: ChaCha20 streams that two parties share, addressed by draw id and drawn once.
 *
 * Security: the only source of masks and pads. `claim` refuses an id that another owner holds, or that its owner
 * drew for something else, and `takeMask` refuses to mask a second message with the same id, so a repeated pad is an
 * error and never a message. What it cannot see is another party's use of the same id: test/session/masks.test.ts
 * looks at all three. SECURITY: test/mpc/prg.test.ts plants the repeats.
 */
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { EndingStream } from '../../compute/kernels/ending-stream.ts';
import type { Stream } from '../../compute/kernels/types.ts';
import { concatBytes } from '../../core/bytes.ts';
import { TercetError, invariant } from '../../core/errors.ts';
import { OneTimeMask } from '../share/masked.ts';
import { type DrawId, type Execution, drawNumber, nonceOf } from './gate-id.ts';

/**
 * Key of one pair of parties for one execution: HKDF-SHA256 over the pair key, salted by the session (RFC 5869).
 */
export function executionKey(pairKey: Uint8Array, execution: Execution): Uint8Array {
  invariant(pairKey.length === 32 && execution.session.length === 16, 'keys have 32 bytes and sessions 16');
  return hkdf(sha256, pairKey, execution.session, new TextEncoder().encode(`tercet/1 attempt ${execution.number}`), 32);
}

/** What the words of a draw become. One draw has one use: the same words as two values would tell their difference. */
export type Use = 'λ1' | 'λ2' | 'r0' | 'pads' | 'Γ1' | 'seeds' | 'roots' | 'Δ' | 'siblings' | 'd' | 'e' | 'ρ';

/** What was drawn under an id: for whom, and whether a message was masked with it. */
interface Draw {
  readonly owner: object;
  readonly use: Use;
  spent: boolean;
}

export class PairPrg {
  readonly #key: Uint8Array;
  readonly #execution: Execution;
  readonly #drawn = new Map<number, Draw>();
  #wiped = false;
  #continued = false;

  protected constructor(key: Uint8Array, execution: Execution) {
    this.#key = key;
    this.#execution = execution;
  }

  /** The generator of an execution's first step. @param pairKey 32 bytes; it may be wiped afterwards. */
  static of(pairKey: Uint8Array, execution: Execution): PairPrg {
    return new PairPrg(executionKey(pairKey, execution), execution);
  }

  /**
   * The same of a key that was derived elsewhere: a dealer is handed the keys of one execution, and no pair key.
   * @param key what `executionKey` gave, owned by the generator from here on
   */
  static ofExecution(key: Uint8Array, execution: Execution): PairPrg {
    return new PairPrg(key, execution);
  }

  /**
   * The stream of an id, for one use of `owner`. The same owner may ask again for the same use, to re-derive the
   * same mask of the same wire. The stream ends with the generator: who draws from it after `wipe` gets an error,
   * not words of a key of zeros.
   * @throws {TercetError} ERR_PAD_REUSE when another owner drew this id before, or this one for another use;
   * ERR_STATE after `wipe`.
   */
  claim(id: Omit<DrawId, 'step' | 'branch'>, owner: object, use: Use): Stream {
    const stream = this.#stream(id);
    this.#draw(id, owner, use);
    return stream;
  }

  /**
   * A fresh mask, for one message. A second call with the same id throws, whoever asks.
   * @throws {TercetError} ERR_PAD_REUSE
   */
  takeMask(id: Omit<DrawId, 'step' | 'branch'>, owner: object, use: Use): OneTimeMask {
    const stream = this.#stream(id);
    const draw = this.#draw(id, owner, use);
    if (draw.spent) throw reuse(id);
    draw.spent = true;
    return new OneTimeMask(stream);
  }

  /** Refuses an id that cannot be, and every id behind the end. */
  #stream({ gate, purpose, table, direction }: Omit<DrawId, 'step' | 'branch'>): Stream {
    this.#live();
    const { step, branch } = this.#execution;
    return new EndingStream(this.#live, nonceOf({ step, branch, gate, purpose, table, direction }));
  }

  #draw(id: Omit<DrawId, 'step' | 'branch'>, owner: object, use: Use): Draw {
    const number = drawNumber(id);
    const drawn = this.#drawn.get(number);
    if (drawn === undefined) {
      const draw: Draw = { owner, use, spent: false };
      this.#drawn.set(number, draw);
      return draw;
    }
    if (drawn.owner !== owner || drawn.use !== use) throw reuse(id);
    return drawn;
  }

  /** One function for all streams, which ask it for the key. */
  readonly #live = (): Uint8Array => {
    if (this.#wiped) throw new TercetError('ERR_STATE', 'the keys of this execution were wiped', 'start a new run');
    return this.#key;
  };

  /**
   * 16 public bytes for draw number `row` of an id, different for every session, execution, step, id and row: the
   * tweak of a point-function key. An attack on one seed of 128 bits does not pay for others then.
   */
  tweak(id: Omit<DrawId, 'step' | 'branch'>, row: number): Uint8Array {
    const { session, number, step, branch } = this.#execution;
    const numbers = new DataView(new ArrayBuffer(8));
    numbers.setUint32(0, number, true);
    numbers.setUint32(4, row, true);
    const address = concatBytes([session, new Uint8Array(numbers.buffer), nonceOf({ ...id, step, branch })]);
    return sha256(concatBytes([new TextEncoder().encode('tercet/1 point'), address])).slice(0, 16);
  }

  /**
   * The generator of the next step of this execution: the same key, nonces of their own. It can be asked for once, so
   * that no step comes twice.
   * @throws {TercetError} ERR_STATE after `wipe` or a second time.
   */
  next(): PairPrg {
    if (this.#wiped || this.#continued) throw new TercetError('ERR_STATE', 'this step is over', 'start a new run');
    this.#continued = true;
    return new PairPrg(this.#key.slice(), { ...this.#execution, step: this.#execution.step + 1 });
  }

  /** Overwrites the key. Every later claim throws, and so does a draw from a stream that was given out before. */
  wipe(): void {
    this.#key.fill(0);
    this.#wiped = true;
  }

  toString(): string {
    return 'PairPrg(redacted)';
  }

  toJSON(): string {
    return 'PairPrg(redacted)';
  }
}

function reuse(id: Omit<DrawId, 'step' | 'branch'>): TercetError {
  return new TercetError(
    'ERR_PAD_REUSE',
    `gate ${id.gate} drew its ${id.purpose} twice`,
    'start a new run; this is a bug in Tercet, please report it',
  );
}
