/**
 * A data owner's link to one compute party: WebRTC, or a WebSocket where WebRTC does not come about; signed
 * signalling, handshake, channel.
 *
 * The same code in a worker (with an offerer over its page), in a page and in Node. Who answers is judged by the
 * pinned key alone: the name in the URL, TLS and whatever proxies there are only carry it.
 */
import { abortedError } from '../../core/abort.ts';
import { fromHex, toHex } from '../../core/bytes.ts';
import { TercetError } from '../../core/errors.ts';
import { FramedChannel, type SessionChannel, type Transport } from '../wire/channel.ts';
import { linkTransport } from '../chunks/transport.ts';
import type { MessageLink } from '../chunks/link.ts';
import type { OwnerCredential } from '../enrolment/credential.ts';
import { within } from '../wire/deadline.ts';
import { checkSession } from '../wire/frame.ts';
import { DEFAULT_HANDSHAKE_MS, ownerHandshake } from '../handshake/handshake.ts';
import { NO_SIGNALLING } from '../handshake/messages.ts';
import { type PartyIdentity, checkPin } from '../identity/identity.ts';
import type { Pin } from '../identity/pin.ts';
import { DEFAULT_TIMEOUT_MS } from '../wire/inbox.ts';
import { withPairKey } from '../wire/redacted.ts';
import { type PartyEndpoint, endpointUrl, requestAnswer, withdraw } from '../signalling/client.ts';
import { MAX_ASSOCIATIONS, offerToJson } from '../signalling/messages.ts';
import { fingerprintOf } from '../signalling/sdp.ts';
import { checkStatement, signallingHash } from '../signalling/statement.ts';
import { otherOf, replayed } from '../identity/identity-errors.ts';
import type { IceServer, RtcOffer, RtcOfferer } from '../webrtc/types.ts';
import { connectWebSocket } from '../websocket/connect.ts';
import type { WebSocketConstructor } from '../websocket/link.ts';
import type { ServerId } from '../wire/types.ts';

type OwnerTransport = 'webrtc' | 'websocket';

const DEFAULT_WEBRTC_MS = 5_000;
/** Longest time for one HTTP exchange, or for a WebSocket to open. */
const CONNECT_MS = 15_000;

export interface OwnerLinkOptions {
  readonly party: ServerId;
  readonly address: Exclude<Pin, string> & { readonly url: string };
  /** The pinned identity of the other compute party: tells a swap from a stranger. */
  readonly otherIdentity?: Pin | undefined;
  /** 16 bytes that name the run. */
  readonly session: Uint8Array;
  /** SHA-256 of the model asked for, and the coded request (`requestCode`): 64 hex digits each. */
  readonly modelHash: string;
  readonly requestCode: string;
  /** For secret weights: presented to the party once it has proved who it is. */
  readonly credential?: OwnerCredential | undefined;
  /** This end deals for an owner, and proves this identity behind the handshake. */
  readonly dealer?: Pick<PartyIdentity, 'sign'> | undefined;
  /** Default 'auto': WebRTC first, then a WebSocket, and `onFallback` is told. */
  readonly transport?: 'auto' | OwnerTransport | undefined;
  /** Longest time for WebRTC to come about (default 5 s). */
  readonly timeoutMs?: number | undefined;
  readonly iceServers?: readonly IceServer[] | undefined;
  /** WebRTC associations to spread the bytes over, 1 to 4 (default 1); more help on long paths. */
  readonly associations?: number | undefined;
  /** Absent: no WebRTC here. */
  readonly offerer?: RtcOfferer | undefined;
  readonly fetch?: typeof fetch | undefined;
  readonly WebSocket?: WebSocketConstructor | undefined;
  readonly onFallback?:
    | ((event: { readonly from: OwnerTransport; readonly to: OwnerTransport; readonly reason: string }) => void)
    | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Limits of the channel (see `ChannelOptions`). */
  readonly recvTimeoutMs?: number | undefined;
  readonly highWaterBytes?: number | undefined;
}

