/**
 * Why a party calls a run a violation: whether a check of its own refused, or something did not come. An operator must
 * tell a party that was caught from a line that broke.
 *
 * SECURITY: peers hear one error, whatever the cause (PROTOCOL §16.5). These words are for the party's own log and
 * audit log: they are of a fixed list, and nothing else of the cause is kept. test/party/violation-cause.test.ts.
 */
import { SecurityViolationError, TercetError } from './errors.ts';
import { PeerReport } from './told.ts';

const WORDS = {
  check: 'a check of this party refused',
  form: 'a message was another than the one that comes next',
  late: 'a message did not come in time',
  link: 'a link ended',
  report: 'another party says so',
  other: 'something else of a peer failed',
} as const;

export type ViolationCause = keyof typeof WORDS;

export const VIOLATION_CAUSES = Object.keys(WORDS) as readonly ViolationCause[];

/** The cause of a violation of the protocol; undefined for any other error. */
export function violationCause(error: unknown): ViolationCause | undefined {
  if (!(error instanceof SecurityViolationError) || error.code !== 'ERR_SECURITY_VIOLATION') return undefined;
  const { cause } = error;
  if (!(cause instanceof TercetError)) return 'check';
  if (cause instanceof PeerReport) return 'report';
  if (cause.code === 'ERR_PEER_TIMEOUT') return 'late';
  if (cause.code === 'ERR_PEER_CLOSED') return 'link';
  return cause.code.startsWith('ERR_FRAME_') ? 'form' : 'other';
}

/** A violation in words for whoever runs this party; undefined for any other error. */
export function violationWords(error: unknown): string | undefined {
  const cause = violationCause(error);
  if (cause === undefined) return undefined;
  const { phase = 'messages', party } = error as SecurityViolationError;
  return `${phase}${party === undefined ? '' : ` of party ${party}`}: ${WORDS[cause]}`;
}
