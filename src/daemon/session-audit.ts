/**
 * What a compute party's audit log tells of its sessions: that they began, with their sizes, and how they ended; and
 * who was refused, counted by code. A session does not begin without its record.
 *
 * Security: strangers cause refusals, so a minute has one record of each code, whatever they send.
 */
import type { AuditLog } from '../audit/log-node.ts';
import { type Facts, hashOf } from '../audit/record.ts';
import type { SecurityViolationError, TercetError } from '../core/errors.ts';
import { isFinding } from '../core/told.ts';
import { violationCause } from '../core/violation-cause.ts';
import type { PartyIdentity } from '../net/identity/identity.ts';
import type { Request } from '../session/request.ts';
import type { SessionEnd } from '../session/compute.ts';

const MINUTE_MS = 60_000;

export class SessionAudit {
  readonly #log: AuditLog;
  readonly #now: () => number;
  readonly #refused = new Map<string, { since: number; times: number }>();

  constructor(log: AuditLog, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  /** What is served from here on, and under which key: at the start, and when files were read again. */
  async configured(hashes: readonly string[], identity: PartyIdentity | undefined): Promise<void> {
    if (identity !== undefined) await this.#log.changeKey(identity);
    const models = hashOf([...hashes].sort().join('\n'));
    await this.#log.append('configured', { identity: this.#log.identity, served: hashes.length, models });
  }

  /** @throws {TercetError} ERR_STATE if the record cannot be written: then nothing is served */
  async begun(session: string, model: string, request: Request): Promise<void> {
    const { protocol, weights, sequences, tokens, steps, securityLevel } = request;
    const level = securityLevel === undefined ? {} : { securityLevel };
    await this.#log.append('session-begun', { session, model, protocol, weights, sequences, tokens, steps, ...level });
  }

  async ended(session: string, end: SessionEnd | TercetError): Promise<void> {
    if (typeof end === 'string') return this.#log.keep('session-ended', { session, outcome: end });
    const type = isFinding(end) ? 'violation' : 'session-ended';
    return this.#log.keep(type, { session, outcome: 'failed', code: end.code, ...party(end), ...violation(end) });
  }

  /** Somebody who never got as far as a session. */
  async refused(error: TercetError): Promise<void> {
    const now = this.#now();
    const known = this.#refused.get(error.code);
    const times = (known?.times ?? 0) + 1;
    if (known !== undefined && now - known.since < MINUTE_MS) {
      known.times = times;
      return;
    }
    this.#refused.set(error.code, { since: now, times: 0 });
    await this.#log.keep('refused', { code: error.code, times });
  }
}

/** Where a party was caught, and by what: a check of this one, or a message that did not come. */
function violation(error: TercetError): Facts {
  const cause = violationCause(error);
  if (cause === undefined) return {};
  const { phase } = error as SecurityViolationError;
  return phase === undefined ? { cause } : { phase, cause };
}

function party({ party: who }: TercetError): Facts {
  return who === undefined ? {} : { party: who };
}
