/**
 * What a part of a sharing says of itself, `share.json`: whose part it is, and hashes of the masked weights, of both seeds, of config.json and of plan.json. The hash of them all
 * names the sharing, so that parts of two sharings, or the parts of two parties, are told apart before anything is computed: with a wrong seed every answer would be noise, and
 * with another configuration or plan it would be wrong without notice.
 *
 * Security: the seeds are 32 random bytes, so their hashes tell nothing about them.
 */
import { createHash } from 'node:crypto';
import { TercetError } from '../core/errors.ts';
import type { ModelFiles } from '../ml/files.ts';
import { parseModelJson } from '../ml/json.ts';
import { Fields } from '../session/control.ts';

export const SHARE_FILE = 'share.json';
export const CONFIG = 'config.json';
/** The owner's copy of both seeds. */
export const SEEDS = 'seeds';
/** The first did not name config.json and plan.json. */
const VERSION = 2;

export interface ShareManifest {
  readonly part: 'p1' | 'p2' | 'owner';
  /** SHA-256 of the masked weights. */
  readonly masked: string;
  /** SHA-256 of the seed of party 1 and of party 2. */
  readonly seeds: readonly [string, string];
  /** SHA-256 of config.json, which all three parts have, and of plan.json, which those of the compute parties have. */
  readonly config: string;
  readonly plan: string;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The name of a sharing: what the parties compare, and what an owner pins. */
export function sharingHash({ masked, seeds, config, plan }: Omit<ShareManifest, 'part'>): string {
  return createHash('sha256')
    .update(['tercet sharing 2', masked, ...seeds, config, plan].join('\n'))
    .digest('hex');
}

const malformed = () => new TercetError('ERR_MODEL_FORMAT', `${SHARE_FILE} is malformed`, 'share the model again with `tercet model share`');

export function parseManifest(bytes: Uint8Array): ShareManifest {
  const fields = new Fields(parseModelJson(bytes, SHARE_FILE, 'ERR_MODEL_FORMAT'), malformed);
  if (fields.integer('version', 1000) !== VERSION) {
    throw new TercetError(
      'ERR_MODEL_FORMAT',
      `${SHARE_FILE} is of another version of Tercet`,
      'share the model again with `tercet model share`, with this version',
    );
  }
  const hashes = fields.list('seeds', 2);
  const isHash = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
  const [masked, config, plan] = [fields.string('masked'), fields.string('config'), fields.string('plan')];
  if (![masked, config, plan].every(isHash) || hashes.length !== 2 || !hashes.every(isHash)) throw malformed();
  return { part: fields.oneOf('part', ['p1', 'p2', 'owner']), masked, seeds: [hashes[0] as string, hashes[1] as string], config, plan };
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

/** A data owner's part: 64 bytes of seeds, and the name of the sharing that they belong to. */
export interface OwnerShare {
  readonly seeds: Uint8Array;
  readonly hash: string;
}

/** The owner's part of a sharing, if the folder is one. @throws {TercetError} ERR_MODEL_HASH when its files are of two sharings. */
export async function ownerShare(files: ModelFiles): Promise<OwnerShare | undefined> {
  if (!(await files.has(SHARE_FILE)) || !(await files.has(SEEDS))) return undefined;
  const manifest = parseManifest(await files.read(SHARE_FILE));
  const seeds = await files.read(SEEDS);
  if (seeds.length !== 64) throw new TercetError('ERR_MODEL_FORMAT', 'the seeds of the shared weights have not 64 bytes', 'get the owner folder again');
  for (const side of [0, 1] as const) checkPart(SEEDS, sha256(seeds.subarray(32 * side, 32 * side + 32)), manifest.seeds[side]);
  checkPart(CONFIG, sha256(await files.read(CONFIG)), manifest.config);
  return { seeds, hash: sharingHash(manifest) };
}
