/**
 * WebRTC in Node (node-datachannel): the answering side of a daemon, and the offering side of a data owner in Node.
 *
 * The native library keeps threads of its own: close every link, then call `releaseWebRtc` at the end of the
 * process. A link that was left open keeps it from exiting.
 */
import type { DataChannel, PeerConnection } from 'node-datachannel';
import { TercetError } from '../../core/errors.ts';
import {
  LINK_HIGH_WATER_BYTES,
  LINK_LOW_WATER_BYTES,
  MAX_MESSAGE_BYTES,
  type MessageLink,
  type MessageLinkEvents,
} from '../chunks/link.ts';
import { EarlyBuffer } from '../chunks/early-buffer.ts';
import { WINDOW_BYTES } from '../chunks/transport.ts';
import {
  DATA_CHANNEL,
  type IceServer,
  type RtcAnswer,
  type RtcAnswerer,
  type RtcOffer,
  type RtcOfferer,
} from './types.ts';

/** Longest time for the candidates: without STUN it takes milliseconds. */
const GATHER_MS = 2000;

export interface NodeRtcOptions {
  /** Address to bind to; all by default. */
  readonly bindAddress?: string | undefined;
  /** UDP ports to use, for firewalls. */
  readonly ports?: readonly [number, number] | undefined;
  /** STUN and TURN servers as `stun:host:port` or `turn:user:password@host:port`; none by default. */
  readonly iceServers?: readonly string[] | undefined;
}

type Library = typeof import('node-datachannel');

/**
 * Packets that a link may send before the first is acknowledged (default 10). The answer is one burst of 30 to 120
 * kB after seconds of silence; with the default it takes two round trips more.
 */
const INITIAL_WINDOW_PACKETS = 64;

async function loadLibrary(): Promise<Library> {
  const library = await import('node-datachannel');
  library.setSctpSettings({ initialCongestionWindow: INITIAL_WINDOW_PACKETS });
  return library;
}

/**
 * Ends the threads of the native WebRTC library, which keep a process alive. Call it when every model is disposed; a
 * later link starts them again.
 *
 * @example
 * await model.dispose();
 * await releaseWebRtc();
 *
 * @throws {Error} where the native library cannot be loaded.
 */
export async function releaseWebRtc(): Promise<void> {
  (await import('node-datachannel')).cleanup();
}

export function nodeAnswerer(options: NodeRtcOptions = {}): RtcAnswerer {
  // SECURITY: an offer is a stranger's. Its addresses would have this party look up names and send packets wherever
  // the stranger likes, and a party that can be reached needs none. Only one that stands behind a NAT itself (it
  // was given STUN or TURN servers) has to knock first. test/net/webrtc.test.ts.
  const reachable = (options.iceServers ?? []).length === 0;
  return {
    answer: async (offers) => {
      const library = await loadLibrary();
      return connections(library, offers.length, options, async (connection, i) => {
        connection.setRemoteDescription(reachable ? withoutCandidates(offers[i]) : offers[i], 'offer');
        connection.setLocalDescription('answer');
      });
    },
  };
}

export function nodeOfferer(options: NodeRtcOptions = {}): RtcOfferer {
  return {
    offer: async ({ associations, iceServers }) => {
      const library = await loadLibrary();
      const urls = [...(options.iceServers ?? []), ...iceServers.flatMap(serverUrls)];
      const offer = await connections(library, associations, { ...options, iceServers: urls }, async (connection) =>
        connection.setLocalDescription('offer'),
      );
      return {
        ...offer,
        descriptions: urls.length > 0 ? offer.descriptions : offer.descriptions.map(withoutCandidates),
      };
    },
  };
}

async function connections(
  library: Library,
  count: number,
  options: NodeRtcOptions,
  describe: (connection: PeerConnection, i: number) => Promise<void>,
): Promise<RtcOffer & RtcAnswer> {
  const ends: NodeLink[] = [];
  const close = (): void => {
    for (const end of ends) end.destroy();
  };
  try {
    for (let i = 0; i < count; i++) {
      const connection = newConnection(library, options);
      ends.push(
        new NodeLink(
          connection,
          connection.createDataChannel(DATA_CHANNEL.label, { negotiated: true, id: DATA_CHANNEL.id }),
        ),
      );
    }
    const descriptions = await Promise.all(
      ends.map(async ({ connection }, i) => {
        const gathered = whenGathered(connection);
        await describe(connection, i);
        await gathered;
        const local = connection.localDescription();
        if (local === null) throw new Error('no description');
        return local.sdp;
      }),
    );
    return {
      descriptions,
      close,
      accept: async (answers) => {
        try {
          for (const [i, { connection }] of ends.entries()) connection.setRemoteDescription(answers[i], 'answer');
        } catch (error) {
          throw setUpFailed(error);
        }
      },
      opened: () => Promise.all(ends.map((end) => end.opened())),
    };
  } catch (error) {
    close();
    throw setUpFailed(error);
  }
}

