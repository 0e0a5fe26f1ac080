/**
 * What an operator reads: one line for each thing that went wrong, with time, party and session. The session's name
 * here is drawn for the log alone.
 *
 * Security: no text, key or address, at any level, and no words of a peer. An error of a link is told in the words
 * of a fixed table (core/told.ts), one that was made for whoever asked, or here, in its own. Strangers can cause
 * lines, so each kind of line is bounded in number.
 */
import type { TercetError } from '../core/errors.ts';
import { Refusal, told } from '../core/told.ts';
import { violationCause, violationWords } from '../core/violation-cause.ts';

export interface LogOptions {
  readonly party: 1 | 2 | 3;
  write(line: string): void;
  /** Milliseconds since 1970. */
  now(): number;
}

/** Lines of one kind in a minute; what is beyond is counted. */
const PER_MINUTE = 10;
const MINUTE_MS = 60_000;

interface Recent {
  since: number;
  lines: number;
  left: number;
}

export class OperatorLog {
  readonly #options: LogOptions;
  readonly #recent = new Map<string, Recent>();

  constructor(options: LogOptions) {
    this.#options = options;
  }

  /** A session, or a connection that never became one, that failed. @param session what the log calls it */
  failed(error: TercetError, session?: string): void {
    const what = wordsOf(error);
    const more = this.#room(session === undefined ? `refused ${error.code}` : kindOf(error));
    if (more === undefined) return;
    const who = session === undefined ? 'a connection was refused' : `session ${session}`;
    const { party, write, now } = this.#options;
    write(
      `tercet: ${new Date(now()).toISOString()} ${party === 3 ? 'dealer' : `party ${party}`} ${who}: ${what}${more > 0 ? ` (and ${more} more like it before)` : ''}`,
    );
  }

  /** How many lines of the kind were left out before this one; undefined if this one is left out too. */
  #room(kind: string): number | undefined {
    const now = this.#options.now();
    const recent = this.#recent.get(kind);
    if (recent === undefined || now - recent.since >= MINUTE_MS) {
      this.#recent.set(kind, { since: now, lines: 1, left: 0 });
      return recent?.left ?? 0;
    }
    if (recent.lines >= PER_MINUTE) {
      recent.left++;
      return undefined;
    }
    recent.lines++;
    return 0;
  }
}

/** SECURITY: lines of one kind are bounded, and a check that refused is not hidden behind links that ended. */
function kindOf(error: TercetError): string {
  return `${error.code} ${violationCause(error) ?? ''}`;
}

const IDENTITY = /^ERR_(IDENTITY_|PEER_CERTIFICATE)/;

function wordsOf(error: TercetError): string {
  if (error.code === 'ERR_PEER_CLOSED' && error.party === 0) return 'the data owner left';
  const violation = violationWords(error);
  if (violation !== undefined) return `${error.code}: ${violation}`;
  const about = error.party === 1 || error.party === 2 ? ` (party ${error.party})` : '';
  if (IDENTITY.test(error.code)) return `${error.code}${about}: a certificate or an identity was not accepted`;
  const own =
    error instanceof Refusal ||
    (error.kind !== 'peer' && error.kind !== 'io') ||
    (error.code === 'ERR_PEER_TIMEOUT' && error.party === 0);
  return `${error.code}${about}: ${own ? error.message : told(error).what}`;
}
