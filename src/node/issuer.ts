/**
 * The model owner's side of enrolment, with the folder `issuer/` of a sharing: makes credential files, revokes
 * them, and knows who has one.
 *
 * Security: nothing here talks to anybody. A credential file is the secret of one data owner; it is written for
 * this user alone, and never over another file.
 */
import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromHex } from '../core/bytes.ts';
import { TercetError } from '../core/errors.ts';
import { type Refusal, count, hex, list, object, oneOf, parseJson, textThat } from '../core/json.ts';
import {
  CREDENTIAL_ID_BYTES,
  OwnerCredential,
  credentialText,
  issueCertificate,
  sharingHash,
} from '../net/enrolment/credential.ts';
import { SEEDS_BYTES } from '../net/enrolment/credential-terms.ts';
import { type PartyIdentity, SEED_BYTES, identityFromSeed } from '../net/identity/identity.ts';
import { issuePermit } from '../net/enrolment/permit.ts';
import { MAX_REVOKED, readRevocations, signRevocations } from '../net/enrolment/revocations.ts';
import {
  ENROLLED,
  ENROLMENT_KEY,
  REVOKED,
  SEEDS,
  SHARE_FILE,
  type ShareManifest,
  checkPart,
  parseManifest,
  sha256,
} from './sharing.ts';

/** What the model's owner keeps of a credential: no secret of it. */
export interface EnrolledOwner {
  /** 32 hex digits: all that the compute parties learn. */
  readonly id: string;
  readonly name: string;
  /** Seconds since 1970. */
  readonly issued: number;
  readonly expires: number;
}

const ENROLLED_OWNERS = object({
  version: oneOf([1]),
  owners: list(
    object({
      id: hex(CREDENTIAL_ID_BYTES),
      name: textThat(isName, 'expected a name'),
      issued: count(Number.MAX_SAFE_INTEGER),
      expires: count(Number.MAX_SAFE_INTEGER),
    }),
    Number.POSITIVE_INFINITY,
  ),
});
const ENROLLED_REFUSAL: Refusal = {
  code: 'ERR_MODEL_FORMAT',
  what: `${ENROLLED} is malformed`,
  hint: 'restore it from a copy; without it owners are revoked by --id',
};

export const DEFAULT_DAYS = 90;
export const MAX_DAYS = 3650;
const DAY = 86_400;
const MAX_NAME = 100;

/** The sharing whose owner this is. */
export class Issuer {
  readonly sharing: string;
  readonly #root: string;
  readonly #manifest: ShareManifest;
  readonly #key: PartyIdentity;

  private constructor(root: string, manifest: ShareManifest, key: PartyIdentity) {
    this.#root = root;
    this.#manifest = manifest;
    this.#key = key;
    this.sharing = sharingHash(manifest);
  }

  /**
   * @param root the folder that `tercet model share` made
   * @throws {TercetError} ERR_MODEL_NOT_FOUND when it holds no issuer's part; ERR_MODEL_HASH, ERR_MODEL_FORMAT,
   * ERR_IDENTITY_KEY when it is damaged
   */
  static async open(root: string): Promise<Issuer> {
    const manifest = parseManifest(await read(root, SHARE_FILE));
    const text = (await read(root, ENROLMENT_KEY)).toString('latin1').trim();
    if (!/^[0-9a-f]{64}$/.test(text))
      throw new TercetError(
        'ERR_IDENTITY_KEY',
        `${ENROLMENT_KEY} is damaged`,
        'restore it from a copy, or share the model again',
      );
    const key = await identityFromSeed(fromHex(text));
    checkPart(ENROLMENT_KEY, key.publicKey, manifest.enrolment);
    return new Issuer(root, manifest, key);
  }

