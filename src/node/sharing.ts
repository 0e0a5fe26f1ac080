/**
 * What a part of a sharing says of itself, `share.json`: whose part it is, hashes of the masked weights, of both
 * seeds, of config.json and of plan.json, and the public key that enrols its owners. The hash of them all names the
 * sharing, so that parts of two sharings, or the parts of two parties, are told apart before anything is computed:
 * with a wrong seed every answer would be noise, and with another configuration or plan it would be wrong without
 * notice.
 *
 * Security: the seeds are 32 random bytes, so their hashes tell nothing about them.
 */
import { createHash } from 'node:crypto';
import { TercetError } from '../core/errors.ts';
import { type Refusal, count, hex, list, object, oneOf, readJson } from '../core/json.ts';
import type { ModelFiles } from '../ml/files.ts';
import { parseModelJson } from '../ml/json.ts';
import { type SharingName, sharingHash } from '../net/enrolment/credential.ts';

export const SHARE_FILE = 'share.json';
export const CONFIG = 'config.json';
/**
 * Files of the part that stays with the model's owner: both seeds, the key that signs certificates, and who has
 * one.
 */
export const SEEDS = 'seeds';
export const ENROLMENT_KEY = 'enrolment.key';
export const ENROLLED = 'enrolled.json';
/** The signed list of revoked credentials, beside the parts of the compute parties. */
export const REVOKED = 'revoked.json';
/** The first did not name config.json and plan.json, the second no enrolment key; later ones had other weights. */
const VERSION = 5;

export const PARTS = ['p1', 'p2', 'owner', 'issuer'] as const;

export interface ShareManifest extends SharingName {
  readonly part: (typeof PARTS)[number];
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const REFUSAL: Refusal = {
  code: 'ERR_MODEL_FORMAT',
  what: `${SHARE_FILE} is malformed`,
  hint: 'share the model again with `tercet model share`',
};

/** Read first: what else there is depends on it. */
const VERSIONED = object({ version: count(1000) });

const HASH = hex(32);
const MANIFEST = object({
  part: oneOf(PARTS),
  masked: HASH,
  seeds: list(HASH, 2, 2, 'expected two'),
  config: HASH,
  plan: HASH,
  enrolment: HASH,
});

export function parseManifest(bytes: Uint8Array): ShareManifest {
  const json = parseModelJson(bytes, SHARE_FILE, 'ERR_MODEL_FORMAT');
  if (readJson(VERSIONED, json, REFUSAL).version !== VERSION) {
    throw new TercetError(
      'ERR_MODEL_FORMAT',
      `${SHARE_FILE} is of another version of Tercet: its weights are laid out otherwise, or it names no enrolment key`,
      'share the model again with `tercet model share`, with this version, and enrol its owners with `tercet owner enrol`',
    );
  }
  const { seeds, ...manifest } = readJson(MANIFEST, json, REFUSAL);
  return { ...manifest, seeds: [seeds[0], seeds[1]] };
}

export function manifestJson(manifest: ShareManifest): string {
  return `${JSON.stringify({ version: VERSION, ...manifest }, null, 2)}\n`;
}

/** @throws {TercetError} ERR_MODEL_HASH when a file is not the one that the manifest names. */
export function checkPart(what: string, found: string, expected: string): void {
  if (found === expected) return;
  throw new TercetError(
    'ERR_MODEL_HASH',
    `${what} is not of this sharing: its hash differs from ${SHARE_FILE}`,
    'take all files of a part from one sharing, or share the model again',
  );
}

/** The name of the sharing that a folder is the owner's part of, or undefined. */
export async function sharingOf(files: ModelFiles): Promise<string | undefined> {
  if (!(await files.has(SHARE_FILE))) return undefined;
  const manifest = parseManifest(await files.read(SHARE_FILE));
  if (manifest.part !== 'owner')
    throw new TercetError(
      'ERR_MODEL_HASH',
      `this is the part "${manifest.part}" of a sharing`,
      'data owners take the folder owner',
    );
  checkPart(CONFIG, sha256(await files.read(CONFIG)), manifest.config);
  return sharingHash(manifest);
}
