/**
 * The certificate that a party makes of its own identity: TLS has no other way to show a bare key that every
 * version of Node reads (RFC 7250 would be one).
 *
 * Nobody believes a word in it: the other end takes the Ed25519 key out and compares it with the one that it
 * pinned, and TLS proves that the private half is there. It has no end, because a key that is compared by hand is
 * taken back by hand. DER as in RFC 5280 and RFC 8410.
 */
import { type KeyObject, X509Certificate, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { concatBytes, fromHex } from '../../core/bytes.ts';
import { INSPECT } from '../identity/sodium.ts';

/** PKCS #8 in front of the 32 bytes of an Ed25519 seed, and SPKI in front of those of a public key. */
const PKCS8 = fromHex('302e020100300506032b657004220420');
const SPKI = fromHex('302a300506032b6570032100');
const [INTEGER, BIT_STRING, OID, UTF8, SEQUENCE, SET, UTC_TIME, TIME, VERSION] = [
  0x02, 0x03, 0x06, 0x0c, 0x30, 0x31, 0x17, 0x18, 0xa0,
];
const ED25519 = '2b6570';
const COMMON_NAME = '550403';
const BEGIN = '200101000000Z';
/** RFC 5280, 4.1.2.5: no end. */
const NO_END = '99991231235959Z';

/** What a party shows on a TLS link, as PEM. Printing it shows no key. */
export class OwnCertificate {
  readonly cert: string;
  readonly #key: string;

  constructor(key: string, cert: string) {
    this.#key = key;
    this.cert = cert;
  }

  /** PEM, for `tls` alone. */
  get key(): string {
    return this.#key;
  }

  toString(): string {
    return 'OwnCertificate(key redacted)';
  }

  toJSON(): string {
    return this.toString();
  }

  [INSPECT](): string {
    return this.toString();
  }
}

/** @param seed 32 bytes, wiped here @param name what people see of it in tools */
export function selfSigned(seed: Uint8Array, name: string): OwnCertificate {
  const pkcs8 = Buffer.from(concatBytes([PKCS8, seed]));
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  seed.fill(0);
  pkcs8.fill(0);
  const algorithm = der(SEQUENCE, der(OID, fromHex(ED25519)));
  const subject = der(SEQUENCE, der(SET, der(SEQUENCE, der(OID, fromHex(COMMON_NAME)), der(UTF8, text(name)))));
  const validity = der(SEQUENCE, der(UTC_TIME, text(BEGIN)), der(TIME, text(NO_END)));
  const version = der(VERSION, der(INTEGER, Uint8Array.of(2)));
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' });
  const signed = der(
    SEQUENCE,
    version,
    der(INTEGER, Uint8Array.of(1)),
    algorithm,
    subject,
    validity,
    subject,
    publicKey,
  );
  const whole = der(SEQUENCE, signed, algorithm, der(BIT_STRING, Uint8Array.of(0), sign(null, signed, key)));
  return new OwnCertificate(
    key.export({ format: 'pem', type: 'pkcs8' }).toString(),
    new X509Certificate(whole).toString(),
  );
}

/** The Ed25519 key of a certificate as 64 hex digits, or undefined for a key of another kind. */
export function ed25519Of(key: KeyObject): string | undefined {
  if (key.asymmetricKeyType !== 'ed25519') return undefined;
  return key.export({ format: 'der', type: 'spki' }).subarray(SPKI.length).toString('hex');
}

function der(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes([...content]);
  const length =
    body.length < 128
      ? [body.length]
      : body.length < 256
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 255];
  return concatBytes([Uint8Array.of(tag, ...length), body]);
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}