  /**
   * Enrols a data owner: writes its credential file, readable by this user alone.
   * @param days until the credential ends, 1 to 3650
   * @param out a new file
   * @param dealer identity of a dealer that the owner may hand the seeds to, 64 hex digits
   * @param now seconds since 1970
   * @throws {TercetError} ERR_ARGUMENT for a bad name or a file that exists; ERR_MODEL_HASH, ERR_MODEL_FORMAT for a
   * damaged folder
   */
  async enrol(
    name: string,
    days: number,
    out: string,
    { dealer, now = Date.now() / 1000 }: { readonly dealer?: string | undefined; readonly now?: number } = {},
  ): Promise<EnrolledOwner> {
    if (!isName(name))
      throw new TercetError(
        'ERR_ARGUMENT',
        'the name of an owner expected 1 to 100 printable characters',
        'for example --name alice',
      );
    const seeds = Uint8Array.from(await read(this.#root, SEEDS));
    if (seeds.length !== SEEDS_BYTES)
      throw new TercetError(
        'ERR_MODEL_FORMAT',
        `${SEEDS} has not ${SEEDS_BYTES} bytes`,
        'restore it from a copy, or share the model again',
      );
    for (const side of [0, 1] as const)
      checkPart(SEEDS, sha256(seeds.subarray(32 * side, 32 * side + 32)), this.#manifest.seeds[side]);
    const enrolled = await this.owners();
    const key = Uint8Array.from(randomBytes(SEED_BYTES));
    const { publicKey: ownerKey } = await identityFromSeed(key.slice());
    const issued = Math.floor(now);
    const owner: EnrolledOwner = {
      id: randomBytes(CREDENTIAL_ID_BYTES).toString('hex'),
      name,
      issued,
      expires: issued + days * DAY,
    };
    const certificate = issueCertificate({ ...owner, sharing: this.sharing, ownerKey }, this.#key);
    const permitted =
      dealer === undefined ? undefined : { dealer, permit: issuePermit({ sharing: this.sharing, dealer }, this.#key) };
    const text = credentialText({ name, certificate, key, seeds, sharing: this.#manifest, permitted });
    // What is handed out must be what a data owner accepts.
    (await OwnerCredential.read(text)).wipe();
    key.fill(0);
    seeds.fill(0);
    // Known before it is handed out: a credential that nobody can name could not be revoked.
    await this.#write('issuer', ENROLLED, `${JSON.stringify({ version: 1, owners: [...enrolled, owner] }, null, 2)}\n`);
    await writeFile(out, text, { mode: 0o600, flag: 'wx' }).catch((cause: unknown) => {
      throw new TercetError(
        'ERR_ARGUMENT',
        'the file for the credential cannot be made',
        'give a new file in a folder that exists',
        { cause },
      );
    });
    return owner;
  }

  /** Everybody who was enrolled, in order. @throws {TercetError} ERR_MODEL_FORMAT */
  async owners(): Promise<EnrolledOwner[]> {
    const text = await optional(join(this.#root, 'issuer', ENROLLED));
    if (text === undefined) return [];
    return parseJson(ENROLLED_OWNERS, text.toString('utf8'), ENROLLED_REFUSAL).owners;
  }

  /** Ids that were revoked, in order. */
  async revoked(): Promise<readonly string[]> {
    return (await this.#list())?.ids ?? [];
  }

  /**
   * Revokes credentials: writes a list with a higher number, beside every part of a compute party that is in the
   * sharing's folder.
   * @param who ids, 32 hex digits each
   * @returns the number of the list, and the folders that it was written into
   * @throws {TercetError} ERR_ARGUMENT when all of them were revoked before
   */
  async revoke(who: readonly string[]): Promise<{ readonly number: number; readonly folders: readonly string[] }> {
    const before = await this.#list();
    const ids = [...new Set([...(before?.ids ?? []), ...who])];
    if (ids.length === (before?.ids.length ?? 0))
      throw new TercetError('ERR_ARGUMENT', 'these credentials were revoked before', 'see tercet owner list');
    if (ids.length > MAX_REVOKED)
      throw new TercetError(
        'ERR_ARGUMENT',
        `more than ${MAX_REVOKED} credentials were revoked`,
        'share the model again: the old credentials end with the old sharing',
      );
    const number = (before?.number ?? 0) + 1;
    const text = signRevocations({ sharing: this.sharing, number, ids }, this.#key);
    const folders = ['issuer'];
    for (const part of ['p1', 'p2'])
      if ((await stat(join(this.#root, part)).catch(() => undefined))?.isDirectory() === true) folders.push(part);
    // The issuer's own first: the number of a list that is out must never come again.
    for (const folder of folders) await this.#write(folder, REVOKED, text);
    return { number, folders: folders.map((folder) => join(this.#root, folder)) };
  }

  async #list() {
    const bytes = await optional(join(this.#root, 'issuer', REVOKED));
    return bytes === undefined ? undefined : readRevocations(bytes, this.sharing, this.#manifest.enrolment);
  }

  /** Whole or not at all: a compute party may read it at any time. */
  async #write(part: string, file: string, text: string): Promise<void> {
    const path = join(this.#root, part, file);
    const draft = `${path}.${randomBytes(6).toString('hex')}`;
    try {
      await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
      await rename(draft, path);
    } catch (cause) {
      await rm(draft, { force: true });
      throw new TercetError(
        'ERR_ARGUMENT',
        `${file} of the sharing cannot be written`,
        'check the folder given by --sharing and its owner',
        { cause },
      );
    }
  }
}

/** A credential of a sharing that was made for this run alone. */
export async function enrolHere(root: string): Promise<OwnerCredential> {
  const out = join(root, 'here.credential.json');
  await (await Issuer.open(root)).enrol('this run', 1, out);
  return OwnerCredential.read(await readFile(out));
}

function isName(name: string): boolean {
  return name.length >= 1 && name.length <= MAX_NAME && /^[\x20-\x7e]+$/.test(name);
}

async function read(root: string, file: string): Promise<Buffer> {
  try {
    return await readFile(join(root, 'issuer', file));
  } catch (cause) {
    throw new TercetError(
      'ERR_MODEL_NOT_FOUND',
      `${file} of the issuer's part cannot be read`,
      'give --sharing the folder that `tercet model share` made; only the owner of the model has its part issuer',
      { cause },
    );
  }
}

async function optional(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
