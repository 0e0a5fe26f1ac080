/** A data owner in a process: links over mutual TLS to parties that it knows by certificate or by pinned identity. */
import { webcrypto } from 'node:crypto';
import { abortedError } from '../core/abort.ts';
import { fromHex } from '../core/bytes.ts';
import { ownerHandshakeOn } from '../net/handshake/handshake.ts';
import { ANY_MODEL, NO_SIGNALLING } from '../net/handshake/messages.ts';
import { checkPublicKey } from '../net/identity/identity.ts';
import { shaped } from '../net/simulated/profiles.ts';
import { type Credentials, type Pinned, isPinned } from '../net/tls/credentials.ts';
import { connectTls } from '../net/tls/connect.ts';
import { withPairKey } from '../net/wire/redacted.ts';
import type { Channel } from '../net/wire/types.ts';
import type { LinkRequest, OpenedLink, RunEnvironment } from '../owner/environment.ts';
import type { RunContext } from '../owner/run-context.ts';
import { sendPairKey } from '../session/direct-key.ts';
import { RECV_TIMEOUT_MS } from './defaults.ts';
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
  readonly credentials: Credentials;
  /** Shapes the links like a named network. */
  readonly profile?: string | undefined;
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
    Partial<Pick<RunContext, 'onPhase' | 'onDealt' | 'environment' | 'trace'>>,
): RunContext {
  return {
    environment: tlsEnvironment(parties),
    ...rest,
    buckets: undefined,
    runMemory: Number.POSITIVE_INFINITY,
    onProgress: () => undefined,
    // Whoever has the plan says them before anything is started.
    notice: () => undefined,
  };
}

async function openTlsLink({ addresses, credentials, profile }: TlsParties, request: LinkRequest): Promise<OpenedLink> {
  const { party, session, signal, credential } = request;
  const bound = await connectTls({
    self: 0,
    peer: party,
    ...addresses[party - 1],
    credentials,
    session,
    signal,
    recvTimeoutMs: RECV_TIMEOUT_MS,
    timeoutMs: CONNECT_TIMEOUT_MS,
  });
  const channel = shaped(bound, profile);
  const stop = () => channel.abort(abortedError());
  signal.addEventListener('abort', stop);
  try {
    if (signal.aborted) throw abortedError();
    if (isPinned(credentials)) return withPairKey(await agree(channel, credentials.pins, request), { channel });
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
): Promise<Uint8Array> {
  const pin = (id: 1 | 2): string => checkPublicKey(pins[id] ?? '', id);
  return ownerHandshakeOn(channel, {
    party,
    session,
    identity: pin(party),
    otherIdentity: pin(party === 1 ? 2 : 1),
    modelHash: modelHash === undefined ? ANY_MODEL : fromHex(modelHash),
    requestCode: fromHex(requestCode),
    signallingHash: NO_SIGNALLING,
    credential,
  });
}
