/** A data owner in a process: links over mutual TLS to parties that it knows by certificate or by pinned identity. */
import { webcrypto } from 'node:crypto';
import { abortedError } from '../core/abort.ts';
import { fromHex } from '../core/bytes.ts';
import { TercetError, asTercetError, invariant } from '../core/errors.ts';
import { ownerHandshakeOn } from '../net/handshake/handshake.ts';
import { ANY_MODEL, NO_SIGNALLING } from '../net/handshake/messages.ts';
import { type PartyIdentity, checkPin } from '../net/identity/identity.ts';
import type { Pin } from '../net/identity/pin.ts';
import { shaped } from '../net/simulated/profiles.ts';
import { type Credentials, type Pinned, isPinned } from '../net/tls/credentials.ts';
import { connectTls, knockTls } from '../net/tls/connect.ts';
import { asEnd } from '../net/wire/as-end.ts';
import { withPairKey } from '../net/wire/redacted.ts';
import type { Channel, ServerId } from '../net/wire/types.ts';
import type { LinkRequest, OpenedLink, RunEnvironment } from '../owner/environment.ts';
import type { RunContext } from '../owner/run-context.ts';
import { sendPairKey } from '../session/direct-key.ts';
import { RECV_TIMEOUT_MS } from './defaults.ts';
import type { PartyHealth } from '../owner/types/index.ts';
import { peakMemory } from './kernels.ts';

/** Longest wait for a compute party to answer at its address. */
const CONNECT_TIMEOUT_MS = 10_000;

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where both compute parties are, and what proves the ends of a link. */
export interface TlsParties {
  readonly addresses: readonly [Address, Address];
  /** Where the dealer is, if the runs name one. */
  readonly dealer?: Address | undefined;
  readonly credentials: Credentials;
  /** Shapes the links like a named network. */
  readonly profile?: string | undefined;
  /** Longest wait for one message. */
  readonly recvTimeoutMs?: number | undefined;
}

export function tlsEnvironment(parties: TlsParties): RunEnvironment {
  /** By session: its links open one after the other, so that where both fail it is always the same one that is named. */
  const opening = new WeakMap<Uint8Array, Promise<unknown>>();
  return {
    now: () => performance.now(),
    random: (length) => webcrypto.getRandomValues(new Uint8Array(length)),
    peakMemory,
    openLink(request) {
      const { session } = request;
      const link = (opening.get(session) ?? Promise.resolve()).then(() => openTlsLink(parties, request));
      opening.set(session, link);
      return link;
    },
  };
}

/**
 * What runs of a model on this machine share: texts are padded to the longest of a run and no further, and what a
 * run may take is for the parties to say.
 */
export function tlsRunContext(
  parties: TlsParties,
  rest: Pick<RunContext, 'config' | 'terms' | 'credential' | 'kernels'> &
    Partial<Pick<RunContext, 'onPhase' | 'onDealt' | 'onProgress' | 'environment' | 'trace' | 'proving'>>,
): RunContext {
  return {
    environment: tlsEnvironment(parties),
    onProgress: () => undefined,
    ...rest,
    buckets: undefined,
    runMemory: Number.POSITIVE_INFINITY,
    // Whoever has the plan says them before anything is started.
    notice: () => undefined,
  };
}

/** Longest wait for a party that is only asked whether it is there. */
const KNOCK_TIMEOUT_MS = 4_000;

/** Whether both parties are there, and prove that they are the ones that were named. */
export function tlsHealth({ addresses, credentials }: TlsParties): Promise<readonly [PartyHealth, PartyHealth]> {
  const one = async (party: 1 | 2): Promise<PartyHealth> => {
    const start = performance.now();
    try {
      const limits = { recvTimeoutMs: KNOCK_TIMEOUT_MS, timeoutMs: KNOCK_TIMEOUT_MS };
      await knockTls({ peer: party, ...addresses[party - 1], credentials, ...limits });
      return { party, ok: true, milliseconds: performance.now() - start };
    } catch (error) {
      return { party, ok: false, error: asTercetError(error) };
    }
  };
  return Promise.all([one(1), one(2)]);
}

/**
 * Opens one link, as a data owner, or as a dealer that proves its identity.
 * @throws {TercetError} what `connectTls` and the handshake throw
 */
export async function openTlsLink(
  { addresses, dealer, credentials, profile, recvTimeoutMs = RECV_TIMEOUT_MS }: TlsParties,
  request: LinkRequest,
  as?: Pick<PartyIdentity, 'sign'>,
): Promise<OpenedLink> {
  const { party, session, signal, credential } = request;
  const address = party === 3 ? dealer : addresses[party - 1];
  invariant(address !== undefined, 'the run names a dealer whose address nobody gave');
  const bound = await connectTls({
    self: 0,
    peer: party,
    ...address,
    credentials,
    session,
    signal,
    recvTimeoutMs,
    timeoutMs: CONNECT_TIMEOUT_MS,
  });
  const channel = shaped(as === undefined ? bound : asEnd(bound, { self: 3 }), profile);
  const stop = () => channel.abort(abortedError());
  signal.addEventListener('abort', stop);
  try {
    if (signal.aborted) throw abortedError();
    if (isPinned(credentials)) return withPairKey(await agree(channel, credentials.pins, request, as), { channel });
    if (party === 3)
      throw new TercetError(
        'ERR_ARGUMENT',
        'a dealer is known by its identity, not by a certificate',
        'give --identities and --dealer-identity',
      );
    const presented = credential?.present({ party, session, binding: bound.binding() });
    return withPairKey(await sendPairKey(channel), { channel, presented });
  } catch (error) {
    stop();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** The pair key, agreed under the signature of a party whose identity is pinned. */
function agree(
  channel: Channel,
  pins: Pinned['pins'],
  { party, session, modelHash, requestCode, credential }: LinkRequest,
  dealer: Pick<PartyIdentity, 'sign'> | undefined,
): Promise<Uint8Array> {
  const pin = (id: ServerId): Pin => {
    checkPin(pins[id] ?? '', id);
    return pins[id] ?? '';
  };
  return ownerHandshakeOn(channel, {
    party,
    session,
    identity: pin(party),
    otherIdentity: party === 3 ? undefined : pin(party === 1 ? 2 : 1),
    dealer,
    modelHash: modelHash === undefined ? ANY_MODEL : fromHex(modelHash),
    requestCode: fromHex(requestCode),
    signallingHash: NO_SIGNALLING,
    credential,
  });
}
