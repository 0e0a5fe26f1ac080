/**
 * A data owner's credential for one sharing of secret weights: a certificate that the model's owner signed, the
 * private key that it names, and the seeds of the masks.
 *
 *   certificate (153)                          presented to a party (217)
 *     0   1  version 1                           0 153  the certificate
 *     1  16  id, random: all that a party       153  64  Ed25519 signature of the certificate's key over party,
 *            ever learns of who asks                     session, binding of the link, and certificate
 *    17  32  name of the sharing
 *    49  32  the owner's Ed25519 public key
 *    81   8  end, seconds since 1970, u64
 *    89  64  Ed25519 signature of the sharing's enrolment key over all of the above
 *
 * Security: the binding names one link between this owner and one party, so what was presented on it is worth
 * nothing elsewhere. The private key and the seeds never leave the object but as a signature and to the session,
 * and no way of printing it shows them. Whoever has the file is that owner. SECURITY: test/net/credential.test.ts.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, fromHex, printable, toHex } from '../../core/bytes.ts';
import { TercetError } from '../../core/errors.ts';
import { type PartyIdentity, SIGNATURE_BYTES, identityFromSeed, verifySignature } from '../identity/identity.ts';
import { CERTIFICATE_BYTES, SEEDS_BYTES, absentCredential } from './credential-terms.ts';
import { refusedCredential } from './refused-credential.ts';
import { PERMIT_BYTES, verifyPermit } from './permit.ts';
import { INSPECT } from '../identity/sodium.ts';
import { encodeTranscript } from '../wire/transcript.ts';
import type { ServerId } from '../wire/types.ts';

export const CREDENTIAL_ID_BYTES = 16;
const SIGNED_BYTES = CERTIFICATE_BYTES - SIGNATURE_BYTES;
const VERSION = 1;
const KIND = 'tercet owner credential';
/** Longest file: the form is fixed, so anything longer is something else. */
const MAX_FILE_BYTES = 4096;

/** What names a sharing: all of it public. */
export interface SharingName {
  /** SHA-256 of the masked weights. */
  readonly masked: string;
  /** SHA-256 of the seed of party 1 and of party 2. */
  readonly seeds: readonly [string, string];
  /** SHA-256 of config.json, which all three parties have, and of plan.json, which the compute parties have. */
  readonly config: string;
  readonly plan: string;
  /** The Ed25519 public key that signs the certificates of its owners. */
  readonly enrolment: string;
}

/**
 * The name of a sharing, 64 hex digits: what the parties compare, and what an owner pins. Another enrolment key is
 * another sharing.
 */
export function sharingHash({ masked, seeds, config, plan, enrolment }: SharingName): string {
  return toHex(
    sha256(new TextEncoder().encode(['tercet sharing 3', masked, ...seeds, config, plan, enrolment].join('\n'))),
  );
}

export interface Certificate {
  /** 32 hex digits. */
  readonly id: string;
  readonly sharing: string;
  readonly ownerKey: string;
  /** Seconds since 1970; the credential is good before it. */
  readonly expires: number;
}

/** @param enrolment the model owner's enrolment key */
export function issueCertificate(
  { id, sharing, ownerKey, expires }: Certificate,
  enrolment: PartyIdentity,
): Uint8Array {
  const end = new Uint8Array(8);
  new DataView(end.buffer).setBigUint64(0, BigInt(expires), true);
  const signed = concatBytes([Uint8Array.of(VERSION), fromHex(id), fromHex(sharing), fromHex(ownerKey), end]);
  return concatBytes([signed, enrolment.sign(certificateTranscript(signed))]);
}

