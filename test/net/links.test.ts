/** The channels between a data owner and a party, on what carries them: every kind does what a channel must. */
import { once } from 'node:events';
import { afterAll } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { FramedChannel, type Transport } from '../../src/net/wire/channel.ts';
import { MAX_MESSAGE_BYTES, type MessageLink } from '../../src/net/chunks/link.ts';
import { linkTransport } from '../../src/net/chunks/transport.ts';
import { SealedTransport } from '../../src/net/handshake/records.ts';
import { loadSodium } from '../../src/net/identity/sodium.ts';
import { nodeAnswerer, nodeOfferer, releaseWebRtc } from '../../src/net/webrtc/node.ts';
import { type WebSocketLike, WebSocketLink } from '../../src/net/websocket/link.ts';
import { type Maker, channelConformance } from './conformance.ts';
import { SESSION } from './helpers.ts';
import { memoryLinks } from './memory-links.ts';

const NONE = new Uint8Array(0);
const sodium = await loadSodium();

type Links = readonly MessageLink[];

/** A maker of channels on fresh links; party 1's end first. */
function maker(
  links: () => Promise<readonly [Links, Links]>,
  wrap: (transport: Transport, side: 1 | 2) => Transport,
  cleanup: () => Promise<void>,
): Maker {
  const transports = async (): Promise<[Transport, Transport]> => {
    const [one, two] = await links();
    return [wrap(linkTransport(one, 'party 2', 20_000), 1), wrap(linkTransport(two, 'party 1', 20_000), 2)];
  };
  return {
    pair: async (options) => {
      const [one, two] = await transports();
      return [
        new FramedChannel({ self: 1, peer: 2, session: SESSION, transport: one, ...options }),
        new FramedChannel({ self: 2, peer: 1, session: SESSION, transport: two, ...options }),
      ];
    },
    raw: async (options) => {
      const [one, two] = await transports();
      const channel = new FramedChannel({ self: 2, peer: 1, session: SESSION, transport: two, ...options });
      one.open({ data: () => undefined, end: () => undefined, error: () => undefined });
      const write = (bytes: Uint8Array): void => void one.write(bytes.slice(), NONE)?.catch(() => undefined);
      return { channel, raw: { write, end: () => void one.close(), destroy: () => one.destroy() } };
    },
    cleanup,
  };
}

async function rtcLinks(associations: number): Promise<readonly [Links, Links]> {
  const offer = await nodeOfferer().offer({ associations, iceServers: [] });
  const answer = await nodeAnswerer().answer(offer.descriptions);
  await offer.accept(answer.descriptions);
  return Promise.all([offer.opened(), answer.opened()]);
}

const servers: WebSocketServer[] = [];

async function webSocketLinks(): Promise<readonly [Links, Links]> {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  servers.push(server);
  await once(server, 'listening');
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as { port: number }).port}`);
  const accepted = new Promise<WebSocketLink>((resolve) =>
    server.on('connection', (socket) => resolve(linkOn(socket))),
  );
  const own = linkOn(client);
  await once(client, 'open');
  return [[own], [await accepted]];
}

function linkOn(socket: WebSocket): WebSocketLink {
  return new WebSocketLink(socket as unknown as WebSocketLike);
}

async function closeServers(): Promise<void> {
  for (const server of servers.splice(0)) {
    for (const socket of server.clients) socket.terminate();
    await new Promise((resolve) => server.close(resolve));
  }
}

function sealed(transport: Transport, side: 1 | 2): Transport {
  const [a, b] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  return new SealedTransport(transport, side === 1 ? { send: a, receive: b } : { send: b, receive: a }, sodium);
}

const nothing = async (): Promise<void> => undefined;
const plain = (transport: Transport): Transport => transport;

afterAll(releaseWebRtc);

channelConformance(
  'chunked',
  maker(async () => memoryLinks(3), plain, nothing),
);
channelConformance(
  'webrtc',
  maker(() => rtcLinks(1), plain, nothing),
);
channelConformance(
  'webrtc × 3',
  maker(() => rtcLinks(3), plain, nothing),
);
channelConformance('sealed websocket', maker(webSocketLinks, sealed, closeServers));