/**
 * The party is the one that can be reached, so it need not know where the owner is: it learns that from the owner's
 * first packet, as it does from a browser that hides its addresses. One that did know could begin DTLS before the
 * owner has applied the answer, and would then wait a second to try again.
 */
function withoutCandidates(sdp: string): string {
  return sdp.replaceAll(/^a=(?:candidate:.*|end-of-candidates)\r?\n/gm, '');
}

function setUpFailed(cause: unknown): TercetError {
  // The library's own message may quote a description, so it is not repeated.
  return new TercetError('ERR_LINK_BLOCKED', 'WebRTC could not be set up', 'use a WebSocket link', { cause });
}

/**
 * A browser's description of a server as the library takes it: the name and password of a TURN server inside the
 * address.
 */
export function serverUrls({ urls, username, credential }: IceServer): string[] {
  const user = username === undefined ? '' : `${encodeURIComponent(username)}:${encodeURIComponent(credential ?? '')}@`;
  return [urls].flat().map((url) => url.replace(/^(turns?):(?:\/\/)?/, `$1:${user}`));
}

function newConnection(library: Library, { bindAddress, ports, iceServers }: NodeRtcOptions): PeerConnection {
  return new library.PeerConnection('tercet', {
    iceServers: [...(iceServers ?? [])],
    disableAutoNegotiation: true,
    maxMessageSize: MAX_MESSAGE_BYTES,
    ...(bindAddress === undefined ? {} : { bindAddress }),
    ...(ports === undefined ? {} : { portRangeBegin: ports[0], portRangeEnd: ports[1] }),
  });
}

function whenGathered(connection: PeerConnection): Promise<void> {
  return new Promise((resolve) => {
    // What has been gathered by then is good enough, or the link fails later by name.
    const timer = setTimeout(resolve, GATHER_MS);
    connection.onGatheringStateChange((state) => {
      if (state !== 'complete') return;
      clearTimeout(timer);
      resolve();
    });
  });
}

/** One association with its one data channel. */
class NodeLink implements MessageLink {
  readonly connection: PeerConnection;
  readonly #channel: DataChannel;
  readonly #early = new EarlyBuffer(1024, WINDOW_BYTES);
  #full = false;
  #open = false;
  #closed = false;
  #waiting: { resolve: (link: MessageLink) => void; reject: (error: Error) => void } | undefined;

  constructor(connection: PeerConnection, channel: DataChannel) {
    this.connection = connection;
    this.#channel = channel;
    // All before anything can arrive: a message may come before `open` is reported.
    channel.onMessage((message) => this.#onMessage(message));
    channel.onOpen(() => this.#onOpen());
    channel.onClosed(() => this.destroy());
    channel.onError(() => this.destroy());
    channel.setBufferedAmountLowThreshold(LINK_LOW_WATER_BYTES);
    channel.onBufferedAmountLow(() => {
      if (!this.#full) return;
      this.#full = false;
      this.#early.events?.room();
    });
    connection.onStateChange((state) => {
      // 'disconnected' is the end too: a peer that is gone, or a path that is; a run cannot be taken up again in
      // either case.
      if (state === 'failed' || state === 'closed' || state === 'disconnected') this.destroy();
    });
  }

  get maxMessageBytes(): number {
    return Math.min(MAX_MESSAGE_BYTES, this.#channel.maxMessageSize());
  }

  opened(): Promise<MessageLink> {
    return new Promise((resolve, reject) => {
      if (this.#closed) reject(notOpen());
      else if (this.#open) resolve(this);
      else this.#waiting = { resolve, reject };
    });
  }

  open(events: MessageLinkEvents): void {
    this.#early.open(events);
    if (this.#closed) events.closed(undefined);
  }

  send(message: Uint8Array<ArrayBuffer>): boolean {
    if (this.#closed) return false;
    try {
      this.#channel.sendMessageBinary(message);
    } catch {
      // The channel closed on another thread; its callback is on the way.
      this.destroy();
      return false;
    }
    if (this.#channel.bufferedAmount() >= LINK_HIGH_WATER_BYTES) this.#full = true;
    return !this.#full;
  }

  close(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.connection.close();
    this.#waiting?.reject(notOpen());
    this.#early.clear();
    this.#early.events?.closed(undefined);
  }

  #onOpen(): void {
    this.#open = true;
    this.#waiting?.resolve(this);
    this.#waiting = undefined;
  }

  #onMessage(message: string | Uint8Array | ArrayBuffer): void {
    if (this.#closed) return;
    const bytes =
      typeof message === 'string' ? undefined : message instanceof ArrayBuffer ? new Uint8Array(message) : message;
    if (!this.#early.take(bytes)) this.destroy();
  }
}

function notOpen(): TercetError {
  return new TercetError(
    'ERR_LINK_BLOCKED',
    'no WebRTC link came about',
    'allow UDP to the parties, name a TURN server, or use a WebSocket link',
  );
}
