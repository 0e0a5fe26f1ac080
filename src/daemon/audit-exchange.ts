/**
 * When the two compute parties show each other the heads of their audit logs: at the start, and every ten minutes.
 * Party 2 opens the link, as it does for sessions. Each serves on whether or not the other one keeps a log.
 *
 * SECURITY: one exchange at a time, ten seconds for each, one in a minute: so much the other party can make this one
 * write, whatever it does.
 */
import { sleep } from '../core/abort.ts';
import { TercetError, asTercetError } from '../core/errors.ts';
import { AUDIT_LINK, exchangeHeads } from '../audit/exchange.ts';
import type { AuditLog } from '../audit/log-node.ts';
import { within } from '../net/wire/deadline.ts';
import type { Channel } from '../net/wire/types.ts';

export interface AuditExchangeOptions {
  readonly log: AuditLog;
  /** Party 2 opens a link and says when; party 1 waits for it. */
  readonly id: 1 | 2;
  open(session: Uint8Array, signal: AbortSignal): Promise<Channel>;
  /** Whether the other party's log may be signed by this key. */
  accepts(identity: string): boolean;
  /** From one exchange to the next, in milliseconds. */
  readonly everyMs?: number;
  /** Until the next one is tried, or taken, at the least. */
  readonly pauseMs?: number;
  readonly signal: AbortSignal;
  /** Said once, until one succeeds again. */
  onFailure(error: TercetError): void;
}

const EXCHANGE_MS = 10_000;
const EVERY_MS = 600_000;
const PAUSE_MS = 60_000;

/** Exchanges until the signal. Never rejects. */
export async function keepExchanging(options: AuditExchangeOptions): Promise<void> {
  const { id, log, signal, everyMs = EVERY_MS, pauseMs = PAUSE_MS } = options;
  let told = false;
  while (!signal.aborted) {
    let ms = id === 1 ? pauseMs : everyMs;
    try {
      const link = await options.open(AUDIT_LINK, signal);
      try {
        const late = () =>
          new TercetError(
            'ERR_PEER_TIMEOUT',
            'the other party did not exchange heads of the audit logs',
            'see its log',
          );
        const undo = () => link.abort(late());
        await within(exchangeHeads(link, log, options.accepts), { ms: EXCHANGE_MS, signal, late, undo });
        await link.close();
      } catch (error) {
        link.abort(asTercetError(error));
        throw error;
      }
      told = false;
    } catch (error) {
      if (signal.aborted) return;
      if (!told) options.onFailure(asTercetError(error));
      told = true;
      ms = pauseMs;
    }
    await sleep(ms, signal).catch(() => undefined);
  }
}
