/** A command that another process of this package may have started: it ends with that one, and tells it why. */
import type { ChildMessage } from '../daemon/local.ts';
import type { TercetError } from '../core/errors.ts';

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
