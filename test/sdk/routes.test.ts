/** A transport that did not come about is not waited for again, for a while and for that party alone. */
import { describe, expect, it } from 'vitest';
import type { Environment, RoutedLink, RoutedLinkRequest } from '../../src/owner/environment.ts';
import { rememberingRoutes } from '../../src/owner/routes.ts';
import { TercetError } from '../../src/core/errors.ts';
import { failure } from '../failure.ts';

/** A network where WebRTC does or does not come about; it notes what it was asked for. */
function network(state: { now: number; udp: boolean; down: boolean }) {
  const asked: string[] = [];
  const environment = {
    now: () => state.now,
    async openLink({ address, transport, onFallback }: RoutedLinkRequest): Promise<RoutedLink> {
      asked.push(`${address.url} ${transport}`);
      if (state.down) throw new TercetError('ERR_PEER_UNREACHABLE', 'nobody there', 'start it');
      if (transport === 'auto' && !state.udp)
        onFallback({ from: 'webrtc', to: 'websocket', reason: 'no link within 5 s' } as never);
      return { transport: transport === 'auto' && state.udp ? 'webrtc' : 'websocket' } as RoutedLink;
    },
  } as unknown as Environment;
  const { openLink } = rememberingRoutes(environment);
  const events: unknown[] = [];
  const open = (url: string, transport: RoutedLinkRequest['transport'] = 'auto') =>
    openLink({
      address: { url, identity: '' },
      transport,
      onFallback: (event: unknown) => void events.push(event),
    } as unknown as RoutedLinkRequest);
  return { asked, events, open };
}

describe('a link that fell back', () => {
  it('is made that way at once for ten minutes, and said once', async () => {
    const state = { now: 0, udp: false, down: false };
    const { asked, events, open } = network(state);
    expect((await open('a')).transport).toBe('websocket');
    expect((await open('a')).transport).toBe('websocket');
    await open('b');
    expect(asked).toEqual(['a auto', 'a websocket', 'b auto']);
    expect(events).toHaveLength(2);
    state.now = 10 * 60_000;
    state.udp = true;
    expect((await open('a')).transport).toBe('webrtc');
  });

  it('is not remembered over a choice of the caller, nor when the party could not be reached at all', async () => {
    const state = { now: 0, udp: false, down: false };
    const { asked, open } = network(state);
    await open('a');
    await open('a', 'webrtc');
    state.down = true;
    await failure('ERR_PEER_UNREACHABLE', () => open('a'));
    state.down = false;
    await open('a');
    expect(asked).toEqual(['a auto', 'a webrtc', 'a websocket', 'a auto']);
  });
});
