/**
 * The in-band handshake: the first bytes on every link between the data owner and a compute party, whatever carries
 * them.
 *
 * Security model: the network and everything in front of the party (proxies, certificate authorities) is hostile;
 * the party is the holder of the pinned Ed25519 key. X25519 ephemerals give keys that only these two ends of this
 * one link have; the party signs both hellos, which hold session, party, nonces, model, parameters, kind of link
 * and the hash of the signed signalling, so neither an old answer nor one of another party, link or model is taken.
 * The owner of a text for an open model is anonymous: it proves only that it holds the keys. For secret weights it
 * also presents a credential, bound to both hellos, and the party takes it or not. A dealer comes the same way and
 * signs both hellos with the identity that an owner has named for this session. Until all of that is done
 * nothing of the link is handed out. SECURITY: test/net/handshake.test.ts, test/net/credential.test.ts.
 */
import { TercetError } from '../../core/errors.ts';
import type { Transport } from '../wire/channel.ts';
import { within } from '../wire/deadline.ts';
import { verifySignature } from '../identity/identity.ts';
import { serverWords, wrongKey } from '../identity/identity-errors.ts';
import {
  DEALER_BYTES,
  FINISH_BYTES,
  OWNER_HELLO_BYTES,
  type OwnerHello,
  PARTY_HELLO_BYTES,
  VERDICT_BYTES,
  dealerStatement,
  decodeDealer,
  encodeDealer,
} from './messages.ts';
import { OwnerHandshake, type OwnerTerms } from './owner.ts';
import { PartyHandshake, type PartyTerms } from './party.ts';
import type { LinkSecrets } from './secrets.ts';
import { Preamble } from '../wire/preamble.ts';
import { withPairKey } from '../wire/redacted.ts';
import { loadSodium } from '../identity/sodium.ts';
import type { Channel } from '../wire/types.ts';

export const DEFAULT_HANDSHAKE_MS = 10_000;
const EMPTY = new Uint8Array(0);
/** Most owners of a page have no credential, and load nothing of it. */
const presented = () => import('./presented.ts');

