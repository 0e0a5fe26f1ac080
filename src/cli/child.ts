/** A command that another process of this package may have started: it ends with that one, and tells it why. */
import type { ChildMessage } from '../daemon/local.ts';
import type { TercetError } from '../core/errors.ts';
import type { Progress } from '../mpc/protocol/frame/engine.ts';

/** Progress is told no more often. */
const PROGRESS_MS = 100;

/**
 * Ends this process when the one that started it ends, which may be gone already. Nobody started one on a terminal.
 * @returns what lets go of it, at the end of the command
 */
export function endWithParent(): () => void {
  const orphaned = () => process.exit(1);
  if (process.send !== undefined) {
    if (!process.connected) orphaned();
    process.on('disconnect', orphaned);
  }
  return () => {
    process.off('disconnect', orphaned);
    if (process.connected) process.disconnect();
  };
}

/** @param who as in `party 1` */
export function failed(who: string, { code, message, hint }: TercetError): ChildMessage {
  return { kind: 'failed', code, message: `${who}: ${message}`, hint };
}

/** Tells of every phase, and in it ten times a second at most: such a message costs as much as a small gate. */
export function progressTeller(tell: (message: ChildMessage) => void, now: () => number): (progress: Progress) => void {
  let last: { readonly phase: string; readonly at: number } | undefined;
  return (progress) => {
    const at = now();
    if (last?.phase === progress.phase && at - last.at < PROGRESS_MS) return;
    last = { phase: progress.phase, at };
    tell({ kind: 'progress', progress });
  };
}
