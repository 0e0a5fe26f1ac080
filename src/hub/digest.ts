/** What a file must hash to, as a hub says it: SHA-256 for large files, git's blob SHA-1 for small ones, or a SHA-256 that the caller pins. */
import { sha1 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { toHex } from '../core/bytes.ts';

export interface Digest {
  readonly kind: 'sha256' | 'git-sha1';
  readonly hex: string;
}

export interface Hasher {
  update(bytes: Uint8Array): void;
  matches(): boolean;
}

/** The digest that an ETag is: 64 hex digits of a large file, 40 of a small one; undefined for anything else. */
export function digestOf(etag: string | undefined): Digest | undefined {
  if (etag === undefined) return undefined;
  if (/^[0-9a-f]{64}$/.test(etag)) return { kind: 'sha256', hex: etag };
  return /^[0-9a-f]{40}$/.test(etag) ? { kind: 'git-sha1', hex: etag } : undefined;
}

/** @param size of the whole file: git hashes it before the content. */
export function hasherFor({ kind, hex }: Digest, size: number): Hasher {
  const hash = kind === 'sha256' ? sha256.create() : sha1.create().update(new TextEncoder().encode(`blob ${size}\0`));
  return { update: (bytes) => void hash.update(bytes), matches: () => toHex(hash.digest()) === hex };
}