/** The fields, none of them proved; undefined for something that is no certificate of this version. */
export function readCertificate(bytes: Uint8Array): Certificate | undefined {
  if (bytes.length !== CERTIFICATE_BYTES || bytes[0] !== VERSION) return undefined;
  const expires = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(81, true);
  if (expires > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  const hex = (from: number, to: number) => toHex(bytes.subarray(from, to));
  return { id: hex(1, 17), sharing: hex(17, 49), ownerKey: hex(49, 81), expires: Number(expires) };
}

/** Whether the enrolment key signed the certificate. */
export function verifyCertificate(bytes: Uint8Array, enrolment: string): Promise<boolean> {
  return verifySignature(
    enrolment,
    certificateTranscript(bytes.subarray(0, SIGNED_BYTES)),
    bytes.subarray(SIGNED_BYTES),
  );
}

function certificateTranscript(signed: Uint8Array): Uint8Array {
  return encodeTranscript('tercet/1 owner certificate', [signed]);
}

/** The one link that a credential is presented on. */
export interface PresentedOn {
  readonly party: ServerId;
  readonly session: Uint8Array;
  /**
   * 32 bytes that both ends of this link hold, and that no other link has: the hash of its handshake, or what TLS
   * exports.
   */
  readonly binding: Uint8Array;
}

export function proofTranscript(certificate: Uint8Array, { party, session, binding }: PresentedOn): Uint8Array {
  return encodeTranscript('tercet/1 owner proof', [Uint8Array.of(party), session, binding, certificate]);
}

/** What the file holds; the form of every field is checked where it is read. */
interface CredentialFile extends Omit<SharingName, 'seeds'> {
  readonly kind: typeof KIND;
  readonly version: typeof VERSION;
  /** What the model's owner calls this data owner. Stays in the file: no party is told. */
  readonly name: string;
  readonly certificate: string;
  /** Seed of the owner's Ed25519 key. */
  readonly key: string;
  readonly seeds: string;
  /** Where the model's owner allows one: the identity of a dealer that may be handed the seeds, and its permit. */
  readonly dealer?: string | undefined;
  readonly permit?: string | undefined;
}

/** A dealer that the model's owner allows, and its word for it. */
export interface PermittedDealer {
  /** The dealer's identity, 64 hex digits. */
  readonly dealer: string;
  readonly permit: Uint8Array;
}

/** Anything that a credential file may come as. */
export type CredentialSource = string | Uint8Array | ArrayBuffer | Blob | object;

/** The text of a credential file. Secret. */
export function credentialText(parts: {
  readonly name: string;
  readonly certificate: Uint8Array;
  readonly key: Uint8Array;
  readonly seeds: Uint8Array;
  readonly sharing: Omit<SharingName, 'seeds'>;
  readonly permitted?: PermittedDealer | undefined;
}): string {
  const { name, certificate, key, seeds, sharing, permitted } = parts;
  const { masked, config, plan, enrolment } = sharing;
  const file: CredentialFile = {
    kind: KIND,
    version: VERSION,
    name,
    certificate: toHex(certificate),
    key: toHex(key),
    seeds: toHex(seeds),
    masked,
    config,
    plan,
    enrolment,
    dealer: permitted?.dealer,
    permit: permitted && toHex(permitted.permit),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** A credential that was read, and checked as far as that can be done without a party. */
export class OwnerCredential {
  readonly id: string;
  readonly name: string;
  /** Name of the sharing, 64 hex digits: what the parties list as the model's secret weights. */
  readonly sharing: string;
  /** Seconds since 1970. */
  readonly expires: number;
  readonly #certificate: Uint8Array;
  readonly #key: PartyIdentity;
  readonly #seeds: Uint8Array;
  readonly #permitted: PermittedDealer | undefined;

  private constructor(
    fields: Certificate & { readonly name: string },
    certificate: Uint8Array,
    key: PartyIdentity,
    seeds: Uint8Array,
    permitted: PermittedDealer | undefined,
  ) {
    this.id = fields.id;
    this.name = fields.name;
    this.sharing = fields.sharing;
    this.expires = fields.expires;
    this.#certificate = certificate;
    this.#key = key;
    this.#seeds = seeds;
    this.#permitted = permitted;
  }

  /**
   * Reads a credential file: its text, its bytes, a Blob (a file of a page), or the object that it parses to.
   *
   * @example const credential = await OwnerCredential.read(await readFile('alice.credential.json'));
   * @throws {TercetError} ERR_ARGUMENT for something that is no credential file; ERR_CREDENTIAL_SIGNATURE if its
   * parts do not belong together
   */
  static async read(source: CredentialSource): Promise<OwnerCredential> {
    const { name, certificate: signed, key: seed, seeds, dealer, permit, ...sharing } = fieldsOf(await parsed(source));
    const { enrolment } = sharing;
    const certificate = fromHex(signed);
    const fields = readCertificate(certificate);
    const both = fromHex(seeds);
    const halves = [both.slice(0, 32), both.slice(32)].map((half) => toHex(sha256(half)));
    if (fields === undefined || fields.sharing !== sharingHash({ ...sharing, seeds: [halves[0], halves[1]] }))
      throw refusedCredential('signature');
    const key = await identityFromSeed(fromHex(seed));
    if (key.publicKey !== fields.ownerKey || !(await verifyCertificate(certificate, enrolment)))
      throw refusedCredential('signature');
    const permitted = dealer === undefined || permit === undefined ? undefined : { dealer, permit: fromHex(permit) };
    if (
      permitted !== undefined &&
      !(await verifyPermit(permitted.permit, { sharing: fields.sharing, dealer: permitted.dealer }, enrolment))
    )
      throw refusedCredential('signature');
    return new OwnerCredential({ ...fields, name }, certificate, key, both, permitted);
  }

  /**
   * What only the holder can know before anybody is asked.
   * @param sharing the one that is to be used, 64 hex digits
   * @param seconds now, since 1970
   * @throws {TercetError} ERR_CREDENTIAL_SHARING, ERR_CREDENTIAL_EXPIRED
   */
  check(sharing: string, seconds: number): void {
    if (sharing !== this.sharing) throw refusedCredential('sharing');
    if (seconds >= this.expires) throw refusedCredential('expired');
  }

  /**
   * What shows both compute parties that the model's owner allows this dealer.
   * @param dealer the identity that a run names, 64 hex digits
   * @throws {TercetError} ERR_CREDENTIAL_DEALER for any other than the one that the credential names
   */
  permitFor(dealer: string): Uint8Array {
    if (this.#permitted?.dealer !== dealer) throw absentCredential('dealer');
    return this.#permitted.permit.slice();
  }

  /** Certificate and proof, good on one link alone. @throws {TercetError} ERR_STATE after `wipe` */
  present(on: PresentedOn): Uint8Array {
    return concatBytes([this.#certificate, this.#key.sign(proofTranscript(this.#certificate, on))]);
  }

  /** A copy of the seeds of the masks, 64 bytes, owned by the caller. */
  seeds(): Uint8Array {
    return this.#seeds.slice();
  }

  wipe(): void {
    this.#seeds.fill(0);
    this.#key.wipe();
  }

  toString(): string {
    return `OwnerCredential(${this.id}, key and seeds redacted)`;
  }

  toJSON(): string {
    return this.toString();
  }

  [INSPECT](): string {
    return this.toString();
  }
}

async function parsed(source: CredentialSource): Promise<unknown> {
  if (
    typeof source === 'object' &&
    source !== null &&
    !ArrayBuffer.isView(source) &&
    !(source instanceof ArrayBuffer) &&
    !(source instanceof Blob)
  )
    return source;
  const size =
    typeof source === 'string'
      ? source.length
      : source instanceof Blob
        ? source.size
        : source instanceof Uint8Array || source instanceof ArrayBuffer
          ? source.byteLength
          : 0;
  if (size === 0 || size > MAX_FILE_BYTES) throw noCredential();
  try {
    const text =
      typeof source === 'string'
        ? source
        : new TextDecoder('utf-8', { fatal: true }).decode(
            source instanceof Blob ? await source.arrayBuffer() : (source as Uint8Array),
          );
    return JSON.parse(text);
  } catch {
    // The parser's own error quotes the file, which holds a key.
    throw noCredential();
  }
}

function fieldsOf(value: unknown): CredentialFile {
  if (typeof value !== 'object' || value === null) throw noCredential();
  const file = value as Readonly<Record<string, unknown>>;
  const hex = (key: string, bytes: number): string => {
    const text = Object.hasOwn(file, key) ? file[key] : undefined;
    if (typeof text !== 'string' || text.length !== 2 * bytes || !/^[0-9a-f]*$/.test(text)) throw noCredential();
    return text;
  };
  const { kind, version, name } = file;
  if (kind !== KIND || version !== VERSION || typeof name !== 'string') throw noCredential();
  const allows = Object.hasOwn(file, 'dealer') || Object.hasOwn(file, 'permit');
  return {
    kind,
    version,
    name: printable(name, 100),
    certificate: hex('certificate', CERTIFICATE_BYTES),
    key: hex('key', 32),
    seeds: hex('seeds', SEEDS_BYTES),
    masked: hex('masked', 32),
    config: hex('config', 32),
    plan: hex('plan', 32),
    enrolment: hex('enrolment', 32),
    dealer: allows ? hex('dealer', 32) : undefined,
    permit: allows ? hex('permit', PERMIT_BYTES) : undefined,
  };
}

function noCredential(): TercetError {
  return new TercetError(
    'ERR_ARGUMENT',
    'what was given as a credential is none',
    'give the file that `tercet owner enrol` wrote, unchanged',
  );
}
