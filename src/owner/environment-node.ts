/** What every data owner in Node has alike whose parties are those of a deployment: the SDK, and the owner's service. */
import WebSocket from 'ws';
import { nodeHub } from '../hub/environment-node.ts';
import { openOwnerLink } from '../net/gateway/owner-link.ts';
import { nodeOfferer } from '../net/webrtc/node.ts';
import type { WebSocketConstructor } from '../net/websocket/link.ts';
import type { Environment } from './environment.ts';

/** Nothing is relative to it: a program has no address of its own. */
export const NODE_BASE = 'about:blank';

/** Links are those that pages use: WebRTC, and WebSocket as the second way. */
export function nodeEnvironment(): Pick<Environment, 'base' | 'fetch' | 'hub' | 'now' | 'random' | 'openLink'> {
  const offerer = nodeOfferer();
  return {
    base: NODE_BASE,
    fetch: (url, init) => fetch(url, init),
    hub: async () => nodeHub(),
    now: () => performance.now(),
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
    openLink: ({ onFallback, ...request }) =>
      openOwnerLink({
        ...request,
        offerer,
        // ws has the browser's interface; its types say more than is used.
        WebSocket: WebSocket as unknown as WebSocketConstructor,
        onFallback: (event) => onFallback({ what: 'transport', ...event }),
      }),
  };
}
