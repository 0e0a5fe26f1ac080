/** Opening a WebSocket to a party, in bounded time. */
import { abortedError } from '../../core/abort.ts';
import { TercetError } from '../../core/errors.ts';
import { within } from '../wire/deadline.ts';
import { type PartyEndpoint, endpointUrl, fetchParty } from '../signalling/client.ts';
import { WEBSOCKET_PROTOCOL } from '../signalling/messages.ts';
import { type WebSocketConstructor, WebSocketLink } from './link.ts';

/**
 * A WebSocket link to `endpoint` for a session.
 * @throws {TercetError} ERR_LINK_BLOCKED if the party answers but a WebSocket does not get through; what
 * `fetchParty` throws if it does not answer
 */
export async function connectWebSocket(
  endpoint: PartyEndpoint,
  sessionHex: string,
  Socket: WebSocketConstructor,
): Promise<WebSocketLink> {
  const { party, url, timeoutMs, signal } = endpoint;
  if (signal?.aborted) throw abortedError();
  const address = endpointUrl(url, party, `/v1/sessions/${sessionHex}/ws`);
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new Socket(address.href, [WEBSOCKET_PROTOCOL]);
  const link = new WebSocketLink(socket);
  const opened = new Promise<boolean>((resolve) => {
    socket.addEventListener('open', () => resolve(true));
    socket.addEventListener('error', () => resolve(false));
    socket.addEventListener('close', () => resolve(false));
  });
  const late = (): TercetError => blocked(party, `did not open within ${timeoutMs / 1000} s`);
  if (await within(opened, { ms: timeoutMs, signal, late, undo: () => link.destroy() })) return link;
  // A browser does not say why. Asking the party over HTTP tells a party that is away from a proxy that passes no
  // WebSockets.
  await fetchParty(endpoint);
  throw blocked(party, 'was refused although the party answers over HTTP');
}

function blocked(party: number, what: string): TercetError {
  return new TercetError(
    'ERR_LINK_BLOCKED',
    `the WebSocket to party ${party} ${what}`,
    'a proxy may stop it: try another network, or ask the operator; a party that is busy takes links again in a few seconds',
  );
}
