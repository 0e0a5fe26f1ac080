/**
 * Where data owners reach a compute party: an HTTP server with the party's public interface, WebRTC signalling and
 * WebSockets.
 *
 * Security model: everybody can reach it. Requests and connections without a link are bounded in size, number and
 * time (links that stand are not counted among them); nothing that is not a link with a finished handshake is
 * handed on. TLS here is for browsers, which require it of any address but this machine's; the owner relies on the
 * party's signature and not on it. No request is logged.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { unlessAborted } from '../../core/abort.ts';
import { isLoopback } from '../../core/address.ts';
import { fromHex, toHex } from '../../core/bytes.ts';
import { TercetError, asTercetError } from '../../core/errors.ts';
import { FramedChannel, type SessionChannel } from '../wire/channel.ts';
import type { MessageLink } from '../chunks/link.ts';
import { linkTransport } from '../chunks/transport.ts';
import { NO_SIGNALLING } from '../handshake/messages.ts';
import { partyHandshake } from '../handshake/handshake.ts';
import type { PartyTerms } from '../handshake/party.ts';
import type { PartyIdentity } from '../identity/identity.ts';
import { DEFAULT_TIMEOUT_MS } from '../wire/inbox.ts';
import { withPairKey } from '../wire/redacted.ts';
import type { PartyDescription } from '../signalling/description.ts';
import { type HttpRequest, type HttpReply, asProblem, problem, problemReply } from '../signalling/http.ts';
import { MAX_BODY_BYTES, WEBSOCKET_PROTOCOL } from '../signalling/messages.ts';
import { type Asked, checkUpgrade, serve } from '../signalling/router.ts';
import { LinkTable, type Slot, TABLE_LIMITS, type TableLimits } from '../signalling/table.ts';
import { listenOn } from '../wire/listen-node.ts';
import { Unfinished, type UnfinishedLimits } from '../wire/unfinished.ts';
import { ObservedTransport } from '../wire/observed-transport.ts';
import { keepAlive } from '../websocket/keep-alive.ts';
import { type WebSocketLike, WebSocketLink } from '../websocket/link.ts';
import type { RtcAnswerer } from '../webrtc/types.ts';
import { MAX_MESSAGE_BYTES } from '../chunks/link.ts';
import type { ServerId } from '../wire/types.ts';

/**
 * Connections that carry no link: requests, and what says nothing. An address may be that of a proxy with many
 * owners behind it.
 */
const UNFINISHED: UnfinishedLimits = { max: 512, perAddress: 128 };
const REQUEST_MS = 10_000;

/** A data owner that has come, and with whom keys are agreed. */
export interface OwnerArrival {
  readonly channel: SessionChannel;
  /** 32 bytes, owned by the receiver, who wipes it. */
  readonly pairKey: Uint8Array;
  readonly session: Uint8Array;
  readonly transport: 'webrtc' | 'websocket';
  /** Address of the owner, or of the proxy before it. */
  readonly remote: string;
  /** It deals for an owner, and has proved to be whom `dealerOf` said. */
  readonly dealer: boolean;
  /** What the owner asked for, 64 hex digits each; `admit` has let them pass. */
  readonly modelHash: string;
  readonly requestCode: string;
}

export interface GatewayOptions {
  readonly party: ServerId;
  readonly identity: PartyIdentity;
  /** Default 127.0.0.1. Any other address than this machine's needs `tls`. */
  readonly host?: string | undefined;
  /** Default 0: any free port. */
  readonly port?: number | undefined;
  readonly tls?: { readonly key: string; readonly cert: string } | undefined;
  /** Origins of pages that may use this party, like `https://example.org`. Programs send none and are let in. */
  readonly origins: readonly string[];
  readonly describe: () => Omit<PartyDescription, 'party' | 'identity' | 'transports'>;
  /** Public: what `GET /v1/health` answers, 503 unless `ok`. */
  readonly health: () => { readonly ok: boolean };
  /**
   * Throws to refuse an owner: ERR_MODEL_HASH, ERR_PEER_MISMATCH (parameters), ERR_PEER_UNREACHABLE (busy). Asked
   * before a link, and again inside it.
   */
  readonly admit: (asked: Asked, remote: string) => void;
  /** Who may use a model that is not open to everybody. */
  readonly enrolment?: PartyTerms['enrolment'];
  /**
   * The identity that a dealer must prove in a session: asked inside the link; throws where none is expected. Absent:
   * dealers are refused.
   */
  readonly dealerOf?: ((session: Uint8Array, asked: Asked) => string) | undefined;
  readonly onOwner: (arrival: OwnerArrival) => void;
  /** Hears why requests and links came to nothing; for logs and tests. */
  readonly onRefused?: ((error: TercetError) => void) | undefined;
  /** Absent: WebSocket only. */
  readonly answerer?: RtcAnswerer | undefined;
  readonly limits?: Partial<TableLimits> | undefined;
  /** Limits of the channels (see `ChannelOptions`). */
  readonly recvTimeoutMs?: number | undefined;
  readonly highWaterBytes?: number | undefined;
}

