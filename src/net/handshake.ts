/**
 * The in-band handshake: the first bytes on every link between the data owner and a compute party, whatever carries them.
 *
 * Security model: the network and everything in front of the party (proxies, certificate authorities) is hostile; the party is the holder of the pinned
 * Ed25519 key. X25519 ephemerals give keys that only these two ends of this one link have; the party signs both hellos, which hold session, party, nonces,
 * model, parameters, kind of link and the hash of the signed signalling, so neither an old answer nor one of another party, link or model is taken. The owner is
 * anonymous: it proves only that it holds the keys. Until both are done nothing of the link is handed out. SECURITY: test/net/handshake.test.ts.
 */
import { TercetError } from '../core/errors.ts';
import type { Transport } from './channel.ts';
import { within } from './deadline.ts';
import { FINISH_BYTES, OWNER_HELLO_BYTES, PARTY_HELLO_BYTES } from './handshake/messages.ts';
import { OwnerHandshake, type OwnerTerms } from './handshake/owner.ts';
import { PartyHandshake, type PartyTerms } from './handshake/party.ts';
import type { LinkSecrets } from './handshake/secrets.ts';
import { Preamble } from './preamble.ts';
import { SealedTransport } from './sealed.ts';
import { withKey } from './keyed.ts';
import { loadSodium } from './sodium.ts';
import type { Channel } from './types.ts';

export const DEFAULT_HANDSHAKE_MS = 10_000;
const EMPTY = new Uint8Array(0);

export interface HandshakeLimits {
  /** Longest time for the whole handshake (default 10 s). */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A link that both ends agree on. */
export interface Agreed {
  /** Master key of this pair of parties: 32 bytes, owned by the caller, who wipes it. */
  readonly key: Uint8Array;
  /** For a channel: sealed where the kind of link needs it. */
  readonly transport: Transport;
}

export interface AgreedOwner extends Agreed {
  readonly modelHash: Uint8Array;
  readonly parametersHash: Uint8Array;
}

/**
 * The data owner's side, over a transport that nobody has opened. After an error the transport is destroyed.
 * @throws {TercetError} what `OwnerHandshake.finish` throws, ERR_PEER_TIMEOUT, ERR_PEER_CLOSED, ERR_ABORTED
 */
export function ownerHandshake(transport: Transport, options: OwnerTerms & HandshakeLimits): Promise<Agreed> {
  const preamble = new Preamble(transport);
  return guarded(preamble, `party ${options.party}`, options, async () => {
    const handshake = await OwnerHandshake.begin(options);
    await preamble.write(handshake.hello, EMPTY);
    const answer = await preamble.read(PARTY_HELLO_BYTES);
    // Until it has our confirmation the party has nothing more to say.
    if (preamble.early > 0) throw surplus(`party ${options.party}`);
    const { finish, secrets } = await handshake.finish(answer);
    await preamble.write(finish, EMPTY);
    return agreed(preamble, secrets, 'owner', options.transport);
  });
}

/**
 * A compute party's side, over a transport that nobody has opened. After an error the transport is destroyed; an owner that is refused has been told why.
 * @throws {TercetError} what `admit` throws, ERR_PEER_MISMATCH, ERR_IDENTITY_KEY, ERR_FRAME_FORMAT, ERR_PEER_TIMEOUT, ERR_PEER_CLOSED, ERR_ABORTED
 */
export function partyHandshake(transport: Transport, options: PartyTerms & HandshakeLimits): Promise<AgreedOwner> {
  const preamble = new Preamble(transport);
  return guarded(preamble, 'the data owner', options, async () => {
    const handshake = await PartyHandshake.begin(options);
    try {
      const bytes = await preamble.read(OWNER_HELLO_BYTES);
      if (preamble.early > 0) throw surplus('the data owner');
      const { hello, asked, refusal } = await handshake.answer(bytes);
      await preamble.write(hello, EMPTY);
      if (refusal !== undefined) {
        await preamble.close();
        throw refusal;
      }
      const secrets = handshake.confirm(await preamble.read(FINISH_BYTES));
      const { modelHash, parametersHash } = asked;
      const { key, transport } = await agreed(preamble, secrets, 'party', options.transport);
      return withKey(key, { transport, modelHash, parametersHash });
    } finally {
      handshake.wipe();
    }
  });
}

/** The same over a channel that is open already (mutual TLS): its first three messages. Returns the pair's master key. */
export async function ownerHandshakeOn(channel: Channel, terms: Omit<OwnerTerms, 'transport'>): Promise<Uint8Array> {
  const handshake = await OwnerHandshake.begin({ ...terms, transport: 'tls' });
  await channel.send('handshake/owner', handshake.hello);
  const { finish, secrets } = await handshake.finish(await channel.recv('handshake/party', PARTY_HELLO_BYTES));
  await channel.send('handshake/finish', finish);
  return taken(secrets);
}

export async function partyHandshakeOn(channel: Channel, terms: Omit<PartyTerms, 'transport'>): Promise<Omit<AgreedOwner, 'transport'>> {
  const handshake = await PartyHandshake.begin({ ...terms, transport: 'tls' });
  try {
    const { hello, asked, refusal } = await handshake.answer(await channel.recv('handshake/owner', OWNER_HELLO_BYTES));
    await channel.send('handshake/party', hello);
    if (refusal !== undefined) throw refusal;
    const secrets = handshake.confirm(await channel.recv('handshake/finish', FINISH_BYTES));
    return withKey(taken(secrets), { modelHash: asked.modelHash, parametersHash: asked.parametersHash });
  } finally {
    handshake.wipe();
  }
}

async function agreed(preamble: Preamble, secrets: LinkSecrets, side: 'owner' | 'party', kind: string): Promise<Agreed> {
  // WebRTC and mutual TLS end at the party itself, and the signature binds them; a WebSocket may end at a proxy.
  const transport = kind === 'websocket' ? new SealedTransport(preamble, secrets.recordKeys(side), await loadSodium()) : preamble;
  return withKey(taken(secrets), { transport });
}

function taken(secrets: LinkSecrets): Uint8Array {
  const key = secrets.pairKey();
  secrets.wipe();
  return key;
}

async function guarded<T>(preamble: Preamble, who: string, limits: HandshakeLimits, run: () => Promise<T>): Promise<T> {
  const ms = limits.timeoutMs ?? DEFAULT_HANDSHAKE_MS;
  const late = (): TercetError =>
    new TercetError(
      'ERR_PEER_TIMEOUT',
      `${who} did not finish the handshake within ${ms / 1000} s`,
      'check that a Tercet party of the same version runs there',
    );
  try {
    return await within(run(), { ms, signal: limits.signal, late, undo: () => preamble.destroy() });
  } catch (error) {
    preamble.destroy();
    throw error;
  }
}

function surplus(who: string): TercetError {
  return new TercetError('ERR_FRAME_FORMAT', `${who} sent data before the handshake was over`, 'check that all parties run the same version');
}
