/**
 * What a file must hash to, as a hub says it: SHA-256 for large files, SHA-1 for small ones, or a SHA-256 that the
 * caller pins.
 */
import { sha1 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { toHex } from '../core/bytes.ts';

export interface Digest {
  /**
   * `sha1`: of git's blob, as hubs have it, or of the plain content, as some mirrors do; the two look alike, and
   * either one names the file.
   */
  readonly kind: 'sha256' | 'sha1';
  readonly hex: string;
}

export interface Hasher {
  update(bytes: Uint8Array): void;
  matches(): boolean;
}

/** What servers that compress answers add to the ETag of the file. */
const COMPRESSED = /(?:-{1,2}|;)(?:gzip|br|zstd|df)$/;

/** The digest that an ETag is: 64 hex digits of a large file, 40 of a small one; undefined for anything else. */
export function digestOf(etag: string | undefined): Digest | undefined {
  const hex = etag?.replace(COMPRESSED, '') ?? '';
  if (/^[0-9a-f]{64}$/.test(hex)) return { kind: 'sha256', hex };
  return /^[0-9a-f]{40}$/.test(hex) ? { kind: 'sha1', hex } : undefined;
}

/** @param size of the whole file: git hashes it before the content. */
export function hasherFor({ kind, hex }: Digest, size: number): Hasher {
  const hashes =
    kind === 'sha256'
      ? [sha256.create()]
      : [sha1.create().update(new TextEncoder().encode(`blob ${size}\0`)), sha1.create()];
  return {
    update(bytes) {
      for (const hash of hashes) hash.update(bytes);
    },
    matches: () => hashes.some((hash) => toHex(hash.digest()) === hex),
  };
}