export interface OwnerLink {
  readonly channel: SessionChannel;
  /** 32 bytes, owned by the caller, who wipes it. */
  readonly pairKey: Uint8Array;
  readonly transport: OwnerTransport;
  /** From the call to a link that carries bytes, and from there to agreed keys. */
  readonly connectMs: number;
  readonly handshakeMs: number;
}

/** A link before its handshake. */
interface Carrier {
  readonly transport: Transport;
  readonly kind: OwnerTransport;
  readonly signallingHash: Uint8Array;
}

/**
 * Opens a link.
 * @throws {TercetError} ERR_IDENTITY_KEY, ERR_IDENTITY_PARTY, ERR_IDENTITY_REPLAY, ERR_IDENTITY_FINGERPRINT,
 * ERR_MODEL_HASH or ERR_PEER_MISMATCH if the party is not the one, or not as, it should be; ERR_LINK_BLOCKED if it
 * answers but no link of the wanted kind comes about; ERR_PEER_UNREACHABLE, ERR_PEER_CERTIFICATE, ERR_PEER_TIMEOUT,
 * ERR_PEER_CLOSED, ERR_FRAME_FORMAT; ERR_ABORTED; ERR_ARGUMENT
 */
export async function openOwnerLink(options: OwnerLinkOptions): Promise<OwnerLink> {
  check(options);
  if (options.signal?.aborted) throw abortedError();
  const wanted = options.transport ?? 'auto';
  if (wanted === 'websocket') return open(options, webSocketCarrier);
  try {
    return await open(options, webRtcCarrier);
  } catch (error) {
    if (wanted === 'webrtc' || !mayFallBack(error)) throw error;
    options.onFallback?.({ from: 'webrtc', to: 'websocket', reason: (error as TercetError).message });
    return open(options, webSocketCarrier);
  }
}

/**
 * A link that does not come about, or says nothing, may do so over another transport. A party that is not the one
 * it should be is not asked twice.
 */
function mayFallBack(error: unknown): boolean {
  return (
    error instanceof TercetError &&
    ['ERR_LINK_BLOCKED', 'ERR_PEER_TIMEOUT', 'ERR_PEER_CLOSED', 'ERR_PEER_FAILED'].includes(error.code)
  );
}

async function open(
  options: OwnerLinkOptions,
  connect: (options: OwnerLinkOptions) => Promise<Carrier>,
): Promise<OwnerLink> {
  const { party, session, signal, recvTimeoutMs: timeoutMs, highWaterBytes } = options;
  const begin = performance.now();
  const carrier = await connect(options);
  const connected = performance.now();
  const { pairKey, transport } = await ownerHandshake(carrier.transport, {
    party,
    session,
    transport: carrier.kind,
    modelHash: fromHex(options.modelHash),
    requestCode: fromHex(options.requestCode),
    signallingHash: carrier.signallingHash,
    identity: options.address,
    otherIdentity: options.otherIdentity,
    credential: options.credential,
    dealer: options.dealer,
    timeoutMs: DEFAULT_HANDSHAKE_MS,
    signal,
  });
  const self = options.dealer === undefined ? 0 : 3;
  const channel = new FramedChannel({ self, peer: party, session, transport, timeoutMs, highWaterBytes });
  return withPairKey(pairKey, {
    channel,
    transport: carrier.kind,
    connectMs: connected - begin,
    handshakeMs: performance.now() - connected,
  });
}

async function webSocketCarrier(options: OwnerLinkOptions): Promise<Carrier> {
  const Socket = options.WebSocket ?? globalThis.WebSocket;
  if (Socket === undefined)
    throw new TercetError('ERR_LINK_BLOCKED', 'there is no WebSocket here', 'give the constructor of the ws package');
  const link = await connectWebSocket(endpointOf(options), toHex(options.session), Socket);
  return { transport: transportOf(options, [link]), kind: 'websocket', signallingHash: NO_SIGNALLING };
}