export interface Gateway {
  readonly port: number;
  /** Base address, as a data owner on this machine gives it. */
  readonly url: string;
  readonly links: { readonly pending: number; readonly live: number };
  /** Shows another certificate from now on. @throws {TercetError} ERR_ARGUMENT, and nothing changes */
  renew(tls: { readonly key: string; readonly cert: string }): void;
  /** Proves another identity from now on; links that stand have been proved. */
  identify(identity: PartyIdentity): void;
  /** Stops listening, ends every link, and resolves when nothing runs any more. */
  close(): Promise<void>;
}

/**
 * @throws {TercetError} ERR_ARGUMENT for an address that needs TLS and has none, ERR_PEER_UNREACHABLE if it cannot
 * be listened on
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { host = '127.0.0.1', port = 0, tls } = options;
  if (tls === undefined && !isLoopback(host)) {
    throw new TercetError(
      'ERR_ARGUMENT',
      `the gateway would listen on ${host} without TLS`,
      'give it a key and a certificate, or listen on 127.0.0.1 behind a proxy that has them',
    );
  }
  const running = new RunningGateway(options);
  await running.listen(host, port);
  return running;
}

class RunningGateway implements Gateway {
  readonly #options: GatewayOptions;
  #identity: PartyIdentity;
  readonly #table: LinkTable;
  readonly #server: http.Server | https.Server;
  readonly #unfinished = new Unfinished(UNFINISHED);
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    // The bytes are random by construction: compressing them costs time, and leaks where they are not.
    perMessageDeflate: false,
    handleProtocols: () => WEBSOCKET_PROTOCOL,
  });

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#identity = options.identity;
    this.#table = new LinkTable({ ...TABLE_LIMITS, ...options.limits });
    const settings = {
      maxHeaderSize: 16 * 1024,
      requestTimeout: REQUEST_MS,
      headersTimeout: REQUEST_MS,
      keepAliveTimeout: REQUEST_MS,
      connectionsCheckingInterval: 1000,
    };
    const handler = (request: http.IncomingMessage, response: http.ServerResponse): void =>
      void this.#serve(request, response);
    this.#server =
      options.tls === undefined
        ? http.createServer(settings, handler)
        : https.createServer({ ...settings, ...options.tls, minVersion: 'TLSv1.2' }, handler);
    this.#server.on('connection', (socket: Socket) => {
      const key = keyOf(socket);
      this.#unfinished.add(key, socket.remoteAddress, () => socket.destroy());
      socket.once('close', () => this.#unfinished.remove(key));
    });
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get url(): string {
    const { tls, host = '127.0.0.1' } = this.#options;
    const name = isLoopback(host) ? host : 'localhost';
    return `${tls === undefined ? 'http' : 'https'}://${name === '::1' ? '[::1]' : name}:${this.port}`;
  }

  get links(): { pending: number; live: number } {
    return { pending: this.#table.pending, live: this.#table.live };
  }

  listen(host: string, port: number): Promise<void> {
    // A failed accept(2), for example for want of file descriptors, is that connection's problem.
    const later = (error: Error): void => this.#refused(asTercetError(error));
    return listenOn(this.#server, { host, port, who: 'the gateway cannot', later });
  }

  renew(tls: { readonly key: string; readonly cert: string }): void {
    if (!(this.#server instanceof https.Server)) return;
    try {
      this.#server.setSecureContext({ ...tls, minVersion: 'TLSv1.2' });
    } catch (cause) {
      throw new TercetError(
        'ERR_ARGUMENT',
        'the key and the certificate of the gateway cannot be used',
        'give PEM files that belong together',
        { cause },
      );
    }
  }

  identify(identity: PartyIdentity): void {
    this.#identity = identity;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#table.close();
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
      for (const socket of this.#sockets.clients) socket.terminate();
    });
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const { party, origins, describe, health, admit, answerer } = this.#options;
    const identity = this.#identity;
    const transports: PartyDescription['transports'] = answerer === undefined ? ['websocket'] : ['webrtc', 'websocket'];
    const reply = await serve(
      requestOf(request),
      {
        party,
        identity,
        origins,
        table: this.#table,
        describe: () => ({ ...describe(), party, identity: identity.publicKey, transports }),
        health,
        admit,
        answerer,
        onRtc: ({ session, remote, slot, answer, signallingHash, signal }) => {
          const stop = (): void => answer.close();
          void this.#welcome({
            session,
            remote,
            slot,
            signal,
            signallingHash,
            transport: 'webrtc',
            links: answer.opened(),
            stop,
          });
        },
      },
      (error) => this.#refused(error),
    );
    // An unread body would be read to its end otherwise.
    const headers = request.complete ? reply.headers : { ...reply.headers, connection: 'close' };
    response.writeHead(reply.status, headers).end(reply.body);
  }

  #upgrade(request: http.IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    try {
      const session = checkUpgrade(requestOf(request), this.#options.origins);
      const stopped = new AbortController();
      const remote = request.socket.remoteAddress ?? '';
      const slot = this.#table.begin(session, remote, (error) => {
        stopped.abort(error);
        socket.destroy();
      });
      socket.on('close', () => slot.end());
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
        keepAlive(webSocket);
        // ws has the browser's interface; its types say more than is used.
        const link = new WebSocketLink(webSocket as unknown as WebSocketLike);
        const links = Promise.resolve([link]);
        const stop = (): void => link.destroy();
        const counted: Slot = {
          live: () => {
            slot.live();
            this.#unfinished.remove(keyOf(request.socket));
          },
          end: () => slot.end(),
        };
        const coming = {
          session: fromHex(session),
          slot: counted,
          signal: stopped.signal,
          signallingHash: NO_SIGNALLING,
          remote,
        };
        void this.#welcome({ ...coming, transport: 'websocket', links, stop });
      });
    } catch (error) {
      const refused = asProblem(error);
      this.#refused(refused.error);
      socket.end(rawReply(problemReply(refused)), () => socket.destroy());
    }
  }

  /** From a link under way to an owner that is handed on. Never rejects. */
  async #welcome(coming: Coming): Promise<void> {
    const { session, slot, signal, signallingHash, transport, remote, stop } = coming;
    const { party, enrolment, dealerOf, onOwner, recvTimeoutMs, highWaterBytes } = this.#options;
    try {
      const links = await unlessAborted(signal, coming.links);
      const flushMs = recvTimeoutMs ?? DEFAULT_TIMEOUT_MS;
      const watched = new ObservedTransport(linkTransport(links, 'the data owner', flushMs), () => slot.end());
      const admit = (asked: Asked) => this.#options.admit(asked, remote);
      const agreed = await partyHandshake(watched, {
        party,
        identity: this.#identity,
        transport,
        session,
        signallingHash,
        admit,
        enrolment,
        dealerOf: dealerOf === undefined ? undefined : (asked) => dealerOf(session, asked),
        signal,
      });
      slot.live();
      const channel = new FramedChannel({
        self: party,
        peer: agreed.dealer ? 3 : 0,
        session,
        transport: agreed.transport,
        timeoutMs: recvTimeoutMs,
        highWaterBytes,
      });
      signal.addEventListener('abort', () => channel.abort(asTercetError(signal.reason)));
      const { pairKey, modelHash, requestCode, dealer } = agreed;
      onOwner(
        withPairKey(pairKey, {
          channel,
          session,
          transport,
          remote,
          dealer,
          modelHash: toHex(modelHash),
          requestCode: toHex(requestCode),
        }),
      );
    } catch (error) {
      slot.end();
      stop();
      this.#refused(asTercetError(signal.aborted ? signal.reason : error));
    }
  }

  #refused(error: TercetError): void {
    this.#options.onRefused?.(error);
  }
}

interface Coming {
  readonly session: Uint8Array;
  readonly slot: Slot;
  readonly signal: AbortSignal;
  readonly signallingHash: Uint8Array;
  readonly remote: string;
  readonly transport: 'webrtc' | 'websocket';
  readonly links: Promise<readonly MessageLink[]>;
  readonly stop: () => void;
}

/** Names a connection, before and after its TLS. */
function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? ''} ${remotePort ?? 0}`;
}

function requestOf(request: http.IncomingMessage): HttpRequest {
  return {
    method: request.method ?? '',
    path: (request.url ?? '').split('?')[0],
    headers: request.headers,
    remote: request.socket.remoteAddress ?? '',
    body: () => readBody(request),
  };
}

async function readBody(request: http.IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES)
      throw problem(
        413,
        'ERR_FRAME_LENGTH',
        `a request of more than ${MAX_BODY_BYTES} bytes`,
        'an offer of a browser is far shorter',
      );
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function rawReply({ status, headers, body }: HttpReply): string {
  const lines = Object.entries({
    ...headers,
    connection: 'close',
    'content-length': String(Buffer.byteLength(body)),
  }).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? 'Refused'}`, ...lines, '', body].join('\r\n');
}
