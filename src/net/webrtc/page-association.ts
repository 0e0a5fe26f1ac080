/**
 * One WebRTC association in a page: set up by simple-peer, used over a data channel of our own, pumped to and from
 * a MessagePort.
 *
 * simple-peer makes offer and answer and watches the connection. Its own channel stays unused: it is negotiated as
 * number 0, of which the other side knows nothing. The data go over a second negotiated channel, because
 * simple-peer copies every message into a stream with a high water of 64 KiB and hides what the browser says about
 * its queue.
 */
import type SimplePeer from 'simple-peer';
import { TercetError, invariant } from '../../core/errors.ts';
import { LINK_HIGH_WATER_BYTES, LINK_LOW_WATER_BYTES } from '../chunks/link.ts';
import { WINDOW_BYTES } from '../chunks/transport.ts';
import { Queue } from '../wire/queue.ts';
import type { OpenedPort, PortMessage } from './port-protocol.ts';
import { DATA_CHANNEL, type IceServer } from './types.ts';

/** Longest time for candidates: without STUN they are there at once. */
const GATHER_MS = 1500;
/** Bytes that wait for the worker above which the peer is cut off: it has ignored its credit. */
const MAX_UNREAD_BYTES = 4 * WINDOW_BYTES;

export class PageAssociation {
  readonly #peer: SimplePeer.Instance;
  readonly #connection: RTCPeerConnection;
  readonly #channel: RTCDataChannel;
  readonly #ports = new MessageChannel();
  readonly #queue = new Queue<ArrayBuffer>();
  #unread = 0;
  #closed = false;
  readonly #offer: Promise<string>;
  readonly #opened: Promise<OpenedPort>;
  #failed: (error: Error) => void = () => undefined;

  constructor(Peer: SimplePeer.SimplePeer, iceServers: readonly IceServer[]) {
    const made: RTCPeerConnection[] = [];
    // simple-peer makes its connection with the constructor that it is given: the public way to get hold of it.
    class Connection extends RTCPeerConnection {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        made.push(this);
      }
    }
    this.#peer = new Peer({
      wrtc: { RTCPeerConnection: Connection, RTCSessionDescription, RTCIceCandidate },
      initiator: true,
      trickle: false,
      iceCompleteTimeout: GATHER_MS,
      config: { iceServers: [...iceServers] },
      channelName: 'unused',
      channelConfig: { negotiated: true, id: 0 },
    });
    invariant(made.length === 1, 'simple-peer made another number of connections than one');
    this.#connection = made[0];
    this.#channel = this.#connection.createDataChannel(DATA_CHANNEL.label, {
      negotiated: true,
      id: DATA_CHANNEL.id,
      ordered: true,
    });
    this.#channel.binaryType = 'arraybuffer';
    this.#channel.bufferedAmountLowThreshold = LINK_LOW_WATER_BYTES;
    const failure = new Promise<never>((_resolve, reject) => {
      this.#failed = reject;
    });
    this.#offer = Promise.race([
      failure,
      new Promise<string>((resolve) =>
        this.#peer.on('signal', (data) => data.type === 'offer' && resolve(data.sdp ?? '')),
      ),
    ]);
    const opened = new Promise<OpenedPort>((resolve) => {
      this.#channel.onopen = () =>
        resolve({ port: this.#ports.port2, maxMessageBytes: this.#connection.sctp?.maxMessageSize ?? 0 });
    });
    this.#opened = Promise.race([failure, opened]);
    // Whoever waits hears of a failure; nobody may.
    this.#opened.catch(() => undefined);
    this.#offer.catch(() => undefined);
    this.#watch();
  }

  get closed(): boolean {
    return this.#closed;
  }

  offer(): Promise<string> {
    return this.#offer;
  }

  accept(answer: string): void {
    this.#peer.signal({ type: 'answer', sdp: answer });
  }

  opened(): Promise<OpenedPort> {
    return this.#opened;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.clear();
    const port = this.#ports.port1;
    port.postMessage(null satisfies PortMessage);
    port.onmessage = null;
    // Closed in a later task: a port that is closed at once may lose what was posted last in some browsers.
    setTimeout(() => port.close(), 0);
    this.#channel.close();
    this.#peer.destroy();
    this.#failed(
      new TercetError(
        'ERR_LINK_BLOCKED',
        'no WebRTC link came about',
        'allow UDP to the parties, name a TURN server, or use a WebSocket link',
      ),
    );
  }

  /** Both pumps, and every way in which the link may end. All before anything can arrive. */
  #watch(): void {
    this.#peer.on('error', () => this.close());
    this.#peer.on('close', () => this.close());
    this.#channel.onclose = () => this.close();
    this.#channel.onerror = () => this.close();
    this.#channel.onbufferedamountlow = () => this.#flush();
    this.#channel.onmessage = ({ data }: MessageEvent<unknown>) => this.#fromPeer(data);
    this.#ports.port1.onmessage = ({ data }: MessageEvent<PortMessage>) => this.#fromWorker(data);
  }

  #fromPeer(data: unknown): void {
    if (this.#closed) return;
    const bytes = data instanceof ArrayBuffer ? data : undefined;
    this.#unread += bytes?.byteLength ?? 0;
    if (bytes === undefined || this.#unread > MAX_UNREAD_BYTES) this.close();
    else this.#ports.port1.postMessage(bytes satisfies PortMessage, [bytes]);
  }

  #fromWorker(data: PortMessage): void {
    if (data === null) this.close();
    else if (typeof data === 'number') this.#unread -= data;
    else {
      this.#queue.push(data);
      this.#flush();
    }
  }

  /** Gives the browser what it has room for, and the worker credit for that. */
  #flush(): void {
    let taken = 0;
    while (this.#queue.size > 0 && !this.#closed && this.#channel.bufferedAmount < LINK_HIGH_WATER_BYTES) {
      const message = this.#queue.shift() as ArrayBuffer;
      taken += message.byteLength;
      try {
        this.#channel.send(message);
      } catch {
        // Not open any more; its close event is on the way.
        this.close();
        return;
      }
    }
    if (taken > 0) this.#ports.port1.postMessage(taken satisfies PortMessage);
  }
}