/** All of WebRTC in one time limit: gathering, signalling, and the link itself. */
async function webRtcCarrier(options: OwnerLinkOptions): Promise<Carrier> {
  const { offerer, party, signal, timeoutMs: ms = DEFAULT_WEBRTC_MS, iceServers = [], associations = 1 } = options;
  if (offerer === undefined) throw blocked(`there is no WebRTC here for the link to party ${party}`);
  const endpoint = endpointOf(options);
  const givenUp = new AbortController();
  const nonce = crypto.getRandomValues(new Uint8Array(32));
  let offer: RtcOffer | undefined;
  const undo = (): void => {
    givenUp.abort();
    offer?.close();
    withdraw(endpoint, toHex(options.session), nonce);
  };
  const run = async (): Promise<Carrier> => {
    offer = await offerer.offer({ associations, iceServers });
    if (givenUp.signal.aborted) offer.close();
    const hash = await exchange(options, { ...endpoint, signal: givenUp.signal }, offer, nonce);
    return { transport: transportOf(options, await offer.opened()), kind: 'webrtc', signallingHash: hash };
  };
  const late = (): TercetError => blocked(`no WebRTC link to party ${party} within ${ms / 1000} s`);
  try {
    return await within(run(), { ms, signal, late, undo });
  } catch (error) {
    offer?.close();
    throw error;
  }
}

/**
 * Sends the offers, and applies the answers once they have proved to be the party's. Returns the hash that binds
 * the handshake to them.
 */
async function exchange(
  options: OwnerLinkOptions,
  endpoint: PartyEndpoint,
  offer: RtcOffer,
  clientNonce: Uint8Array,
): Promise<Uint8Array> {
  const { party, session, address, otherIdentity } = options;
  const clientFingerprints = offer.descriptions.map((sdp) => fingerprintOf(sdp, 'this browser'));
  const modelHash = fromHex(options.modelHash);
  const requestCode = fromHex(options.requestCode);
  const asked = offerToJson({ nonce: clientNonce, modelHash, requestCode, offers: offer.descriptions });
  const { party: claimed, statement, signature, answers } = await requestAnswer(endpoint, toHex(session), asked);
  const partyFingerprints = answers.map((sdp) => fingerprintOf(sdp, `party ${party}`));
  const expected = {
    identity: address,
    otherIdentity,
    session,
    party,
    clientNonce,
    clientFingerprints,
    partyFingerprints,
    modelHash,
    requestCode,
  };
  await checkStatement(statement, signature, claimed, expected);
  if (answers.length !== offer.descriptions.length) throw replayed(party);
  // SECURITY: only now, and only these answers. test/net/signalling.test.ts.
  await offer.accept(answers);
  return signallingHash(statement, signature);
}

function transportOf({ party, recvTimeoutMs }: OwnerLinkOptions, links: readonly MessageLink[]): Transport {
  return linkTransport(links, `party ${party}`, recvTimeoutMs ?? DEFAULT_TIMEOUT_MS);
}

function endpointOf({ party, address, fetch, signal }: OwnerLinkOptions): PartyEndpoint {
  return {
    party,
    url: address.url,
    fetch: fetch ?? ((input, init) => globalThis.fetch(input, init)),
    timeoutMs: CONNECT_MS,
    signal,
  };
}

function blocked(what: string): TercetError {
  return new TercetError(
    'ERR_LINK_BLOCKED',
    what,
    'allow UDP to the parties, name a TURN server, or use transport "websocket"',
  );
}

function check({
  party,
  address,
  otherIdentity,
  session,
  modelHash,
  requestCode,
  associations = 1,
}: OwnerLinkOptions): void {
  checkSession(session);
  checkPin(address, party);
  if (otherIdentity !== undefined) checkPin(otherIdentity, otherOf(party));
  endpointUrl(address.url, party, '/');
  const bad = (what: string, hint: string): TercetError => new TercetError('ERR_ARGUMENT', what, hint);
  if (![modelHash, requestCode].every((hash) => /^[0-9a-f]{64}$/.test(hash)))
    throw bad('a hash that is none', 'give SHA-256 as 64 lower-case hex digits');
  if (!Number.isInteger(associations) || associations < 1 || associations > MAX_ASSOCIATIONS)
    throw bad(`${associations} associations`, `use 1 to ${MAX_ASSOCIATIONS}`);
}
