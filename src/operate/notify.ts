/** What systemd hears of a service of `Type=notify` (sd_notify(3)): a datagram to the socket that it names. */
import { execFile } from 'node:child_process';

type State = 'READY=1' | 'STOPPING=1' | 'RELOADING=1';

/**
 * Node has no datagrams over UNIX sockets, so systemd's own program says it, where there is a systemd that asked. The
 * unit says NotifyAccess=all. It names no main process: a party that is watched is none, and dies without its service.
 * @returns when it is said, or cannot be: who says two things waits in between
 */
export function notify(state: State, environment = process.env): Promise<void> {
  if (!environment['NOTIFY_SOCKET']) return Promise.resolve();
  // Type=notify-reload wants to know since when, by the clock that Node's hrtime is.
  const since = state === 'RELOADING=1' ? [`MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`] : [];
  return new Promise((resolve) => {
    execFile('systemd-notify', [state, ...since], { env: environment }, () => resolve());
  });
}
