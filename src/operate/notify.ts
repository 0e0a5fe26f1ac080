/** What systemd hears of a service of `Type=notify` (sd_notify(3)): a datagram to the socket that it names. */
import { execFile } from 'node:child_process';

/**
 * Node has no datagrams over UNIX sockets, so systemd's own program says it, where there is a systemd that asked.
 * @param state like `READY=1`
 */
export function notify(state: 'READY=1' | 'STOPPING=1' | 'RELOADING=1', environment = process.env): void {
  if (!environment['NOTIFY_SOCKET']) return;
  // It speaks for this process by its number; the unit says NotifyAccess=all.
  execFile('systemd-notify', [`--pid=${process.pid}`, state], () => undefined);
}
