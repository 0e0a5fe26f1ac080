/** Which link of a session ended first: when one breaks the others follow, and the cause is the first. */
import { SecurityViolationError, TercetError, asTercetError } from '../core/errors.ts';
import { OtherMessage } from '../net/wire/inbox.ts';
import type { Channel, EndId } from '../net/wire/types.ts';

/**
 * Whether an error is a link that ended, or what a proved run made of one. SECURITY: nothing else is. Who was caught
 * cheating does not become somebody that leaves by hanging up. test/session/proved-steps.test.ts.
 */
export function isEndOfLink(error: unknown): boolean {
  const what = error instanceof SecurityViolationError ? error.cause : error;
  return what instanceof TercetError && what.code === 'ERR_PEER_CLOSED';
}

/**
 * Whether a compute party said its last word where its owner waited for its anchor: before the first text, and in place
 * of nothing else. SECURITY: of any other wrong message there is no such thing. test/session/let-go.test.ts.
 */
export function isLastWord(error: unknown): boolean {
  return error instanceof SecurityViolationError && error.cause instanceof OtherMessage;
}

export class FirstEnd {
  #peer: EndId | undefined;
  #left = false;

  watch(channel: Channel): void {
    void channel.ended.then((why) => {
      if (this.#peer !== undefined) return;
      this.#peer = channel.peer;
      // Of a link that this side ended, the reason is this side's own.
      this.#left = asTercetError(why).code === 'ERR_PEER_CLOSED';
    });
  }

  /** An error of a link, with the party on it that left. */
  named(error: TercetError): TercetError {
    if (error.party !== undefined || error.code !== 'ERR_PEER_CLOSED' || this.#peer === undefined) return error;
    return new TercetError(error.code, error.message, error.hint, { cause: error, party: this.#peer });
  }

  /**
   * The same for a proved run that had no text yet: a party that left before there was one has broken no promise, and
   * an owner may always leave. Behind the text, a link that ends is a violation.
   */
  beforeText(error: TercetError): TercetError {
    if (error.code !== 'ERR_SECURITY_VIOLATION' || !this.#left || !isEndOfLink(error)) return this.named(error);
    return this.leaves();
  }

  /** What a proved run ends with that a party left before there was a text. */
  leaves(): TercetError {
    const what = `party ${this.#peer ?? ''} left before there was a text`;
    return new TercetError('ERR_PEER_CLOSED', what, 'run again; nothing was sent that depends on a text', {
      party: this.#peer,
    });
  }
}
