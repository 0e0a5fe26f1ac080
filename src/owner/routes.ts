/**
 * Which way to a party did not work lately: where UDP is blocked, only the first link of a model waits for WebRTC,
 * not every one.
 */
import type { Environment } from './environment.ts';

/** How long a fallback is remembered: networks change when people move. */
const REMEMBERED_MS = 10 * 60_000;

/**
 * The same environment, but with transport 'auto' a party that was reached by WebSocket only is asked by WebSocket
 * at once. In memory, for one model.
 */
export function rememberingRoutes(environment: Environment): Environment {
  /** Until when, by address. */
  const remembered = new Map<string, number>();
  return {
    ...environment,
    async openLink(request) {
      const { url } = request.address;
      const known = request.transport === 'auto' && environment.now() < (remembered.get(url) ?? 0);
      let fell = false;
      try {
        const link = await environment.openLink({
          ...request,
          transport: known ? 'websocket' : request.transport,
          onFallback(event) {
            fell = true;
            request.onFallback(event);
          },
        });
        if (fell) remembered.set(url, environment.now() + REMEMBERED_MS);
        return link;
      } catch (error) {
        // Neither way works: the next link tries both again.
        remembered.delete(url);
        throw error;
      }
    },
  };
}