export interface HandshakeLimits {
  /** Longest time for the whole handshake (default 10 s). */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A link that both ends agree on. */
export interface Agreed {
  /** The key of this pair of parties: 32 bytes, owned by the caller, who wipes it. */
  readonly pairKey: Uint8Array;
  /** For a channel: sealed where the kind of link needs it. */
  readonly transport: Transport;
}

export interface AgreedOwner extends Agreed {
  /** Whether the other end deals for an owner, and has proved to be the one that was named. */
  readonly dealer: boolean;
  readonly modelHash: Uint8Array;
  readonly requestCode: Uint8Array;
}

/**
 * The data owner's side, over a transport that nobody has opened. After an error the transport is destroyed.
 * @throws {TercetError} what `OwnerHandshake.finish` throws, ERR_CREDENTIAL_*, ERR_PEER_TIMEOUT, ERR_PEER_CLOSED,
 * ERR_ABORTED
 */
export function ownerHandshake(transport: Transport, options: OwnerTerms & HandshakeLimits): Promise<Agreed> {
  const preamble = new Preamble(transport);
  const who = serverWords(options.party);
  return guarded(preamble, who, options, async () => {
    const secrets = await agreeAsOwner(preambleLine(preamble, who), options);
    return agreed(preamble, secrets, 'owner', options.transport);
  });
}

/**
 * A compute party's side, over a transport that nobody has opened. After an error the transport is destroyed; an
 * owner that is refused has been told why.
 * @throws {TercetError} what `admit` throws, what `Enrolment.check` throws, ERR_PEER_MISMATCH, ERR_IDENTITY_KEY,
 * ERR_FRAME_FORMAT, ERR_PEER_TIMEOUT, ERR_PEER_CLOSED, ERR_ABORTED
 */
export function partyHandshake(transport: Transport, options: PartyTerms & HandshakeLimits): Promise<AgreedOwner> {
  const preamble = new Preamble(transport);
  return guarded(preamble, 'the data owner', options, async () => {
    const { secrets, asked } = await agreeAsParty(preambleLine(preamble, 'the data owner'), options);
    const { modelHash, requestCode, dealer } = asked;
    const { pairKey, transport } = await agreed(preamble, secrets, 'party', options.transport);
    return withPairKey(pairKey, { transport, modelHash, requestCode, dealer });
  });
}

/** The same over a channel that is open already (mutual TLS): its first messages. Returns the pair key. */
export async function ownerHandshakeOn(channel: Channel, terms: Omit<OwnerTerms, 'transport'>): Promise<Uint8Array> {
  return taken(await agreeAsOwner(channelLine(channel), { ...terms, transport: 'tls' }));
}

export async function partyHandshakeOn(
  channel: Channel,
  terms: Omit<PartyTerms, 'transport'>,
): Promise<Omit<AgreedOwner, 'transport'>> {
  const { secrets, asked } = await agreeAsParty(channelLine(channel), { ...terms, transport: 'tls' });
  const { modelHash, requestCode, dealer } = asked;
  return withPairKey(taken(secrets), { modelHash, requestCode, dealer });
}

/** What carries the messages of a handshake. */
interface Line {
  write(message: string, bytes: Uint8Array): Promise<void>;
  /** @param last nothing may have come behind it: the other side has to wait for an answer */
  read(message: string, length: number, last: boolean): Promise<Uint8Array>;
  /** Lets the other side read what was written last. */
  close(): Promise<void>;
}

async function agreeAsOwner(line: Line, terms: OwnerTerms): Promise<LinkSecrets> {
  const { party, session, credential, dealer } = terms;
  const handshake = await OwnerHandshake.begin(terms);
  await line.write('owner', handshake.hello);
  const { finish, secrets } = await handshake.finish(await line.read('party', PARTY_HELLO_BYTES, true));
  await line.write('finish', finish);
  if (dealer !== undefined)
    await line.write('dealer', encodeDealer(dealer.sign(dealerStatement(session, party, secrets.binding))));
  if (credential === undefined) return secrets;
  try {
    const { checkVerdict, sealCredential } = await presented();
    await line.write('credential', sealCredential(await loadSodium(), secrets, credential, { party, session }));
    checkVerdict(secrets, await line.read('verdict', VERDICT_BYTES, true), party);
    return secrets;
  } catch (error) {
    secrets.wipe();
    throw error;
  }
}

async function agreeAsParty(
  line: Line,
  terms: PartyTerms,
): Promise<{ readonly secrets: LinkSecrets; readonly asked: OwnerHello }> {
  const { party, session } = terms;
  const handshake = await PartyHandshake.begin(terms);
  try {
    const { hello, asked, refusal, enrolment, dealer } = await handshake.answer(
      await line.read('owner', OWNER_HELLO_BYTES, true),
    );
    await line.write('party', hello);
    if (refusal !== undefined) return await refused(line, refusal);
    const secrets = handshake.confirm(await line.read('finish', FINISH_BYTES, false));
    if (dealer !== undefined) await checkDealer(line, secrets, dealer, terms);
    if (enrolment === undefined) return { secrets, asked };
    // SECURITY: nothing of the link is handed out before this. test/net/credential.test.ts.
    const { CREDENTIAL_BYTES, judgeCredential } = await presented();
    const sealed = await line.read('credential', CREDENTIAL_BYTES, true);
    const judged = await judgeCredential(await loadSodium(), secrets, sealed, enrolment, { party, session });
    await line.write('verdict', judged.verdict);
    if (judged.refusal === undefined) return { secrets, asked };
    secrets.wipe();
    return await refused(line, judged.refusal);
  } finally {
    handshake.wipe();
  }
}

/** SECURITY: the identity is the one that the owner of this session named. test/net/dealer-handshake.test.ts. */
async function checkDealer(
  line: Line,
  secrets: LinkSecrets,
  identity: string,
  { session, party }: PartyTerms,
): Promise<void> {
  const signature = decodeDealer(await line.read('dealer', DEALER_BYTES, false));
  if (await verifySignature(identity, dealerStatement(session, party, secrets.binding), signature)) return;
  secrets.wipe();
  throw wrongKey(3);
}

/** The other side has been told why. */
async function refused(line: Line, refusal: TercetError): Promise<never> {
  await line.close();
  throw refusal;
}

function preambleLine(preamble: Preamble, who: string): Line {
  return {
    write: async (_message, bytes) => preamble.write(bytes, EMPTY),
    async read(_message, length, last) {
      const bytes = await preamble.read(length);
      if (last && preamble.early > 0) throw surplus(who);
      return bytes;
    },
    close: () => preamble.close(),
  };
}

/** A channel names its messages, and its owner closes it. */
function channelLine(channel: Channel): Line {
  return {
    write: (message, bytes) => channel.send(`handshake/${message}`, bytes),
    read: (message, length) => channel.recv(`handshake/${message}`, length),
    close: async () => undefined,
  };
}

/** Loaded where it is needed: a page over WebRTC needs neither it nor libsodium. */
async function sealedOver(preamble: Preamble, keys: { send: Uint8Array; receive: Uint8Array }): Promise<Transport> {
  const [{ SealedTransport }, sodium] = await Promise.all([import('./records.ts'), loadSodium()]);
  return new SealedTransport(preamble, keys, sodium);
}

async function agreed(
  preamble: Preamble,
  secrets: LinkSecrets,
  side: 'owner' | 'party',
  kind: string,
): Promise<Agreed> {
  // WebRTC and mutual TLS end at the party itself, and the signature binds them; a WebSocket may end at a proxy.
  const transport = kind === 'websocket' ? await sealedOver(preamble, secrets.recordKeys(side)) : preamble;
  return withPairKey(taken(secrets), { transport });
}

function taken(secrets: LinkSecrets): Uint8Array {
  const pairKey = secrets.pairKey();
  secrets.wipe();
  return pairKey;
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
  return new TercetError(
    'ERR_FRAME_FORMAT',
    `${who} sent data before the handshake was over`,
    'check that all parties run the same version',
  );
}
