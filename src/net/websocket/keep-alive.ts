/**
 * Pings of the party: proxies end a WebSocket that is quiet for a minute, and a peer that is gone without a word is
 * noticed. A browser answers by itself.
 */
import type { WebSocket } from 'ws';

const PING_MS = 20_000;

/** Ends `socket` when it has not answered for two pings. Ends with the socket. */
export function keepAlive(socket: WebSocket): void {
  let unanswered = 0;
  const timer = setInterval(() => {
    if (unanswered++ >= 2) socket.terminate();
    else socket.ping();
  }, PING_MS);
  socket.on('pong', () => {
    unanswered = 0;
  });
  socket.on('close', () => clearInterval(timer));
}
